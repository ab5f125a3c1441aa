/* Recorded mappings of other systems, file by file. */
#include "support/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct {
	const char *file;
	size_t sections, keys;
} files[] = {
	{"mcrouter.csv", 8, 5800},
	{"katran.csv", 3, 1503},
	{"cilium.csv", 1, 251},
	{"envoy.csv", 4, 38},
	{"grpc.csv", 4, 2000},
	{"guava.csv", 7, 4250},
	{"jump.csv", 6, 2400},
	{"caddy.csv", 4, 1100},
	{"traefik.csv", 2, 3000},
	{"varnish.csv", 6, 1726},
	{"redis.csv", 3, 1503},
};

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t sections, keys;
		assert_int_equal(golden_mismatches(files[i].file, &sections, &keys), 0);
		assert_int_equal(sections, files[i].sections);
		assert_int_equal(keys, files[i].keys);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
