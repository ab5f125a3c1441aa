/* Where a key stands among the parts of a placement: by bisection over its arcs, which are in the
 * order of their hashes, for any algorithm that has them. */
#include "place/placement_priv.h"

#include <string.h>

static uint64_t last_of(const struct fl_placement *p, uint64_t i)
{
	struct fl_arc arc = {UINT64_MAX, FL_NONE};
	(void)p->algorithm->arc(p, (size_t)i, &arc);
	return arc.last;
}

/* The number of arcs: beyond some power of two there are none. */
static uint64_t count_arcs(const struct fl_placement *p)
{
	struct fl_arc arc;
	uint64_t low = 0, high = 1; /* there is an arc `low`, and none `high` */
	while (p->algorithm->arc(p, (size_t)high, &arc)) {
		low = high;
		high *= 2;
	}
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;
		if (p->algorithm->arc(p, (size_t)middle, &arc))
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* The first arc that ends at or after `at`: of points at one place, the one that owns it. */
static uint64_t arc_at(const struct fl_placement *p, uint64_t count, uint64_t at)
{
	uint64_t low = 0, high = count - 1; /* the last one ends at UINT64_MAX */
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (last_of(p, middle) >= at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int key_position(const struct fl_placement *p, const struct fl_key *key, uint64_t *at)
{
	bool has_bytes = key->bytes || (key->len == 0 && !key->have_hash);
	if (!p->algorithm->position && key->have_hash)
		*at = key->hash;
	else if (!has_bytes)
		return FL_ENOTSUP;
	else if (p->algorithm->position)
		*at = p->algorithm->position(p, key);
	else
		*at = fl_placement_hash(p, key->bytes, key->len);
	return FL_OK;
}

int fl_locate(const fl_placement *p, const struct fl_key *key, struct fl_position *out)
{
	uint64_t at;
	if (!p->algorithm->arc || !p->state)
		return FL_ENOTSUP;
	int rc = key_position(p, key, &at);
	if (rc != FL_OK)
		return rc;
	uint64_t arcs = count_arcs(p), i = arc_at(p, arcs, at), count = arcs;
	/* A ring's last arc leads round to its first point. */
	if (strcmp(p->algorithm->part, FL_PART_POINT) == 0)
		count--;
	i = i == count ? 0 : i;
	*out = (struct fl_position){.part = p->algorithm->part,
		.index = i,
		.count = count,
		.first = i > 0 ? last_of(p, i - 1) + 1 : 0,
		.last = last_of(p, i),
		.hash = at};
	if (i == 0 && count < arcs)
		out->first = last_of(p, count - 1) + 1;
	return FL_OK;
}
