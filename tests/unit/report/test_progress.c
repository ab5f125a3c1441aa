/* What the bar writes, by a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <stdio.h>

#include "report/progress.h"

static char *written;
static size_t length;
static FILE *out;

static void begin(struct fl_progress *p, bool shown, unsigned width, uint64_t total)
{
	struct fl_progress_options options = {.shown = shown, .utf8 = false, .width = width};
	out = open_memstream(&written, &length);
	fl_progress_begin(p, out, &options, "placing keys", total, 100);
}

static void check(const char *want)
{
	fflush(out);
	assert_string_equal(written, want);
	fclose(out);
	free(written);
}

static void nothing_without_a_terminal(void **state)
{
	struct fl_progress p;
	(void)state;
	begin(&p, false, 80, 100);
	for (uint64_t i = 0; i < 100; i++)
		fl_progress_at(&p, i, 100 + (double)i);
	fl_progress_end(&p);
	check("");
}

static void nothing_for_a_short_run(void **state)
{
	struct fl_progress p;
	(void)state;
	begin(&p, true, 80, 100);
	fl_progress_at(&p, 50, 100.2);
	fl_progress_at(&p, 99, 100.49);
	fl_progress_end(&p);
	check("");
}

static void a_bar_with_rate_and_rest(void **state)
{
	struct fl_progress p;
	(void)state;
	begin(&p, true, 60, 1000);
	fl_progress_at(&p, 100, 101);
	fl_progress_at(&p, 101, 101.05); /* too soon to draw again */
	fl_progress_at(&p, 500, 105);
	fl_progress_end(&p);
	fl_progress_end(&p);
	check("\rplacing keys ##---------------------  10 %  100/s  9 s left\x1b[K"
	      "\rplacing keys ###########------------  50 %  100/s  5 s left\x1b[K"
	      "\r\x1b[K");
}

static void without_an_end_no_bar(void **state)
{
	struct fl_progress p;
	(void)state;
	begin(&p, true, 60, 0);
	fl_progress_at(&p, 4000000, 102);
	check("\rplacing keys  2.0M/s\x1b[K");
}

static void no_line_is_as_wide_as_the_terminal(void **state)
{
	struct fl_progress p;
	(void)state;
	for (unsigned width = 2; width < 120; width++) {
		begin(&p, true, width, 1000000);
		fl_progress_at(&p, 1, 3000);
		fl_progress_at(&p, 2000000, 3001); /* more than all */
		fflush(out);
		assert_true(strlen(written) <= 2 * (width - 1 + 4));
		fclose(out);
		free(written);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_without_a_terminal),
		cmocka_unit_test(nothing_for_a_short_run),
		cmocka_unit_test(a_bar_with_rate_and_rest),
		cmocka_unit_test(without_an_end_no_bar),
		cmocka_unit_test(no_line_is_as_wide_as_the_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
