/* compat:varnish-shard: Varnish's shard director, checked against Varnish 7.1.1 itself.
 *
 * A backend's points are SHA-256 of its ident (or else its VCL name) followed by j in decimal, for
 * j below trunc(replicas * weight), each as its last four bytes, little-endian. A key takes the
 * first point at or above its position, but the *last* one if there is none: only going on from
 * there wraps. Of points at one place Varnish's sort leaves open who wins; here, by name.
 *   by=key, by=url: the position is SHA-256 of the key's bytes, as .key() and by=URL have it
 *   by=blob: the position is the number that the key's first four bytes make, or as many as it
 *     has, big-endian
 *   replicas: what reconfigure() was told
 *   unit: weights are integers here, and weight / unit is what VCL says: 1.3 is 13 with unit=10
 *   alt=N: the N-th further backend; as many as there are besides the first, at most. With alt=0
 *     written out the mapping is that of no alt
 * by=HASH takes what vcl_hash made; it is not reproduced.
 *
 * A backend that is sick is stepped over on the way round, and so is a masked one; alternatives
 * are counted before that (healthy=CHOSEN), and when nothing is left behind them, the ones before
 * are taken. Not exact: without the backend that has the last point, another one is the last.
 * Moves: only a changed backend's keys, on reweighting, too (with alt, others as well). Cost: a
 * SHA-256 and a ring lookup. */
#include "compat/compat.h"

#include "base/error.h"
#include "compat/circle.h"
#include "compat/doubles.h"
#include "compat/picks.h"
#include "hash/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ALT 63

enum {
	OPTION_BY,
	OPTION_REPLICAS,
	OPTION_UNIT,
	OPTION_ALT
};

static const char *const ways[] = {"key", "url", "blob", NULL};

static uint64_t position_sha256(unsigned kind, const void *bytes, size_t len)
{
	unsigned char sum[FL_SHA256_SIZE];
	(void)kind;
	fl_sha256(bytes, len, sum);
	return ((uint64_t)sum[31] << 56) | ((uint64_t)sum[30] << 48) |
	       ((uint64_t)sum[29] << 40) | ((uint64_t)sum[28] << 32);
}

static uint64_t position_blob(unsigned kind, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	uint64_t at = 0;
	(void)kind;
	for (size_t i = 0; i < 4 && i < len; i++)
		at = at << 8 | p[i];
	return at << 32;
}

static uint64_t points_of(const struct fl_placement *p, const struct fl_node *node)
{
	double weight = (double)node->weight / (double)p->options[OPTION_UNIT];
	return (uint64_t)((double)p->options[OPTION_REPLICAS] * weight);
}

static void put_points(const struct fl_node *node, uint64_t count, struct fl_point *to)
{
	char text[FL_MAX_NAME + 24];
	for (uint64_t j = 0; j < count; j++) {
		int n = snprintf(
			text, sizeof(text), "%s%llu", node->name, (unsigned long long)j);
		to[j] = (struct fl_point){position_sha256(0, text, (size_t)n), node->slot};
	}
}

/* Keys above the last point are its backend's: so it has one more, at the end of the circle, where
 * no key can be behind it. */
static struct fl_point at_the_end(const struct fl_point *list, size_t count)
{
	size_t last = 0;
	for (size_t i = 1; i < count; i++) {
		if (list[i].at >= list[last].at)
			last = i;
	}
	return (struct fl_point){UINT64_MAX - UINT32_MAX, list[last].slot};
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	bool blob = p->options[OPTION_BY] == 2;
	const struct fl_circle how = {.position = blob ? position_blob : position_sha256};
	uint64_t count = 0, all = 0;
	struct fl_point *list;
	int rc;
	for (uint32_t i = 0; i < p->count; i++)
		all += points_of(p, &p->nodes[i]);
	if (all == 0 || all >= FL_MAX_POINTS)
		return fl_error_set(err, all ? FL_ELIMIT : FL_EINVAL,
			"replicas=%llu, unit=%llu and the weights make %llu points; expected 1 "
			"to "
			"%u",
			(unsigned long long)p->options[OPTION_REPLICAS],
			(unsigned long long)p->options[OPTION_UNIT], (unsigned long long)all,
			FL_MAX_POINTS - 1);
	list = malloc((all + 1) * sizeof(*list));
	if (!list)
		return FL_ENOMEM;
	for (uint32_t i = 0; i < p->count; i++) {
		uint64_t points = points_of(p, &p->nodes[i]);
		put_points(&p->nodes[i], points, list + count);
		count += points;
	}
	list[count] = at_the_end(list, count);
	rc = fl_circle_build(p, list, count + 1, &how);
	free(list);
	return rc;
}

/* ---- alternatives ---- */

/* Those before the alternative that the option asks for, in order; gives their number. */
static size_t before(
	const struct fl_placement *p, const struct fl_key *key, uint32_t skipped[MOST_ALT])
{
	size_t alt = p->options[OPTION_ALT];
	if (alt >= p->eligible)
		alt = p->eligible - 1;
	return alt ? (size_t)fl_circle_owners(p, key, NULL, skipped, alt) : 0;
}

static uint32_t pick_alternative(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_out *out)
{
	const struct fl_circle *c = p->state;
	uint32_t skipped[MOST_ALT];
	struct fl_out more = {NULL, skipped, before(p, key, skipped), NULL};
	uint32_t i = fl_points_find(&c->points, c->position(0, key->bytes, key->len));
	for (uint32_t turn = 0; turn < c->points.count; turn++, i++) {
		uint32_t slot = c->points.slot[i % c->points.count];
		if (!fl_is_out(&more, slot) && !fl_is_out(out, slot))
			return slot;
	}
	for (size_t j = 0; j < more.count; j++) {
		if (!fl_is_out(out, skipped[j]))
			return skipped[j];
	}
	return FL_NONE;
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	return pick_alternative(p, key, &(struct fl_out){.mask = mask});
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	return fl_owners_by_picks(p, key, mask, slots, k, pick_alternative);
}

#define OPTIONS                                                                                \
	{"by", 0, 0, 2, FL_ANY_NUMBER, ways}, {"replicas", 67, 1, 65535, FL_ANY_NUMBER, NULL}, \
	{                                                                                      \
		"unit", 1, 1, 65535, FL_ANY_NUMBER, NULL                                       \
	}

const struct fl_algorithm fl_compat_varnish_shard_alt = {
	.info = {"compat:varnish-shard-alt",
		"Varnish's shard director, its alternative number `alt` for each key.",
		"by=key,replicas=67,unit=1,alt=1",
		FL_WEIGHTS | FL_ORDER_FREE | FL_HISTORY_FREE},
	.options = {OPTIONS, {"alt", 1, 0, MOST_ALT, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_WITH_NODE,
	.build = build,
	.free = fl_circle_free,
	.pick = pick,
	.owners = owners,
	.memory = fl_circle_memory,
	.starved = fl_circle_starved,
};

const struct fl_algorithm fl_compat_varnish_shard = {
	.info = {"compat:varnish-shard",
		"Varnish's shard director: SHA-256 points, no first wrap.",
		"by=key,replicas=67,unit=1",
		FL_MINIMAL_ANY | FL_MINIMAL_REWEIGHT | FL_WEIGHTS | FL_ORDER_FREE |
			FL_HISTORY_FREE},
	.options = {OPTIONS},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_WITH_NODE,
	.variant = &fl_compat_varnish_shard_alt,
	.build = build,
	.free = fl_circle_free,
	.pick = fl_circle_pick,
	.owners = fl_circle_owners,
	.memory = fl_circle_memory,
	.starved = fl_circle_starved,
};
