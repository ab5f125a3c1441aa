/* Rows to structs: every type, defaults by the same path, shorthands, hooks, secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "unit/conf/zoo.h"

static struct fl_conf *conf;
static struct zoo zoo;

static int forget(void **state)
{
	(void)state;
	fl_conf_free(conf);
	conf = NULL;
	return 0;
}

static int load(const char *text)
{
	fl_conf_free(conf);
	memset(&zoo, 0x5a, sizeof(zoo)); /* nothing may be left of what was there */
	memset(&zoo.hidden, 0, sizeof(zoo.hidden));
	if (fl_conf_parse(&conf, "f", text, strlen(text)) != 0)
		return -1;
	return fl_conf_read(conf, fl_conf_root(conf), zoo_rows, &zoo);
}

static const struct zoo_pool *pool(size_t i)
{
	assert_true(i < zoo.pools.count);
	return (const struct zoo_pool *)zoo.pools.items + i;
}

static const struct zoo_key *key(const struct fl_option_list *list, size_t i)
{
	assert_true(i < list->count);
	return (const struct zoo_key *)list->items + i;
}

static void check_defaults(void)
{
	assert_false(zoo.debug);
	assert_int_equal(zoo.workers, 2);
	assert_int_equal(zoo.offset, 0);
	assert_int_equal(zoo.floor, 10);
	assert_int_equal(zoo.any, 0);
	assert_int_equal(zoo.buffer, 16384);
	assert_int_equal(zoo.quota, 0);
	assert_int_equal(zoo.timeout, 5000);
	assert_int_equal(zoo.interval, 1000);
	assert_true(zoo.share == 0.05);
	assert_null(zoo.title);
	assert_null(zoo.label);
	assert_string_equal(zoo.token, "not-shown-default");
	assert_int_equal(zoo.mode, 1);
	assert_int_equal(zoo.spot.x, 3);
	assert_int_equal(zoo.spot.y, 4);
	assert_null(zoo.vault.id);
	assert_int_equal(zoo.hosts.count, 0);
	assert_null(zoo.hosts.items);
	assert_int_equal(zoo.pools.count, 0);
}

static void defaults(void **state)
{
	(void)state;
	assert_int_equal(load("version: 1\n"), 0);
	check_defaults();
	memset(&zoo, 0x5a, sizeof(zoo));
	assert_int_equal(fl_conf_defaults(conf, zoo_rows, &zoo), 0);
	check_defaults();
	memset(&zoo, 0x5a, sizeof(zoo));
	assert_int_equal(fl_conf_read(conf, NULL, zoo_rows, &zoo), -1);
	check_defaults();
	assert_int_equal(fl_conf_errors(conf), 0);
}

static void what_is_wrong_gets_its_default(void **state)
{
	(void)state;
	assert_int_equal(load("version: x\ndebug: x\nworkers: x\noffset: x\nfloor: x\nany: x\n"
			      "buffer: x\nquota: x\ntimeout: x\ninterval: x\nshare: x\n"
			      "title: []\nlabel: a/b\ntoken: x\nmode: x\nspot: x\nvault: x\n"
			      "hosts: [a, b, c, d]\npools: x\n"),
		-1);
	assert_int_equal(fl_conf_errors(conf), 19);
	check_defaults();
}

static void scalars(void **state)
{
	(void)state;
	assert_int_equal(load("version: 1\ndebug: yes\nworkers: \"7\"\noffset: -5\nfloor: 99\n"
			      "any: -9223372036854775808\nbuffer: 1MiB\nquota: 3GB\n"
			      "timeout: 90m\ninterval: 1d\nshare: \"50%\"\ntitle: true\n"
			      "label: \"null\"\ntoken: 12345678\nmode: http\nspot: -7,8\n"
			      "hidden: 1,1\nvault: {id: a, pin: 5}\n"),
		0);
	assert_true(zoo.debug);
	assert_int_equal(zoo.workers, 7);
	assert_int_equal(zoo.offset, -5);
	assert_int_equal(zoo.floor, 99);
	assert_true(zoo.any == INT64_MIN);
	assert_int_equal(zoo.buffer, 1 << 20);
	assert_int_equal(zoo.quota, 3000000000);
	assert_int_equal(zoo.timeout, 5400000);
	assert_int_equal(zoo.interval, 86400000);
	assert_true(zoo.share == 0.5);
	assert_string_equal(zoo.title, "true");
	assert_string_equal(zoo.label, "null");
	assert_string_equal(zoo.token, "12345678");
	assert_int_equal(zoo.mode, 0);
	assert_int_equal(zoo.spot.x, -7);
	assert_int_equal(zoo.hidden.y, 1);
	assert_string_equal(zoo.vault.id, "a");
	assert_int_equal(zoo.vault.pin, 5);
}

static void maps_and_what_is_given(void **state)
{
	(void)state;
	assert_int_equal(load("version: 1\npools:\n  a: {}\n  b: {health: /ok}\n"
			      "  c: {health: {path: /, interval: 100ms}}\n  null: {}\n"),
		0);
	assert_int_equal(zoo.pools.count, 4);
	assert_string_equal(pool(0)->name, "a");
	assert_int_equal(pool(0)->algorithm, 1);
	assert_false(pool(0)->has_health);
	assert_int_equal(pool(0)->health.interval, 2000);
	assert_true(pool(1)->has_health);
	assert_string_equal(pool(1)->health.path, "/ok");
	assert_int_equal(pool(1)->health.interval, 2000);
	assert_int_equal(pool(2)->health.interval, 100);
	assert_string_equal(pool(3)->name, "null");
}

static void lists(void **state)
{
	const struct zoo_host *hosts;
	const struct zoo_node *nodes;
	(void)state;
	assert_int_equal(load("version: 1\nhosts: one\n"), 0);
	assert_int_equal(zoo.hosts.count, 1);
	hosts = zoo.hosts.items;
	assert_string_equal(hosts[0].name, "one");
	assert_int_equal(hosts[0].port, 80);
	assert_int_equal(load("version: 1\nhosts: {name: x, port: 5}\n"), 0);
	assert_int_equal(zoo.hosts.count, 1);
	hosts = zoo.hosts.items;
	assert_int_equal(hosts[0].port, 5);
	assert_int_equal(load("version: 1\nhosts: []\n"), 0);
	assert_int_equal(zoo.hosts.count, 0);
	assert_int_equal(load("version: 1\nhosts: [a, {port: 6}, c]\npools: {p: {nodes: "
			      "[{name: n, address: m, backup: on, weight: 0}]}}\n"),
		0);
	assert_int_equal(zoo.hosts.count, 3);
	hosts = zoo.hosts.items;
	assert_null(hosts[1].name);
	assert_int_equal(hosts[1].port, 6);
	assert_string_equal(hosts[2].name, "c");
	assert_int_equal(pool(0)->nodes.count, 1);
	nodes = pool(0)->nodes.items;
	assert_string_equal(nodes[0].address, "m");
	assert_int_equal(nodes[0].weight, 0);
	assert_true(nodes[0].backup);
}

static void tables_that_contain_themselves(void **state)
{
	const struct zoo_key *all;
	(void)state;
	assert_int_equal(
		load("version: 1\npools: {p: {key: {all: [x, {all: [y, {cookie: z}]}]}}}\n"),
		0);
	all = key(&pool(0)->key, 0);
	assert_int_equal(all->all.count, 2);
	assert_string_equal(key(&all->all, 0)->header, "x");
	assert_string_equal(key(&key(&all->all, 1)->all, 1)->cookie, "z");
}

static void a_default_may_be_a_list(void **state)
{
	(void)state;
	assert_int_equal(load("version: 1\npools: {p: {}}\n"), 0);
	assert_int_equal(pool(0)->key.count, 2);
	assert_string_equal(key(&pool(0)->key, 0)->header, "x-user");
	assert_string_equal(key(&pool(0)->key, 1)->cookie, "id");
}

static void reading_goes_on_after_errors(void **state)
{
	(void)state;
	/* What is right is there although other things are wrong: checks between rooms need
	 * it. */
	assert_int_equal(load("version: 1\nworkers: x\npools:\n  a: {algorithm: x, key: u}\n"
			      "  b: {algorithm: table}\n  c: 5\nhosts: [a, [], c]\n"),
		-1);
	assert_int_equal(fl_conf_errors(conf), 4);
	assert_int_equal(zoo.workers, 2);
	assert_int_equal(zoo.pools.count, 3);
	assert_string_equal(pool(0)->name, "a");
	assert_int_equal(pool(0)->algorithm, 1);
	assert_string_equal(key(&pool(0)->key, 0)->header, "u");
	assert_int_equal(pool(1)->algorithm, 0);
	assert_int_equal(zoo.hosts.count, 3);
	assert_string_equal(((struct zoo_host *)zoo.hosts.items)[2].name, "c");
}

static void parts_can_be_read_alone(void **state)
{
	struct zoo_pool one;
	uint64_t ms = 1;
	const struct fl_conf_node *root, *app;
	static const char text[] = "app: {heaer: 1, header: h}\nx: 3s\ny: 3";
	static const struct fl_option wait = {
		.name = "wait", .type = FL_OPT_DURATION, .def = "7s"};
	(void)state;
	assert_int_equal(fl_conf_parse(&conf, "f", text, sizeof(text) - 1), 0);
	root = fl_conf_root(conf);
	app = fl_conf_get(root, "app");
	assert_int_equal(fl_conf_read(conf, app, zoo_pool_rows, &one), -1);
	assert_string_equal(one.header, "h");
	assert_string_equal(fl_conf_error_text(conf, 0),
		"f:1:7: error: unknown key \"heaer\" in \"app\"; did you mean \"header\"?");
	assert_int_equal(fl_conf_read_value(conf, fl_conf_get(root, "x"), &wait, &ms), 0);
	assert_int_equal(ms, 3000);
	assert_int_equal(fl_conf_read_value(conf, fl_conf_get(root, "y"), &wait, &ms), -1);
	assert_int_equal(ms, 7000);
	assert_null(fl_conf_get(root, "z"));
	assert_null(fl_conf_get(NULL, "z"));
	assert_null(fl_conf_get(fl_conf_get(root, "x"), "z"));
}

static void warnings_do_not_fail(void **state)
{
	(void)state;
	assert_int_equal(load("version: 1\n"), 0);
	fl_conf_warn(conf, fl_conf_get(fl_conf_root(conf), "version"), "old%c", '\a');
	fl_conf_warn(conf, NULL, "nothing is served");
	assert_int_equal(fl_conf_errors(conf), 0);
	assert_int_equal(fl_conf_warnings(conf), 2);
	assert_string_equal(fl_conf_warning_text(conf, 0), "f: warning: nothing is served");
	assert_string_equal(fl_conf_warning_text(conf, 1), "f:1:10: warning: old\\x07");
	assert_int_equal(fl_conf_error(conf, NULL, "x"), -1);
}

static void long_names_and_texts_are_cut(void **state)
{
	char name[600], text[900];
	(void)state;
	memset(name, 'n', sizeof(name));
	memcpy(name + sizeof(name) - 6, "/f.ym", 6);
	memset(text, 't', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(fl_conf_parse(&conf, name, "a: 1", 4), 0);
	(void)fl_conf_error(conf, fl_conf_root(conf), "%s", text);
	const char *got = fl_conf_error_text(conf, 0);
	assert_memory_equal(got, "...nnn", 6);
	assert_non_null(strstr(got, "n/f.ym:1:1: error: tttt"));
	assert_true(strlen(got) < 800);
}

static int say_value(struct fl_conf *c, const struct fl_conf_node *node, void *out)
{
	(void)out;
	fl_conf_warn(c, node, "warned about %s", node->text);
	return fl_conf_error(c, node, "%s is no good", node->text);
}

static int say_nothing(struct fl_conf *c, const struct fl_conf_node *node, void *out)
{
	(void)c;
	(void)node;
	(void)out;
	return -1;
}

struct safe {
	const char *token;
	struct fl_option_list tokens;
	const char *quiet;
};

static void no_message_shows_a_secret(void **state)
{
	static const struct fl_option rows[] = {
		{.name = "token",
			.type = FL_OPT_STRING,
			.offset = offsetof(struct safe, token),
			.secret = true,
			.parse = say_value},
		{.name = "tokens",
			.type = FL_OPT_NAMED,
			.offset = offsetof(struct safe, tokens),
			.rows = zoo_node_rows,
			.item_size = sizeof(struct zoo_node),
			.secret = true},
		{.name = "quiet",
			.type = FL_OPT_STRING,
			.offset = offsetof(struct safe, quiet),
			.parse = say_nothing},
		FL_OPTION_END,
	};
	static const char text[] = "token: hunter2\ntokens: {hunter3: {weight: hunter4, "
				   "hunter5: hunter6}, hunter7: hunter8, hunter9: {name: "
				   "hunter10}}\nquiet: x\n";
	struct safe safe;
	(void)state;
	assert_int_equal(fl_conf_parse(&conf, "f", text, sizeof(text) - 1), 0);
	assert_int_equal(fl_conf_read(conf, fl_conf_root(conf), rows, &safe), -1);
	assert_true(fl_conf_errors(conf) >= 6);
	for (size_t i = 0; i < fl_conf_errors(conf); i++)
		assert_null(strstr(fl_conf_error_text(conf, i), "hunter"));
	assert_string_equal(fl_conf_error_text(conf, 0),
		"f:1:8: error: \"token\" wants text (its value is not shown)");
	assert_string_equal(fl_conf_warning_text(conf, 0),
		"f:1:8: warning: \"token\" wants text (its value is not shown)");
	assert_string_equal(fl_conf_error_text(conf, fl_conf_errors(conf) - 1),
		"f:3:8: error: \"quiet\" wants text, not \"x\"");
	assert_null(safe.token);
}

static void a_wrong_default_is_found(void **state)
{
	static const struct fl_option rows[] = {
		{.name = "wait", .type = FL_OPT_DURATION, .def = "5"},
		FL_OPTION_END,
	};
	uint64_t ms;
	(void)state;
	assert_int_equal(fl_conf_parse(&conf, "f", "", 0), 0);
	assert_int_equal(fl_conf_defaults(conf, rows, &ms), -1);
	assert_string_equal(fl_conf_error_text(conf, 0),
		"f: error: \"wait\" wants a duration such as 5s or 250ms, not \"5\"");
	assert_int_equal(ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(defaults, forget),
		cmocka_unit_test_teardown(what_is_wrong_gets_its_default, forget),
		cmocka_unit_test_teardown(scalars, forget),
		cmocka_unit_test_teardown(maps_and_what_is_given, forget),
		cmocka_unit_test_teardown(lists, forget),
		cmocka_unit_test_teardown(tables_that_contain_themselves, forget),
		cmocka_unit_test_teardown(a_default_may_be_a_list, forget),
		cmocka_unit_test_teardown(reading_goes_on_after_errors, forget),
		cmocka_unit_test_teardown(parts_can_be_read_alone, forget),
		cmocka_unit_test_teardown(warnings_do_not_fail, forget),
		cmocka_unit_test_teardown(long_names_and_texts_are_cut, forget),
		cmocka_unit_test_teardown(no_message_shows_a_secret, forget),
		cmocka_unit_test_teardown(a_wrong_default_is_found, forget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
