/* nginx's upstream blocks as pools. A node's name is the text behind `server`, which is what
 * `hash ... consistent` hashes; for the others only the order counts, and it is written as ids. */
#include "import/nginx.h"

#include "conf/conf.h"

#include <stdio.h>

enum method {
	NO_KEY, /* round robin, least connections: requests have no node of their own */
	CONSISTENT,
	HASH,
	IP_HASH,
};

struct upstream {
	struct fl_import *m;
	struct fl_import_pool *pool;
	enum method method;
	bool stream;
	int64_t place; /* of the last server, from 1 */
};

static void note(struct upstream *u, enum fl_import_kind kind, bool placement,
	const struct fl_nginx_item *item, const char *text, const char *why)
{
	fl_import_note(u->m, kind, placement, item->at, fl_slice_of(text), "%s", why);
}

/* ---- the method ---- */

static bool is_method(const struct fl_nginx_item *item)
{
	static const char *const names[] = {
		"hash", "ip_hash", "least_conn", "least_time", "random", NULL};

	for (const char *const *name = names; *name; name++)
		if (fl_nginx_is(item, *name))
			return true;
	return false;
}

static void set_method(struct upstream *u, const struct fl_nginx_item *item)
{
	static const char *const compat[] = {
		[CONSISTENT] = "nginx-consistent",
		[HASH] = "nginx-hash",
		[IP_HASH] = "nginx-ip-hash",
	};

	if (item && fl_nginx_is(item, "hash") && item->count > 1)
		u->method = item->count > 2 && strcmp(item->words[2], "consistent") == 0
		                    ? CONSISTENT
		                    : HASH;
	else if (item && fl_nginx_is(item, "ip_hash"))
		u->method = IP_HASH;
	u->pool->compat = compat[u->method];
	if (u->method == CONSISTENT || u->method == HASH)
		fl_nginx_key(u->m, u->pool, item);
	else if (u->method == IP_HASH)
		(void)fl_import_add_key(u->m, u->pool, "client_ip", NULL);
	else
		fl_import_note(u->m, FL_IMPORT_NOT_CARRIED, false,
			item ? item->at : u->pool->at,
			item ? fl_nginx_text(u->m, item) : fl_slice_of(u->pool->name),
			"requests have no node of their own here; Fairlead gives each client "
			"address one");
}

/* ---- servers ---- */

/* The address with a port: 80 where http leaves it out. */
static struct fl_slice address_of(struct upstream *u, const char *text)
{
	const char *colon = strrchr(text, ':');
	bool port = colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1);

	if (strncasecmp(text, "unix:", 5) == 0)
		return fl_slice_of(fl_import_format(u->m, "unix:%s", text + 5));
	if (port || u->stream)
		return fl_slice_of(text);
	return fl_slice_of(fl_import_format(u->m, "%s:80", text));
}

static bool is_name(const char *text)
{
	return strncasecmp(text, "unix:", 5) != 0 && text[0] != '[' &&
	       strspn(text, "0123456789.:") != strlen(text);
}

static void set_weight(struct upstream *u, struct fl_import_node *n,
	const struct fl_nginx_item *item, const char *param)
{
	int64_t weight;

	if (fl_conf_parse_int(param + strlen("weight="), 1, INT32_MAX, &weight) != 0) {
		note(u, FL_IMPORT_NOT_CARRIED, true, item, param, "is no weight");
		return;
	}
	if (weight > FL_MAX_WEIGHT) {
		note(u, FL_IMPORT_NOT_CARRIED, true, item, param, "weights end at 65535 here");
		weight = FL_MAX_WEIGHT;
	}
	n->weight = (uint64_t)weight;
}

static void set_param(struct upstream *u, struct fl_import_node *n,
	const struct fl_nginx_item *item, const char *param)
{
	if (strncmp(param, "weight=", 7) == 0) {
		set_weight(u, n, item, param);
	} else if (strcmp(param, "down") == 0) {
		n->drain = true;
	} else if (strcmp(param, "backup") == 0) {
		n->backup = true;
		if (u->method != NO_KEY)
			note(u, FL_IMPORT_CARRIED, false, item, param,
				"nginx itself refuses backup servers beside a hash");
	} else if (strncmp(param, "service=", 8) == 0) {
		note(u, FL_IMPORT_NOT_CARRIED, true, item, param,
			"servers are not taken from SRV records");
	} else {
		note(u, FL_IMPORT_NOT_CARRIED, false, item, param,
			strncmp(param, "max_conns=", 10) == 0
				? "nodes have no bound on connections"
			: strncmp(param, "max_fails=", 10) == 0 ||
					strncmp(param, "fail_timeout=", 13) == 0
				? "see `eject` of the pool"
			: strncmp(param, "slow_start=", 11) == 0
				? "see `slow_start` of the pool"
				: "a server has nothing like it here");
	}
}

/* Two servers of one name: on the ring they have the same points, elsewhere only their places
 * count. NULL: it is taken care of. */
static const char *free_name(
	struct upstream *u, const struct fl_nginx_item *item, const char *name)
{
	const char *other = name;

	if (!fl_import_find_node(u->m, u->pool, fl_slice_of(name)))
		return name;
	if (u->method == CONSISTENT) {
		note(u, FL_IMPORT_NOT_CARRIED, false, item, name,
			"this server is there already; nginx gives both the same keys");
		return NULL;
	}
	for (unsigned i = 2; other && fl_import_find_node(u->m, u->pool, fl_slice_of(other));
		i++)
		other = fl_import_format(u->m, "%s (%u)", name, i);
	return other;
}

static void add_server(struct upstream *u, const struct fl_nginx_item *item)
{
	struct fl_import_node *n;
	const char *name;

	if (item->count < 2) {
		fl_nginx_left(u->m, item);
		return;
	}
	u->place++;
	name = free_name(u, item, item->words[1]);
	if (!name)
		return;
	n = fl_import_add_node(
		u->m, u->pool, item->at, fl_slice_of(name), address_of(u, item->words[1]));
	if (!n)
		return;
	if (u->method == HASH || u->method == IP_HASH)
		n->id = u->place;
	for (size_t i = 2; i < item->count; i++)
		set_param(u, n, item, item->words[i]);
	if (is_name(item->words[1]))
		note(u, FL_IMPORT_CARRIED, false, item, item->words[1],
			"a name with several addresses is as many servers in nginx, and one "
			"node here");
}

void fl_nginx_upstream(struct fl_import *m, const struct fl_nginx_item *item, bool stream)
{
	struct upstream u = {.m = m, .stream = stream};
	const struct fl_nginx_item *method = NULL;

	if (item->count < 2) {
		fl_nginx_left(m, item);
		return;
	}
	if (fl_import_find_pool(m, fl_slice_of(item->words[1])))
		note(&u, FL_IMPORT_NOT_CARRIED, false, item, item->words[1],
			"there is a group of this name already; this one has another name "
			"here");
	u.pool = fl_import_add_pool(m, item->at, fl_slice_of(item->words[1]));
	if (!u.pool)
		return;
	for (const struct fl_nginx_item *i = item->children; i; i = i->next)
		if (is_method(i))
			method = i;
	set_method(&u, method);
	u.pool->lookup_only = stream;
	if (stream)
		note(&u, FL_IMPORT_LOOKUP, false, item, u.pool->name,
			"serve does not balance TCP and UDP");
	for (const struct fl_nginx_item *i = item->children; i; i = i->next) {
		if (fl_nginx_is(i, "server"))
			add_server(&u, i);
		else if (fl_nginx_is(i, "sticky"))
			note(&u, FL_IMPORT_NOT_CARRIED, true, i, i->words[0],
				"sessions are not bound by cookies or routes");
		else if (!is_method(i) || i->block)
			fl_nginx_left(m, i);
	}
}
