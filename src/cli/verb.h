/* Verbs of the command line. A verb is one row: its name, what it is for, its options, and the
 * function that runs it. To add one: write src/cli/NAME.c with a `const struct fl_verb` and put
 * it into the table in verbs.c.
 *
 * Exit statuses, the same for all verbs: */
#ifndef FL_CLI_VERB_H
#define FL_CLI_VERB_H

#include <stdbool.h>
#include <stddef.h>

enum fl_exit {
	FL_EXIT_DONE = 0,
	FL_EXIT_FAILED = 1,   /* a check or a bound failed */
	FL_EXIT_USAGE = 2,    /* usage, or input that cannot be read */
	FL_EXIT_NO_OWNER = 3, /* some key has no owner */
};

/* One option, as --help shows it. A list of them ends with a row whose name is NULL. */
struct fl_arg {
	const char *name;  /* without the dashes: "keys-file" */
	char letter;       /* "c" of -c; 0: none */
	const char *value; /* what follows: "FILE"; NULL: nothing */
	const char *doc;
};

#define FL_ARG_END                                                                             \
	{                                                                                      \
		.name = NULL                                                                   \
	}

struct fl_verb {
	const char *name;
	const char *usage;   /* what stands behind the verb: "[OPTIONS] KEY..." */
	const char *summary; /* one line */
	const char *text;    /* further lines for --help; NULL: none */
	const struct fl_arg *args;
	int (*run)(const struct fl_verb *verb, int argc, char **argv); /* argv[0] is the verb */
};

/* All verbs, in the order of the help; NULL at the end. */
extern const struct fl_verb *const fl_verbs[];

extern const struct fl_verb fl_verb_lookup;
extern const struct fl_verb fl_verb_check;
extern const struct fl_verb fl_verb_serve;
extern const struct fl_verb fl_verb_why;
extern const struct fl_verb fl_verb_compare;
extern const struct fl_verb fl_verb_plan;
extern const struct fl_verb fl_verb_import;
extern const struct fl_verb fl_verb_verify;
extern const struct fl_verb fl_verb_demo;

/* Runs what the command line says; gives the exit status. */
int fl_cli_main(int argc, char **argv);

/* ---- walking the arguments of a verb ---- */

enum {
	FL_ARGS_WORD = -1, /* no option: `value` is the word */
	FL_ARGS_END = -2,
	FL_ARGS_STOP = -3, /* return `status`: help was printed, or an error was reported */
};

struct fl_args {
	const struct fl_verb *verb;
	int argc;
	char **argv;
	int at;
	bool words_only;    /* "--" was seen */
	const char *value;  /* of the option or word just given */
	const char *option; /* as it was written: "--keys-file", "-c" */
	int status;
};

void fl_args_init(struct fl_args *args, const struct fl_verb *verb, int argc, char **argv);

/* The next argument: the index of a row of the verb's `args`, or one of the above.
 * "--name value", "--name=value", "-n value", "-nvalue" and "--" are understood. */
int fl_args_next(struct fl_args *args);

/* Prints "fairlead VERB: ..." to stderr and returns FL_EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int fl_usage_error(
	const struct fl_verb *verb, const char *format, ...);

#endif
