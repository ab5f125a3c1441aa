/* Every row of tests/hostile/http1.tbl gets the answer that stands there, and the same one
 * however its bytes are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/hostile.h"
#include "support/http1_run.h"

static const struct fl_http1_limits limits = {8192, 65536, 100};

static void check(const struct hostile *row, struct http1_outcome got)
{
	bool fine = got.requests == row->good;
	if (strcmp(row->expect, "ok") == 0)
		fine &= got.end == HTTP1_CLOSED ||
		        (got.end == HTTP1_IDLE && got.used == row->n);
	else if (strcmp(row->expect, "wait") == 0)
		fine &= got.end == HTTP1_WAIT;
	else if (strcmp(row->expect, "body") == 0)
		fine &= got.end == HTTP1_BODY;
	else
		fine &= got.end == HTTP1_HEAD && got.status == strtol(row->expect, NULL, 10);
	if (!fine)
		fail_msg("%s: wanted %s after %u, got end %d status %d after %u", row->name,
			row->expect, row->good, (int)got.end, got.status, got.requests);
}

static void test_table(void **state)
{
	(void)state;
	FILE *file = fopen(FL_TEST_DIR "/hostile/http1.tbl", "r");
	unsigned hostile = 0, legal = 0;
	uint64_t seed = 7;
	struct hostile row;
	int rc;
	assert_non_null(file);
	while ((rc = hostile_next(file, &row)) == 1) {
		struct http1_outcome whole =
			http1_run(row.bytes, row.n, &limits, NULL, NULL, NULL);
		check(&row, whole);
		if (!http1_same(whole,
			    http1_run(row.bytes, row.n, &limits, http1_cut_one, NULL, NULL)))
			fail_msg("%s: differs byte by byte", row.name);
		for (int i = 0; i < 8; i++)
			if (!http1_same(whole, http1_run(row.bytes, row.n, &limits,
						       http1_cut_random, &seed, NULL)))
				fail_msg("%s: differs when cut", row.name);
		*(strcmp(row.expect, "ok") == 0 ? &legal : &hostile) += 1;
		free(row.bytes);
	}
	(void)fclose(file);
	assert_int_equal(rc, 0);
	assert_true(hostile >= 240 && legal >= 50);
}

/* The first place where cutting the row in two changes the outcome, or 0. */
static size_t differs_at(const struct hostile *row)
{
	struct http1_outcome whole = http1_run(row->bytes, row->n, &limits, NULL, NULL, NULL);
	for (size_t at = 1; at < row->n && row->n < 1024; at++) {
		struct http1_run run = {.limits = &limits};
		run.out.print = 0xcbf29ce484222325U;
		for (int i = 0; i < 2; i++) {
			size_t have = i ? row->n : at;
			while (have > run.at && !http1_over(&run) &&
				http1_step(&run, row->bytes + run.at, have - run.at))
				;
		}
		if (!http1_same(whole, run.out))
			return at;
	}
	return 0;
}

/* Every row once more, in two pieces, at every place where it can be cut. */
static void test_every_prefix(void **state)
{
	(void)state;
	FILE *file = fopen(FL_TEST_DIR "/hostile/http1.tbl", "r");
	struct hostile row;
	assert_non_null(file);
	while (hostile_next(file, &row) == 1) {
		size_t at = differs_at(&row);
		free(row.bytes);
		if (at)
			fail_msg("%s: differs when cut at %zu", row.name, at);
	}
	(void)fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_every_prefix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
