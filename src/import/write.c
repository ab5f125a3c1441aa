/* A model as a configuration. Every text of the peer's file is written in double quotes, with
 * everything escaped that YAML or a terminal would take for something else. */
#include "import/import.h"

#include "base/utf8.h"
#include "import/text.h"

#include <inttypes.h>

/* In double quotes: the text is UTF-8, as the model keeps nothing else. */
static void quote(struct fl_text *out, const char *text)
{
	size_t left = strlen(text), n;
	uint32_t code;

	FL_TEXT_LITERAL(out, "\"");
	for (; left > 0; text += n, left -= n) {
		n = fl_utf8_decode(text, left, &code);
		if (n == 0) { /* not from a reader */
			n = 1;
			code = 0xfffd;
		}
		if (code == '"' || code == '\\')
			fl_text_format(out, "\\%c", (int)code);
		else if (fl_utf8_acts(code) || (code & 0xfffe) == 0xfffe || code == 0xfeff ||
			 code == 0xfffd)
			fl_text_format(out, "\\U%08" PRIx32, code);
		else
			fl_text_add(out, text, n);
	}
	FL_TEXT_LITERAL(out, "\"");
}

static void field(struct fl_text *out, const char *name, const char *text)
{
	fl_text_string(out, name);
	quote(out, text);
}

static void origin(struct fl_text *out, struct fl_import_place at)
{
	if (at.file) {
		FL_TEXT_LITERAL(out, "  # ");
		fl_import_plain(out, fl_slice_of(at.file));
		fl_text_format(out, ":%u", at.line);
	}
	FL_TEXT_LITERAL(out, "\n");
}

static void listeners(const struct fl_import *m, struct fl_text *out)
{
	if (m->listeners)
		FL_TEXT_LITERAL(out, "\nlisteners:\n");
	for (const struct fl_import_listener *l = m->listeners; l; l = l->next) {
		field(out, "  - {name: ", l->name);
		field(out, ", bind: ", l->bind);
		FL_TEXT_LITERAL(out, ", protocol: http}");
		origin(out, l->at);
	}
}

static void routes(const struct fl_import *m, struct fl_text *out)
{
	if (m->routes)
		FL_TEXT_LITERAL(out, "\nroutes:\n");
	for (const struct fl_import_route *r = m->routes; r; r = r->next) {
		FL_TEXT_LITERAL(out, "  - {");
		if (r->listener)
			field(out, "listener: ", r->listener);
		if (r->host)
			field(out, r->listener ? ", host: " : "host: ", r->host);
		if (r->path)
			field(out, r->listener || r->host ? ", path: " : "path: ", r->path);
		field(out, r->listener || r->host || r->path ? ", pool: " : "pool: ", r->pool);
		FL_TEXT_LITERAL(out, "}");
		origin(out, r->at);
	}
}

/* ---- a pool ---- */

static void key_list(const struct fl_import_key *keys, struct fl_text *out)
{
	FL_TEXT_LITERAL(out, "[");
	for (const struct fl_import_key *k = keys; k; k = k->next) {
		if (k != keys)
			FL_TEXT_LITERAL(out, ", ");
		if (k->parts) {
			fl_text_format(out, "{%s: ", k->source);
			key_list(k->parts, out);
			FL_TEXT_LITERAL(out, "}");
		} else if (k->name) {
			fl_text_format(out, "{%s: ", k->source);
			quote(out, k->name);
			FL_TEXT_LITERAL(out, "}");
		} else if (strcmp(k->source, "client_ip") == 0) {
			fl_text_format(out, "{client_ip: {v4: %u, v6: %u}}", k->v4, k->v6);
		} else {
			fl_text_string(out, k->source);
		}
	}
	FL_TEXT_LITERAL(out, "]");
}

static void health(const struct fl_import_health *h, struct fl_text *out)
{
	FL_TEXT_LITERAL(out, "    health: {");
	if (h->http_path)
		field(out, "http: {path: ", h->http_path);
	fl_text_string(out, h->http_path ? "}" : "tcp: true");
	if (h->interval_ms)
		fl_text_format(out, ", interval: %" PRIu64 "ms", h->interval_ms);
	if (h->rise)
		fl_text_format(out, ", rise: %u", h->rise);
	if (h->fall)
		fl_text_format(out, ", fall: %u", h->fall);
	FL_TEXT_LITERAL(out, "}\n");
}

static void node(const struct fl_import_node *n, struct fl_text *out)
{
	field(out, "      - {name: ", n->name);
	if (n->address)
		field(out, ", address: ", n->address);
	if (n->weight != 1)
		fl_text_format(out, ", weight: %" PRIu64, n->weight);
	if (n->id > 0)
		fl_text_format(out, ", id: %" PRId64, n->id);
	if (n->backup)
		FL_TEXT_LITERAL(out, ", backup: true");
	if (n->drain)
		FL_TEXT_LITERAL(out, ", state: drain");
	FL_TEXT_LITERAL(out, "}");
	origin(out, n->at);
}

static void pool(const struct fl_import_pool *p, struct fl_text *out)
{
	field(out, "  ", p->name);
	FL_TEXT_LITERAL(out, ":");
	origin(out, p->at);
	if (p->compat) {
		field(out, "    algorithm: {compat: ", p->compat);
		for (const struct fl_import_option *o = p->options; o; o = o->next) {
			fl_text_format(out, ", %s: ", o->name);
			quote(out, o->value);
		}
		FL_TEXT_LITERAL(out, "}\n");
	}
	if (p->keys) {
		FL_TEXT_LITERAL(out, "    key: ");
		key_list(p->keys, out);
		FL_TEXT_LITERAL(out, "\n");
	}
	if (p->no_key)
		fl_text_format(out, "    no_key: %s\n", p->no_key);
	if (p->health.given)
		health(&p->health, out);
	FL_TEXT_LITERAL(out, "    nodes:\n");
	for (const struct fl_import_node *n = p->nodes; n; n = n->next)
		node(n, out);
}

void fl_import_write(const struct fl_import *m, struct fl_text *out)
{
	FL_TEXT_LITERAL(out,
		"# Written by fairlead import. Behind each line: where it comes from.\n"
		"version: 1\n");
	listeners(m, out);
	routes(m, out);
	FL_TEXT_LITERAL(out, "\npools:\n");
	for (const struct fl_import_pool *p = m->pools; p; p = p->next)
		pool(p, out);
}
