/* nginx's server blocks as listeners and routes. A block has the requests to its places (`listen`)
 * for its names; the default one of a place has all others. Locations are prefixes of paths; what
 * is chosen by an expression, by an exact path or in an `if` has no counterpart. */
#include "import/nginx.h"

#include <ctype.h>

#define LISTENS_MOST 256 /* as many as a configuration may have listeners */

/* A server block, and where it listens. */
struct site {
	const struct fl_nginx_item *item;
	struct fl_import_listener *listeners[16];
	size_t listener_count;
	struct site *next;
};

/* Which block has what no name matches. */
struct fallback {
	const struct fl_import_listener *listener;
	const struct site *site;
	bool said; /* by default_server, not by being first */
};

struct servers {
	struct fl_import *m;
	struct site *sites, **end;
	struct fallback fallbacks[LISTENS_MOST];
	size_t fallback_count;
};

static void note(struct fl_import *m, enum fl_import_kind kind, bool placement,
	const struct fl_nginx_item *item, const char *why)
{
	fl_import_note(m, kind, placement, item->at, fl_nginx_text(m, item), "%s", why);
}

/* ---- where a block listens ---- */

static bool has_word(const struct fl_nginx_item *item, const char *word)
{
	for (size_t i = 2; i < item->count; i++)
		if (strcmp(item->words[i], word) == 0)
			return true;
	return false;
}

/* "80", "*:80", "10.0.0.1", "[::]:80", "unix:/path" as Fairlead writes them. */
static const char *bind_of(struct fl_import *m, const char *text)
{
	bool digits = *text && strspn(text, "0123456789") == strlen(text);
	const char *close = text[0] == '[' ? strchr(text, ']') : text;

	if (strncasecmp(text, "unix:", 5) == 0)
		return fl_import_format(m, "unix:%s", text + 5);
	if (digits)
		return fl_import_format(m, ":%s", text);
	if (text[0] == '*' && text[1] == ':')
		return text + 1;
	if (close && !strchr(close, ':'))
		return fl_import_format(m, "%s:80", text);
	return text;
}

static void set_fallback(struct servers *s, const struct site *site,
	const struct fl_import_listener *listener, bool said)
{
	size_t i = 0;

	while (i < s->fallback_count && s->fallbacks[i].listener != listener)
		i++;
	if (i == LISTENS_MOST || (i < s->fallback_count && (s->fallbacks[i].said || !said)))
		return;
	s->fallback_count += i == s->fallback_count;
	s->fallbacks[i] = (struct fallback){listener, site, said};
}

static const char *why_not(const struct fl_nginx_item *item)
{
	if (has_word(item, "ssl") || has_word(item, "quic"))
		return "serve does not speak TLS";
	if (has_word(item, "proxy_protocol"))
		return "serve does not read the PROXY protocol";
	return NULL;
}

static void add_listen(
	struct servers *s, struct site *site, const struct fl_nginx_item *item, bool tls)
{
	const char *why = tls ? "serve does not speak TLS" : why_not(item);
	struct fl_import_listener *l;
	const char *bind;

	if (item->count < 2) {
		fl_nginx_left(s->m, item);
		return;
	}
	if (why || site->listener_count == 16) {
		note(s->m, FL_IMPORT_LOOKUP, why == NULL, item,
			why ? why : "a server listens at too many places");
		return;
	}
	if (has_word(item, "ipv6only=off") && fl_import_has_key(s->m, "client_ip", NULL))
		note(s->m, FL_IMPORT_NOT_CARRIED, true, item,
			"nginx hashes ::ffff:1.2.3.4 for an IPv4 client here, Fairlead "
			"1.2.3.4");
	bind = bind_of(s->m, item->words[1]);
	l = bind ? fl_import_add_listener(s->m, item->at, fl_slice_of(bind), fl_slice_of(bind))
	         : NULL;
	if (!l)
		return;
	for (size_t i = 0; i < site->listener_count; i++)
		if (site->listeners[i] == l)
			return;
	site->listeners[site->listener_count++] = l;
	set_fallback(s, site, l, has_word(item, "default_server") || has_word(item, "default"));
}

static bool has_tls(const struct fl_nginx_item *server)
{
	for (const struct fl_nginx_item *i = server->children; i; i = i->next)
		if (fl_nginx_is(i, "ssl") && i->count > 1 && strcmp(i->words[1], "on") == 0)
			return true;
	return false;
}

static void add_site(struct servers *s, const struct fl_nginx_item *item)
{
	static const char *every[] = {"listen", "80"};
	struct fl_nginx_item implied = {.words = every, .count = 2, .at = item->at};
	struct site *site = fl_arena_alloc(&s->m->arena, sizeof(*site));
	bool found = false;

	if (!site) {
		s->m->failed = true;
		return;
	}
	site->item = item;
	for (const struct fl_nginx_item *i = item->children; i; i = i->next) {
		if (!fl_nginx_is(i, "listen"))
			continue;
		add_listen(s, site, i, has_tls(item));
		found = true;
	}
	if (!found)
		add_listen(s, site, &implied, has_tls(item));
	*s->end = site;
	s->end = &site->next;
}

/* ---- names ---- */

struct names {
	const char **list; /* of hosts that routes can have */
	size_t count;
};

/* ".example.com" is two names. "_" and "" match nothing by themselves. */
static void add_name(struct fl_import *m, const struct fl_nginx_item *item, const char *name,
	struct names *names)
{
	if (*name == '\0' || strcmp(name, "_") == 0)
		return;
	if (*name == '.' && fl_import_is_host(name + 1)) {
		names->list[names->count++] = name + 1;
		name = fl_import_format(m, "*%s", name);
	}
	if (name && fl_import_is_host(name))
		names->list[names->count++] = name;
	else
		fl_import_note(m, FL_IMPORT_NOT_CARRIED, true, item->at,
			fl_slice_of(name ? name : ""),
			"hosts of routes are names, or *. and a name");
}

static struct names read_names(struct fl_import *m, const struct fl_nginx_item *server)
{
	struct names names = {0};
	size_t room = 0;

	for (const struct fl_nginx_item *i = server->children; i; i = i->next)
		if (fl_nginx_is(i, "server_name"))
			room += 2 * i->count;
	names.list = fl_arena_array(&m->arena, room + 1, sizeof(*names.list));
	m->failed |= !names.list;
	for (const struct fl_nginx_item *i = server->children; i && names.list; i = i->next)
		if (fl_nginx_is(i, "server_name"))
			for (size_t k = 1; k < i->count; k++)
				add_name(m, i, i->words[k], &names);
	return names;
}

/* ---- what a location passes on ---- */

/* Of "http://group/x" the group; *uri is what stands behind it. */
static struct fl_slice target_of(const char *url, const char **uri)
{
	const char *p = url + strlen("http://");
	size_t n = strcspn(p, "/?");

	if (strncmp(p, "unix:", 5) == 0) {
		const char *end = strchr(p + 5, ':');
		n = end ? (size_t)(end - p) : strlen(p);
		*uri = end ? end + 1 : "";
	} else {
		*uri = p + n;
	}
	return (struct fl_slice){p, n};
}

/* The group, or a pool for the one server that is named instead. */
static struct fl_import_pool *pool_of(
	struct fl_import *m, const struct fl_nginx_item *item, struct fl_slice target)
{
	struct fl_import_pool *pool = fl_import_find_pool(m, target);
	const char *text = fl_import_copy(m, target);
	const char *address;

	if (pool || !text)
		return pool;
	address = bind_of(m, text);
	pool = fl_import_add_pool(m, item->at, target);
	(void)fl_import_add_node(m, pool, item->at, target, fl_slice_of(address));
	return pool;
}

static struct fl_import_pool *passed_to(
	struct fl_import *m, const struct fl_nginx_item *item, const char *path, bool http)
{
	const char *url = item->count > 1 ? item->words[1] : "", *uri = "";
	struct fl_slice target;

	if (!http) {
		note(m, FL_IMPORT_LOOKUP, false, item,
			"serve speaks HTTP to nodes, nothing else");
		return NULL;
	}
	if (strchr(url, '$')) {
		note(m, FL_IMPORT_NOT_CARRIED, true, item,
			"where requests go is not chosen by variables");
		return NULL;
	}
	if (strncmp(url, "http://", 7) != 0) {
		note(m, FL_IMPORT_LOOKUP, false, item, "serve does not speak TLS to nodes");
		return NULL;
	}
	target = target_of(url, &uri);
	if (*uri && strcmp(uri, path) != 0)
		note(m, FL_IMPORT_NOT_CARRIED, false, item,
			"the path is passed on as it came, not rewritten");
	return pool_of(m, item, target);
}

/* ---- locations ---- */

struct where {
	struct fl_import *m;
	const struct servers *servers;
	const struct site *site;
	const struct names *names;
};

static bool is_fallback(const struct where *w, const struct fl_import_listener *l)
{
	for (size_t i = 0; i < w->servers->fallback_count; i++)
		if (w->servers->fallbacks[i].listener == l)
			return w->servers->fallbacks[i].site == w->site;
	return false;
}

static void add_routes(const struct where *w, const struct fl_nginx_item *item,
	const char *path, const struct fl_import_pool *pool)
{
	const char *prefix = strcmp(path, "/") == 0 ? NULL : path;

	for (size_t i = 0; i < w->site->listener_count; i++) {
		const struct fl_import_listener *l = w->site->listeners[i];
		for (size_t k = 0; k < w->names->count; k++) {
			if (w->m->route_count >= FL_IMPORT_MAX_ROUTES)
				break;
			(void)fl_import_add_route(
				w->m, item->at, l->name, w->names->list[k], prefix, pool->name);
		}
		if (is_fallback(w, l))
			(void)fl_import_add_route(
				w->m, item->at, l->name, NULL, prefix, pool->name);
	}
}

static const char *const passes[] = {"proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass",
	"grpc_pass", "memcached_pass", NULL};

static bool is_pass(const struct fl_nginx_item *item)
{
	for (const char *const *name = passes; *name; name++)
		if (fl_nginx_is(item, *name))
			return true;
	return false;
}

static bool passes_on(const struct fl_nginx_item *block)
{
	for (const struct fl_nginx_item *i = block->children; i; i = i->next)
		if (is_pass(i) || (i->block && passes_on(i)))
			return true;
	return false;
}

/* The prefix of a location; NULL: it is none. */
static const char *prefix_of(const struct fl_nginx_item *item)
{
	const char *path = item->words[item->count - 1];
	bool plain =
		item->count == 2 || (item->count == 3 && strcmp(item->words[1], "^~") == 0);

	return plain && fl_import_is_path(path) ? path : NULL;
}

static void walk_block(
	const struct where *w, const struct fl_nginx_item *block, const char *path);

static void add_location(const struct where *w, const struct fl_nginx_item *item)
{
	const char *path = prefix_of(item);

	if (path && passes_on(item))
		walk_block(w, item, path);
	else if (passes_on(item))
		note(w->m, FL_IMPORT_NOT_CARRIED, true, item,
			"routes go by prefixes of paths; these requests go where the others "
			"go");
	else
		note(w->m, FL_IMPORT_NOT_CARRIED, false, item,
			"is not passed on to nodes, and nothing else is done here");
}

/* A server block (path NULL) or a location. */
static void walk_block(
	const struct where *w, const struct fl_nginx_item *block, const char *path)
{
	for (const struct fl_nginx_item *i = block->children; i; i = i->next) {
		if (fl_nginx_is(i, "listen") || fl_nginx_is(i, "server_name"))
			continue;
		if (fl_nginx_is(i, "location") && i->block) {
			add_location(w, i);
		} else if (path && is_pass(i)) {
			const struct fl_import_pool *pool =
				passed_to(w->m, i, path, fl_nginx_is(i, "proxy_pass"));
			if (pool)
				add_routes(w, i, path, pool);
			if (pool && path[strlen(path) - 1] != '/')
				note(w->m, FL_IMPORT_CARRIED, true, block,
					"a route's path ends where a segment ends: /a is /a "
					"and "
					"/a/b, not /ab");
		} else if (i->block && passes_on(i)) {
			note(w->m, FL_IMPORT_NOT_CARRIED, true, i,
				"where requests go is not chosen by conditions");
		} else {
			fl_nginx_left(w->m, i);
		}
	}
}

void fl_nginx_servers(struct fl_import *m, const struct fl_nginx_item *items)
{
	struct servers s = {.m = m, .end = &s.sites};

	for (const struct fl_nginx_item *i = items; i; i = i->next)
		if (fl_nginx_is(i, "server") && i->block)
			add_site(&s, i);
	for (const struct site *site = s.sites; site; site = site->next) {
		struct names names = read_names(m, site->item);
		struct where w = {m, &s, site, &names};
		walk_block(&w, site->item, NULL);
	}
}

void fl_nginx_stream_server(struct fl_import *m, const struct fl_nginx_item *item)
{
	for (const struct fl_nginx_item *i = item->children; i; i = i->next) {
		if (fl_nginx_is(i, "listen"))
			note(m, FL_IMPORT_LOOKUP, false, i,
				"serve does not balance TCP and UDP");
		else if (fl_nginx_is(i, "proxy_pass"))
			note(m, FL_IMPORT_LOOKUP, false, i,
				i->count > 1 && fl_import_find_pool(m, fl_slice_of(i->words[1]))
					? "serve does not balance TCP and UDP"
					: "one server alone is no pool");
		else
			fl_nginx_left(m, i);
	}
}
