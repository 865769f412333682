/* muster completion */
#include <stdio.h>
#include <string.h>

#include "cli/completion.h"

static int completion(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	static const struct {
		const char *shell;
		void (*write)(struct buf *out);
	} shells[] = {{"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish}};
	buf_auto struct buf out = BUF_INIT;

	(void)arguments;
	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
		if (count == 1 && strcmp(words[0], shells[i].shell) == 0)
			shells[i].write(&out);
	if (out.len == 0 && completion_names(&out, cli, words[0], count > 1 ? words[1] : "") < 0) {
		diag_error(&cli->diag, "there is no completion for \"%s\": name bash, zsh or fish", words[0]);
		return CLI_FAILED;
	}
	if (fwrite(buf_str(&out), 1, out.len, stdout) != out.len || fflush(stdout) != 0) {
		diag_error(&cli->diag, "the script cannot be written");
		return CLI_FAILED;
	}
	return CLI_DONE;
}

const struct command command_completion = {
    .name = "completion",
    .words = "SHELL [PREFIX]",
    .words_min = 1,
    .words_max = 2,
    .summary = "print a script that completes command lines in bash, zsh or fish",
    .details =
	"bash: source <(muster completion bash). zsh: save it as _muster in a directory of $fpath. fish: save it as "
	"~/.config/fish/completions/muster.fish. make install puts them where shells look.\n\n"
	"While you type, the scripts ask muster completion address, type or region for names that begin with "
	"PREFIX. It reads the roster and the stacks, never the state, and asks nobody else.",
    .anywhere = true,
    .run = completion,
};
