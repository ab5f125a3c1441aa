#include "imported.h"

static void every_form_of_a_server(void **state)
{
	struct imported i = import_text(FL_IMPORT_ANY, "alpha:\n"
						       "  listen: 127.0.0.1:22121\n"
						       "  hash: md5\n"
						       "  hash_tag: \"{}\"\n"
						       "  distribution: modula\n"
						       "  servers:\n"
						       "   - 10.0.0.1:11211:1\n"
						       "   - 10.0.0.2:22122:7\n"
						       "   - 10.0.0.3:22123:1 third\n"
						       "   - /run/c.sock:2\n"
						       "   - /run/d.sock:2 fifth\n"
						       "   - ::1:11211:1\n"
						       "beta: {servers: [\"h:1:1\"]}\n");

	(void)state;
	assert_int_equal(i.rc, FL_OK);
	assert_false(i.misplaced);
	assert_true(contains(&i.config,
		"algorithm: {compat: \"twemproxy-modula\", hash: \"md5\", hash-tag: \"{}\"}\n"
		"    nodes:\n"
		"      - {name: \"10.0.0.1\", address: \"10.0.0.1:11211\", id: 1}  # f.yaml:7\n"
		"      - {name: \"10.0.0.2:22122\", address: \"10.0.0.2:22122\", weight: 7, "
		"id: 2}"
		"  # f.yaml:8\n"
		"      - {name: \"third\", address: \"10.0.0.3:22123\", id: 3}  # f.yaml:9\n"
		"      - {name: \"/run/c.sock:\", address: \"unix:/run/c.sock\", weight: 2, "
		"id: 4}"
		"  # f.yaml:10\n"
		"      - {name: \"fifth\", address: \"unix:/run/d.sock\", weight: 2, id: 5}"
		"  # f.yaml:11\n"
		"      - {name: \"::1\", address: \"[::1]:11211\", id: 6}  # f.yaml:12\n"));
	assert_true(
		contains(&i.config, "{compat: \"twemproxy-ketama\", hash: \"fnv1a_64\"}\n"));
	assert_true(contains(&i.report,
		"f.yaml:2: only for lookup: `listen: 127.0.0.1:22121`: speaks memcached's"));
	imported_fini(&i);
}

static void what_has_no_meaning_is_listed(void **state)
{
	struct imported i = import_text(FL_IMPORT_TWEMPROXY, "a:\n"
							     "  listen: /run/a 0666\n"
							     "  hash: crc32\n"
							     "  redis: true\n"
							     "  redis_auth: hunter2\n"
							     "  auto_eject_hosts: true\n"
							     "  backlog: 1024\n"
							     "  servers: [\"h:1:1\"]\n");

	(void)state;
	assert_int_equal(i.rc, FL_OK);
	assert_false(i.misplaced);
	assert_true(
		contains(&i.report, "f.yaml:2: only for lookup: `listen: /run/a 0666`: speaks "
				    "redis's protocol"));
	assert_true(contains(&i.report, "f.yaml:3: carried: `hash: crc32`: has 15 bits"));
	assert_true(
		contains(&i.report, "f.yaml:5: not carried: `redis_auth`: has no counterpart"));
	assert_true(contains(&i.report, "f.yaml:6: not carried: `auto_eject_hosts: true`: "));
	assert_true(
		contains(&i.report, "f.yaml:7: not carried: `backlog`: has no counterpart"));
	assert_null(strstr(i.report.p, "hunter2"));
	assert_null(strstr(i.config.p, "listeners"));
	imported_fini(&i);
}

static void what_moves_keys_is_marked(void **state)
{
	struct imported i = import_text(
		FL_IMPORT_TWEMPROXY, "a: {distribution: random, servers: [\"h:1:1\"]}\n");

	(void)state;
	assert_true(i.misplaced);
	assert_true(contains(
		&i.report, "f.yaml:1: ! not carried: `distribution: random`: twemproxy sends"));
	assert_null(strstr(i.config.p, "compat"));
	imported_fini(&i);
	i = import_text(FL_IMPORT_TWEMPROXY,
		"a: {hash_tag: \",.\", servers: [\"h:1:1\", \"i:1:65536\"]}\n");
	assert_true(i.misplaced);
	assert_true(contains(&i.report, "! not carried: `hash_tag: ,.`: "));
	assert_true(
		contains(&i.report, "! not carried: `i:1:65536`: a weight here is at most"));
	assert_true(contains(&i.config, "weight: 65535"));
	imported_fini(&i);
	i = import_text(FL_IMPORT_TWEMPROXY, "a: {servers: [\"h:1:1 "
					     "n123456789012345678901234567890123456789012345678"
					     "90123456789012345678901234567890"
					     "\"]}\n");
	assert_true(i.misplaced);
	assert_true(contains(&i.report, "twemproxy cuts a name of more than 80 bytes"));
	imported_fini(&i);
}

static void broken_structure_is_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{"a: {servers: [x]",
			"f.yaml:1:17: not valid YAML: did not find expected ',' or '}' "
			"while parsing a flow mapping"},
		{"[]", "f.yaml:1:1: this wants a map"},
		{"a: 5", "f.yaml:1:4: a wants a map"},
		{"a: {listen: x}", "f.yaml:1:4: pool a wants servers"},
		{"a: {servers: x}", "f.yaml:1:14: servers wants a list"},
		{"a: {servers: [[]]}", "f.yaml:1:15: this wants a single value"},
		{"a: {servers: [\"h:1:1\"], redis: maybe}",
			"f.yaml:1:32: redis wants true or false"},
		{"a: {servers: [\"h:1:1\"], hash_tag: abc}",
			"f.yaml:1:35: hash_tag wants two characters, not \"abc\""},
		{"a: {servers: [\"h:1:1\"], hash: fnv1a_46}",
			"f.yaml:1:31: \"fnv1a_46\" is no hash of twemproxy's; did you mean "
			"\"fnv1a_64\"?"},
		{"a: {servers: [\"h:1:1\"], distribution: x}",
			"f.yaml:1:39: \"x\" is no distribution of twemproxy's"},
		{NULL, NULL},
	};
	static const char *const servers[] = {"h", "h:1", "h:1:0", "h:1:x", "h:0:1",
		"h:65536:1", ":1:1", "/run/a", "/run/a:0", "h:1:2147483648", NULL};
	char text[128], error[256];

	(void)state;
	for (size_t k = 0; cases[k].text; k++)
		assert_refused(FL_IMPORT_TWEMPROXY, cases[k].text, cases[k].error);
	for (size_t k = 0; servers[k]; k++) {
		snprintf(text, sizeof(text), "a: {servers: [\"%s\"]}", servers[k]);
		snprintf(error, sizeof(error),
			"f.yaml:1:15: a server is written \"host:port:weight name\" or "
			"\"/socket:weight name\", not \"%s\"",
			servers[k]);
		assert_refused(FL_IMPORT_TWEMPROXY, text, error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_a_server),
		cmocka_unit_test(what_has_no_meaning_is_listed),
		cmocka_unit_test(what_moves_keys_is_marked),
		cmocka_unit_test(broken_structure_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
