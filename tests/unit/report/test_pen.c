/* A pen never goes over the edge of its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <stdio.h>

#include "report/pen.h"

static void nothing_goes_over_the_edge(void **state)
{
	struct fl_report_text_options options = {.width = 20, .utf8 = true};
	struct fl_pen pen;
	char *p = NULL;
	size_t n;
	FILE *out = open_memstream(&p, &n);
	(void)state;
	fl_pen_init(&pen, out, &options);
	fl_pen_blanks(&pen, 18);
	assert_int_equal(fl_pen_show(&pen, FL_SLICE("漢字"), SIZE_MAX), 1); /* an ellipsis */
	fl_pen_to(&pen, 1000);
	assert_int_equal(pen.at, 20);
	fl_pen_sign(&pen, "█", "#", 3);
	assert_int_equal(fl_pen_show(&pen, FL_SLICE("x"), 1), 0);
	fl_pen_field(&pen, FL_SLICE("x"), 5, true);
	fl_pen_bar(&pen, 1, 5, 0.5);
	assert_int_equal(pen.at, 20);
	fl_pen_end(&pen);
	fl_pen_fini(&pen);
	fclose(out);
	assert_string_equal(p, "                  …\n");
	free(p);
}

/* Of its width, whatever the share; what is there is seen, and only that. */
static void bars_are_as_long_as_their_share(void **state)
{
	static const struct {
		double part, tick;
		const char *utf8, *ascii;
	} table[] = {
		{0, -1, "|", "|"},
		{1e-9, -1, "▏   |", "#   |"},
		{0.5, -1, "██  |", "##  |"},
		{0.53, -1, "██▏ |", "### |"},
		{1, -1, "████|", "####|"},
		{7, -1, "████|", "####|"},
		{0.25, 0.75, "█ │ |", "# | |"},
		{1, 0.5, "████|", "####|"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (int utf8 = 0; utf8 < 2; utf8++) {
			struct fl_report_text_options options = {.width = 20, .utf8 = utf8};
			struct fl_pen pen;
			char *p = NULL;
			size_t n;
			FILE *out = open_memstream(&p, &n);
			fl_pen_init(&pen, out, &options);
			fl_pen_bar(&pen, table[i].part, 4, table[i].tick);
			assert_int_equal(pen.at, 4);
			fl_pen_sign(&pen, "|", "|", 1);
			fl_pen_end(&pen);
			fl_pen_fini(&pen);
			fclose(out);
			p[n - 1] = '\0';
			assert_string_equal(p, i == 0 ? "    |"
					       : utf8 ? table[i].utf8
						      : table[i].ascii);
			free(p);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_goes_over_the_edge),
		cmocka_unit_test(bars_are_as_long_as_their_share),
	};
	struct fl_report_locale locale;
	fl_report_locale_enter(&locale);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	fl_report_locale_leave(&locale);
	return failed;
}
