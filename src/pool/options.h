/* What a pool can be told about its nodes and its algorithm: rows of the map of a pool.
 *
 *   algorithm: table                              a spec as the library takes it:
 *   algorithm: "ring,points=200"                  "NAME,option=value..."
 *   algorithm: {name: table, rows: 65536}         the same, spelt out
 *   algorithm: {compat: python-ring, replicas: 3} another system's mapping
 *   algorithm: {name: table, secret_file: F}      "table,secret=" and the first line of file F
 *   nodes: [{name: a, address: "10.0.0.1:80", weight: 2}, "b=10.0.0.2:80", "10.0.0.3:80"]
 *   slow_start: 30s */
#ifndef FL_POOL_OPTIONS_H
#define FL_POOL_OPTIONS_H

#include "base/option.h"
#include "pool/pool.h"

/* Rows "name", "algorithm", "nodes" and "slow_start" of struct fl_pool_conf. Algorithm names and
 * options are checked by building an empty placement. */
extern const struct fl_option fl_pool_rows[];

/* What rows alone cannot see: names that are there twice, slots that the algorithm wants and that
 * are not there or too high, and an algorithm that a pool cannot have. `node` is the pool's map. Errors go to
 * `conf`; 0, or -1. O(n log n). */
int fl_pool_conf_check(
	struct fl_conf *conf, const struct fl_conf_node *node, const struct fl_pool_conf *pool);

/* Node i of the pool whose map is `node`, for messages; `node` when there is no such item. O(i). */
const struct fl_conf_node *fl_pool_conf_item(const struct fl_conf_node *node, size_t i);

/* The one behind `item`, which came from these two, without counting from the first. */
const struct fl_conf_node *fl_pool_conf_next(
	const struct fl_conf_node *node, const struct fl_conf_node *item);

#endif
