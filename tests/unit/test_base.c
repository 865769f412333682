/* base: text, JSON documents and their places, diagnostics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

static void glob_matches_whole_words(void **state)
{
	(void)state;
	assert_true(text_glob("*", ""));
	assert_true(text_glob("ap-*", "ap-northeast-1"));
	assert_true(text_glob("*-1", "ap-northeast-1"));
	assert_true(text_glob("a?p*p", "abp-xp"));
	assert_false(text_glob("ap-*", "eu-ap-1"));
	assert_false(text_glob("", "x"));
	assert_true(text_glob("**a*b", "xxaxxab"));
	assert_false(text_glob("a*b", "ac"));
}

static void nearest_finds_what_was_meant(void **state)
{
	static const char *const names[] = {"S3BucketName", "S3KeyPrefix", "TrailName"};

	(void)state;
	assert_string_equal(text_nearest("S3Bucket", names, 3), "S3BucketName");
	assert_string_equal(text_nearest("trailname", names, 3), "TrailName");
	assert_string_equal(text_nearest("TrialName", names, 3), "TrailName");
	assert_null(text_nearest("Completely", names, 3));
}

static void base64_goes_both_ways(void **state)
{
	static const char *const words[] = {"", "f", "fo", "foo", "foob"};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		buf_auto struct buf coded = BUF_INIT, plain = BUF_INIT;

		text_base64(&coded, words[i], strlen(words[i]));
		assert_int_equal(text_base64_decode(&plain, buf_str(&coded), coded.len), 0);
		assert_string_equal(buf_str(&plain), words[i]);
	}
	buf_auto struct buf none = BUF_INIT;
	assert_int_equal(text_base64_decode(&none, "abc", 3), -1);
	assert_int_equal(text_base64_decode(&none, "a!c=", 4), -1);
}

static void times_are_read_and_written(void **state)
{
	char shown[32];
	int64_t ms;

	(void)state;
	assert_int_equal(text_time_parse(&ms, "2015-08-30T12:36:00Z"), 0);
	text_time(shown, sizeof shown, ms);
	assert_string_equal(shown, "2015-08-30T12:36:00Z");
	assert_int_equal(text_time_parse(&ms, "2015-08-30T14:36:00.250+02:00"), 0);
	assert_int_equal(ms % 1000, 250);
	text_time(shown, sizeof shown, ms);
	assert_string_equal(shown, "2015-08-30T12:36:00Z");
	assert_int_equal(text_time_parse(&ms, "yesterday"), -1);
	assert_int_equal(text_time_parse(&ms, "2015-08-30T14:36:00"), -1);
}

static void files_are_replaced_whole(void **state)
{
	char path[] = "/tmp/muster-test-XXXXXX";
	buf_auto struct buf text = BUF_INIT;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(text_file_write(path, "one", 3, 0600), 0);
	assert_int_equal(text_file_write(path, "three", 5, 0600), 0);
	assert_int_equal(text_file_read(&text, path, 100), 0);
	assert_string_equal(buf_str(&text), "three");
	buf_clear(&text);
	assert_int_equal(text_file_read(&text, path, 2), -EFBIG);
	assert_int_equal(text_file_read(&text, "/tmp", 2), -EISDIR);
	unlink(path);
	assert_int_equal(text_file_read(&text, path, 2), -ENOENT);
	assert_int_equal(text_file_write("/nonexistent/x", "", 0, 0600), -ENOENT);
}

static void files_are_written_piece_by_piece(void **state)
{
	char folder[] = "/tmp/muster-test-XXXXXX";
	buf_auto struct buf text = BUF_INIT;
	struct text_file file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	mem_auto_str char *path = mem_printf("%s/file", folder), *missing = mem_printf("%s/none/file", folder);
	assert_int_equal(text_file_start(&file, path, 0600), 0);
	for (int i = 0; i < 30000; i++)
		text_file_add(&file, "seven b", 7);
	assert_int_equal(file.len, 210000);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(text_file_finish(&file), 0);
	assert_int_equal(text_file_read(&text, path, 210000), 0);
	assert_int_equal(text.len, 210000);
	for (size_t i = 0; i < text.len; i += 7)
		assert_memory_equal(text.data + i, "seven b", 7);
	/* Given up: what was there stays, and nothing else. */
	assert_int_equal(text_file_start(&file, path, 0600), 0);
	text_file_add(&file, "x", 1);
	text_file_drop(&file);
	assert_int_equal(text_file_read(&text, path, 210000), 0);
	assert_int_equal(text.len, 420000);
	assert_int_equal(text_file_start(&file, missing, 0600), -ENOENT);
	text_file_add(&file, buf_str(&text), text.len);
	assert_int_equal(text_file_finish(&file), -ENOENT);
	unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

/* Somebody who may write into the folder cannot have the bytes go elsewhere. */
static void a_file_is_not_written_through_a_link(void **state)
{
	char folder[] = "/tmp/muster-test-XXXXXX";
	buf_auto struct buf text = BUF_INIT;
	struct stat facts;
	mode_t before = umask(022);

	(void)state;
	assert_non_null(mkdtemp(folder));
	mem_auto_str char *path = mem_printf("%s/file", folder), *victim = mem_printf("%s/victim", folder);
	mem_auto_str char *planted = mem_printf("%s.%ld.tmp", path, (long)getpid());

	assert_int_equal(symlink(victim, planted), 0);
	assert_int_equal(symlink(victim, path), 0);
	assert_int_equal(text_file_write(path, "one", 3, 0600), 0);
	assert_int_equal(access(victim, F_OK), -1);
	assert_int_equal(lstat(path, &facts), 0);
	assert_int_equal(facts.st_mode, S_IFREG | 0600);
	assert_int_equal(text_file_write(path, "two", 3, 0666), 0);
	assert_int_equal(lstat(path, &facts), 0);
	assert_int_equal(facts.st_mode, S_IFREG | 0644);
	umask(before);
	unlink(path);
	unlink(planted);
	assert_int_equal(rmdir(folder), 0);
}

/* Nothing else is put in the place of what cannot be written. */
static void what_cannot_be_written_ends_the_program(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		buf_auto struct buf text = BUF_INIT;
		json_t *outer = json_array(), *inner = json_array();

		signal(SIGABRT, SIG_DFL);
		fclose(stderr);
		json_array_append(outer, inner);
		json_array_append(inner, outer);
		json_canonical(&text, outer);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static struct json_doc *parse(const char *text, struct diag *d)
{
	struct json_doc *doc = NULL;

	json_doc_parse(&doc, "x.json", text, strlen(text), d);
	return doc;
}

static void places_are_found_by_path(void **state)
{
	struct diag d = DIAG_INIT;
	struct json_doc *doc = parse("{\n  \"a\": [1, {\"b\\u0063\": true}],\n  \"c\": {}\n}\n", &d);
	const struct json_path *item = JSON_PATH_ITEM(JSON_PATH_KEY(NULL, "a"), 1);
	buf_auto struct buf shown = BUF_INIT;
	int line, column;

	(void)state;
	assert_non_null(doc);
	json_doc_locate(doc, JSON_PATH_KEY(item, "bc"), false, &line, &column);
	assert_int_equal(line, 2);
	assert_int_equal(column, 24);
	json_doc_locate(doc, JSON_PATH_KEY(item, "bc"), true, &line, &column);
	assert_int_equal(column, 13);
	/* What is not there is shown at its nearest ancestor. */
	json_doc_locate(doc, JSON_PATH_KEY(JSON_PATH_KEY(NULL, "c"), "missing"), false, &line, &column);
	assert_int_equal(line, 3);
	assert_int_equal(column, 3);
	json_path_print(&shown, JSON_PATH_KEY(item, "bc"));
	assert_string_equal(buf_str(&shown), "a[1].bc");
	json_doc_free(doc);
	diag_free(&d);
}

static void every_duplicate_key_is_reported(void **state)
{
	struct diag d = DIAG_INIT;

	(void)state;
	assert_null(parse("{\"a\": 1, \"b\": {\"x\": 1, \"x\": 2},\n\"a\": [{\"y\":1,\"y\":2}]}", &d));
	assert_int_equal(d.errors, 3);
	assert_string_equal(d.items[0].text, "duplicate key \"x\"");
	assert_int_equal(d.items[0].line, 1);
	assert_int_equal(d.items[0].column, 24);
	diag_free(&d);
}

static void bad_syntax_has_a_place(void **state)
{
	struct diag d = DIAG_INIT;

	(void)state;
	assert_null(parse("{\"a\": \n  nope}", &d));
	assert_int_equal(d.items[0].line, 2);
	assert_null(parse("{\"a\": \"", &d));
	assert_null(parse("", &d));
	assert_null(parse("\"\\", &d));
	diag_free(&d);
}

/* What is wrong in words, where a person would put the finger. */
static void bad_syntax_is_explained(void **state)
{
	static const struct {
		const char *text;
		int line, column;
		const char *message;
	} cases[] = {
	    {"", 1, 1, "the file is empty"},
	    {" \n ", 1, 1, "the file is empty"},
	    {"\xef\xbb\xbf{}", 1, 1, "begins with a byte order mark; save it as UTF-8 without one"},
	    {"{", 1, 2, "the file ends inside the object that begins at 1:1"},
	    {"{\n \"a\": [1,\n", 3, 1, "the file ends inside the list that begins at 2:7"},
	    {"{\"a\"", 1, 5, "the file ends inside the object that begins at 1:1"},
	    {"{\"a\": 1\n \"Resources\": 2}", 2, 2, "a comma is missing before \"Resources\""},
	    {"[1 2]", 1, 4, "a comma is missing before 2"},
	    {"{\"a\": 1,\n}", 1, 8, "a comma before \"}\": the last one has none"},
	    {"[[], ]", 1, 4, "a comma before \"]\": the last one has none"},
	    {"{\"a\" 1}", 1, 6, "\":\" is missing after the key \"a\""},
	    {"{a: 1}", 1, 2, "expected a key in double quotes, found a"},
	    {"{\"a\": yes}", 1, 7, "expected a value, found yes"},
	    {"{\"a\": }", 1, 7, "expected a value, found }"},
	    {"['a']", 1, 2, "a string stands in double quotes"},
	    {"[1, // one\n 2]", 1, 5, "JSON has no comments"},
	    {"{\"a\": \"b\n}", 1, 7, "the string is not closed by \" on its line"},
	    {"{\"a\": [1}", 1, 9, "\"}\" inside the list that begins at 1:7"},
	    {"{\"a\": {}]", 1, 9, "\"]\" inside the object that begins at 1:1"},
	    {"{} {}", 1, 4, "the document ended before {"},
	    /* jansson's own words: what is wrong stands before the comma that is missing. */
	    {"[01 2]", 1, 0, "'0'"},
	    {"[\"\\x\" 2]", 1, 0, "escape"},
	    {"\"", 1, 1, "the string is not closed by \" on its line"},
	    {"\"\\", 1, 1, "the string is not closed by \" on its line"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct diag d = DIAG_INIT;

		assert_null(parse(cases[i].text, &d));
		assert_int_equal(d.count, 1);
		if (strstr(d.items[0].text, cases[i].message) == NULL || d.items[0].line != cases[i].line ||
		    (cases[i].column > 0 && d.items[0].column != cases[i].column))
			fail_msg("%s: %d:%d: %s", cases[i].text, d.items[0].line, d.items[0].column, d.items[0].text);
		diag_free(&d);
	}
}

static void depth_and_size_are_bounded(void **state)
{
	struct diag d = DIAG_INIT;
	char *deep = mem_alloc(10001);
	struct json_doc *doc;

	(void)state;
	memset(deep, '[', 10000);
	assert_null(parse(deep, &d));
	assert_string_equal(diag_first_error(&d), "nested deeper than 200 levels");
	free(deep);
	char *large = mem_alloc((size_t)JSON_DOC_MAX_BYTES + 2);
	assert_int_equal(json_doc_parse(&doc, "x", large, (size_t)JSON_DOC_MAX_BYTES + 1, &d), -1);
	free(large);
	assert_int_equal(json_doc_load(&doc, "/nonexistent", NULL, &d), -1);
	diag_free(&d);
}

static void the_same_message_is_kept_once(void **state)
{
	struct diag_place place = {.file = "a.json", .line = 3, .column = 1};
	struct diag d = DIAG_INIT;

	(void)state;
	for (int i = 0; i < 5; i++)
		diag_at(&d, DIAG_ERROR, &place, "wrong");
	diag_error(&d, "wrong");
	assert_int_equal(d.count, 2);
	assert_int_equal(d.items[0].times, 5);
	assert_int_equal(d.errors, 6);
	for (int i = 0; i < DIAG_KEPT_MAX + 10; i++)
		diag_error(&d, "number %d", i);
	assert_int_equal(d.count, DIAG_KEPT_MAX);
	assert_int_equal(d.dropped, 12);
	diag_free(&d);
}

static void canonical_form_has_one_spelling(void **state)
{
	json_auto_t *a = json_loads("{\"b\": [1, 2], \"a\": \"x\"}", 0, NULL);
	json_auto_t *b = json_loads("{\"a\":\"x\",\n\"b\":[1,2]}", 0, NULL);
	uint8_t one[32], two[32];
	buf_auto struct buf text = BUF_INIT;

	(void)state;
	json_digest(one, a);
	json_digest(two, b);
	assert_memory_equal(one, two, 32);
	json_canonical(&text, a);
	assert_string_equal(buf_str(&text), "{\"a\":\"x\",\"b\":[1,2]}");
}

/* Digests in states and plan files rest on it. */
static void canonical_form_is_as_jansson_spells_it(void **state)
{
	json_auto_t *all =
	    json_pack("{s:[n, b, b, i, I, I, f, f, f, f], s:{}, s:[], s:{s:s, s:s}}", "numbers", 1, 0, 0,
		      (json_int_t)INT64_MAX, (json_int_t)INT64_MIN, 0.1, -1e300, 3.0, 1e-7, "object", "list", "texts",
		      "", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 / \x7f", "\"\\", "\b\f\n\r\t\v\x01\x1f");
	json_t *many = json_object();
	uint8_t one[32], two[32];
	buf_auto struct buf text = BUF_INIT;

	(void)state;
	json_object_set_new(json_object_get(all, "texts"), "nul", json_stringn("a\0b", 3));
	for (int i = 0; i < 5000; i++) {
		char key[16];

		snprintf(key, sizeof key, "%d", i * 7919 % 5000);
		json_object_set_new(many, key, json_sprintf("value %d", i));
	}
	json_object_set_new(all, "many", many);
	mem_auto_str char *want = json_dumps(all, JSON_SORT_KEYS | JSON_COMPACT);
	json_canonical(&text, all);
	assert_string_equal(buf_str(&text), want);
	text_sha256(one, want, strlen(want));
	json_digest(two, all);
	assert_memory_equal(one, two, 32);
	buf_clear(&text);
	json_canonical(&text, NULL);
	assert_string_equal(buf_str(&text), "null");
	json_digest(two, NULL);
	text_sha256(one, "null", 4);
	assert_memory_equal(one, two, 32);
}

static void map_keeps_and_forgets(void **state)
{
	struct map map = MAP_INIT;
	char key[32];

	(void)state;
	assert_null(map_get(&map, "none"));
	for (intptr_t i = 1; i <= 5000; i++) {
		snprintf(key, sizeof key, "key-%zd", (ssize_t)i);
		assert_null(map_set(&map, key, (void *)i));
	}
	for (intptr_t i = 1; i <= 5000; i += 2) {
		snprintf(key, sizeof key, "key-%zd", (ssize_t)i);
		assert_ptr_equal(map_remove(&map, key), (void *)i);
	}
	for (intptr_t i = 1; i <= 5000; i++) {
		snprintf(key, sizeof key, "key-%zd", (ssize_t)i);
		assert_int_equal(map_has(&map, key), i % 2 == 0);
		assert_ptr_equal(map_get(&map, key), i % 2 == 0 ? (void *)i : NULL);
	}
	assert_int_equal(map.live, 2500);
	assert_ptr_equal(map_set(&map, "key-2", &map), (void *)2);
	for (int i = 0; i < 10000; i++) {
		map_set(&map, "again", &map);
		map_remove(&map, "again");
	}
	assert_int_equal(map.live, 2500);
	map_free(&map, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(glob_matches_whole_words),
	    cmocka_unit_test(nearest_finds_what_was_meant),
	    cmocka_unit_test(base64_goes_both_ways),
	    cmocka_unit_test(times_are_read_and_written),
	    cmocka_unit_test(files_are_replaced_whole),
	    cmocka_unit_test(files_are_written_piece_by_piece),
	    cmocka_unit_test(a_file_is_not_written_through_a_link),
	    cmocka_unit_test(what_cannot_be_written_ends_the_program),
	    cmocka_unit_test(places_are_found_by_path),
	    cmocka_unit_test(every_duplicate_key_is_reported),
	    cmocka_unit_test(bad_syntax_has_a_place),
	    cmocka_unit_test(bad_syntax_is_explained),
	    cmocka_unit_test(depth_and_size_are_bounded),
	    cmocka_unit_test(the_same_message_is_kept_once),
	    cmocka_unit_test(canonical_form_has_one_spelling),
	    cmocka_unit_test(canonical_form_is_as_jansson_spells_it),
	    cmocka_unit_test(map_keeps_and_forgets),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
