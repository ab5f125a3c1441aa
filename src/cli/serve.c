/* fairlead serve: the balancer. */
#include "cli/verb.h"

#include "daemon/serve.h"

static const struct fl_arg args[] = {
	{"config", 'c', "FILE", "the configuration"},
	FL_ARG_END,
};

static int run(const struct fl_verb *verb, int argc, char **argv)
{
	struct fl_args walk;
	const char *path = NULL;

	fl_args_init(&walk, verb, argc, argv);
	for (int arg = fl_args_next(&walk); arg != FL_ARGS_END; arg = fl_args_next(&walk)) {
		if (arg == FL_ARGS_STOP)
			return walk.status;
		if (arg == FL_ARGS_WORD)
			return fl_usage_error(verb, "\"%s\" is not expected", walk.value);
		path = walk.value;
	}
	if (!path)
		return fl_usage_error(verb, "a configuration is needed: -c FILE");
	return fl_serve(path);
}

const struct fl_verb fl_verb_serve = {
	.name = "serve",
	.usage = "-c FILE",
	.summary = "Balances HTTP traffic as a configuration says",
	.text = "SIGHUP reloads the file (one with errors changes nothing), SIGUSR1 opens the\n"
		"access log anew, SIGTERM and SIGINT let requests finish and end.\n"
		"Exit: 0 ended by a signal, 1 could not start, 2 the file has errors.",
	.args = args,
	.run = run,
};
