/* The table of states, all of it. */
#include "pool/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

/* built owner counted tokens keeps */
static const char *const expected[3][3] = {
	{"11111", "10000", "10001"},
	{"10011", "10000", "10001"},
	{"00000", "00000", "00000"},
};

static void test_table(void **unused)
{
	(void)unused;
	for (int a = 0; a < 3; a++)
		for (int h = 0; h < 3; h++) {
			struct fl_effective e = fl_state_effective(
				(enum fl_admin_state)a, (enum fl_health_state)h);
			char text[] = {(char)('0' + e.built), (char)('0' + e.owner),
				(char)('0' + e.counted), (char)('0' + e.tokens),
				(char)('0' + e.keeps), '\0'};

			assert_string_equal(text, expected[a][h]);
		}
}

static void test_names(void **unused)
{
	(void)unused;
	assert_string_equal(fl_admin_name(FL_ADMIN_DRAIN), "drain");
	assert_string_equal(fl_admin_name(FL_ADMIN_DISABLED), "disabled");
	assert_string_equal(fl_admin_name((enum fl_admin_state)7), "?");
	assert_string_equal(fl_health_name(FL_HEALTH_EJECTED), "ejected");
	assert_string_equal(fl_health_name((enum fl_health_state)7), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
