/* Credentials: every source against a server of its own, the shared files, sessions, and the roster's Access. */
#include "tests/unit/aws_fixture.h"

static struct server server;
static struct buf calls; /* "AssumeRole arn as KEY; " for each call of STS, in order */
static struct buf last;  /* the last request, whole */
static enum {
	PLAIN,
	DENY,         /* AssumeRole is denied for roles named "denied" */
	EXPIRED_ONCE, /* the first AssumeRole finds an expired token */
	SHORT,        /* sessions of 4 s */
	BUSY,         /* STS is unavailable */
	METADATA_404,
	METADATA_403,
} mode;
static int counter;

static void serve_role(const struct server_request *request, struct server_reply *reply, const char *action,
		       const char *signer)
{
	struct buf arn = BUF_INIT;
	char key[32];

	form_value(request, "RoleArn", &arn);
	buf_addf(&calls, "%s %s as %s; ", action, buf_str(&arn), signer);
	snprintf(key, sizeof key, "ASIA%d", ++counter);
	if (mode == DENY && strstr(buf_str(&arn), "denied") != NULL)
		sts_error(reply, 403, "AccessDenied", "User: x is not authorized to perform: sts:AssumeRole");
	else if (mode == EXPIRED_ONCE && counter == 2)
		sts_error(reply, 400, "ExpiredToken", "The security token included in the request is expired");
	else if (mode == BUSY)
		sts_error(reply, 503, "ServiceUnavailable", "later");
	else
		sts_role_answer(reply, action, key, buf_str(&arn), mode == SHORT ? 4000 : 3600 * 1000);
	buf_free(&arn);
}

static void serve_sts(const struct server_request *request, struct server_reply *reply)
{
	struct buf action = BUF_INIT, signer = BUF_INIT;

	signer_of(request, &signer);
	form_value(request, "Action", &action);
	if (strcmp(buf_str(&action), "GetCallerIdentity") == 0) {
		buf_addf(&calls, "GetCallerIdentity as %s; ", buf_str(&signer));
		sts_identity(reply, "111111111111", "arn:aws:iam::111111111111:user/me");
	} else {
		serve_role(request, reply, buf_str(&action), signer.len > 0 ? buf_str(&signer) : "nobody");
	}
	buf_free(&action);
	buf_free(&signer);
}

static const char credentials_document[] = "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIAMETA\",\"SecretAccessKey\":"
					   "\"sekrit\",\"Token\":\"tok\",\"Expiration\":\"2099-01-01T00:00:00Z\"}";

static void serve_instance(const struct server_request *request, struct server_reply *reply)
{
	struct buf token = BUF_INIT;

	if (strcmp(request->target, "/latest/api/token") == 0) {
		reply->status = mode == METADATA_403 ? 403 : strcmp(request->method, "PUT") == 0 ? 200 : 405;
		buf_adds(&reply->body, "the-token");
	} else if (!server_header(request, "X-aws-ec2-metadata-token", &token) ||
		   strcmp(buf_str(&token), "the-token") != 0) {
		reply->status = 401;
	} else if (mode == METADATA_404) {
		reply->status = 404;
	} else if (strcmp(request->target, "/latest/meta-data/iam/security-credentials/") == 0) {
		buf_adds(&reply->body, "my role\n");
	} else if (strcmp(request->target, "/latest/meta-data/iam/security-credentials/my%20role") == 0) {
		buf_adds(&reply->body, credentials_document);
	} else {
		reply->status = 400;
	}
	buf_free(&token);
}

static void serve(void *payload, const struct server_request *request, struct server_reply *reply)
{
	(void)payload;
	buf_clear(&last);
	buf_addf(&last, "%s %s\n%s\n%.*s", request->method, request->target, request->headers, (int)request->body_len,
		 request->body);
	if (strncmp(request->target, "/latest/", 8) == 0)
		serve_instance(request, reply);
	else if (strncmp(request->target, "/container", 10) == 0)
		buf_adds(&reply->body, credentials_document);
	else if (strncmp(request->target, "/federation/", 12) == 0)
		buf_adds(&reply->body, "{\"roleCredentials\":{\"accessKeyId\":\"ASIASSO\",\"secretAccessKey\":"
				       "\"sekrit\",\"sessionToken\":\"tok\",\"expiration\":4070908800000}}");
	else
		serve_sts(request, reply);
}

static int setup(void **state)
{
	(void)state;
	mode = PLAIN;
	counter = 0;
	home_make();
	server_start(&server, serve, NULL);
	setenv("AWS_ENDPOINT_URL", server.url, 1);
	provider_open();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	provider_close();
	server_stop(&server);
	home_remove();
	buf_free(&calls);
	buf_free(&last);
	return 0;
}

/* -- Fetching ------------------------------------------------------------------------------------------------------ */

struct got {
	int calls;
	enum aws_fetch_outcome outcome;
	char id[64], token[64], message[1024];
	bool transient;
	int64_t expires_ms;
};

static void on_fetched(void *payload, const struct aws_fetch *fetch)
{
	struct got *got = payload;

	got->calls++;
	got->outcome = fetch->outcome;
	got->transient = fetch->transient;
	if (fetch->credentials != NULL) {
		snprintf(got->id, sizeof got->id, "%s", fetch->credentials->access_key_id);
		if (fetch->credentials->session_token != NULL)
			snprintf(got->token, sizeof got->token, "%s", fetch->credentials->session_token);
		got->expires_ms = fetch->credentials->expires_unix_ms;
	}
	if (fetch->message != NULL)
		snprintf(got->message, sizeof got->message, "%s", fetch->message);
}

/* Fetches and frees the source. */
static struct got fetch(struct aws_source *source)
{
	struct got got = {0};

	aws_source_fetch(source, on_fetched, &got);
	loop_run(loop);
	assert_int_equal(got.calls, 1);
	assert_null(strstr(got.message, "sekrit"));
	aws_source_free(source);
	return got;
}

static void assert_found(struct got got, const char *id)
{
	if (got.outcome != AWS_FETCH_FOUND)
		print_message("%s\n", got.message);
	assert_int_equal(got.outcome, AWS_FETCH_FOUND);
	assert_string_equal(got.id, id);
}

static void assert_failed(struct got got, const char *words)
{
	assert_int_equal(got.outcome, AWS_FETCH_FAILED);
	if (strstr(got.message, words) == NULL)
		print_message("no \"%s\" in: %s\n", words, got.message);
	assert_non_null(strstr(got.message, words));
}

static void test_environment(void **state)
{
	(void)state;
	assert_int_equal(fetch(aws_source_environment(aws)).outcome, AWS_FETCH_NONE);
	setenv("AWS_ACCESS_KEY_ID", "AKIA1", 1);
	assert_failed(fetch(aws_source_environment(aws)), "AWS_SECRET_ACCESS_KEY is not");
	setenv("AWS_SECRET_ACCESS_KEY", "sekrit", 1);
	setenv("AWS_SESSION_TOKEN", "tok", 1);
	struct got got = fetch(aws_source_environment(aws));
	assert_found(got, "AKIA1");
	assert_string_equal(got.token, "tok");
}

/* -- Shared files -------------------------------------------------------------------------------------------------- */

static void test_files_are_merged_and_the_credentials_file_wins(void **state)
{
	struct aws_config *config;
	struct diag d = DIAG_INIT;

	(void)state;
	file_put(".aws/config",
		 "# comment\n[default]\nregion = eu-west-1\n aws_access_key_id=OLD\n[profile \"my name\"]\n"
		 "Role_ARN = a = b # not a comment\n[services local]\ns3 =\n  endpoint_url = http://s3\n"
		 "  x = y\niam =\n  endpoint_url = http://iam\n[plugins]\nno equals here\n"
		 "[sso-session corp]\nsso_region = us-east-1\r\n");
	file_put(".aws/credentials",
		 "[default]\naws_access_key_id = NEW\n; comment\n[my name]\naws_secret_access_key =\n");
	assert_int_equal(aws_config_load(&config, &d), 0);
	assert_string_equal(aws_config_get(config, "profile", "default", "region"), "eu-west-1");
	assert_string_equal(aws_config_get(config, "profile", "default", "aws_access_key_id"), "NEW");
	assert_string_equal(aws_config_get(config, "profile", "my name", "role_arn"), "a = b # not a comment");
	assert_null(aws_config_get(config, "profile", "my name", "aws_secret_access_key"));
	assert_string_equal(aws_config_get(config, "services", "local", "s3.endpoint_url"), "http://s3");
	assert_string_equal(aws_config_get(config, "services", "local", "iam.endpoint_url"), "http://iam");
	assert_string_equal(aws_config_get(config, "sso-session", "corp", "sso_region"), "us-east-1");
	assert_true(aws_config_has(config, "profile", "my name"));
	assert_false(aws_config_has(config, "profile", "other"));
	aws_config_free(config);
	diag_free(&d);
}

static void test_mistakes_in_files_are_named_with_their_line(void **state)
{
	struct aws_config *config;
	struct diag d = DIAG_INIT;

	(void)state;
	file_put(".aws/config", "[default]\nregion\n[broken\n");
	file_put("other", "x = y\n");
	setenv("AWS_SHARED_CREDENTIALS_FILE", "~/other", 1);
	assert_int_equal(aws_config_load(&config, &d), -1);
	assert_int_equal(d.count, 3);
	assert_int_equal(d.items[0].line, 2);
	assert_int_equal(d.items[1].line, 3);
	assert_int_equal(d.items[2].line, 1);
	assert_non_null(strstr(d.items[2].file, "/other"));
	diag_free(&d);
	assert_failed(fetch(aws_source_profile(aws, NULL)), "config:2: expected");
}

static void test_a_profile_with_keys(void **state)
{
	(void)state;
	file_put(".aws/credentials", "[default]\naws_access_key_id=AKIAD\naws_secret_access_key=sekrit\n[b]\n"
				     "aws_access_key_id=AKIAB\naws_secret_access_key=sekrit\naws_session_token=tok\n");
	assert_found(fetch(aws_source_profile(aws, NULL)), "AKIAD");
	setenv("AWS_PROFILE", "b", 1);
	assert_found(fetch(aws_source_profile(aws, NULL)), "AKIAB");
	setenv("AWS_PROFILE", "c", 1);
	assert_failed(fetch(aws_source_profile(aws, NULL)), "profile \"c\": not found in");
	assert_failed(fetch(aws_source_profile(aws, "d")), "profile \"d\": not found in");
}

static void test_a_process_gives_credentials_or_says_why_not(void **state)
{
	(void)state;
	file_put(
	    ".aws/config",
	    "[profile ok]\ncredential_process = printf '{\"Version\":1,\"AccessKeyId\":\"AKIAP\",\"SecretAccessKey\""
	    ":\"sekrit\",\"SessionToken\":\"tok\",\"Expiration\":\"2099-01-01T00:00:00Z\"}'\n"
	    "[profile fails]\ncredential_process = echo sekrit; exit 3\n"
	    "[profile version]\ncredential_process = echo '{\"Version\":2,\"AccessKeyId\":\"sekrit\"}'\n"
	    "[profile text]\ncredential_process = echo sekrit\n"
	    "[profile much]\ncredential_process = yes\n"
	    "[profile slow]\ncredential_process = exec >&-; sleep 0.05\n");
	struct got got = fetch(aws_source_profile(aws, "ok"));
	assert_found(got, "AKIAP");
	assert_int_equal(got.expires_ms, 4070908800000);
	assert_failed(fetch(aws_source_profile(aws, "fails")), "exit status 3");
	assert_failed(fetch(aws_source_profile(aws, "version")), "\"Version\": 1");
	assert_failed(fetch(aws_source_profile(aws, "text")), "\"Version\": 1");
	assert_failed(fetch(aws_source_profile(aws, "much")), "more than");
	assert_failed(fetch(aws_source_profile(aws, "slow")), "\"Version\": 1");
}

static void test_a_process_under_way_is_ended_with_its_source(void **state)
{
	struct aws_source *source = aws_source_process(aws, "p", "sleep 60");
	struct got got = {0};

	(void)state;
	aws_source_fetch(source, on_fetched, &got);
	aws_source_free(source);
	assert_int_equal(got.calls, 0);
}

/* -- Roles in profiles --------------------------------------------------------------------------------------------- */

static void test_roles_on_profiles_to_any_depth(void **state)
{
	(void)state;
	file_put(".aws/config",
		 "[profile a]\nrole_arn=arn:aws:iam::111111111111:role/a\nsource_profile=b\nexternal_id=x:1\n"
		 "role_session_name=kato\nduration_seconds=900\n"
		 "[profile b]\nrole_arn=arn:aws:iam::111111111111:role/b\nsource_profile=c\n"
		 "[profile c]\nrole_arn=arn:aws:iam::111111111111:role/c\nsource_profile=keys\n");
	file_put(".aws/credentials", "[keys]\naws_access_key_id=AKIAK\naws_secret_access_key=sekrit\n");
	assert_found(fetch(aws_source_profile(aws, "a")), "ASIA3");
	assert_string_equal(buf_str(&calls), "AssumeRole arn:aws:iam::111111111111:role/c as AKIAK; "
					     "AssumeRole arn:aws:iam::111111111111:role/b as ASIA1; "
					     "AssumeRole arn:aws:iam::111111111111:role/a as ASIA2; ");
	assert_non_null(strstr(buf_str(&last), "ExternalId=x%3A1"));
	assert_non_null(strstr(buf_str(&last), "RoleSessionName=kato"));
	assert_non_null(strstr(buf_str(&last), "DurationSeconds=900"));
	assert_non_null(strstr(buf_str(&last), "X-Amz-Security-Token: token-ASIA2"));
}

static void test_mistakes_in_profiles_are_named(void **state)
{
	(void)state;
	file_put(
	    ".aws/config",
	    "[profile a]\nrole_arn=r\nsource_profile=b\n[profile b]\nrole_arn=r\nsource_profile=a\n"
	    "[profile self]\nrole_arn=r\nsource_profile=self\n[profile gone]\nrole_arn=r\nsource_profile=nowhere\n"
	    "[profile empty]\nregion=x\n[profile on-empty]\nrole_arn=r\nsource_profile=empty\n"
	    "[profile alone]\nrole_arn=r\n[profile two]\nrole_arn=r\nsource_profile=a\ncredential_source=Environment\n"
	    "[profile where]\nrole_arn=r\ncredential_source=Moon\n"
	    "[profile long]\nrole_arn=r\nsource_profile=a\nduration_seconds=5\n"
	    "[profile sso]\nsso_session=gone\n[profile sso-part]\nsso_start_url=x\n");
	assert_failed(fetch(aws_source_profile(aws, "a")), "leads back to \"a\"");
	assert_failed(fetch(aws_source_profile(aws, "self")), "leads back to \"self\"");
	assert_failed(fetch(aws_source_profile(aws, "gone")), "\"nowhere\" does not exist");
	assert_failed(fetch(aws_source_profile(aws, "on-empty")), "\"empty\" has no credentials");
	assert_failed(fetch(aws_source_profile(aws, "alone")), "needs source_profile");
	assert_failed(fetch(aws_source_profile(aws, "two")), "both source_profile and credential_source");
	assert_failed(fetch(aws_source_profile(aws, "where")), "\"Moon\"");
	assert_failed(fetch(aws_source_profile(aws, "long")), "duration_seconds");
	assert_failed(fetch(aws_source_profile(aws, "sso")), "no [sso-session gone]");
	assert_failed(fetch(aws_source_profile(aws, "sso-part")), "sso_region");
	assert_int_equal(fetch(aws_source_profile(aws, "empty")).outcome, AWS_FETCH_NONE);
}

static void test_a_profile_may_assume_a_role_with_its_own_keys_or_the_environments(void **state)
{
	(void)state;
	file_put(".aws/config",
		 "[profile self]\nrole_arn=arn:aws:iam::111111111111:role/s\nsource_profile=self\n"
		 "aws_access_key_id=AKIAS\naws_secret_access_key=sekrit\n"
		 "[profile env]\nrole_arn=arn:aws:iam::111111111111:role/e\ncredential_source=Environment\n");
	assert_found(fetch(aws_source_profile(aws, "self")), "ASIA1");
	assert_failed(fetch(aws_source_profile(aws, "env")), "AWS_ACCESS_KEY_ID is not set");
	setenv("AWS_ACCESS_KEY_ID", "AKIAE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "sekrit", 1);
	assert_found(fetch(aws_source_profile(aws, "env")), "ASIA2");
	assert_string_equal(buf_str(&calls), "AssumeRole arn:aws:iam::111111111111:role/s as AKIAS; "
					     "AssumeRole arn:aws:iam::111111111111:role/e as AKIAE; ");
}

static int prompt(void *payload, const char *serial, char *code, size_t size, struct diag *d)
{
	assert_string_equal(serial, "arn:aws:iam::111111111111:mfa/kato");
	if (payload == NULL)
		return diag_error(d, "no terminal");
	snprintf(code, size, "%s", (const char *)payload);
	return 0;
}

static void test_mfa_codes_are_asked_for_and_sent(void **state)
{
	(void)state;
	file_put(".aws/config", "[profile m]\nrole_arn=arn:aws:iam::111111111111:role/m\nsource_profile=keys\n"
				"mfa_serial=arn:aws:iam::111111111111:mfa/kato\n"
				"[profile keys]\naws_access_key_id=AKIAK\naws_secret_access_key=sekrit\n");
	aws_mfa_prompt_set(aws, prompt, (void *)"123456");
	assert_found(fetch(aws_source_profile(aws, "m")), "ASIA1");
	assert_non_null(strstr(buf_str(&last), "TokenCode=123456"));
	assert_non_null(strstr(buf_str(&last), "SerialNumber=arn%3Aaws%3Aiam%3A%3A111111111111%3Amfa%2Fkato"));
	aws_mfa_prompt_set(aws, prompt, (void *)"12345x");
	assert_failed(fetch(aws_source_profile(aws, "m")), "six digits");
	aws_mfa_prompt_set(aws, prompt, NULL);
	assert_failed(fetch(aws_source_profile(aws, "m")), "no terminal");
}

/* -- Other sources ------------------------------------------------------------------------------------------------- */

static void test_web_identity_is_not_signed(void **state)
{
	mem_auto_str char *path = mem_printf("%s/token", home);

	(void)state;
	assert_int_equal(fetch(aws_source_web_identity_environment(aws)).outcome, AWS_FETCH_NONE);
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path, 1);
	assert_failed(fetch(aws_source_web_identity_environment(aws)), "AWS_ROLE_ARN is not");
	setenv("AWS_ROLE_ARN", "arn:aws:iam::111111111111:role/ci", 1);
	assert_failed(fetch(aws_source_web_identity_environment(aws)), "cannot read");
	file_put("token", "ey.jwt.sekrit\n");
	assert_found(fetch(aws_source_web_identity_environment(aws)), "ASIA1");
	assert_string_equal(buf_str(&calls), "AssumeRoleWithWebIdentity arn:aws:iam::111111111111:role/ci as nobody; ");
	assert_non_null(strstr(buf_str(&last), "WebIdentityToken=ey.jwt.sekrit"));
	assert_null(strstr(buf_str(&last), "WebIdentityToken=ey.jwt.sekrit%0A"));
	mode = DENY;
	setenv("AWS_ROLE_ARN", "arn:aws:iam::111111111111:role/denied", 1);
	assert_failed(fetch(aws_source_web_identity_environment(aws)), "could not assume");
}

static void test_sso_takes_the_token_of_the_cli(void **state)
{

	static const char cache[] = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

	(void)state;
	file_put(".aws/config", "[profile s]\nsso_session=corp\nsso_account_id=111111111111\nsso_role_name=admin role\n"
				"[sso-session corp]\nsso_start_url=https://corp\nsso_region=us-east-1\n");
	assert_failed(fetch(aws_source_profile(aws, "s")), "aws sso login");

	file_put(cache, "{\"accessToken\":\"sekrit\",\"expiresAt\":\"2020-01-01T00:00:00Z\"}");
	assert_failed(fetch(aws_source_profile(aws, "s")), "aws sso login");
	file_put(cache, "{\"accessToken\":\"sekrit\",\"expiresAt\":\"2099-01-01T00:00:00Z\"}");
	assert_found(fetch(aws_source_profile(aws, "s")), "ASIASSO");
	assert_non_null(strstr(buf_str(&last), "role_name=admin%20role&account_id=111111111111"));
	assert_non_null(strstr(buf_str(&last), "x-amz-sso_bearer_token: sekrit"));
	assert_null(strstr(buf_str(&last), "Authorization"));
}

static void test_containers(void **state)
{
	mem_auto_str char *url = mem_printf("%s/container?x=1", server.url);
	mem_auto_str char *path = mem_printf("%s/token", home);

	(void)state;
	assert_int_equal(fetch(aws_source_container(aws)).outcome, AWS_FETCH_NONE);
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/x", 1);
	assert_failed(fetch(aws_source_container(aws)), "must be https");
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1@example.com/x", 1);
	assert_failed(fetch(aws_source_container(aws)), "must be https");
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1.example.com/x", 1);
	assert_failed(fetch(aws_source_container(aws)), "must be https");
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic abc", 1);
	assert_found(fetch(aws_source_container(aws)), "ASIAMETA");
	assert_non_null(strstr(buf_str(&last), "GET /container?x=1\n"));
	assert_non_null(strstr(buf_str(&last), "Authorization: Basic abc\r\n"));
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path, 1);
	assert_failed(fetch(aws_source_container(aws)), "cannot read");
	file_put("token", "from file\n");
	assert_found(fetch(aws_source_container(aws)), "ASIAMETA");
	assert_non_null(strstr(buf_str(&last), "Authorization: from file\r\n"));
	file_put("token", "a\r\nX: y");
	assert_failed(fetch(aws_source_container(aws)), "line break");
}

static void test_instances_are_asked_with_a_token_only(void **state)
{
	(void)state;
	assert_int_equal(fetch(aws_source_instance(aws)).outcome, AWS_FETCH_NONE);
	assert_int_equal(atomic_load(&server.requests), 0);
	unsetenv("AWS_EC2_METADATA_DISABLED");
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url, 1);
	struct got got = fetch(aws_source_instance(aws));
	assert_found(got, "ASIAMETA");
	assert_string_equal(got.token, "tok");
	mode = METADATA_404;
	got = fetch(aws_source_instance(aws));
	assert_int_equal(got.outcome, AWS_FETCH_NONE);
	assert_non_null(strstr(got.message, "has no role"));
	mode = METADATA_403;
	got = fetch(aws_source_instance(aws));
	assert_int_equal(got.outcome, AWS_FETCH_NONE);
	assert_non_null(strstr(got.message, "gives no token (HTTP 403)"));
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1/", 1);
	assert_int_equal(fetch(aws_source_instance(aws)).outcome, AWS_FETCH_NONE);
}

static void test_the_chain_says_all_that_it_tried(void **state)
{
	(void)state;
	struct got got = fetch(aws_source_default(aws));
	assert_int_equal(got.outcome, AWS_FETCH_NONE);
	for (const char *const *word =
		 (const char *const[]){"AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "profile \"default\"",
				       "AWS_CONTAINER", "AWS_EC2_METADATA_DISABLED", NULL};
	     *word != NULL; word++)
		assert_non_null(strstr(got.message, *word));
}

static void test_the_first_source_that_is_set_up_decides(void **state)
{
	(void)state;
	file_put(".aws/credentials", "[default]\naws_access_key_id=AKIAF\naws_secret_access_key=sekrit\n");
	assert_found(fetch(aws_source_default(aws)), "AKIAF");
	setenv("AWS_ACCESS_KEY_ID", "AKIAE", 1);
	assert_failed(fetch(aws_source_default(aws)), "AWS_SECRET_ACCESS_KEY is not");
	setenv("AWS_SECRET_ACCESS_KEY", "sekrit", 1);
	assert_found(fetch(aws_source_default(aws)), "AKIAE");
}

/* -- Sessions ------------------------------------------------------------------------------------------------------ */

/* A source that counts, and gives what it is told to. */
struct counting {
	struct aws_source head;
	int fetches;
	int64_t life_ms; /* 0: forever */
	enum aws_fetch_outcome outcome;
	bool transient, slow;
	struct loop_timer *timer;
};

static void counting_answer(void *payload)
{
	struct counting *c = payload;
	struct aws_credentials credentials = {.access_key_id = (char *)"ID", .secret_access_key = (char *)"sekrit"};

	c->timer = NULL;
	if (c->life_ms != 0)
		credentials.expires_unix_ms = loop_wall_ms() + c->life_ms;
	if (c->outcome == AWS_FETCH_FOUND)
		aws_source_found(&c->head, &credentials);
	else if (c->outcome == AWS_FETCH_NONE)
		aws_source_none(&c->head, "nothing here");
	else
		aws_source_fail(&c->head, c->transient, NULL, "broken %d", c->fetches);
}

static void counting_fetch(struct aws_source *source)
{
	struct counting *c = (struct counting *)source;

	c->fetches++;
	if (c->slow)
		c->timer = loop_timer_start(loop, 5, counting_answer, c);
	else
		counting_answer(c);
}

static void counting_free(struct aws_source *source)
{
	loop_timer_cancel(((struct counting *)source)->timer);
	free(source);
}

static struct counting *counting_new(bool slow)
{
	static const struct aws_source_ops ops = {counting_fetch, counting_free, NULL};
	struct counting *c = mem_alloc(sizeof *c);

	aws_source_init(&c->head, &ops, aws, "counting");
	c->slow = slow;
	return c;
}

static int ready, failed;

static void on_session(void *payload, const struct aws_fetch *failure)
{
	(void)payload;
	if (failure == NULL)
		ready++;
	else
		failed++;
}

static void test_a_session_is_fetched_once_for_all_that_wait(void **state)
{
	struct counting *c = counting_new(true);
	struct aws_session *session = aws_session_new(aws, &c->head);
	struct aws_session_view view;
	int other;

	(void)state;
	ready = failed = 0;
	assert_false(aws_session_ready(session, &view));
	for (int i = 0; i < 50; i++)
		aws_session_wait(session, on_session, NULL);
	aws_session_wait(session, on_session, &other);
	aws_session_unwait(session, &other);
	loop_run(loop);
	assert_int_equal(ready, 50);
	assert_int_equal(c->fetches, 1);
	assert_true(aws_session_ready(session, &view));
	assert_int_equal(view.generation, 1);
	aws_session_expired(session, 0); /* of an older generation: no matter */
	assert_true(aws_session_ready(session, &view));
	aws_session_expired(session, 1);
	assert_false(aws_session_ready(session, &view));
	aws_session_wait(session, on_session, NULL);
	loop_run(loop);
	assert_int_equal(c->fetches, 2);
	aws_session_wait(session, on_session, NULL); /* left waiting */
	aws_session_free(session);
}

static void test_failures_are_remembered(void **state)
{
	struct counting *c = counting_new(false);
	struct aws_session *session = aws_session_new(aws, &c->head);

	(void)state;
	ready = failed = 0;
	c->outcome = AWS_FETCH_FAILED;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 10; i++)
			aws_session_wait(session, on_session, NULL);
		loop_run(loop);
	}
	assert_int_equal(failed, 30);
	assert_int_equal(c->fetches, 1);
	aws_session_free(session);
}

static void test_sessions_are_renewed_before_they_end(void **state)
{
	struct counting *c = counting_new(true);
	struct aws_session *session = aws_session_new(aws, &c->head);
	struct aws_session_view view;

	(void)state;
	ready = 0;
	c->life_ms = 300;
	aws_session_wait(session, on_session, NULL);
	loop_run(loop);
	assert_true(aws_session_ready(session, &view));
	assert_int_equal(c->fetches, 1);
	usleep(230 * 1000); /* in the last third, not yet in the last tenth */
	assert_true(aws_session_ready(session, &view));
	assert_int_equal(view.generation, 1);
	assert_int_equal(c->fetches, 2);
	loop_run(loop);
	assert_true(aws_session_ready(session, &view));
	assert_int_equal(view.generation, 2);
	/* A renewal that fails leaves what still works. */
	c->outcome = AWS_FETCH_FAILED;
	usleep(230 * 1000);
	assert_true(aws_session_ready(session, &view));
	loop_run(loop);
	assert_true(aws_session_ready(session, &view));
	assert_int_equal(c->fetches, 3);
	usleep(100 * 1000);
	assert_false(aws_session_ready(session, &view));
	aws_session_free(session);
}

static void test_credentials_that_have_expired_are_refused(void **state)
{
	struct counting *c = counting_new(false);
	struct aws_session *session = aws_session_new(aws, &c->head);

	(void)state;
	failed = 0;
	c->life_ms = -1000;
	aws_session_wait(session, on_session, NULL);
	loop_run(loop);
	assert_int_equal(failed, 1);
	aws_session_free(session);
}

/* -- The roster's Access ------------------------------------------------------------------------------------------- */

static const char access_json[] = "{\"Chain\":[\"arn:aws:iam::111111111111:role/admin\"],"
				  "\"Role\":\"arn:aws:iam::${AccountId}:role/write-${AccountName}\","
				  "\"PlanRole\":\"arn:aws:iam::${AccountId}:role/read\",\"ExternalId\":\"e\"}";

struct entered {
	enum provider_outcome outcome;
	char arn[128], code[64], message[512];
};

static void on_access(void *payload, const struct provider_result *result, const char *arn)
{
	struct entered *entered = payload;

	entered->outcome = result->outcome;
	snprintf(entered->arn, sizeof entered->arn, "%s", arn == NULL ? "" : arn);
	snprintf(entered->code, sizeof entered->code, "%s", result->code == NULL ? "" : result->code);
	snprintf(entered->message, sizeof entered->message, "%s", result->message == NULL ? "" : result->message);
}

static void enter(struct provider_account *account, enum provider_access kind, struct entered *entered)
{
	struct provider_target target = {.account = account, .access = kind};

	aws->provider.ops->access(&aws->provider, &target, on_access, entered);
}

static void keys_in_environment(void)
{
	setenv("AWS_ACCESS_KEY_ID", "AKIAE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "sekrit", 1);
}

static int count_of(const char *needle)
{
	int count = 0;

	for (const char *at = buf_str(&calls); (at = strstr(at, needle)) != NULL; at++)
		count++;
	return count;
}

static void test_a_chain_is_entered_once_for_all_accounts(void **state)
{
	struct entered entered[40];
	char name[16], id[16];

	(void)state;
	keys_in_environment();
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "app-%d", i);
		snprintf(id, sizeof id, "3333333333%02d", i);
		struct provider_account *account = account_make(name, id, access_json);

		enter(account, PROVIDER_READS, &entered[2 * i]);
		enter(account, PROVIDER_WRITES, &entered[2 * i + 1]);
	}
	loop_run(loop);
	for (int i = 0; i < 40; i++)
		assert_int_equal(entered[i].outcome, PROVIDER_DONE);
	assert_int_equal(count_of("role/admin as AKIAE"), 1);
	assert_int_equal(count_of("role/read as ASIA1"), 20);
	assert_int_equal(count_of("role/write-app-7 as ASIA1"), 1);
	assert_int_equal(count_of("GetCallerIdentity"), 40);
}

static void test_an_account_that_cannot_be_entered_says_who_what_where_and_why(void **state)
{
	struct entered entered[3];
	struct provider_account *account =
	    account_make("app", "333333333333", "{\"Role\":\"arn:aws:iam::333333333333:role/denied\"}");

	(void)state;
	mode = DENY;
	keys_in_environment();
	for (int i = 0; i < 3; i++) {
		enter(account, PROVIDER_WRITES, &entered[i]);
		if (i > 0)
			loop_run(loop);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(entered[i].outcome, PROVIDER_UNREACHABLE);
		assert_string_equal(entered[i].code, "AccessDenied");
		assert_string_equal(
		    entered[i].message,
		    "account app (333333333333): credentials from environment variables could not assume "
		    "arn:aws:iam::333333333333:role/denied (STS in eu-west-1): User: x is not authorized "
		    "to perform: sts:AssumeRole");
	}
	assert_int_equal(count_of("AssumeRole"), 1);
}

static void test_without_any_credentials_every_account_is_unreachable(void **state)
{
	struct entered entered;
	struct provider_account *account = account_make("app", "333333333333", access_json);

	(void)state;
	enter(account, PROVIDER_READS, &entered);
	loop_run(loop);
	assert_int_equal(entered.outcome, PROVIDER_UNREACHABLE);
	assert_string_equal(entered.code, "NoCredentials");
	assert_non_null(strstr(entered.message, "account app (333333333333): access chain: no AWS credentials found: "
						"environment variables: AWS_ACCESS_KEY_ID is not set"));
}

static void test_an_account_without_a_role_is_entered_with_what_is_at_hand_if_it_is_its_own(void **state)
{
	struct provider_account *chain =
	    account_make("security", "111111111111",
			 "{\"Chain\":[\"arn:aws:iam::111111111111:role/admin\"],\"Role\":null,"
			 "\"PlanRole\":\"arn:aws:iam::${AccountId}:role/read\"}");
	struct provider_account *own = account_make("jump", "111111111111", "{}");
	struct provider_account *other = account_make("other", "222222222222", "{\"Role\":null}");
	struct entered entered[3];

	(void)state;
	keys_in_environment();
	enter(chain, PROVIDER_READS, &entered[0]);
	enter(own, PROVIDER_READS, &entered[1]);
	enter(other, PROVIDER_WRITES, &entered[2]);
	loop_run(loop);
	assert_int_equal(entered[0].outcome, PROVIDER_DONE);
	assert_int_equal(count_of("role/admin as AKIAE"), 1);
	assert_int_equal(count_of("role/read"), 0);
	assert_int_equal(entered[1].outcome, PROVIDER_DONE);
	assert_int_equal(entered[2].outcome, PROVIDER_UNREACHABLE);
	assert_string_equal(entered[2].code, "WrongAccount");
}

static void test_an_account_may_name_a_profile(void **state)
{
	struct provider_account *account =
	    account_make("app", "333333333333",
			 "{\"Profile\":\"p\",\"Role\":\"arn:aws:iam::333333333333:role/r\",\"PlanChain\":"
			 "[\"arn:aws:iam::444444444444:role/plan\"]}");
	struct entered entered;

	(void)state;
	keys_in_environment();
	file_put(".aws/credentials", "[p]\naws_access_key_id=AKIAP\naws_secret_access_key=sekrit\n");
	enter(account, PROVIDER_WRITES, &entered);
	loop_run(loop);
	assert_int_equal(entered.outcome, PROVIDER_DONE);
	enter(account, PROVIDER_READS, &entered);
	loop_run(loop);
	assert_string_equal(buf_str(&calls), "AssumeRole arn:aws:iam::333333333333:role/r as AKIAP; "
					     "GetCallerIdentity as ASIA1; "
					     "AssumeRole arn:aws:iam::444444444444:role/plan as AKIAP; "
					     "AssumeRole arn:aws:iam::333333333333:role/r as ASIA2; "
					     "GetCallerIdentity as ASIA3; ");
}

static void test_a_parent_that_has_expired_is_renewed_once(void **state)
{
	struct provider_account *account = account_make("app", "333333333333", access_json);
	struct entered entered;

	(void)state;
	keys_in_environment();
	mode = EXPIRED_ONCE;
	enter(account, PROVIDER_READS, &entered);
	loop_run(loop);
	assert_int_equal(entered.outcome, PROVIDER_DONE);
	assert_int_equal(count_of("role/admin as AKIAE"), 2);
	assert_int_equal(count_of("role/read as ASIA1"), 1);
	assert_int_equal(count_of("role/read as ASIA3"), 1);
}

static void test_mistakes_in_access_are_errors(void **state)
{
	static const struct {
		const char *id, *access, *words;
	} cases[] = {
	    {"33", "{}", "not an account id"},
	    {"333333333333", "{\"Role\":\"role/x\"}", "not the ARN of a role"},
	    {"333333333333", "{\"Role\":\"arn:aws:iam::444444444444:role/x\"}", "is in another account"},
	    {"333333333333", "{\"Chain\":[\"arn:aws:iam::444444444444:role/x\"],\"Role\":null}",
	     "ends in another account"},
	    {"333333333333", "{\"Chain\":[7]}", "a step of the chain"},
	    {"333333333333", "{\"Role\":\"arn:aws:iam::333333333333:role/x\",\"SessionName\":\"a b\"}", "SessionName"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		json_auto_t *access = json_loads(cases[i].access, 0, NULL);
		struct provider_account *account;
		struct diag d = DIAG_INIT;

		assert_int_equal(aws_account_add(aws, "app", cases[i].id, access, &account, &d), -1);
		assert_non_null(strstr(diag_first_error(&d), cases[i].words));
		diag_free(&d);
	}
}

static void test_cancelling_while_sessions_are_opened_reaches_everybody(void **state)
{
	struct provider_account *account = account_make("app", "333333333333", access_json);
	struct entered entered[5];

	(void)state;
	keys_in_environment();
	for (int i = 0; i < 5; i++)
		enter(account, PROVIDER_READS, &entered[i]);
	aws->provider.ops->cancel(&aws->provider);
	loop_run(loop);
	for (int i = 0; i < 5; i++)
		assert_int_equal(entered[i].outcome, PROVIDER_CANCELLED);
	/* And nothing is remembered against the account. */
	enter(account, PROVIDER_READS, &entered[0]);
	loop_run(loop);
	assert_int_equal(entered[0].outcome, PROVIDER_DONE);
	enter(account, PROVIDER_WRITES, &entered[1]); /* left to teardown */
}

static void test_cancelling_does_not_wait_for_a_process(void **state)
{
	struct provider_account *account =
	    account_make("app", "333333333333", "{\"Profile\":\"p\",\"Role\":\"arn:aws:iam::333333333333:role/r\"}");
	struct entered entered;
	int64_t before_ms = loop_wall_ms();

	(void)state;
	file_put(".aws/config", "[profile p]\ncredential_process = exec sleep 20\n");
	enter(account, PROVIDER_READS, &entered);
	aws->provider.ops->cancel(&aws->provider);
	loop_run(loop);
	assert_int_equal(entered.outcome, PROVIDER_CANCELLED);
	assert_true(loop_wall_ms() - before_ms < 5000);
}

static void test_the_end_of_what_cannot_be_renewed_is_known(void **state)
{
	struct provider_account *account =
	    account_make("app", "333333333333", "{\"Role\":\"arn:aws:iam::333333333333:role/r\"}");
	struct entered entered;

	(void)state;
	assert_int_equal(provider_aws_base_ends_ms(&aws->provider), 0);
	keys_in_environment();
	setenv("AWS_CREDENTIAL_EXPIRATION", "2099-01-01T00:00:00Z", 1);
	enter(account, PROVIDER_READS, &entered);
	loop_run(loop);
	assert_int_equal(entered.outcome, PROVIDER_DONE);
	assert_int_equal(provider_aws_base_ends_ms(&aws->provider), 4070908800000);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_environment),
	    TEST(test_files_are_merged_and_the_credentials_file_wins),
	    TEST(test_mistakes_in_files_are_named_with_their_line),
	    TEST(test_a_profile_with_keys),
	    TEST(test_a_process_gives_credentials_or_says_why_not),
	    TEST(test_a_process_under_way_is_ended_with_its_source),
	    TEST(test_roles_on_profiles_to_any_depth),
	    TEST(test_mistakes_in_profiles_are_named),
	    TEST(test_a_profile_may_assume_a_role_with_its_own_keys_or_the_environments),
	    TEST(test_mfa_codes_are_asked_for_and_sent),
	    TEST(test_web_identity_is_not_signed),
	    TEST(test_sso_takes_the_token_of_the_cli),
	    TEST(test_containers),
	    TEST(test_instances_are_asked_with_a_token_only),
	    TEST(test_the_chain_says_all_that_it_tried),
	    TEST(test_the_first_source_that_is_set_up_decides),
	    TEST(test_a_session_is_fetched_once_for_all_that_wait),
	    TEST(test_failures_are_remembered),
	    TEST(test_sessions_are_renewed_before_they_end),
	    TEST(test_credentials_that_have_expired_are_refused),
	    TEST(test_a_chain_is_entered_once_for_all_accounts),
	    TEST(test_an_account_that_cannot_be_entered_says_who_what_where_and_why),
	    TEST(test_without_any_credentials_every_account_is_unreachable),
	    TEST(test_an_account_without_a_role_is_entered_with_what_is_at_hand_if_it_is_its_own),
	    TEST(test_an_account_may_name_a_profile),
	    TEST(test_a_parent_that_has_expired_is_renewed_once),
	    TEST(test_mistakes_in_access_are_errors),
	    TEST(test_cancelling_while_sessions_are_opened_reaches_everybody),
	    TEST(test_cancelling_does_not_wait_for_a_process),
	    TEST(test_the_end_of_what_cannot_be_renewed_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
