/* Quantities as people read them, exact ones as machines do, and round places on axes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <math.h>

#include "report/show.h"

static const char *shown(enum fl_report_type type, unsigned decimals, double value)
{
	static char out[FL_REPORT_SHORT];
	struct fl_report_scale how = {.type = type, .decimals = decimals};
	return fl_report_quantity(out, &how, value, true);
}

static void quantities(void **state)
{
	(void)state;
	assert_string_equal(shown(FL_REPORT_NUMBER, 0, 0), "0");
	assert_string_equal(shown(FL_REPORT_NUMBER, 0, 999), "999");
	assert_string_equal(shown(FL_REPORT_NUMBER, 0, 1000), "1,000");
	assert_string_equal(shown(FL_REPORT_NUMBER, 0, -1234567), "-1,234,567");
	assert_string_equal(shown(FL_REPORT_NUMBER, 0, -123), "-123");
	assert_string_equal(shown(FL_REPORT_REAL, 3, 1.25), "1.250");
	assert_string_equal(shown(FL_REPORT_REAL, 2, 1e20), "1e+20");
	assert_string_equal(shown(FL_REPORT_SHARE, 1, 0.25), "25.0 %");
	assert_string_equal(shown(FL_REPORT_SHARE, 0, 1), "100 %");
	assert_string_equal(shown(FL_REPORT_BYTES, 0, 0), "0 B");
	assert_string_equal(shown(FL_REPORT_BYTES, 0, 1023), "1023 B");
	assert_string_equal(shown(FL_REPORT_BYTES, 0, 1024), "1 KiB");
	assert_string_equal(shown(FL_REPORT_BYTES, 0, 1536), "1.50 KiB");
	assert_string_equal(shown(FL_REPORT_BYTES, 0, 1048576 - 1), "1.00 MiB");
	assert_string_equal(shown(FL_REPORT_BYTES, 0, 5e13), "45.5 TiB");
	assert_string_equal(shown(FL_REPORT_NS, 0, 3.25), "3.25 ns");
	assert_string_equal(shown(FL_REPORT_NS, 0, 12.34), "12.3 ns");
	assert_string_equal(shown(FL_REPORT_NS, 0, 999.4), "999 ns");
	assert_string_equal(shown(FL_REPORT_NS, 0, 999.6), "1000 ns");
	assert_string_equal(shown(FL_REPORT_NS, 0, 1500), "1.50 µs");
	assert_string_equal(shown(FL_REPORT_NS, 0, 2.5e9), "2.50 s");
}

static void exact_numbers_read_back(void **state)
{
	static const double values[] = {0, 0.1, 1.0 / 3, 1e300, 5e-324, 0.024, 123456789.125};
	char out[FL_REPORT_SHORT];
	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		assert_true(strtod(fl_report_exact(out, values[i]), NULL) == values[i]);
	assert_string_equal(fl_report_exact(out, 0.1), "0.1");
	assert_string_equal(fl_report_exact(out, 0.024), "0.024");
}

static void whole_numbers_are_whole(void **state)
{
	struct fl_report_column column = {"n", "N", FL_REPORT_NUMBER, 0, "keys", false};
	struct fl_report_cell cell = {.kind = FL_REPORT_CELL_NUMBER, .number = INT64_MAX};
	char out[FL_REPORT_SHORT];
	(void)state;
	assert_string_equal(fl_report_cell_shown(out, &column, &cell, true),
		"9,223,372,036,854,775,807 keys");
	cell.number = INT64_MIN;
	assert_string_equal(fl_report_cell_shown(out, &column, &cell, true),
		"-9,223,372,036,854,775,808 keys");
	cell.kind = FL_REPORT_CELL_NONE;
	assert_string_equal(fl_report_cell_shown(out, &column, &cell, false), "-");
}

/* Ticks rise, are on the axis, are 1, 2 or 5 times a power of ten apart (or are it), and the
 * axis holds what it was made for. */
static void check_axis(double low, double high, bool log, enum fl_report_type type)
{
	struct fl_report_scale how = {.type = type, .log = log};
	struct fl_report_axis axis;
	fl_report_axis(&axis, &how, low, high, 5);
	assert_true(axis.count >= 1 && axis.count <= FL_REPORT_MOST_TICKS);
	assert_true(axis.low <= low * (1 + 1e-9) && axis.high >= high * (1 - 1e-9));
	assert_true(axis.high > axis.low);
	assert_true(fl_report_along(&axis, low) > -1e-6);
	assert_true(fl_report_along(&axis, high) < 1 + 1e-6);
	for (size_t i = 1; i < axis.count; i++)
		assert_true(axis.tick[i] > axis.tick[i - 1]);
	double step = log ? axis.tick[0] : axis.count > 1 ? axis.tick[1] - axis.tick[0] : 1;
	if (type == FL_REPORT_BYTES)
		return;
	double lead = step / pow(10, floor(log10(step) + 1e-9));
	assert_true(fabs(lead - 1) < 1e-6 || fabs(lead - 2) < 1e-6 || fabs(lead - 5) < 1e-6 ||
		    (log && axis.count == 1));
}

static void axes_are_round(void **state)
{
	(void)state;
	for (double high = 1e-9; high < 1e15; high *= 1.37) {
		check_axis(0, high, false, FL_REPORT_REAL);
		check_axis(0, high, false, FL_REPORT_SHARE);
		check_axis(0, high, false, FL_REPORT_NUMBER);
		check_axis(0, high, false, FL_REPORT_BYTES);
		check_axis(high, high, false, FL_REPORT_REAL);
		check_axis(high, high, true, FL_REPORT_REAL);
		check_axis(high / 3, high, true, FL_REPORT_REAL);
		check_axis(high * 1e-5, high, true, FL_REPORT_REAL);
	}
	check_axis(0, 0, false, FL_REPORT_SHARE);
	check_axis(1e-300, 1e300, true, FL_REPORT_REAL);
}

static void ticks_tell_themselves_apart(void **state)
{
	struct fl_report_scale how = {.type = FL_REPORT_SHARE};
	struct fl_report_axis axis;
	char a[FL_REPORT_SHORT], b[FL_REPORT_SHORT];
	(void)state;
	for (double high = 1e-6; high < 10; high *= 1.7) {
		fl_report_axis(&axis, &how, 0, high, 5);
		for (size_t i = 1; i < axis.count; i++) {
			fl_report_quantity(a, &axis.how, axis.tick[i - 1], true);
			fl_report_quantity(b, &axis.how, axis.tick[i], true);
			assert_string_not_equal(a, b);
		}
	}
	fl_report_axis(&axis, &how, 0, 0.21, 5);
	assert_string_equal(fl_report_quantity(a, &axis.how, axis.tick[1], true), "5 %");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantities),
		cmocka_unit_test(exact_numbers_read_back),
		cmocka_unit_test(whole_numbers_are_whole),
		cmocka_unit_test(axes_are_round),
		cmocka_unit_test(ticks_tell_themselves_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
