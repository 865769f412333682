/* STS: who am I, and role chains with trust checked. */
#include "tests/sandbox/sandbox.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_MAX_S 3600

static int get_caller_identity(struct sb_call *c)
{
	c->out = json_pack("{s:s,s:s,s:s}", "UserId", sb_str(c->caller, "UserId", ""), "Account", c->account, "Arn",
			   sb_str(c->caller, "Arn", ""));
	return 0;
}

static void secret_make(char *out, size_t bytes)
{
	unsigned char raw[192];

	if (bytes > sizeof raw || RAND_bytes(raw, (int)bytes) != 1)
		abort();
	EVP_EncodeBlock((unsigned char *)out, raw, (int)bytes);
}

static char *key_id_make(struct sb *sb)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	char id[21] = "ASIA";
	unsigned char raw[16];

	do {
		if (RAND_bytes(raw, sizeof raw) != 1)
			abort();
		for (size_t i = 0; i < 16; i++)
			id[4 + i] = letters[raw[i] % 32];
		id[20] = '\0';
	} while (json_object_get(sb->keys, id) != NULL);
	return mem_strdup(id);
}

/* Sessions are kept a while after they end, so that they answer "expired" and not "unknown"; then they go. */
static void sessions_purge(struct sb *sb, int64_t now_ms)
{
	const char *id;
	json_t *key;
	void *next;

	if (++sb->sequence % 4096 != 0)
		return;
	json_object_foreach_safe(sb->keys, next, id, key) if (sb_int(key, "ExpiresMs", INT64_MAX) <
							      now_ms - 3600 * 1000) json_object_del(sb->keys, id);
}

static int session_open(struct sb_call *c, json_t *role, const char *account, int64_t seconds)
{
	const char *name = sb_str(role, "RoleName", ""), *session = sb_str(c->in, "RoleSessionName", "");
	mem_auto_str char *id = key_id_make(c->sb), *expires = NULL;
	char secret[64], token[260];
	json_t *key, *arn, *user;

	if (c->sb->session_seconds > 0)
		seconds = c->sb->session_seconds;
	secret_make(secret, 30);
	secret_make(token, 192);
	arn = sb_format("arn:%s:sts::%s:assumed-role/%s/%s", c->partition, account, name, session);
	user = sb_format("%s:%s", sb_str(role, "RoleId", ""), session);
	key = json_pack("{s:s,s:s,s:s,s:o,s:o,s:s,s:s,s:I}", "Secret", secret, "Token", token, "Account", account,
			"Arn", arn, "UserId", user, "RoleName", name, "RoleArn", sb_str(role, "Arn", ""), "ExpiresMs",
			(json_int_t)(c->now_ms + seconds * 1000));
	sessions_purge(c->sb, c->now_ms);
	json_object_set_new(c->sb->keys, id, key);
	expires = sb_time_iso(c->now_ms + seconds * 1000);
	c->out = json_pack("{s:{s:s,s:s,s:s,s:s},s:{s:O,s:O}}", "Credentials", "AccessKeyId", id, "SecretAccessKey",
			   secret, "SessionToken", token, "Expiration", expires, "AssumedRoleUser", "AssumedRoleId",
			   user, "Arn", arn);
	return 0;
}

static json_t *role_asked(struct sb_call *c, char **account)
{
	const char *arn = sb_str(c->in, "RoleArn", "");

	*account = sb_arn_part(arn, 4);
	return sb_role_seen(c->sb, arn);
}

static int duration_check(struct sb_call *c, json_t *role, bool chained, int64_t *seconds)
{
	*seconds = sb_int(c->in, "DurationSeconds", 3600);
	if (chained && *seconds > CHAIN_MAX_S)
		return sb_fail(c, 400, "ValidationError",
			       "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
			       "role chaining");
	if (*seconds > sb_int(role, "MaxSessionDuration", 3600))
		return sb_fail(c, 400, "ValidationError",
			       "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
	return 0;
}

static int session_name_check(struct sb_call *c)
{
	const char *name = sb_str(c->in, "RoleSessionName", "");

	if (strncmp(sb_str(c->in, "RoleArn", ""), "arn:", 4) != 0)
		return sb_fail(c, 400, "ValidationError", "%s is invalid", sb_str(c->in, "RoleArn", ""));
	if (sb_like(name, "a-zA-Z0-9_=,.@-", 2, 64))
		return 0;
	return sb_fail(c, 400, "ValidationError",
		       "1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: "
		       "Member must satisfy regular expression pattern: [\\w+=,.@-]*",
		       name);
}

static int assume_role(struct sb_call *c)
{
	json_t *context = json_object();
	struct sb_ask ask = {.account = c->account,
			     .arn = sb_str(c->caller, "Arn", ""),
			     .role_arn = sb_str(c->caller, "RoleArn", NULL),
			     .action = "sts:AssumeRole",
			     .context = context};
	mem_auto_str char *account = NULL;
	json_t *role = role_asked(c, &account);
	int status = -1;
	int64_t seconds;

	if (session_name_check(c) != 0)
		goto out;
	if (json_object_get(c->in, "ExternalId") != NULL)
		json_object_set(context, "sts:externalid", json_object_get(c->in, "ExternalId"));
	if (role == NULL || sb_role_trust_ask(role, &ask) != SB_ALLOWED) {
		sb_fail(c, 403, "AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s",
			ask.arn, sb_str(c->in, "RoleArn", ""));
		goto out;
	}
	if (duration_check(c, role, ask.role_arn != NULL, &seconds) == 0)
		status = session_open(c, role, account, seconds);
out:
	json_decref(context);
	return status;
}

/* The claims of a JSON Web Token (new reference), or NULL where the token is none. Its signature is not verified. */
static json_t *token_claims(const char *token)
{
	const char *start = strchr(token, '.'), *end = start == NULL ? NULL : strchr(start + 1, '.');
	buf_auto struct buf text = BUF_INIT;
	mem_auto_str char *plain = NULL;
	int size;

	if (end == NULL)
		return NULL;
	for (const char *c = start + 1; c < end; c++)
		buf_addc(&text, *c == '-' ? '+' : *c == '_' ? '/' : *c);
	while (text.len % 4 != 0)
		buf_addc(&text, '=');
	plain = mem_alloc(text.len + 1);
	size = EVP_DecodeBlock((unsigned char *)plain, (const unsigned char *)buf_str(&text), (int)text.len);
	if (size < 0)
		return NULL;
	/* The padding is decoded, too, as zeros. */
	plain[size] = '\0';
	return json_loads(plain, JSON_DISABLE_EOF_CHECK, NULL);
}

/* Who a token says it is: the account's provider of that issuer, and the condition keys that AWS makes of the claims
 * (issuer:sub, issuer:aud). What is no token of the kind is "web-identity", for roles that trust just anybody. */
static char *federated(json_t *context, json_t *claims, const char *account)
{
	static const char *const names[] = {"sub", "aud", NULL};
	const char *issuer = sb_str(claims, "iss", "");

	if (strncmp(issuer, "https://", 8) != 0)
		return mem_strdup("web-identity");
	issuer += 8;
	for (size_t i = 0; names[i] != NULL; i++) {
		mem_auto_str char *key = mem_printf("%s:%s", issuer, names[i]);

		if (json_object_get(claims, names[i]) != NULL)
			json_object_set(context, key, json_object_get(claims, names[i]));
	}
	return mem_printf("arn:aws:iam::%s:oidc-provider/%s", account, issuer);
}

static int web_identity_check(struct sb_call *c, json_t *role, json_t *claims, const char *account)
{
	json_auto_t *context = json_object();
	mem_auto_str char *who = federated(context, claims, account);
	struct sb_ask ask = {.federated = who, .action = "sts:AssumeRoleWithWebIdentity", .context = context};

	if (json_object_get(claims, "exp") != NULL && sb_int(claims, "exp", 0) * 1000 < c->now_ms)
		return sb_fail(c, 400, "ExpiredTokenException",
			       "Token expired: current date/time must be before the "
			       "expiration date/time");
	if (role == NULL || sb_role_trust_ask(role, &ask) != SB_ALLOWED)
		return sb_fail(c, 403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
	return 0;
}

static int assume_role_with_web_identity(struct sb_call *c)
{
	json_auto_t *claims = token_claims(sb_str(c->in, "WebIdentityToken", ""));
	mem_auto_str char *account = NULL;
	json_t *role = role_asked(c, &account);
	int64_t seconds;

	if (session_name_check(c) != 0 || web_identity_check(c, role, claims, account) != 0)
		return -1;
	if (duration_check(c, role, false, &seconds) != 0 || session_open(c, role, account, seconds) != 0)
		return -1;
	json_object_set_new(c->out, "SubjectFromWebIdentityToken",
			    json_string(sb_str(claims, "sub", "sandbox-subject")));
	json_object_set_new(c->out, "Audience", json_string(sb_str(claims, "aud", "sts.amazonaws.com")));
	return 0;
}

static const struct sb_op ops[] = {
    {.name = "AssumeRole",
     .handle = assume_role,
     .members = "!RoleArn:s(20,2048) !RoleSessionName:s(2,64) PolicyArns:[{arn}] Policy DurationSeconds:i(900,43200) "
		"Tags:[{!Key !Value}] TransitiveTagKeys:[s] ExternalId:s(2,1224) SerialNumber:s(9,256) "
		"TokenCode:s(6,6) SourceIdentity:s(2,64)"},
    {.name = "AssumeRoleWithWebIdentity",
     .handle = assume_role_with_web_identity,
     .members = "!RoleArn:s(20,2048) !RoleSessionName:s(2,64) !WebIdentityToken:s(4,20000) ProviderId "
		"PolicyArns:[{arn}] Policy DurationSeconds:i(900,43200)"},
    {.name = "GetCallerIdentity", .handle = get_caller_identity, .members = ""},
    {.name = NULL},
};

const struct sb_service sb_sts = {
    .name = "sts",
    .protocol = SB_QUERY,
    .prefix = "https://sts.amazonaws.com/doc/2011-06-15/",
    .invalid = "ValidationError",
    .throttled = "Throttling",
    .throttled_status = 400,
    .denied = "AccessDenied",
    .denied_status = 403,
    .ops = ops,
};
