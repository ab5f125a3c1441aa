/* Positions are hashes, so their top bits tell nearly where they belong. Sorting goes by them in two
 * steps, each a counting pass and a distributing one: first over parts of the circle that fit into
 * a near cache, then within each part over about as many buckets as points. (In one step, each
 * point would be a miss once the circle is larger than the cache: twice as slow from 10^6 points
 * on.) Both keep the order given. Then nearly every bucket holds few points and one insertion
 * pass finishes it: O(count). A bucket that somebody stuffed on purpose is sorted by comparison
 * before that pass, so no choice of names makes it quadratic. */
#include "place/points_priv.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

#define STUFFED        48 /* points in one bucket from which on comparison sorting pays */
#define PART_BITS      10 /* a part has up to 2^10 points, */
#define PARTS_BITS_MAX 10 /* unless that were more than 2^10 parts */

struct labelled {
	uint64_t at;
	uint32_t slot, order;
};

static int by_position(const void *a, const void *b)
{
	const struct labelled *x = a, *y = b;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int sort_stuffed(struct fl_points *r, uint32_t start, uint32_t end)
{
	struct labelled *copy = malloc((end - start) * sizeof(*copy));
	if (!copy)
		return FL_ENOMEM;
	for (uint32_t i = start; i < end; i++)
		copy[i - start] = (struct labelled){r->at[i], r->slot[i], i};
	qsort(copy, end - start, sizeof(*copy), by_position);
	for (uint32_t i = start; i < end; i++) {
		r->at[i] = copy[i - start].at;
		r->slot[i] = copy[i - start].slot;
	}
	free(copy);
	return FL_OK;
}

static void sort_few(struct fl_points *r, uint32_t start, uint32_t end)
{
	for (uint32_t i = start + 1; i < end; i++) {
		uint64_t at = r->at[i];
		uint32_t slot = r->slot[i], j = i;
		for (; j > start && r->at[j - 1] > at; j--) {
			r->at[j] = r->at[j - 1];
			r->slot[j] = r->slot[j - 1];
		}
		r->at[j] = at;
		r->slot[j] = slot;
	}
}

static uint32_t top_bits(uint64_t x, unsigned bits)
{
	return (uint32_t)(x >> 1 >> (63 - bits));
}

/* Turns counts, that of n in counts[n + 1], into starts above `from`; gives the largest. */
static uint32_t add_up(uint32_t *counts, unsigned bits, uint32_t from)
{
	uint32_t most = 0;
	counts[0] = from;
	for (size_t i = 1; i <= (size_t)1 << bits; i++) {
		most = counts[i] > most ? counts[i] : most;
		counts[i] += counts[i - 1];
	}
	return most;
}

struct sort {
	unsigned part_bits, bucket_bits;
	uint32_t *parts;   /* where each starts; while distributing, its next point's place */
	uint32_t *buckets; /* the same for those of one part */
	struct fl_point *points; /* of one part */
};

static unsigned bits_of(size_t count)
{
	unsigned bits = 0;
	while ((size_t)1 << bits < count)
		bits++;
	return bits;
}

static int sort_new(struct sort *s, size_t count)
{
	unsigned bits = bits_of(count);
	unsigned part_bits = bits < PART_BITS ? 0 : bits - PART_BITS;
	*s = (struct sort){
		.part_bits = part_bits < PARTS_BITS_MAX ? part_bits : PARTS_BITS_MAX};
	s->bucket_bits = bits - s->part_bits;
	s->parts = calloc(((size_t)1 << s->part_bits) + 1, sizeof(*s->parts));
	s->buckets = malloc((((size_t)1 << s->bucket_bits) + 1) * sizeof(*s->buckets));
	return s->parts && s->buckets ? FL_OK : FL_ENOMEM;
}

static void sort_fini(struct sort *s)
{
	free(s->parts);
	free(s->buckets);
	free(s->points);
}

/* All points into their parts; afterwards parts[p] is where p ends. */
static int distribute(struct sort *s, struct fl_points *r, const struct fl_point *list)
{
	for (uint32_t i = 0; i < r->count; i++)
		s->parts[top_bits(list[i].at, s->part_bits) + 1]++;
	uint32_t most = add_up(s->parts, s->part_bits, 0);
	FL_ASSERT(most > 0); /* there is a point */
	s->points = malloc(most * sizeof(*s->points));
	if (!s->points)
		return FL_ENOMEM;
	for (uint32_t i = 0; i < r->count; i++) {
		uint32_t to = s->parts[top_bits(list[i].at, s->part_bits)]++;
		r->at[to] = list[i].at;
		r->slot[to] = list[i].slot;
	}
	return FL_OK;
}

/* The points of one part into their buckets. Gives how many the fullest of them has. */
static uint32_t distribute_part(
	struct sort *s, struct fl_points *r, uint32_t start, uint32_t end)
{
	uint32_t most, *buckets = s->buckets;
	memset(buckets, 0, (((size_t)1 << s->bucket_bits) + 1) * sizeof(*buckets));
	for (uint32_t i = start; i < end; i++) {
		s->points[i - start] = (struct fl_point){r->at[i], r->slot[i]};
		buckets[top_bits(r->at[i] << s->part_bits, s->bucket_bits) + 1]++;
	}
	most = add_up(buckets, s->bucket_bits, start);
	for (uint32_t i = 0; i < end - start; i++) {
		struct fl_point one = s->points[i];
		uint32_t to = buckets[top_bits(one.at << s->part_bits, s->bucket_bits)]++;
		r->at[to] = one.at;
		r->slot[to] = one.slot;
	}
	return most;
}

static int sort_part(struct sort *s, struct fl_points *r, uint32_t start, uint32_t end)
{
	if (distribute_part(s, r, start, end) >= STUFFED) {
		for (uint32_t b = 0, from = start; b < (uint32_t)1 << s->bucket_bits; b++) {
			if (s->buckets[b] - from >= STUFFED &&
				sort_stuffed(r, from, s->buckets[b]) != FL_OK)
				return FL_ENOMEM;
			from = s->buckets[b];
		}
	}
	sort_few(r, start, end);
	return FL_OK;
}

int fl_points_sort(struct fl_points *out, const struct fl_point *list, size_t count)
{
	struct fl_points r;
	struct sort s;
	int rc = fl_points_new(&r, count);
	if (rc != FL_OK)
		return rc;
	rc = sort_new(&s, count);
	if (rc == FL_OK)
		rc = distribute(&s, &r, list);
	for (uint32_t p = 0, start = 0; rc == FL_OK && p < (uint32_t)1 << s.part_bits; p++) {
		rc = sort_part(&s, &r, start, s.parts[p]);
		start = s.parts[p];
	}
	sort_fini(&s);
	if (rc != FL_OK) {
		fl_points_fini(&r);
		return rc;
	}
	fl_points_seal(&r);
	fl_points_write_lines(&r);
	*out = r;
	return FL_OK;
}
