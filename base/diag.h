/* Diagnostics: the messages of a run, collected so that all of them can be shown, not just the first.
 * A function that fails returns a negative number and has added at least one error here.
 * Not for progress or results: those go to the terminal directly. */
#ifndef MUSTER_BASE_DIAG_H
#define MUSTER_BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Errors past this many are counted but not kept: nobody reads more, and input size must not decide memory. */
#define DIAG_KEPT_MAX 1000

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

/* Where a message belongs. Any part may be missing (NULL, 0). The strings are copied by diag_at(). */
struct diag_place {
	const char *file;      /* as the user named it, relative to the spec directory */
	int line, column;      /* from 1; column counts bytes */
	const char *json_path; /* Resources.Trail.Properties */
};

struct diag_item {
	enum diag_level level;
	char *file;
	int line, column;
	char *json_path;
	char *text;
	size_t times; /* how often the very same message was added at the same place */
};

struct diag {
	struct diag_item *items;
	size_t count;
	size_t errors;  /* all errors added, kept or not */
	size_t dropped; /* messages over DIAG_KEPT_MAX */
};

#define DIAG_INIT                                                                                                      \
	{                                                                                                              \
		NULL, 0, 0, 0                                                                                          \
	}

void diag_free(struct diag *d);

/* Adds a message. The same text at the same place is kept once and counted. `place` may be NULL. */
void diag_at(struct diag *d, enum diag_level level, const struct diag_place *place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Adds an error without a place. Returns -1, so that `return diag_error(d, ...)` reads well. */
int diag_error(struct diag *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_warning(struct diag *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_note(struct diag *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes every message as `file:line:column: json.path: text` (parts that are missing are left out), warnings and
 * notes prefixed with their level. Errors last, so that they end next to the prompt. */
void diag_print(const struct diag *d, FILE *out, bool color);
/* The first error's text, or "" when there is none. Valid until the next change of `d`. */
const char *diag_first_error(const struct diag *d);

#endif
