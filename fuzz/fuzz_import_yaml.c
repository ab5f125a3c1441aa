// rooms: import conf net loop base
/* Any bytes as Envoy's and as twemproxy's file: a model or an error with a place, nothing else.
 * What is written must be YAML that can be read again, and the report has no control characters. */
#include "base/assert.h"
#include "conf/conf.h"
#include "import/import.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_config(const struct fl_import *m)
{
	struct fl_conf *conf;
	struct fl_text text;

	fl_text_init(&text, 64u << 20);
	fl_import_write(m, &text);
	FL_ASSERT(!text.failed);
	FL_ASSERT(fl_conf_parse(&conf, "written", text.p, text.n) == 0);
	FL_ASSERT(fl_conf_get(fl_conf_root(conf), "pools")->count == m->pool_count);
	fl_conf_free(conf);
	fl_text_fini(&text);
}

static void check_report(const struct fl_import *m)
{
	struct fl_text text;

	fl_text_init(&text, 64u << 20);
	fl_import_report(m, &text);
	FL_ASSERT(!text.failed);
	for (size_t i = 0; i < text.n; i++)
		FL_ASSERT((unsigned char)text.p[i] >= 0x20 || text.p[i] == '\n');
	fl_text_fini(&text);
}

static void read_as(enum fl_import_system system, const uint8_t *data, size_t size)
{
	struct fl_import_input in = {
		.system = system, .name = "f", .bytes = (const char *)data, .len = size};
	struct fl_error err = {0};
	struct fl_import *m;
	int rc = fl_import_read(&m, &in, &err);

	FL_ASSERT(m);
	if (rc == FL_OK) {
		check_config(m);
		check_report(m);
	} else {
		FL_ASSERT(rc == FL_EINVAL && strncmp(err.text, "f:", 2) == 0);
		for (const char *p = err.text; *p; p++)
			FL_ASSERT((unsigned char)*p >= 0x20 && *p != 0x7f);
	}
	fl_import_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_as(FL_IMPORT_ENVOY, data, size);
	read_as(FL_IMPORT_TWEMPROXY, data, size);
	return 0;
}
