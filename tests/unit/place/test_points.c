/* The circle against a linear search over a list sorted by comparison. */
#include "place/points.h"

#include "hash/mix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 4000

static struct fl_point list[MOST], sorted[MOST];

static void sort_plainly(size_t n)
{
	memcpy(sorted, list, n * sizeof(list[0]));
	for (size_t i = 1; i < n; i++) {
		struct fl_point one = sorted[i];
		size_t j = i;
		for (; j > 0 && sorted[j - 1].at > one.at; j--)
			sorted[j] = sorted[j - 1];
		sorted[j] = one;
	}
}

static void check_sorted(const struct fl_points *r, size_t n)
{
	assert_int_equal(r->count, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(r->at[i], sorted[i].at);
		assert_int_equal(r->slot[i], sorted[i].slot);
	}
	assert_int_equal(r->at[n], UINT64_MAX);
	assert_int_equal(r->slot[n], sorted[0].slot);
}

/* The lines say what the points say: each entry, and where each line starts. */
static void check_lines(const struct fl_points *r)
{
	size_t lines = (size_t)1 << (32 - r->shift);
	uint32_t i = 0;
	for (size_t l = 0; l <= lines; l++) {
		const struct fl_line *line = &r->lines[l];
		assert_int_equal(fl_line_first(line), i);
		for (int e = 0; e < FL_LINE_POINTS; e++) {
			uint32_t point = i + (uint32_t)e, cell = 4095;
			while (point > i &&
				(point > r->count || r->at[point - 1] >> r->shift >> 32 != l))
				point--;
			if (point < r->count && r->at[point] >> r->shift >> 32 == l)
				cell = r->at[point] >> (r->shift + 20) & 4095;
			assert_int_equal((uint32_t)line->entry[e] ^ 0x80000000u,
				cell << FL_SLOT_BITS | r->slot[point]);
		}
		while (i < r->count && r->at[i] >> r->shift >> 32 == l)
			i++;
	}
	assert_int_equal(i, r->count);
}

static void check_same(const struct fl_points *a, const struct fl_points *b)
{
	size_t lines = ((size_t)1 << (32 - b->shift)) + 1;
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->shift, b->shift);
	assert_int_equal(a->bytes, b->bytes);
	assert_memory_equal(a->at, b->at, (b->count + 1) * sizeof(*b->at));
	assert_memory_equal(a->slot, b->slot, (b->count + 1) * sizeof(*b->slot));
	assert_memory_equal(a->lines, b->lines, lines * sizeof(*b->lines));
}

static uint32_t find_plainly(size_t n, uint64_t position, bool strict)
{
	for (uint32_t i = 0; i < n; i++) {
		if (strict ? sorted[i].at > position : sorted[i].at >= position)
			return sorted[i].slot;
	}
	return sorted[0].slot;
}

static void check_find(const struct fl_points *r, size_t n, uint64_t at)
{
	if (r->strict && at == UINT64_MAX)
		return;
	uint32_t owner = find_plainly(n, at, r->strict), i = fl_points_find(r, at);
	assert_int_equal(r->slot[i], owner);
	assert_true(i == r->count || r->at[i] >= at + r->strict);
	assert_true(i == 0 || r->at[i - 1] < at + r->strict);
	assert_int_equal(fl_points_owner(r, at + r->strict), owner);
	assert_int_equal(fl_points_pick(r, at, NULL), owner);
}

static void check_finds(const struct fl_points *r, size_t n)
{
	uint64_t cell = (uint64_t)1 << (r->shift + 20), line = (uint64_t)1 << (r->shift + 32);
	for (uint64_t i = 0; i < 200; i++)
		check_find(r, n, fl_mix64(i));
	check_find(r, n, 0);
	check_find(r, n, UINT64_MAX);
	for (size_t i = 0; i < n; i += 1 + n / 50) {
		uint64_t at = sorted[i].at;
		const uint64_t tries[] = {at - 1, at, at + 1, at | (cell - 1), at & -cell,
			(at & -cell) - 1, (at | (cell - 1)) + 1, at & -line, at | (line - 1)};
		for (size_t t = 0; t < sizeof(tries) / sizeof(tries[0]); t++)
			check_find(r, n, tries[t]);
	}
}

enum {
	SPREAD,
	TIED,
	STUFFED, /* all in one line */
	CLOSE,   /* in a few lines and there in a few cells, told apart by later bits only */
	FULL,    /* most of them in every fourth line, so that lines overflow */
	ENDS,
	KINDS
};

/* Of lines of 10 points at most, as points.c makes them. */
static unsigned bits_of_lines(size_t n)
{
	unsigned bits = 1;
	while ((size_t)10 << bits < n)
		bits++;
	return bits;
}

static void make(int kind, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t at = fl_mix64(i + n);
		if (kind == TIED)
			at &= (uint64_t)7 << 60;
		else if (kind == STUFFED)
			at >>= 40;
		else if (kind == CLOSE)
			at &= (uint64_t)0xe1c0700000000003;
		else if (kind == FULL && i % 8)
			at &= ~((uint64_t)3 << (64 - bits_of_lines(n)));
		else if (kind == ENDS)
			at = i % 2 ? UINT64_MAX - i / 8 : i / 8;
		list[i] = (struct fl_point){at, (uint32_t)(i % 37)};
	}
	sort_plainly(n);
}

static void test_sort_and_find(void **state)
{
	static const size_t sizes[] = {1, 2, 3, 15, 16, 20, 21, 47, 48, 500, MOST};
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			struct fl_points r;
			make(kind, sizes[s]);
			assert_int_equal(fl_points_sort(&r, list, sizes[s]), FL_OK);
			check_sorted(&r, sizes[s]);
			check_lines(&r);
			check_finds(&r, sizes[s]);
			r.strict = true;
			check_finds(&r, sizes[s]);
			fl_points_fini(&r);
		}
	}
}

/* Points of slots below 40, some of which go, and of others, which come; all in order of ranks, as
 * placements list them. */
struct lists {
	struct fl_point old[MOST], gone[MOST], added[MOST], all[MOST];
	size_t olds, gones, addeds, alls;
	uint32_t ranks[80];
};

static void make_lists(struct lists *l, int kind, uint64_t seed)
{
	size_t n = 1 + fl_mix64(seed) % 1500;
	uint64_t every = 1 + fl_mix64(seed + 99) % 40;
	*l = (struct lists){.olds = 0};
	make(kind, n);
	for (uint32_t i = 0; i < 80; i++)
		l->ranks[i] = (i * 31) % 80;
	for (uint32_t rank = 0; rank < 80; rank++) {
		for (size_t i = 0; i < n; i++) {
			struct fl_point one = list[i];
			bool goes =
				fl_mix64(seed * 80 + one.slot) % 8 < seed % 4 && one.slot > 0;
			if (l->ranks[one.slot] == rank) {
				l->old[l->olds++] = one;
				if (goes)
					l->gone[l->gones++] = one;
				else
					l->all[l->alls++] = one;
			}
			one.slot += 40;
			one.at += i % 5 == 0 ? fl_mix64(i) : 0;
			if (l->ranks[one.slot] == rank && i % every == 0 && seed % 3)
				l->all[l->alls++] = l->added[l->addeds++] = one;
		}
	}
}

static void sort_some(struct fl_points *r, const struct fl_point *some, size_t count)
{
	*r = (struct fl_points){.count = 0};
	if (count > 0)
		assert_int_equal(fl_points_sort(r, some, count), FL_OK);
}

/* Taking some points out and merging others in is the same as sorting what results, in every bit,
 * and so is the way back. */
static void test_merge(void **state)
{
	static struct lists l;
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		for (uint64_t seed = 0; seed < 40; seed++) {
			struct fl_points old, gone, added, merged, fresh, back;
			make_lists(&l, kind, seed);
			if (l.alls == 0)
				continue;
			sort_some(&old, l.old, l.olds);
			sort_some(&gone, l.gone, l.gones);
			sort_some(&added, l.added, l.addeds);
			sort_some(&fresh, l.all, l.alls);
			old.strict = seed % 2;
			assert_int_equal(
				fl_points_merge(&merged, &old, &gone, &added, l.ranks), FL_OK);
			assert_int_equal(merged.strict, seed % 2);
			check_same(&merged, &fresh);
			assert_int_equal(
				fl_points_merge(&back, &merged, &added, &gone, l.ranks), FL_OK);
			check_same(&back, &old);
			fl_points_fini(&old);
			fl_points_fini(&gone);
			fl_points_fini(&added);
			fl_points_fini(&merged);
			fl_points_fini(&fresh);
			fl_points_fini(&back);
		}
	}
}

static void test_mask_and_owners(void **state)
{
	struct fl_points r;
	uint64_t word, none = UINT64_MAX;
	struct fl_mask mask = {&word, 1}, all = {&none, 1};
	uint32_t slots[100];
	(void)state;
	make(SPREAD, 300);
	assert_int_equal(fl_points_sort(&r, list, 300), FL_OK);
	for (uint64_t i = 0; i < 300; i++) {
		uint64_t at = fl_mix64(i);
		word = fl_mix64(at) | fl_mix64(at + 1);
		int found = fl_points_owners(&r, at, &mask, 37, slots, 37);
		uint32_t first = fl_points_pick(&r, at, &mask);
		assert_int_equal(
			found, 37 - __builtin_popcountll(word & (((uint64_t)1 << 37) - 1)));
		assert_int_equal(first, found ? slots[0] : FL_NONE);
		for (int a = 0; a < found; a++) {
			assert_false(word >> slots[a] & 1);
			for (int b = 0; b < a; b++)
				assert_int_not_equal(slots[a], slots[b]);
		}
		/* Asking for more than there is, past the point where a bitmap is used. */
		uint32_t many[100];
		assert_int_equal(fl_points_owners(&r, at, &mask, 37, many, 100), found);
		assert_memory_equal(many, slots, (size_t)found * sizeof(slots[0]));
	}
	assert_int_equal(fl_points_pick(&r, 5, &all), FL_NONE);
	fl_points_fini(&r);
	/* One that is left is found wherever it is. */
	assert_int_equal(fl_points_sort(&r, list, 37), FL_OK);
	for (uint64_t i = 0; i < 37; i++) {
		word = ~((uint64_t)1 << i);
		for (uint64_t k = 0; k < 37; k++)
			assert_int_equal(fl_points_pick(&r, list[k].at, &mask), i);
	}
	fl_points_fini(&r);
}

/* The arcs tile the circle, and each belongs to who owns its last key. */
static void test_arcs(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		for (int strict = 0; strict < 2; strict++) {
			struct fl_points r;
			struct fl_arc arc = {0, 0};
			uint64_t before = 0;
			size_t i = 0;
			make(kind, 333);
			for (size_t j = 0; j < 333; j++)
				list[j].at &= strict ? ~(uint64_t)1 : UINT64_MAX;
			sort_plainly(333);
			assert_int_equal(fl_points_sort(&r, list, 333), FL_OK);
			r.strict = strict;
			for (; fl_points_arc(&r, i, &arc); i++) {
				assert_true(i == 0 || arc.last >= before);
				if (i == 0 || arc.last > before)
					assert_int_equal(arc.slot,
						find_plainly(333, arc.last & ~(uint64_t)strict,
							strict));
				before = arc.last;
			}
			assert_int_equal(before, UINT64_MAX);
			fl_points_fini(&r);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sort_and_find),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_mask_and_owners),
		cmocka_unit_test(test_arcs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
