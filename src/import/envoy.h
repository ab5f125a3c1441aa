/* What the parts of Envoy's reader share. Clusters come first, each as a pool; then routes lead to
 * them. Envoy says the key at the route, Fairlead at the pool: so a cluster that is reached with
 * several hash policies becomes several pools of the same nodes. */
#ifndef FL_IMPORT_ENVOY_H
#define FL_IMPORT_ENVOY_H

#include "import/yaml.h"

#define FL_ENVOY_MOST_SOURCES  16         /* of a pool's key */
#define FL_ENVOY_MOST_CLUSTERS 4096       /* as many as a configuration may have pools */
#define FL_ENVOY_MOST_ROUTES   4096       /* of one virtual host */
#define FL_ENVOY_MOST_HOSTS    (1u << 20) /* of all clusters and their copies */

/* A route's hash_policy as sources of a key: the first that gives a value. */
struct fl_envoy_policy {
	const char *sources[FL_ENVOY_MOST_SOURCES];
	const char *names[FL_ENVOY_MOST_SOURCES]; /* NULL: has none */
	size_t count;
};

/* A pool, with the policy that its key was made from. */
struct fl_envoy_use {
	struct fl_envoy_policy policy;
	struct fl_import_pool *pool;
	struct fl_envoy_use *next;
};

struct fl_envoy_cluster {
	const char *name;
	const struct fl_conf_node *node;
	struct fl_import_pool *pool; /* NULL: could not be carried */
	struct fl_envoy_use *uses;
};

struct fl_envoy {
	struct fl_yaml y;
	struct fl_envoy_cluster *clusters;
	size_t count;
	size_t hosts;            /* read so far, those of copies too */
	size_t routes;           /* tried so far */
	bool own_remote_address; /* of the connection manager at hand: use_remote_address */
};

/* ---- envoy_cluster.c ---- */

/* A pool from a cluster; NULL, with a note, when there is nothing to import. Adds to *hosts. */
struct fl_import_pool *fl_envoy_read_cluster(
	struct fl_yaml *y, const struct fl_conf_node *cluster, size_t *hosts);

/* ---- envoy_lb.c ---- */

/* Sets the pool's mapping by the cluster's load balancing. `by_hostname`: what is hashed. */
void fl_envoy_read_lb(struct fl_yaml *y, struct fl_import_pool *pool,
	const struct fl_conf_node *cluster, bool *by_hostname);

/* ---- envoy_policy.c ---- */

/* From a list of hash policies (the first one; NULL: none), with notes. */
void fl_envoy_read_policy(
	struct fl_envoy *e, const struct fl_conf_node *item, struct fl_envoy_policy *policy);

/* The pool for requests that reach a cluster with this policy; NULL, with a note at `at`, for a
 * cluster that is not there or was not carried. */
struct fl_import_pool *fl_envoy_pool(struct fl_envoy *e, const struct fl_conf_node *at,
	const char *cluster, const struct fl_envoy_policy *policy);

/* ---- envoy_route.c ---- */

/* The routes of a route configuration, for `listener`; NULL: only which key leads to which
 * cluster. */
void fl_envoy_read_routes(struct fl_envoy *e, const struct fl_conf_node *config,
	const struct fl_import_listener *listener);

#endif
