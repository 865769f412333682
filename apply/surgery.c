/* Changes of the state alone: moving records. AWS is not touched, and nothing is done by halves: one
 * transaction each. */
#include "apply/surgery.h"

#include <stdlib.h>
#include <string.h>

#include "apply/run.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

/* -- One generation -------------------------------------------------------------------------------------------------
 */

int surgery_begin(struct surgery *s, struct state *state, struct diag *d)
{
	*s = (struct surgery){.state = state, .d = d};
	return state_begin(&s->txn, state, true, d);
}

int surgery_generation(struct surgery *s, const json_t *facts)
{
	json_auto_t *all = json_is_object(facts) ? json_copy((json_t *)facts) : json_object();
	char when[32];

	if (json_object_get(all, "Time") == NULL) {
		text_time(when, sizeof when, loop_wall_ms());
		json_object_set_new(all, "Time", json_string(when));
	}
	return state_generation_start(s->txn, all, &s->generation, s->d);
}

int surgery_end(struct surgery *s, int rc, const char *what, size_t count)
{
	json_auto_t *outcome = json_pack("{s:s, s:I}", "Result", "complete", what, (json_int_t)count);

	if (rc == 0 && s->generation != 0)
		rc = state_generation_finish(s->txn, s->generation, outcome, s->d);
	if (rc == 0 && s->generation != 0)
		return state_commit(s->txn, s->d);
	state_abort(s->txn);
	return rc;
}

int surgery_refuse_intent(struct surgery *s, const char *address, const json_t *body)
{
	const char *why = json_get_string(body, "Stays");

	if (why == NULL)
		return diag_error(
		    s->d,
		    "%s: an apply that was cut off may have left something under way there; run muster apply "
		    "--recover first, which settles it",
		    address);
	return diag_error(s->d,
			  "%s: an apply that was cut off may have left something under way there, and the last apply "
			  "could not look it up (%s); muster apply tries again, and if nobody ever can, muster state "
			  "rm '%s' lets go of it",
			  address, why, address);
}

void surgery_addresses_add(struct surgery_addresses *out, const char *address)
{
	if (out->count == out->room) {
		out->room = out->room == 0 ? 64 : 2 * out->room;
		out->list = mem_resize(out->list, out->room, sizeof *out->list);
	}
	out->list[out->count++] = mem_strdup(address);
}

void surgery_addresses_free(struct surgery_addresses *addresses)
{
	for (size_t i = 0; i < addresses->count; i++)
		free(addresses->list[i]);
	free(addresses->list);
}

struct intent_check {
	struct surgery *surgery;
	bool (*hits)(void *payload, const char *address);
	void *payload;
	size_t count;
};

static int intent_visit(void *payload, const char *address, const json_t *body)
{
	struct intent_check *check = payload;

	if (check->hits(check->payload, address) && check->count++ < SURGERY_SHOWN)
		surgery_refuse_intent(check->surgery, address, body);
	return 0;
}

int surgery_no_intents(struct surgery *s, bool (*hits)(void *payload, const char *address), void *payload)
{
	struct intent_check check = {s, hits, payload, 0};

	if (state_intent_each(s->txn, intent_visit, &check, s->d) < 0)
		return -1;
	if (check.count > SURGERY_SHOWN)
		diag_error(s->d, "... and %zu more like that", check.count - SURGERY_SHOWN);
	return check.count > 0 ? -1 : 0;
}

static int collect(void *payload, const struct state_record *record)
{
	surgery_addresses_add(payload, record->address);
	return 0;
}

/* -- Moving ---------------------------------------------------------------------------------------------------------
 */

struct move {
	struct surgery surgery;
	const char *from, *to;
	size_t from_len, to_len;
	const json_t *roster; /* {name: id}, or NULL */
};

/* What of `address` stands behind `prefix`: "" when it is that, "/..." when it is under it; else NULL. */
static const char *behind(const char *address, const char *prefix, size_t len)
{
	if (strncmp(address, prefix, len) != 0 || (address[len] != '\0' && address[len] != '/'))
		return NULL;
	return address + len;
}

static size_t part_len(const char *address)
{
	return strcspn(address, "/");
}

static bool same_part(const char *a, const char *b)
{
	return part_len(a) == part_len(b) && strncmp(a, b, part_len(a)) == 0;
}

/* A record at an address that specs cannot have is one that no plan finds. What stands at such a one already may leave.
 */
static int move_check_words(const char *from, const char *to, struct diag *d)
{
	struct plan_address source, target;
	bool parsed = plan_address_parse(&source, from) == 0;
	const char *fault;

	if (!parsed || plan_address_parse(&target, to) < 0)
		return diag_error(
		    d,
		    "\"%s\" is no address: it is ACCOUNT/REGION/STACK/LogicalId, or the first one, two or "
		    "three parts of one for all that is under them",
		    parsed ? to : from);
	if (source.count != target.count)
		return diag_error(d, "%s and %s have not the same number of parts", from, to);
	if (strcmp(from, to) == 0)
		return diag_error(d, "%s is there already", from);
	fault = plan_address_fault(&target);
	if (fault != NULL) {
		mem_auto_str char *shown = plan_address_shown(to);

		return diag_error(d, "nothing can be moved to \"%s\": %s", shown, fault);
	}
	if (source.count > 1 && !same_part(strchr(from, '/') + 1, strchr(to, '/') + 1))
		return diag_error(
		    d,
		    "a resource stays in its region of AWS and cannot be moved to another, as %s would have it: state "
		    "mv changes only what the state calls it; to have it in another region, change the Regions of its "
		    "stack, and plan",
		    to);
	return 0;
}

static bool move_hits(void *payload, const char *address)
{
	const struct move *m = payload;

	return behind(address, m->from, m->from_len) != NULL || behind(address, m->to, m->to_len) != NULL;
}

static int account_note(void *payload, const struct state_record *record)
{
	json_t **body = payload;

	*body = json_loadb(record->text, record->text_len, 0, NULL);
	return 1;
}

/* An account by its name: a record says its id, and so does the roster. It must be the same on both sides. */
static int move_check_account(struct move *m)
{
	mem_auto_str char *from = mem_strndup(m->from, part_len(m->from)), *to = mem_strndup(m->to, part_len(m->to));
	json_auto_t *ours = NULL, *theirs = NULL;
	const char *id, *other;

	if (strcmp(from, to) == 0)
		return 0;
	if (state_record_each(m->surgery.txn, m->from, account_note, &ours, m->surgery.d) < 0 ||
	    state_record_each(m->surgery.txn, to, account_note, &theirs, m->surgery.d) < 0)
		return -1;
	id = json_get_string(ours, "AccountId");
	other = json_get_string(m->roster, to);
	if (other == NULL)
		other = json_get_string(theirs, "AccountId");
	if (id == NULL || other == NULL || strcmp(id, other) == 0)
		return 0;
	return diag_error(m->surgery.d,
			  "%s is account %s and %s is account %s; a resource stays in its account, the record alone "
			  "cannot go to another",
			  from, id, to, other);
}

static char *moved(const struct move *m, const char *address)
{
	const char *rest = behind(address, m->from, m->from_len);

	return rest != NULL ? mem_printf("%s%s", m->to, rest) : NULL;
}

static int move_records(struct move *m, const struct surgery_addresses *addresses)
{
	for (size_t i = 0; i < addresses->count; i++) {
		mem_auto_str char *to = moved(m, addresses->list[i]);

		if (plan_record_move(m->surgery.txn, addresses->list[i], to, m->surgery.generation, NULL,
				     m->surgery.d) < 0)
			return -1;
	}
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* As specs have them: in order, each once. New reference. */
static json_t *sorted(const json_t *list)
{
	size_t count = json_array_size(list);
	const char **texts = mem_array(count + 1, sizeof *texts);
	json_t *result = json_array();

	for (size_t i = 0; i < count; i++)
		texts[i] = json_string_value(json_array_get(list, i));
	qsort(texts, count, sizeof *texts, by_text);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(texts[i], texts[i - 1]) != 0)
			json_array_append_new(result, json_string(texts[i]));
	free(texts);
	return result;
}

/* A list of dependencies by the new addresses, or NULL where it names none that moved. New reference. */
static json_t *depends_moved(const struct move *m, const json_t *depends)
{
	json_auto_t *list = NULL;
	json_t *item;
	size_t i;

	json_array_foreach(depends, i, item)
	{
		mem_auto_str char *to = moved(m, json_string_value(item));

		if (to == NULL)
			continue;
		if (list == NULL)
			list = json_copy((json_t *)depends);
		json_array_set_new(list, i, json_string(to));
	}
	return list != NULL ? sorted(list) : NULL;
}

static int depends_visit(void *payload, const struct state_record *raw)
{
	struct move *m = payload;
	json_auto_t *body = NULL, *depends = NULL;
	mem_auto_str char *address = NULL;
	struct plan_record record;

	/* Most records have nothing to do with it, and need not be parsed to tell. */
	if (memmem(raw->text, raw->text_len, m->from, m->from_len) == NULL)
		return 0;
	body = json_loadb(raw->text, raw->text_len, 0, NULL);
	if (plan_record_parse(&record, body) < 0)
		return diag_error(m->surgery.d, "the state's record of %s cannot be read", raw->address);
	depends = depends_moved(m, record.depends);
	if (depends == NULL)
		return 0;
	record.depends = depends;
	address = mem_strdup(raw->address);
	return apply_record_put(m->surgery.txn, address, m->surgery.generation, &record, m->surgery.d);
}

static int move_run(struct move *m, const json_t *facts, struct surgery_addresses *addresses)
{
	struct surgery *s = &m->surgery;

	if (state_record_each(s->txn, m->from, collect, addresses, s->d) < 0)
		return -1;
	if (addresses->count == 0)
		return diag_error(s->d, "nothing is recorded at %s; muster state list shows what is", m->from);
	if (surgery_no_intents(s, move_hits, m) < 0 || move_check_account(m) < 0 || surgery_generation(s, facts) < 0)
		return -1;
	if (move_records(m, addresses) < 0 || surgery_outputs_move(&m->surgery, m->from, m->to) < 0)
		return -1;
	return state_record_each(s->txn, "", depends_visit, m, s->d) < 0 ? -1 : 0;
}

int apply_state_move(struct state *state, const char *from, const char *to, const json_t *roster, const json_t *facts,
		     size_t *count, struct diag *d)
{
	struct move m = {.from = from, .to = to, .from_len = strlen(from), .to_len = strlen(to), .roster = roster};
	struct surgery_addresses addresses = {0};
	int rc;

	*count = 0;
	if (move_check_words(from, to, d) < 0 || surgery_begin(&m.surgery, state, d) < 0)
		return -1;
	rc = move_run(&m, facts, &addresses);
	rc = surgery_end(&m.surgery, rc, "Moved", addresses.count);
	if (rc == 0)
		*count = addresses.count;
	surgery_addresses_free(&addresses);
	return rc;
}
