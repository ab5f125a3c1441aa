/* A draft is an array of entries, one a name, found by a hash index. The entries of the old
 * placement come first, in name order; new names are appended and sorted only at the end, so k
 * changes to n nodes cost O(n + k log k). A removed node's entry stays, dead, and comes to life
 * again when the name returns. Free slots are a bitmap with a low-water mark.
 *
 * Lifo algorithms: a slot owns keys while its node has a weight, and all others are on the
 * removal stack. Taking a weight away pushes the slot, giving one pops it, which needs it to be
 * on top. A new node without a slot of its own therefore takes the free slot nearest to the top.
 * A placement that is built afresh has no history yet: its stack is filled at the end. */
#include "place/membership.h"

#include "base/error.h"
#include "hash/xxh3.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	const char *name, *zone;
	size_t name_size, zone_size; /* without the NUL */
	int32_t weight;
	uint32_t slot;
	bool live;
};

struct fl_draft {
	struct entry *entries;
	size_t count, old; /* entries; how many of them came sorted from the old placement */
	uint32_t *index;   /* entry + 1, open addressing; 0: free */
	size_t mask;
	size_t live;
	const struct fl_algorithm *algorithm;
	uint32_t capacity;
	struct fl_removed removed; /* slot is NULL without a history to keep */
	uint32_t passed;           /* no slot at or above this place of the stack is free */
	uint32_t lowest;           /* no word below this one has a free bit */
	uint64_t *used;            /* a bit a slot below capacity, rounded up */
	bool derived;              /* from an old placement */
};

static uint32_t *index_at(const struct fl_draft *d, const char *name, size_t size)
{
	size_t i = fl_xxh3(name, size, 0) & d->mask;
	for (; d->index[i] != 0; i = (i + 1) & d->mask) {
		const struct entry *e = &d->entries[d->index[i] - 1];
		if (e->name_size == size && memcmp(e->name, name, size) == 0)
			break;
	}
	return &d->index[i];
}

static void slot_take(struct fl_draft *d, uint32_t slot)
{
	d->used[slot / 64] |= (uint64_t)1 << (slot % 64);
}

static void slot_release(struct fl_draft *d, uint32_t slot)
{
	d->used[slot / 64] &= ~((uint64_t)1 << (slot % 64));
	if (slot / 64 < d->lowest)
		d->lowest = slot / 64;
	d->passed = d->removed.count;
}

/* Some slot is free: that was checked. Nodes without a weight take slots that stay on the stack, so
 * the search goes on where the last one ended. */
static uint32_t slot_last_removed(struct fl_draft *d)
{
	uint32_t i = d->passed < d->removed.count ? d->passed : d->removed.count;
	while (i-- > 0) {
		uint32_t slot = d->removed.slot[i];
		d->passed = i + 1;
		if (!(d->used[slot / 64] >> (slot % 64) & 1))
			return slot;
	}
	return FL_NONE;
}

static uint32_t slot_lowest(struct fl_draft *d)
{
	uint32_t words = (d->capacity + 63) / 64;
	while (d->lowest < words && d->used[d->lowest] == UINT64_MAX)
		d->lowest++;
	if (d->lowest == words)
		return FL_NONE;
	return d->lowest * 64 + (uint32_t)__builtin_ctzll(~d->used[d->lowest]);
}

static void append(struct fl_draft *d, const struct fl_node *node, uint32_t slot)
{
	struct entry *e = &d->entries[d->count++];
	*e = (struct entry){.name = node->name,
		.zone = node->zone,
		.name_size = strlen(node->name),
		.zone_size = node->zone ? strlen(node->zone) : 0,
		.weight = node->weight,
		.slot = slot,
		.live = true};
	slot_take(d, slot);
	d->live++;
}

int fl_draft_new(struct fl_draft **out, const struct fl_algorithm *a, const uint64_t *options,
	const struct fl_placement *old, size_t adds)
{
	size_t most = (old ? old->count : 0) + adds, size = 8;
	struct fl_draft *d = calloc(1, sizeof(*d));
	while (size < 2 * most)
		size *= 2;
	if (!d)
		return FL_ENOMEM;
	d->capacity = fl_place_capacity(a, options);
	d->entries = calloc(most + 1, sizeof(*d->entries));
	d->index = calloc(size, sizeof(*d->index));
	d->used = calloc((d->capacity + 63) / 64, sizeof(*d->used));
	d->mask = size - 1;
	d->algorithm = a;
	d->derived = old != NULL;
	d->passed = UINT32_MAX;
	bool history = old && a->lifo;
	if (!d->entries || !d->index || !d->used ||
		(history && fl_removed_init(&d->removed, d->capacity, old->removed.slot,
				    old->removed.count) != FL_OK)) {
		fl_draft_free(d);
		return FL_ENOMEM;
	}
	for (uint32_t i = 0; old && i < old->count; i++) {
		append(d, &old->nodes[i], old->nodes[i].slot);
		*index_at(d, old->nodes[i].name, d->entries[i].name_size) = i + 1;
	}
	d->old = d->count;
	*out = d;
	return FL_OK;
}

void fl_draft_free(struct fl_draft *d)
{
	if (!d)
		return;
	free(d->entries);
	free(d->index);
	free(d->used);
	fl_removed_fini(&d->removed);
	free(d);
}

static int check_name(const char *name, struct fl_error *err)
{
	if (!name)
		return fl_error_set(err, FL_EINVAL, "a node has no name");
	if (name[0] == '\0')
		return fl_error_set(err, FL_EINVAL, "a node has an empty name");
	if (strnlen(name, FL_MAX_NAME + 1) > FL_MAX_NAME)
		return fl_error_set(err, FL_EINVAL,
			"the name of node \"%.60s...\" is longer than %d bytes", name,
			FL_MAX_NAME);
	return FL_OK;
}

static int check_weight(
	const struct fl_draft *d, const char *name, int32_t weight, struct fl_error *err)
{
	if (weight < 0 || weight > FL_MAX_WEIGHT)
		return fl_error_set(err, FL_EINVAL,
			"node \"%.100s\": weight %ld is not in 0..%d", name, (long)weight,
			FL_MAX_WEIGHT);
	if (weight > d->algorithm->max_weight && d->algorithm->max_weight > 1)
		return fl_error_set(err, FL_EINVAL,
			"node \"%.100s\": weight %ld: %s knows weights up to %ld", name,
			(long)weight, d->algorithm->info.name, (long)d->algorithm->max_weight);
	if (weight > d->algorithm->max_weight)
		return fl_error_set(err, FL_EINVAL,
			"node \"%.100s\": weight %ld: this mapping knows no weights, only 1, "
			"or 0 "
			"for a node that owns nothing",
			name, (long)weight);
	return FL_OK;
}

static int check_node(
	const struct fl_draft *d, const struct fl_node *node, struct fl_error *err)
{
	int rc = check_weight(d, node->name, node->weight, err);
	if (rc != FL_OK)
		return rc;
	if (node->zone && strnlen(node->zone, FL_MAX_NAME + 1) > FL_MAX_NAME)
		return fl_error_set(err, FL_EINVAL,
			"node \"%.100s\": its zone is longer than %d bytes", node->name,
			FL_MAX_NAME);
	if (node->slot != FL_NONE && node->slot >= d->capacity)
		return fl_error_set(err, FL_EINVAL,
			"node \"%.100s\": slot %lu is not below %u%s", node->name,
			(unsigned long)node->slot, d->capacity,
			d->algorithm->numbered ? ", the capacity"
					       : fl_place_advice(d->algorithm));
	if (node->slot != FL_NONE && (d->used[node->slot / 64] >> (node->slot % 64) & 1))
		return fl_error_set(err, FL_EEXIST, "node \"%.100s\": slot %lu is taken",
			node->name, (unsigned long)node->slot);
	if (d->live >= d->capacity)
		return fl_error_set(err, FL_ELIMIT, "more than %u nodes%s", d->capacity,
			fl_place_advice(d->algorithm));
	if (d->algorithm->stacked && d->derived && node->slot != FL_NONE &&
		node->slot != d->live)
		return fl_error_set(err, FL_ENOTSUP,
			"node \"%.100s\": %s can only add the next slot, %zu, not slot %u",
			node->name, d->algorithm->info.name, d->live, node->slot);
	return FL_OK;
}

/* ---- the removal stack ---- */

static void retire(struct fl_draft *d, uint32_t slot)
{
	if (d->removed.slot)
		d->removed.slot[d->removed.count++] = slot;
}

/* The node in `slot` comes to own keys. */
static int revive(struct fl_draft *d, const char *name, uint32_t slot, struct fl_error *err)
{
	if (!d->removed.slot)
		return FL_OK;
	/* The slot is on the stack, so there is a top. */
	uint32_t top = d->removed.slot[d->removed.count - 1];
	if (slot != top)
		return fl_error_set(err, FL_ENOTSUP,
			"node \"%.100s\": %s takes slots back last in, first out: slot %u is "
			"next, not %u%s",
			name, d->algorithm->info.name, top, slot,
			d->used[top / 64] >> (top % 64) & 1
				? " (a node of weight 0 has it: remove that one first)"
				: "");
	d->removed.count--;
	return FL_OK;
}

static uint32_t slot_for(struct fl_draft *d, const struct fl_node *node)
{
	if (node->slot != FL_NONE)
		return node->slot;
	return d->removed.slot ? slot_last_removed(d) : slot_lowest(d);
}

static int add(
	struct fl_draft *d, const struct fl_node *node, uint32_t *at, struct fl_error *err)
{
	if (*at != 0 && d->entries[*at - 1].live)
		return fl_error_set(
			err, FL_EEXIST, "node \"%.200s\" is there twice", node->name);
	int rc = check_node(d, node, err);
	if (rc != FL_OK)
		return rc;
	uint32_t slot = slot_for(d, node);
	if (node->weight > 0)
		rc = revive(d, node->name, slot, err);
	if (rc != FL_OK)
		return rc;
	if (*at == 0) {
		append(d, node, slot);
		*at = (uint32_t)d->count;
		return FL_OK;
	}
	struct entry *e = &d->entries[*at - 1];
	e->zone = node->zone;
	e->zone_size = node->zone ? strlen(node->zone) : 0;
	e->weight = node->weight;
	e->slot = slot;
	e->live = true;
	slot_take(d, slot);
	d->live++;
	return FL_OK;
}

static int reweight(struct fl_draft *d, struct entry *e, int32_t weight, struct fl_error *err)
{
	int rc = check_weight(d, e->name, weight, err);
	if (rc == FL_OK && e->weight == 0 && weight > 0)
		rc = revive(d, e->name, e->slot, err);
	if (rc != FL_OK)
		return rc;
	if (e->weight > 0 && weight == 0)
		retire(d, e->slot);
	e->weight = weight;
	return FL_OK;
}

int fl_draft_change(struct fl_draft *d, const struct fl_change *change, struct fl_error *err)
{
	const struct fl_node *node = &change->node;
	int rc = check_name(node->name, err);
	if (rc != FL_OK)
		return rc;
	uint32_t *at = index_at(d, node->name, strlen(node->name));
	if (change->kind == FL_ADD)
		return add(d, node, at, err);
	if (change->kind != FL_REMOVE && change->kind != FL_REWEIGHT)
		return fl_error_set(err, FL_EINVAL,
			"node \"%.100s\": unknown kind of change %d", node->name,
			(int)change->kind);
	if (*at == 0 || !d->entries[*at - 1].live)
		return fl_error_set(err, FL_ENOENT, "there is no node \"%.200s\"", node->name);
	struct entry *e = &d->entries[*at - 1];
	if (change->kind == FL_REWEIGHT)
		return reweight(d, e, node->weight, err);
	if (d->algorithm->stacked && e->slot != d->live - 1)
		return fl_error_set(err, FL_ENOTSUP,
			"node \"%.100s\" has slot %u: %s can only remove the last one, slot "
			"%zu",
			node->name, e->slot, d->algorithm->info.name, d->live - 1);
	if (e->weight > 0)
		retire(d, e->slot);
	e->live = false;
	slot_release(d, e->slot);
	d->live--;
	return FL_OK;
}

int fl_draft_check(const struct fl_draft *d, struct fl_error *err)
{
	uint32_t gap = 0;
	if (!d->algorithm->stacked)
		return FL_OK;
	while (gap < d->live && (d->used[gap / 64] >> (gap % 64) & 1))
		gap++;
	if (gap < d->live)
		return fl_error_set(err, FL_EINVAL,
			"%s needs the slots 0..%zu for its %zu nodes, but nobody has slot %u",
			d->algorithm->info.name, d->live - 1, d->live, gap);
	return FL_OK;
}

/* ---- the result ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static char *put_text(char **at, const char *text, size_t size)
{
	char *start = *at;
	memcpy(start, text, size + 1);
	*at += size + 1;
	return start;
}

static void put_node(struct fl_placement *p, const struct entry *e, char **text)
{
	struct fl_node *node = &p->nodes[p->count];
	node->name = put_text(text, e->name, e->name_size);
	node->zone = e->zone ? put_text(text, e->zone, e->zone_size) : NULL;
	node->weight = e->weight;
	node->slot = e->slot;
	p->ranks[e->slot] = p->count++;
	p->eligible += e->weight > 0;
	p->weight += (uint64_t)e->weight;
}

static int make_room(const struct fl_draft *d, struct fl_placement *p)
{
	size_t text = 0;
	p->slots = 0;
	for (size_t i = 0; i < d->count; i++) {
		const struct entry *e = &d->entries[i];
		if (!e->live)
			continue;
		text += e->name_size + 1 + (e->zone ? e->zone_size + 1 : 0);
		if (e->slot >= p->slots)
			p->slots = e->slot + 1;
	}
	p->nodes = calloc(d->live + 1, sizeof(*p->nodes));
	p->ranks = malloc((p->slots + 1) * sizeof(*p->ranks));
	p->text = malloc(text + 1);
	p->text_size = text;
	if (!p->nodes || !p->ranks || !p->text)
		return FL_ENOMEM;
	memset(p->ranks, 0xff, (p->slots + 1) * sizeof(*p->ranks));
	return FL_OK;
}

/* The slots that own keys, as bits, to be freed; NULL: no memory. */
static uint64_t *mark_owners(const struct fl_draft *d)
{
	uint64_t *owners = calloc((d->capacity + 63) / 64, sizeof(*owners));
	for (size_t i = 0; owners && i < d->count; i++) {
		const struct entry *e = &d->entries[i];
		if (e->live && e->weight > 0)
			owners[e->slot / 64] |= (uint64_t)1 << (e->slot % 64);
	}
	return owners;
}

int fl_draft_restore(
	struct fl_draft *d, const uint32_t *removed, uint32_t count, struct fl_error *err)
{
	if (count > d->capacity)
		return fl_error_set(err, FL_EINVAL, "%u removed slots; the capacity is %u",
			count, d->capacity);
	uint64_t *owners = mark_owners(d);
	if (!owners || fl_removed_init(&d->removed, d->capacity, removed, count) != FL_OK) {
		free(owners);
		return fl_error_set(err, FL_ENOMEM, "no memory for %u removed slots", count);
	}
	bool fits = fl_removed_fits(&d->removed, owners);
	free(owners);
	if (!fits)
		return fl_error_set(err, FL_EINVAL,
			"the removed slots are not those that the nodes leave free");
	return FL_OK;
}

static int take_removed(struct fl_draft *d, struct fl_placement *p)
{
	if (!d->algorithm->lifo)
		return FL_OK;
	if (!d->removed.slot) {
		uint64_t *owners = mark_owners(d);
		if (!owners || fl_removed_init(&d->removed, d->capacity, NULL, 0) != FL_OK) {
			free(owners);
			return FL_ENOMEM;
		}
		fl_removed_fill(&d->removed, owners);
		free(owners);
	}
	p->removed = d->removed;
	d->removed = (struct fl_removed){NULL, 0, 0};
	return FL_OK;
}

int fl_draft_finish(struct fl_draft *d, struct fl_placement *p)
{
	if (make_room(d, p) != FL_OK || take_removed(d, p) != FL_OK)
		return FL_ENOMEM;
	struct entry *a = d->entries, *a_end = a + d->old;
	struct entry *b = a_end, *b_end = d->entries + d->count;
	char *text = p->text;
	qsort(b, (size_t)(b_end - b), sizeof(*b), by_name);
	while (a < a_end || b < b_end) {
		bool first = b == b_end || (a < a_end && by_name(a, b) < 0);
		const struct entry *e = first ? a++ : b++;
		if (e->live)
			put_node(p, e, &text);
	}
	return FL_OK;
}
