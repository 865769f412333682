/* What many operations share when they answer: pages of lists, words, ids in the form of UUIDs. */
#include "tests/sandbox/sandbox.h"

#include <stdlib.h>
#include <string.h>

int sb_page_answer(struct sb_call *c, const struct sb_paging *how, json_t *all,
		   json_t *(*row)(struct sb_call *call, json_t *item))
{
	int64_t limit = how->limit == NULL ? how->most : sb_int(c->in, how->limit, how->most);
	mem_auto_str char *next = NULL;
	json_t *page = sb_page(&next, all, how->token == NULL ? NULL : sb_str(c->in, how->token, NULL),
			       limit < 1 ? (size_t)how->most : (size_t)limit);
	json_t *list, *name;
	size_t i;

	if (page == NULL)
		return sb_fail(c, 400, how->invalid, "The token %s is not valid.", sb_str(c->in, how->token, ""));
	list = json_array();
	if (c->out == NULL)
		c->out = json_object();
	json_object_set_new(c->out, how->key, list);
	json_array_foreach(page, i, name)
	{
		json_array_append_new(list, row == NULL ? json_incref(name)
							: row(c, json_object_get(all, json_string_value(name))));
	}
	json_decref(page);
	if (next != NULL && how->to != NULL)
		json_object_set_new(c->out, how->to, json_string(next));
	return 0;
}

static json_t *tag_row(struct sb_call *c, json_t *tag)
{
	(void)c;
	return json_incref(tag);
}

int sb_tags_answer(struct sb_call *c, const struct sb_paging *how, json_t *tags, const char *key, const char *value)
{
	json_t *rows = json_object(), *text;
	const char *name;
	int result;

	json_object_foreach(tags, name, text)
	    json_object_set_new(rows, name, json_pack("{s:s,s:O}", key, name, value, text));
	result = sb_page_answer(c, how, rows, tag_row);
	json_decref(rows);
	return result;
}

bool sb_one_of(const char *words, const char *text)
{
	size_t want = strlen(text);

	while (*words != '\0') {
		size_t len = strcspn(words, " ");

		if (len == want && strncmp(words, text, len) == 0)
			return true;
		words += len + (words[len] == ' ');
	}
	return false;
}

char *sb_id_uuid(struct sb_call *c)
{
	mem_auto_str char *raw = sb_id(c, "", 32, "0123456789abcdef");

	return mem_printf("%.8s-%.4s-4%.3s-a%.3s-%.12s", raw, raw + 8, raw + 13, raw + 17, raw + 20);
}
