/* The table of topics. */
#include "cli/topics.h"

#include "conf/conf.h"
#include "daemon/config.h"

static void manual(FILE *out)
{
	(void)fprintf(out, "# Configuration\n\n"
			   "A YAML file. It is strict: an unknown or repeated key, a wrong "
			   "type or a value out of\n"
			   "range is an error with file, line and column. `fairlead check -c "
			   "FILE` tells every one of\n"
			   "them; a reload refuses such a file and the old one goes on. This "
			   "page is what\n"
			   "`fairlead help configuration` prints.\n\n");
	fl_conf_manual(fl_config_rows(), "", out);
}

static void schema(FILE *out)
{
	fl_conf_schema(fl_config_rows(), "Fairlead configuration", out);
}

const struct fl_topic fl_topics[] = {
	{"configuration", "every option of the file", manual},
	{"schema", "the same as a JSON schema, for editors", schema},
	{"man", "the man page fairlead(1)", fl_man_print},
	{"bash", "completion for bash", fl_completion_bash},
	{"zsh", "completion for zsh", fl_completion_zsh},
	{"fish", "completion for fish", fl_completion_fish},
	{NULL, NULL, NULL},
};
