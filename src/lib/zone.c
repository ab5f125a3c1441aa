/* Owners by zone, over the owners of any algorithm. Nodes without a zone are one zone together.
 *
 * Near: the zone's nodes in the key's own order, then the others in that order. Both halves are
 * masked owners, and masking never changes the order of the rest.
 *
 * Spread: give each owner the rank that it has in the key's order and, as its round, the number of
 * owners of its zone before it. The answer is the first k by (round, rank): one node of each zone,
 * then the second of each, and so on, so of two zones that both have nodes left neither gives two
 * more than the other. When a node leaves, those of its zone behind it move up a round and nobody
 * else changes. If it was among the first k, they lose it and gain one other: its zone fills no
 * more places than before in the rounds that are complete, and at most the one of the round that
 * is not. If it was not, they stay, since who moves up comes no further than the place it left.
 *
 * Cost: near, two calls of fl_owners and a look at every node. Spread: the first 64 owners are
 * enough when they show k zones or when there are no more; else all owners, O(n log n), in memory
 * of about 30 bytes a node. */
#include "fairlead/fairlead.h"

#include "hash/xxh3.h"
#include "lib/words.h"
#include "place/placement_priv.h"

#include <stdlib.h>
#include <string.h>

#define FEW 64

static const char *zone_of(const fl_placement *p, uint32_t slot)
{
	const char *zone = fl_place_at(p, slot)->zone;
	return zone ? zone : "";
}

/* ---- near ---- */

/* `words` mask what `mask` does, and all nodes that are in the zone (or all that are not). */
static void mask_zone(const fl_placement *p, const struct fl_mask *mask, const char *zone,
	bool inside, uint64_t *words)
{
	for (uint32_t slot = 0; slot < p->slots; slot++) {
		uint64_t bit = (uint64_t)1 << (slot % 64);
		bool out = fl_masked(mask, slot) ||
		           (fl_place_at(p, slot) &&
				   (strcmp(zone_of(p, slot), zone) == 0) == inside);
		if (slot % 64 == 0)
			words[slot / 64] = 0;
		words[slot / 64] |= out ? bit : 0;
	}
}

int fl_owners_near(const fl_placement *p, const struct fl_key *key, const struct fl_mask *mask,
	const char *zone, uint32_t *slots, size_t k)
{
	struct fl_words words;
	if (fl_words_init(&words, p->slots) != FL_OK)
		return FL_ENOMEM;
	struct fl_mask half = {words.at, (p->slots + 63) / 64};
	const char *home = zone ? zone : "";
	mask_zone(p, mask, home, false, words.at);
	int near = fl_owners(p, key, &half, slots, k), far = 0;
	if (near >= 0 && (size_t)near < k) {
		mask_zone(p, mask, home, true, words.at);
		far = fl_owners(p, key, &half, slots + near, k - (size_t)near);
	}
	fl_words_fini(&words);
	return near < 0 || far < 0 ? (near < far ? near : far) : near + far;
}

/* ---- spread ---- */

/* A zone that was seen: one of its nodes, and how many. */
struct seen {
	uint32_t slot, count;
};

struct spread {
	const fl_placement *p;
	uint32_t *order; /* the owners, by rank */
	uint32_t *round; /* by rank */
	uint32_t *start; /* by round: places before it; one more than there are owners */
	struct seen *seen;
	uint32_t count;  /* owners */
	uint32_t places; /* in `seen`: a power of two, more than there are owners */
};

/* How many of the zone came before; counts this one. */
static uint32_t next_round(struct spread *s, uint32_t slot)
{
	const char *zone = zone_of(s->p, slot);
	uint32_t at = (uint32_t)fl_xxh3(zone, strlen(zone), 0);
	for (;; at++) {
		struct seen *seen = &s->seen[at & (s->places - 1)];
		if (seen->count == 0)
			seen->slot = slot;
		if (strcmp(zone_of(s->p, seen->slot), zone) == 0)
			return seen->count++;
	}
}

/* Gives the number of zones. */
static uint32_t find_rounds(struct spread *s)
{
	memset(s->seen, 0, s->places * sizeof(*s->seen));
	memset(s->start, 0, (s->count + 1) * sizeof(*s->start));
	for (uint32_t i = 0; i < s->count; i++) {
		s->round[i] = next_round(s, s->order[i]);
		s->start[s->round[i] + 1]++;
	}
	return s->count ? s->start[1] : 0;
}

/* The first k by (round, rank); `start` is used up. */
static int put_in_rounds(struct spread *s, uint32_t *slots, size_t k)
{
	for (uint32_t i = 1; i <= s->count; i++)
		s->start[i] += s->start[i - 1];
	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t place = s->start[s->round[i]]++;
		if (place < k)
			slots[place] = s->order[i];
	}
	return (int)(s->count < k ? s->count : k);
}

static int spread_all(const fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	struct spread s = {.p = p, .places = 1};
	uint32_t n = p->eligible;
	while (s.places <= n)
		s.places *= 2;
	s.seen = malloc(s.places * sizeof(*s.seen) + (3 * (size_t)n + 1) * sizeof(uint32_t));
	if (!s.seen)
		return FL_ENOMEM;
	s.order = (uint32_t *)(s.seen + s.places);
	s.round = s.order + n;
	s.start = s.round + n;
	int rc = fl_owners(p, key, mask, s.order, n);
	if (rc >= 0) {
		s.count = (uint32_t)rc;
		(void)find_rounds(&s);
		rc = put_in_rounds(&s, slots, k);
	}
	free(s.seen);
	return rc;
}

int fl_owners_spread(const fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	uint32_t order[FEW], round[FEW], start[FEW + 1];
	struct seen seen[2 * FEW];
	struct spread s = {p, order, round, start, seen, 0, 2 * FEW};
	int n = fl_owners(p, key, mask, order, FEW);
	if (n < 0)
		return n;
	s.count = (uint32_t)n;
	/* With k zones among the first, later owners are in later rounds or behind. */
	if (find_rounds(&s) >= k || n < FEW)
		return put_in_rounds(&s, slots, k);
	return spread_all(p, key, mask, slots, k);
}
