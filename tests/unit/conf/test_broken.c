/* Every broken file of broken.txt gives exactly the messages that stand below it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "unit/conf/zoo.h"

#define FILE_NAME "f"

struct sample {
	char title[128];
	char bytes[8192];
	size_t len;
	char expected[8192];
	size_t expected_len;
};

static void add_line(struct sample *c, const char *line)
{
	for (; *line; line++) {
		unsigned byte;
		if (line[0] == '<' && line[1] == '>') {
			line += 2; /* and the newline */
		} else if (line[0] == '<' && line[3] == '>' &&
			   sscanf(line, "<%2x>", &byte) == 1) { // NOLINT(cert-err34-c)
			c->bytes[c->len++] = (char)byte;
			line += 3;
		} else {
			c->bytes[c->len++] = *line;
		}
		assert_true(c->len + 16 < sizeof(c->bytes));
	}
}

static void add_expected(struct sample *c, const char *line)
{
	unsigned l, col;
	int at = 0;
	assert_int_equal(sscanf(line, "--> %u:%u: %n", &l, &col, &at), 2); // NOLINT
	c->expected_len += (size_t)snprintf(c->expected + c->expected_len,
		sizeof(c->expected) - c->expected_len, FILE_NAME ":%u:%u: error: %s", l, col,
		line + at);
	assert_true(c->expected_len < sizeof(c->expected));
}

/* Whether the messages are those expected; all cases are compared before the test fails. */
static bool holds(struct sample *c)
{
	struct fl_conf *conf;
	struct zoo zoo;
	char got[8192];
	size_t n = 0;

	if (!strchr(c->title, '*'))
		c->len += (size_t)sprintf(c->bytes + c->len, "version: 1\n");
	memset(&zoo, 0, sizeof(zoo));
	got[0] = '\0';
	(void)fl_conf_parse(&conf, FILE_NAME, c->bytes, c->len);
	(void)fl_conf_read(conf, fl_conf_root(conf), zoo_rows, &zoo);
	for (size_t i = 0; i < fl_conf_errors(conf); i++)
		n += (size_t)snprintf(
			got + n, sizeof(got) - n, "%s\n", fl_conf_error_text(conf, i));
	bool same = strcmp(got, c->expected) == 0 && fl_conf_warnings(conf) == 0;
	if (!same)
		print_error("=== %s\nexpected:\n%sgot:\n%s", c->title, c->expected, got);
	fl_conf_free(conf);
	return same;
}

static void each_broken_file_says_what_is_wrong(void **state)
{
	static struct sample c;
	FILE *file = fopen(FL_TEST_DIR "/unit/conf/broken.txt", "r");
	char line[1024];
	size_t cases = 0, wrong = 0;
	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "=== ", 4) == 0) {
			if (cases++)
				wrong += !holds(&c);
			memset(&c, 0, sizeof(c));
			(void)snprintf(c.title, sizeof(c.title), "%.*s",
				(int)strcspn(line + 4, "\n"), line + 4);
		} else if (cases && strncmp(line, "--> ", 4) == 0) {
			add_expected(&c, line);
		} else if (cases) {
			add_line(&c, line);
		}
	}
	wrong += !holds(&c);
	(void)fclose(file);
	assert_int_equal(wrong, 0);
	assert_true(cases >= 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_broken_file_says_what_is_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
