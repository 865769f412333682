/* What the two files of import share: import.c takes a live resource into the state, import_id.c knows identifiers. */
#ifndef MUSTER_APPLY_IMPORT_H
#define MUSTER_APPLY_IMPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/diag.h"
#include "base/schema.h"

/* What an identifier says; new references. */
struct import_id {
	json_t *properties, *attributes;
};

/* Takes an identifier apart: an ARN of which the type's properties follow; what Ref gives; or the properties that make
 * the type's identity, with | between them. -1 with a message that says what it should be. */
int import_identify(struct import_id *out, const struct schema_type *type, const char *id,
		    const struct schema_place *place, struct diag *d);
void import_id_free(struct import_id *id);
/* Whether everything that the identifier says is found among what is live. */
bool import_is_meant(const struct import_id *id, const struct schema_type *type, const struct schema_place *place,
		     const json_t *properties, const json_t *attributes);

#endif
