/* A file of another balancer: a model or an error that says where. What is written of the model is
 * YAML that Fairlead's parser takes, and the report says of each note where it is from. */
#ifndef FUZZ_IMPORT_H
#define FUZZ_IMPORT_H

#include "base/assert.h"
#include "conf/conf.h"
#include "import/import.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The file again, once a level: its own size bounds what comes of it. */
static int include_itself(void *includer, const char *pattern, fl_import_each *each,
	void *cookie, struct fl_error *err)
{
	const struct fl_import_input *in = includer;

	if (strcmp(pattern, "f") != 0)
		return fl_error_set(err, FL_ENOENT, "there is only f");
	return each(cookie, "g", in->bytes, in->len < 64 ? in->len : 0);
}

static void check_yaml(const struct fl_import *m)
{
	struct fl_text text;
	struct fl_conf *conf;

	fl_text_init(&text, 64 << 20);
	fl_import_write(m, &text);
	if (!text.failed) {
		FL_ASSERT(fl_conf_parse(&conf, "f", text.p, text.n) == 0);
		fl_conf_free(conf);
	}
	fl_text_fini(&text);
}

static void check_report(const struct fl_import *m)
{
	struct fl_text text;
	bool placement = m->notes_dropped > 0;

	for (const struct fl_import_note *n = m->notes; n; n = n->next) {
		FL_ASSERT(n->at.file && n->at.line > 0 && *n->why);
		FL_ASSERT(strlen(n->text) <= FL_IMPORT_MAX_TEXT);
		placement |= n->placement;
	}
	FL_ASSERT(!m->misplaced || placement);
	fl_text_init(&text, 64 << 20);
	if (m->note_count % 2)
		fl_import_report(m, &text);
	else
		fl_import_report_json(m, &text);
	FL_ASSERT(text.n > 0 && text.p[text.n - 1] == '\n');
	fl_text_fini(&text);
}

static inline int fuzz_import(enum fl_import_system system, const uint8_t *data, size_t size)
{
	static const char *const variables[] = {"A=x y", NULL};
	struct fl_import_input in = {.system = system,
		.name = "f",
		.bytes = (const char *)data,
		.len = size,
		.variables = variables,
		.include = include_itself,
		.includer = &in};
	struct fl_error err = {0};
	struct fl_import *m;

	if (fl_import_read(&m, &in, &err) == FL_OK) {
		FL_ASSERT(m->pools && m->pools->nodes);
		check_yaml(m);
		check_report(m);
	} else {
		FL_ASSERT(strncmp(err.text, "f:", 2) == 0 || strncmp(err.text, "g:", 2) == 0);
	}
	fl_import_free(m);
	return 0;
}

#endif
