/* See facts.h. */
#include "cli/facts.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

/* Parameters may be given on the command line; their values are not for the record. */
static json_t *command_of(const struct cli *cli)
{
	json_t *command = json_array();

	for (int i = 0; i < cli->argc; i++) {
		bool value = i > 0 && strcmp(cli->argv[i - 1], "--parameter") == 0;
		const char *equals = strchr(cli->argv[i], '=');

		if (text_starts(cli->argv[i], "--parameter=") || (value && equals != NULL))
			json_array_append_new(command, json_string("--parameter=..."));
		else
			json_array_append_new(command, json_string(cli->argv[i]));
	}
	return command;
}

json_t *facts_new(const struct cli *cli)
{
	const struct passwd *user = getpwuid(getuid());
	char host[256] = "", when[32];

	gethostname(host, sizeof host - 1);
	text_time(when, sizeof when, loop_wall_ms());
	return json_pack("{s:s, s:s, s:s, s:o, s:s}", "Time", when, "User", user == NULL ? "unknown" : user->pw_name,
			 "Host", host, "Command", command_of(cli), "Version", MUSTER_VERSION);
}
