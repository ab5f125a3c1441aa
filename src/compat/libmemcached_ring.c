/* compat:libmemcached-consistent, -ketama-weighted, -ketama-spy: the rings of libmemcached, as
 * php-memcached and pylibmc use them. Checked against libmemcached 1.1.4 (Debian's), but for hash=hsieh,
 * which that build leaves out.
 *
 * Unweighted: 100 points a server, the hash of "SERVER-I", I = 0..99. Weighted: digests of MD5, four
 * points each (ketama_points.h), for weight w of W in all and n servers
 *     floor(f32(f32(w / W) * 160 / 4 * n + 1e-10)), every step in float32,
 * which makes 160 points a server when weights are equal, and 156 for some n (25, 47, 50, 55, 61...).
 * Any weight above 1 makes a ring weighted. A key's position is its hash; it belongs to the first
 * point at or after it, wrapping; points at one place belong to the server that was given first.
 *
 *   consistent       DISTRIBUTION_CONSISTENT and _KETAMA (they are the same), points of the key's hash
 *   ketama-weighted  BEHAVIOR_KETAMA_WEIGHTED, which makes MD5 the key's hash
 *   ketama-spy       DISTRIBUTION_CONSISTENT_KETAMA_SPY; SERVER is "/host:port", also for port 11211
 *
 * The key's hash stays what it is when weights make a ring weighted, so "hash" says it alone. A
 * program that sets its hash after its servers goes on with the points it has: that is "points".
 * BEHAVIOR_KETAMA sets no hash: it is consistent with hash=default.
 *
 * libmemcached 1.1.4 itself aborts at 101 servers; here there may be as many as points allow.
 *
 * Not reproduced: a weight of 0, which there is 1 and here owns nothing; servers on sockets; bytes from
 * 0x80 on in keys on machines where char is unsigned (hash/legacy.h).
 *
 * A server that is down: libmemcached leaves it where it is, and requests fail. With AUTO_EJECT_HOSTS
 * (not verified) it takes the server out of n and W and makes the ring anew, for the whole process. A
 * mask steps over the server's points. Unweighted rings are then the same; in weighted ones the mask
 * moves nobody else's keys, where ejecting changes everybody's number of points if weights differ: to
 * get that, remove the node.
 *
 * hash=crc has 15 bits, a ring's points have 32 unless they come from crc too: then all keys fall
 * before the first point, on one server. That is what libmemcached does, and it is reproduced; see
 * `warning`. Positions of keys with that hash are spread over our 64 bits, so that shares are right.
 *
 * Cost: the key's hash and a ring lookup. */
#include "compat/compat.h"

#include "compat/circle.h"
#include "compat/libmemcached_hash.h"
#include "compat/libmemcached_server.h"

#include <stdio.h>
#include <stdlib.h>

#define EACH     100 /* points of a server, unweighted */
#define CRC_BITS 15

enum {
	OPTION_HASH,
	OPTION_POINTS,
	OPTION_WEIGHTED
};

static const char *const points_names[] = {"same", "default", "md5", "crc", "fnv1_64",
	"fnv1a_64", "fnv1_32", "fnv1a_32", "hsieh", "murmur", "jenkins", "murmur3", NULL};
static const char *const no_yes[] = {"no", "yes", NULL};

static uint64_t position(unsigned kind, const void *bytes, size_t len)
{
	unsigned shift = kind == FL_LMC_CRC ? 64 - CRC_BITS : 32;
	return (uint64_t)fl_lmc_hash(kind, bytes, len) << shift;
}

/* Where a point of 32 bits stands among keys of `kind`. Those that no crc can reach are all behind
 * the last key, in their order. */
static uint64_t point_position(enum fl_lmc_hash kind, uint32_t value)
{
	if (kind != FL_LMC_CRC)
		return fl_ketama_position(value);
	if (value >> CRC_BITS == 0)
		return (uint64_t)value << (64 - CRC_BITS);
	return (uint64_t)UINT16_MAX << 48 | (uint64_t)value << 16;
}

static bool is_weighted(const struct fl_placement *p)
{
	if (p->algorithm == &fl_compat_libmemcached_ketama_weighted || p->weight > p->eligible)
		return true;
	return p->algorithm == &fl_compat_libmemcached_ketama_spy &&
	       p->options[OPTION_WEIGHTED] == 1;
}

static bool is_spy(const struct fl_placement *p)
{
	return p->algorithm == &fl_compat_libmemcached_ketama_spy;
}

static enum fl_lmc_hash points_hash(const struct fl_placement *p)
{
	uint64_t points = p->options[OPTION_POINTS];
	return (enum fl_lmc_hash)(points > 0 ? points - 1 : p->options[OPTION_HASH]);
}

static uint64_t count_points(const struct fl_placement *p)
{
	uint64_t points = 0;
	if (!is_weighted(p))
		return (uint64_t)p->eligible * EACH;
	for (uint32_t i = 0; i < p->count; i++)
		points += 4 * (uint64_t)fl_ketama_digests(p, &p->nodes[i]);
	return points;
}

static size_t hashed_points(
	const char *server, enum fl_lmc_hash kind, uint32_t slot, struct fl_point *to)
{
	char text[FL_SERVER_TEXT + 4];
	for (unsigned i = 0; i < EACH; i++) {
		int size = snprintf(text, sizeof(text), "%s-%u", server, i);
		to[i] = (struct fl_point){
			fl_ketama_position(fl_lmc_hash(kind, text, (size_t)size)), slot};
	}
	return EACH;
}

static size_t put_server(
	const struct fl_placement *p, const struct fl_node *node, struct fl_point *to)
{
	char server[FL_SERVER_TEXT];
	if (is_spy(p))
		fl_lmc_server_text_spy(server, node->name);
	else
		fl_lmc_server_text(server, node->name);
	if (is_weighted(p))
		return fl_ketama_points(server, fl_ketama_digests(p, node), node->slot, to);
	return hashed_points(server, points_hash(p), node->slot, to);
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	enum fl_lmc_hash kind = (enum fl_lmc_hash)p->options[OPTION_HASH];
	const struct fl_circle how = {.position = position, .kind = kind};
	uint64_t points = count_points(p);
	size_t count = 0;
	int rc = fl_ketama_check(p, points, err);
	if (rc != FL_OK)
		return rc;
	struct fl_point *list = malloc((points + 1) * sizeof(*list));
	if (!list)
		return FL_ENOMEM;
	for (uint32_t slot = 0; slot < p->slots; slot++) {
		const struct fl_node *node = fl_place_at(p, slot);
		if (node && node->weight > 0)
			count += put_server(p, node, list + count);
	}
	for (size_t i = 0; i < count; i++)
		list[i].at = point_position(kind, (uint32_t)(list[i].at >> 32));
	rc = fl_circle_build(p, list, count, &how);
	free(list);
	return rc;
}

static const char *warning(const struct fl_placement *p)
{
	if (p->options[OPTION_HASH] != FL_LMC_CRC || p->eligible < 2)
		return NULL;
	if (!is_weighted(p) && points_hash(p) == FL_LMC_CRC)
		return NULL;
	return "hash=crc gives keys 15 bits of the 32 that this ring has, so that they all, or "
	       "nearly all, belong to one node, as they do with libmemcached";
}

const struct fl_algorithm fl_compat_libmemcached_consistent = {
	.info = {"compat:libmemcached-consistent",
		"libmemcached's consistent and ketama rings; a weight above 1 makes them "
		"weighted.",
		"hash=default,points=same", FL_WEIGHTS | FL_HISTORY_FREE | FL_EXACT_MOVEMENT},
	.options = {{.name = "hash", .max = FL_LMC_HASHES - 1, .choices = fl_lmc_hash_names},
		{.name = "points", .max = FL_LMC_HASHES, .choices = points_names}},
	.seed = OPTION_HASH,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_LIBMEMCACHED,
	.by_slot = true,
	.build = build,
	FL_CIRCLE_ROW,
	.warning = warning,
};

const struct fl_algorithm fl_compat_libmemcached_ketama_weighted = {
	.info = {"compat:libmemcached-ketama-weighted",
		"libmemcached's weighted ketama: MD5, 160 points a server on average.",
		"hash=md5", FL_WEIGHTS | FL_HISTORY_FREE | FL_EXACT_MOVEMENT},
	.options = {{.name = "hash",
		.def = FL_LMC_MD5,
		.max = FL_LMC_HASHES - 1,
		.choices = fl_lmc_hash_names}},
	.seed = OPTION_HASH,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_LIBMEMCACHED,
	.by_slot = true,
	.build = build,
	FL_CIRCLE_ROW,
	.warning = warning,
};

const struct fl_algorithm fl_compat_libmemcached_ketama_spy = {
	.info = {"compat:libmemcached-ketama-spy",
		"libmemcached's ketama with spymemcached's names of servers: \"/host:port-i\".",
		"hash=default,points=same,weighted=no",
		FL_WEIGHTS | FL_HISTORY_FREE | FL_EXACT_MOVEMENT},
	.options = {{.name = "hash", .max = FL_LMC_HASHES - 1, .choices = fl_lmc_hash_names},
		{.name = "points", .max = FL_LMC_HASHES, .choices = points_names},
		{.name = "weighted", .max = 1, .choices = no_yes}},
	.seed = OPTION_HASH,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_LIBMEMCACHED,
	.by_slot = true,
	.build = build,
	FL_CIRCLE_ROW,
	.warning = warning,
};
