/* A frontend's binds as listeners, its default_backend and its use_backend rules as routes. A rule
 * is carried when its condition is about the host and the beginning of the path, which is what
 * routes know. HAProxy takes the first rule that holds, Fairlead the most specific route: where
 * that makes a difference, it is noted. */
#include "import/haproxy.h"

#include <ctype.h>

#define VALUES_MOST 1024 /* hosts, or paths, of one rule */

/* A condition: any of the hosts and any of the paths. */
struct condition {
	const char **hosts, **paths; /* NULL: all */
	size_t host_count, path_count;
};

struct acl {
	const char *name;
	bool known; /* can be a route's */
	struct condition means;
	struct acl *next;
};

struct frontend {
	struct fl_import *m;
	const struct fl_haproxy_section *section;
	struct acl *acls;
	const struct fl_import_listener *listeners[64];
	size_t listener_count;
	const struct fl_import_route *first; /* of this frontend; NULL: none yet */
};

static void note(const struct frontend *f, enum fl_import_kind kind, bool placement,
	const struct fl_haproxy_line *line, const char *why)
{
	fl_import_note(f->m, kind, placement, line->at, fl_haproxy_text(f->m, line), "%s", why);
}

/* ---- binds ---- */

static const char *bind_of(struct fl_import *m, const char *text)
{
	static const char *const families[] = {
		"ipv4@", "ipv6@", "tcp@", "tcp4@", "tcp6@", NULL};
	const char *colon;

	for (const char *const *f = families; *f; f++)
		if (strncmp(text, *f, strlen(*f)) == 0)
			text += strlen(*f);
	if (text[0] == '/')
		return fl_import_format(m, "unix:%s", text);
	if (strncmp(text, "unix@", 5) == 0 || strncmp(text, "abns@", 5) == 0)
		return fl_import_format(m, "unix:%s%s", text[0] == 'a' ? "@" : "", text + 5);
	if (text[0] == '*' && text[1] == ':')
		return text + 1;
	colon = strrchr(text, ':');
	if (text[0] == '[' || !colon || strchr(text, ':') == colon)
		return text;
	return fl_import_format(m, "[%.*s]:%s", (int)(colon - text), text, colon + 1);
}

static const char *why_not(const struct fl_haproxy_line *line)
{
	for (size_t i = 2; i < line->count; i++) {
		if (strcmp(line->words[i], "ssl") == 0)
			return "serve does not speak TLS";
		if (strcmp(line->words[i], "accept-proxy") == 0)
			return "serve does not read the PROXY protocol";
	}
	return NULL;
}

/* ":80,:81": each of them. */
static void add_bind(struct frontend *f, const struct fl_haproxy_line *line)
{
	const char *list = fl_haproxy_word(line, 1), *why = why_not(line);

	if (why || !*list) {
		note(f, FL_IMPORT_LOOKUP, false, line, why ? why : "expected an address");
		return;
	}
	while (*list) {
		size_t n = strcspn(list, ",");
		const char *text = fl_import_copy(f->m, (struct fl_slice){list, n});
		const char *bind = text ? bind_of(f->m, text) : NULL;
		const struct fl_import_listener *l = NULL;

		if (bind && f->listener_count < 64)
			l = fl_import_add_listener(f->m, line->at,
				fl_slice_of(f->section->name), fl_slice_of(bind));
		else
			note(f, FL_IMPORT_NOT_CARRIED, true, line,
				"a frontend has too many binds");
		if (l)
			f->listeners[f->listener_count++] = l;
		list += n + (list[n] == ',');
	}
}

/* ---- conditions ---- */

/* Room doubles whenever it is used up: at 4, 8, 16, ... */
static void add_value(struct frontend *f, const char ***list, size_t *count, const char *value)
{
	size_t n = *count, room = n == 0 ? 4 : 2 * n;

	if (n == 0 || (n >= 4 && (n & (n - 1)) == 0)) {
		const char **more = fl_arena_array(&f->m->arena, room, sizeof(*more));
		if (!more) {
			f->m->failed = true;
			return;
		}
		if (n > 0)
			memcpy(more, *list, n * sizeof(*more));
		*list = more;
	}
	if (n < VALUES_MOST)
		(*list)[(*count)++] = value;
}

/* "hdr(host) -i a b", "hdr_end(host) .a", "path_beg /a": words[0..count). Whether it is known. */
static bool read_test(
	struct frontend *f, const char *const *words, size_t count, struct condition *c)
{
	const char *fetch = count ? words[0] : "";
	bool host =
		strcasecmp(fetch, "hdr(host)") == 0 || strcasecmp(fetch, "req.hdr(host)") == 0;
	bool end = strcasecmp(fetch, "hdr_end(host)") == 0;
	size_t i = 1;

	if (!host && !end && strcmp(fetch, "path_beg") != 0)
		return false;
	if (i < count && strcmp(words[i], "-i") == 0)
		i++;
	if (i == count || count - i > VALUES_MOST)
		return false;
	for (; i < count; i++) {
		const char *value = words[i];
		if (end)
			value = value[0] == '.' ? fl_import_format(f->m, "*%s", value) : NULL;
		if (!value || value[0] == '-')
			return false;
		if (host || end ? !fl_import_is_host(value) : !fl_import_is_path(value))
			return false;
		if (host || end)
			add_value(f, &c->hosts, &c->host_count, value);
		else
			add_value(f, &c->paths, &c->path_count, value);
	}
	return true;
}

static struct acl *acl_called(const struct frontend *f, const char *name)
{
	struct acl *a = f->acls;

	while (a && strcmp(a->name, name) != 0)
		a = a->next;
	return a;
}

/* Several lines of one name are alternatives: of one kind they add up. */
static void add_acl(struct frontend *f, const struct fl_haproxy_line *line)
{
	struct acl *a = acl_called(f, fl_haproxy_word(line, 1));

	if (line->count < 3) {
		fl_haproxy_left(f->m, line);
		return;
	}
	if (!a) {
		a = fl_arena_alloc(&f->m->arena, sizeof(*a));
		if (!a) {
			f->m->failed = true;
			return;
		}
		a->name = line->words[1];
		a->known = true;
		a->next = f->acls;
		f->acls = a;
	}
	a->known &= read_test(f, line->words + 2, line->count - 2, &a->means) &&
	            !(a->means.hosts && a->means.paths);
}

/* One more test that must hold. */
static bool join(struct condition *c, const struct condition *more)
{
	if ((c->hosts && more->hosts) || (c->paths && more->paths))
		return false;
	if (more->hosts) {
		c->hosts = more->hosts;
		c->host_count = more->host_count;
	}
	if (more->paths) {
		c->paths = more->paths;
		c->path_count = more->path_count;
	}
	return true;
}

/* The words behind `if`; whether routes know them. */
static bool read_condition(
	struct frontend *f, const struct fl_haproxy_line *line, size_t at, struct condition *c)
{
	while (at < line->count) {
		struct condition one = {0};

		if (strcmp(line->words[at], "{") == 0) {
			size_t stop = ++at;
			while (stop < line->count && strcmp(line->words[stop], "}") != 0)
				stop++;
			if (stop == line->count ||
				!read_test(f, line->words + at, stop - at, &one))
				return false;
			at = stop;
		} else {
			const struct acl *a = acl_called(f, line->words[at]);
			if (!a || !a->known)
				return false;
			one = a->means;
		}
		if (!join(c, &one))
			return false;
		at++;
	}
	return c->hosts || c->paths;
}

/* ---- routes ---- */

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whether `later` is asked before `r` though the rule stood behind it, and both can match. */
static bool overtakes(const struct fl_import_route *later, const struct fl_import_route *r)
{
	const char *a = r->path ? r->path : "", *b = later->path ? later->path : "";
	size_t n = strlen(a) < strlen(b) ? strlen(a) : strlen(b);
	bool host_more = later->host && !same(later->host, r->host) &&
	                 (!r->host || (r->host[0] == '*' && later->host[0] != '*'));

	if (strncmp(a, b, n) != 0)
		return false;
	return host_more || (same(later->host, r->host) && strlen(b) > strlen(a));
}

static void check_order(const struct frontend *f, const struct fl_import_route *later,
	const struct fl_haproxy_line *line)
{
	for (const struct fl_import_route *r = f->first; r && r != later; r = r->next) {
		if (!same(r->listener, later->listener) || strcmp(r->pool, later->pool) == 0 ||
			!overtakes(later, r))
			continue;
		note(f, FL_IMPORT_NOT_CARRIED, true, line,
			"HAProxy asks an earlier rule first, Fairlead the most specific route: "
			"some requests go elsewhere");
		return;
	}
}

static void add_route(struct frontend *f, const struct fl_haproxy_line *line,
	const char *listener, const char *host, const char *path, const char *pool)
{
	const struct fl_import_route *r;

	if (f->m->route_count >= FL_IMPORT_MAX_ROUTES || f->m->failed)
		return;
	r = fl_import_add_route(f->m, line->at, listener, host,
		path && strcmp(path, "/") != 0 ? path : NULL, pool);
	if (!r)
		return;
	if (!f->first)
		f->first = r;
	if (f->m->route_count <= 1024)
		check_order(f, r, line);
}

static void add_routes(struct frontend *f, const struct fl_haproxy_line *line,
	const struct condition *c, const char *backend)
{
	const struct fl_import_pool *pool = fl_import_find_pool(f->m, fl_slice_of(backend));

	if (!pool) {
		note(f, FL_IMPORT_NOT_CARRIED, true, line, "there is no backend of this name");
		return;
	}
	if (pool->lookup_only) {
		note(f, FL_IMPORT_LOOKUP, false, line, "serve cannot run this pool");
		return;
	}
	for (size_t l = 0; l < f->listener_count; l++)
		for (size_t h = 0; h < c->host_count || h == 0; h++)
			for (size_t p = 0; p < c->path_count || p == 0; p++)
				add_route(f, line, f->listeners[l]->name,
					c->hosts ? c->hosts[h] : NULL,
					c->paths ? c->paths[p] : NULL, pool->name);
}

static void use_backend(struct frontend *f, const struct fl_haproxy_line *line)
{
	const char *name = fl_haproxy_word(line, 1), *how = fl_haproxy_word(line, 2);
	struct condition c = {0};

	if (strchr(name, '%') || (*how && strcmp(how, "if") != 0) ||
		(*how && !read_condition(f, line, 3, &c))) {
		note(f, FL_IMPORT_NOT_CARRIED, true, line,
			"routes go by the host and the beginning of the path; these requests "
			"go "
			"where the others go");
		return;
	}
	add_routes(f, line, &c, name);
	if (c.paths)
		note(f, FL_IMPORT_CARRIED, true, line,
			"a route's path ends where a segment ends: /a is /a and /a/b, not /ab");
}

/* ---- the section ---- */

/* What a rule may change before keys are made. */
static bool changes_key(const struct fl_import *m, const struct fl_haproxy_line *line)
{
	const char *what = fl_haproxy_word(line, 1), *name = fl_haproxy_word(line, 2);

	if (!fl_haproxy_is(line, "http-request"))
		return false;
	if (strstr(what, "-header"))
		return fl_import_has_key(m, "header", name);
	if (strstr(what, "-path") || strstr(what, "-uri") || strstr(what, "-query"))
		return fl_import_has_key(m, "path", NULL) ||
		       fl_import_has_key(m, "uri", NULL) || fl_import_has_key(m, "query", NULL);
	return strcmp(what, "set-src") == 0 && fl_import_has_key(m, "client_ip", NULL);
}

/* What sends requests elsewhere than their keys do. */
static bool overrides_keys(const struct fl_haproxy_line *line)
{
	static const char *const words[] = {"stick", "cookie", "appsession", "use-server",
		"force-persist", "persist", "hash-balance-factor", "hash-preserve-affinity",
		"dispatch", NULL};

	for (const char *const *w = words; *w; w++)
		if (fl_haproxy_is(line, *w))
			return true;
	return false;
}

void fl_haproxy_left(struct fl_import *m, const struct fl_haproxy_line *line)
{
	bool override = overrides_keys(line), change = changes_key(m, line);

	fl_import_note(m, FL_IMPORT_NOT_CARRIED, override || change, line->at,
		fl_import_brief(m, line->words, line->count), "%s",
		override ? "sends requests elsewhere than their keys do, and has no counterpart"
		: change ? "changes what keys are made of, and has no counterpart"
			 : "has no counterpart, or needs none");
}

void fl_haproxy_frontend(struct fl_import *m, const struct fl_haproxy_section *section)
{
	struct fl_haproxy_settings settings = fl_haproxy_settings(m, section);
	struct frontend f = {.m = m, .section = section};
	const struct condition always = {0};

	for (const struct fl_haproxy_line *l = section->lines; l; l = l->next) {
		if (fl_haproxy_is(l, "bind") && settings.http)
			add_bind(&f, l);
		else if (fl_haproxy_is(l, "bind"))
			note(&f, FL_IMPORT_LOOKUP, false, l, "serve does not balance TCP");
		else if (fl_haproxy_is(l, "acl"))
			add_acl(&f, l);
	}
	for (const struct fl_haproxy_line *l = section->lines; l; l = l->next)
		if (fl_haproxy_is(l, "use_backend"))
			use_backend(&f, l);
	if (settings.default_backend) {
		add_routes(&f, settings.default_backend, &always,
			fl_haproxy_word(settings.default_backend, 1));
	} else if (section->kind == FL_HAPROXY_LISTEN && settings.http) {
		struct fl_haproxy_line self = {.at = section->at};
		const char *words[] = {"listen", section->name};
		self.words = words;
		self.count = 2;
		add_routes(&f, &self, &always, section->name);
	}
}
