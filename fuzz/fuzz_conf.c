// rooms: conf base
/* Any bytes: a tree or errors, structs filled through rows of every type, and nothing else. What
 * must hold: no errors exactly when load and read say so, each message names the file and a line
 * of it, in order, and without control characters. */
#include "../tests/unit/conf/zoo.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned count_lines(const char *bytes, size_t len)
{
	unsigned lines = 1;
	for (size_t i = 0; i < len; i++)
		lines += bytes[i] == '\n' || bytes[i] == '\r' ||
		         (i > 0 && bytes[i] == '\x85') || (bytes[i] & 0xfe) == 0xa8;
	return lines;
}

static void check_messages(const struct fl_conf *conf, unsigned lines)
{
	unsigned last = 0;
	for (size_t i = 0; i < fl_conf_errors(conf); i++) {
		const char *text = fl_conf_error_text(conf, i);
		unsigned line = 0, column = 0;
		FL_ASSERT(strncmp(text, "f:", 2) == 0 && strstr(text, " error: "));
		if (sscanf(text, "f:%u:%u:", &line, &column) == 2) { // NOLINT(cert-err34-c)
			FL_ASSERT(line >= last && line >= 1 && line <= lines && column >= 1);
			last = line;
		}
		for (; *text; text++)
			FL_ASSERT((unsigned char)*text >= 0x20 && *text != 0x7f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fl_conf *conf;
	struct zoo zoo;

	memset(&zoo, 0, sizeof(zoo));
	int loaded = fl_conf_parse(&conf, "f", (const char *)data, size);
	int read = fl_conf_read(conf, fl_conf_root(conf), zoo_rows, &zoo);
	FL_ASSERT((loaded == 0 && read == 0) == (fl_conf_errors(conf) == 0));
	FL_ASSERT(read != 0 || zoo.version == 1);
	FL_ASSERT(zoo.workers >= 1 && zoo.workers <= 256 && zoo.share >= 0 && zoo.share <= 1);
	check_messages(conf, count_lines((const char *)data, size));
	fl_conf_free(conf);
	return 0;
}
