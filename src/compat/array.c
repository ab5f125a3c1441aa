#include "compat/array.h"

#include <stdlib.h>

/* A merge sort, since qsort has no room for the placement and is not stable. */
static void merge_sort(const struct fl_placement *p, uint32_t *slots, uint32_t *spare,
	uint32_t count, int (*compare)(const char *a, const char *b))
{
	uint32_t half = count / 2, i = 0, j = half;
	if (count < 2)
		return;
	merge_sort(p, slots, spare, half, compare);
	merge_sort(p, slots + half, spare, count - half, compare);
	for (uint32_t n = 0; n < count; n++) {
		bool first = j == count ||
		             (i < half && compare(fl_place_at(p, slots[i])->name,
						  fl_place_at(p, slots[j])->name) <= 0);
		spare[n] = slots[first ? i++ : j++];
	}
	for (uint32_t n = 0; n < count; n++)
		slots[n] = spare[n];
}

int fl_array_build(struct fl_placement *p,
	uint32_t (*hash)(unsigned kind, const void *bytes, size_t len), unsigned kind,
	int (*compare)(const char *a, const char *b))
{
	struct fl_array *a = malloc(sizeof(*a) + p->eligible * sizeof(a->slots[0]));
	uint32_t *spare = compare ? malloc(p->eligible * sizeof(*spare)) : NULL;
	if (!a || (compare && !spare)) {
		free(a);
		free(spare);
		return FL_ENOMEM;
	}
	*a = (struct fl_array){.hash = hash, .kind = kind};
	for (uint32_t slot = 0; slot < p->slots; slot++) {
		const struct fl_node *node = fl_place_at(p, slot);
		if (node && node->weight > 0)
			a->slots[a->count++] = slot;
	}
	if (compare)
		merge_sort(p, a->slots, spare, a->count, compare);
	free(spare);
	p->state = a;
	return FL_OK;
}

void fl_array_free(struct fl_placement *p)
{
	free(p->state);
}

int fl_array_owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	const struct fl_array *a = p->state;
	uint32_t i = a->hash(a->kind, key->bytes, key->len) % a->count;
	size_t have = 0;
	for (uint32_t turn = 0; turn < a->count && have < k; turn++) {
		if (!fl_masked(mask, a->slots[i]))
			slots[have++] = a->slots[i];
		i = i + 1 == a->count ? 0 : i + 1;
	}
	return (int)have;
}

uint32_t fl_array_pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	uint32_t slot = FL_NONE;
	(void)fl_array_owners(p, key, mask, &slot, 1);
	return slot;
}

size_t fl_array_memory(const struct fl_placement *p)
{
	const struct fl_array *a = p->state;
	return sizeof(*a) + a->count * sizeof(a->slots[0]);
}
