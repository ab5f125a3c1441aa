/* Routes: which pool a request goes to.
 *
 * The most specific host wins (exact, then the longest wildcard, then none), then the longest
 * path prefix on a segment boundary ("/api" matches "/api" and "/api/x", not "/apix"), then a
 * route for this listener before one for all. Hosts compare without case and without port;
 * paths are compared as received, not decoded. No match: no pool. */
#ifndef FL_PROXY_ROUTE_H
#define FL_PROXY_ROUTE_H

#include "base/slice.h"
#include "proxy/options.h"

struct fl_routes;

/* `pools` and `listeners` turn names into the numbers that fl_routes_find takes and gives;
 * every name must be there (the configuration was checked). NULL without memory. */
struct fl_routes *fl_routes_new(const struct fl_route_conf *routes, size_t count,
	const char *const *pools, size_t pool_count, const char *const *listeners,
	size_t listener_count);
void fl_routes_free(struct fl_routes *routes); /* NULL is fine */

/* The number of the pool, or -1. O(routes). */
int fl_routes_find(const struct fl_routes *routes, int listener, struct fl_slice host,
	struct fl_slice path);

#endif
