/* compat:twemproxy-ketama: `distribution: ketama`, twemproxy's default. Checked against twemproxy
 * 0.5.0 (Debian) answering requests.
 *
 * A node's name is the server's name in the file, or without one its host, or host:port when the
 * port is not 11211. Weighted ketama always (ketama_points.h): a server of average weight has 160
 * points, rounding aside, and all depends on how many servers there are. A key belongs to the first
 * point at or after its hash (twemproxy_hash.c), wrapping; of points at one place the one of the
 * smaller slot has it. With the 15 bits of crc32 that is one server for all keys, there and here.
 *
 * A mask steps over a server's points, so only its keys move. twemproxy does nothing of the kind:
 * without auto_eject_hosts its keys fail, with it the ring is built anew from the servers that are
 * left, which moves some keys of others too. To get that, remove the node.
 *
 * Not reproduced: names beyond 80 bytes, which it cuts (not verified). Cost: the key's hash and a
 * ring lookup; a change builds all points anew. Moves: mostly a changed node's keys; where others'
 * counts of points change, some between them. */
#include "compat/compat.h"

#include "compat/ketama_points.h"
#include "compat/twemproxy_hash.h"

#include <stdlib.h>

#define SHORT_BITS 15

struct ketama {
	struct fl_points points;
	uint32_t bare_count;
	uint32_t bare[]; /* slots of servers without a point, ascending: the last resort */
};

/* Positions of short hashes are spread over our 64 bits, so that shares are right. */
static uint64_t position(const struct fl_placement *p, const struct fl_key *key)
{
	unsigned shift = fl_twemproxy_is_short(p->options) ? 64 - SHORT_BITS : 32;
	return (uint64_t)fl_twemproxy_hash(p->options, key) << shift;
}

/* Where a point stands among those keys: all that no short hash can reach, behind the last one. */
static uint64_t among_short(uint64_t at)
{
	uint64_t value = at >> 32;
	if (value >> SHORT_BITS == 0)
		return value << (64 - SHORT_BITS);
	return (uint64_t)UINT16_MAX << 48 | value << 16;
}

/* All points, and how many servers have none. */
static uint64_t count_points(const struct fl_placement *p, uint32_t *bare)
{
	uint64_t count = 0;
	*bare = 0;
	for (uint32_t i = 0; i < p->count; i++) {
		uint32_t n = fl_ketama_digests(p, &p->nodes[i]);
		*bare += n == 0 && p->nodes[i].weight > 0;
		count += 4 * (uint64_t)n;
	}
	return count;
}

static void put_points(const struct fl_placement *p, struct ketama *k, struct fl_point *list)
{
	size_t count = 0;
	k->bare_count = 0;
	for (uint32_t slot = 0; slot < p->slots; slot++) {
		const struct fl_node *node = fl_place_at(p, slot);
		uint32_t n = node ? fl_ketama_digests(p, node) : 0;
		if (node && node->weight > 0 && n == 0)
			k->bare[k->bare_count++] = slot;
		if (n > 0)
			count += fl_ketama_points(node->name, n, slot, list + count);
	}
	for (size_t i = 0; i < count && fl_twemproxy_is_short(p->options); i++)
		list[i].at = among_short(list[i].at);
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	uint32_t bare;
	uint64_t count = count_points(p, &bare);
	struct fl_point *list;
	struct ketama *k;
	int rc = fl_ketama_check(p, count, err);
	if (rc != FL_OK)
		return rc;
	list = malloc((count + 1) * sizeof(*list));
	k = malloc(sizeof(*k) + bare * sizeof(k->bare[0]));
	rc = FL_ENOMEM;
	if (list && k) {
		put_points(p, k, list);
		rc = fl_points_sort(&k->points, list, count);
	}
	free(list);
	if (rc != FL_OK) {
		free(k);
		return rc;
	}
	p->state = k;
	return FL_OK;
}

static void release(struct fl_placement *p)
{
	struct ketama *k = p->state;
	fl_points_fini(&k->points);
	free(k);
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	const struct ketama *k = p->state;
	uint32_t slot = fl_points_pick(&k->points, position(p, key), mask);
	for (uint32_t i = 0; slot == FL_NONE && i < k->bare_count; i++) {
		if (!fl_masked(mask, k->bare[i]))
			slot = k->bare[i];
	}
	return slot;
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	const struct ketama *s = p->state;
	int n = fl_points_owners(&s->points, position(p, key), mask, p->slots, slots, k);
	for (uint32_t i = 0; n >= 0 && (size_t)n < k && i < s->bare_count; i++) {
		if (!fl_masked(mask, s->bare[i]))
			slots[n++] = s->bare[i];
	}
	return n;
}

static bool arc(const struct fl_placement *p, size_t i, struct fl_arc *arc)
{
	const struct ketama *k = p->state;
	return fl_points_arc(&k->points, i, arc);
}

static size_t memory(const struct fl_placement *p)
{
	const struct ketama *k = p->state;
	return sizeof(*k) + k->bare_count * sizeof(k->bare[0]) + k->points.bytes;
}

/* It has no points, or all of them stand behind another one at the same place. O(points). */
static bool starved(const struct fl_placement *p, uint32_t slot)
{
	const struct fl_points *r = &((const struct ketama *)p->state)->points;
	for (uint32_t i = 0; i < r->count; i++) {
		if (r->slot[i] == slot && (i == 0 || r->at[i - 1] != r->at[i]))
			return false;
	}
	return true;
}

static const char *warning(const struct fl_placement *p)
{
	return fl_twemproxy_is_short(p->options)
	               ? "twemproxy's ketama with hash=crc32 sends all keys to one node, "
	                 "because "
	                 "such a hash has 15 bits; crc32a has all 32, but is another mapping"
	               : NULL;
}

const struct fl_algorithm fl_compat_twemproxy_ketama = {
	.info = {"compat:twemproxy-ketama",
		"twemproxy's ketama: weighted MD5 points, counted in single precision.",
		"hash=fnv1a_64,hash-tag=", FL_WEIGHTS | FL_HISTORY_FREE | FL_EXACT_MOVEMENT},
	.options = {FL_TWEMPROXY_OPTIONS},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_TWEMPROXY,
	.key_options = FL_TWEMPROXY_KEY_OPTIONS,
	.by_slot = true,
	.build = build,
	.free = release,
	.pick = pick,
	.owners = owners,
	.arc = arc,
	.part = FL_PART_POINT,
	.position = position,
	.memory = memory,
	.starved = starved,
	.warning = warning,
};
