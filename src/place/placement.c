/* Life of a placement: its nodes come from a draft, its state from the algorithm's row, and from
 * then on nothing in it changes but the reference count. */
#include "place/place.h"

#include "base/error.h"
#include "hash/digest.h"
#include "hash/mix.h"
#include "hash/salt.h"
#include "hash/xxh3.h"
#include "place/membership.h"
#include "place/placement_priv.h"

#include <stdlib.h>
#include <string.h>

static uint32_t lookup_nobody(const struct fl_placement *p, uint64_t hash)
{
	(void)p;
	(void)hash;
	return FL_NONE;
}

static void destroy(struct fl_placement *p)
{
	if (!p)
		return;
	if (p->state)
		p->algorithm->free(p);
	free(p->nodes);
	free(p->hashes);
	free(p->ranks);
	free(p->text);
	fl_removed_fini(&p->removed);
	free(p);
}

static struct fl_placement *blank(
	const struct fl_algorithm *algorithm, const uint64_t *options, struct fl_secret secret)
{
	struct fl_placement *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	atomic_init(&p->references, 1);
	p->algorithm = algorithm;
	memcpy(p->options, options, sizeof(p->options));
	p->capacity = fl_place_capacity(algorithm, options);
	if (algorithm->seed >= 0)
		p->seed = options[algorithm->seed];
	p->secret = secret;
	if (algorithm->info.capabilities & FL_BY_HASH)
		p->lookup = lookup_nobody;
	return p;
}

static int hash_nodes(struct fl_placement *p)
{
	uint64_t seed = fl_salted(p->seed, FL_SALT_NODE);
	p->hashes = malloc((p->count + 1) * sizeof(*p->hashes));
	if (!p->hashes)
		return FL_ENOMEM;
	for (uint32_t i = 0; i < p->count; i++)
		p->hashes[i] = fl_xxh3(p->nodes[i].name, strlen(p->nodes[i].name), seed);
	return FL_OK;
}

/* ---- digest ---- */

static uint64_t digest_bytes(uint64_t digest, const void *bytes, size_t size)
{
	/* The length goes in with the bytes, so no two lists of fields run into each other. */
	return fl_mix64(fl_xxh3(bytes, size, digest) + size * FL_WEYL);
}

static uint64_t digest_text(uint64_t digest, const char *text)
{
	return digest_bytes(digest, text, strlen(text));
}

static uint64_t digest_number(uint64_t digest, uint64_t number)
{
	unsigned char bytes[8];
	fl_store64_le(bytes, number);
	return digest_bytes(digest, bytes, sizeof(bytes));
}

static uint64_t digest_removed(uint64_t d, const struct fl_removed *removed)
{
	unsigned char bytes[8 * 64];
	size_t n = 0;
	d = digest_number(d, removed->count);
	for (uint32_t i = 0; i < removed->count; i++) {
		fl_store64_le(bytes + 8 * n++, removed->slot[i]);
		if (n < 64 && i + 1 < removed->count)
			continue;
		d = digest_bytes(d, bytes, 8 * n);
		n = 0;
	}
	return d;
}

/* Balancers with different secrets must see that they differ, and whoever sees the digest must
 * not be able to aim: so a one-way hash of the secret goes in, and 64 bits of that. */
static uint64_t digest_secret(uint64_t d, struct fl_siphash_key key)
{
	unsigned char bytes[15 + FL_SIPHASH_KEY] = "fairlead secret", sum[FL_SHA256_SIZE];
	fl_store64_le(bytes + 15, key.k0);
	fl_store64_le(bytes + 15 + 8, key.k1);
	fl_sha256(bytes, sizeof(bytes), sum);
	return digest_number(digest_text(d, "secret"), fl_load64_le(sum));
}

static uint64_t digest_of(const struct fl_placement *p)
{
	uint64_t d = digest_number(FL_SALT_DIGEST, FL_MAPPING_VERSION);
	d = digest_text(d, p->algorithm->info.name);
	for (size_t i = 0; p->algorithm->options[i].name; i++) {
		d = digest_text(d, p->algorithm->options[i].name);
		d = digest_number(d, p->options[i]);
	}
	if (p->secret.given)
		d = digest_secret(d, p->secret.key);
	d = digest_number(d, p->count);
	for (uint32_t i = 0; i < p->count; i++) {
		const struct fl_node *node = &p->nodes[i];
		d = digest_text(d, node->name);
		d = digest_number(d, (uint64_t)node->weight);
		d = digest_text(d, node->zone ? node->zone : "");
		if (p->algorithm->by_slot)
			d = digest_number(d, node->slot);
	}
	return p->algorithm->lifo ? digest_removed(d, &p->removed) : d;
}

/* ---- making ---- */

static int build(struct fl_placement *p, const struct fl_placement *old, struct fl_error *err)
{
	const struct fl_algorithm *a = p->algorithm;
	if (p->eligible == 0)
		return FL_OK;
	if (old && old->eligible > 0 && a->derive)
		return a->derive(p, old, err);
	return a->build(p, err);
}

static int finish(struct fl_placement **out, struct fl_draft *draft, struct fl_placement *p,
	const struct fl_placement *old, struct fl_error *err)
{
	int rc = fl_draft_finish(draft, p);
	if (rc == FL_OK)
		rc = hash_nodes(p);
	if (rc == FL_OK)
		rc = build(p, old, err);
	if (rc == FL_ENOMEM)
		rc = fl_error_set(err, FL_ENOMEM, "no memory for a placement of %lu nodes",
			(unsigned long)p->count);
	if (rc != FL_OK)
		return rc;
	p->digest = digest_of(p);
	*out = p;
	return FL_OK;
}

static int apply(struct fl_draft *draft, const struct fl_change *changes, size_t count,
	struct fl_error *err)
{
	int rc = FL_OK;
	for (size_t i = 0; rc == FL_OK && i < count; i++)
		rc = fl_draft_change(draft, &changes[i], err);
	return rc;
}

/* Nodes that ask for a slot come first, so that the others cannot be in their way. */
static int apply_nodes(
	struct fl_draft *draft, const struct fl_node *nodes, size_t count, struct fl_error *err)
{
	int rc = FL_OK;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; rc == FL_OK && i < count; i++) {
			struct fl_change change = {FL_ADD, nodes[i]};
			if ((nodes[i].slot == FL_NONE) == (pass == 1))
				rc = fl_draft_change(draft, &change, err);
		}
	}
	return rc;
}

int fl_place_new(struct fl_placement **out, const struct fl_recipe *recipe,
	const struct fl_node *nodes, size_t count, struct fl_error *err)
{
	const struct fl_algorithm *algorithm = recipe->algorithm;
	const uint64_t *options = recipe->options;
	struct fl_draft *draft = NULL;
	struct fl_placement *p = NULL;
	int rc;
	uint32_t most = fl_place_capacity(algorithm, options);
	if (count > most)
		return fl_error_set(err, FL_ELIMIT, "%zu nodes; there may be %u%s", count, most,
			fl_place_advice(algorithm));
	rc = fl_draft_new(&draft, algorithm, options, NULL, count);
	if (rc != FL_OK)
		return fl_error_set(err, rc, "no memory for %zu nodes", count);
	rc = apply_nodes(draft, nodes, count, err);
	if (rc == FL_OK)
		rc = fl_draft_check(draft, err);
	if (rc == FL_OK && recipe->removed)
		rc = fl_draft_restore(draft, recipe->removed, recipe->removed_count, err);
	if (rc == FL_OK) {
		p = blank(algorithm, options, recipe->secret);
		rc = p ? finish(out, draft, p, NULL, err)
		       : fl_error_set(err, FL_ENOMEM, "no memory for a placement");
	}
	fl_draft_free(draft);
	if (rc != FL_OK)
		destroy(p);
	return rc;
}

static size_t count_adds(const struct fl_change *changes, size_t count)
{
	size_t adds = 0;
	for (size_t i = 0; i < count; i++)
		adds += changes[i].kind == FL_ADD;
	return adds;
}

int fl_place_derive(struct fl_placement **out, const struct fl_placement *old,
	const struct fl_change *changes, size_t count, struct fl_error *err)
{
	struct fl_draft *draft = NULL;
	struct fl_placement *p = NULL;
	int rc;
	if (count == 0) {
		*out = fl_place_ref(old);
		return FL_OK;
	}
	rc = fl_draft_new(
		&draft, old->algorithm, old->options, old, count_adds(changes, count));
	if (rc != FL_OK)
		return fl_error_set(err, rc, "no memory for %zu changes", count);
	rc = apply(draft, changes, count, err);
	if (rc == FL_OK) {
		p = blank(old->algorithm, old->options, old->secret);
		rc = p ? finish(out, draft, p, old, err)
		       : fl_error_set(err, FL_ENOMEM, "no memory for a placement");
	}
	fl_draft_free(draft);
	if (rc != FL_OK)
		destroy(p);
	return rc;
}

struct fl_placement *fl_place_ref(const struct fl_placement *p)
{
	/* The count is the only part that changes, and placements are never truly const. */
	struct fl_placement *mine = (struct fl_placement *)(uintptr_t)p;
	atomic_fetch_add_explicit(&mine->references, 1, memory_order_relaxed);
	return mine;
}

void fl_place_unref(struct fl_placement *p)
{
	if (p && atomic_fetch_sub_explicit(&p->references, 1, memory_order_acq_rel) == 1)
		destroy(p);
}

/* ---- reading ---- */

const char *fl_place_advice(const struct fl_algorithm *a)
{
	if (a->numbered)
		return "; another capacity=N moves keys, so give one with room to grow from "
		       "the start";
	return a->max_nodes ? "; for more, use ring, rendezvous, multiprobe or jumpback" : "";
}

uint32_t fl_place_capacity(const struct fl_algorithm *a, const uint64_t *options)
{
	for (size_t i = 0; a->options[i].name; i++) {
		if (strcmp(a->options[i].name, "capacity") == 0)
			return (uint32_t)options[i];
	}
	return a->max_nodes ? a->max_nodes : FL_MAX_NODES;
}

uint32_t fl_place_find(const struct fl_placement *p, const char *name)
{
	uint32_t low = 0, high = p->count;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int order = strcmp(p->nodes[mid].name, name);
		if (order == 0)
			return p->nodes[mid].slot;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return FL_NONE;
}

void fl_place_even_shares(const struct fl_placement *p, double *shares)
{
	for (uint32_t i = 0; i < p->count; i++)
		shares[p->nodes[i].slot] = p->nodes[i].weight > 0 ? 1.0 / p->eligible : 0.0;
}

bool fl_place_kept(const struct fl_placement *a, const struct fl_placement *b, uint32_t slot)
{
	const struct fl_node *x = fl_place_at(a, slot), *y = fl_place_at(b, slot);
	return x && y && strcmp(x->name, y->name) == 0;
}

size_t fl_place_memory(const struct fl_placement *p)
{
	return sizeof(*p) + (p->count + 1) * (sizeof(*p->nodes) + sizeof(*p->hashes)) +
	       (p->slots + 1) * sizeof(*p->ranks) + p->text_size + 1 +
	       (p->removed.slot ? (p->removed.room + 1) * sizeof(*p->removed.slot) : 0) +
	       (p->state ? p->algorithm->memory(p) : 0);
}

uint64_t fl_place_hash_secret(const struct fl_placement *p, const void *bytes, size_t len)
{
	struct fl_siphash_key key = p->secret.key;
	key.k0 ^= p->seed;
	return fl_siphash(bytes, len, key);
}

uint32_t fl_place_pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	return p->state ? p->algorithm->pick(p, key, mask) : FL_NONE;
}

int fl_place_owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	if (k > p->eligible)
		k = p->eligible;
	return p->state && k > 0 ? p->algorithm->owners(p, key, mask, slots, k) : 0;
}
