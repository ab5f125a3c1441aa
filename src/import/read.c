/* Reading a file of any system: which one it is, its reader, and what is left to do when a reader
 * is through: what leads nowhere goes, so that what stays runs as it is. */
#include "import/import.h"

#include "import/systems.h"

#include <ctype.h>
#include <stdlib.h>

const struct fl_import_row fl_import_rows[] = {
	{FL_IMPORT_HAPROXY, "haproxy", fl_import_haproxy, fl_import_is_haproxy},
	{FL_IMPORT_NGINX, "nginx", fl_import_nginx, fl_import_is_nginx},
	{FL_IMPORT_ENVOY, "envoy", fl_import_envoy, fl_import_is_envoy},
	{FL_IMPORT_TWEMPROXY, "twemproxy", fl_import_twemproxy, fl_import_is_twemproxy},
	{FL_IMPORT_ANY, NULL, NULL, NULL},
};

enum fl_import_system fl_import_system_of(const char *name)
{
	for (const struct fl_import_row *r = fl_import_rows; r->name; r++)
		if (strcmp(r->name, name) == 0)
			return r->system;
	return FL_IMPORT_ANY;
}

struct fl_slice fl_import_first_line(struct fl_slice bytes)
{
	const char *p = bytes.p, *end = bytes.n ? p + bytes.n : p;
	const char *stop;

	for (; p < end; p = stop < end ? stop + 1 : end) {
		stop = memchr(p, '\n', (size_t)(end - p));
		stop = stop ? stop : end;
		while (p < stop && isspace((unsigned char)*p))
			p++;
		if (p < stop && *p != '#')
			return (struct fl_slice){p, (size_t)(stop - p)};
	}
	return (struct fl_slice){NULL, 0};
}

static const struct fl_import_row *row_of(const struct fl_import_input *in)
{
	struct fl_slice bytes = {in->bytes, in->len};

	for (const struct fl_import_row *r = fl_import_rows; r->name; r++)
		if (in->system == FL_IMPORT_ANY ? r->is(bytes) : r->system == in->system)
			return r;
	return NULL;
}

/* ---- when the reader is through ---- */

/* A pool needs nodes. */
static void drop_empty_pools(struct fl_import *m)
{
	struct fl_import_pool **at = &m->pools;

	while (*at) {
		struct fl_import_pool *p = *at;
		if (p->nodes) {
			at = &p->next;
			continue;
		}
		fl_import_note(m, FL_IMPORT_NOT_CARRIED, true, p->at, fl_slice_of(p->name),
			"has no servers that could be carried");
		*at = p->next;
		m->pool_count--;
	}
	m->pools_end = at;
}

static bool has_pool(const struct fl_import *m, const char *name)
{
	const struct fl_import_pool *p = fl_import_find_pool(m, fl_slice_of(name));

	return p && p->nodes;
}

static void drop_idle_routes(struct fl_import *m)
{
	struct fl_import_route **at = &m->routes;

	while (*at) {
		struct fl_import_route *r = *at;
		if (has_pool(m, r->pool)) {
			at = &r->next;
			continue;
		}
		fl_import_note(m, FL_IMPORT_NOT_CARRIED, true, r->at, fl_slice_of(r->pool),
			"there is no pool of this name");
		*at = r->next;
		m->route_count--;
	}
	m->routes_end = at;
}

static bool is_used(const struct fl_import *m, const struct fl_import_listener *l)
{
	for (const struct fl_import_route *r = m->routes; r; r = r->next)
		if (!r->listener || r->listener == l->name)
			return true;
	return false;
}

static void drop_idle_listeners(struct fl_import *m)
{
	struct fl_import_listener **at = &m->listeners;

	while (*at) {
		struct fl_import_listener *l = *at;
		if (is_used(m, l)) {
			at = &l->next;
			continue;
		}
		fl_import_note(m, FL_IMPORT_NOT_CARRIED, false, l->at, fl_slice_of(l->bind),
			"nothing that was carried leads from here to a pool");
		*at = l->next;
		m->listener_count--;
	}
	m->listeners_end = at;
}

/* ---- notes in the order of the file ---- */

struct ranked {
	struct fl_import_note *note;
	size_t rank;
	bool included;
};

static int by_place(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order = x->included - y->included;

	if (order == 0)
		order = strcmp(x->note->at.file, y->note->at.file);
	if (order == 0)
		order = (x->note->at.line > y->note->at.line) -
		        (x->note->at.line < y->note->at.line);
	return order ? order : (x->rank > y->rank) - (x->rank < y->rank);
}

/* The file itself first, then what it includes. */
static void sort_notes(struct fl_import *m, const char *file)
{
	struct ranked *all = calloc(m->note_count + 1, sizeof(*all));
	size_t n = 0;

	if (!all) {
		m->failed = true;
		return;
	}
	for (struct fl_import_note *note = m->notes; note; note = note->next) {
		all[n] = (struct ranked){note, n, strcmp(note->at.file, file) != 0};
		n++;
	}
	qsort(all, n, sizeof(*all), by_place);
	m->notes_end = &m->notes;
	for (size_t i = 0; i < n; i++) {
		*m->notes_end = all[i].note;
		m->notes_end = &all[i].note->next;
	}
	*m->notes_end = NULL;
	free(all);
}

static void note_pools(struct fl_import *m)
{
	for (const struct fl_import_pool *p = m->pools; p; p = p->next)
		fl_import_note(m, FL_IMPORT_CARRIED, false, p->at, fl_slice_of(p->name),
			"a pool of %zu node%s, %s%s", p->node_count,
			p->node_count == 1 ? "" : "s", p->compat ? "compat:" : "by table",
			p->compat ? p->compat : "");
}

static int finish(struct fl_import *m, const char *file, struct fl_error *err)
{
	drop_empty_pools(m);
	drop_idle_routes(m);
	drop_idle_listeners(m);
	note_pools(m);
	sort_notes(m, file);
	if (m->failed)
		return fl_error_set(err, FL_ELIMIT,
			"%.200s: takes more memory than there is, or than the %u MiB that an "
			"import may take",
			file, FL_IMPORT_MAX_MEMORY >> 20);
	if (!m->pools)
		return fl_error_set(err, FL_EINVAL,
			"%.200s: there is nothing to import: no group of servers", file);
	return FL_OK;
}

int fl_import_read(
	struct fl_import **out, const struct fl_import_input *in, struct fl_error *err)
{
	struct fl_import *m = *out = fl_import_new();
	const struct fl_import_row *row;
	int rc;

	if (!m)
		return fl_error_set(err, FL_ENOMEM, "out of memory");
	if (in->len > FL_IMPORT_MAX_BYTES)
		return fl_error_set(err, FL_ELIMIT, "%.200s: is larger than %u MiB", in->name,
			FL_IMPORT_MAX_BYTES >> 20);
	if (in->len > 0 && memchr(in->bytes, '\0', in->len))
		return fl_error_set(
			err, FL_EINVAL, "%.200s: is no text: it has a NUL", in->name);
	row = row_of(in);
	if (!row)
		return fl_error_set(err, FL_EINVAL,
			"%.200s: cannot tell whose configuration this is; say it with --as",
			in->name);
	rc = row->read(m, in, err);
	return rc == FL_OK ? finish(m, in->name, err) : rc;
}
