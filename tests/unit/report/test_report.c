/* Building: the first failure is kept and told, bounds are errors, and nothing need be checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <math.h>

#include "report/priv.h"

static const struct fl_report_column two[] = {
	{"name", "Name", FL_REPORT_TEXT, 0, NULL, false},
	{"n", "N", FL_REPORT_NUMBER, 0, NULL, false},
};
static const struct fl_report_spec spec = {.name = "c", .title = "C"};

/* The failure that a report has after `r`, which is freed. */
static int failure(struct fl_report *r, const char *part)
{
	struct fl_error err = {0, ""};
	int code = fl_report_error(r, &err);
	if (part && !strstr(err.text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, err.text);
	fl_report_free(r);
	return code;
}

static void null_is_fine_everywhere(void **state)
{
	struct fl_error err;
	(void)state;
	fl_report_titled(NULL, "x");
	fl_report_say(NULL, "x");
	fl_report_conclude(NULL, FL_REPORT_OK, "x");
	fl_report_fact(NULL, "a", "A", FL_SLICE("x"));
	fl_report_fact_number(NULL, "a", "A", 1);
	fl_report_section(NULL, "a", "A", NULL);
	assert_null(fl_report_table(NULL, "t", NULL, two, 2));
	assert_null(fl_report_bars(NULL, &spec));
	fl_report_text_cell(NULL, FL_SLICE("x"));
	fl_report_number_cell(NULL, 1);
	fl_report_real_cell(NULL, 1);
	fl_report_verdict_cell(NULL, FL_REPORT_OK, NULL);
	fl_report_no_cell(NULL);
	assert_int_equal(fl_report_series(NULL, FL_SLICE("x")), 0);
	fl_report_label(NULL, FL_SLICE("x"));
	fl_report_value(NULL, 0, 1);
	fl_report_target(NULL, 1);
	fl_report_point(NULL, 0, 1, 1);
	fl_report_reference(NULL, 1, "x");
	fl_report_flow(NULL, FL_SLICE("x"), FL_SLICE("y"), 1);
	fl_report_ring_point(NULL, 1, 0);
	fl_report_mark(NULL, 1, FL_SLICE("x"));
	fl_report_row(NULL, 0);
	assert_int_equal(fl_report_json(NULL, stdout, &err), FL_ENOMEM);
	fl_report_free(NULL);
}

static void numbers_must_be_finite(void **state)
{
	static const double odd[] = {NAN, INFINITY, -INFINITY};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		static const struct fl_report_column one[] = {
			{"x", "X", FL_REPORT_REAL, 2, NULL, false}};
		struct fl_report *r = fl_report_new("x");
		fl_report_real_cell(fl_report_table(r, "t", NULL, one, 1), odd[i]);
		assert_int_equal(failure(r, "table \"t\", row 0"), FL_EINVAL);
		r = fl_report_new("x");
		struct fl_report_chart *c = fl_report_lines(r, &spec);
		fl_report_point(c, fl_report_series(c, FL_SLICE("s")), 1, odd[i]);
		assert_int_equal(failure(r, "chart \"c\""), FL_EINVAL);
		r = fl_report_new("x");
		c = fl_report_lines(r, &spec);
		fl_report_point(c, fl_report_series(c, FL_SLICE("s")), odd[i], 1);
		assert_int_equal(failure(r, "chart \"c\""), FL_EINVAL);
		r = fl_report_new("x");
		fl_report_flow(fl_report_flows(r, &spec), FL_SLICE("a"), FL_SLICE("b"), odd[i]);
		assert_int_equal(failure(r, "chart \"c\""), FL_EINVAL);
	}
}

static void cells_must_be_of_their_column_s_type(void **state)
{
	struct fl_report *r = fl_report_new("x");
	struct fl_report_table *t = fl_report_table(r, "t", NULL, two, 2);
	(void)state;
	fl_report_text_cell(t, FL_SLICE("a"));
	fl_report_text_cell(t, FL_SLICE("b"));
	fl_report_number_cell(t, 1);
	assert_int_equal(t->cells.n, 1); /* nothing after the first failure */
	assert_int_equal(failure(r, "column \"n\""), FL_EINVAL);
}

static void the_first_failure_is_the_one_that_is_told(void **state)
{
	struct fl_report *r = fl_report_new("x");
	(void)state;
	fl_report_section(r, "first fault", NULL, NULL);
	fl_report_section(r, "second fault", NULL, NULL);
	assert_int_equal(failure(r, "first fault"), FL_EINVAL);
}

static void a_row_must_be_full(void **state)
{
	struct fl_report *r = fl_report_new("x");
	struct fl_error err;
	struct fl_report_table *t = fl_report_table(r, "t", NULL, two, 2);
	(void)state;
	fl_report_text_cell(t, FL_SLICE("a"));
	assert_int_equal(fl_report_csv(r, stdout, NULL, &err), FL_EINVAL);
	assert_string_equal(err.text, "the last row of table \"t\" has 1 of 2 cells");
	fl_report_number_cell(t, 1);
	assert_int_equal(fl_report_ready(r, &err), FL_OK);
	fl_report_free(r);
}

static void names_are_names_and_unique(void **state)
{
	static const char *const bad[] = {"", "a b", "a/b", "..", "\xc3\xa9"};
	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct fl_report *r = fl_report_new("x");
		fl_report_section(r, bad[i], NULL, NULL);
		assert_int_equal(failure(r, "expected a name of letters"), FL_EINVAL);
	}
	struct fl_report *r = fl_report_new("x");
	fl_report_section(r, "a", NULL, NULL);
	fl_report_section(r, "a", NULL, NULL);
	assert_int_equal(failure(r, "two sections"), FL_EINVAL);
	r = fl_report_new("x");
	(void)fl_report_table(r, "c", NULL, two, 2);
	assert_null(fl_report_bars(r, &spec));
	assert_int_equal(failure(r, "two parts of section \"main\" are \"c\""), FL_EINVAL);
	r = fl_report_new("x");
	fl_report_fact_number(r, "a", "A", 1);
	fl_report_fact_number(r, "a", "A", 1);
	assert_int_equal(failure(r, "two facts"), FL_EINVAL);
}

static void bounds_are_errors(void **state)
{
	struct fl_report_column many[FL_REPORT_MAX_COLUMNS + 1];
	char *big = calloc(1, FL_REPORT_MAX_TEXT + 1);
	(void)state;
	for (size_t i = 0; i <= FL_REPORT_MAX_COLUMNS; i++)
		many[i] = two[0];
	struct fl_report *r = fl_report_new("x");
	assert_null(fl_report_table(r, "t", NULL, many, FL_REPORT_MAX_COLUMNS + 1));
	assert_int_equal(failure(r, "33 columns"), FL_ELIMIT);
	r = fl_report_new("x");
	fl_report_fact(r, "a", "A", (struct fl_slice){big, FL_REPORT_MAX_TEXT + 1});
	assert_int_equal(failure(r, "65537 bytes"), FL_ELIMIT);
	free(big);
	r = fl_report_new("x");
	struct fl_report_chart *c = fl_report_rows(r, &spec);
	for (size_t i = 0; i <= FL_REPORT_MAX_POINTS; i++)
		fl_report_row(c, FL_NONE);
	assert_int_equal(c->data.n, FL_REPORT_MAX_POINTS);
	assert_int_equal(failure(r, "more than 1048576"), FL_ELIMIT);
	r = fl_report_new("x");
	c = fl_report_ring(r, &spec);
	for (size_t i = 0; i <= 64; i++)
		fl_report_mark(c, i, FL_SLICE("k"));
	assert_int_equal(failure(r, NULL), FL_ELIMIT);
	r = fl_report_new("x");
	fl_report_say(r, "%2000d", 1);
	assert_int_equal(failure(r, "sentence"), FL_ELIMIT);
}

static void a_report_has_a_size(void **state)
{
	static const struct fl_report_column one[] = {
		{"x", "X", FL_REPORT_TEXT, 0, NULL, false}};
	static char text[60000];
	struct fl_report *r = fl_report_new("x");
	struct fl_report_table *t = fl_report_table(r, "t", NULL, one, 1);
	(void)state;
	for (size_t i = 0; i < FL_REPORT_MAX_BYTES / sizeof(text) + 1; i++)
		fl_report_text_cell(t, (struct fl_slice){text, sizeof(text)});
	assert_int_equal(failure(r, "larger than 256 MiB"), FL_ELIMIT);
}

static void charts_take_only_what_is_theirs(void **state)
{
	(void)state;
	struct fl_report *r = fl_report_new("x");
	fl_report_row(fl_report_bars(r, &spec), FL_NONE);
	assert_int_equal(failure(r, "not of the kind"), FL_EINVAL);
	r = fl_report_new("x");
	struct fl_report_chart *c = fl_report_bars(r, &spec);
	fl_report_value(c, fl_report_series(c, FL_SLICE("s")), 1);
	assert_int_equal(failure(r, "no label yet"), FL_EINVAL);
	r = fl_report_new("x");
	fl_report_ring_point(fl_report_ring(r, &spec), 1, 0);
	assert_int_equal(failure(r, "no series 0"), FL_EINVAL);
	r = fl_report_new("x");
	c = fl_report_lines(r, &spec);
	uint32_t s = fl_report_series(c, FL_SLICE("s"));
	fl_report_point(c, s, 2, 1);
	fl_report_point(c, s, 1, 1);
	assert_int_equal(failure(r, "not fall"), FL_EINVAL);
	r = fl_report_new("x");
	c = fl_report_lines(r, &(struct fl_report_spec){.name = "c",
				       .y = {.type = FL_REPORT_REAL, .log = true}});
	fl_report_point(c, fl_report_series(c, FL_SLICE("s")), 1, 0);
	assert_int_equal(failure(r, "no place for 0"), FL_EINVAL);
}

static void a_name_has_one_colour(void **state)
{
	struct fl_report *r = fl_report_new("x");
	char name[8];
	(void)state;
	struct fl_report_chart *a = fl_report_lines(r, &spec);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(fl_report_series(a, fl_slice_of(name)), i);
	}
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(fl_report_series(a, fl_slice_of(name)), i);
	}
	struct fl_report_chart *b =
		fl_report_bars(r, &(struct fl_report_spec){.name = "d", .title = "D"});
	(void)fl_report_series(b, FL_SLICE("n7"));
	(void)fl_report_series(b, FL_SLICE("new"));
	assert_int_equal(FL_REPORT_AT(b->colour, uint32_t, 0), 7);
	assert_int_equal(FL_REPORT_AT(b->colour, uint32_t, 1), 0);
	fl_report_free(r);
}

static void writing_that_fails_is_told(void **state)
{
	static int (*const renderers[])(const struct fl_report *, FILE *, struct fl_error *) = {
		fl_report_json, fl_report_html};
	struct fl_report *r = fl_report_new("x");
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fl_error err;
		FILE *full = fopen("/dev/full", "w");
		assert_non_null(full);
		assert_int_equal(renderers[i](r, full, &err), FL_EINVAL);
		assert_non_null(strstr(err.text, "No space left"));
		fclose(full);
	}
	struct fl_error err;
	assert_int_equal(fl_report_files(r, "/dev/null/x", &err), FL_EINVAL);
	assert_non_null(strstr(err.text, "/dev/null/x"));
	fl_report_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_is_fine_everywhere),
		cmocka_unit_test(numbers_must_be_finite),
		cmocka_unit_test(cells_must_be_of_their_column_s_type),
		cmocka_unit_test(the_first_failure_is_the_one_that_is_told),
		cmocka_unit_test(a_row_must_be_full),
		cmocka_unit_test(names_are_names_and_unique),
		cmocka_unit_test(bounds_are_errors),
		cmocka_unit_test(a_report_has_a_size),
		cmocka_unit_test(charts_take_only_what_is_theirs),
		cmocka_unit_test(a_name_has_one_colour),
		cmocka_unit_test(writing_that_fails_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
