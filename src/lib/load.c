/* Bounded loads (Mirrokni, Thorup & Zadimoghaddam 2016) over any placement: a request goes to the
 * first owner of its key that is below its cap. With m other requests in flight, W the sum of the
 * weights of the nodes that may be had, and T = m + 1,
 *     cap_i = ceil((1 + epsilon) * T * w_i / W).
 *
 * State: a cell a slot that counts its requests, and one count of all, T. Who comes adds itself to
 * T first, then looks for a cell; who leaves takes itself off the cell first, then off T. So at
 * every moment
 *     (sum of cells) + (those who are looking) <= T,                                        (1)
 * and while somebody looks, the cells add up to T - 1 at most.
 *
 * A cell is entered by compare and swap from a value below the cap of that moment. (Adding first
 * and undoing what was too much would let those who only look fill a node for a moment, and others
 * would be turned away from an empty place.) So a cell never counts anybody but holders, and never
 * grows beyond its cap under a T read while it had the value it grew from; T may have shrunk since,
 * by requests that left in between, and then nobody is thrown out: that is all the overshoot.
 *
 * Nobody is refused. Suppose that a look at all the nodes found each one full while nothing
 * changed. The cells of those nodes would then add up to
 *     sum of caps >= (1 + epsilon) T sum(w_i) / W = (1 + epsilon) T > T - 1
 * against (1). So a look can fail only if somebody came, went or was seated during it: the whole is
 * lock-free, and alone it succeeds at the first look. Who loses PASSES such races in a row sits
 * down at the key's first owner without regard to the cap, which bounds the time: at most one
 * request a thread can be over the cap by this. tests/model/load_protocol.py goes through every
 * interleaving of small cases.
 *
 * Cost: an atomic add on T, which all share, and a compare and swap on the owner's cell; each
 * further owner one load more, and the owners' order as fl_owners computes it, at most 64 at a
 * time: those seen are masked for the next 64. So nothing is allocated, but for that mask where it
 * has more than FL_MAX_ROWED slots. */
#include "fairlead/fairlead.h"

#include "lib/words.h"
#include "place/placement_priv.h"

#include <stdlib.h>
#include <string.h>

#define LINE      64 /* bytes in a cache line */
#define MILLION   1000000u
#define PASSES    16
#define FEW       8
#define AT_A_TIME 64

struct cell {
	_Alignas(LINE) atomic_uint in_flight;
};

struct fl_load {
	_Alignas(LINE) atomic_uint total;
	_Alignas(LINE) uint32_t slots;
	struct cell cells[];
};

/* One request that looks for a place. */
struct search {
	fl_load *load;
	const fl_placement *placement;
	const struct fl_mask *mask;
	struct fl_key key;
	uint64_t weight; /* of all that may be had */
	uint32_t epsilon;
};

int fl_load_new(fl_load **out, uint32_t slots)
{
	fl_load *l;
	if (!out || slots == 0)
		return FL_EINVAL;
	if (slots > FL_MAX_NODES)
		return FL_ELIMIT;
	l = aligned_alloc(LINE, sizeof(*l) + slots * sizeof(l->cells[0]));
	if (!l)
		return FL_ENOMEM;
	atomic_init(&l->total, 0);
	l->slots = slots;
	for (uint32_t i = 0; i < slots; i++)
		atomic_init(&l->cells[i].in_flight, 0);
	*out = l;
	return FL_OK;
}

void fl_load_free(fl_load *l)
{
	free(l);
}

uint32_t fl_load_count(const fl_load *l, uint32_t slot)
{
	return slot < l->slots ? atomic_load(&l->cells[slot].in_flight) : 0;
}

uint32_t fl_load_total(const fl_load *l)
{
	return atomic_load(&l->total);
}

/* ---- caps ---- */

/* ceil((MILLION + epsilon) * total * weight / (MILLION * all)), exactly, in 64 bits: total <= 2^31,
 * weight < 2^16, all < 2^36, MILLION + epsilon < 2^24, so the largest sum is below 2^61. */
static uint64_t cap_of(uint64_t total, uint64_t weight, uint64_t all, uint64_t epsilon)
{
	uint64_t factor = MILLION + epsilon, unit = MILLION * all;
	uint64_t whole = total * weight / all * factor, rest = total * weight % all * factor;
	return whole / MILLION + (whole % MILLION * all + rest + unit - 1) / unit;
}

static uint64_t eligible_weight(const fl_placement *p, const struct fl_mask *mask)
{
	uint64_t weight = p->weight;
	for (size_t i = 0; mask && i < mask->count && i * 64 < p->slots; i++) {
		for (uint64_t bits = mask->words[i]; bits != 0; bits &= bits - 1) {
			uint32_t slot = (uint32_t)i * 64 + (uint32_t)__builtin_ctzll(bits);
			const struct fl_node *node = fl_place_at(p, slot);
			weight -= node ? (uint64_t)node->weight : 0;
		}
	}
	return weight;
}

uint32_t fl_load_cap(const fl_load *l, const fl_placement *p, const struct fl_mask *mask,
	uint32_t epsilon, uint32_t slot)
{
	const struct fl_node *node = fl_place_at(p, slot);
	if (!node || node->weight == 0 || fl_masked(mask, slot) || epsilon > FL_MAX_EPSILON)
		return 0;
	uint64_t cap = cap_of((uint64_t)fl_load_total(l) + 1, (uint64_t)node->weight,
		eligible_weight(p, mask), epsilon);
	return cap < UINT32_MAX ? (uint32_t)cap : UINT32_MAX;
}

/* ---- looking for a place ---- */

static bool sit(const struct search *s, uint32_t slot)
{
	atomic_uint *cell = &s->load->cells[slot].in_flight;
	uint64_t weight = (uint64_t)fl_place_at(s->placement, slot)->weight;
	unsigned now = atomic_load(cell);
	do {
		unsigned total = atomic_load(&s->load->total);
		if (now >= cap_of(total, weight, s->weight, s->epsilon))
			return false;
	} while (!atomic_compare_exchange_weak(cell, &now, now + 1));
	return true;
}

static uint32_t sit_at_any(const struct search *s, const uint32_t *slots, int count)
{
	for (int i = 0; i < count; i++) {
		if (sit(s, slots[i]))
			return slots[i];
	}
	return FL_NONE;
}

/* The owners behind the first AT_A_TIME, which are in `few`. */
static int look_further(const struct search *s, uint32_t few[AT_A_TIME], uint32_t *slot)
{
	struct fl_words words;
	if (fl_words_init(&words, s->placement->slots) != FL_OK)
		return FL_ENOMEM;
	struct fl_mask seen = {words.at, (s->placement->slots + 63) / 64};
	int n = AT_A_TIME;
	for (size_t i = 0; i < seen.count; i++)
		words.at[i] = s->mask && i < s->mask->count ? s->mask->words[i] : 0;
	for (size_t i = 0; i < seen.count && *slot == FL_NONE && n == AT_A_TIME; i++) {
		for (int j = 0; j < n; j++)
			words.at[few[j] / 64] |= (uint64_t)1 << (few[j] % 64);
		n = fl_owners(s->placement, &s->key, &seen, few, AT_A_TIME);
		*slot = sit_at_any(s, few, n);
	}
	fl_words_fini(&words);
	return FL_OK;
}

/* *slot stays FL_NONE when every node was full. */
static int look(const struct search *s, uint32_t *slot)
{
	uint32_t few[AT_A_TIME];
	int done = 0;
	for (int k = FEW; k <= AT_A_TIME; k *= AT_A_TIME / FEW) {
		int n = fl_owners(s->placement, &s->key, s->mask, few, (size_t)k);
		if (n < 0)
			return n;
		*slot = sit_at_any(s, few + done, n - done);
		if (*slot != FL_NONE || n < k)
			return FL_OK;
		done = n;
	}
	return look_further(s, few, slot);
}

static int find_place(const struct search *s, uint32_t first, uint32_t *slot)
{
	int rc = FL_OK;
	*slot = FL_NONE;
	if (sit(s, first))
		*slot = first;
	for (unsigned pass = 0; pass < PASSES && *slot == FL_NONE && rc == FL_OK; pass++)
		rc = look(s, slot);
	if (rc == FL_OK && *slot == FL_NONE) {
		atomic_fetch_add(&s->load->cells[first].in_flight, 1);
		*slot = first;
	}
	return rc;
}

int fl_load_acquire(fl_load *l, const fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t epsilon, uint32_t *slot)
{
	struct search s = {l, p, mask, *key, 0, epsilon};
	uint32_t first = FL_NONE;
	if (epsilon > FL_MAX_EPSILON)
		return FL_EINVAL;
	if (p->slots > l->slots)
		return FL_ELIMIT;
	if (p->lookup && !key->have_hash) {
		s.key.hash = fl_placement_hash(p, key->bytes, key->len);
		s.key.have_hash = true;
	}
	int rc = fl_pick(p, &s.key, mask, &first);
	if (rc != FL_OK)
		return rc;
	if (first != FL_NONE) {
		s.weight = eligible_weight(p, mask);
		if (atomic_fetch_add(&l->total, 1) >= FL_MAX_IN_FLIGHT) {
			atomic_fetch_sub(&l->total, 1);
			return FL_ELIMIT;
		}
		rc = find_place(&s, first, &first);
		if (rc != FL_OK) {
			atomic_fetch_sub(&l->total, 1);
			return rc;
		}
	}
	*slot = first;
	return FL_OK;
}

int fl_load_release(fl_load *l, uint32_t slot)
{
	if (slot >= l->slots)
		return FL_EINVAL;
	atomic_uint *cell = &l->cells[slot].in_flight;
	unsigned now = atomic_load(cell);
	do {
		if (now == 0)
			return FL_EINVAL;
	} while (!atomic_compare_exchange_weak(cell, &now, now - 1));
	atomic_fetch_sub(&l->total, 1);
	return FL_OK;
}
