/* The manual and the schema are read off the rows: each row once, secrets' defaults never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "unit/conf/zoo.h"

static char *manual(const struct fl_option *rows, const char *path)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	assert_non_null(out);
	fl_conf_manual(rows, path, out);
	(void)fclose(out);
	return text;
}

static char *schema(const struct fl_option *rows)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	assert_non_null(out);
	fl_conf_schema(rows, "the \"zoo\"", out);
	(void)fclose(out);
	return text;
}

static void manual_has_each_row(void **state)
{
	static const char *const lines[] = {
		"| Option | Form | Default | Meaning |\n| --- | --- | --- | --- |\n",
		"| `version` | the number 1 | required | The version of the form. |\n",
		"| `buffer` | a size from 4KiB to 1GiB | `16KiB` |  |\n",
		"| `token` | text of at least 8 bytes |  |  |\n",
		"| `mode` | one of http, tcp or udp | `tcp` | Either \\| or. |\n",
		"| `spot` | a point such as 1,2 | `3,4` |  |\n",
		"| `hosts` | a list, or one item without a list, or the value of `name` alone "
		"as "
		"an "
		"item |  |  |\n",
		"| `hosts[].port` | a whole number from 1 to 65535 | `80` |  |\n",
		"| `pools` | a map with a key for each pool |  |  |\n",
		"| `pools.<pool>.health.path` | text | required | What is asked for. |\n",
		"| `pools.<pool>.health.interval` | a duration from 100ms to 1h (ms) | `2s` |  "
		"|\n",
		"| `pools.<pool>.key[].all` | a list, or the value of `header` alone as an "
		"item "
		"|  | "
		"All of these, joined. Holds the same options as the level above. |\n",
	};
	char *text = manual(zoo_rows, "");
	const char *at = text;
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *found = strstr(at, lines[i]);
		if (!found)
			fail_msg("not in its place: %s\n%s", lines[i], text);
		else
			at = found;
	}
	assert_null(strstr(text, "not-shown-default"));
	assert_null(strstr(text, "<pool>.name"));
	free(text);
	text = manual(zoo_health_rows, "a.b");
	assert_non_null(strstr(text, "| `a.b.path` |"));
	free(text);
}

/* Steps over one JSON value; NULL when it is none. Small on purpose: no library here. */
static const char *json(const char *p)
{
	if (*p == '"') {
		for (p++; *p && *p != '"'; p++) {
			if (*p == '\\')
				p++;
		}
		return *p ? p + 1 : NULL;
	}
	if (*p == '{' || *p == '[') {
		char close = *p == '{' ? '}' : ']';
		if (p[1] == close)
			return p + 2;
		for (p++;; p++) {
			if (close == '}') {
				p = *p == '"' ? json(p) : NULL;
				if (!p || *p++ != ':')
					return NULL;
			}
			p = json(p);
			if (!p || *p != ',')
				return p && *p == close ? p + 1 : NULL;
		}
	}
	size_t n = strspn(p, "-0123456789truefals");
	return n ? p + n : NULL;
}

static void schema_is_json_and_has_each_row(void **state)
{
	static const char *const parts[] = {
		"\"title\":\"the \\\"zoo\\\"\"",
		"\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
		"\"version\":",
		"\"version\":{\"description\":\"The version of the "
		"form.\",\"type\":\"integer\","
		"\"minimum\":1,\"maximum\":1}",
		"\"workers\":{\"description\":\"\",\"default\":2,",
		"\"enum\":[\"http\",\"tcp\",\"udp\"]",
		"\"required\":[\"version\"]",
		"\"all\":{\"description\":\"All of these, "
		"joined.\",\"anyOf\":[{\"type\":\"array\","
		"\"items\":{},\"maxItems\":4}]}",
	};
	char *text = schema(zoo_rows);
	const char *end = json(text);
	(void)state;
	assert_non_null(end);
	assert_string_equal(end, "\n");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!strstr(text, parts[i]))
			fail_msg("not there: %s\n%s", parts[i], text);
	}
	assert_null(strstr(text, "not-shown-default"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manual_has_each_row),
		cmocka_unit_test(schema_is_json_and_has_each_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
