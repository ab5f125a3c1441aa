/* Counters: names, apart in memory, and never backwards while threads count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <string.h>
#include <cmocka.h>

#include "obs/counters.h"

static void names_are_there_once(void **state)
{
	(void)state;
	for (int i = 0; i < FL_COUNTER_COUNT; i++) {
		assert_true(strlen(fl_counter_name((enum fl_counter)i)) > 0);
		assert_true(strlen(fl_counter_doc((enum fl_counter)i)) > 0);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(fl_counter_name((enum fl_counter)i),
				fl_counter_name((enum fl_counter)k));
	}
	assert_string_equal(fl_counter_name(FL_COUNTER_REQUESTS), "requests");
}

static void blocks_share_no_cache_line(void **state)
{
	struct fl_counters *blocks = fl_counters_new(3);
	(void)state;
	assert_non_null(blocks);
	for (int i = 0; i < 3; i++)
		assert_int_equal((uintptr_t)&blocks[i] % 64, 0);
	assert_int_equal(fl_counters_sum(blocks, 3, FL_COUNTER_LOG_DROPPED), 0);
	assert_null(fl_counters_new(SIZE_MAX / 2));
	fl_counters_free(blocks);
	fl_counters_free(NULL);
}

#define THREADS 3
#define ROUNDS  20000

static void *count(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		fl_count(arg, FL_COUNTER_REQUESTS, 1);
		fl_count(arg, FL_COUNTER_BYTES_IN, 1000);
	}
	return NULL;
}

static void sums_are_exact_and_never_go_back(void **state)
{
	struct fl_counters *blocks = fl_counters_new(THREADS);
	uint64_t sums[FL_COUNTER_COUNT], last = 0;
	pthread_t threads[THREADS];
	(void)state;
	assert_non_null(blocks);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count, &blocks[i]), 0);
	for (int i = 0; i < 1000; i++) {
		uint64_t sum = fl_counters_sum(blocks, THREADS, FL_COUNTER_REQUESTS);
		assert_true(sum >= last);
		last = sum;
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	fl_counters_sums(blocks, THREADS, sums);
	for (int i = 0; i < FL_COUNTER_COUNT; i++)
		assert_int_equal(sums[i], i == FL_COUNTER_REQUESTS   ? THREADS * ROUNDS
					  : i == FL_COUNTER_BYTES_IN ? THREADS * ROUNDS * 1000
								     : 0);
	fl_counters_free(blocks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_there_once),
		cmocka_unit_test(blocks_share_no_cache_line),
		cmocka_unit_test(sums_are_exact_and_never_go_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
