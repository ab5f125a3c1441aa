/* CSV to the letter: what is quoted, what is empty, which lines there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <stdio.h>

#include "report/report.h"

static struct fl_report *sample(void)
{
	static const struct fl_report_column columns[] = {
		{"name", "Name", FL_REPORT_TEXT, 0, NULL, false},
		{"x", "X", FL_REPORT_REAL, 1, NULL, false},
		{"ok", "OK", FL_REPORT_VERDICT, 0, NULL, false},
	};
	static const struct fl_slice names[] = {FL_SLICE("plain"), FL_SLICE("a,b"),
		FL_SLICE("a\nb"), FL_SLICE("a\rb"), FL_SLICE("\"a\""), FL_SLICE("a\0\xff"),
		FL_SLICE("")};
	struct fl_report *r = fl_report_new("x");
	struct fl_report_table *t = fl_report_table(r, "t", NULL, columns, 3);
	for (size_t i = 0; i < 7; i++) {
		fl_report_text_cell(t, names[i]);
		if (i == 1)
			fl_report_no_cell(t);
		else
			fl_report_real_cell(t, 0.1);
		fl_report_verdict_cell(t, FL_REPORT_BAD, i == 2 ? "why, so" : NULL);
	}
	return r;
}

static void check(const char *table, const char *want, size_t n)
{
	struct fl_report *r = sample();
	struct fl_error err;
	char *p = NULL;
	size_t size;
	FILE *out = open_memstream(&p, &size);
	assert_int_equal(fl_report_csv(r, out, table, &err), FL_OK);
	fclose(out);
	assert_int_equal(size, n);
	assert_memory_equal(p, want, n);
	free(p);
	fl_report_free(r);
}

static void one_table(void **state)
{
	static const char want[] = "name,x,ok,ok_words\r\n"
				   "plain,0.1,bad,\r\n"
				   "\"a,b\",,bad,\r\n"
				   "\"a\nb\",0.1,bad,\"why, so\"\r\n"
				   "\"a\rb\",0.1,bad,\r\n"
				   "\"\"\"a\"\"\",0.1,bad,\r\n"
				   "a\0\xff,0.1,bad,\r\n"
				   ",0.1,bad,\r\n";
	(void)state;
	check("main.t", want, sizeof(want) - 1);
}

static void all_tables(void **state)
{
	char want[2048] = "section,table,row,column,value\r\n";
	static const char *const names[] = {
		"plain", "\"a,b\"", "\"a\nb\"", "\"a\rb\"", "\"\"\"a\"\"\""};
	size_t n = strlen(want);
	(void)state;
	for (int i = 0; i < 5; i++)
		n += (size_t)snprintf(want + n, sizeof(want) - n,
			"main,t,%d,name,%s\r\nmain,t,%d,x,%s\r\nmain,t,%d,ok,bad\r\n"
			"main,t,%d,ok_words,%s\r\n",
			i, names[i], i, i == 1 ? "" : "0.1", i, i, i == 2 ? "\"why, so\"" : "");
	struct fl_report *r = sample();
	struct fl_error err;
	char *p = NULL;
	size_t size;
	FILE *out = open_memstream(&p, &size);
	assert_int_equal(fl_report_csv(r, out, NULL, &err), FL_OK);
	fclose(out);
	assert_memory_equal(p, want, n);
	free(p);
	fl_report_free(r);
}

static void an_unknown_table_is_told(void **state)
{
	struct fl_report *r = sample();
	struct fl_error err;
	(void)state;
	assert_int_equal(fl_report_csv(r, stdout, "t", &err), FL_ENOENT);
	assert_string_equal(err.text, "no table \"t\"; there are: main.t");
	fl_report_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_table),
		cmocka_unit_test(all_tables),
		cmocka_unit_test(an_unknown_table_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
