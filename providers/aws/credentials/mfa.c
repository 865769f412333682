/* Asking a person for the code that an MFA device shows. On the controlling terminal, not on standard input: a plan may
 * be piped. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "providers/aws/credentials/credentials.h"
#include "providers/aws/transport.h"

void aws_mfa_prompt_set(struct aws *aws, aws_mfa_prompt *prompt, void *payload)
{
	aws->mfa_prompt = prompt;
	aws->mfa_payload = payload;
}

/* While waiting for a person Ctrl-C must end the program: the event loop, which has taken the signals, does not run. */
static ssize_t read_interruptibly(int fd, char *line, size_t size)
{
	sigset_t interrupts, before;
	ssize_t len;

	sigemptyset(&interrupts);
	sigaddset(&interrupts, SIGINT);
	sigaddset(&interrupts, SIGTERM);
	pthread_sigmask(SIG_UNBLOCK, &interrupts, &before);
	len = read(fd, line, size);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return len;
}

static int terminal_prompt(void *payload, const char *serial, char *code, size_t size, struct diag *d)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	ssize_t len;

	(void)payload;
	if (fd < 0)
		return diag_error(d, "an MFA code of %s is needed, and there is no terminal to ask for it", serial);
	dprintf(fd, "MFA code of %s: ", serial);
	len = read_interruptibly(fd, code, size - 1);
	close(fd);
	if (len <= 0)
		return diag_error(d, "no MFA code of %s was given", serial);
	code[len] = '\0';
	code[strcspn(code, "\r\n")] = '\0';
	return 0;
}

int aws_mfa_ask(struct aws *aws, const char *serial, char *code, size_t size, struct diag *d)
{
	aws_mfa_prompt *prompt = aws->mfa_prompt == NULL ? terminal_prompt : aws->mfa_prompt;

	if (prompt(aws->mfa_payload, serial, code, size, d) < 0)
		return -1;
	if (strlen(code) != 6 || strspn(code, "0123456789") != 6)
		return diag_error(d, "an MFA code of %s has six digits", serial);
	return 0;
}
