/* Views: what a reader needs to go from a key to a member, frozen.
 *
 * A view holds references to its placements and members and copies of the states, in arrays by
 * slot. It is made by the control thread, published through snap/, and never written again.
 * Cost of a pick: the placement's own, and for a pool that is warming one more.
 *
 * The warm-up gate. The final owner F of a key (the pick with only the masked nodes left out)
 * has it once ramp(F) > u(key, F), where u is a hash of key and name with a salt of its own;
 * until then the first owner that is not warming has it. Since u does not change, a key moves
 * to F once. All in integers, so that balancers agree to the millisecond. */
#include "pool/pool_priv.h"

#include "base/assert.h"
#include "hash/mix.h"
#include "hash/salt.h"
#include "hash/xxh3.h"

#include <stdlib.h>

#define OWNERS_MOST 64

struct fl_view *fl_view_ref(struct fl_view *v)
{
	atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
	return v;
}

static void tier_fini(struct fl_tier *tier)
{
	for (uint32_t s = 0; tier->members && s < tier->slots; s++)
		fl_member_unref(tier->members[s]);
	free(tier->members);
	free(tier->admin);
	free(tier->health);
	free(tier->ramp_start);
	free((void *)tier->mask.words);
	free((void *)tier->cold.words);
	fl_placement_unref(tier->placement);
	fl_placement_unref(tier->unmasked);
}

void fl_view_unref(struct fl_view *v)
{
	if (!v || atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (unsigned t = 0; t < FL_TIERS; t++)
		tier_fini(&v->tier[t]);
	free(v->pool);
	free(v);
}

/* ---- making one ---- */

static int tier_alloc(struct fl_tier *tier, fl_placement *placement)
{
	uint32_t slots = fl_placement_slots(placement);
	size_t n = slots ? slots : 1, words = (n + 63) / 64;

	tier->placement = fl_placement_ref(placement);
	tier->slots = slots;
	tier->members = calloc(n, sizeof(struct fl_member *));
	tier->admin = calloc(n, sizeof(*tier->admin));
	tier->health = calloc(n, sizeof(*tier->health));
	tier->ramp_start = calloc(n, sizeof(*tier->ramp_start));
	tier->mask = (struct fl_mask){calloc(words, sizeof(uint64_t)), words};
	tier->cold = (struct fl_mask){calloc(words, sizeof(uint64_t)), words};
	if (!tier->members || !tier->admin || !tier->health || !tier->ramp_start ||
		!tier->mask.words || !tier->cold.words)
		return FL_ENOMEM;
	return FL_OK;
}

static void mask_set(struct fl_mask mask, uint32_t slot)
{
	((uint64_t *)mask.words)[slot / 64] |= 1ULL << (slot % 64);
}

static bool mask_has(struct fl_mask mask, uint32_t slot)
{
	return mask.words[slot / 64] >> (slot % 64) & 1;
}

/* A sum, so that the order of the nodes does not count. */
static uint64_t mask_part(const char *name)
{
	return fl_mix64(fl_xxh3(name, strlen(name), FL_SALT_DIGEST));
}

static void tier_put(struct fl_view *v, struct fl_tier *tier, const struct fl_entry *e)
{
	struct fl_effective effective = fl_entry_effective(e);
	uint64_t end = e->ramp_start + v->slow_start_ms;

	FL_ASSERT(e->slot < tier->slots && !tier->members[e->slot]);
	tier->members[e->slot] = fl_member_ref(e->member);
	tier->admin[e->slot] = e->admin;
	tier->health[e->slot] = e->health;
	tier->ramp_start[e->slot] = e->ramp_start;
	if (!effective.owner) {
		tier->masked = true;
		mask_set(tier->mask, e->slot);
		mask_set(tier->cold, e->slot);
		v->mask_digest += mask_part(e->member->name);
	} else if (e->member->weight > 0) {
		tier->eligible++;
	}
	if (!e->ramp_start)
		return;
	if (!tier->warming || end < tier->first_warm)
		tier->first_warm = end;
	tier->warming = true;
	mask_set(tier->cold, e->slot);
}

static bool builds_anew(const fl_placement *p)
{
	uint32_t c = fl_placement_capabilities(p);

	return (c & FL_EXACT_MASK) && !(c & FL_MINIMAL_ANY);
}

static int tier_unmask(struct fl_tier *tier)
{
	struct fl_change *changes;
	size_t n = 0;
	int rc;

	if (!tier->placement || !tier->masked || !builds_anew(tier->placement))
		return FL_OK;
	changes = malloc(tier->slots * sizeof(*changes));
	if (!changes)
		return FL_ENOMEM;
	for (uint32_t slot = 0; slot < tier->slots; slot++) {
		const struct fl_node *node = fl_placement_node(tier->placement, slot);

		if (node && mask_has(tier->mask, slot))
			changes[n++] = (struct fl_change){FL_REMOVE, *node};
	}
	rc = fl_placement_derive(&tier->unmasked, tier->placement, changes, n, NULL);
	free(changes);
	return rc;
}

static uint64_t digest_of(fl_placement *const placements[FL_TIERS])
{
	uint64_t digest = fl_placement_digest(placements[0]);

	if (placements[1])
		digest = fl_mix64(digest + FL_WEYL) ^ fl_placement_digest(placements[1]);
	return digest;
}

struct fl_view *fl_view_new(const char *pool, uint64_t epoch, const struct fl_roster *roster,
	fl_placement *const placements[FL_TIERS])
{
	struct fl_view *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	atomic_init(&v->refs, 1);
	v->pool = strdup(pool);
	v->epoch = epoch;
	v->slow_start_ms = roster->slow_start_ms;
	v->digest = digest_of(placements);
	if (!v->pool)
		goto fail;
	for (unsigned t = 0; t < FL_TIERS; t++)
		if (placements[t] && tier_alloc(&v->tier[t], placements[t]) != FL_OK)
			goto fail;
	for (size_t i = 0; i < roster->count; i++)
		for (unsigned t = 0; t < FL_TIERS; t++)
			if (fl_entry_in(&roster->entries[i], t))
				tier_put(v, &v->tier[t], &roster->entries[i]);
	for (unsigned t = 0; t < FL_TIERS; t++)
		if (tier_unmask(&v->tier[t]) != FL_OK)
			goto fail;
	return v;
fail:
	fl_view_unref(v);
	return NULL;
}

static bool tier_same(const struct fl_tier *a, const struct fl_tier *b)
{
	size_t n = a->slots;

	if (a->placement != b->placement)
		return false;
	if (n == 0)
		return true;
	return memcmp(a->members, b->members, n * sizeof(struct fl_member *)) == 0 &&
	       memcmp(a->admin, b->admin, n * sizeof(*a->admin)) == 0 &&
	       memcmp(a->health, b->health, n * sizeof(*a->health)) == 0 &&
	       memcmp(a->ramp_start, b->ramp_start, n * sizeof(*a->ramp_start)) == 0;
}

bool fl_view_same(const struct fl_view *a, const struct fl_view *b)
{
	return a->slow_start_ms == b->slow_start_ms && tier_same(&a->tier[0], &b->tier[0]) &&
	       tier_same(&a->tier[1], &b->tier[1]);
}

/* ---- reading one ---- */

/* u(key, node), as a fraction of 2^64. The placement's own hash of the key where it has one, so
 * that callers who pass bytes and callers who pass the hash agree. */
static uint64_t gate(const struct fl_tier *tier, const struct fl_key *key, const char *name)
{
	uint64_t node = fl_xxh3(name, strlen(name), FL_SALT_RAMP), h;

	if (!(fl_placement_capabilities(tier->placement) & FL_BY_HASH))
		h = fl_xxh3(key->bytes, key->len, FL_SALT_RAMP);
	else if (key->have_hash)
		h = key->hash;
	else
		h = fl_placement_hash(tier->placement, key->bytes, key->len);
	return fl_mix64(fl_mix64(h ^ FL_SALT_RAMP) + node);
}

static uint64_t warm_for(uint64_t start, uint64_t now_ms)
{
	return now_ms > start ? now_ms - start : 0;
}

double fl_ramp(uint64_t start, uint64_t slow_start_ms, uint64_t now_ms)
{
	uint64_t passed = warm_for(start, now_ms);

	if (start == 0 || passed >= slow_start_ms)
		return 1;
	return (double)passed / (double)slow_start_ms;
}

/* ramp > u, both times 2^64 * slow_start. */
static bool gate_open(uint64_t elapsed, uint64_t slow_start_ms, uint64_t u)
{
	return ((unsigned __int128)elapsed << 64) > (unsigned __int128)u * slow_start_ms;
}

static bool warming(
	const struct fl_view *v, const struct fl_tier *tier, uint32_t slot, uint64_t now_ms)
{
	uint64_t start = tier->ramp_start[slot];

	return start && warm_for(start, now_ms) < v->slow_start_ms;
}

/* The first owner that is not warming, or FL_NONE. As a rule the nodes in `cold` are those that
 * are warming; when some of them have come to the end of it and no tick has said so yet, the
 * first owners are looked at one by one. */
static int first_warm(const struct fl_view *v, const struct fl_tier *tier,
	const struct fl_key *key, uint64_t now_ms, uint32_t *slot)
{
	uint32_t owners[OWNERS_MOST];
	int n;

	if (now_ms < tier->first_warm)
		return fl_pick(tier->placement, key, &tier->cold, slot);
	n = fl_owners(tier->placement, key, &tier->mask, owners, OWNERS_MOST);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		if (warming(v, tier, owners[i], now_ms))
			continue;
		*slot = owners[i];
		return FL_OK;
	}
	return fl_pick(tier->placement, key, &tier->cold, slot);
}

/* From the final owner in *slot to the one that has the key at `now_ms`. */
static int warm_up(const struct fl_view *v, const struct fl_tier *tier,
	const struct fl_key *key, uint64_t now_ms, uint32_t *slot)
{
	uint64_t start = tier->ramp_start[*slot];
	uint32_t other = FL_NONE;
	int rc;

	if (!warming(v, tier, *slot, now_ms) ||
		gate_open(warm_for(start, now_ms), v->slow_start_ms,
			gate(tier, key, tier->members[*slot]->name)))
		return FL_OK;
	rc = first_warm(v, tier, key, now_ms, &other);
	if (rc != FL_OK)
		return rc;
	if (other != FL_NONE)
		*slot = other;
	return FL_OK;
}

/* What to pick from, and under which mask. */
static const fl_placement *tier_placement(const struct fl_tier *tier)
{
	return tier->unmasked ? tier->unmasked : tier->placement;
}

static const struct fl_mask *tier_mask(const struct fl_tier *tier)
{
	return tier->masked && !tier->unmasked ? &tier->mask : NULL;
}

int fl_view_pick(const struct fl_view *v, const struct fl_key *key, uint64_t now_ms,
	struct fl_member **out)
{
	for (unsigned t = 0; t < FL_TIERS; t++) {
		const struct fl_tier *tier = &v->tier[t];
		uint32_t slot = FL_NONE;
		int rc;

		if (!tier->placement)
			continue;
		rc = fl_pick(tier_placement(tier), key, tier_mask(tier), &slot);
		if (rc == FL_OK && slot != FL_NONE && tier->warming)
			rc = warm_up(v, tier, key, now_ms, &slot);
		if (rc != FL_OK)
			return rc;
		if (slot == FL_NONE)
			continue;
		FL_DEBUG_ASSERT(!mask_has(tier->mask, slot));
		*out = tier->members[slot];
		return FL_OK;
	}
	*out = NULL;
	return FL_OK;
}

int fl_view_owners(
	const struct fl_view *v, const struct fl_key *key, struct fl_member **out, size_t k)
{
	uint32_t slots[OWNERS_MOST];
	size_t n = 0;

	if (k > OWNERS_MOST)
		k = OWNERS_MOST;
	for (unsigned t = 0; t < FL_TIERS && n < k; t++) {
		const struct fl_tier *tier = &v->tier[t];
		int got;

		if (!tier->placement)
			continue;
		got = fl_owners(tier_placement(tier), key, tier_mask(tier), slots, k - n);
		if (got < 0)
			return got;
		for (int i = 0; i < got; i++)
			out[n++] = tier->members[slots[i]];
	}
	return (int)n;
}
