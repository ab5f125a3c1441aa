/* The report: the notes of a model as text and as JSON. */
#include "import/import.h"

#include "base/utf8.h"
#include "import/text.h"

void fl_import_plain(struct fl_text *out, struct fl_slice text)
{
	uint32_t code;

	for (size_t i = 0, n; i < text.n; i += n) {
		n = fl_utf8_decode(text.p + i, text.n - i, &code);
		if (n == 0 || fl_utf8_acts(code))
			FL_TEXT_LITERAL(out, "?");
		else
			fl_text_add(out, text.p + i, n);
		n = n ? n : 1;
	}
}

static const char *const kinds[] = {
	[FL_IMPORT_CARRIED] = "carried",
	[FL_IMPORT_NOT_CARRIED] = "not carried",
	[FL_IMPORT_ASK] = "must be told",
	[FL_IMPORT_LOOKUP] = "only for lookup",
};

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static size_t count(const struct fl_import *m, enum fl_import_kind kind)
{
	size_t n = 0;

	for (const struct fl_import_note *note = m->notes; note; note = note->next)
		n += note->kind == kind;
	return n;
}

static void summary(const struct fl_import *m, struct fl_text *out)
{
	size_t nodes = 0;

	for (const struct fl_import_pool *p = m->pools; p; p = p->next)
		nodes += p->node_count;
	fl_text_format(out,
		"%zu pool%s with %zu node%s, %zu listener%s, %zu route%s; "
		"%zu not carried, %zu must be told, %zu only for lookup\n",
		m->pool_count, plural(m->pool_count), nodes, plural(nodes), m->listener_count,
		plural(m->listener_count), m->route_count, plural(m->route_count),
		count(m, FL_IMPORT_NOT_CARRIED), count(m, FL_IMPORT_ASK),
		count(m, FL_IMPORT_LOOKUP));
	if (m->notes_dropped)
		fl_text_format(out, "%zu further notes are left out\n", m->notes_dropped);
	if (!m->listeners)
		FL_TEXT_LITERAL(out,
			"there are no listeners: serve and check want some, lookup "
			"and plan do not\n");
	fl_text_string(out, m->misplaced
				    ? "keys or requests go elsewhere than before because of "
				      "what is marked with \"!\"\n"
				    : "every key goes where it went before\n");
}

void fl_import_report(const struct fl_import *m, struct fl_text *out)
{
	for (const struct fl_import_note *n = m->notes; n; n = n->next) {
		fl_import_plain(out, fl_slice_of(n->at.file));
		fl_text_format(out, ":%u: %s%s: `", n->at.line, n->placement ? "! " : "",
			kinds[n->kind]);
		fl_import_plain(out, fl_slice_of(n->text));
		FL_TEXT_LITERAL(out, "`: ");
		fl_import_plain(out, fl_slice_of(n->why));
		FL_TEXT_LITERAL(out, "\n");
	}
	summary(m, out);
}

/* ---- JSON ---- */

/* fl_import_plain leaves nothing to escape but quotes and backslashes. */
static void json_text(struct fl_text *out, const char *name, const char *text)
{
	const char *stop;

	fl_text_format(out, "\"%s\":\"", name);
	for (; *text; text = stop) {
		size_t n = strcspn(text, "\"\\");
		fl_import_plain(out, (struct fl_slice){text, n});
		stop = text + n;
		if (*stop)
			fl_text_format(out, "\\%c", *stop++);
	}
	FL_TEXT_LITERAL(out, "\"");
}

void fl_import_report_json(const struct fl_import *m, struct fl_text *out)
{
	fl_text_format(out,
		"{\"placement_carried\":%s,\"pools\":%zu,\"listeners\":%zu,\"routes\":%zu,"
		"\"notes_left_out\":%zu,\"notes\":[",
		m->misplaced ? "false" : "true", m->pool_count, m->listener_count,
		m->route_count, m->notes_dropped);
	for (const struct fl_import_note *n = m->notes; n; n = n->next) {
		if (n != m->notes)
			FL_TEXT_LITERAL(out, ",");
		FL_TEXT_LITERAL(out, "\n{");
		json_text(out, "kind", kinds[n->kind]);
		fl_text_format(out, ",\"placement\":%s,", n->placement ? "true" : "false");
		json_text(out, "file", n->at.file);
		fl_text_format(out, ",\"line\":%u,", n->at.line);
		json_text(out, "directive", n->text);
		FL_TEXT_LITERAL(out, ",");
		json_text(out, "why", n->why);
		FL_TEXT_LITERAL(out, "}");
	}
	FL_TEXT_LITERAL(out, "]}\n");
}
