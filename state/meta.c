/* What the state knows of itself (lineage, secret key), and the regions remembered for each account. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "state/store.h"

static int meta_get(struct state_txn *txn, const char *name, MDB_val *out, struct diag *d)
{
	return store_get(txn, STORE_META, name, strlen(name), out, d);
}

int state_lineage(struct state_txn *txn, char **out, struct diag *d)
{
	MDB_val value;
	int rc = meta_get(txn, "lineage", &value, d);

	*out = rc == 1 ? mem_strndup(value.mv_data, value.mv_size) : NULL;
	return rc < 0 ? -1 : 0;
}

int state_lineage_set(struct state_txn *txn, const char *lineage, struct diag *d)
{
	mem_auto_str char *old = NULL;

	if (*lineage == '\0')
		return diag_error(d, "state %s: an empty lineage", txn->state->directory);
	if (store_may_write(txn, d) < 0 || state_lineage(txn, &old, d) < 0)
		return -1;
	if (old != NULL && strcmp(old, lineage) != 0)
		return diag_error(d, "state %s: it is of lineage %s, not %s", txn->state->directory, old, lineage);
	return store_put(txn, STORE_META, "lineage", strlen("lineage"), lineage, strlen(lineage), d);
}

int state_secret_key(struct state_txn *txn, uint8_t out[32], struct diag *d)
{
	MDB_val value;
	int rc = meta_get(txn, "secret", &value, d);

	memset(out, 0, 32);
	if (rc < 0)
		return -1;
	if (rc == 0 && txn->mdb == NULL)
		return 1;
	if (rc == 0 || value.mv_size != 32)
		return store_corrupt(txn->state, d, "its secret key is missing");
	memcpy(out, value.mv_data, 32);
	return 0;
}

int state_secret_key_set(struct state_txn *txn, const uint8_t key[32], struct diag *d)
{
	if (store_may_write(txn, d) < 0)
		return -1;
	return store_put(txn, STORE_META, "secret", strlen("secret"), key, 32, d);
}

/* -- Regions ------------------------------------------------------------------------------------------------------- */

/* An account id is a short word; anything else would be a caller's mistake, or too long for a key. */
static int check_account(const char *account_id, struct diag *d)
{
	size_t len = strlen(account_id);

	return len > 0 && len <= 64 ? 0 : diag_error(d, "\"%s\" is no account id", account_id);
}

int state_regions_get(struct state_txn *txn, const char *account_id, json_t **out, struct diag *d)
{
	MDB_val value;
	int rc;

	*out = NULL;
	if (check_account(account_id, d) < 0)
		return -1;
	rc = store_get(txn, STORE_REGIONS, account_id, strlen(account_id), &value, d);
	if (rc <= 0)
		return rc;
	return store_json(out, value.mv_data, value.mv_size, txn->state, d) < 0 ? -1 : 1;
}

int state_regions_put(struct state_txn *txn, const char *account_id, const json_t *body, struct diag *d)
{
	buf_auto struct buf text = BUF_INIT;

	if (check_account(account_id, d) < 0)
		return -1;
	json_canonical(&text, body);
	return store_put(txn, STORE_REGIONS, account_id, strlen(account_id), buf_str(&text), text.len, d);
}
