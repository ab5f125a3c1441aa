/* compat:haproxy-map: `hash-type map-based`, HAProxy's default. Checked against HAProxy 2.6.12
 * (Debian) and 3.4.0 answering requests.
 *
 * Weights are divided by their greatest common divisor; W is the sum over the servers that can be
 * had. A map of W places is filled one by one: each server's score grows by its weight; the first
 * server, in the order of the configuration (ascending slots), of the highest class, which is
 * (score + W) / W in whole numbers, takes the place and pays W. A key belongs to place hash mod W.
 * Hashes of keys: haproxy_hash.c; no avalanche unless it is written. With weights all alike the
 * map is the list of servers.
 *
 * A mask is what HAProxy does when a server goes down: the map is made anew over those that are
 * left, which moves nearly all keys, while the divisor is that of all servers. (HAProxy's divisor
 * counts backup servers too; here they are a pool of their own.)
 *
 * Cost: the key's hash and one load. Masked, the map is made anew up to the key's place, at each
 * pick: with weights alike a walk over the servers, else up to servers * W steps. Beyond
 * MASKED_STEPS, or with more than MASKED_SERVERS, that would stop the balancer: then a masked
 * server's keys go to the next place that is not, and HAProxy's do not. Building takes servers * W
 * steps, as in HAProxy. */
#include "compat/compat.h"

#include "base/assert.h"
#include "base/error.h"
#include "compat/haproxy_hash.h"
#include "compat/peers.h"

#include <stdlib.h>

#define MASKED_SERVERS 1024u
#define MASKED_STEPS   ((uint64_t)1 << 22)
#define BUILD_STEPS    ((uint64_t)1 << 33)

struct server {
	uint32_t slot;
	int32_t weight; /* divided */
};

struct map {
	struct fl_haproxy_hash hash;
	uint32_t count, places;
	bool even;       /* all weights are 1 */
	uint32_t *place; /* slots; behind the servers */
	struct server server[];
};

static int32_t gcd(int32_t a, int32_t b)
{
	while (b != 0) {
		int32_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* One place more: the index of the server that has it. */
static uint32_t next_place(
	const struct server *server, int32_t *score, uint32_t count, int32_t places)
{
	uint32_t best = 0;
	int32_t highest = -1;
	for (uint32_t i = 0; i < count; i++) {
		score[i] += server[i].weight;
		int32_t class = (score[i] + places) / places;
		if (class > highest) {
			highest = class;
			best = i;
		}
	}
	score[best] -= places;
	return best;
}

static int fill(struct map *m, struct fl_error *err)
{
	int32_t *score;
	if (m->even) {
		for (uint32_t i = 0; i < m->places; i++)
			m->place[i] = m->server[i].slot;
		return FL_OK;
	}
	if ((uint64_t)m->count * m->places > BUILD_STEPS)
		return fl_error_set(err, FL_ELIMIT,
			"a map of %u places over %u servers takes too long to make; give "
			"weights with a greater common divisor",
			m->places, m->count);
	score = calloc(m->count + 1, sizeof(*score));
	if (!score)
		return FL_ENOMEM;
	for (uint32_t i = 0; i < m->places; i++)
		m->place[i] =
			m->server[next_place(m->server, score, m->count, (int32_t)m->places)]
				.slot;
	free(score);
	return FL_OK;
}

static int32_t divisor_of(const struct fl_placement *p)
{
	int32_t divisor = 0;
	for (uint32_t i = 0; i < p->count; i++)
		divisor = gcd(divisor, p->nodes[i].weight);
	return divisor;
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	int32_t divisor = divisor_of(p);
	uint64_t places;
	struct map *m;
	int rc;
	FL_ASSERT(divisor > 0); /* somebody has a weight */
	places = p->weight / (uint64_t)divisor;
	if (places > FL_MAX_POINTS)
		return fl_error_set(err, FL_ELIMIT,
			"weights of %llu in all make a map of more than %u places",
			(unsigned long long)p->weight, FL_MAX_POINTS);
	m = malloc(
		sizeof(*m) + p->eligible * sizeof(m->server[0]) + places * sizeof(m->place[0]));
	if (!m)
		return FL_ENOMEM;
	m->hash = fl_haproxy_hash_of(p->options, false);
	m->count = 0;
	m->places = (uint32_t)places;
	m->even = places == p->eligible;
	m->place = (uint32_t *)(void *)&m->server[p->eligible];
	for (uint32_t slot = 0; slot < p->slots; slot++) {
		const struct fl_node *node = fl_place_at(p, slot);
		if (node && node->weight > 0)
			m->server[m->count++] = (struct server){slot, node->weight / divisor};
	}
	rc = fill(m, err);
	if (rc != FL_OK) {
		free(m);
		return rc;
	}
	p->state = m;
	return FL_OK;
}

static void release(struct fl_placement *p)
{
	free(p->state);
}

/* ---- picks ---- */

/* Place number `number` of a map over `count` servers of weight 1. */
static uint32_t pick_even(const struct map *m, uint32_t number, const struct fl_out *out)
{
	for (uint32_t i = 0;; i++) {
		if (!fl_is_out(out, m->server[i].slot) && number-- == 0)
			return m->server[i].slot;
	}
}

static uint32_t pick_made_anew(
	const struct map *m, uint32_t number, int32_t places, const struct fl_out *out)
{
	struct server left[MASKED_SERVERS] = {{0, 0}};
	int32_t score[MASKED_SERVERS] = {0};
	uint32_t count = 0, best = 0;
	for (uint32_t i = 0; i < m->count; i++) {
		if (!fl_is_out(out, m->server[i].slot))
			left[count++] = m->server[i];
	}
	for (uint32_t i = 0; i <= number; i++)
		best = next_place(left, score, count, places);
	return left[best].slot;
}

static uint32_t pick_next(const struct map *m, uint32_t number, const struct fl_out *out)
{
	while (fl_is_out(out, m->place[number]))
		number = number + 1 == m->places ? 0 : number + 1;
	return m->place[number];
}

static uint32_t pick_left(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_out *out)
{
	const struct map *m = p->state;
	uint32_t places = 0, count = 0, hash = fl_haproxy_hash(&m->hash, key);
	for (uint32_t i = 0; i < m->count; i++) {
		if (fl_is_out(out, m->server[i].slot))
			continue;
		places += (uint32_t)m->server[i].weight;
		count++;
	}
	if (count == 0)
		return FL_NONE;
	if (m->even)
		return pick_even(m, hash % places, out);
	if (count > MASKED_SERVERS || (uint64_t)count * places > MASKED_STEPS)
		return pick_next(m, hash % m->places, out);
	return pick_made_anew(m, hash % places, (int32_t)places, out);
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	const struct map *m = p->state;
	struct fl_out out = {mask, NULL, 0, NULL};
	if (mask)
		return pick_left(p, key, &out);
	return m->place[fl_haproxy_hash(&m->hash, key) % m->places];
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	return fl_owners_by_picks(p, key, mask, slots, k, pick_left);
}

static void shares(const struct fl_placement *p, double *shares)
{
	const struct map *m = p->state;
	for (uint32_t i = 0; i < m->places; i++)
		shares[m->place[i]] += 1.0 / m->places;
}

static size_t memory(const struct fl_placement *p)
{
	const struct map *m = p->state;
	return sizeof(*m) + m->count * sizeof(m->server[0]) + m->places * sizeof(m->place[0]);
}

const struct fl_algorithm fl_compat_haproxy_map = {
	.info = {"compat:haproxy-map",
		"HAProxy's `hash-type map-based`: hash mod the total weight over a map.",
		"hash=default,avalanche=default,key=bytes", FL_WEIGHTS | FL_HISTORY_FREE},
	.options = {FL_HAPROXY_OPTIONS},
	.seed = -1,
	.max_weight = FL_HAPROXY_MAX_WEIGHT,
	.key_hash = FL_KEY_HAPROXY,
	.key_options = FL_HAPROXY_KEY_OPTIONS,
	.by_slot = true,
	.build = build,
	.free = release,
	.pick = pick,
	.owners = owners,
	.shares = shares,
	.memory = memory,
};
