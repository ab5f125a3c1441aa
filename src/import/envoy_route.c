/* Virtual hosts and their routes.
 *
 * Envoy takes the first route of a virtual host that matches; Fairlead the longest prefix. So a
 * route that an earlier one leaves nothing to is left out, and the rest comes out alike. What cannot:
 * a prefix ends anywhere in Envoy and between segments here; an exact path is a prefix here; other
 * conditions do not exist; and a virtual host without a match ends in 404 there, where here less
 * specific hosts have a say. Each of these is noted. */
#include "import/envoy.h"

#include <stdlib.h>

enum match {
	PREFIX,
	SEGMENTS, /* path_separated_prefix: what Fairlead does */
	EXACT,
};

struct route {
	const struct fl_conf_node *node; /* the field of its match */
	enum match match;
	const char *path;
	size_t whole;                /* its length */
	size_t len;                  /* without slashes at the end: as Fairlead compares */
	struct fl_import_pool *pool; /* NULL: Envoy answers, or it was not carried */
};

struct host {
	struct fl_envoy *e;
	struct route *routes;
	size_t count;
};

/* ---- match ---- */

static const char *const match_fields[] = {
	"prefix", "path", "path_separated_prefix", "case_sensitive", NULL};

/* The first condition that no route here can have. */
static const struct fl_conf_node *condition(const struct fl_conf_node *match)
{
	for (const struct fl_conf_node *item = match->child; item; item = item->next) {
		size_t i = 0;
		while (match_fields[i] && !fl_yaml_is(item, match_fields[i]))
			i++;
		if (!match_fields[i])
			return item;
	}
	return NULL;
}

static bool read_match(struct fl_yaml *y, const struct fl_conf_node *match, struct route *r)
{
	const struct fl_conf_node *other, *sense = fl_yaml_get(match, "case_sensitive");

	if (!fl_yaml_is_map(y, match))
		return false;
	other = condition(match);
	for (size_t i = PREFIX; i <= EXACT && !r->node; i++) {
		static const char *const names[] = {"prefix", "path_separated_prefix", "path"};
		r->node = fl_yaml_get(match, names[i]);
		r->match = (enum match)i;
	}
	r->path = fl_yaml_text(y, r->node);
	if (other || !r->path) {
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true, other ? other : match,
			"routes go by host and path alone; these requests go where the others "
			"go");
		return false;
	}
	if (sense && !fl_yaml_true(y, sense))
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true, sense, "paths compare with case");
	r->path = *r->path ? r->path : "/";
	r->whole = r->len = strlen(r->path);
	while (r->len && r->path[r->len - 1] == '/')
		r->len--;
	return true;
}

/* Whether `first` leaves nothing of `then`. */
static bool covers(const struct route *first, const struct route *then)
{
	size_t n = first->whole;

	if (n > then->whole || memcmp(first->path, then->path, n) != 0)
		return false;
	if (then->path[n] == '\0')
		return first->match != EXACT ? first->match == PREFIX || then->match != PREFIX
		                             : then->match == EXACT;
	return first->match == PREFIX || (first->match == SEGMENTS && then->path[n] == '/');
}

/* Where the boundaries of prefixes differ. */
static void note_boundary(struct fl_yaml *y, const struct route *r)
{
	if (r->match == EXACT)
		fl_yaml_note(y, FL_IMPORT_CARRIED, true, r->node,
			"is this path alone in Envoy; here what is below it as well");
	else if (r->match == PREFIX && r->len && r->path[r->len] == '/')
		fl_yaml_note(y, FL_IMPORT_CARRIED, true, r->node,
			"here this has the path without the slash at its end as well");
	else if (r->match == PREFIX && r->len)
		fl_yaml_note(y, FL_IMPORT_CARRIED, true, r->node,
			"ends between segments here: %.80sx is not below it, as it is in Envoy",
			r->path);
}

/* Whether an earlier route has all requests of this one. */
static bool is_covered(struct host *h, const struct route *r)
{
	for (size_t i = 0; i < h->count; i++) {
		if (!covers(&h->routes[i], r))
			continue;
		fl_yaml_note(&h->e->y, FL_IMPORT_NOT_CARRIED, false, r->node,
			"is never reached: line %u has these requests",
			fl_yaml_place(&h->e->y, h->routes[i].node).line);
		return true;
	}
	return false;
}

/* Adds a route, unless there is one for the same prefix, as Fairlead sees it. */
static void keep(struct host *h, const struct route *r)
{
	struct fl_yaml *y = &h->e->y;
	size_t i = 0;

	while (i < h->count &&
		(h->routes[i].len != r->len || memcmp(h->routes[i].path, r->path, r->len) != 0))
		i++;
	if (i < h->count) {
		bool swap = h->routes[i].match == EXACT;
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, h->routes[i].pool != r->pool,
			swap ? h->routes[i].node : r->node,
			"a prefix here is one route: that of line %u",
			fl_yaml_place(y, swap ? r->node : h->routes[i].node).line);
		if (!swap)
			return;
	} else if (++h->count > FL_ENVOY_MOST_ROUTES) {
		fl_yaml_fail(y, r->node, "a virtual host has more than %d routes",
			FL_ENVOY_MOST_ROUTES);
		h->count--;
		return;
	}
	h->routes[i] = *r;
}

/* ---- action ---- */

static const char *const action_fields[] = {
	"cluster", "weighted_clusters", "hash_policy", NULL};
static const char *const route_fields[] = {
	"name", "match", "route", "redirect", "direct_response", NULL};

/* The cluster that has all of a route's requests. */
static const char *cluster_of(struct fl_yaml *y, const struct fl_conf_node *action)
{
	const struct fl_conf_node *weighted = fl_yaml_get(action, "weighted_clusters");
	const struct fl_conf_node *item = fl_yaml_list(y, weighted, "clusters");
	const char *name = fl_yaml_text(y, fl_yaml_get(action, "cluster"));

	if (!name && item && !item->next)
		name = fl_yaml_text(y, fl_yaml_get(item, "name"));
	if (!name)
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true, weighted ? weighted : action,
			"a route here leads to one pool");
	return name;
}

static void read_route(struct host *h, const struct fl_conf_node *item)
{
	const struct fl_conf_node *match = fl_yaml_get(item, "match");
	const struct fl_conf_node *action = fl_yaml_get(item, "route");
	struct fl_yaml *y = &h->e->y;
	struct fl_envoy_policy policy;
	struct route r = {.node = NULL};
	const char *cluster;

	if (!match) {
		fl_yaml_fail(y, item, "a route wants a match");
		return;
	}
	if (!read_match(y, match, &r) || is_covered(h, &r))
		return;
	if (action) {
		cluster = cluster_of(y, action);
		fl_envoy_read_policy(h->e, fl_yaml_list(y, action, "hash_policy"), &policy);
		r.pool = cluster ? fl_envoy_pool(h->e, action, cluster, &policy) : NULL;
		fl_yaml_rest(y, action, action_fields);
	} else {
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true, match,
			"Envoy answers these requests itself; here they go where the others "
			"go");
	}
	keep(h, &r);
	fl_yaml_rest(y, item, route_fields);
}

/* ---- domains ---- */

/* A domain as the host of routes: NULL in *host is every host. False: it cannot be one. */
static bool read_domain(struct fl_yaml *y, const struct fl_conf_node *node, const char **host)
{
	const char *text = fl_yaml_text(y, node);
	const char *colon = text ? strrchr(text, ':') : NULL;

	*host = NULL;
	if (!text)
		return false;
	if (strcmp(text, "*") == 0)
		return true;
	if (colon && colon[strspn(colon + 1, "0123456789*") + 1] == '\0' &&
		(text[0] == '[' ? colon[-1] == ']' : strchr(text, ':') == colon)) {
		fl_yaml_note(
			y, FL_IMPORT_CARRIED, false, node, "hosts compare without the port");
		*host = fl_import_copy(y->m, (struct fl_slice){text, (size_t)(colon - text)});
		return *host != NULL;
	}
	if (strchr(text, '*') && (strncmp(text, "*.", 2) != 0 || strchr(text + 1, '*'))) {
		fl_yaml_note(y, FL_IMPORT_NOT_CARRIED, true, node,
			"a wildcard here is one whole label or more in front: *.example.com");
		return false;
	}
	*host = fl_import_copy(y->m, fl_slice_of(text));
	return *host != NULL;
}

static bool is_said(struct fl_yaml *y, const struct fl_conf_node *first,
	const struct fl_conf_node *item, const char *host)
{
	/* "example.com:8080" beside "example.com", as Envoy wants it. */
	for (; host && first; first = first->next)
		if (first != item && first->kind == FL_CONF_SCALAR &&
			strcasecmp(first->text, host) == 0)
			return strcasecmp(fl_yaml_text(y, item), host) != 0;
	return false;
}

static void put_routes(
	const struct host *h, const struct fl_import_listener *listener, const char *host)
{
	struct fl_yaml *y = &h->e->y;

	for (size_t i = 0; i < h->count; i++) {
		const struct route *r = &h->routes[i];
		if (!r->pool)
			continue;
		if (++h->e->routes > FL_IMPORT_MAX_ROUTES) {
			fl_yaml_fail(y, r->node,
				"the domains have more than %d routes together",
				FL_IMPORT_MAX_ROUTES);
			return;
		}
		(void)fl_import_add_route(y->m, fl_yaml_place(y, r->node), listener->name, host,
			r->len ? fl_import_copy(y->m, (struct fl_slice){r->path, r->len})
			       : NULL,
			r->pool->name);
	}
}

/* ---- virtual hosts ---- */

static const char *const host_fields[] = {"name", "domains", "routes", NULL};

static bool has_all(const struct host *h)
{
	for (size_t i = 0; i < h->count; i++)
		if (h->routes[i].len == 0 && h->routes[i].match != EXACT)
			return true;
	return false;
}

static bool is_last_resort(const struct fl_conf_node *domains)
{
	return domains && !domains->next && domains->kind == FL_CONF_SCALAR &&
	       strcmp(domains->text, "*") == 0;
}

static void read_host(struct host *h, const struct fl_conf_node *item, bool alone,
	const struct fl_import_listener *listener)
{
	const struct fl_conf_node *domains = fl_yaml_list(&h->e->y, item, "domains");
	const struct fl_conf_node *route = fl_yaml_list(&h->e->y, item, "routes");
	const char *host;

	h->count = 0;
	for (; route; route = route->next)
		read_route(h, route);
	for (size_t i = 0; i < h->count; i++)
		if (h->routes[i].pool)
			note_boundary(&h->e->y, &h->routes[i]);
	if (!alone && !has_all(h) && listener && !is_last_resort(domains))
		fl_yaml_note(&h->e->y, FL_IMPORT_CARRIED, true, fl_yaml_named(item),
			"what none of its routes has is answered with 404 by Envoy; here a "
			"virtual "
			"host that is less specific may have it");
	for (const struct fl_conf_node *d = domains; d && listener; d = d->next)
		if (read_domain(&h->e->y, d, &host) && !is_said(&h->e->y, domains, d, host))
			put_routes(h, listener, host);
	fl_yaml_rest(&h->e->y, item, host_fields);
}

/* Room for the routes of any of these virtual hosts. */
static size_t most_routes(const struct fl_conf_node *item)
{
	size_t most = 1;

	for (; item; item = item->next) {
		const struct fl_conf_node *list = fl_yaml_get(item, "routes");
		if (list && list->count > most)
			most = list->count;
	}
	return most < FL_ENVOY_MOST_ROUTES ? most : FL_ENVOY_MOST_ROUTES;
}

static const char *const config_fields[] = {"name", "virtual_hosts", NULL};

void fl_envoy_read_routes(struct fl_envoy *e, const struct fl_conf_node *config,
	const struct fl_import_listener *listener)
{
	const struct fl_conf_node *first = fl_yaml_list(&e->y, config, "virtual_hosts");
	struct host h = {.e = e};

	h.routes = fl_conf_alloc(e->y.conf, most_routes(first) * sizeof(*h.routes));
	if (!h.routes) {
		fl_yaml_fail(&e->y, config, "out of memory");
		return;
	}
	for (const struct fl_conf_node *item = first; item && e->y.rc == FL_OK;
		item = item->next)
		if (fl_yaml_is_map(&e->y, item))
			read_host(&h, item, !first->next, listener);
	fl_yaml_rest(&e->y, config, config_fields);
}
