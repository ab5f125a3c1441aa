/* The model: lists in the order of the file, an index by name, and what Fairlead cannot have kept
 * out, so that whatever a reader finds, the configuration that is written can be read. */
#include "import/import.h"

#include "base/utf8.h"
#include "net/addr.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define LISTENERS_MOST     256
#define LISTENER_NAME_MOST 64
#define POOLS_MOST         4096

struct fl_import *fl_import_new(void)
{
	struct fl_import *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	fl_arena_init(&m->arena, FL_IMPORT_MAX_MEMORY);
	m->listeners_end = &m->listeners;
	m->routes_end = &m->routes;
	m->pools_end = &m->pools;
	m->notes_end = &m->notes;
	return m;
}

void fl_import_free(struct fl_import *m)
{
	if (!m)
		return;
	fl_arena_fini(&m->arena);
	free(m);
}

static void *take(struct fl_import *m, size_t size)
{
	void *p = m->failed ? NULL : fl_arena_alloc(&m->arena, size);

	m->failed |= !p;
	return p;
}

const char *fl_import_copy(struct fl_import *m, struct fl_slice text)
{
	char *copy = take(m, text.n + 1);

	if (copy && text.n > 0)
		memcpy(copy, text.p, text.n);
	return copy;
}

const char *fl_import_format(struct fl_import *m, const char *format, ...)
{
	va_list list;
	struct fl_text text;
	const char *copy;

	fl_text_init(&text, FL_IMPORT_MAX_BYTES);
	va_start(list, format);
	fl_text_vformat(&text, format, list);
	va_end(list);
	m->failed |= text.failed;
	copy = fl_import_copy(m, (struct fl_slice){text.p, text.n});
	fl_text_fini(&text);
	return copy;
}

/* ---- names ---- */

static size_t slot_of(const struct fl_import *m, const void *owner, struct fl_slice name)
{
	uint64_t h = 0xcbf29ce484222325u ^ (uintptr_t)owner;
	size_t i;

	for (size_t k = 0; k < name.n; k++)
		h = (h ^ (unsigned char)name.p[k]) * 0x100000001b3u;
	i = (size_t)(h ^ h >> 32) & (m->index_size - 1);
	while (m->index[i].name && !(m->index[i].owner == owner &&
					   fl_slice_eq(fl_slice_of(m->index[i].name), name)))
		i = (i + 1) & (m->index_size - 1);
	return i;
}

static void *find(const struct fl_import *m, const void *owner, struct fl_slice name)
{
	return m->index_size ? m->index[slot_of(m, owner, name)].item : NULL;
}

/* The old table stays behind in the arena: all of them together are no larger than the new one. */
static bool grow(struct fl_import *m)
{
	struct fl_import_entry *old = m->index;
	size_t old_size = m->index_size, size = old_size ? 2 * old_size : 64;
	struct fl_import_entry *index = take(m, size * sizeof(*index));

	if (!index)
		return false;
	m->index = index;
	m->index_size = size;
	for (size_t i = 0; i < old_size; i++)
		if (old[i].name)
			index[slot_of(m, old[i].owner, fl_slice_of(old[i].name))] = old[i];
	return true;
}

static void put(struct fl_import *m, const void *owner, const char *name, void *item)
{
	if (2 * (m->index_count + 1) > m->index_size && !grow(m))
		return;
	m->index[slot_of(m, owner, fl_slice_of(name))] =
		(struct fl_import_entry){owner, name, item};
	m->index_count++;
}

static bool writable(struct fl_slice name, size_t most)
{
	uint32_t code;

	if (name.n < 1 || name.n > most)
		return false;
	for (size_t i = 0, n; i < name.n; i += n) {
		n = fl_utf8_decode(name.p + i, name.n - i, &code);
		if (n == 0 || code < 0x20 || code == 0x7f)
			return false;
	}
	return true;
}

/* `name` with "_" for what it cannot have, into room for `most` bytes. */
static struct fl_slice clean(char *to, struct fl_slice name, size_t most)
{
	size_t out = 0;
	uint32_t code;

	for (size_t i = 0, n; i < name.n; i += n) {
		n = fl_utf8_decode(name.p + i, name.n - i, &code);
		bool good = n > 0 && code >= 0x20 && code != 0x7f;
		n = n ? n : 1;
		if (out + n > most)
			break;
		memcpy(to + out, good ? name.p + i : "_", good ? n : 1);
		out += good ? n : 1;
	}
	if (out == 0)
		to[out++] = '_';
	return (struct fl_slice){to, out};
}

/* A name that is not there yet: itself, or with -2, -3, ... behind it. */
static const char *unique(
	struct fl_import *m, const void *owner, struct fl_slice wanted, size_t most)
{
	char text[FL_MAX_NAME + 1], tail[16];
	struct fl_slice name = clean(text, wanted, most);
	size_t stem = name.n;

	for (unsigned n = 2; find(m, owner, name); n++) {
		size_t k = (size_t)snprintf(tail, sizeof(tail), "-%u", n);
		name = clean(text, (struct fl_slice){text, stem}, most - k);
		memcpy(text + name.n, tail, k);
		name.n += k;
	}
	return fl_import_copy(m, name);
}

struct fl_import_pool *fl_import_find_pool(const struct fl_import *m, struct fl_slice name)
{
	char text[FL_MAX_NAME];

	return find(m, &m->pools, clean(text, name, sizeof(text)));
}

struct fl_import_node *fl_import_find_node(
	const struct fl_import *m, const struct fl_import_pool *pool, struct fl_slice name)
{
	return find(m, pool, name);
}

/* ---- listeners and routes ---- */

static struct fl_import_listener *listener_at(
	const struct fl_import *m, const struct fl_addr *addr)
{
	struct fl_addr other;

	for (struct fl_import_listener *l = m->listeners; l; l = l->next)
		if (fl_addr_parse(&other, l->bind, NULL) == FL_OK &&
			fl_addr_equal(&other, addr))
			return l;
	return NULL;
}

struct fl_import_listener *fl_import_add_listener(struct fl_import *m,
	struct fl_import_place at, struct fl_slice name, struct fl_slice bind)
{
	const char *text = fl_import_copy(m, bind);
	struct fl_import_listener *l;
	struct fl_addr addr;

	if (!text)
		return NULL;
	if (!writable(bind, 255) || strlen(text) != bind.n ||
		fl_addr_parse(&addr, text, NULL) != FL_OK) {
		fl_import_note(m, FL_IMPORT_NOT_CARRIED, true, at, bind,
			"is no address that a listener of Fairlead can have");
		return NULL;
	}
	l = listener_at(m, &addr);
	if (l)
		return l;
	if (m->listener_count >= LISTENERS_MOST) {
		fl_import_note(m, FL_IMPORT_NOT_CARRIED, true, at, bind,
			"there are %d listeners already", LISTENERS_MOST);
		return NULL;
	}
	l = take(m, sizeof(*l));
	name = fl_slice_of(unique(m, &m->listeners, name, LISTENER_NAME_MOST));
	if (!l || !name.p)
		return NULL;
	*l = (struct fl_import_listener){name.p, text, at, NULL};
	put(m, &m->listeners, l->name, l);
	*m->listeners_end = l;
	m->listeners_end = &l->next;
	m->listener_count++;
	return l;
}

/* As proxy/options.c wants hosts of routes. */
bool fl_import_is_host(const char *host)
{
	const char *p = strncmp(host, "*.", 2) == 0 ? host + 2 : host;

	if (host[0] == '[')
		return strspn(host + 1, "0123456789abcdefABCDEF:.") + 2 == strlen(host) &&
		       host[strlen(host) - 1] == ']';
	if (!*p || *p == '.' || strstr(p, "..") || strlen(host) > 255)
		return false;
	for (; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return false;
	return true;
}

bool fl_import_is_path(const char *path)
{
	if (*path != '/' || !writable(fl_slice_of(path), 1024))
		return false;
	return !strpbrk(path, " ?#");
}

struct fl_import_route *fl_import_add_route(struct fl_import *m, struct fl_import_place at,
	const char *listener, const char *host, const char *path, const char *pool)
{
	const struct fl_import_pool *to;
	struct fl_import_route *r;

	if ((host && !fl_import_is_host(host)) || (path && !fl_import_is_path(path)) ||
		m->route_count >= FL_IMPORT_MAX_ROUTES) {
		fl_import_note(m, FL_IMPORT_NOT_CARRIED, true, at,
			fl_slice_of(host && !fl_import_is_host(host) ? host
				    : path                           ? path
								     : pool),
			"%s",
			m->route_count >= FL_IMPORT_MAX_ROUTES
				? "there are too many routes already"
				: "no route can have this");
		return NULL;
	}
	to = pool ? fl_import_find_pool(m, fl_slice_of(pool)) : NULL;
	if (to && to->lookup_only) {
		fl_import_note(m, FL_IMPORT_LOOKUP, false, at, fl_slice_of(pool),
			"serve cannot run this pool, and no route leads to it");
		return NULL;
	}
	r = take(m, sizeof(*r));
	if (!r || !pool)
		return NULL;
	*r = (struct fl_import_route){listener, host, path, pool, at, NULL};
	*m->routes_end = r;
	m->routes_end = &r->next;
	m->route_count++;
	return r;
}

/* ---- pools ---- */

struct fl_import_pool *fl_import_add_pool(
	struct fl_import *m, struct fl_import_place at, struct fl_slice name)
{
	struct fl_import_pool *pool;

	if (m->pool_count >= POOLS_MOST) {
		fl_import_note(m, FL_IMPORT_NOT_CARRIED, true, at, name,
			"there are %d pools already", POOLS_MOST);
		return NULL;
	}
	pool = take(m, sizeof(*pool));
	if (!pool)
		return NULL;
	pool->name = unique(m, &m->pools, name, FL_MAX_NAME);
	pool->at = at;
	pool->options_end = &pool->options;
	pool->keys_end = &pool->keys;
	pool->nodes_end = &pool->nodes;
	if (!pool->name)
		return NULL;
	put(m, &m->pools, pool->name, pool);
	*m->pools_end = pool;
	m->pools_end = &pool->next;
	m->pool_count++;
	return pool;
}

static bool is_address(struct fl_import *m, struct fl_slice address)
{
	const char *text = writable(address, 1024) ? fl_import_copy(m, address) : NULL;
	struct fl_endpoint endpoint;

	if (!text || fl_endpoint_parse(&endpoint, text, NULL) != FL_OK)
		return false;
	if (!endpoint.is_name && endpoint.addr.ss.ss_family == AF_UNIX)
		return true;
	return endpoint.port != 0 && (endpoint.is_name || !endpoint.addr.dual);
}

struct fl_import_node *fl_import_add_node(struct fl_import *m, struct fl_import_pool *pool,
	struct fl_import_place at, struct fl_slice name, struct fl_slice address)
{
	struct fl_import_node *n;

	if (!pool)
		return NULL;
	if (!writable(name, FL_MAX_NAME) || find(m, pool, name) ||
		pool->node_count >= FL_MAX_NODES) {
		fl_import_note(m, FL_IMPORT_NOT_CARRIED, true, at, name, "%s",
			!writable(name, FL_MAX_NAME)
				? "a node's name has 1 to 255 bytes of UTF-8 without control "
				  "characters"
			: find(m, pool, name) ? "the pool has a node of this name already"
					      : "the pool has too many nodes");
		return NULL;
	}
	if (address.n > 0 && !is_address(m, address)) {
		fl_import_note(m, FL_IMPORT_LOOKUP, false, at, address,
			"is no address with a port that Fairlead could connect to");
		address.n = 0;
	}
	n = take(m, sizeof(*n));
	if (!n)
		return NULL;
	n->name = fl_import_copy(m, name);
	n->address = address.n > 0 ? fl_import_copy(m, address) : NULL;
	n->weight = 1;
	n->at = at;
	if (!n->name)
		return NULL;
	put(m, pool, n->name, n);
	*pool->nodes_end = n;
	pool->nodes_end = &n->next;
	pool->node_count++;
	return n;
}

void fl_import_add_option(
	struct fl_import *m, struct fl_import_pool *pool, const char *name, const char *value)
{
	struct fl_import_option *o = pool ? take(m, sizeof(*o)) : NULL;

	if (!o)
		return;
	*o = (struct fl_import_option){name, value, NULL};
	*pool->options_end = o;
	pool->options_end = &o->next;
}

struct fl_import_key *fl_import_add_key(
	struct fl_import *m, struct fl_import_pool *pool, const char *source, const char *name)
{
	struct fl_import_key *k = pool ? take(m, sizeof(*k)) : NULL;

	if (!k)
		return NULL;
	*k = (struct fl_import_key){.source = source, .name = name, .v4 = 32, .v6 = 128};
	*pool->keys_end = k;
	pool->keys_end = &k->next;
	return k;
}

static bool same_key(const struct fl_import_key *k, const char *source, const char *name)
{
	for (; k; k = k->next) {
		if (same_key(k->parts, source, name))
			return true;
		if (strcmp(k->source, source) == 0 &&
			(!name || (k->name && strcasecmp(k->name, name) == 0)))
			return true;
	}
	return false;
}

bool fl_import_has_key(const struct fl_import *m, const char *source, const char *name)
{
	for (const struct fl_import_pool *p = m->pools; p; p = p->next)
		if (same_key(p->keys, source, name))
			return true;
	return false;
}

bool fl_import_is_key_name(struct fl_slice name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!isalnum((unsigned char)name.p[i]) &&
			(!name.p[i] || !strchr("-_.~!$'*+^`|%", name.p[i])))
			return false;
	return name.n >= 1 && name.n <= 128;
}

/* ---- notes ---- */

struct fl_slice fl_import_brief(struct fl_import *m, const char *const *words, size_t count)
{
	static const char *const secrets[] = {"auth", "pass", "secret", "token", NULL};
	bool secret = false;

	for (size_t i = 0; i < count && i < 2; i++)
		for (const char *const *s = secrets; *s; s++)
			secret |= strcasestr(words[i], *s) != NULL;
	if (count == 1 || secret)
		return fl_slice_of(
			fl_import_format(m, "%s%s", words[0], count > 1 ? " ..." : ""));
	return fl_slice_of(
		fl_import_format(m, "%s %s%s", words[0], words[1], count > 2 ? " ..." : ""));
}

void fl_import_note(struct fl_import *m, enum fl_import_kind kind, bool placement,
	struct fl_import_place at, struct fl_slice text, const char *format, ...)
{
	char why[512], quoted[FL_IMPORT_MAX_TEXT];
	struct fl_import_note *n;
	va_list list;

	m->misplaced |= placement;
	if (m->note_count >= FL_IMPORT_MAX_NOTES) {
		m->notes_dropped++;
		return;
	}
	va_start(list, format);
	(void)vsnprintf(why, sizeof(why), format, list);
	va_end(list);
	n = take(m, sizeof(*n));
	if (!n)
		return;
	*n = (struct fl_import_note){kind, placement, at,
		fl_import_copy(m, clean(quoted, text, sizeof(quoted))),
		fl_import_copy(m, fl_slice_of(why)), NULL};
	if (!n->text || !n->why)
		return;
	*m->notes_end = n;
	m->notes_end = &n->next;
	m->note_count++;
}
