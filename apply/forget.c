/* Forgetting records, and what a run that was cut off has left where nobody can look it up. */
#include <stdlib.h>

#include "apply/surgery.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

struct forget {
	struct surgery surgery;
	const char *const *globs;
	size_t glob_count;
	bool *used; /* which of them matched something */
	struct surgery_addresses addresses, intents;
	size_t alone;   /* intents without a record */
	size_t refused; /* intents that may not go */
};

static bool forget_hits(struct forget *f, const char *address)
{
	bool hit = false;

	for (size_t i = 0; i < f->glob_count; i++) {
		bool matches = text_glob(f->globs[i], address);

		f->used[i] = f->used[i] || matches;
		hit = hit || matches;
	}
	return hit;
}

static int forget_visit(void *payload, const struct state_record *record)
{
	struct forget *f = payload;

	if (forget_hits(f, record->address))
		surgery_addresses_add(&f->addresses, record->address);
	return 0;
}

/* Only the next apply can tell what came of an intent; it goes where an apply has tried and could not. */
static int forget_intent_visit(void *payload, const char *address, const json_t *body)
{
	struct forget *f = payload;
	struct state_record raw;
	int found;

	if (!forget_hits(f, address))
		return 0;
	if (json_get_string(body, "Stays") == NULL) {
		if (f->refused++ < SURGERY_SHOWN)
			surgery_refuse_intent(&f->surgery, address, body);
		return 0;
	}
	found = state_record_get(f->surgery.txn, address, &raw, f->surgery.d);
	f->alone += found == 0;
	surgery_addresses_add(&f->intents, address);
	return found < 0 ? -1 : 0;
}

static int forget_find(struct forget *f)
{
	struct surgery *s = &f->surgery;

	if (state_record_each(s->txn, "", forget_visit, f, s->d) < 0 ||
	    state_intent_each(s->txn, forget_intent_visit, f, s->d) < 0)
		return -1;
	if (f->refused > SURGERY_SHOWN)
		diag_error(s->d, "... and %zu more like that", f->refused - SURGERY_SHOWN);
	return f->refused > 0 ? -1 : 0;
}

static int forget_run(struct forget *f, const json_t *facts)
{
	struct surgery *s = &f->surgery;
	int rc = forget_find(f);

	for (size_t i = 0; rc == 0 && i < f->glob_count; i++)
		if (!f->used[i])
			rc = diag_error(s->d,
					"'%s' matches nothing that is recorded; a pattern is for whole addresses, "
					"ACCOUNT/REGION/STACK/LogicalId, and * stands for any part of one",
					f->globs[i]);
	if (rc == 0)
		rc = surgery_generation(s, facts);
	for (size_t i = 0; rc == 0 && i < f->addresses.count; i++)
		if (state_record_delete(s->txn, f->addresses.list[i], s->generation, s->d) < 0)
			rc = -1;
	for (size_t i = 0; rc == 0 && i < f->intents.count; i++)
		if (state_intent_delete(s->txn, f->intents.list[i], s->d) < 0)
			rc = -1;
	return rc == 0 ? surgery_outputs_forget(&f->surgery, f->addresses.list, f->addresses.count) : rc;
}

int apply_state_forget(struct state *state, const char *const *globs, size_t glob_count, const json_t *facts,
		       size_t *count, struct diag *d)
{
	struct forget f = {.globs = globs, .glob_count = glob_count};
	int rc;

	*count = 0;
	if (surgery_begin(&f.surgery, state, d) < 0)
		return -1;
	f.used = mem_array(glob_count + 1, sizeof *f.used);
	rc = forget_run(&f, facts);
	rc = surgery_end(&f.surgery, rc, "Forgotten", f.addresses.count + f.alone);
	if (rc == 0)
		*count = f.addresses.count + f.alone;
	surgery_addresses_free(&f.addresses);
	surgery_addresses_free(&f.intents);
	free(f.used);
	return rc;
}
