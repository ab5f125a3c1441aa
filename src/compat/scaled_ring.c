/* With nw_i = weight_i / sum and the smallest of them, min: scale = the smaller of
 * ceil(min * least) / min and most. Node after node, target += scale * nw_i, and the node gets
 * points "NAME_0", "NAME_1", ... as long as the number of all points so far is below target. So the
 * order of nodes matters where scale * nw is no whole number. All of it in doubles, one rounding a
 * step. A key belongs to the first point at or after its hash, wrapping. */
#include "compat/scaled_ring.h"

#include "base/error.h"
#include "compat/doubles.h"
#include "compat/number.h"
#include "hash/xxh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct drawing {
	const struct fl_scaled_ring *ring;
	struct fl_point *list;
	size_t count, room;
	double scale, total, target;
};

uint64_t fl_scaled_ring_xxh64(const void *bytes, size_t len)
{
	return fl_xxh64(bytes, len, 0);
}

uint64_t fl_scaled_ring_key(unsigned numbers, const void *bytes, size_t len)
{
	uint64_t number;
	if (numbers && fl_number_parse(bytes, len, &number))
		return number;
	return fl_xxh64(bytes, len, 0);
}

static double round_up(double x)
{
	double whole = (double)(uint64_t)x;
	return whole < x ? whole + 1 : whole;
}

static double scale_of(const struct fl_placement *p, const struct fl_scaled_ring *ring)
{
	double least = 1, scale;
	for (uint32_t i = 0; i < p->count; i++) {
		double share = (double)p->nodes[i].weight / (double)p->weight;
		if (p->nodes[i].weight > 0 && share < least)
			least = share;
	}
	scale = round_up(least * (double)ring->least) / least;
	return scale < (double)ring->most ? scale : (double)ring->most;
}

static void draw(struct drawing *d, const struct fl_node *node)
{
	char text[FL_MAX_NAME + 24];
	if (!node || node->weight == 0)
		return;
	d->target += d->scale * ((double)node->weight / d->total);
	for (uint64_t i = 0; (double)d->count < d->target && d->count < d->room; i++) {
		int n = snprintf(
			text, sizeof(text), "%s_%llu", node->name, (unsigned long long)i);
		d->list[d->count++] =
			(struct fl_point){d->ring->point(text, (size_t)n), node->slot};
	}
}

int fl_scaled_ring_build(
	struct fl_placement *p, const struct fl_scaled_ring *ring, struct fl_error *err)
{
	const struct fl_circle how = {.position = fl_scaled_ring_key, .kind = ring->numbers};
	struct drawing d = {.ring = ring, .total = (double)p->weight};
	int rc;
	if (ring->least > ring->most)
		return fl_error_set(err, FL_EINVAL, "min=%llu is more than max=%llu",
			(unsigned long long)ring->least, (unsigned long long)ring->most);
	d.scale = scale_of(p, ring);
	/* The shares may sum to a little more than 1. */
	d.room = (size_t)d.scale + 2;
	d.list = malloc(d.room * sizeof(*d.list));
	if (!d.list)
		return FL_ENOMEM;
	for (uint32_t i = 0; ring->by_name && i < p->count; i++)
		draw(&d, &p->nodes[i]);
	for (uint32_t slot = 0; !ring->by_name && slot < p->slots; slot++)
		draw(&d, fl_place_at(p, slot));
	rc = fl_circle_build(p, d.list, d.count, &how);
	free(d.list);
	return rc;
}
