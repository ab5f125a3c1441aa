/* Space-saving beside exact counts, on streams that are kind and unkind to it. */
#include "sketch/space_saving.h"

#include "fairlead/fairlead.h"
#include "hash/mix.h"
#include "hash/xxh3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define KEYS  2000
#define ADDS  40000
#define SPARE 64 /* counters, far fewer than keys */

static uint64_t truth[KEYS], total;

static void add(struct fl_space_saving *s, uint32_t key, uint64_t weight)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "key-%u", key);

	fl_space_saving_add(s, (struct fl_slice){text, (size_t)n}, fl_xxh3(text, (size_t)n, 0),
		key, weight);
	truth[key] += weight;
	total += weight;
}

static uint64_t draw(uint64_t i)
{
	return fl_mix64(i * FL_WEYL + 7);
}

static void check(const struct fl_space_saving *s, size_t k)
{
	struct fl_space_saving_item items[KEYS];
	bool listed[KEYS] = {false};
	uint64_t sum = 0, floor = fl_space_saving_floor(s);
	int n = fl_space_saving_list(s, items, KEYS);

	assert_true(n >= 0 && (size_t)n <= k);
	assert_true(floor <= total / k);
	for (int i = 0; i < n; i++) {
		char text[16];
		unsigned key;
		assert_true(items[i].len < sizeof(text) && items[i].key.n == items[i].len);
		memcpy(text, items[i].key.p, items[i].len);
		text[items[i].len] = '\0';
		assert_int_equal(sscanf(text, "key-%u", &key), 1);
		assert_true(key < KEYS && !listed[key]);
		assert_int_equal(items[i].tag, key);
		listed[key] = true;
		assert_true(truth[key] <= items[i].weight);
		assert_true(items[i].weight - items[i].error <= truth[key]);
		assert_true(items[i].error <= total / k);
		assert_true(i == 0 || items[i - 1].weight >= items[i].weight);
		assert_int_equal(items[i].hash, fl_xxh3(text, items[i].len, 0));
		sum += items[i].weight;
	}
	assert_int_equal(sum, total);
	for (size_t key = 0; key < KEYS; key++)
		if (!listed[key])
			assert_true(truth[key] <= floor);
}

static struct fl_space_saving *begin(size_t k)
{
	struct fl_space_saving *s;

	memset(truth, 0, sizeof(truth));
	total = 0;
	assert_int_equal(fl_space_saving_new(&s, k), FL_OK);
	return s;
}

/* Rank r about as often as 1 / r. */
static uint32_t skewed(uint64_t i)
{
	uint64_t x = draw(i);
	uint32_t below = 2u << (x % 10);

	return (uint32_t)((x >> 8) % below);
}

static void test_streams(void **state)
{
	(void)state;
	for (size_t k = 1; k <= SPARE; k = k * 2 + 1) {
		struct fl_space_saving *s = begin(k);
		for (uint64_t i = 0; i < ADDS; i++)
			add(s, skewed(i), 1 + (i % 7 == 0) * (draw(i) >> 50));
		check(s, k);
		fl_space_saving_free(s);

		s = begin(k); /* all alike */
		for (uint64_t i = 0; i < ADDS; i++)
			add(s, (uint32_t)(draw(i) % KEYS), 1);
		check(s, k);
		fl_space_saving_free(s);

		/* Unkind: one more key than counters, in turn, so that each throws out the next;
		 * among them one that is heavy. */
		s = begin(k);
		for (uint64_t i = 0; i < ADDS; i++) {
			add(s, (uint32_t)(i % (k + 1)), 1);
			if (i % 5 == 0)
				add(s, KEYS - 1, 3);
			if (i % 1000 == 0)
				check(s, k);
		}
		check(s, k);
		fl_space_saving_free(s);
	}
}

/* As many keys as counters: exact, whatever the order. */
static void test_exact(void **state)
{
	struct fl_space_saving_item items[SPARE + 1];
	struct fl_space_saving *s = begin(SPARE);
	(void)state;
	for (uint64_t i = 0; i < ADDS; i++)
		add(s, (uint32_t)(draw(i) % SPARE), draw(i) >> 60);
	assert_int_equal(fl_space_saving_floor(s), 0);
	assert_int_equal(fl_space_saving_list(s, items, SPARE + 1), SPARE);
	for (size_t i = 0; i < SPARE; i++)
		assert_int_equal(items[i].error, 0);
	check(s, SPARE);
	assert_int_equal(fl_space_saving_list(s, items, 3), 3);
	/* One key more is one too many. */
	add(s, KEYS - 1, 1);
	assert_true(fl_space_saving_floor(s) > 0);
	check(s, SPARE);
	fl_space_saving_free(s);
}

static void test_edges(void **state)
{
	struct fl_space_saving_item items[4];
	struct fl_space_saving *s = NULL;
	char huge[1000];
	(void)state;
	assert_int_equal(fl_space_saving_new(&s, 0), FL_EINVAL);
	assert_int_equal(fl_space_saving_new(&s, FL_SPACE_SAVING_MOST + 1), FL_EINVAL);
	assert_null(s);
	assert_int_equal(fl_space_saving_new(&s, 3), FL_OK);
	assert_int_equal(fl_space_saving_list(s, items, 4), 0);
	memset(huge, 'x', sizeof(huge));
	fl_space_saving_add(s, (struct fl_slice){NULL, 0}, 1, 0, 5);
	fl_space_saving_add(s, FL_SLICE("nothing"), 2, 0, 0);
	fl_space_saving_add(s, (struct fl_slice){huge, sizeof(huge)}, 3, 1, UINT64_MAX);
	fl_space_saving_add(s, (struct fl_slice){huge, sizeof(huge)}, 3, 2, 9);
	fl_space_saving_add(
		s, (struct fl_slice){huge, 999}, 3, 3, 1); /* same hash, other length */
	assert_int_equal(fl_space_saving_list(s, items, 4), 3);
	assert_int_equal(items[0].len, 1000);
	assert_int_equal(items[0].key.n, FL_SPACE_SAVING_KEY);
	assert_int_equal(items[0].weight, UINT64_MAX);
	assert_int_equal(items[0].tag, 1);
	assert_int_equal(items[1].len, 0);
	assert_int_equal(items[1].weight, 5);
	assert_int_equal(items[2].weight, 1);
	fl_space_saving_free(s);
	fl_space_saving_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_edges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
