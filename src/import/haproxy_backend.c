/* A backend's servers as the nodes of a pool.
 *
 * `hash-type consistent` hashes what `hash-key` names: the server's id, its address or its guid,
 * and that is what a node is called or numbered by. A server without an `id` has the next free
 * number, counting from 1; the counter goes one on with each server, with or without an `id`.
 * map-based goes by the order alone. A server that is disabled keeps its number and loses its keys:
 * a node that is drained. */
#include "import/haproxy.h"

#include "net/addr.h"

#include <stdlib.h>

#define TEMPLATES_MOST 65536

struct backend {
	struct fl_import *m;
	struct fl_import_pool *pool;
	const struct fl_haproxy_settings *settings;
	struct fl_haproxy_server *servers, **end;
	size_t count;
	const char *hash_key; /* "id" when nothing is said */
	enum fl_haproxy_numbers numbers;
	bool consistent;
};

static void note(const struct backend *b, enum fl_import_kind kind, bool placement,
	const struct fl_haproxy_line *line, const char *text, const char *why)
{
	fl_import_note(b->m, kind, placement, line ? line->at : b->pool->at, fl_slice_of(text),
		"%s", why);
}

/* ---- reading servers ---- */

static void add_server(struct backend *b, const struct fl_haproxy_line *line, const char *name,
	const char *address, size_t params, bool notes)
{
	struct fl_haproxy_server *s = fl_arena_alloc(&b->m->arena, sizeof(*s));

	if (!s || !name) {
		b->m->failed = true;
		return;
	}
	*s = b->settings->server;
	s->name = name;
	s->address = address;
	s->line = line;
	s->next = NULL;
	fl_haproxy_params(b->m, s, line, params, notes);
	*b->end = s;
	b->end = &s->next;
	b->count++;
}

/* "server-template PREFIX N|N-M ADDRESS ...". */
static void add_template(struct backend *b, const struct fl_haproxy_line *line)
{
	char *rest;
	unsigned long first = 1, last = strtoul(fl_haproxy_word(line, 2), &rest, 10);

	if (*rest == '-') {
		first = last;
		last = strtoul(rest + 1, &rest, 10);
	}
	if (*rest || line->count < 4 || last < first || last - first >= TEMPLATES_MOST) {
		note(b, FL_IMPORT_NOT_CARRIED, true, line, line->words[0],
			"expected a prefix, a number or two such as 1-3, and an address");
		return;
	}
	note(b, FL_IMPORT_LOOKUP, false, line, line->words[0],
		"each of these servers is another address of the name; say which at each "
		"node's "
		"`address`");
	for (unsigned long i = first; i <= last && !b->m->failed; i++)
		add_server(b, line, fl_import_format(b->m, "%s%lu", line->words[1], i),
			line->words[3], 4, i == first);
}

static void read_servers(struct backend *b, const struct fl_haproxy_section *section)
{
	for (const struct fl_haproxy_line *l = section->lines; l; l = l->next) {
		if (fl_haproxy_is(l, "server") && l->count >= 3)
			add_server(b, l, l->words[1], l->words[2], 3, true);
		else if (fl_haproxy_is(l, "server-template"))
			add_template(b, l);
		else if (fl_haproxy_is(l, "server"))
			note(b, FL_IMPORT_NOT_CARRIED, true, l, l->words[0],
				"expected a name and an address");
	}
}

/* ---- ids ---- */

static int by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Gives those without an id theirs. */
static void number(struct backend *b)
{
	int64_t *taken = calloc(b->count + 1, sizeof(*taken)), next = 1;
	size_t n = 0, at = 0;

	if (!taken) {
		b->m->failed = true;
		return;
	}
	for (const struct fl_haproxy_server *s = b->servers; s; s = s->next)
		if (s->id > 0)
			taken[n++] = s->id;
	qsort(taken, n, sizeof(*taken), by_number);
	for (size_t i = 1; i < n; i++)
		if (taken[i] == taken[i - 1])
			note(b, FL_IMPORT_NOT_CARRIED, true, NULL, b->pool->name,
				"two servers have one `id`");
	for (struct fl_haproxy_server *s = b->servers; s; s = s->next, next++) {
		if (s->id > 0)
			continue;
		for (; at < n && taken[at] <= next; at++)
			next += taken[at] == next;
		s->id = next;
	}
	free(taken);
}

/* ---- what names a node ---- */

static const char *key_of(const struct fl_haproxy_server *s)
{
	return s->hash_key ? s->hash_key : "id";
}

/* The server's address as Fairlead writes it; NULL without memory. */
static const char *normal(struct fl_import *m, const char *text)
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
	colon = strrchr(text, ':');
	if (text[0] == '[' || !colon || strchr(text, ':') == colon)
		return text;
	return fl_import_format(m, "[%.*s]:%s", (int)(colon - text), text, colon + 1);
}

static bool has_port(const char *address)
{
	const char *close = strrchr(address, ']');
	const char *colon = strrchr(close ? close : address, ':');

	return strncmp(address, "unix:", 5) == 0 ||
	       (colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1));
}

/* The host of "10.0.0.1:80" or "[::1]:80", without brackets. */
static struct fl_slice host_of(const char *address)
{
	const char *close = address[0] == '[' ? strchr(address, ']') : NULL;

	if (close)
		return (struct fl_slice){address + 1, (size_t)(close - address - 1)};
	return (struct fl_slice){address, strcspn(address, ":")};
}

/* What `hash-key` wants as names; false: some server has not got it. */
static bool can_be_named(const struct backend *b, const char *hash_key)
{
	struct fl_addr addr;

	for (const struct fl_haproxy_server *s = b->servers; s; s = s->next) {
		const char *address = normal(b->m, s->address);
		struct fl_slice host;

		if (!address)
			return false;
		host = host_of(address);
		if (strcmp(hash_key, "guid") == 0 && !s->guid)
			return false;
		if (strncmp(hash_key, "addr", 4) == 0 &&
			(!fl_addr_parse_ip(&addr, host.p, host.n) ||
				(hash_key[4] && !has_port(address))))
			return false;
	}
	return true;
}

static void choose_key(struct backend *b)
{
	const struct fl_haproxy_server *odd = b->servers;

	b->hash_key = b->servers ? key_of(b->servers) : "id";
	if (!b->consistent)
		return;
	while (odd && strcmp(key_of(odd), b->hash_key) == 0)
		odd = odd->next;
	if (odd)
		note(b, FL_IMPORT_NOT_CARRIED, true, odd->line, odd->name,
			"all nodes of a pool have one `hash-key`, that of the first");
	if (strcmp(b->hash_key, "addr") == 0 || strcmp(b->hash_key, "addr-port") == 0 ||
		strcmp(b->hash_key, "guid") == 0) {
		if (can_be_named(b, b->hash_key)) {
			fl_import_add_option(b->m, b->pool, "hash-key", b->hash_key);
			return;
		}
		note(b, FL_IMPORT_NOT_CARRIED, true, b->servers->line, b->hash_key,
			"some server has no such thing in the file; ids are hashed instead");
		b->hash_key = "id";
	}
	if (strcmp(b->hash_key, "id32") == 0)
		fl_import_add_option(b->m, b->pool, "hash-key", "id32");
	else if (strcmp(b->hash_key, "id") != 0)
		note(b, FL_IMPORT_NOT_CARRIED, true, b->servers->line, b->hash_key,
			"is no hash-key that is known");
	else if (b->numbers == FL_HAPROXY_IDS_3_0)
		fl_import_add_option(b->m, b->pool, "hash-key", "id-3.0");
	else if (b->numbers == FL_HAPROXY_UNTOLD)
		note(b, FL_IMPORT_ASK, true, NULL, b->pool->name,
			"give --haproxy-version, such as 2.6 or 3.2.7: 3.0.0 to 3.2.6 hashed "
			"ids in "
			"another way; without it, it is carried as for all others");
}

/* ---- nodes ---- */

/* HAProxy hashes the id times 4096 in 32 bits, so an id counts modulo 2^20. */
static int64_t id_of(const struct backend *b, const struct fl_haproxy_server *s, int64_t place)
{
	if (!b->pool->compat)
		return 0;
	if (!b->consistent)
		return place;
	if (s->id <= (int64_t)FL_MAX_NODES)
		return s->id;
	if (strcmp(b->hash_key, "id") == 0 && b->numbers != FL_HAPROXY_IDS_3_0)
		return (s->id - 1) % (int64_t)FL_MAX_NODES + 1;
	note(b, FL_IMPORT_NOT_CARRIED, true, s->line, s->name, "ids end at 1048576 here");
	return 0;
}

static struct fl_slice name_of(
	const struct backend *b, const struct fl_haproxy_server *s, const char *address)
{
	if (!b->consistent || strncmp(b->hash_key, "id", 2) == 0)
		return fl_slice_of(s->name);
	if (strcmp(b->hash_key, "guid") == 0)
		return fl_slice_of(s->guid);
	return strcmp(b->hash_key, "addr") == 0 ? host_of(address) : fl_slice_of(address);
}

static void add_node(struct backend *b, const struct fl_haproxy_server *s, int64_t place)
{
	const char *address = normal(b->m, s->address);
	struct fl_import_node *n;

	if (!address)
		return;
	if (!has_port(address))
		note(b, FL_IMPORT_LOOKUP, false, s->line, s->address,
			"the port is that of the client's connection in HAProxy; say it at the "
			"node's `address`");
	n = fl_import_add_node(b->m, b->pool, s->line->at, name_of(b, s, address),
		fl_slice_of(has_port(address) ? address : ""));
	if (!n)
		return;
	n->id = id_of(b, s, place);
	n->weight = s->weight;
	n->backup = s->backup;
	n->drain = s->disabled;
	if (!s->tls && !s->proxy)
		return;
	b->pool->lookup_only = true;
	note(b, FL_IMPORT_LOOKUP, false, s->line, s->name,
		s->tls ? "serve does not speak TLS to nodes"
		       : "serve does not send the PROXY protocol");
}

/* ---- the pool as a whole ---- */

static void set_health(struct backend *b)
{
	const struct fl_haproxy_server *checked = NULL;
	size_t n = 0;

	for (const struct fl_haproxy_server *s = b->servers; s; s = s->next) {
		n += s->check;
		if (s->check && !checked)
			checked = s;
	}
	if (!checked)
		return;
	b->pool->health.given = true;
	b->pool->health.rise = checked->rise;
	b->pool->health.fall = checked->fall;
	if (checked->inter_ms >= 100 && checked->inter_ms <= 3600 * 1000)
		b->pool->health.interval_ms = checked->inter_ms;
	if (b->settings->check && fl_import_is_path(b->settings->check_path))
		b->pool->health.http_path = b->settings->check_path;
	if (b->settings->check)
		note(b, FL_IMPORT_CARRIED, false, b->settings->check, "option httpchk",
			"nodes are asked by GET, and any status from 200 to 399 is good");
	if (n < b->count)
		note(b, FL_IMPORT_NOT_CARRIED, false, checked->line, "check",
			"all nodes of a pool are checked, or none");
}

static uint64_t gcd(uint64_t x, uint64_t y)
{
	while (y) {
		uint64_t rest = x % y;
		x = y;
		y = rest;
	}
	return x;
}

/* What only some servers have in common. */
static void check_backups(struct backend *b)
{
	uint64_t active = 0, all = 0;
	size_t backups = 0;

	for (const struct fl_haproxy_server *s = b->servers; s; s = s->next) {
		all = gcd(all, s->weight);
		active = s->backup ? active : gcd(active, s->weight);
		backups += s->backup;
	}
	if (backups > 1 && !b->settings->all_backups)
		note(b, FL_IMPORT_NOT_CARRIED, false, NULL, b->pool->name,
			"when no other is up, HAProxy uses one backup server, Fairlead all of "
			"them");
	if (b->pool->compat && !b->consistent && backups && active != all)
		note(b, FL_IMPORT_NOT_CARRIED, true, NULL, b->pool->name,
			"HAProxy divides weights by what the backup servers have in common "
			"too; "
			"write the others' weights without it");
}

void fl_haproxy_backend(struct fl_import *m, const struct fl_haproxy_section *section,
	enum fl_haproxy_numbers numbers)
{
	struct fl_haproxy_settings settings = fl_haproxy_settings(m, section);
	struct backend b = {.m = m, .settings = &settings, .numbers = numbers};
	int64_t place = 1;

	b.end = &b.servers;
	b.pool = fl_import_add_pool(m, section->at, fl_slice_of(section->name));
	if (!b.pool)
		return;
	fl_haproxy_balance(m, b.pool, &settings);
	b.consistent = b.pool->compat && strcmp(b.pool->compat, "haproxy-consistent") == 0;
	read_servers(&b, section);
	number(&b);
	choose_key(&b);
	for (const struct fl_haproxy_server *s = b.servers; s; s = s->next)
		add_node(&b, s, place++);
	set_health(&b);
	check_backups(&b);
	if (settings.http)
		return;
	b.pool->lookup_only = true;
	note(&b, FL_IMPORT_LOOKUP, false, NULL, b.pool->name, "serve does not balance TCP");
}
