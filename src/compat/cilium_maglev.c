/* compat:cilium-maglev: the service tables of Cilium's pkg/maglev, with weights as since 1.13.
 * Checked against a table that its own function made.
 *
 * A node's name is the backend's text in Cilium, "[10.0.0.1:8080,State:active]" (newer versions put
 * /TCP or /UDP behind the port). MurmurHash3 x64 128 of it with `seed` gives h1 and h2: its walk
 * starts at h1 mod rows and steps by h2 mod (rows - 1) + 1. Backends stand in the order of their
 * names. For row count n = 0, 1, ..: the turn is at backend n mod count; it passes to the next one
 * while (n + 1) * weight < its account; who takes the row adds the sum of all weights to its
 * account, which began at weight / count. The accounts are doubles whose whole part counts. With
 * a mean weight below 2 there are no weights: plain turns.
 *
 * `seed` is the number that the first four bytes of Cilium's bpf-lb-maglev-hash-seed make, the
 * first one on top, once its base64 is decoded: 0x24b7ef82 is that of the default.
 *
 * A key is the number that the data plane hashes a packet to (its jhash), in decimal; its row is
 * number mod rows. Other bytes are hashed to a number first (number.h).
 *
 * Only active backends are in the table, so a mask is answered by a table without the masked ones
 * (rebuilt.h). Moves: not minimal; no order, no history. Cost: one load, 2 bytes a row. */
#include "compat/compat.h"

#include "compat/doubles.h"
#include "compat/number.h"
#include "compat/rebuilt.h"
#include "compat/rows.h"
#include "hash/murmur3.h"

#include <stdlib.h>
#include <string.h>

enum {
	OPTION_SEED,
	OPTION_ROWS
};

static void set_out(struct fl_walker *w, uint32_t rows, uint32_t seed)
{
	struct fl_murmur3 m;
	uint64_t sum[2];
	fl_murmur3_init(&m, seed);
	fl_murmur3_add(&m, w->name, strlen(w->name));
	fl_murmur3_sum(&m, sum);
	w->at = (uint32_t)(sum[0] % rows);
	w->skip = (uint32_t)(sum[1] % (rows - 1)) + 1;
}

/* A turn is found at once: the accounts sum to n * total + total / count, and so some account is
 * at most (n + 1) * its weight. */
static void fill(struct fl_rows *r, struct fl_walker *list, double *account, uint32_t count,
	uint64_t total)
{
	bool weights = total / count > 1;
	for (uint32_t n = 0; n < r->count; n++) {
		uint32_t i = n % count;
		while (weights && ((uint64_t)n + 1) * list[i].weight < (uint64_t)account[i])
			i = (i + 1) % count;
		account[i] += (double)total;
		fl_rows_take(r, &list[i]);
	}
}

static int fill_table(const struct fl_placement *p, struct fl_rows *r, struct fl_walker *list,
	struct fl_error *err)
{
	double *account = malloc(p->eligible * sizeof(*account));
	(void)err;
	if (!account)
		return FL_ENOMEM;
	for (uint32_t i = 0; i < p->eligible; i++) {
		set_out(&list[i], r->count, (uint32_t)p->options[OPTION_SEED]);
		account[i] = (double)list[i].weight / (double)p->eligible;
	}
	fill(r, list, account, p->eligible, p->weight);
	free(account);
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
	return fl_rows_owner(p, fl_number_of(key->bytes, key->len));
}

const struct fl_algorithm fl_compat_cilium_maglev = {
	.info = {"compat:cilium-maglev", "Cilium's Maglev tables of services.",
		"seed=0x24b7ef82,rows=16381",
		FL_EXACT_MASK | FL_WEIGHTS | FL_ORDER_FREE | FL_HISTORY_FREE},
	.options = {{"seed", 0x24b7ef82, 0, UINT32_MAX, FL_ANY_NUMBER, NULL},
		{"rows", 16381, 3, 16777213, FL_PRIME, NULL}},
	.seed = OPTION_SEED,
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
