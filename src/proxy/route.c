#include "proxy/route.h"

#include <stdlib.h>

struct route {
	struct fl_slice
		host; /* empty: every host; a wildcard without its '*': ".example.com" */
	bool wildcard;
	struct fl_slice path; /* without a trailing slash; empty: every path */
	int listener;         /* -1: every one */
	int pool;
};

struct fl_routes {
	size_t count;
	struct route items[]; /* most specific first: the first match is the answer */
};

static int number_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

static int host_rank(const struct route *r)
{
	if (!r->host.n)
		return 0;
	return r->wildcard ? 1 : 2;
}

/* How much more specific b is than a: positive when b goes first. */
static int by_specificity(const void *left, const void *right)
{
	const struct route *a = left, *b = right;

	if (host_rank(a) != host_rank(b))
		return host_rank(b) - host_rank(a);
	if (a->wildcard && a->host.n != b->host.n)
		return a->host.n < b->host.n ? 1 : -1;
	if (a->path.n != b->path.n)
		return a->path.n < b->path.n ? 1 : -1;
	if ((a->listener < 0) != (b->listener < 0))
		return a->listener < 0 ? 1 : -1;
	return 0;
}

static struct route route_of(const struct fl_route_conf *conf)
{
	struct route r = {.host = fl_slice_of(conf->host), .path = fl_slice_of(conf->path)};

	if (r.host.n && r.host.p[0] == '*') {
		r.wildcard = r.host.n > 1;
		r.host.p++;
		r.host.n--;
	}
	while (r.path.n && r.path.p[r.path.n - 1] == '/')
		r.path.n--;
	return r;
}

struct fl_routes *fl_routes_new(const struct fl_route_conf *routes, size_t count,
	const char *const *pools, size_t pool_count, const char *const *listeners,
	size_t listener_count)
{
	struct fl_routes *all = malloc(sizeof(*all) + count * sizeof(all->items[0]));

	if (!all)
		return NULL;
	all->count = count;
	for (size_t i = 0; i < count; i++) {
		struct route *r = &all->items[i];
		*r = route_of(&routes[i]);
		r->pool = number_of(routes[i].pool, pools, pool_count);
		r->listener = routes[i].listener
		                      ? number_of(routes[i].listener, listeners, listener_count)
		                      : -1;
	}
	qsort(all->items, count, sizeof(all->items[0]), by_specificity);
	return all;
}

void fl_routes_free(struct fl_routes *routes)
{
	free(routes);
}

static bool host_matches(const struct route *r, struct fl_slice host)
{
	if (!r->host.n)
		return true;
	if (!r->wildcard)
		return fl_slice_eq_nocase(r->host, host);
	if (host.n <= r->host.n)
		return false;
	struct fl_slice tail = {host.p + host.n - r->host.n, r->host.n};
	return fl_slice_eq_nocase(r->host, tail);
}

static bool path_matches(const struct route *r, struct fl_slice path)
{
	if (path.n < r->path.n || (r->path.n && memcmp(path.p, r->path.p, r->path.n) != 0))
		return false;
	return path.n == r->path.n || path.p[r->path.n] == '/' || !r->path.n;
}

int fl_routes_find(const struct fl_routes *routes, int listener, struct fl_slice host,
	struct fl_slice path)
{
	if (host.n && host.p[host.n - 1] == '.')
		host.n--;
	for (size_t i = 0; i < routes->count; i++) {
		const struct route *r = &routes->items[i];
		if ((r->listener < 0 || r->listener == listener) && host_matches(r, host) &&
			path_matches(r, path))
			return r->pool;
	}
	return -1;
}
