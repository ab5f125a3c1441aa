/* The table of verbs, and what happens before one of them runs. */
#include "cli/topics.h"
#include "cli/verb.h"

#include "conf/conf.h"
#include "fairlead/fairlead.h"

#include <stdio.h>
#include <string.h>

const struct fl_verb *const fl_verbs[] = {
	&fl_verb_check,
	&fl_verb_lookup,
	&fl_verb_compare,
	&fl_verb_plan,
	&fl_verb_why,
	&fl_verb_serve,
	&fl_verb_import,
	&fl_verb_verify,
	&fl_verb_demo,
	NULL,
};

#define VERBS (sizeof(fl_verbs) / sizeof(fl_verbs[0]))

static void overview(FILE *out)
{
	(void)fprintf(out, "usage: fairlead VERB [OPTIONS] ...\n\n"
			   "A key goes in, a node comes out.\n\nverbs:\n");
	for (size_t i = 0; fl_verbs[i]; i++)
		(void)fprintf(out, "  %-10s %s\n", fl_verbs[i]->name, fl_verbs[i]->summary);
	(void)fprintf(out, "  %-10s %s\n\ntopics, for \"fairlead help TOPIC\":\n", "help VERB",
		"what a verb does, and its options");
	for (const struct fl_topic *t = fl_topics; t->name; t++)
		(void)fprintf(out, "  %-14s %s\n", t->name, t->summary);
	(void)fprintf(out,
		"\nExit statuses: 0 done, 1 a check or a bound failed, 2 usage or bad "
		"input,\n3 some key has no owner.\n");
}

static const struct fl_verb *find(const char *name)
{
	for (size_t i = 0; fl_verbs[i]; i++)
		if (strcmp(fl_verbs[i]->name, name) == 0)
			return fl_verbs[i];
	return NULL;
}

static int unknown(const char *name)
{
	const char *names[VERBS + 1] = {"help"};
	size_t n = 1;

	for (size_t i = 0; fl_verbs[i]; i++)
		names[n++] = fl_verbs[i]->name;
	names[n] = NULL;
	const char *near = fl_conf_nearest(name, names);
	if (near)
		(void)fprintf(stderr,
			"fairlead: there is no verb \"%s\"; did you mean \"%s\"?\n", name,
			near);
	else
		(void)fprintf(stderr,
			"fairlead: there is no verb \"%s\"; see \"fairlead help\"\n", name);
	return FL_EXIT_USAGE;
}

static int help_verb(const char *name)
{
	for (const struct fl_topic *t = fl_topics; t->name; t++) {
		if (strcmp(name, t->name) == 0) {
			t->print(stdout);
			return FL_EXIT_DONE;
		}
	}
	const struct fl_verb *verb = find(name);
	char *argv[] = {(char *)(verb ? verb->name : name), (char *)"--help", NULL};

	return verb ? verb->run(verb, 2, argv) : unknown(name);
}

/* What was printed must have arrived: a full disk is no success. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	(void)fprintf(stderr, "fairlead: cannot write to standard output\n");
	return status == FL_EXIT_DONE ? FL_EXIT_USAGE : status;
}

int fl_cli_main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	const struct fl_verb *verb;

	if (!name) {
		overview(stderr);
		return FL_EXIT_USAGE;
	}
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
		(void)printf("fairlead %s\n", fl_version());
		return finish(FL_EXIT_DONE);
	}
	if (strcmp(name, "help") == 0 && argc > 2)
		return finish(help_verb(argv[2]));
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 ||
		strcmp(name, "-h") == 0) {
		overview(stdout);
		return finish(FL_EXIT_DONE);
	}
	verb = find(name);
	if (!verb)
		return unknown(name);
	return finish(verb->run(verb, argc - 1, argv + 1));
}
