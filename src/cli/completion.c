/* Completion scripts, off the rows of verbs, topics and algorithms. */
#include "cli/topics.h"
#include "cli/verb.h"
#include "fairlead/fairlead.h"

#include <string.h>

static const char compat_prefix[] = "compat:";

/* What may stand behind an option. */
enum kind {
	KIND_NONE,  /* it takes no value */
	KIND_OTHER, /* nothing to offer */
	KIND_FILE,
	KIND_ALGORITHM,
	KIND_COMPAT,
};

static enum kind kind_of(const struct fl_arg *a)
{
	if (!a->value)
		return KIND_NONE;
	if (strcmp(a->name, "algorithm") == 0)
		return KIND_ALGORITHM;
	if (strcmp(a->name, "compat") == 0)
		return KIND_COMPAT;
	return strstr(a->value, "FILE") ? KIND_FILE : KIND_OTHER;
}

static void put_algorithms(FILE *out, bool compat)
{
	const struct fl_algorithm_info *a = NULL;
	const char *gap = "";
	size_t skip = sizeof(compat_prefix) - 1;

	while ((a = fl_algorithm_next(a))) {
		bool is = strncmp(a->name, compat_prefix, skip) == 0;

		if (is != compat)
			continue;
		(void)fprintf(out, "%s%s", gap, a->name + (compat ? skip : 0));
		gap = " ";
	}
}

static void put_verbs(FILE *out)
{
	for (size_t i = 0; fl_verbs[i]; i++)
		(void)fprintf(out, "%s ", fl_verbs[i]->name);
}

static void put_topics(FILE *out)
{
	for (const struct fl_topic *t = fl_topics; t->name; t++)
		(void)fprintf(out, "%s ", t->name);
}

/* Within single quotes of a shell; for zsh's specs also with its own marks escaped. */
static void put_doc(FILE *out, const char *text, const char *marks)
{
	for (const char *p = text; *p; p++) {
		if (*p == '\'')
			(void)fputs("'\\''", out);
		else if (strchr(marks, *p))
			(void)fprintf(out, "\\%c", *p);
		else
			(void)fputc(*p, out);
	}
}

/* ---- bash ---- */

static void bash_option_names(FILE *out, const struct fl_verb *verb)
{
	for (const struct fl_arg *a = verb->args; a && a->name; a++)
		(void)fprintf(out, "--%s ", a->name);
	(void)fputs("--help", out);
}

static bool has_kind(const struct fl_verb *verb, enum kind kind)
{
	for (const struct fl_arg *a = verb->args; a && a->name; a++)
		if (kind_of(a) == kind)
			return true;
	return false;
}

/* The options of one kind as patterns of a case: "lookup:--config|lookup:-c". */
static void bash_patterns(FILE *out, const struct fl_verb *verb, enum kind kind)
{
	const char *bar = "";

	for (const struct fl_arg *a = verb->args; a && a->name; a++) {
		if (kind_of(a) != kind)
			continue;
		(void)fprintf(out, "%s%s:--%s", bar, verb->name, a->name);
		if (a->letter)
			(void)fprintf(out, "|%s:-%c", verb->name, a->letter);
		bar = "|";
	}
}

static void bash_value(FILE *out, const struct fl_verb *verb, enum kind kind)
{
	(void)fputs("\t", out);
	bash_patterns(out, verb, kind);
	(void)fputs(")\n\t\t", out);
	if (kind == KIND_FILE) {
		(void)fputs("COMPREPLY=($(compgen -f -- \"$word\"))\n\t\t", out);
	} else if (kind != KIND_OTHER) {
		(void)fputs("COMPREPLY=($(compgen -W \"", out);
		put_algorithms(out, kind == KIND_COMPAT);
		(void)fputs("\" -- \"$word\"))\n\t\t", out);
	}
	(void)fputs("return\n\t\t;;\n", out);
}

static void bash_values(FILE *out)
{
	static const enum kind kinds[] = {KIND_FILE, KIND_ALGORITHM, KIND_COMPAT, KIND_OTHER};

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (size_t i = 0; fl_verbs[i]; i++)
			if (has_kind(fl_verbs[i], kinds[k]))
				bash_value(out, fl_verbs[i], kinds[k]);
}

void fl_completion_bash(FILE *out)
{
	(void)fputs(
		"# bash completion for fairlead\n"
		"_fairlead()\n{\n"
		"\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
		"\tlocal verb=${COMP_WORDS[1]}\n"
		"\tCOMPREPLY=()\n"
		"\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
		"\t\tCOMPREPLY=($(compgen -W \"",
		out);
	put_verbs(out);
	(void)fputs("help\" -- \"$word\"))\n\t\treturn\n\tfi\n"
		    "\tcase $verb:$before in\n\thelp:*)\n\t\tCOMPREPLY=($(compgen -W \"",
		out);
	put_verbs(out);
	put_topics(out);
	(void)fputs("\" -- \"$word\"))\n\t\treturn\n\t\t;;\n", out);
	bash_values(out);
	(void)fputs("\tesac\n\tcase $verb in\n", out);
	for (size_t i = 0; fl_verbs[i]; i++) {
		(void)fprintf(out, "\t%s) COMPREPLY=($(compgen -W \"", fl_verbs[i]->name);
		bash_option_names(out, fl_verbs[i]);
		(void)fputs("\" -- \"$word\")) ;;\n", out);
	}
	(void)fputs("\tesac\n}\ncomplete -o default -F _fairlead fairlead\n", out);
}

/* ---- zsh ---- */

#define ZSH_MARKS "[]:\\"

static void zsh_value(FILE *out, const struct fl_arg *a)
{
	enum kind kind = kind_of(a);

	if (kind == KIND_NONE)
		return;
	(void)fputs(":", out);
	put_doc(out, a->value, ZSH_MARKS);
	(void)fputs(":", out);
	if (kind == KIND_FILE)
		(void)fputs("_files", out);
	if (kind == KIND_ALGORITHM || kind == KIND_COMPAT) {
		(void)fputs("(", out);
		put_algorithms(out, kind == KIND_COMPAT);
		(void)fputs(")", out);
	}
}

static void zsh_option(FILE *out, const struct fl_arg *a)
{
	const char *glued = a->value ? "+" : "", *equals = a->value ? "=" : "";

	if (a->letter)
		(void)fprintf(
			out, "\t\t\t'*'{-%c%s,--%s%s}", a->letter, glued, a->name, equals);
	else
		(void)fprintf(out, "\t\t\t'*'--%s%s", a->name, equals);
	(void)fputs("'[", out);
	put_doc(out, a->doc, ZSH_MARKS);
	(void)fputs("]", out);
	zsh_value(out, a);
	(void)fputs("' \\\n", out);
}

void fl_completion_zsh(FILE *out)
{
	(void)fputs("#compdef fairlead\n"
		    "_fairlead() {\n\tlocal -a verbs topics\n\tverbs=(\n",
		out);
	for (size_t i = 0; fl_verbs[i]; i++) {
		(void)fprintf(out, "\t\t'%s:", fl_verbs[i]->name);
		put_doc(out, fl_verbs[i]->summary, ZSH_MARKS);
		(void)fputs("'\n", out);
	}
	(void)fputs("\t\t'help:what a verb does, or a topic'\n\t)\n\ttopics=(\n", out);
	for (const struct fl_topic *t = fl_topics; t->name; t++) {
		(void)fprintf(out, "\t\t'%s:", t->name);
		put_doc(out, t->summary, ZSH_MARKS);
		(void)fputs("'\n", out);
	}
	(void)fputs(
		"\t)\n"
		"\tif (( CURRENT == 2 )); then\n\t\t_describe verb verbs\n\t\treturn\n\tfi\n"
		"\tlocal verb=$words[2]\n\tshift words\n\t(( CURRENT-- ))\n"
		"\tcase $verb in\n"
		"\thelp)\n\t\t_describe verb verbs -- topics\n\t\t;;\n",
		out);
	for (size_t i = 0; fl_verbs[i]; i++) {
		(void)fprintf(out, "\t%s)\n\t\t_arguments -s \\\n", fl_verbs[i]->name);
		for (const struct fl_arg *a = fl_verbs[i]->args; a && a->name; a++)
			zsh_option(out, a);
		(void)fputs("\t\t\t'*'{-h,--help}'[print what the verb does]' \\\n"
			    "\t\t\t'*:word:_files'\n\t\t;;\n",
			out);
	}
	(void)fputs("\tesac\n}\n"
		    "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n\t_fairlead \"$@\"\n"
		    "else\n\tcompdef _fairlead fairlead\nfi\n",
		out);
}

/* ---- fish ---- */

static void fish_option(FILE *out, const struct fl_verb *verb, const struct fl_arg *a)
{
	enum kind kind = kind_of(a);

	(void)fprintf(out, "complete -c fairlead -n '__fish_seen_subcommand_from %s' -l %s",
		verb->name, a->name);
	if (a->letter)
		(void)fprintf(out, " -s %c", a->letter);
	if (kind == KIND_FILE)
		(void)fputs(" -r -F", out);
	else if (kind == KIND_ALGORITHM || kind == KIND_COMPAT) {
		(void)fputs(" -x -a '", out);
		put_algorithms(out, kind == KIND_COMPAT);
		(void)fputs("'", out);
	} else if (kind == KIND_OTHER)
		(void)fputs(" -x", out);
	(void)fputs(" -d '", out);
	put_doc(out, a->doc, "\\");
	(void)fputs("'\n", out);
}

static void fish_word(FILE *out, const char *when, const char *word, const char *doc)
{
	(void)fprintf(out, "complete -c fairlead -n '%s' -f -a %s -d '", when, word);
	put_doc(out, doc, "\\");
	(void)fputs("'\n", out);
}

void fl_completion_fish(FILE *out)
{
	static const char help[] = "__fish_seen_subcommand_from help";

	(void)fputs("# fish completion for fairlead\n", out);
	for (size_t i = 0; fl_verbs[i]; i++) {
		const struct fl_verb *verb = fl_verbs[i];

		fish_word(out, "__fish_use_subcommand", verb->name, verb->summary);
		fish_word(out, help, verb->name, verb->summary);
		for (const struct fl_arg *a = verb->args; a && a->name; a++)
			fish_option(out, verb, a);
	}
	fish_word(out, "__fish_use_subcommand", "help", "what a verb does, or a topic");
	for (const struct fl_topic *t = fl_topics; t->name; t++)
		fish_word(out, help, t->name, t->summary);
}
