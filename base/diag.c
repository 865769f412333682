/* See diag.h. */
#include "base/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void diag_free(struct diag *d)
{
	for (size_t i = 0; i < d->count; i++) {
		free(d->items[i].file);
		free(d->items[i].json_path);
		free(d->items[i].text);
	}
	free(d->items);
	*d = (struct diag)DIAG_INIT;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool item_matches(const struct diag_item *item, const struct diag_item *other)
{
	return item->level == other->level && item->line == other->line && item->column == other->column &&
	       strcmp(item->text, other->text) == 0 && same_text(item->file, other->file) &&
	       same_text(item->json_path, other->json_path);
}

/* The same finding comes back once for each of hundreds of targets; a page with it once is what a person can use. */
static struct diag_item *diag_find(struct diag *d, const struct diag_item *wanted)
{
	for (size_t i = 0; i < d->count; i++)
		if (item_matches(&d->items[i], wanted))
			return &d->items[i];
	return NULL;
}

static void diag_vadd(struct diag *d, enum diag_level level, const struct diag_place *place, const char *format,
		      va_list args)
{
	struct diag_item item = {.level = level, .times = 1};
	struct diag_item *known;

	if (vasprintf(&item.text, format, args) < 0)
		item.text = mem_strdup("out of memory while writing a message");
	if (place != NULL) {
		item.file = mem_strdup(place->file);
		item.json_path = mem_strdup(place->json_path);
		item.line = place->line;
		item.column = place->column;
	}
	if (level == DIAG_ERROR)
		d->errors++;
	known = diag_find(d, &item);
	if (known == NULL && d->count < DIAG_KEPT_MAX) {
		d->items = mem_resize(d->items, d->count + 1, sizeof *d->items);
		d->items[d->count++] = item;
		return;
	}
	if (known != NULL)
		known->times++;
	else
		d->dropped++;
	free(item.file);
	free(item.json_path);
	free(item.text);
}

void diag_at(struct diag *d, enum diag_level level, const struct diag_place *place, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diag_vadd(d, level, place, format, args);
	va_end(args);
}

int diag_error(struct diag *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diag_vadd(d, DIAG_ERROR, NULL, format, args);
	va_end(args);
	return -1;
}

void diag_warning(struct diag *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diag_vadd(d, DIAG_WARNING, NULL, format, args);
	va_end(args);
}

void diag_note(struct diag *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diag_vadd(d, DIAG_NOTE, NULL, format, args);
	va_end(args);
}

static void print_item(const struct diag_item *item, FILE *out, bool color)
{
	static const char *const labels[] = {"error: ", "warning: ", "note: "};
	static const char *const colors[] = {"\033[31m", "\033[33m", "\033[36m"};

	/* An error with a place reads like a compiler's message; the word "error" would only be in the way. */
	if (item->file != NULL) {
		fprintf(out, "%s:", item->file);
		if (item->line > 0)
			fprintf(out, "%d:%d:", item->line, item->column);
		fputc(' ', out);
	}
	if (item->file == NULL || item->level != DIAG_ERROR)
		fprintf(out, "%s%s%s", color ? colors[item->level] : "", labels[item->level], color ? "\033[0m" : "");
	if (item->json_path != NULL && item->json_path[0] != '\0')
		fprintf(out, "%s: ", item->json_path);
	fputs(item->text, out);
	if (item->times > 1 && item->file != NULL)
		fprintf(out, " (%zu times)", item->times);
	fputc('\n', out);
}

void diag_print(const struct diag *d, FILE *out, bool color)
{
	static const enum diag_level order[] = {DIAG_NOTE, DIAG_WARNING, DIAG_ERROR};

	for (size_t k = 0; k < sizeof order / sizeof *order; k++)
		for (size_t i = 0; i < d->count; i++)
			if (d->items[i].level == order[k])
				print_item(&d->items[i], out, color);
	if (d->dropped > 0)
		fprintf(out, "... and %zu more messages\n", d->dropped);
}

const char *diag_first_error(const struct diag *d)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->items[i].level == DIAG_ERROR)
			return d->items[i].text;
	return "";
}
