/* Text for a terminal, to the letter. What no line may be is held by tests/e2e/test_report.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <stdio.h>

#include "report/report.h"

static char *text(struct fl_report *r, unsigned width, bool utf8, bool colour)
{
	struct fl_report_text_options options = {width, utf8, colour};
	struct fl_error err;
	char *p = NULL;
	size_t n;
	FILE *out = open_memstream(&p, &n);
	assert_int_equal(fl_report_text(r, out, &options, &err), FL_OK);
	fclose(out);
	return p;
}

static void check(struct fl_report *r, unsigned width, bool utf8, bool colour, const char *want)
{
	char *got = text(r, width, utf8, colour);
	assert_string_equal(got, want);
	free(got);
}

static struct fl_report *with_table(void)
{
	static const struct fl_report_column columns[] = {
		{"node", "Node", FL_REPORT_TEXT, 0, NULL, false},
		{"keys", "Keys", FL_REPORT_NUMBER, 0, NULL, true},
		{"even", "Even", FL_REPORT_VERDICT, 0, NULL, false},
	};
	struct fl_report *r = fl_report_new("x");
	struct fl_report_table *t = fl_report_table(r, "t", "Loads", columns, 3);
	fl_report_text_cell(t, FL_SLICE("a"));
	fl_report_number_cell(t, 1200);
	fl_report_verdict_cell(t, FL_REPORT_OK, NULL);
	fl_report_text_cell(t, FL_SLICE("b\n漢"));
	fl_report_number_cell(t, 600);
	fl_report_verdict_cell(t, FL_REPORT_BAD, "too few");
	fl_report_text_cell(t, FL_SLICE("c"));
	fl_report_no_cell(t);
	fl_report_no_cell(t);
	return r;
}

static void a_table(void **state)
{
	struct fl_report *r = with_table();
	(void)state;
	check(r, 40, true, false,
		"Loads\n"
		"  Node    Keys                 Even\n"
		"  ─────  ────────────────────  ─────────\n"
		"  a      1,200 ██████████████  ✓ ok\n"
		"  b\\n漢    600 ███████         ✗ too few\n"
		"  c          –                 –\n\n");
	fl_report_free(r);
}

static void a_table_in_ascii(void **state)
{
	struct fl_report *r = with_table();
	(void)state;
	check(r, 36, false, false,
		"Loads\n"
		"  Node          Keys  Even\n"
		"  -----------  -----  ---------\n"
		"  a            1,200  + ok\n"
		"  b\\n\\u{6f22}    600  ! too few\n"
		"  c                -  -\n\n");
	fl_report_free(r);
}

static void a_table_that_does_not_fit_is_stacked(void **state)
{
	struct fl_report *r = with_table();
	(void)state;
	check(r, 20, true, false,
		"Loads\n"
		"· Node  a\n"
		"  Keys  1,200\n"
		"  Even  ✓ ok\n"
		"· Node  b\\n漢\n"
		"  Keys  600\n"
		"  Even  ✗ too few\n"
		"· Node  c\n"
		"  Keys  –\n"
		"  Even  –\n\n");
	fl_report_free(r);
}

static void a_long_name_is_cut_before_that(void **state)
{
	static const struct fl_report_column columns[] = {
		{"node", "Node", FL_REPORT_TEXT, 0, NULL, false},
		{"keys", "Keys", FL_REPORT_NUMBER, 0, NULL, false},
	};
	struct fl_report *r = fl_report_new("x");
	struct fl_report_table *t = fl_report_table(r, "t", NULL, columns, 2);
	(void)state;
	fl_report_text_cell(t, FL_SLICE("a-very-long-name-of-a-node"));
	fl_report_number_cell(t, 1);
	check(r, 24, true, false,
		"  Node              Keys\n"
		"  ────────────────  ────\n"
		"  a-very-l…-a-node     1\n\n");
	fl_report_free(r);
}

static void words_are_wrapped(void **state)
{
	struct fl_report *r = fl_report_new("x");
	(void)state;
	fl_report_titled(r, "A title");
	fl_report_conclude(r, FL_REPORT_BAD, "one two three four");
	fl_report_say(r, "aaaaaaaaaaaaaaaaaaaaaaaaa b");
	fl_report_fact_number(r, "seed", "Seed", UINT64_MAX);
	fl_report_section(r, "s", "Heading", "Note.");
	check(r, 20, true, false,
		"A title\n\n"
		"✗ one two three four\n"
		"aaaaaaaaaaaaaaaaaaaa\n"
		"aaaaa b\n\n"
		"Heading\n═══════\nNote.\n\n"
		"Seed  18446744073709\n      551615\n\n");
	fl_report_free(r);
}

static void colours_only_when_asked(void **state)
{
	struct fl_report *r = fl_report_new("x");
	(void)state;
	fl_report_conclude(r, FL_REPORT_OK, "fine");
	check(r, 80, true, true, "\x1b[32m✓\x1b[0m fine\n\n");
	check(r, 80, false, false, "+ fine\n\n");
	fl_report_free(r);
}

static void bars(void **state)
{
	struct fl_report *r = fl_report_new("x");
	struct fl_report_chart *c = fl_report_bars(
		r, &(struct fl_report_spec){
			   .name = "c", .title = "Bars", .y = {.type = FL_REPORT_NUMBER}});
	uint32_t s = fl_report_series(c, FL_SLICE("keys"));
	(void)state;
	fl_report_label(c, FL_SLICE("a"));
	fl_report_value(c, s, 8);
	fl_report_label(c, FL_SLICE("bb"));
	fl_report_value(c, s, 4);
	fl_report_label(c, FL_SLICE("c"));
	check(r, 20, true, false,
		"Bars\n"
		"  a  ███████████ 8\n"
		"  bb █████▌      4\n"
		"  c              –\n\n");
	check(r, 20, false, false,
		"Bars\n"
		"  a  ########### 8\n"
		"  bb ######      4\n"
		"  c              -\n\n");
	fl_report_free(r);
}

static void a_flow(void **state)
{
	struct fl_report *r = fl_report_new("x");
	struct fl_report_chart *c = fl_report_flows(
		r, &(struct fl_report_spec){
			   .name = "c", .title = "Flows", .y = {.type = FL_REPORT_NUMBER}});
	(void)state;
	fl_report_flow(c, FL_SLICE("a"), FL_SLICE("b"), 8);
	fl_report_flow(c, FL_SLICE("b"), FL_SLICE("c"), 4);
	check(r, 24, true, false,
		"Flows\n"
		"  a → b ██████████ 8\n"
		"  b → c █████      4\n\n");
	fl_report_free(r);
}

static void a_ring(void **state)
{
	struct fl_report *r = fl_report_new("x");
	struct fl_report_chart *c =
		fl_report_rows(r, &(struct fl_report_spec){.name = "c", .title = "Rows"});
	uint32_t a = fl_report_series(c, FL_SLICE("a")), b = fl_report_series(c, FL_SLICE("b"));
	(void)state;
	fl_report_row(c, a);
	fl_report_row(c, b);
	fl_report_row(c, b);
	fl_report_row(c, FL_NONE);
	fl_report_mark(c, 1, FL_SLICE("key"));
	fl_report_mark(c, 3, FL_SLICE("other"));
	check(r, 40, true, false,
		"Rows\n"
		"  BAA-\n"
		"  4 rows, a letter each\n"
		"  A  50.0 %  b\n"
		"  B  25.0 %  a\n"
		"  ▼ key in row 1: b\n"
		"  ▼ other in row 3\n\n");
	fl_report_free(r);
}

static void an_empty_report_is_empty(void **state)
{
	struct fl_report *r = fl_report_new("x");
	(void)state;
	check(r, 0, true, false, "");
	(void)fl_report_bars(r, &(struct fl_report_spec){.name = "c", .title = "C"});
	check(r, 0, true, false, "C\n  nothing to show\n\n");
	fl_report_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table),
		cmocka_unit_test(a_table_in_ascii),
		cmocka_unit_test(a_table_that_does_not_fit_is_stacked),
		cmocka_unit_test(a_long_name_is_cut_before_that),
		cmocka_unit_test(words_are_wrapped),
		cmocka_unit_test(colours_only_when_asked),
		cmocka_unit_test(bars),
		cmocka_unit_test(a_flow),
		cmocka_unit_test(a_ring),
		cmocka_unit_test(an_empty_report_is_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
