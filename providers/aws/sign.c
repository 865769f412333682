/* AWS Signature Version 4 in the Authorization header, as "Create a signed AWS API request" in the IAM User Guide has
 * it: canonical request, string to sign, derived key, signature. Not for presigned URLs or streamed bodies. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/aws.h"

#define ALGORITHM    "AWS4-HMAC-SHA256"
#define KEY_SLOTS    64 /* derived keys kept for one set of credentials: (region, service) pairs in use at a time */
#define HEADERS_MAX  64
#define QUERY_MAX    256
#define SHA256_HEX   65
#define DATE_LEN     8  /* 20150830 */
#define TIME_SIZE    17 /* 20150830T123600Z */
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct aws_sign_key {
	char date[DATE_LEN + 1];
	char *region, *service;
	uint8_t key[32];
};

struct aws_sign_keys {
	struct aws_sign_key *slots[KEY_SLOTS];
};

/* One signing, as it proceeds. */
struct signing {
	struct aws_wire *wire;
	const struct aws_sign_request *request;
	char time[TIME_SIZE];
	char payload_hash[SHA256_HEX];
	struct buf scope, signed_headers, canonical, to_sign;
};

/* -- Derived keys -------------------------------------------------------------------------------------------------- */

struct aws_sign_keys *aws_sign_keys_new(void)
{
	return mem_alloc(sizeof(struct aws_sign_keys));
}

static void key_free(struct aws_sign_key *key)
{
	if (key == NULL)
		return;
	free(key->region);
	free(key->service);
	mem_wipe(key, sizeof *key);
	free(key);
}

void aws_sign_keys_free(struct aws_sign_keys *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < KEY_SLOTS; i++)
		key_free(keys->slots[i]);
	free(keys);
}

static size_t key_slot(const char *region, const char *service)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *region != '\0'; region++)
		hash = (hash ^ (uint8_t)*region) * 16777619u;
	for (; *service != '\0'; service++)
		hash = (hash ^ (uint8_t)*service) * 16777619u;
	return hash % KEY_SLOTS;
}

static void key_derive(uint8_t out[32], const struct aws_sign_request *request, const char *date)
{
	mem_auto_str char *secret = mem_printf("AWS4%s", request->credentials->secret_access_key);
	size_t len = strlen(secret);

	text_hmac_sha256(out, secret, len, date, DATE_LEN);
	text_hmac_sha256(out, out, 32, request->region, strlen(request->region));
	text_hmac_sha256(out, out, 32, request->service, strlen(request->service));
	text_hmac_sha256(out, out, 32, "aws4_request", strlen("aws4_request"));
	mem_wipe(secret, len);
}

static void key_find(uint8_t out[32], const struct aws_sign_request *request, const char *date)
{
	struct aws_sign_key **slot, *key;

	if (request->keys == NULL) {
		key_derive(out, request, date);
		return;
	}
	slot = &request->keys->slots[key_slot(request->region, request->service)];
	key = *slot;
	if (key == NULL || memcmp(key->date, date, DATE_LEN) != 0 || strcmp(key->region, request->region) != 0 ||
	    strcmp(key->service, request->service) != 0) {
		key_free(key);
		key = *slot = mem_alloc(sizeof *key);
		memcpy(key->date, date, DATE_LEN);
		key->region = mem_strdup(request->region);
		key->service = mem_strdup(request->service);
		key_derive(key->key, request, date);
	}
	memcpy(out, key->key, 32);
}

/* -- Canonical path ------------------------------------------------------------------------------------------------ */

/* RFC 3986 dot segments and doubled slashes go. Adds to `out`. */
static void path_normalise(struct buf *out, const char *path)
{
	buf_addc(out, '/');
	while (*path != '\0') {
		size_t len;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 2 && memcmp(path, "..", 2) == 0) {
			size_t at = out->len > 1 ? out->len - 1 : 1;

			while (at > 1 && out->data[at - 1] != '/')
				at--;
			buf_truncate(out, at);
		} else if (len > 0 && !(len == 1 && path[0] == '.')) {
			buf_add(out, path, len);
			if (path[len] == '/')
				buf_addc(out, '/');
		}
		path += len;
	}
}

static void add_path(struct signing *s)
{
	const char *path = s->wire->path != NULL && s->wire->path[0] != '\0' ? s->wire->path : "/";
	buf_auto struct buf plain = BUF_INIT;

	if (s->request->s3) {
		buf_adds(&s->canonical, path);
		return;
	}
	if (s->request->normalize)
		path_normalise(&plain, path);
	else
		buf_adds(&plain, path);
	/* What the wire has encoded once is encoded a second time: the services do so too, all but S3. */
	text_uri_encode(&s->canonical, buf_str(&plain), plain.len, true);
}

/* -- Canonical query ----------------------------------------------------------------------------------------------- */

/* Decodes %XX and encodes again, so that every spelling of a character ends up the same. */
static char *query_part(const char *s, size_t len)
{
	struct buf plain = BUF_INIT, encoded = BUF_INIT;

	for (size_t i = 0; i < len; i++) {
		uint8_t byte;

		if (s[i] == '%' && i + 2 < len && text_hex_decode(&byte, 1, (char[3]){s[i + 1], s[i + 2], 0}) == 0) {
			buf_addc(&plain, (char)byte);
			i += 2;
		} else {
			buf_addc(&plain, s[i]);
		}
	}
	text_uri_encode(&encoded, buf_str(&plain), plain.len, false);
	buf_free(&plain);
	return buf_detach(&encoded);
}

struct parameter {
	char *name, *value;
};

static int parameter_compare(const void *a, const void *b)
{
	const struct parameter *p = a, *q = b;
	int order = strcmp(p->name, q->name);

	return order != 0 ? order : strcmp(p->value, q->value);
}

static int add_query(struct signing *s, struct diag *d)
{
	struct parameter parameters[QUERY_MAX];
	const char *at = s->wire->query;
	size_t count = 0;

	while (at != NULL && *at != '\0') {
		size_t len = strcspn(at, "&"), name_len = strcspn(at, "=&");

		if (count == QUERY_MAX)
			break;
		if (len > 0) {
			size_t value_at = name_len < len ? name_len + 1 : len;

			parameters[count].name = query_part(at, name_len);
			parameters[count++].value = query_part(at + value_at, len - value_at);
		}
		at += len;
		at += *at == '&';
	}
	qsort(parameters, count, sizeof parameters[0], parameter_compare);
	for (size_t i = 0; i < count; i++) {
		buf_addf(&s->canonical, "%s%s=%s", i > 0 ? "&" : "", parameters[i].name, parameters[i].value);
		free(parameters[i].name);
		free(parameters[i].value);
	}
	if (at != NULL && *at != '\0')
		return diag_error(d, "a request with more than %d query parameters cannot be signed", QUERY_MAX);
	return 0;
}

/* -- Canonical headers --------------------------------------------------------------------------------------------- */

/* Proxies may change these on the way. */
static bool header_is_signed(const char *name)
{
	static const char *const unsigned_headers[] = {"authorization", "connection",        "expect",
						       "user-agent",    "transfer-encoding", "x-amzn-trace-id"};

	for (size_t i = 0; i < sizeof unsigned_headers / sizeof unsigned_headers[0]; i++) {
		if (strcasecmp(name, unsigned_headers[i]) == 0)
			return false;
	}
	return true;
}

static int header_compare(const void *a, const void *b)
{
	const struct aws_header *const *p = a, *const *q = b;
	int order = strcasecmp((*p)->name, (*q)->name);

	/* Equal names keep their order, which is their order in memory (qsort is not stable). */
	return order != 0 ? order : (*p > *q) - (*p < *q);
}

/* Without spaces around, and one where there were more. */
static void add_header_value(struct buf *out, const char *value)
{
	bool space = false, some = false;

	for (; *value != '\0'; value++) {
		if (isspace((unsigned char)*value)) {
			space = true;
			continue;
		}
		if (space && some)
			buf_addc(out, ' ');
		buf_addc(out, *value);
		space = false;
		some = true;
	}
}

static void add_header(struct signing *s, const struct aws_header *header, const char *before)
{
	bool again = before != NULL && strcasecmp(before, header->name) == 0;

	if (again) {
		buf_truncate(&s->canonical, s->canonical.len - 1);
		buf_addc(&s->canonical, ',');
	} else {
		if (s->signed_headers.len > 0)
			buf_addc(&s->signed_headers, ';');
		for (const char *c = header->name; *c != '\0'; c++) {
			buf_addc(&s->canonical, (char)tolower((unsigned char)*c));
			buf_addc(&s->signed_headers, (char)tolower((unsigned char)*c));
		}
		buf_addc(&s->canonical, ':');
	}
	add_header_value(&s->canonical, header->value);
	buf_addc(&s->canonical, '\n');
}

static int add_headers(struct signing *s, struct diag *d)
{
	struct aws_header host = {.name = (char *)"host", .value = (char *)s->request->host};
	const struct aws_header *sorted[HEADERS_MAX];
	size_t count = 0;

	sorted[count++] = &host;
	for (size_t i = 0; i < s->wire->header_count; i++) {
		const struct aws_header *header = &s->wire->headers[i];

		if (!header_is_signed(header->name) || strcasecmp(header->name, "host") == 0)
			continue;
		if (count == HEADERS_MAX)
			return diag_error(d, "a request with more than %d headers cannot be signed", HEADERS_MAX);
		sorted[count++] = header;
	}
	qsort(sorted, count, sizeof sorted[0], header_compare);
	for (size_t i = 0; i < count; i++)
		add_header(s, sorted[i], i > 0 ? sorted[i - 1]->name : NULL);
	return 0;
}

/* -- The steps ----------------------------------------------------------------------------------------------------- */

/* A wire that is sent again still has the headers of its last signature. */
static void wire_strip(struct aws_wire *wire)
{
	static const char *const ours[] = {"Authorization", "X-Amz-Date", "X-Amz-Security-Token",
					   "X-Amz-Content-Sha256"};
	size_t kept = 0;

	for (size_t i = 0; i < wire->header_count; i++) {
		struct aws_header header = wire->headers[i];
		bool drop = false;

		for (size_t j = 0; j < sizeof ours / sizeof ours[0]; j++)
			drop = drop || strcasecmp(header.name, ours[j]) == 0;
		if (drop) {
			free(header.name);
			free(header.value);
		} else {
			wire->headers[kept++] = header;
		}
	}
	wire->header_count = kept;
}

static void hash_hex(char out[SHA256_HEX], const void *bytes, size_t len)
{
	uint8_t hash[32];

	if (len == 0) {
		memcpy(out, EMPTY_SHA256, SHA256_HEX);
		return;
	}
	text_sha256(hash, bytes, len);
	text_hex(out, hash, sizeof hash);
}

static void add_own_headers(struct signing *s)
{
	const struct aws_sign_request *request = s->request;
	time_t seconds = (time_t)(request->unix_ms / 1000);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(s->time, sizeof s->time, "%Y%m%dT%H%M%SZ", &utc);
	hash_hex(s->payload_hash, s->wire->body, s->wire->body_len);
	wire_strip(s->wire);
	aws_wire_header(s->wire, "X-Amz-Date", s->time);
	if (request->s3)
		aws_wire_header(s->wire, "X-Amz-Content-Sha256", s->payload_hash);
	if (request->credentials->session_token != NULL && !request->omit_session_token)
		aws_wire_header(s->wire, "X-Amz-Security-Token", request->credentials->session_token);
}

static int make_canonical_request(struct signing *s, struct diag *d)
{
	buf_addf(&s->canonical, "%s\n", s->wire->method);
	add_path(s);
	buf_addc(&s->canonical, '\n');
	if (add_query(s, d) < 0)
		return -1;
	buf_addc(&s->canonical, '\n');
	if (add_headers(s, d) < 0)
		return -1;
	buf_addf(&s->canonical, "\n%s\n%s", buf_str(&s->signed_headers), s->payload_hash);
	return 0;
}

static void make_string_to_sign(struct signing *s)
{
	char hash[SHA256_HEX];

	hash_hex(hash, buf_str(&s->canonical), s->canonical.len);
	buf_addf(&s->scope, "%.*s/%s/%s/aws4_request", DATE_LEN, s->time, s->request->region, s->request->service);
	buf_addf(&s->to_sign, ALGORITHM "\n%s\n%s\n%s", s->time, buf_str(&s->scope), hash);
}

static void add_authorization(struct signing *s)
{
	const struct aws_credentials *credentials = s->request->credentials;
	uint8_t key[32], signature[32];
	char hex[SHA256_HEX];
	buf_auto struct buf header = BUF_INIT;

	key_find(key, s->request, s->time);
	text_hmac_sha256(signature, key, sizeof key, buf_str(&s->to_sign), s->to_sign.len);
	text_hex(hex, signature, sizeof signature);
	mem_wipe(key, sizeof key);
	buf_addf(&header, ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s", credentials->access_key_id,
		 buf_str(&s->scope), buf_str(&s->signed_headers), hex);
	aws_wire_header(s->wire, "Authorization", buf_str(&header));
	if (credentials->session_token != NULL && s->request->omit_session_token)
		aws_wire_header(s->wire, "X-Amz-Security-Token", credentials->session_token);
}

int aws_sign(struct aws_wire *wire, const struct aws_sign_request *request, char **canonical, char **string_to_sign,
	     struct diag *d)
{
	struct signing s = {.wire = wire, .request = request};
	int result;

	add_own_headers(&s);
	result = make_canonical_request(&s, d);
	if (result == 0) {
		make_string_to_sign(&s);
		add_authorization(&s);
	}
	if (canonical != NULL)
		*canonical = mem_strdup(buf_str(&s.canonical));
	if (string_to_sign != NULL)
		*string_to_sign = mem_strdup(buf_str(&s.to_sign));
	buf_free(&s.scope);
	buf_free(&s.signed_headers);
	buf_free(&s.canonical);
	buf_free(&s.to_sign);
	return result;
}
