// rooms: report
// link: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
/* Memory runs out at every single point of building and rendering a report. Whatever was asked
 * then gives FL_ENOMEM (or, where libc itself failed, what it said), and nothing is left behind:
 * the sanitizer watches. */
#include "support/report_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static size_t asked, fail_at = SIZE_MAX;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
	return asked++ == fail_at ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return asked++ == fail_at ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return asked++ == fail_at ? NULL : __real_realloc(old, size);
}

static int text(const struct fl_report *r, FILE *out, struct fl_error *err)
{
	struct fl_report_text_options options = {.width = 80, .utf8 = true};
	return fl_report_text(r, out, &options, err);
}

static int csv(const struct fl_report *r, FILE *out, struct fl_error *err)
{
	return fl_report_csv(r, out, NULL, err);
}

/* A number of failures; each is told. */
static size_t run(int (*render)(const struct fl_report *, FILE *, struct fl_error *))
{
	FILE *out = fopen("/dev/null", "w");
	size_t failures = 0;
	for (fail_at = 0;; fail_at++) {
		struct fl_error err = {0, ""};
		asked = 0;
		struct fl_report *r = sample_report("hostile");
		int rc = render(r, out, &err);
		fl_report_free(r);
		if (asked <= fail_at)
			break;
		if (rc != FL_ENOMEM)
			fail_msg("failure %zu gave %d", fail_at, rc);
		assert_true(err.text[0] != '\0');
		failures++;
	}
	fail_at = SIZE_MAX;
	fclose(out);
	return failures;
}

static void every_failure_is_told(void **state)
{
	(void)state;
	assert_true(run(csv) > 10);
	assert_true(run(fl_report_json) > 10);
	assert_true(run(text) > 20);
	assert_true(run(fl_report_html) > 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_failure_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
