/* compat:envoy-maglev: Envoy's maglev load balancer. Checked against the tables that Envoy's own
 * tests print (revision 08417eb6).
 *
 * A name is what Envoy hashes for the host (as for envoy-ring). Hosts stand in the order of their
 * names, bytes ascending. A host's walk starts at XXH64(name, seed 0) mod rows and steps by
 * XXH64(name, seed 1) mod (rows - 1) + 1. In round 1, 2, ..., host by host: unless round * nw is
 * below the host's target, the target grows by the greatest nw and the host takes a row. nw is
 * weight / sum, a double, and so is the target. `rows` is Envoy's table_size.
 *
 * key=text: the key's bytes are hashed with XXH64; key=hash: the key is Envoy's whole hash of a
 * request, in decimal. Its row is hash mod rows.
 *
 * Envoy builds its table from healthy hosts only, so a mask is answered by a table without the
 * masked ones (rebuilt.h), as above the panic threshold. Not reproduced: priorities, localities,
 * hash_balance_factor. Moves: not minimal; no order, no history. Cost: an XXH64 and one load, 2
 * bytes a row; building is some milliseconds. */
#include "compat/compat.h"

#include "compat/doubles.h"
#include "compat/rebuilt.h"
#include "compat/rows.h"
#include "compat/scaled_ring.h"
#include "hash/xxh.h"

#include <stdlib.h>
#include <string.h>

enum {
	OPTION_ROWS,
	OPTION_KEY
};

static const char *const keys[] = {"text", "hash", NULL};

static void set_out(struct fl_walker *w, uint32_t rows)
{
	size_t len = strlen(w->name);
	w->at = (uint32_t)(fl_xxh64(w->name, len, 0) % rows);
	w->skip = (uint32_t)(fl_xxh64(w->name, len, 1) % (rows - 1)) + 1;
}

static void fill(struct fl_rows *r, struct fl_walker *list, double *target, uint32_t count,
	uint64_t total)
{
	double most = 0;
	for (uint32_t i = 0; i < count; i++) {
		double share = (double)list[i].weight / (double)total;
		most = share > most ? share : most;
	}
	for (uint32_t round = 1; r->taken < r->count; round++) {
		for (uint32_t i = 0; i < count && r->taken < r->count; i++) {
			double share = (double)list[i].weight / (double)total;
			if ((double)round * share < target[i])
				continue;
			target[i] += most;
			fl_rows_take(r, &list[i]);
		}
	}
}

static int fill_table(const struct fl_placement *p, struct fl_rows *r, struct fl_walker *list,
	struct fl_error *err)
{
	double *target = calloc(p->eligible, sizeof(*target));
	(void)err;
	if (!target)
		return FL_ENOMEM;
	for (uint32_t i = 0; i < p->eligible; i++)
		set_out(&list[i], r->count);
	fill(r, list, target, p->eligible, p->weight);
	free(target);
	return FL_OK;
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	return fl_rows_build(
		p, (uint32_t)p->options[OPTION_ROWS], fl_walkers_by_name(p), fill_table, err);
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	(void)mask;
	return fl_rows_owner(
		p, fl_scaled_ring_key((unsigned)p->options[OPTION_KEY], key->bytes, key->len));
}

const struct fl_algorithm fl_compat_envoy_maglev = {
	.info = {"compat:envoy-maglev", "Envoy's Maglev table.", "rows=65537,key=text",
		FL_EXACT_MASK | FL_WEIGHTS | FL_ORDER_FREE | FL_HISTORY_FREE},
	.options = {{"rows", 65537, 3, 5000011, FL_PRIME, NULL},
		{"key", 0, 0, 1, FL_ANY_NUMBER, keys}},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.max_nodes = FL_MAX_ROWED,
	.key_hash = FL_KEY_WITH_NODE,
	.rebuilds = true,
	.build = build,
	.free = fl_rows_free,
	.pick = pick,
	.owners = fl_rebuilt_owners,
	.shares = fl_rows_shares,
	.memory = fl_rows_memory,
	.starved = fl_rows_starved,
};
