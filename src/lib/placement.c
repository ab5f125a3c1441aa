/* The public entry points about placements: arguments are checked here, the work is in place/. */
#include "fairlead/fairlead.h"

#include "base/error.h"
#include "lib/spec.h"
#include "place/place.h"
#include "place/placement_priv.h"

#include <string.h>

int fl_placement_new(fl_placement **out, const char *spec, const struct fl_node *nodes,
	size_t count, struct fl_error *err)
{
	struct fl_spec parsed;
	int rc = fl_spec_parse(&parsed, spec, err);
	if (rc != FL_OK)
		return rc;
	struct fl_recipe recipe = {parsed.algorithm, parsed.options, parsed.secret, NULL, 0};
	return fl_place_new(out, &recipe, nodes, count, err);
}

int fl_placement_derive(fl_placement **out, const fl_placement *old,
	const struct fl_change *changes, size_t count, struct fl_error *err)
{
	return fl_place_derive(out, old, changes, count, err);
}

fl_placement *fl_placement_ref(const fl_placement *p)
{
	return fl_place_ref(p);
}

void fl_placement_unref(fl_placement *p)
{
	fl_place_unref(p);
}

const char *fl_placement_algorithm(const fl_placement *p)
{
	return p->algorithm->info.name;
}

uint32_t fl_placement_capabilities(const fl_placement *p)
{
	return p->algorithm->info.capabilities;
}

size_t fl_placement_count(const fl_placement *p)
{
	return p->count;
}

uint32_t fl_placement_slots(const fl_placement *p)
{
	return p->slots;
}

size_t fl_placement_memory(const fl_placement *p)
{
	return fl_place_memory(p);
}

const struct fl_node *fl_placement_node(const fl_placement *p, uint32_t slot)
{
	return fl_place_at(p, slot);
}

uint32_t fl_placement_find(const fl_placement *p, const char *name)
{
	return fl_place_find(p, name);
}

uint64_t fl_placement_digest(const fl_placement *p)
{
	return p->digest;
}

size_t fl_placement_spec(const fl_placement *p, char *text, size_t room)
{
	char whole[FL_SPEC_TEXT];
	fl_spec_print(whole, p->algorithm, p->options, p->secret.given);
	size_t size = strlen(whole) + 1;
	if (text && size <= room)
		memcpy(text, whole, size);
	return size;
}

bool fl_placement_starved(const fl_placement *p, uint32_t slot)
{
	const struct fl_node *node = fl_place_at(p, slot);
	return node && node->weight > 0 && p->algorithm->starved &&
	       p->algorithm->starved(p, slot);
}

const char *fl_placement_warning(const fl_placement *p)
{
	return p->state && p->algorithm->warning ? p->algorithm->warning(p) : NULL;
}

/* ---- lookup ---- */

uint64_t fl_placement_hash(const fl_placement *p, const void *bytes, size_t len)
{
	return p->lookup ? fl_place_hash(p, bytes, len) : 0;
}

/* Only where there is a p->lookup. */
static inline uint32_t slot_of(const fl_placement *p, uint64_t hash)
{
	return p->rows ? p->rows[hash >> p->row_shift] : p->lookup(p, hash);
}

/* The key with what the algorithm needs, or FL_ENOTSUP. */
static int complete(const fl_placement *p, const struct fl_key *key, struct fl_key *out)
{
	bool has_bytes = key->bytes || (key->len == 0 && !key->have_hash);
	*out = *key;
	if (!p->lookup)
		return has_bytes ? FL_OK : FL_ENOTSUP;
	if (!key->have_hash) {
		out->hash = fl_place_hash(p, key->bytes, key->len);
		out->have_hash = true;
	}
	return FL_OK;
}

/* The pick under a mask that takes a rebuild. */
static int pick_rebuilt(const fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slot)
{
	uint32_t owner = FL_NONE;
	int n = fl_place_owners(p, key, mask, &owner, 1);
	if (n < 0)
		return n;
	*slot = owner;
	return FL_OK;
}

int fl_pick(const fl_placement *p, const struct fl_key *key, const struct fl_mask *mask,
	uint32_t *slot)
{
	struct fl_key whole;
	int rc = complete(p, key, &whole);
	if (rc != FL_OK)
		return rc;
	if (p->lookup && (!mask || mask->count == 0))
		*slot = slot_of(p, whole.hash);
	else if (p->algorithm->rebuilds && mask && mask->count > 0)
		return pick_rebuilt(p, &whole, mask, slot);
	else
		*slot = fl_place_pick(p, &whole, mask);
	return FL_OK;
}

int fl_owners(const fl_placement *p, const struct fl_key *key, const struct fl_mask *mask,
	uint32_t *slots, size_t k)
{
	struct fl_key whole;
	int rc = complete(p, key, &whole);
	return rc == FL_OK ? fl_place_owners(p, &whole, mask, slots, k) : rc;
}

/* Out of line: the key on its stack would cost every lookup a guard. */
__attribute__((noinline)) static uint32_t lookup_bytes(
	const fl_placement *p, const void *bytes, size_t len)
{
	struct fl_key key = fl_key_bytes(bytes, len);
	return fl_place_pick(p, &key, NULL);
}

uint32_t fl_lookup(const fl_placement *p, const void *bytes, size_t len)
{
	if (__builtin_expect(p->lookup != NULL, 1))
		return slot_of(p, fl_place_hash(p, bytes, len));
	return lookup_bytes(p, bytes, len);
}

uint32_t fl_lookup_hash(const fl_placement *p, uint64_t hash)
{
	if (p->rows)
		return p->rows[hash >> p->row_shift];
	return __builtin_expect(p->lookup != NULL, 1) ? p->lookup(p, hash) : FL_NONE;
}

/* ---- batches ---- */

#define BLOCK 64 /* keys hashed ahead: their hashes stay in the nearest cache */

int fl_pick_batch(const fl_placement *p, const uint64_t *hashes, size_t count,
	const struct fl_mask *mask, uint32_t *slots)
{
	if (!p->lookup)
		return FL_ENOTSUP;
	fl_place_batch(p, hashes, count, mask, slots);
	return FL_OK;
}

static void lookup_hashed(const fl_placement *p, const struct fl_key *keys, size_t count,
	const struct fl_mask *mask, uint32_t *slots)
{
	uint64_t hashes[BLOCK];
	for (size_t from = 0; from < count; from += BLOCK) {
		size_t n = count - from < BLOCK ? count - from : BLOCK;
		for (size_t i = 0; i < n; i++) {
			struct fl_key key;
			complete(p, &keys[from + i], &key); /* cannot fail with FL_BY_HASH */
			hashes[i] = key.hash;
		}
		fl_place_batch(p, hashes, n, mask, slots + from);
	}
}

static int lookup_rebuilt(const fl_placement *p, const struct fl_key *keys, size_t count,
	const struct fl_mask *mask, uint32_t *slots)
{
	int rc = FL_OK;
	for (size_t i = 0; i < count && rc == FL_OK; i++)
		rc = pick_rebuilt(p, &keys[i], mask, &slots[i]);
	return rc;
}

int fl_lookup_batch(const fl_placement *p, const struct fl_key *keys, size_t count,
	const struct fl_mask *mask, uint32_t *slots)
{
	struct fl_key key;
	if (p->lookup) {
		lookup_hashed(p, keys, count, mask, slots);
		return FL_OK;
	}
	for (size_t i = 0; i < count; i++) {
		if (complete(p, &keys[i], &key) != FL_OK)
			return FL_ENOTSUP;
	}
	if (p->algorithm->rebuilds && mask && mask->count > 0)
		return lookup_rebuilt(p, keys, count, mask, slots);
	for (size_t i = 0; i < count; i++)
		slots[i] = fl_place_pick(p, &keys[i], mask);
	return FL_OK;
}
