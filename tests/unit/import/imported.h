/* What a file becomes: the configuration and the report as texts, looked at by substrings. */
#ifndef FL_TEST_IMPORTED_H
#define FL_TEST_IMPORTED_H

#include "import/import.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct imported {
	int rc;
	bool misplaced;
	struct fl_error err;
	struct fl_text config, report;
};

static inline struct imported import_text(enum fl_import_system system, const char *text)
{
	struct fl_import_input in = {
		.system = system, .name = "f.yaml", .bytes = text, .len = strlen(text)};
	struct imported i = {.rc = 0};
	struct fl_import *m;

	fl_text_init(&i.config, 1u << 20);
	fl_text_init(&i.report, 1u << 20);
	i.rc = fl_import_read(&m, &in, &i.err);
	i.misplaced = m->misplaced;
	fl_import_write(m, &i.config);
	fl_import_report(m, &i.report);
	fl_text_add(&i.config, "", 1);
	fl_text_add(&i.report, "", 1);
	assert_false(i.config.failed || i.report.failed);
	fl_import_free(m);
	return i;
}

static inline void imported_fini(struct imported *i)
{
	fl_text_fini(&i->config);
	fl_text_fini(&i->report);
}

static inline bool contains(const struct fl_text *text, const char *wanted)
{
	if (strstr(text->p, wanted))
		return true;
	print_message("no %s in:\n%s\n", wanted, text->p);
	return false;
}

static inline void assert_refused(
	enum fl_import_system system, const char *text, const char *wanted)
{
	struct imported i = import_text(system, text);

	assert_int_equal(i.rc, FL_EINVAL);
	assert_string_equal(i.err.text, wanted);
	imported_fini(&i);
}

#endif
