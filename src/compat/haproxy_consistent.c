/* compat:haproxy-consistent: `hash-type consistent`. Checked against HAProxy 2.6.12 (Debian),
 * 3.2.0 and 3.4.0 answering requests; hash-key=addr and guid are read in the source.
 *
 * A server has 16 points a weight: mix(base + j), j = 0, 1, ..., with a base by hash-key:
 *   id       the server's id times 4096
 *   id-3.0   mix(id): what `id` was in HAProxy 3.0 and later until the fix of October 2025
 *   id32     mix(id, its four bytes turned around)
 *   addr     the address: IPv4 mix(its bytes read as a little-endian number); IPv6 XXH32
 *   addr-port the same with P = mix(port): mix(P + IPv4), XXH32 with seed P. The node's name is the
 *            address, for addr-port with its port
 *   guid     XXH32 of the guid, which is the node's name
 * A server's id is its slot + 1: `id: 7` of a node is the `id 7` of a server. Ids count modulo
 * 2^20 in `id`, so a greater one has the slot of its rest. Hashes of keys: haproxy_hash.c.
 *
 * A key belongs to the *nearest* point, not to the next one; of two equally near ones, to the one
 * before it. Points at one place are in the order of slots (in HAProxy, in the order in which they
 * came; ids cannot collide).
 *
 * A mask is what HAProxy does with a server that is down or disabled: its points go, the others
 * keep theirs. To remove a server renumbers those behind it, unless ids are written. A weight at
 * run time in per cent is the configured one times N / 100, rounded down. A single server that is
 * left has all keys. hash-balance-factor is not reproduced: it depends on live traffic.
 *
 * Moves: with ids that stay, only a changed node's own keys; between two points the border is half
 * way, and a new point takes keys up to half way to its neighbours. Cost: the key's hash and a ring
 * lookup; masked, a walk to both sides. */
#include "compat/compat.h"

#include "base/error.h"
#include "compat/address.h"
#include "compat/haproxy_hash.h"
#include "compat/picks.h"
#include "hash/xxh.h"
#include "place/points.h"

#include <stdlib.h>
#include <string.h>

#define POINTS 16 /* a unit of weight */

enum {
	BY_ID,
	BY_ID_3_0,
	BY_ID32,
	BY_ADDR,
	BY_ADDR_PORT,
	BY_GUID
};

static const char *const hash_keys[] = {
	"id", "id-3.0", "id32", "addr", "addr-port", "guid", NULL};

struct circle {
	struct fl_points points;
	struct fl_haproxy_hash hash;
};

/* ---- points ---- */

static int address_base(
	const struct fl_node *node, bool with_port, uint32_t *base, struct fl_error *err)
{
	struct fl_address a;
	uint32_t port = 0;
	if (!fl_address_parse(&a, node->name) || (with_port && a.port < 0))
		return fl_error_set(err, FL_EINVAL,
			"node \"%.100s\": with hash-key=%s a node's name is its address%s",
			node->name, hash_keys[with_port ? BY_ADDR_PORT : BY_ADDR],
			with_port ? " and port, such as 10.0.0.1:80 or [::1]:80"
				  : ", such as 10.0.0.1 or ::1");
	if (with_port)
		port = fl_haproxy_mix((uint32_t)a.port);
	if (a.size == 16)
		*base = fl_xxh32(a.bytes, 16, port);
	else
		*base = fl_haproxy_mix(
			port + ((uint32_t)a.bytes[0] | (uint32_t)a.bytes[1] << 8 |
				       (uint32_t)a.bytes[2] << 16 |
				       (uint32_t)a.bytes[3] << 24));
	return FL_OK;
}

static int base_of(
	const struct fl_node *node, uint64_t hash_key, uint32_t *base, struct fl_error *err)
{
	uint32_t id = node->slot + 1;
	switch (hash_key) {
	case BY_ID:
		*base = id * 4096;
		return FL_OK;
	case BY_ID_3_0:
		*base = fl_haproxy_mix(id);
		return FL_OK;
	case BY_ID32:
		*base = fl_haproxy_mix(__builtin_bswap32(id));
		return FL_OK;
	case BY_GUID:
		*base = fl_xxh32(node->name, strlen(node->name), 0);
		return FL_OK;
	default:
		return address_base(node, hash_key == BY_ADDR_PORT, base, err);
	}
}

static int put_points(const struct fl_placement *p, struct fl_point *list, size_t *count,
	struct fl_error *err)
{
	for (uint32_t slot = 0; slot < p->slots; slot++) {
		const struct fl_node *node = fl_place_at(p, slot);
		uint32_t base = 0;
		int rc = node ? base_of(node, p->options[FL_HAPROXY_OPTION_COUNT], &base, err)
		              : FL_OK;
		if (rc != FL_OK)
			return rc;
		for (uint32_t j = 0; node && j < POINTS * (uint32_t)node->weight; j++)
			list[(*count)++] = (struct fl_point){
				(uint64_t)fl_haproxy_mix(base + j) << 32, slot};
	}
	return FL_OK;
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	struct fl_point *list = NULL;
	struct circle *c = NULL;
	size_t count = 0;
	int rc = FL_ENOMEM;
	if (p->weight > FL_MAX_POINTS / POINTS)
		return fl_error_set(err, FL_ELIMIT,
			"weights of %llu in all with %d points each make more than %u points",
			(unsigned long long)p->weight, POINTS, FL_MAX_POINTS);
	list = malloc(p->weight * POINTS * sizeof(*list));
	c = malloc(sizeof(*c));
	if (list && c)
		rc = put_points(p, list, &count, err);
	if (rc == FL_OK)
		rc = fl_points_sort(&c->points, list, count);
	free(list);
	if (rc != FL_OK) {
		free(c);
		return rc;
	}
	c->hash = fl_haproxy_hash_of(p->options, true);
	p->state = c;
	return FL_OK;
}

static void release(struct fl_placement *p)
{
	struct circle *c = p->state;
	fl_points_fini(&c->points);
	free(c);
}

static uint32_t at(const struct fl_points *r, uint32_t i)
{
	return (uint32_t)(r->at[i] >> 32);
}

/* ---- picks ---- */

/* The points around a hash, and how far they may still go. */
struct around {
	uint32_t hash, before, after;
	uint32_t left_before, left_after;
};

static struct around look(const struct circle *c, const struct fl_key *key)
{
	const struct fl_points *r = &c->points;
	uint32_t hash = fl_haproxy_hash(&c->hash, key);
	uint32_t i = fl_points_find(r, (uint64_t)hash << 32);
	return (struct around){
		hash, (i == 0 ? r->count : i) - 1, i == r->count ? 0 : i, r->count, r->count};
}

static uint32_t nearer(const struct fl_points *r, const struct around *a)
{
	uint32_t back = a->hash - at(r, a->before), on = at(r, a->after) - a->hash;
	return r->slot[back <= on ? a->before : a->after];
}

/* Steps to the nearest points on both sides that are not out. False: there are none. */
static bool step(const struct fl_points *r, struct around *a, const struct fl_out *out)
{
	while (a->left_before > 0 && fl_is_out(out, r->slot[a->before])) {
		a->before = (a->before == 0 ? r->count : a->before) - 1;
		a->left_before--;
	}
	while (a->left_after > 0 && fl_is_out(out, r->slot[a->after])) {
		a->after = a->after + 1 == r->count ? 0 : a->after + 1;
		a->left_after--;
	}
	return a->left_before > 0;
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	const struct circle *c = p->state;
	struct around a = look(c, key);
	struct fl_out out = {mask, NULL, 0, NULL};
	if (mask && !step(&c->points, &a, &out))
		return FL_NONE;
	return nearer(&c->points, &a);
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	const struct circle *c = p->state;
	struct around a = look(c, key);
	uint64_t *bits = NULL;
	struct fl_out out = {mask, slots, 0, NULL};
	if (k > 64 && !(bits = calloc(p->slots / 64 + 1, sizeof(*bits))))
		return FL_ENOMEM;
	out.bits = bits;
	while (out.count < k && step(&c->points, &a, &out)) {
		uint32_t slot = nearer(&c->points, &a);
		slots[out.count++] = slot;
		if (bits)
			bits[slot / 64] |= (uint64_t)1 << (slot % 64);
	}
	free(bits);
	return (int)out.count;
}

/* ---- arcs ---- */

/* The last hash that is nearer to point i than to the one behind it, or as near; beyond 32 bits
 * it is on the next turn. */
static uint64_t end_of(const struct fl_points *r, uint32_t i)
{
	uint64_t here = at(r, i);
	uint64_t next = i + 1 < r->count ? at(r, i + 1) : at(r, 0) + ((uint64_t)1 << 32);
	return here + (next - here) / 2;
}

/* The last point's arc may reach over the end of the circle: then it is the first one too. */
static bool arc(const struct fl_placement *p, size_t i, struct fl_arc *out)
{
	const struct fl_points *r = &((const struct circle *)p->state)->points;
	uint64_t end = end_of(r, r->count - 1);
	bool over = end >> 32 != 0;
	size_t middle = r->count - over;
	if (over && i == 0) {
		*out = (struct fl_arc){end << 32, r->slot[r->count - 1]};
		return true;
	}
	i -= over;
	if (i > middle)
		return false;
	if (i == middle)
		*out = (struct fl_arc){UINT64_MAX, r->slot[over ? r->count - 1 : 0]};
	else
		*out = (struct fl_arc){end_of(r, (uint32_t)i) << 32, r->slot[i]};
	return true;
}

static uint64_t position(const struct fl_placement *p, const struct fl_key *key)
{
	const struct circle *c = p->state;
	return (uint64_t)fl_haproxy_hash(&c->hash, key) << 32;
}

/* All of its points are within others at the same place. O(points). */
static bool starved(const struct fl_placement *p, uint32_t slot)
{
	const struct fl_points *r = &((const struct circle *)p->state)->points;
	for (uint32_t i = 0; i < r->count; i++) {
		if (r->slot[i] == slot && (i == 0 || end_of(r, i) != end_of(r, i - 1)))
			return false;
	}
	return true;
}

static size_t memory(const struct fl_placement *p)
{
	const struct circle *c = p->state;
	return sizeof(*c) + c->points.bytes;
}

const struct fl_algorithm fl_compat_haproxy_consistent = {
	.info = {"compat:haproxy-consistent",
		"HAProxy's `hash-type consistent`: the nearest of 16 points a weight.",
		"hash=default,avalanche=default,key=bytes,hash-key=id",
		FL_EXACT_MASK | FL_MINIMAL_ANY | FL_MINIMAL_REWEIGHT | FL_WEIGHTS |
			FL_HISTORY_FREE | FL_EXACT_MOVEMENT},
	.options = {FL_HAPROXY_OPTIONS,
		{"hash-key", BY_ID, 0, BY_GUID, FL_ANY_NUMBER, hash_keys}},
	.seed = -1,
	.max_weight = FL_HAPROXY_MAX_WEIGHT,
	.key_hash = FL_KEY_HAPROXY,
	.key_options = FL_HAPROXY_KEY_OPTIONS,
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
};
