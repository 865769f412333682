/* AWS Signature Version 4, as the service checks it: from the header or from a presigned query. Written from AWS's
 * published description; shares nothing with muster's signing, which it judges. */
#include "tests/sandbox/sandbox.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define SKEW_MS  (15 * 60 * 1000)
#define UNSIGNED "UNSIGNED-PAYLOAD"

/* ---- the scope ---- */

static bool credential_read(struct sb_scope *scope, const char *text)
{
	char *parts[5] = {0}, *save = NULL;
	mem_auto_str char *copy = mem_strdup(text);
	size_t count = 0;

	for (char *p = strtok_r(copy, "/", &save); p != NULL && count < 5; p = strtok_r(NULL, "/", &save))
		parts[count++] = p;
	if (count != 5 || strcmp(parts[4], "aws4_request") != 0)
		return false;
	if (strlen(parts[0]) >= sizeof scope->key || strlen(parts[1]) != 8 ||
	    !sb_like(parts[2], "a-z0-9-", 1, sizeof scope->region - 1) ||
	    !sb_like(parts[3], "a-z0-9-", 1, sizeof scope->service - 1))
		return false;
	strcpy(scope->key, parts[0]);
	strcpy(scope->date, parts[1]);
	strcpy(scope->region, parts[2]);
	strcpy(scope->service, parts[3]);
	return true;
}

/* The value of `name=` in an Authorization header; free it. */
static char *authorization_part(const char *header, const char *name)
{
	const char *p = strstr(header, name);

	if (p == NULL)
		return NULL;
	p += strlen(name);
	return mem_strndup(p, strcspn(p, ", "));
}

static char *copy_header(const struct sb_http *http, const char *name)
{
	return mem_strdup(sb_http_header(http, name));
}

enum sb_sig_error sb_scope_read(struct sb_scope *scope, struct sb_http *http)
{
	const char *header = sb_http_header(http, "authorization");
	mem_auto_str char *credential = NULL, *expires = NULL;

	memset(scope, 0, sizeof *scope);
	if (header != NULL && strncmp(header, "AWS4-HMAC-SHA256 ", 17) == 0) {
		credential = authorization_part(header, "Credential=");
		scope->signed_headers = authorization_part(header, "SignedHeaders=");
		scope->signature = authorization_part(header, "Signature=");
		scope->amz_date = copy_header(http, "x-amz-date");
		scope->token = copy_header(http, "x-amz-security-token");
	} else if (header != NULL) {
		return SB_SIG_MALFORMED;
	} else if ((credential = sb_http_query(http, "X-Amz-Credential")) != NULL) {
		scope->presigned = true;
		scope->signed_headers = sb_http_query(http, "X-Amz-SignedHeaders");
		scope->signature = sb_http_query(http, "X-Amz-Signature");
		scope->amz_date = sb_http_query(http, "X-Amz-Date");
		scope->token = sb_http_query(http, "X-Amz-Security-Token");
		expires = sb_http_query(http, "X-Amz-Expires");
		scope->expires_s = expires == NULL ? 0 : strtoll(expires, NULL, 10);
	} else {
		return SB_SIG_MISSING;
	}
	if (credential == NULL || !credential_read(scope, credential) || scope->signed_headers == NULL ||
	    scope->signature == NULL || scope->amz_date == NULL || strlen(scope->signature) != 64)
		return SB_SIG_MALFORMED;
	return SB_SIG_OK;
}

void sb_scope_free(struct sb_scope *scope)
{
	free(scope->signed_headers);
	free(scope->signature);
	free(scope->amz_date);
	free(scope->token);
	memset(scope, 0, sizeof *scope);
}

/* ---- the canonical request ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each parameter is decoded and encoded again, so that spelling does not matter; then they are sorted. A tab keeps
 * the name apart from the value while sorting, below every character that an encoded name can hold. */
static void canonical_query(struct buf *out, const char *query, bool presigned)
{
	char **items = NULL;
	size_t count = 0;

	while (*query != '\0') {
		size_t len = strcspn(query, "&"), key = strcspn(query, "=&");
		mem_auto_str char *name = sb_url_decode(query, key, true);
		size_t value_len = key < len ? len - key - 1 : 0;
		mem_auto_str char *value = sb_url_decode(query + len - value_len, value_len, true);
		buf_auto struct buf item = BUF_INIT;

		query += len + (query[len] == '&');
		if (len == 0 || (presigned && strcmp(name, "X-Amz-Signature") == 0))
			continue;
		sb_url_encode(&item, name, strlen(name), false);
		buf_addc(&item, '\t');
		sb_url_encode(&item, value, strlen(value), false);
		items = mem_resize(items, count + 1, sizeof *items);
		items[count++] = buf_detach(&item);
	}
	if (count > 0)
		qsort(items, count, sizeof *items, by_text);
	for (size_t i = 0; i < count; i++) {
		*strchr(items[i], '\t') = '=';
		buf_addf(out, "%s%s", i > 0 ? "&" : "", items[i]);
		free(items[i]);
	}
	free(items);
}

/* Outer space gone, inner runs of spaces made one; values of a repeated header joined by commas. */
static bool canonical_header(struct buf *out, const struct sb_http *http, const char *name)
{
	bool found = false;

	buf_addf(out, "%s:", name);
	for (size_t i = 0; i < http->header_count; i++) {
		const char *p = http->headers[i].value;

		if (strcasecmp(http->headers[i].name, name) != 0)
			continue;
		if (found)
			buf_addc(out, ',');
		found = true;
		for (p += strspn(p, " \t"); *p != '\0'; p++)
			if (*p != ' ' || (p[1] != ' ' && p[1] != '\0'))
				buf_addc(out, *p);
	}
	buf_addc(out, '\n');
	return found;
}

static bool canonical_headers(struct buf *out, const struct sb_http *http, const char *names)
{
	char name[128];
	bool ok = true;

	while (*names != '\0') {
		size_t len = strcspn(names, ";");

		if (len >= sizeof name)
			return false;
		memcpy(name, names, len);
		name[len] = '\0';
		ok = canonical_header(out, http, name) && ok;
		names += len + (names[len] == ';');
	}
	return ok;
}

static bool is_signed(const char *names, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = names; (p = strcasestr(p, name)) != NULL; p++)
		if ((p == names || p[-1] == ';') && (p[len] == ';' || p[len] == '\0'))
			return true;
	return false;
}

/* host and every x-amz- header must be signed. */
static bool signs_enough(const struct sb_http *http, const struct sb_scope *scope)
{
	if (!is_signed(scope->signed_headers, "host"))
		return false;
	for (size_t i = 0; i < http->header_count; i++)
		if (strncasecmp(http->headers[i].name, "x-amz-", 6) == 0 &&
		    !is_signed(scope->signed_headers, http->headers[i].name))
			return false;
	return true;
}

static void canonical_path(struct buf *out, const char *path, bool s3)
{
	if (s3) {
		mem_auto_str char *plain = sb_url_decode(path, strlen(path), false);

		sb_url_encode(out, plain, strlen(plain), true);
	} else {
		sb_url_encode(out, path, strlen(path), true); /* all but S3 encode the encoded path once more */
	}
}

/* What stands for the payload in the canonical request. False when S3's header belies the body. */
static bool payload_hash(char out[80], const struct sb_http *http, const struct sb_scope *scope, bool s3)
{
	const char *said = sb_http_header(http, "x-amz-content-sha256");
	char real[65];

	if (s3 && scope->presigned && said == NULL) {
		strcpy(out, UNSIGNED);
		return true;
	}
	if (s3 && said != NULL && (strcmp(said, UNSIGNED) == 0 || strncmp(said, "STREAMING-", 10) == 0)) {
		if (strlen(said) >= 80)
			return false;
		strcpy(out, said);
		return true;
	}
	sb_sha256_hex(real, http->body.data, http->body.len);
	strcpy(out, real);
	return !s3 || (said != NULL && strcmp(said, real) == 0);
}

/* ---- the signature ---- */

static void hmac(unsigned char out[32], const void *key, size_t key_len, const char *text)
{
	unsigned int len = 32;

	HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, strlen(text), out, &len);
}

static void sign(char out[65], const char *secret, const struct sb_scope *scope, const char *text)
{
	mem_auto_str char *start = mem_printf("AWS4%s", secret);
	unsigned char key[32];

	hmac(key, start, strlen(start), scope->date);
	hmac(key, key, sizeof key, scope->region);
	hmac(key, key, sizeof key, scope->service);
	hmac(key, key, sizeof key, "aws4_request");
	hmac(key, key, sizeof key, text);
	sb_hex(out, key, sizeof key);
}

/* Milliseconds of a YYYYMMDDThhmmssZ time, or -1. */
static int64_t amz_date_ms(const char *text)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y%m%dT%H%M%SZ", &tm);

	return end == NULL || *end != '\0' ? -1 : (int64_t)timegm(&tm) * 1000;
}

static enum sb_sig_error key_check(json_t *key, const struct sb_scope *scope)
{
	const char *token = sb_str(key, "Token", NULL);
	int64_t signed_ms = amz_date_ms(scope->amz_date), now = sb_now_ms();

	if (token == NULL ? scope->token != NULL : scope->token == NULL || strcmp(token, scope->token) != 0)
		return SB_SIG_BAD_TOKEN;
	if (sb_int(key, "ExpiresMs", INT64_MAX) <= now)
		return SB_SIG_EXPIRED;
	if (signed_ms < 0 || strncmp(scope->amz_date, scope->date, 8) != 0)
		return SB_SIG_MALFORMED;
	if (scope->presigned ? now > signed_ms + scope->expires_s * 1000 || signed_ms > now + SKEW_MS
			     : llabs(now - signed_ms) > SKEW_MS)
		return SB_SIG_SKEWED;
	return SB_SIG_OK;
}

enum sb_sig_error sb_sig_verify(json_t **caller, struct buf *detail, struct sb *sb, struct sb_http *http,
				const struct sb_scope *scope, bool s3)
{
	json_t *key = json_object_get(sb->keys, scope->key);
	buf_auto struct buf canonical = BUF_INIT, text = BUF_INIT;
	char payload[80], hash[65], expected[65];
	enum sb_sig_error error;
	bool complete;

	*caller = key;
	if (key == NULL)
		return SB_SIG_UNKNOWN_KEY;
	if ((error = key_check(key, scope)) != SB_SIG_OK)
		return error;
	if (!payload_hash(payload, http, scope, s3))
		return SB_SIG_PAYLOAD;
	buf_addf(&canonical, "%s\n", http->method);
	canonical_path(&canonical, http->path, s3);
	buf_addc(&canonical, '\n');
	canonical_query(&canonical, http->query, scope->presigned);
	buf_addc(&canonical, '\n');
	complete = canonical_headers(&canonical, http, scope->signed_headers) && signs_enough(http, scope);
	buf_addf(&canonical, "\n%s\n%s", scope->signed_headers, payload);
	sb_sha256_hex(hash, canonical.data, canonical.len);
	buf_addf(&text, "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s", scope->amz_date, scope->date, scope->region,
		 scope->service, hash);
	sign(expected, sb_str(key, "Secret", ""), scope, text.data);
	if (complete && CRYPTO_memcmp(expected, scope->signature, 64) == 0)
		return SB_SIG_OK;
	buf_addf(detail,
		 "\n\nThe Canonical String for this request should have been\n'%s'\n\nThe String-to-Sign should have "
		 "been\n'%s'\n",
		 canonical.data, text.data);
	return SB_SIG_MISMATCH;
}
