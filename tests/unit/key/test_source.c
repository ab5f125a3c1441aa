/* Sources of keys: every form, its label, and that short and long forms are the same. */
#include "key/source.h"

#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct fl_conf *conf;

struct holder {
	struct fl_key_sources key;
};

static const struct fl_option rows[] = {
	{.name = "key", .type = FL_OPT_CUSTOM, .parse = fl_key_sources_parse},
	FL_OPTION_END,
};

/* The sources that `key: TEXT` gives; the conf stays until the next call. */
static int read_key(const char *text, struct holder *out)
{
	char file[512];
	int n = snprintf(file, sizeof(file), "key: %s\n", text);

	fl_conf_free(conf);
	conf = NULL;
	memset(out, 0, sizeof(*out));
	if (fl_conf_parse(&conf, "t", file, (size_t)n) != 0)
		return -1;
	return fl_conf_read(conf, fl_conf_root(conf), rows, out);
}

static const struct form {
	const char *text;
	const char *labels; /* of all sources, with blanks between */
} forms[] = {
	{"client_ip", "client_ip"},
	{"[client_ip]", "client_ip"},
	{"client_ip/24", "client_ip/24"},
	{"{client_ip: 24}", "client_ip/24"},
	{"{client_ip: {v4: 24}}", "client_ip/24"},
	{"{client_ip: {v4: 32, v6: 64}}", "client_ip"},
	{"{client_ip: {v6: 48}}", "client_ip/32,48"},
	{"[{client_ip: }]", "client_ip"},
	{"\"header:X-User\"", "header:x-user"},
	{"{header: X-User}", "header:x-user"},
	{"'cookie:Sid'", "cookie:Sid"},
	{"{cookie: Sid}", "cookie:Sid"},
	{"'query:id'", "query:id"},
	{"{query: 'a:b'}", "query:a:b"},
	{"path", "path"},
	{"{path: }", "path"},
	{"uri", "uri"},
	{"[{uri: }, path]", "uri path"},
	{"[host, path, client_ip/8]", "host path client_ip/8"},
	{"{all: [host, path]}", "all(host,path)"},
	{"[{all: ['header:A', {cookie: b}]}, host]", "all(header:a,cookie:b) host"},
};

static void test_forms(void **unused)
{
	struct holder f;

	(void)unused;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char labels[256] = "";

		assert_int_equal(read_key(forms[i].text, &f), 0);
		for (size_t k = 0; k < f.key.count; k++)
			(void)snprintf(labels + strlen(labels), sizeof(labels) - strlen(labels),
				"%s%s", k ? " " : "", f.key.items[k].label);
		assert_string_equal(labels, forms[i].labels);
	}
}

static void test_fields(void **unused)
{
	struct holder f;

	(void)unused;
	assert_int_equal(read_key("['header:X-User', {client_ip: {v4: 8, v6: 32}}, "
				  "{all: [client_ip, 'query:Q']}]",
				 &f),
		0);
	assert_int_equal(f.key.count, 3);
	assert_int_equal(f.key.items[0].kind, FL_KEY_HEADER);
	assert_string_equal(f.key.items[0].name, "x-user");
	assert_int_equal(f.key.items[1].kind, FL_KEY_CLIENT_IP);
	assert_int_equal(f.key.items[1].v4, 8);
	assert_int_equal(f.key.items[1].v6, 32);
	assert_int_equal(f.key.items[2].kind, FL_KEY_ALL);
	assert_int_equal(f.key.items[2].part_count, 2);
	assert_int_equal(f.key.items[2].parts[0].v4, 32);
	assert_int_equal(f.key.items[2].parts[0].v6, 64);
	assert_int_equal(f.key.items[2].parts[1].kind, FL_KEY_QUERY);
	assert_string_equal(f.key.items[2].parts[1].name, "Q");
}

/* The longest that may be written fits, and one more is refused. */
static void test_bounds(void **unused)
{
	struct holder f;
	char text[400], name[140];

	(void)unused;
	memset(name, 'n', sizeof(name));
	(void)snprintf(text, sizeof(text), "'header:%.128s'", name);
	assert_int_equal(read_key(text, &f), 0);
	assert_int_equal(strlen(f.key.items[0].name), 128);
	(void)snprintf(text, sizeof(text), "'header:%.129s'", name);
	assert_int_equal(read_key(text, &f), -1);
	(void)snprintf(
		text, sizeof(text), "{all: ['header:%.128s', 'query:%.128s']}", name, name);
	assert_int_equal(read_key(text, &f), 0);
	assert_true(strlen(f.key.items[0].label) <= 255);
	assert_int_equal(
		read_key("[host,host,host,host,host,host,host,host,host,host,host,host,"
			 "host,host,host,host]",
			&f),
		0);
	assert_int_equal(f.key.count, 16);
	assert_int_equal(
		read_key("[host,host,host,host,host,host,host,host,host,host,host,host,"
			 "host,host,host,host,host]",
			&f),
		-1);
}

static void test_text(void **unused)
{
	static const struct {
		const char *text, *error;
	} wrong[] = {
		{"client_ip/33", "length from 1 to 32"},
		{"clientip", "did you mean \"client_ip\"?"},
		{"", "key"},
		{"path\nelse: 1", "else"},
	};
	struct fl_key_sources sources = {0};
	struct fl_error err;

	(void)unused;
	fl_conf_free(conf);
	assert_int_equal(
		fl_key_sources_text(&conf, "[header:X-User, client_ip/24]", &sources, &err),
		FL_OK);
	assert_int_equal(sources.count, 2);
	assert_string_equal(sources.items[0].name, "x-user");
	assert_int_equal(sources.items[1].v4, 24);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fl_conf_free(conf);
		assert_int_equal(
			fl_key_sources_text(&conf, wrong[i].text, &sources, &err), FL_EINVAL);
		if (!strstr(err.text, wrong[i].error) || strstr(err.text, "error:"))
			fail_msg("\"%s\": %s", wrong[i].text, err.text);
		assert_int_equal(sources.count, 2);
	}
}

static int end(void **unused)
{
	(void)unused;
	fl_conf_free(conf);
	conf = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
