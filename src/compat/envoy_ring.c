/* compat:envoy-ring: Envoy's ring_hash load balancer. Checked against the rings that Envoy's own
 * tests print (revision 13e9fdb2).
 *
 * The ring: scaled_ring.c, over the hosts in the order of the host set, that is by ascending slot.
 * A name is what Envoy hashes for the host: the metadata envoy.lb hash_key, else the host name if
 * use_hostname_for_hashing, else "ip:port". `hash` is Envoy's hash_function (MURMUR_HASH_2:
 * MurmurHash64A with seed 0xc70f6907), `min` and `max` its minimum_ring_size and
 * maximum_ring_size. Of points at one place Envoy's sort leaves open who wins; here, the first.
 *
 * key=text: the key's bytes are hashed with XXH64, whatever `hash` is, as Envoy does with a single
 * hash policy. key=hash: the key is Envoy's whole hash of a request, in decimal.
 *
 * Envoy builds its ring from healthy hosts only, so a mask is answered by a ring without the
 * masked ones (rebuilt.h), as above the panic threshold. Not reproduced: priorities, localities,
 * hash_balance_factor. Moves: few keys more than necessary, as the scale depends on all weights.
 * Cost: an XXH64 and a ring lookup. */
#include "compat/compat.h"

#include "compat/rebuilt.h"
#include "compat/scaled_ring.h"
#include "hash/murmur64.h"

#define MURMUR_SEED 0xc70f6907u

enum {
	OPTION_KEY,
	OPTION_HASH,
	OPTION_MIN,
	OPTION_MAX
};

static const char *const hashes[] = {"XX_HASH", "MURMUR_HASH_2", NULL};
static const char *const keys[] = {"text", "hash", NULL};

static uint64_t murmur_point(const void *bytes, size_t len)
{
	return fl_murmur64a(bytes, len, MURMUR_SEED);
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	bool murmur = p->options[OPTION_HASH] == 1, number = p->options[OPTION_KEY] == 1;
	struct fl_scaled_ring ring = {p->options[OPTION_MIN], p->options[OPTION_MAX],
		murmur ? murmur_point : fl_scaled_ring_xxh64, number, false};
	return fl_scaled_ring_build(p, &ring, err);
}

const struct fl_algorithm fl_compat_envoy_ring = {
	.info = {"compat:envoy-ring",
		"Envoy's ring_hash: points in proportion to normalised weights.",
		"key=text,hash=XX_HASH,min=1024,max=8388608",
		FL_EXACT_MASK | FL_WEIGHTS | FL_HISTORY_FREE | FL_EXACT_MOVEMENT},
	.options = {{"key", 0, 0, 1, FL_ANY_NUMBER, keys},
		{"hash", 0, 0, 1, FL_ANY_NUMBER, hashes},
		{"min", 1024, 1, FL_RING_MOST, FL_ANY_NUMBER, NULL},
		{"max", FL_RING_MOST, 1, FL_RING_MOST, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_XXH64,
	.key_options = 1u << OPTION_KEY,
	.by_slot = true,
	.rebuilds = true,
	.build = build,
	.free = fl_circle_free,
	.pick = fl_circle_pick,
	.owners = fl_rebuilt_owners,
	.arc = fl_circle_arc,
	.part = FL_PART_POINT,
	.position = fl_circle_position,
	.memory = fl_circle_memory,
	.starved = fl_circle_starved,
};
