/* The man page, in mdoc, off the rows of the verbs. */
#include "cli/topics.h"
#include "cli/verb.h"

#include <string.h>

static bool ends_sentence(char c)
{
	return c == '.' || c == '?' || c == '!';
}

/* A text as roff: what is special to it is escaped, and each sentence begins a line. */
static void put(FILE *out, const char *text, size_t n)
{
	bool fresh = true;

	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		if (fresh && (c == '.' || c == '\''))
			(void)fputs("\\&", out);
		fresh = c == ' ' && i > 0 && ends_sentence(text[i - 1]);
		if (fresh)
			(void)fputc('\n', out);
		else if (c == '\\')
			(void)fputs("\\e", out);
		else if (c == '-')
			(void)fputs("\\-", out);
		else
			(void)fputc(c, out);
	}
}

/* The same, as a sentence. */
static void put_sentence(FILE *out, const char *text)
{
	size_t n = strlen(text);

	put(out, text, n);
	(void)fputs(n > 0 && ends_sentence(text[n - 1]) ? "\n" : ".\n", out);
}

/* An argument of a macro: one word whatever is in it. */
static void put_quoted(FILE *out, const char *text)
{
	(void)fputc('"', out);
	for (const char *p = text; *p; p++) {
		if (*p == '"')
			(void)fputs("\\(dq", out);
		else if (*p == '\\')
			(void)fputs("\\e", out);
		else
			(void)fputc(*p, out);
	}
	(void)fputc('"', out);
}

/* Lines flow together; an empty one begins a paragraph, unless what follows is indented: such lines
 * stand as they are, on their own. */
static void put_text(FILE *out, const char *text)
{
	bool literal = false;

	while (*text) {
		size_t n = strcspn(text, "\n");
		bool indented = text[0] == ' ';

		if (indented != literal)
			(void)fputs(indented ? ".Bd -literal -offset indent\n" : ".Ed\n", out);
		literal = indented;
		if (n == 0)
			(void)fputs(text[1] == ' ' ? ".\\\"" : ".Pp", out);
		else
			put(out, text + 2 * (size_t)indented, n - 2 * (size_t)indented);
		(void)fputc('\n', out);
		text += n + (text[n] == '\n');
	}
	if (literal)
		(void)fputs(".Ed\n", out);
}

static void put_option(FILE *out, const struct fl_arg *a)
{
	(void)fputs(".It ", out);
	if (a->letter)
		(void)fprintf(out, "Fl %c , ", a->letter);
	(void)fprintf(out, "Fl \\-%s", a->name);
	if (a->value) {
		(void)fputs(" Ar ", out);
		put_quoted(out, a->value);
	}
	(void)fputc('\n', out);
	put_sentence(out, a->doc);
}

static void put_verb(FILE *out, const struct fl_verb *verb)
{
	(void)fprintf(out, ".Ss %s\n.Nm\n.Cm %s\n", verb->name, verb->name);
	if (*verb->usage) {
		(void)fputs(".Ar ", out);
		put_quoted(out, verb->usage);
		(void)fputc('\n', out);
	}
	(void)fputs(".Pp\n", out);
	put_sentence(out, verb->summary);
	(void)fputs(".Pp\n", out);
	if (verb->text)
		put_text(out, verb->text);
	(void)fputs(".Bl -tag -width Ds\n", out);
	for (const struct fl_arg *a = verb->args; a && a->name; a++)
		put_option(out, a);
	(void)fputs(".It Fl h , Fl \\-help\nPrint what this section says.\n.El\n", out);
}

void fl_man_print(FILE *out)
{
	(void)fputs(
		".Dd $Mdocdate$\n.Dt FAIRLEAD 1\n.Os\n"
		".Sh NAME\n.Nm fairlead\n.Nd consistent hashing: a balancer and its tools\n"
		".Sh SYNOPSIS\n.Nm\n.Ar verb\n.Op Ar options\n.Ar ...\n.Nm\n.Cm help\n"
		".Op Ar verb | topic\n"
		".Sh DESCRIPTION\nA key goes in, a node comes out.\n.Nm\n"
		"sends each request to the node that its key belongs to, and tells, before\n"
		"and after a change, which keys move.\n"
		".Sh VERBS\n",
		out);
	for (size_t i = 0; fl_verbs[i]; i++)
		put_verb(out, fl_verbs[i]);
	(void)fputs(".Sh TOPICS\n.Nm\n.Cm help\n.Ar topic\nprints:\n.Bl -tag -width Ds\n", out);
	for (const struct fl_topic *t = fl_topics; t->name; t++)
		(void)fprintf(out, ".It Cm %s\n%s.\n", t->name, t->summary);
	(void)fputs(".El\n"
		    ".Sh EXIT STATUS\n.Bl -tag -width Ds\n.It 0\nDone.\n"
		    ".It 1\nA check or a bound failed.\n"
		    ".It 2\nUsage, or input that cannot be read.\n"
		    ".It 3\nSome key has no owner.\n.El\n"
		    ".Sh SEE ALSO\n.Xr fairlead 3\n",
		out);
}
