/* Many lookups in one call. The answers are those of single picks, bit for bit; what a batch
 * saves is the call through a pointer for each key and, where an algorithm has a `batch` of its
 * own, the waiting of each lookup for the one before it.
 *
 * A mask: an algorithm with a `batch` promises that masking nodes moves no key but theirs. So
 * the batch runs as if nobody were masked, and only the keys whose owner is masked are picked
 * again, one by one. Without `batch`, every key is a pick of its own. */
#include "place/place.h"

#include "place/placement_priv.h"

static void nobody(size_t count, uint32_t *slots)
{
	for (size_t i = 0; i < count; i++)
		slots[i] = FL_NONE;
}

static uint32_t pick_one(
	const struct fl_placement *p, uint64_t hash, const struct fl_mask *mask)
{
	struct fl_key key = fl_key_hash(hash);
	return p->algorithm->pick(p, &key, mask);
}

/* `slots` are the owners when nobody is masked. */
static void step_over_masked(const struct fl_placement *p, const uint64_t *hashes, size_t count,
	const struct fl_mask *mask, uint32_t *slots)
{
	for (size_t i = 0; i < count; i++) {
		if (fl_masked(mask, slots[i]))
			slots[i] = pick_one(p, hashes[i], mask);
	}
}

void fl_place_batch(const struct fl_placement *p, const uint64_t *hashes, size_t count,
	const struct fl_mask *mask, uint32_t *slots)
{
	bool masked = mask && mask->count > 0;
	if (!p->state) {
		nobody(count, slots);
	} else if (p->algorithm->batch) {
		p->algorithm->batch(p, hashes, count, slots);
		if (masked)
			step_over_masked(p, hashes, count, mask, slots);
	} else if (masked) {
		for (size_t i = 0; i < count; i++)
			slots[i] = pick_one(p, hashes[i], mask);
	} else {
		for (size_t i = 0; i < count; i++)
			slots[i] = p->lookup(p, hashes[i]);
	}
}
