/* What only the whole file can tell. Errors are what cannot work; warnings are what works and is
 * probably not meant. Pools are built here once for trial, the same way that `serve` and
 * `lookup` will build them, when nothing else is wrong. */
#include "daemon/config_priv.h"

#include "conf/conf.h"
#include "net/addr.h"
#include "pool/options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Item i of the list or map called `name`; `root` when it is not there. */
static const struct fl_conf_node *item_at(
	const struct fl_conf_node *root, const char *name, size_t i)
{
	const struct fl_conf_node *list = fl_conf_get(root, name);
	const struct fl_conf_node *item = list ? list->child : NULL;

	for (; item && i > 0; i--)
		item = item->next;
	return item ? item : root;
}

/* The value of `key` in `map`, or the map itself. */
static const struct fl_conf_node *value_at(const struct fl_conf_node *map, const char *key)
{
	const struct fl_conf_node *value = fl_conf_get(map, key);

	return value ? value : map;
}

/* ---- names ---- */

/* NULL-ended, for "did you mean"; NULL without memory. */
static const char **pool_names(const struct fl_config *c)
{
	const char **names = calloc(c->pool_count + 1, sizeof(*names));
	size_t n = 0;

	for (size_t i = 0; names && i < c->pool_count; i++)
		if (c->pools[i].pool.name)
			names[n++] = c->pools[i].pool.name;
	return names;
}

static const char **listener_names(const struct fl_config *c)
{
	const char **names = calloc(c->listener_count + 1, sizeof(*names));
	size_t n = 0;

	for (size_t i = 0; names && i < c->listener_count; i++)
		if (c->listeners[i].name)
			names[n++] = c->listeners[i].name;
	return names;
}

/* `name` must be one of `names`; `node` is where it stands. */
static int check_name(struct fl_conf *conf, const struct fl_conf_node *node, const char *what,
	const char *name, const char *const *names)
{
	struct fl_conf_quoted quoted, other;
	const char *near;

	for (size_t i = 0; names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return 0;
	near = fl_conf_nearest(name, names);
	if (near)
		return fl_conf_error(conf, node, "there is no %s called %s; did you mean %s?",
			what, fl_conf_quote(&quoted, name), fl_conf_quote(&other, near));
	return fl_conf_error(
		conf, node, "there is no %s called %s", what, fl_conf_quote(&quoted, name));
}

/* ---- listeners and admin ---- */

/* The same socket address, however it is written. */
static bool same_place(const char *a, const char *b)
{
	struct fl_addr x, y;

	if (!a || !b)
		return false;
	if (fl_addr_parse(&x, a, NULL) != FL_OK || fl_addr_parse(&y, b, NULL) != FL_OK)
		return strcmp(a, b) == 0;
	return fl_addr_equal(&x, &y) && (fl_addr_port(&x) != 0 || x.ss.ss_family == AF_UNIX);
}

/* Something that a socket can be bound to. */
static int check_bind(struct fl_conf *conf, const struct fl_conf_node *node, const char *what,
	const char *text)
{
	struct fl_error err = {0};
	struct fl_conf_quoted quoted;
	struct fl_addr addr;
	int rc = fl_addr_parse(&addr, text, &err);

	if (rc == FL_OK)
		return 0;
	if (rc == FL_ENOENT)
		return fl_conf_error(conf, node,
			"%s wants an address such as :8080 or 127.0.0.1:8080, not the name %s",
			what, fl_conf_quote(&quoted, text));
	return fl_conf_error(conf, node, "%s", err.text);
}

static int check_listener(struct fl_config *c, const struct fl_conf_node *root, size_t i)
{
	const struct fl_listener_conf *l = &c->listeners[i];
	const struct fl_conf_node *item = item_at(root, "listeners", i);
	struct fl_conf_quoted quoted;

	if (l->bind && check_bind(c->conf, value_at(item, "bind"), "\"bind\"", l->bind) != 0)
		return -1;
	for (size_t j = 0; j < i; j++) {
		const struct fl_listener_conf *other = &c->listeners[j];
		unsigned line = item_at(root, "listeners", j)->line;

		if (l->name && other->name && strcmp(l->name, other->name) == 0)
			return fl_conf_error(c->conf, value_at(item, "name"),
				"there is a listener called %s already, on line %u",
				fl_conf_quote(&quoted, l->name), line);
		if (same_place(l->bind, other->bind))
			return fl_conf_error(c->conf, value_at(item, "bind"),
				"there is a listener at %s already, on line %u",
				fl_conf_quote(&quoted, l->bind), line);
	}
	return 0;
}

static int check_listeners(struct fl_config *c, const struct fl_conf_node *root)
{
	int rc = 0;

	if (c->listener_count == 0)
		return fl_conf_error(c->conf, value_at(root, "listeners"),
			"there are no listeners; they look like {name: web, bind: \":8080\"}");
	for (size_t i = 0; i < c->listener_count; i++)
		rc |= check_listener(c, root, i);
	return rc;
}

static int check_admin(struct fl_config *c, const struct fl_conf_node *root)
{
	const struct fl_conf_node *admin = fl_conf_get(root, "admin");
	const struct fl_conf_node *listen = value_at(admin, "listen");
	struct fl_conf_quoted quoted;

	if (!c->admin.listen)
		return 0;
	if (check_bind(c->conf, listen, "\"listen\"", c->admin.listen) != 0)
		return -1;
	for (size_t i = 0; i < c->listener_count; i++)
		if (same_place(c->listeners[i].bind, c->admin.listen))
			return fl_conf_error(c->conf, listen,
				"there is a listener at %s already, on line %u",
				fl_conf_quote(&quoted, c->admin.listen),
				item_at(root, "listeners", i)->line);
	if (strncmp(c->admin.listen, "unix:", 5) == 0 || c->admin.token)
		return 0;
	if (fl_conf_get(admin, "token"))
		return -1; /* there is one, and it was found wrong */
	return fl_conf_error(c->conf, listen,
		"an admin interface at %s wants a \"token\"; without one, it may only listen "
		"at "
		"unix:/path",
		fl_conf_quote(&quoted, c->admin.listen));
}

/* ---- routes ---- */

/* Without the slashes at its end, which mean nothing. */
static size_t path_len(const char *path)
{
	size_t n = path ? strlen(path) : 0;

	while (n > 0 && path[n - 1] == '/')
		n--;
	return n;
}

static bool same_target(const struct fl_route_conf *a, const struct fl_route_conf *b)
{
	size_t n = path_len(a->path);

	if ((a->host == NULL) != (b->host == NULL) ||
		(a->host && strcasecmp(a->host, b->host) != 0))
		return false;
	return n == path_len(b->path) && (n == 0 || memcmp(a->path, b->path, n) == 0);
}

/* `other` is asked before `r` wherever `r` would match. */
static bool hides(const struct fl_config *c, const struct fl_route_conf *other,
	const struct fl_route_conf *r)
{
	if (!same_target(other, r))
		return false;
	if (r->listener && other->listener)
		return strcmp(r->listener, other->listener) == 0;
	if (!r->listener && !other->listener)
		return true;
	/* A route for one listener goes before one for all. */
	return !r->listener && c->listener_count == 1;
}

static void warn_hidden(struct fl_config *c, const struct fl_conf_node *root, size_t i)
{
	for (size_t j = 0; j < c->route_count; j++) {
		const struct fl_route_conf *r = &c->routes[i], *other = &c->routes[j];
		bool equal = (r->listener == NULL) == (other->listener == NULL);

		/* Of equal routes the first one counts. */
		if (j == i || (equal && j > i) || !hides(c, other, r))
			continue;
		fl_conf_warn(c->conf, item_at(root, "routes", i),
			"no request can reach this route: the one on line %u goes first",
			item_at(root, "routes", j)->line);
		return;
	}
}

static void warn_unused(struct fl_config *c, const struct fl_conf_node *root)
{
	struct fl_conf_quoted quoted;
	bool used;

	for (size_t p = 0; p < c->pool_count; p++) {
		used = !c->pools[p].pool.name;
		for (size_t i = 0; !used && i < c->route_count; i++)
			used = c->routes[i].pool &&
			       strcmp(c->routes[i].pool, c->pools[p].pool.name) == 0;
		if (!used)
			fl_conf_warn(c->conf, item_at(root, "pools", p)->key,
				"no route leads to the pool %s",
				fl_conf_quote(&quoted, c->pools[p].pool.name));
	}
	for (size_t l = 0; l < c->listener_count; l++) {
		used = !c->listeners[l].name;
		for (size_t i = 0; !used && i < c->route_count; i++)
			used = !c->routes[i].listener ||
			       strcmp(c->routes[i].listener, c->listeners[l].name) == 0;
		if (!used)
			fl_conf_warn(c->conf, item_at(root, "listeners", l),
				"no route takes requests from the listener %s: all are "
				"answered "
				"with 404",
				fl_conf_quote(&quoted, c->listeners[l].name));
	}
}

/* One listener and one pool need no routes. */
static int imply_route(struct fl_config *c, const struct fl_conf_node *root)
{
	struct fl_route_conf *route;

	if (fl_conf_errors(c->conf) > 0)
		return -1; /* routes may be missing for another reason */
	if (c->listener_count > 1 || c->pool_count > 1)
		return fl_conf_error(c->conf, value_at(root, "routes"),
			"there are no routes, and more than one %s to choose from",
			c->pool_count > 1 ? "pool" : "listener");
	route = fl_conf_alloc(c->conf, sizeof(*route));
	if (!route)
		return fl_conf_error(c->conf, NULL, "out of memory");
	route->pool = c->pools[0].pool.name;
	c->routes = route;
	c->route_count = 1;
	return 0;
}

static int check_routes(struct fl_config *c, const struct fl_conf_node *root)
{
	const char **pools = pool_names(c), **listeners = listener_names(c);
	int rc = 0;

	if (!pools || !listeners) {
		rc = fl_conf_error(c->conf, NULL, "out of memory");
		goto done;
	}
	for (size_t i = 0; i < c->route_count; i++) {
		const struct fl_conf_node *item = item_at(root, "routes", i);
		const struct fl_route_conf *r = &c->routes[i];

		if (r->pool)
			rc |= check_name(
				c->conf, value_at(item, "pool"), "pool", r->pool, pools);
		if (r->listener)
			rc |= check_name(c->conf, value_at(item, "listener"), "listener",
				r->listener, listeners);
		warn_hidden(c, root, i);
	}
	if (c->route_count == 0)
		rc = imply_route(c, root);
	if (rc == 0)
		warn_unused(c, root);
done:
	free(pools);
	free(listeners);
	return rc;
}

/* ---- pools ---- */

/* A node must be somewhere: a host or an address, and a port. */
static int check_address(struct fl_conf *conf, const struct fl_conf_node *item,
	const struct fl_node_conf *node, const char *pool)
{
	const struct fl_conf_node *at = value_at(item, "address");
	struct fl_conf_quoted quoted, other;
	struct fl_endpoint endpoint;
	struct fl_error err = {0};

	if (!node->address)
		return fl_conf_error(conf, item, "\"address\" is missing in node %s of pool %s",
			fl_conf_quote(&quoted, node->name), fl_conf_quote(&other, pool));
	if (fl_endpoint_parse(&endpoint, node->address, &err) != FL_OK)
		return fl_conf_error(conf, at, "%s", err.text);
	if (!endpoint.is_name && endpoint.addr.dual)
		return fl_conf_error(conf, at, "%s says no host that a node could be at",
			fl_conf_quote(&quoted, node->address));
	if (endpoint.port == 0 && (endpoint.is_name || endpoint.addr.ss.ss_family != AF_UNIX))
		return fl_conf_error(conf, at, "%s wants a port that is not 0",
			fl_conf_quote(&quoted, node->address));
	return 0;
}

static int check_addresses(
	struct fl_conf *conf, const struct fl_conf_node *map, const struct fl_pool_conf *pool)
{
	const struct fl_conf_node *item = fl_pool_conf_item(map, 0);
	int rc = 0;

	for (size_t i = 0; i < pool->count; i++, item = fl_pool_conf_next(map, item))
		if (pool->nodes[i].name)
			rc |= check_address(conf, item, &pool->nodes[i], pool->name);
	return rc;
}

static void warn_starved(
	struct fl_conf *conf, const struct fl_conf_node *map, const struct fl_tier *tier)
{
	struct fl_conf_quoted quoted;

	for (uint32_t s = 0; s < tier->slots; s++)
		if (tier->members[s] && fl_placement_starved(tier->placement, s))
			fl_conf_warn(conf, value_at(map, "nodes"),
				"node %s is starved: it has a weight, but it is so small that "
				"no key goes there",
				fl_conf_quote(&quoted, tier->members[s]->name));
}

/* Of two placements that do the same harm, once. */
static void warn_harmful(
	struct fl_conf *conf, const struct fl_conf_node *map, const struct fl_view *view)
{
	const char *warning = NULL;

	for (unsigned t = 0; t < FL_TIERS && !warning; t++)
		if (view->tier[t].placement)
			warning = fl_placement_warning(view->tier[t].placement);
	if (warning)
		fl_conf_warn(conf, value_at(map, "algorithm"), "%s", warning);
}

static void warn_idle(struct fl_conf *conf, const struct fl_conf_node *map,
	const struct fl_pool_conf *pool, const struct fl_view *view)
{
	struct fl_conf_quoted quoted;
	bool weighted = false;

	if (view->tier[0].eligible + view->tier[1].eligible > 0)
		return;
	for (size_t i = 0; i < pool->count; i++)
		weighted |= pool->nodes[i].weight > 0;
	fl_conf_warn(conf, value_at(map, "nodes"), "no key has an owner in the pool %s: %s",
		fl_conf_quote(&quoted, pool->name),
		weighted ? "every node with a weight is drained or disabled"
			 : "every weight is 0");
}

/* Builds the pool for trial. */
static int try_pool(struct fl_conf *conf, const struct fl_conf_node *map,
	const struct fl_pool_conf *conf_pool)
{
	struct fl_error err = {0};
	struct fl_pool *pool = NULL;
	int rc = fl_pool_new(&pool, conf_pool->name, 1);

	if (rc != FL_OK)
		return fl_conf_error(conf, NULL, "out of memory");
	rc = fl_pool_apply(pool, conf_pool, 0, &err);
	if (rc != FL_OK) {
		rc = fl_conf_error(conf, value_at(map, "nodes"), "%s", err.text);
	} else {
		const struct fl_view *view = fl_pool_view(pool);

		for (unsigned t = 0; t < FL_TIERS; t++)
			warn_starved(conf, map, &view->tier[t]);
		warn_harmful(conf, map, view);
		warn_idle(conf, map, conf_pool, view);
	}
	fl_pool_unref(pool);
	return rc;
}

static int check_pools(
	struct fl_config *c, const struct fl_conf_node *root, enum fl_config_use use)
{
	int rc = 0;

	for (size_t i = 0; i < c->pool_count; i++) {
		const struct fl_conf_node *map = item_at(root, "pools", i);

		rc |= fl_pool_conf_check(c->conf, map, &c->pools[i].pool);
		if (use == FL_CONFIG_SERVE)
			rc |= check_addresses(c->conf, map, &c->pools[i].pool);
	}
	return rc;
}

int fl_config_check(struct fl_config *c, enum fl_config_use use)
{
	const struct fl_conf_node *root = fl_conf_root(c->conf);
	int rc = check_pools(c, root, use);

	if (use == FL_CONFIG_SERVE) {
		rc |= check_listeners(c, root);
		rc |= check_admin(c, root);
		rc |= check_routes(c, root);
	}
	if (rc != 0 || fl_conf_errors(c->conf) > 0)
		return -1;
	for (size_t i = 0; i < c->pool_count; i++)
		rc |= try_pool(c->conf, item_at(root, "pools", i), &c->pools[i].pool);
	return rc;
}
