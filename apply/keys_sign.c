/* Signing with a private key: PEM through OpenSSL; what OpenSSH made (also keys in an agent or in hardware) through
 * ssh-keygen, which knows how to ask for all that these need. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apply/keys.h"
#include "base/mem.h"
#include "base/text.h"

#define PASSPHRASE_ENV "MUSTER_KEY_PASSPHRASE"
#define ANSWER_MAX     (64u << 10)

extern char **environ;

/* -- PEM ----------------------------------------------------------------------------------------------------------- */

struct passphrase {
	const char *path;
	bool wanted, nobody; /* it was asked for; there was nobody to ask */
};

static int give_passphrase(char *out, int size, int writing, void *payload)
{
	struct passphrase *passphrase = payload;
	const char *given = getenv(PASSPHRASE_ENV);
	mem_auto_str char *prompt = mem_printf("Passphrase of %s: ", passphrase->path);
	int terminal;

	passphrase->wanted = true;
	if (given != NULL) {
		size_t len = strlen(given);

		if (len > (size_t)size)
			return -1;
		memcpy(out, given, len);
		return (int)len;
	}
	/* Never from standard input: what stands there may be anything. */
	terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
	if (terminal < 0) {
		passphrase->nobody = true;
		return -1;
	}
	close(terminal);
	if (EVP_read_pw_string_min(out, 0, size, prompt, writing) != 0)
		return -1;
	return (int)strlen(out);
}

static int pem_failed(const struct passphrase *passphrase, struct diag *d)
{
	if (passphrase->nobody)
		return diag_error(d,
				  "%s: the key is encrypted, and there is no terminal to ask for its passphrase; "
				  "set " PASSPHRASE_ENV,
				  passphrase->path);
	if (passphrase->wanted)
		return diag_error(d, "%s: the passphrase does not open the key", passphrase->path);
	return diag_error(d, "%s: not a private key in PEM that can be read", passphrase->path);
}

static int sign_message(struct buf *out, const struct apply_key *key, const void *message, size_t len)
{
	bool rsa = strcmp(key->type, "ssh-rsa") == 0;
	const EVP_MD *digest = rsa ? EVP_sha256() : NULL;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *details = NULL;
	uint8_t bytes[APPLY_RSA_BITS_MAX / 8];
	size_t size = sizeof bytes;
	bool good;

	if (apply_key_curve(key->type) != NULL)
		digest = apply_key_ec_digest(key);
	good = context != NULL && EVP_DigestSignInit(context, &details, digest, NULL, key->pkey) == 1;
	if (good && rsa)
		good = EVP_PKEY_CTX_set_rsa_padding(details, RSA_PKCS1_PSS_PADDING) > 0 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(details, RSA_PSS_SALTLEN_DIGEST) > 0;
	good = good && EVP_DigestSign(context, bytes, &size, message, len) == 1;
	if (good)
		buf_add(out, bytes, size);
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return good ? 0 : -1;
}

static int sign_pem(struct apply_key *key, const char **algorithm, struct buf *signature, const struct buf *text,
		    const char *path, const void *message, size_t len, struct diag *d)
{
	struct passphrase passphrase = {.path = path};
	BIO *bio = BIO_new_mem_buf(text->data, (int)text->len);

	key->pkey = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &passphrase);
	BIO_free(bio);
	ERR_clear_error();
	if (key->pkey == NULL)
		return pem_failed(&passphrase, d);
	if (apply_key_identify(key, path, d) < 0)
		return -1;
	*algorithm = apply_key_algorithm(key);
	if (sign_message(signature, key, message, len) < 0)
		return diag_error(d, "%s: OpenSSL cannot sign with this key", path);
	return 0;
}

/* -- ssh-keygen ---------------------------------------------------------------------------------------------------- */

/* The message waits in the pipe before the program starts: it is far shorter than a pipe holds (POSIX: at least 512
 * bytes), so nothing blocks and nobody can close it in our face. */
static int message_pipe(const void *message, size_t len)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	if (write(ends[1], message, len) != (ssize_t)len) {
		close(ends[0]);
		ends[0] = -1;
	}
	close(ends[1]);
	return ends[0];
}

static int spawn(pid_t *pid, const char *path, int in, int out)
{
	const char *const argv[] = {"ssh-keygen", "-Y", "sign", "-n", APPLY_KEY_NAMESPACE, "-f", path, NULL};
	posix_spawn_file_actions_t actions;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	rc = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static void read_all(struct buf *out, int fd)
{
	char bytes[4096];
	ssize_t got;

	while ((got = read(fd, bytes, sizeof bytes)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return;
		if (out->len < ANSWER_MAX)
			buf_add(out, bytes, (size_t)got);
	}
}

/* Its messages go to the terminal as they are: it asks for passphrases and touches there. */
static int ssh_keygen(struct buf *answer, const char *path, const void *message, size_t len, struct diag *d)
{
	int in = message_pipe(message, len), out[2] = {-1, -1}, rc, status = 0;
	pid_t pid = 0;

	if (in < 0 || pipe2(out, O_CLOEXEC) < 0) {
		rc = errno;
		if (in >= 0)
			close(in);
		return diag_error(d, "cannot run ssh-keygen: %s", strerror(rc));
	}
	rc = spawn(&pid, path, in, out[1]);
	close(in);
	close(out[1]);
	if (rc == 0)
		read_all(answer, out[0]);
	close(out[0]);
	if (rc != 0)
		return diag_error(d, "signing with an OpenSSH key needs ssh-keygen (Debian: openssh-client): %s",
				  strerror(rc));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return diag_error(d, "%s: ssh-keygen did not sign (what it says stands above)", path);
	return 0;
}

/* The comment stands in the public key beside the private one, if that is there. */
static void add_comment(struct apply_key *key, const char *path)
{
	mem_auto_str char *beside = text_ends(path, ".pub") ? mem_strdup(path) : mem_printf("%s.pub", path);
	struct apply_key public = {0};
	struct diag ignored = DIAG_INIT;
	buf_auto struct buf text = BUF_INIT;

	if (text_file_read(&text, beside, APPLY_KEY_FILE_MAX) == 0 &&
	    apply_key_parse(&public, buf_str(&text), text.len, beside, &ignored) == 0 &&
	    strcmp(public.fingerprint, key->fingerprint) == 0) {
		key->comment = public.comment;
		public.comment = NULL;
	}
	apply_key_release(&public);
	diag_free(&ignored);
}

static int sign_ssh(struct apply_key *key, const char **algorithm, struct buf *signature, const char *path,
		    const void *message, size_t len, struct diag *d)
{
	buf_auto struct buf answer = BUF_INIT;

	if (ssh_keygen(&answer, path, message, len, d) < 0)
		return -1;
	if (apply_sshsig_unarmor(signature, buf_str(&answer), answer.len) < 0)
		return diag_error(d, "%s: ssh-keygen answered with something else than a signature", path);
	if (apply_sshsig_key(key, signature->data, signature->len, path, d) < 0)
		return -1;
	add_comment(key, path);
	*algorithm = "sshsig";
	return 0;
}

/* -- Both ---------------------------------------------------------------------------------------------------------- */

static int sign_text(struct apply_key *key, const char **algorithm, struct buf *signature, const struct buf *text,
		     const char *path, const void *message, size_t len, struct diag *d)
{
	const char *all = buf_str(text);

	if (strstr(all, "-----BEGIN OPENSSH PRIVATE KEY-----") != NULL || apply_key_is_ssh_text(all))
		return sign_ssh(key, algorithm, signature, path, message, len, d);
	if (strstr(all, "PRIVATE KEY-----") != NULL)
		return sign_pem(key, algorithm, signature, text, path, message, len, d);
	if (strstr(all, "-----BEGIN PUBLIC KEY-----") != NULL)
		return diag_error(d, "%s: a public key; signing needs its private key", path);
	return diag_error(
	    d, "%s: not a private key: expected PEM, a key of OpenSSH, or the .pub file of a key in an agent", path);
}

int apply_key_sign(struct apply_key *key, const char **algorithm, struct buf *signature, const char *path,
		   const void *message, size_t len, struct diag *d)
{
	buf_auto struct buf text = BUF_INIT;
	int result = text_file_read(&text, path, APPLY_KEY_FILE_MAX);

	memset(key, 0, sizeof *key);
	if (result == -EFBIG)
		return diag_error(d, "%s: over %u KB, too large for a key", path, APPLY_KEY_FILE_MAX >> 10);
	if (result < 0)
		return diag_error(d, "%s: cannot read the key: %s", path, strerror(-result));
	result = sign_text(key, algorithm, signature, &text, path, message, len, d);
	mem_wipe(text.data, text.cap);
	if (result < 0 || apply_key_verify(key, *algorithm, signature->data, signature->len, message, len))
		return result;
	return diag_error(d, "%s: the signature made with it does not hold; is the key damaged?", path);
}
