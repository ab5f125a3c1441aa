/* A text imported, and what came of it as one text: for tables of "this in, that out". */
#ifndef FL_TEST_IMPORT_H
#define FL_TEST_IMPORT_H

#include "import/import.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Appends "kind! line text" of each note but those on whole pools. */
static inline void show_notes(const struct fl_import *m, struct fl_text *out)
{
	static const char kinds[] = "+-?l";

	for (const struct fl_import_note *n = m->notes; n; n = n->next)
		if (!strstr(n->why, "a pool of "))
			fl_text_format(out, "%c%s%u %s\n", kinds[n->kind],
				n->placement ? "!" : "", n->at.line, n->text);
}

static inline void show_keys(const struct fl_import_key *k, struct fl_text *out)
{
	for (; k; k = k->next) {
		fl_text_format(
			out, " %s%s%s", k->source, k->name ? ":" : "", k->name ? k->name : "");
		if (k->parts) {
			FL_TEXT_LITERAL(out, "(");
			show_keys(k->parts, out);
			FL_TEXT_LITERAL(out, " )");
		}
	}
}

static inline void show_pools(const struct fl_import *m, struct fl_text *out)
{
	for (const struct fl_import_pool *p = m->pools; p; p = p->next) {
		fl_text_format(out, "pool %s %s", p->name, p->compat ? p->compat : "table");
		for (const struct fl_import_option *o = p->options; o; o = o->next)
			fl_text_format(out, ",%s=%s", o->name, o->value);
		show_keys(p->keys, out);
		fl_text_format(
			out, "%s%s\n", p->no_key ? " else " : "", p->no_key ? p->no_key : "");
		for (const struct fl_import_node *n = p->nodes; n; n = n->next)
			fl_text_format(out, " %s @%s w%u #%d%s%s\n", n->name,
				n->address ? n->address : "", (unsigned)n->weight, (int)n->id,
				n->backup ? " backup" : "", n->drain ? " drain" : "");
	}
}

static inline void show_routes(const struct fl_import *m, struct fl_text *out)
{
	for (const struct fl_import_listener *l = m->listeners; l; l = l->next)
		fl_text_format(out, "listen %s\n", l->bind);
	for (const struct fl_import_route *r = m->routes; r; r = r->next)
		fl_text_format(out, "route %s %s%s -> %s\n", r->listener,
			r->host ? r->host : "*", r->path ? r->path : "/", r->pool);
}

/* Reads `in`; its pools, routes and notes, as `what` ("p", "r", "n") names them, or the error. */
static inline void expect(const struct fl_import_input *in, const char *what, const char *want)
{
	struct fl_error err = {0};
	struct fl_import *m;
	struct fl_text out;

	fl_text_init(&out, 1 << 20);
	if (fl_import_read(&m, in, &err) != FL_OK)
		fl_text_string(&out, err.text);
	else
		for (; *what; what++)
			(*what == 'p'          ? show_pools
				: *what == 'r' ? show_routes
					       : show_notes)(m, &out);
	fl_text_add(&out, "", 1);
	if (strcmp(out.p, want) != 0)
		fail_msg("%.*s\ngives\n%s\ninstead of\n%s", (int)in->len, in->bytes, out.p,
			want);
	fl_text_fini(&out);
	fl_import_free(m);
}

#endif
