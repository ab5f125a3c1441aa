#include "compat/rebuilt.h"

#include "place/place.h"

#include <stdlib.h>
#include <string.h>

/* Takes a reference to p when nobody eligible is masked. */
static int without_masked(
	struct fl_placement **out, const struct fl_placement *p, const struct fl_mask *mask)
{
	struct fl_change *changes = malloc(p->count * sizeof(*changes));
	size_t n = 0;
	int rc;
	if (!changes)
		return FL_ENOMEM;
	for (uint32_t i = 0; i < p->count; i++) {
		if (p->nodes[i].weight > 0 && fl_masked(mask, p->nodes[i].slot))
			changes[n++] = (struct fl_change){FL_REMOVE, p->nodes[i]};
	}
	rc = fl_place_derive(out, p, changes, n, NULL);
	free(changes);
	return rc;
}

static int remove_slot(struct fl_placement **p, uint32_t slot)
{
	struct fl_change change = {FL_REMOVE, *fl_place_at(*p, slot)};
	struct fl_placement *next;
	int rc = fl_place_derive(&next, *p, &change, 1, NULL);
	if (rc != FL_OK)
		return rc;
	fl_place_unref(*p);
	*p = next;
	return FL_OK;
}

int fl_rebuilt_owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	/* The answer is written at the end, so that a failure on the way touches nothing. */
	uint32_t *list = malloc(k * sizeof(*list));
	struct fl_placement *now;
	size_t found = 0;
	int rc = list ? without_masked(&now, p, mask) : FL_ENOMEM;
	if (rc != FL_OK) {
		free(list);
		return rc;
	}
	while (rc == FL_OK && found < k && now->eligible > 0) {
		list[found] = fl_place_pick(now, key, NULL);
		if (++found < k)
			rc = remove_slot(&now, list[found - 1]);
	}
	if (rc == FL_OK)
		memcpy(slots, list, found * sizeof(*slots));
	fl_place_unref(now);
	free(list);
	return rc == FL_OK ? (int)found : rc;
}
