/* Small words that progress and summary share. */
#ifndef MUSTER_CLI_WORDS_H
#define MUSTER_CLI_WORDS_H

#include "apply/apply.h"
#include "base/buf.h"

/* 17000 as "17,000". */
void words_count(struct buf *out, uint64_t count);
/* "0.4 s", "12 s", "2 min 05 s". */
void words_duration(struct buf *out, int64_t ms);
/* Text from outside on one line, as text_clean() shows it; line ends and tabs are spaces. */
void words_plain(struct buf *out, const char *text);
/* `text` broken at spaces into lines that end by column `width`. The first starts where the cursor stands, which is
 * column `indent`; the others after that many spaces. An empty line in `text` stays one; a newline at the end. */
void words_wrap(struct buf *out, const char *text, size_t indent, size_t width);
/* As Markdown that reads as `text`, on one line, also in a cell of a table; and as code in a cell. */
void words_markdown(struct buf *out, const char *text);
void words_markdown_code(struct buf *out, const char *text);
/* As one word of a POSIX shell. */
void words_shell(struct buf *out, const char *text);
/* "muster -C 'my fleet'": how a next command is begun, to be pasted as it stands. */
void words_muster(struct buf *out, const char *directory);
/* What a change that is done has come to: "created", "replaced". */
const char *words_done(const struct plan_change *change);
/* "done", "failed", "skipped", "not_started": for machines. */
const char *words_status(enum apply_status status);
/* Who holds the state's lock, as state_lock_holder() gives it: "pid 4711 (kato@jump-1) since 2026-11-23T12:34:56Z:
 * muster apply". */
void words_holder(struct buf *out, const json_t *holder);
/* ": cloudtrail:CreateTrail: AccessDenied: message"; any part may be NULL. */
void words_cause(struct buf *out, const char *operation, const char *code, const char *message);

#endif
