/* How many points servers get: float32 rounding makes it 156 instead of 160 for some numbers of
 * servers, and which those are differs between libmemcached and RJ/ketama. */
#include "compat/compat.h"
#include "place/place.h"
#include "place/placement_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define MOST 130

static uint32_t points_of(const struct fl_algorithm *a, uint32_t count, int32_t heavy)
{
	static char names[MOST][16];
	struct fl_node nodes[MOST];
	uint64_t options[FL_MAX_OPTIONS] = {0};
	struct fl_placement *p = NULL;
	struct fl_arc arc;
	uint32_t points = 0;
	for (size_t i = 0; a->options[i].name; i++)
		options[i] = a->options[i].def;
	for (uint32_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "10.0.0.%u:1", i);
		nodes[i] = (struct fl_node){names[i], i ? 1 : heavy, FL_NONE, NULL};
	}
	assert_int_equal(
		fl_place_new(&p, &(struct fl_recipe){.algorithm = a, .options = options}, nodes,
			count, NULL),
		FL_OK);
	while (a->arc(p, points, &arc))
		points++;
	fl_place_unref(p);
	return points - 1; /* the last arc is the wrap */
}

static bool among(uint32_t n, const uint32_t *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i] == n)
			return true;
	}
	return false;
}

static void test_equal_servers(void **state)
{
	static const uint32_t lmc[] = {25, 47, 50, 55, 61, 71, 94, 100};
	static const uint32_t rj[] = {61, 122};
	(void)state;
	for (uint32_t n = 1; n < MOST; n++) {
		assert_int_equal(
			points_of(&fl_compat_ketama, n, 1), n * (among(n, rj, 2) ? 156 : 160));
		if (n <= 100)
			assert_int_equal(
				points_of(&fl_compat_libmemcached_ketama_weighted, n, 1),
				n * (among(n, lmc, 8) ? 156 : 160));
	}
}

/* 100 points without weights; any weight above 1 changes them all. */
static void test_a_weight_makes_a_ring_weighted(void **state)
{
	const struct fl_algorithm *a = &fl_compat_libmemcached_consistent;
	(void)state;
	assert_int_equal(points_of(a, 4, 1), 400);
	/* 2 of 5 is 64 digests, 1 of 5 is 32. */
	assert_int_equal(points_of(a, 4, 2), 4 * (64 + 3 * 32));
	assert_int_equal(points_of(&fl_compat_libmemcached_ketama_spy, 4, 1), 400);
	assert_int_equal(points_of(&fl_compat_libmemcached_ketama_spy, 4, 2), 640);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_servers),
		cmocka_unit_test(test_a_weight_makes_a_ring_weighted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
