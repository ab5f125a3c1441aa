/* Walking the arguments of a verb by its table, so that --help and the parser cannot disagree. */
#include "cli/verb.h"

#include "conf/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ARGS_MOST 64

int fl_usage_error(const struct fl_verb *verb, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	(void)fprintf(stderr, "fairlead %s: ", verb->name);
	(void)vfprintf(stderr, format, list);
	(void)fputc('\n', stderr);
	va_end(list);
	return FL_EXIT_USAGE;
}

void fl_args_init(struct fl_args *args, const struct fl_verb *verb, int argc, char **argv)
{
	*args = (struct fl_args){.verb = verb, .argc = argc, .argv = argv, .at = 1};
}

static void help_arg(const struct fl_arg *a)
{
	char left[64];

	(void)snprintf(left, sizeof(left), "%s%c%s--%s%s%s", a->letter ? "-" : "",
		a->letter ? a->letter : ' ', a->letter ? ", " : "   ", a->name,
		a->value ? " " : "", a->value ? a->value : "");
	(void)printf("  %-30s %s\n", left, a->doc);
}

static void help(const struct fl_verb *verb)
{
	static const struct fl_arg own = {"help", 'h', NULL, "print this"};

	(void)printf("usage: fairlead %s%s%s\n\n%s.\n", verb->name, *verb->usage ? " " : "",
		verb->usage, verb->summary);
	if (verb->text)
		(void)printf("\n%s\n", verb->text);
	(void)printf("\noptions:\n");
	for (const struct fl_arg *a = verb->args; a && a->name; a++)
		help_arg(a);
	help_arg(&own);
}

static int stop(struct fl_args *args, int status)
{
	args->status = status;
	return FL_ARGS_STOP;
}

static int unknown(struct fl_args *args, const char *name, size_t len)
{
	const char *names[ARGS_MOST + 2] = {"help"};
	char typed[64];
	size_t n = 1;

	(void)snprintf(typed, sizeof(typed), "%.*s", (int)(len < 60 ? len : 60), name);
	for (const struct fl_arg *a = args->verb->args; a->name && n < ARGS_MOST; a++)
		names[n++] = a->name;
	names[n] = NULL;
	const char *near = fl_conf_nearest(typed, names);
	if (near)
		return stop(args,
			fl_usage_error(args->verb,
				"there is no option --%s; did you mean --%s?", typed, near));
	return stop(args,
		fl_usage_error(args->verb, "there is no option --%s; see \"fairlead help %s\"",
			typed, args->verb->name));
}

/* The value of option `a`: what is left of its own argument, or the next one. */
static int take_value(struct fl_args *args, const struct fl_arg *a, char *rest)
{
	args->value = NULL;
	if (!a->value) {
		if (rest)
			return stop(args,
				fl_usage_error(args->verb, "%s takes no value", args->option));
		return (int)(a - args->verb->args);
	}
	if (!rest && args->at >= args->argc)
		return stop(args, fl_usage_error(args->verb, "%s wants a value: %s",
					  args->option, a->value));
	args->value = rest ? rest : args->argv[args->at++];
	return (int)(a - args->verb->args);
}

static int long_option(struct fl_args *args, char *name)
{
	size_t len = strcspn(name, "=");

	if (len == 4 && strncmp(name, "help", 4) == 0) {
		help(args->verb);
		return stop(args, FL_EXIT_DONE);
	}
	for (const struct fl_arg *a = args->verb->args; a->name; a++)
		if (strlen(a->name) == len && strncmp(a->name, name, len) == 0)
			return take_value(args, a, name[len] ? name + len + 1 : NULL);
	return unknown(args, name, len);
}

static int short_option(struct fl_args *args, char *text)
{
	if (strcmp(text, "h") == 0) {
		help(args->verb);
		return stop(args, FL_EXIT_DONE);
	}
	for (const struct fl_arg *a = args->verb->args; a->name; a++)
		if (a->letter == text[0])
			return take_value(args, a, text[1] ? text + 1 : NULL);
	return stop(args,
		fl_usage_error(args->verb,
			"there is no option -%s; what is no option goes behind \"--\"", text));
}

int fl_args_next(struct fl_args *args)
{
	char *word;

	if (args->at >= args->argc)
		return FL_ARGS_END;
	word = args->argv[args->at++];
	args->option = word;
	if (!args->words_only && word[0] == '-' && word[1] != '\0') {
		if (strcmp(word, "--") == 0) {
			args->words_only = true;
			return fl_args_next(args);
		}
		return word[1] == '-' ? long_option(args, word + 2)
		                      : short_option(args, word + 1);
	}
	args->value = word;
	return FL_ARGS_WORD;
}
