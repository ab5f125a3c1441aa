/* compat:katran-maglev: the tables of Meta's Katran, MaglevHash (version=1) and MaglevHashV2
 * (version=2). Checked against tables that its own code made (revision 19f08fec).
 *
 * A node's name is its hash in Katran, a 64-bit decimal number. With M(a, b, seed) = the first half
 * of MurmurHash3 x64 128 over two little-endian 64-bit words, its walk starts at
 * M(hash, 42, 0) mod rows and steps by M(hash, 2718281828, 2307) mod (rows - 1) + 1; positions are
 * 32-bit numbers, wrap there and only then are taken mod rows. Nodes take turns in the order of the
 * list (ascending slots), as the functions do that were recorded; with order=hash by ascending
 * hash, as Katran's service (Vip.cpp) sorts them before it calls these functions:
 *   version 1: a node takes `weight` rows in the first round and one in each later one;
 *   version 2: in each round weight is added to the node's account; at the greatest weight that
 *     much is taken off again and the node takes a row.
 * With one node there is nothing to take turns for.
 *
 * A key is the 32-bit number that Katran's data plane hashes a packet to, in decimal: its row is
 * number mod rows. Other bytes are hashed to a number first (number.h).
 *
 * A real that is down is taken out and the table built anew, and so is a mask answered
 * (rebuilt.h). Moves: not minimal. Cost: one load, 2 bytes a row; building is some milliseconds. */
#include "compat/compat.h"

#include "base/error.h"
#include "compat/number.h"
#include "compat/rebuilt.h"
#include "compat/rows.h"
#include "hash/mix.h"
#include "hash/murmur3.h"

#include <stdlib.h>
#include <string.h>

enum {
	OPTION_VERSION,
	OPTION_ROWS,
	OPTION_ORDER
};

static const char *const versions[] = {"1", "2", NULL};
static const char *const orders[] = {"list", "hash", NULL};

static uint64_t hash_pair(uint64_t a, uint64_t b, uint32_t seed)
{
	unsigned char bytes[16];
	struct fl_murmur3 m;
	uint64_t sum[2];
	fl_store64_le(bytes, a);
	fl_store64_le(bytes + 8, b);
	fl_murmur3_init(&m, seed);
	fl_murmur3_add(&m, bytes, sizeof(bytes));
	fl_murmur3_sum(&m, sum);
	return sum[0];
}

static int set_out(struct fl_walker *w, uint32_t rows, struct fl_error *err)
{
	if (!fl_number_parse(w->name, strlen(w->name), &w->hash))
		return fl_error_set(err, FL_EINVAL,
			"node \"%s\": for katran-maglev a name is the node's hash, a decimal "
			"number of 64 bits",
			w->name);
	w->at = (uint32_t)(hash_pair(w->hash, 42, 0) % rows);
	w->skip = (uint32_t)(hash_pair(w->hash, 2718281828, 2307) % (rows - 1)) + 1;
	return FL_OK;
}

static int by_hash(const void *a, const void *b)
{
	const struct fl_walker *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static void fill_1(struct fl_rows *r, struct fl_walker *list, size_t n)
{
	for (size_t i = 0; r->taken < r->count; i = i + 1 == n ? 0 : i + 1) {
		for (uint32_t j = 0; j < list[i].weight && r->taken < r->count; j++)
			fl_rows_take_wrapping(r, &list[i]);
		list[i].weight = 1;
	}
}

/* The account of a node never exceeds twice the greatest weight. */
static void fill_2(struct fl_rows *r, struct fl_walker *list, uint32_t *account, size_t n)
{
	uint32_t most = 0;
	for (size_t i = 0; i < n; i++)
		most = list[i].weight > most ? list[i].weight : most;
	for (size_t i = 0; r->taken < r->count; i = i + 1 == n ? 0 : i + 1) {
		account[i] += list[i].weight;
		if (account[i] < most)
			continue;
		account[i] -= most;
		fl_rows_take_wrapping(r, &list[i]);
	}
}

static int fill(const struct fl_placement *p, struct fl_rows *r, struct fl_walker *list,
	struct fl_error *err)
{
	uint32_t *account;
	int rc = FL_OK;
	for (uint32_t i = 0; rc == FL_OK && i < p->eligible; i++)
		rc = set_out(&list[i], r->count, err);
	if (rc != FL_OK)
		return rc;
	if (p->options[OPTION_ORDER] == 1)
		qsort(list, p->eligible, sizeof(*list), by_hash);
	if (p->options[OPTION_VERSION] == 0) {
		fill_1(r, list, p->eligible);
		return FL_OK;
	}
	account = calloc((size_t)p->eligible + 1, sizeof(*account));
	if (!account)
		return FL_ENOMEM;
	fill_2(r, list, account, p->eligible);
	free(account);
	return FL_OK;
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	return fl_rows_build(
		p, (uint32_t)p->options[OPTION_ROWS], fl_walkers_by_slot(p), fill, err);
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	(void)mask;
	return fl_rows_owner(p, fl_number_of(key->bytes, key->len));
}

const struct fl_algorithm fl_compat_katran_maglev = {
	.info = {"compat:katran-maglev", "Katran's Maglev tables, MaglevHash and MaglevHashV2.",
		"version=2,rows=65537,order=list",
		FL_EXACT_MASK | FL_WEIGHTS | FL_HISTORY_FREE},
	.options = {{"version", 1, 0, 1, FL_ANY_NUMBER, versions},
		{"rows", 65537, 3, 16777213, FL_PRIME, NULL},
		{"order", 0, 0, 1, FL_ANY_NUMBER, orders}},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.max_nodes = FL_MAX_ROWED,
	.key_hash = FL_KEY_WITH_NODE,
	.by_slot = true,
	.rebuilds = true,
	.build = build,
	.free = fl_rows_free,
	.pick = pick,
	.owners = fl_rebuilt_owners,
	.shares = fl_rows_shares,
	.memory = fl_rows_memory,
	.starved = fl_rows_starved,
};
