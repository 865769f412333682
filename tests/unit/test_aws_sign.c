/* Signature Version 4 against what other signers made of the same requests: tests/vectors/sigv4.json (made with
 * botocore's signer), and AWS's own suite where it is at hand (MUSTER_VECTORS). */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/aws.h"

static const char *wire_header(const struct aws_wire *wire, const char *name)
{
	for (size_t i = 0; i < wire->header_count; i++) {
		if (strcasecmp(wire->headers[i].name, name) == 0)
			return wire->headers[i].value;
	}
	return NULL;
}

static char *text_of(const json_t *object, const char *key)
{
	return (char *)json_get_string(object, key);
}

/* -- Our own vectors ----------------------------------------------------------------------------------------------- */

static void wire_from_vector(struct aws_wire *wire, const json_t *vector)
{
	json_t *pair;
	size_t i;

	*wire = (struct aws_wire){.method = mem_strdup(text_of(vector, "method")),
				  .path = mem_strdup(text_of(vector, "path")),
				  .query = mem_strdup(text_of(vector, "query")),
				  .body = mem_strdup(text_of(vector, "body"))};
	wire->body_len = strlen(wire->body);
	json_array_foreach(json_object_get(vector, "headers"), i, pair) aws_wire_header(
	    wire, json_string_value(json_array_get(pair, 0)), json_string_value(json_array_get(pair, 1)));
}

static void check_vector(const json_t *vector, struct aws_sign_keys *keys)
{
	struct aws_credentials credentials = {.access_key_id = text_of(vector, "access_key_id"),
					      .secret_access_key = text_of(vector, "secret_access_key"),
					      .session_token = text_of(vector, "session_token")};
	struct aws_sign_request request = {.credentials = &credentials,
					   .service = text_of(vector, "service"),
					   .region = text_of(vector, "region"),
					   .host = text_of(vector, "host"),
					   .s3 = json_get_bool(vector, "s3", false),
					   .normalize = true,
					   .keys = keys};
	char *canonical = NULL, *to_sign = NULL;
	struct diag d = DIAG_INIT;
	struct aws_wire wire;

	print_message("  %s\n", text_of(vector, "name"));
	assert_int_equal(text_time_parse(&request.unix_ms, text_of(vector, "time")), 0);
	wire_from_vector(&wire, vector);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(aws_sign(&wire, &request, &canonical, &to_sign, &d), 0);
		assert_string_equal(canonical, text_of(vector, "canonical"));
		assert_string_equal(to_sign, text_of(vector, "string_to_sign"));
		assert_string_equal(wire_header(&wire, "Authorization"), text_of(vector, "authorization"));
		free(canonical);
		free(to_sign);
	}
	aws_wire_free(&wire);
	diag_free(&d);
}

static void test_own_vectors_with_and_without_kept_keys_signed_twice(void **state)
{
	json_auto_t *vectors = json_load_file("tests/vectors/sigv4.json", 0, NULL);
	struct aws_sign_keys *keys = aws_sign_keys_new();
	json_t *vector;
	size_t i;

	(void)state;
	assert_true(json_array_size(vectors) > 5);
	json_array_foreach(vectors, i, vector) check_vector(vector, NULL);
	json_array_foreach(vectors, i, vector) check_vector(vector, keys);
	json_array_foreach(vectors, i, vector) check_vector(vector, keys);
	aws_sign_keys_free(keys);
}

/* -- AWS's suite --------------------------------------------------------------------------------------------------- */

static char *suite_read(const char *folder, const char *name, const char *file)
{
	mem_auto_str char *path = mem_printf("%s/%s/%s", folder, name, file);
	struct buf text = BUF_INIT;

	assert_int_equal(text_file_read(&text, path, 1 << 20), 0);
	return buf_detach(&text);
}

/* "Name:value", where a line that starts with a space continues the value above. */
static void suite_header(struct aws_wire *wire, const char *line, char *host, size_t host_size)
{
	size_t name_len = strcspn(line, ":");
	struct aws_header *last = wire->header_count > 0 ? &wire->headers[wire->header_count - 1] : NULL;
	mem_auto_str char *name = mem_strndup(line, name_len);

	if (line[0] == ' ' && last != NULL) {
		char *longer = mem_printf("%s\n%s", last->value, line);

		free(last->value);
		last->value = longer;
	} else if (strcasecmp(name, "Host") == 0) {
		snprintf(host, host_size, "%s", line + name_len + 1);
	} else {
		aws_wire_header(wire, name, line + name_len + 1);
	}
}

static void suite_wire(struct aws_wire *wire, char *text, char *host, size_t host_size)
{
	char *line = text, *end = strchr(line, '\n'), *target, *version;

	*wire = (struct aws_wire){0};
	*end = '\0';
	target = strchr(line, ' ');
	*target++ = '\0';
	version = strrchr(target, ' '); /* a path may hold a space */
	*version = '\0';
	wire->method = mem_strdup(line);
	wire->path = mem_strndup(target, strcspn(target, "?"));
	wire->query = strchr(target, '?') ? mem_strdup(strchr(target, '?') + 1) : NULL;
	for (line = end + 1; *line != '\0' && *line != '\n'; line = end + 1) {
		end = line + strcspn(line, "\n");
		if (*end == '\0') {
			suite_header(wire, line, host, host_size);
			return;
		}
		*end = '\0';
		suite_header(wire, line, host, host_size);
	}
	wire->body = mem_strdup(*line == '\n' ? line + 1 : "");
	wire->body_len = strlen(wire->body);
}

static void suite_check(const char *folder, const char *name)
{
	mem_auto_str char *context_text = suite_read(folder, name, "context.json");
	mem_auto_str char *request_text = suite_read(folder, name, "request.txt");
	mem_auto_str char *canonical = suite_read(folder, name, "header-canonical-request.txt");
	mem_auto_str char *to_sign = suite_read(folder, name, "header-string-to-sign.txt");
	mem_auto_str char *signature = suite_read(folder, name, "header-signature.txt");
	json_auto_t *context = json_loads(context_text, 0, NULL);
	const json_t *keys = json_object_get(context, "credentials");
	struct aws_credentials credentials = {.access_key_id = text_of(keys, "access_key_id"),
					      .secret_access_key = text_of(keys, "secret_access_key"),
					      .session_token = text_of(keys, "token")};
	char host[256] = "", *got_canonical, *got_to_sign;
	struct aws_sign_request request = {.credentials = &credentials,
					   .service = text_of(context, "service"),
					   .region = text_of(context, "region"),
					   .host = host,
					   .s3 = json_get_bool(context, "sign_body", false),
					   .normalize = json_get_bool(context, "normalize", true),
					   .omit_session_token = json_get_bool(context, "omit_session_token", false)};
	struct diag d = DIAG_INIT;
	struct aws_wire wire;

	print_message("  %s\n", name);
	assert_int_equal(text_time_parse(&request.unix_ms, text_of(context, "timestamp")), 0);
	suite_wire(&wire, request_text, host, sizeof host);
	assert_int_equal(aws_sign(&wire, &request, &got_canonical, &got_to_sign, &d), 0);
	assert_string_equal(got_canonical, canonical);
	assert_string_equal(got_to_sign, to_sign);
	assert_non_null(strstr(wire_header(&wire, "Authorization"), signature));
	free(got_canonical);
	free(got_to_sign);
	aws_wire_free(&wire);
	diag_free(&d);
}

static void test_the_suite_of_aws(void **state)
{
	const char *folder = getenv("MUSTER_VECTORS") ? getenv("MUSTER_VECTORS") : "../shared/vectors/sigv4";
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int count = 0;

	(void)state;
	if (dir == NULL) {
		print_message("no vectors in %s (set MUSTER_VECTORS)\n", folder);
		skip();
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		suite_check(folder, entry->d_name);
		count++;
	}
	closedir(dir);
	assert_true(count > 0);
}

/* -- Limits and speed ---------------------------------------------------------------------------------------------- */

static void test_requests_beyond_the_limits_are_refused(void **state)
{
	struct aws_credentials credentials = {.access_key_id = (char *)"A", .secret_access_key = (char *)"S"};
	struct aws_sign_request request = {
	    .credentials = &credentials, .service = "s", .region = "r", .host = "h", .normalize = true};
	struct aws_wire wire = {.method = mem_strdup("GET"), .path = mem_strdup("")};
	struct buf query = BUF_INIT;
	struct diag d = DIAG_INIT;

	(void)state;
	for (int i = 0; i < 300; i++)
		buf_addf(&query, "&p%d=%%4%%zz%%", i);
	wire.query = buf_detach(&query);
	assert_int_equal(aws_sign(&wire, &request, NULL, NULL, &d), -1);
	wire.query[20] = '\0';
	assert_int_equal(aws_sign(&wire, &request, NULL, NULL, &d), 0);
	for (int i = 0; i < 100; i++)
		aws_wire_header(&wire, "X-A", "b");
	assert_int_equal(aws_sign(&wire, &request, NULL, NULL, &d), -1);
	aws_wire_free(&wire);
	diag_free(&d);
}

static void test_signing_is_quick(void **state)
{
	struct aws_credentials credentials = {.access_key_id = (char *)"AKIDEXAMPLE",
					      .secret_access_key = (char *)"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
					      .session_token = (char *)"token"};
	struct aws_sign_request request = {.credentials = &credentials,
					   .service = "sts",
					   .region = "eu-west-1",
					   .host = "sts.eu-west-1.amazonaws.com",
					   .normalize = true,
					   .keys = aws_sign_keys_new()};
	struct aws_wire wire = {.method = mem_strdup("POST"), .path = mem_strdup("/"), .body = mem_strdup("{}")};
	struct diag d = DIAG_INIT;
	int64_t before = loop_wall_ms();

	(void)state;
	wire.body_len = 2;
	aws_wire_header(&wire, "Content-Type", "application/json");
	for (int i = 0; i < 20000; i++)
		assert_int_equal(aws_sign(&wire, &request, NULL, NULL, &d), 0);
	print_message("20,000 signatures in %lld ms\n", (long long)(loop_wall_ms() - before));
	aws_wire_free(&wire);
	aws_sign_keys_free(request.keys);
	diag_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_own_vectors_with_and_without_kept_keys_signed_twice),
	    cmocka_unit_test(test_the_suite_of_aws),
	    cmocka_unit_test(test_requests_beyond_the_limits_are_refused),
	    cmocka_unit_test(test_signing_is_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
