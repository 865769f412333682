/* See options.h. */
#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/words.h"

#define NUMBER_MAX 100000
#define COUNT_MAX  (1ull << 53)

static size_t table_count(const struct command *command)
{
	size_t count = 0;

	while (command->options != NULL && command->options[count].name != NULL)
		count++;
	return count;
}

static const struct option *option_find(const struct command *command, const char *name)
{
	for (size_t i = 0; i < table_count(command); i++)
		if (strcmp(command->options[i].name, name) == 0)
			return &command->options[i];
	return NULL;
}

static int unknown_option(const struct command *command, const char *name, struct diag *d)
{
	size_t count = table_count(command);
	const char **names = mem_array(count + 1, sizeof *names), *meant;

	for (size_t i = 0; i < count; i++)
		names[i] = command->options[i].name;
	names[count] = "help";
	meant = text_nearest(name, names, count + 1);
	free(names);
	return diag_error(d, "muster %s has no option --%s%s%s%s", command->name, name,
			  meant == NULL ? "" : " (did you mean --", meant == NULL ? "" : meant,
			  meant == NULL ? "" : "?)");
}

static int take_number(size_t *value, const struct option *option, const char *text, struct diag *d)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || *text < '0' || *text > '9' || number < 1 || number > NUMBER_MAX)
		return diag_error(d, "--%s takes a whole number from 1 to %d, not \"%s\"", option->name, NUMBER_MAX,
				  text);
	*value = number;
	return 0;
}

int option_count_parse(uint64_t *out, const char *what, const char *text, struct diag *d)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	/* What JSON can hold without loss. */
	if (errno != 0 || *end != '\0' || *text < '0' || *text > '9' || number > COUNT_MAX)
		return diag_error(d, "%s is a whole number, not \"%s\"", what, text);
	*out = number;
	return 0;
}

static int take_count(struct option_count *value, const struct option *option, const char *text, struct diag *d)
{
	mem_auto_str char *what = mem_printf("--%s", option->name);

	value->given = true;
	return option_count_parse(&value->value, what, text, d);
}

static int take_choice(const char **value, const struct option *option, const char *text, struct diag *d)
{
	buf_auto struct buf all = BUF_INIT;

	for (const char *const *choice = option->choices; *choice != NULL; choice++) {
		if (strcmp(*choice, text) == 0) {
			*value = *choice;
			return 0;
		}
		buf_addf(&all, "%s%s", all.len > 0 ? ", " : "", *choice);
	}
	return diag_error(d, "--%s is one of %s, not \"%s\"", option->name, buf_str(&all), text);
}

static int take_value(const struct option *option, void *arguments, const char *text, struct diag *d)
{
	void *value = (char *)arguments + option->offset;
	struct option_list *list = value;

	switch (option->kind) {
	case OPTION_FLAG:
		break;
	case OPTION_TEXT:
		*(const char **)value = text;
		return 0;
	case OPTION_LIST:
		list->items = mem_resize(list->items, list->count + 1, sizeof *list->items);
		list->items[list->count++] = text;
		return 0;
	case OPTION_NUMBER:
		return take_number(value, option, text, d);
	case OPTION_COUNT:
		return take_count(value, option, text, d);
	case OPTION_CHOICE:
		return take_choice(value, option, text, d);
	}
	return 0;
}

/* One `--…` argument; *used counts how many of argv it took. */
static int parse_option(const struct command *command, int argc, char **argv, void *arguments, int *used,
			struct diag *d)
{
	const char *equals = strchr(argv[0], '=');
	mem_auto_str char *name =
	    equals == NULL ? mem_strdup(argv[0] + 2) : mem_strndup(argv[0] + 2, (size_t)(equals - argv[0]) - 2);
	const struct option *option = option_find(command, name);
	bool negated = false;

	if (option == NULL && text_starts(name, "no-")) {
		option = option_find(command, name + 3);
		negated = option != NULL && option->kind == OPTION_FLAG;
		option = negated ? option : NULL;
	}
	if (option == NULL)
		return unknown_option(command, name, d);
	if (option->kind == OPTION_FLAG) {
		if (equals != NULL)
			return diag_error(d, "--%s takes no value", name);
		*(bool *)((char *)arguments + option->offset) = !negated;
		return 0;
	}
	if (equals != NULL)
		return take_value(option, arguments, equals + 1, d);
	if (argc < 2)
		return diag_error(d, "--%s needs a value: --%s %s", name, name, option->argument);
	*used = 2;
	return take_value(option, arguments, argv[1], d);
}

static int check_words(const struct command *command, size_t count, struct diag *d)
{
	if (count < command->words_min)
		return diag_error(d, "muster %s needs %s; muster %s --help tells more", command->name, command->words,
				  command->name);
	if (count > command->words_max)
		return diag_error(d, "too many arguments; usage: muster %s [OPTION]... %s", command->name,
				  command->words == NULL ? "" : command->words);
	return 0;
}

int options_parse(const struct command *command, int argc, char **argv, void *arguments, const char **words,
		  size_t *count, struct diag *d)
{
	bool options = true;

	*count = 0;
	if (command->defaults != NULL)
		command->defaults(arguments);
	for (int i = 0; i < argc;) {
		int used = 1;

		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (options && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
			return 1;
		} else if (options && text_starts(argv[i], "--")) {
			if (parse_option(command, argc - i, argv + i, arguments, &used, d) < 0)
				return -1;
		} else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
			return diag_error(d, "unknown option %s; options have long names, see muster %s --help",
					  argv[i], command->name);
		} else {
			words[(*count)++] = argv[i];
		}
		i += used;
	}
	return check_words(command, *count, d);
}

void options_free(const struct command *command, void *arguments)
{
	for (size_t i = 0; i < table_count(command); i++)
		if (command->options[i].kind == OPTION_LIST)
			free(((struct option_list *)((char *)arguments + command->options[i].offset))->items);
}

void options_help_line(const char *left, const char *text, size_t column, size_t width, FILE *out)
{
	buf_auto struct buf line = BUF_INIT;

	/* Beside a wide name, a narrow terminal has no room for words. */
	if (column + 24 > width)
		column = 6;
	buf_addf(&line, "  %s", left);
	if (line.len + 2 > column)
		buf_addf(&line, "\n%*s", (int)column, "");
	else
		buf_addf(&line, "%*s", (int)(column - line.len), "");
	words_wrap(&line, text, column, width);
	fputs(buf_str(&line), out);
}

static void help_option(const struct option *option, size_t width, FILE *out)
{
	buf_auto struct buf left = BUF_INIT;

	buf_addf(&left, "--%s", option->name);
	if (option->kind == OPTION_CHOICE) {
		buf_addc(&left, ' ');
		for (const char *const *choice = option->choices; *choice != NULL; choice++)
			buf_addf(&left, "%s%s", choice == option->choices ? "" : "|", *choice);
	} else if (option->kind != OPTION_FLAG) {
		buf_addf(&left, " %s", option->argument);
	}
	options_help_line(buf_str(&left), option->help, 30, width, out);
}

/* The summary stands in a list elsewhere; here it is a sentence. */
static void help_summary(struct buf *out, const char *summary, size_t width)
{
	buf_auto struct buf sentence = BUF_INIT;

	buf_addf(&sentence, "%c%s.", toupper((unsigned char)summary[0]), summary + 1);
	words_wrap(out, buf_str(&sentence), 0, width);
}

void options_help(const struct command *command, size_t width, FILE *out)
{
	size_t count = table_count(command);
	buf_auto struct buf page = BUF_INIT;

	buf_addf(&page, "Usage: muster [-C DIR] %s%s%s%s\n\n", command->name, count > 0 ? " [OPTION]..." : "",
		 command->words == NULL ? "" : " ", command->words == NULL ? "" : command->words);
	help_summary(&page, command->summary, width);
	if (command->details != NULL) {
		buf_addc(&page, '\n');
		words_wrap(&page, command->details, 0, width);
	}
	if (count > 0)
		buf_adds(&page, "\nOptions:\n");
	fputs(buf_str(&page), out);
	for (size_t i = 0; i < count; i++)
		help_option(&command->options[i], width, out);
}
