/* muster-sandbox's command line. */
#include "tests/sandbox/sandbox.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: muster-sandbox --port N --roster accounts.json [OPTION]...\n"
    "A local AWS for trying and testing muster. Prints its URL when it is ready.\n\n"
    "  --port N           port on 127.0.0.1; 0 picks a free one (default 0)\n"
    "  --roster FILE      the accounts there are (muster's accounts.json)\n"
    "  --config FILE      credentials, roles and regions, if not in the roster's \"Sandbox\"\n"
    "  --regions FILE     {\"Enabled\": [], \"OptIn\": [], \"NotOptedIn\": [], \"ACCOUNTID\": {...}}\n"
    "  --latency-ms N     every answer is held back so long\n"
    "  --rate N           calls a second for each account, region and service; above, it throttles\n"
    "  --lag-ms N         new roles and bucket policies are seen by other services so much later\n"
    "  --fault SPEC       account=,region=,service=,operation= (globs), code=,status=,message=,\n"
    "                     count=,after=,every=, action=error|drop|hang|lost-answer; repeatable\n"
    "  --help             this text\n\n"
    "Look inside: GET /_sandbox/dump, stats, services, events and chat;\n"
    "POST /_sandbox/reset, fault, config, emit and webhook. See tests/sandbox/README.md.\n";

enum { OPT_PORT = 1, OPT_ROSTER, OPT_CONFIG, OPT_REGIONS, OPT_LATENCY, OPT_RATE, OPT_LAG, OPT_FAULT, OPT_HELP };

static const struct option options[] = {
    {"port", required_argument, NULL, OPT_PORT},
    {"roster", required_argument, NULL, OPT_ROSTER},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"regions", required_argument, NULL, OPT_REGIONS},
    {"latency-ms", required_argument, NULL, OPT_LATENCY},
    {"rate", required_argument, NULL, OPT_RATE},
    {"lag-ms", required_argument, NULL, OPT_LAG},
    {"fault", required_argument, NULL, OPT_FAULT},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static bool number_read(int64_t *out, const char *text, int64_t max)
{
	char *end;

	*out = strtoll(text, &end, 10);
	if (*end == '\0' && end != text && *out >= 0 && *out <= max)
		return true;
	fprintf(stderr, "muster-sandbox: not a number from 0 to %lld: %s\n", (long long)max, text);
	return false;
}

/* 0 to go on, 1 to end well, -1 to end badly. */
static int option_apply(struct sb *sb, int64_t *port, int option, const char *value)
{
	char *why = NULL;
	bool ok = true;
	char *end;

	switch (option) {
	case OPT_PORT:
		ok = number_read(port, value, 65535);
		break;
	case OPT_ROSTER:
		sb->roster_path = optarg;
		break;
	case OPT_CONFIG:
		sb->config_path = optarg;
		break;
	case OPT_REGIONS:
		sb->regions_path = optarg;
		break;
	case OPT_LATENCY:
		ok = number_read(&sb->latency_ms, value, 3600000);
		break;
	case OPT_LAG:
		ok = number_read(&sb->lag_ms, value, 3600000);
		break;
	case OPT_RATE:
		sb->rate = strtod(value, &end);
		ok = *end == '\0' && sb->rate >= 0;
		break;
	case OPT_FAULT:
		ok = sb_fault_add(sb, value, &why) == 0;
		if (!ok)
			fprintf(stderr, "muster-sandbox: %s\n", why);
		free(why);
		break;
	case OPT_HELP:
		fputs(help, stdout);
		return 1;
	default:
		ok = false;
	}
	return ok ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct sb sb = {0};
	int64_t port = 0;
	int option, status = 1;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		int next = option_apply(&sb, &port, option, optarg);

		if (next != 0) {
			sb_fault_clear(&sb);
			return next > 0 ? 0 : 1;
		}
	}
	if (sb.roster_path == NULL || optind != argc) {
		fputs("muster-sandbox: --roster FILE is needed, and nothing else; see --help\n", stderr);
	} else if (sb_world_load(&sb) == 0) {
		status = sb_http_serve(&sb, (unsigned short)port);
	}
	sb_fault_clear(&sb);
	sb_world_free(&sb);
	json_decref(sb.saved);
	return status;
}
