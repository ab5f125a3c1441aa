/* A node's points are a keyless mix of its name's hash and the point's number, so they depend on
 * nothing but the node, and a node of twice the weight has the same points and as many more.
 * Points are generated in the order of the nodes' names and sorted by a stable sort, which puts
 * points at one position in that order. A change makes the points of the nodes that are no longer
 * what they were, and of those that are new, and merges them with the old circle. */
#include "place/node_points.h"

#include "base/error.h"
#include "hash/mix.h"
#include "hash/salt.h"

#include <stdlib.h>

#define MERGED 4 /* up to one point in so many is merged; with more, all are sorted again */

static int check(const struct fl_placement *p, uint64_t each, struct fl_error *err)
{
	if (p->weight * each > FL_MAX_POINTS)
		return fl_error_set(err, FL_ELIMIT,
			"a sum of weights of %llu and %llu points each make more than %u "
			"points; "
			"use smaller weights or fewer points",
			(unsigned long long)p->weight, (unsigned long long)each, FL_MAX_POINTS);
	return FL_OK;
}

static size_t put_points(
	const struct fl_placement *p, uint32_t rank, uint64_t each, struct fl_point *to)
{
	const struct fl_node *node = &p->nodes[rank];
	uint64_t base = fl_mix64(p->hashes[rank] ^ FL_SALT_POINT);
	size_t n = (size_t)node->weight * each;
	for (size_t i = 0; i < n; i++)
		to[i] = (struct fl_point){fl_mix64(base + i * FL_WEYL), node->slot};
	return n;
}

static size_t count_points(const struct fl_placement *p, uint64_t each, const bool *chosen)
{
	size_t weight = 0;
	for (uint32_t r = 0; r < p->count; r++)
		weight += !chosen || chosen[r] ? (size_t)p->nodes[r].weight : 0;
	return weight * each;
}

/* The points of the nodes that are chosen (by rank; NULL: all), sorted. There may be none. */
static int chosen_points(
	struct fl_points *out, const struct fl_placement *p, uint64_t each, const bool *chosen)
{
	struct fl_point *list;
	size_t count = count_points(p, each, chosen), n = 0;
	int rc = FL_OK;
	*out = (struct fl_points){.count = 0};
	if (count == 0)
		return FL_OK;
	list = malloc(count * sizeof(*list));
	if (!list)
		return FL_ENOMEM;
	for (uint32_t r = 0; r < p->count; r++) {
		if (!chosen || chosen[r])
			n += put_points(p, r, each, list + n);
	}
	rc = fl_points_sort(out, list, n);
	free(list);
	return rc;
}

static int adopt(struct fl_placement *p, const struct fl_points *points)
{
	struct fl_points *r = malloc(sizeof(*r));
	if (!r)
		return FL_ENOMEM;
	*r = *points;
	p->state = r;
	return FL_OK;
}

int fl_node_points_build(struct fl_placement *p, uint64_t each, struct fl_error *err)
{
	struct fl_points points;
	int rc = check(p, each, err);
	if (rc == FL_OK)
		rc = chosen_points(&points, p, each, NULL);
	if (rc != FL_OK)
		return rc;
	rc = adopt(p, &points);
	if (rc != FL_OK)
		fl_points_fini(&points);
	return rc;
}

/* By rank: the nodes of p that `other` has not, or has with another weight. */
static void find_changed(
	const struct fl_placement *p, const struct fl_placement *other, bool *changed)
{
	for (uint32_t r = 0; r < p->count; r++) {
		uint32_t slot = p->nodes[r].slot;
		changed[r] = !fl_place_kept(p, other, slot) ||
		             fl_place_at(other, slot)->weight != p->nodes[r].weight;
	}
}

static int merge(struct fl_placement *p, const struct fl_placement *old, uint64_t each,
	const bool *dropped, const bool *chosen)
{
	struct fl_points gone, added, points;
	int rc = chosen_points(&gone, old, each, dropped);
	if (rc != FL_OK)
		return rc;
	rc = chosen_points(&added, p, each, chosen);
	if (rc == FL_OK) {
		rc = fl_points_merge(&points, old->state, &gone, &added, p->ranks);
		fl_points_fini(&added);
	}
	fl_points_fini(&gone);
	if (rc != FL_OK)
		return rc;
	rc = adopt(p, &points);
	if (rc != FL_OK)
		fl_points_fini(&points);
	return rc;
}

int fl_node_points_derive(struct fl_placement *p, const struct fl_placement *old, uint64_t each,
	struct fl_error *err)
{
	int rc = check(p, each, err);
	bool *flags, *dropped, *chosen;
	if (rc != FL_OK)
		return rc;
	flags = malloc((size_t)old->count + p->count);
	if (!flags)
		return FL_ENOMEM;
	dropped = flags;
	chosen = flags + old->count;
	find_changed(old, p, dropped);
	find_changed(p, old, chosen);
	if (count_points(old, each, dropped) + count_points(p, each, chosen) >
		p->weight * each / MERGED)
		rc = fl_node_points_build(p, each, err);
	else
		rc = merge(p, old, each, dropped, chosen);
	free(flags);
	return rc;
}

void fl_node_points_free(struct fl_placement *p)
{
	fl_points_fini(p->state);
	free(p->state);
}

size_t fl_node_points_memory(const struct fl_placement *p)
{
	return sizeof(struct fl_points) + ((const struct fl_points *)p->state)->bytes;
}
