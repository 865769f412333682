/* Facts of types in words. See type_text.h. */
#include "cli/type_text.h"

#include <inttypes.h>
#include <math.h>

#include "base/text.h"

const char *type_text_kind(const struct schema_value *value)
{
	static const char *const names[] = {
	    [SCHEMA_STRING] = "String",   [SCHEMA_INTEGER] = "Integer", [SCHEMA_NUMBER] = "Number",
	    [SCHEMA_BOOLEAN] = "Boolean", [SCHEMA_OBJECT] = "Object",   [SCHEMA_LIST] = "List",
	    [SCHEMA_MAP] = "Map",         [SCHEMA_JSON] = "Json",
	};

	return names[value->kind];
}

static void add_range(struct buf *out, const char *what, int64_t least, int64_t most)
{
	if (least < 0 && most < 0)
		return;
	buf_adds(out, out->len > 0 ? ", " : "");
	if (least >= 0 && most >= 0 && least != most)
		buf_addf(out, "%" PRId64 " to ", least);
	else if (least != most)
		buf_adds(out, most >= 0 ? "at most " : "at least ");
	text_count(out, (size_t)(most >= 0 ? most : least), what);
}

void type_text_limits(struct buf *out, const struct schema_value *value)
{
	add_range(out, value->kind == SCHEMA_STRING ? "character" : "item", value->min_length, value->max_length);
	add_range(out, "byte", -1, value->max_bytes);
	if (!isnan(value->minimum))
		buf_addf(out, "%sat least %.15g", out->len > 0 ? ", " : "", value->minimum);
	if (!isnan(value->maximum))
		buf_addf(out, "%sat most %.15g", out->len > 0 ? ", " : "", value->maximum);
}
