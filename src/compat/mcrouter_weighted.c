/* compat:mcrouter-weighted-ch3 and compat:mcrouter-weighted-ch4: mcrouter's WeightedCh3 and
 * WeightedCh4. Checked against its own functions (revision 9d7f4342) with stub types around them.
 *
 * A server's weight is in [0, 1]: the share of the keys that Ch3 gives it and that it keeps.
 * WeightedCh3: up to 32 times, i = furc(key, n) (furc.h); if SpookyHash V2 of the key (32 bits, seed
 * 0xface2014) is below trunc(weight_i * (2^32 - 1)), i has it. Else the key gets a number appended
 * to its original bytes, 0, 1, 2, ..., in decimal with the lowest digit first, and is tried again.
 * The 32nd i has the key in any case. (Keys have at most 250 bytes there; one of more than 1024 is
 * given to its first i here.) WeightedCh4: the same with bits of one and the same row, see furc.c.
 *
 * Weights here are integers: weight / unit is what mcrouter's file says, so 0.25 is weight=25 with
 * unit=100. The quotient is the double that mcrouter reads there. As there, weights above 1 count
 * as 1.
 *
 * A mask, and what moves: as for mcrouter-ch3; another weight moves keys to or from that server
 * only, but for the few that are out of tries. Cost: 1 / (mean weight) times that of Ch3. */
#include "compat/compat.h"

#include "compat/doubles.h"
#include "compat/furc.h"
#include "compat/numbered.h"
#include "hash/spooky.h"

#include <stdlib.h>
#include <string.h>

#define SEED 0xface2014u
#define MOST 1024 /* bytes of a key that can be tried again; mcrouter's have at most 250 */

/* By number: the accepted Spooky values are below it. */
static uint64_t *thresholds_of(const struct fl_placement *p)
{
	uint64_t *list = malloc(p->count * sizeof(*list));
	double unit = (double)p->options[0];
	uint32_t n = 0;
	for (uint32_t slot = 0; list && slot < p->slots; slot++) {
		const struct fl_node *node = fl_place_at(p, slot);
		if (node)
			list[n++] = (uint64_t)((double)node->weight / unit * 4294967295.0);
	}
	return list;
}

/* Appends the digits of `salt`, the lowest first; gives how many. */
static size_t put_salt(char *to, unsigned salt)
{
	size_t n = 0;
	do {
		to[n++] = (char)('0' + salt % 10);
		salt /= 10;
	} while (salt > 0);
	return n;
}

static uint32_t number_ch3(const struct fl_placement *p, const struct fl_key *key)
{
	const uint64_t *thresholds = ((const struct fl_numbered *)p->state)->extra;
	char salted[MOST + 4];
	const void *bytes = key->bytes;
	size_t len = key->len;
	for (unsigned try = 0;; try++) {
		uint32_t i = fl_furc(bytes, len, p->count);
		if (fl_spooky32(bytes, len, SEED) < thresholds[i] || try + 1 == FL_FURC_TRIES ||
			key->len > MOST)
			return i;
		if (try == 0 && key->len > 0)
			memcpy(salted, key->bytes, key->len);
		bytes = salted;
		len = key->len + put_salt(salted + key->len, try);
	}
}

static uint32_t number_ch4(const struct fl_placement *p, const struct fl_key *key)
{
	const uint64_t *thresholds = ((const struct fl_numbered *)p->state)->extra;
	return fl_furc_weighted(key->bytes, key->len, thresholds, p->count);
}

static int build_with(struct fl_placement *p, fl_number_fn number)
{
	uint64_t *thresholds = thresholds_of(p);
	if (!thresholds)
		return FL_ENOMEM;
	return fl_numbered_build(p, number, thresholds, p->count * sizeof(*thresholds));
}

static int build_ch3(struct fl_placement *p, struct fl_error *err)
{
	(void)err;
	return build_with(p, number_ch3);
}

static int build_ch4(struct fl_placement *p, struct fl_error *err)
{
	(void)err;
	return build_with(p, number_ch4);
}

const struct fl_algorithm fl_compat_mcrouter_weighted_ch3 = {
	.info = {"compat:mcrouter-weighted-ch3",
		"mcrouter's WeightedCh3: Ch3, tried again where a weight below 1 says no.",
		"unit=1", FL_WEIGHTS | FL_HISTORY_FREE},
	.options = {{"unit", 1, 1, 65535, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_WITH_NODE,
	.by_slot = true,
	.build = build_ch3,
	.free = fl_numbered_free,
	.pick = fl_numbered_pick,
	.owners = fl_numbered_owners,
	.memory = fl_numbered_memory,
};

const struct fl_algorithm fl_compat_mcrouter_weighted_ch4 = {
	.info = {"compat:mcrouter-weighted-ch4",
		"mcrouter's WeightedCh4: as WeightedCh3, with fewer hashes.", "unit=1",
		FL_WEIGHTS | FL_HISTORY_FREE},
	.options = {{"unit", 1, 1, 65535, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_WITH_NODE,
	.by_slot = true,
	.build = build_ch4,
	.free = fl_numbered_free,
	.pick = fl_numbered_pick,
	.owners = fl_numbered_owners,
	.memory = fl_numbered_memory,
};
