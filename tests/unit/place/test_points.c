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

static uint32_t find_plainly(size_t n, uint64_t position, bool strict)
{
	for (uint32_t i = 0; i < n; i++) {
		if (strict ? sorted[i].at > position : sorted[i].at >= position)
			return sorted[i].slot;
	}
	return sorted[0].slot;
}

static void check_finds(const struct fl_points *r, size_t n)
{
	for (uint64_t i = 0; i < 200; i++) {
		uint64_t at = fl_mix64(i);
		assert_int_equal(
			r->slot[fl_points_find(r, at)], find_plainly(n, at, r->strict));
	}
	for (size_t i = 0; i < n; i += 1 + n / 50) {
		for (int off = -1; off <= 1; off++) {
			uint64_t at = sorted[i].at + (uint64_t)(int64_t)off;
			if (r->strict && at == UINT64_MAX)
				continue;
			assert_int_equal(
				r->slot[fl_points_find(r, at)], find_plainly(n, at, r->strict));
		}
	}
}

enum {
	SPREAD,
	TIED,
	STUFFED,
	ENDS,
	KINDS
};

static void make(int kind, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t at = fl_mix64(i + n);
		if (kind == TIED)
			at &= (uint64_t)7 << 60;
		else if (kind == STUFFED)
			at >>= 40;
		else if (kind == ENDS)
			at = i % 2 ? UINT64_MAX - i / 8 : i / 8;
		list[i] = (struct fl_point){at, (uint32_t)(i % 37)};
	}
	sort_plainly(n);
}

static void test_sort_and_find(void **state)
{
	static const size_t sizes[] = {1, 2, 3, 47, 48, 500, MOST};
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			struct fl_points r;
			make(kind, sizes[s]);
			assert_int_equal(fl_points_sort(&r, list, sizes[s]), FL_OK);
			check_sorted(&r, sizes[s]);
			check_finds(&r, sizes[s]);
			r.strict = true;
			check_finds(&r, sizes[s]);
			fl_points_fini(&r);
		}
	}
}

/* Dropping some slots and merging others in is the same as sorting what results. */
static void test_merge(void **state)
{
	static struct fl_point kept[MOST], added[MOST];
	uint32_t ranks[80];
	(void)state;
	for (uint32_t i = 0; i < 80; i++)
		ranks[i] = (i * 31) % 80;
	for (int kind = 0; kind < KINDS; kind++) {
		for (uint64_t seed = 0; seed < 12; seed++) {
			size_t n = 1 + fl_mix64(seed) % 1500, k = 0, a = 0, all = 0;
			struct fl_points old, more, merged, fresh;
			bool drop[80];
			for (uint32_t i = 0; i < 80; i++)
				drop[i] = fl_mix64(seed * 80 + i) % 4 == 0 && seed > 0;
			drop[0] = false;
			make(kind, n);
			/* All lists come in the order of ranks, as placements make them. */
			for (uint32_t rank = 0; rank < 80; rank++) {
				for (size_t i = 0; i < n; i++) {
					struct fl_point one = list[i];
					if (ranks[one.slot] == rank)
						kept[k++] = one;
					one.slot += 40;
					if (ranks[one.slot] == rank && i % 3 == 0)
						added[a++] = one;
				}
			}
			assert_int_equal(fl_points_sort(&old, kept, k), FL_OK);
			assert_int_equal(fl_points_sort(&more, added, a), FL_OK);
			assert_int_equal(
				fl_points_merge(&merged, &old, drop, &more, ranks), FL_OK);
			size_t x = 0, y = 0;
			for (uint32_t rank = 0; rank < 80; rank++) {
				for (; x < k && ranks[kept[x].slot] == rank; x++) {
					if (!drop[kept[x].slot])
						list[all++] = kept[x];
				}
				for (; y < a && ranks[added[y].slot] == rank; y++)
					list[all++] = added[y];
			}
			assert_int_equal(fl_points_sort(&fresh, list, all), FL_OK);
			assert_int_equal(merged.count, fresh.count);
			assert_int_equal(merged.bytes, fresh.bytes);
			assert_memory_equal(merged.at, fresh.at, fresh.bytes);
			fl_points_fini(&old);
			fl_points_fini(&more);
			fl_points_fini(&merged);
			fl_points_fini(&fresh);
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
