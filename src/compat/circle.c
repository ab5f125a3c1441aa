#include "compat/circle.h"

#include <stdlib.h>

int fl_circle_build(struct fl_placement *p, const struct fl_point *list, size_t count,
	const struct fl_circle *how)
{
	struct fl_circle *c = malloc(sizeof(*c));
	if (!c || fl_points_sort(&c->points, list, count) != FL_OK) {
		free(c);
		return FL_ENOMEM;
	}
	c->points.strict = how->points.strict;
	c->position = how->position;
	c->kind = how->kind;
	p->state = c;
	return FL_OK;
}

void fl_circle_free(struct fl_placement *p)
{
	struct fl_circle *c = p->state;
	fl_points_fini(&c->points);
	free(c);
}

uint32_t fl_circle_pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	const struct fl_circle *c = p->state;
	return fl_points_pick(&c->points, c->position(c->kind, key->bytes, key->len), mask);
}

int fl_circle_owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	const struct fl_circle *c = p->state;
	uint64_t position = c->position(c->kind, key->bytes, key->len);
	return fl_points_owners(&c->points, position, mask, p->slots, slots, k);
}

bool fl_circle_arc(const struct fl_placement *p, size_t i, struct fl_arc *arc)
{
	const struct fl_circle *c = p->state;
	return fl_points_arc(&c->points, i, arc);
}

size_t fl_circle_memory(const struct fl_placement *p)
{
	const struct fl_circle *c = p->state;
	return sizeof(*c) + c->points.bytes;
}

/* All of its points stand behind another one at the same place. O(points). */
bool fl_circle_starved(const struct fl_placement *p, uint32_t slot)
{
	const struct fl_circle *c = p->state;
	for (uint32_t i = 0; i < c->points.count; i++) {
		if (c->points.slot[i] == slot &&
			(i == 0 || c->points.at[i - 1] != c->points.at[i]))
			return false;
	}
	return true;
}

uint64_t fl_circle_position(const struct fl_placement *p, const struct fl_key *key)
{
	const struct fl_circle *c = p->state;
	return c->position(c->kind, key->bytes, key->len);
}
