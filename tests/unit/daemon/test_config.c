/* The whole file: what a good one gives, and what is said of broken ones (a table in
 * tests/data/config-errors.txt, in which each case names its first message). */
#include "daemon/config.h"

#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct fl_config *parse(const char *text, int expected)
{
	struct fl_config *c = NULL;
	int rc = fl_config_parse(&c, "t.yaml", text, strlen(text));

	if (rc != expected && c && fl_conf_errors(c->conf))
		print_message("%s\n", fl_conf_error_text(c->conf, 0));
	assert_int_equal(rc, expected);
	assert_non_null(c);
	return c;
}

/* ---- good files ---- */

static void test_least(void **unused)
{
	struct fl_config *c =
		parse("version: 1\n"
		      "listeners: [{name: web, bind: \":8080\"}]\n"
		      "pools: {app: {nodes: [\"10.0.0.1:80\", \"b=10.0.0.2:80\"]}}\n",
			0);

	(void)unused;
	assert_int_equal(fl_conf_warnings(c->conf), 0);
	assert_int_equal(c->route_count, 1);
	assert_null(c->routes[0].host);
	assert_string_equal(c->routes[0].pool, "app");
	assert_int_equal(c->listener_count, 1);
	assert_int_equal(c->listeners[0].protocol, FL_LISTENER_HTTP);
	assert_null(c->admin.listen);
	assert_int_equal(c->loop, FL_CONFIG_EPOLL);
	assert_int_equal(c->log.level, FL_LOG_INFO);
	assert_string_equal(c->log.access, "off");
	const struct fl_config_pool *p = fl_config_pool(c, "app");
	assert_non_null(p);
	assert_null(fl_config_pool(c, "ap"));
	assert_string_equal(p->pool.spec, "table");
	assert_int_equal(p->pool.count, 2);
	assert_string_equal(p->pool.nodes[0].name, "10.0.0.1:80");
	assert_string_equal(p->pool.nodes[0].address, "10.0.0.1:80");
	assert_string_equal(p->pool.nodes[1].name, "b");
	assert_string_equal(p->pool.nodes[1].address, "10.0.0.2:80");
	assert_int_equal(p->pool.nodes[1].weight, 1);
	assert_int_equal(p->pool.nodes[1].slot, -1);
	assert_int_equal(p->health.kind, FL_HEALTH_NONE);
	assert_int_equal(p->forward.key.count, 1);
	assert_string_equal(p->forward.key.items[0].label, "client_ip");
	assert_int_equal(p->forward.attempts, 3);
	assert_int_equal(p->forward.keepalive_ms, 4000);
	assert_int_equal(p->forward.eject_fails, 1);
	assert_int_equal(p->forward.eject_ms, 10000);
	assert_int_equal(c->client.head, 32768);
	assert_int_equal(c->client.drain_ms, 30000);
	assert_int_equal(c->client.body, 1 << 30);
	fl_config_free(c);
}

static const char full[] =
	"version: 1\n"
	"admin: {listen: \"127.0.0.1:9901\", token: very-secret}\n"
	"workers: 4\n"
	"loop: auto\n"
	"log: {level: warn, access: /var/log/access, format: json}\n"
	"limits: {line: 4KiB, head: 16KiB, headers: 50, body: 1MiB, connections: 10}\n"
	"timeouts: {head: 1s, idle: 2s, stall: 3s, drain: 4s}\n"
	"listeners:\n"
	"  - {name: web, bind: \":8080\", protocol: http}\n"
	"  - {name: alt, bind: \"[::1]:8081\"}\n"
	"routes:\n"
	"  - {listener: web, host: \"*.example.com\", path: /api, pool: app}\n"
	"  - {pool: rest}\n"
	"pools:\n"
	"  app:\n"
	"    algorithm: {name: ring, points: 20, seed: 7}\n"
	"    key: [{header: X-User}, {all: [host, path]}, {client_ip: {v4: 24, v6: 48}}]\n"
	"    no_key: reject\n"
	"    attempts: 5\n"
	"    connect: 1s\n"
	"    response: 10s\n"
	"    stall: 11s\n"
	"    keepalive: 0s\n"
	"    keepalive_connections: 3\n"
	"    eject: {fails: 3, for: 20s}\n"
	"    slow_start: 30s\n"
	"    health: {http: {path: /ok, host: app, expect: 204}, interval: 5s, rise: 1, fall: "
	"2}\n"
	"    nodes:\n"
	"      - {name: a, address: \"10.0.0.1:80\", weight: 2, zone: z1, slot: 3}\n"
	"      - {name: b, address: \"unix:/run/b\", backup: true, state: drain}\n"
	"      - c=host.example:8080\n"
	"  rest: {algorithm: \"table,rows=1024\", key: \"cookie:sid\", health: tcp,\n"
	"         nodes: [\"10.0.0.1:81\"]}\n";

static void test_full(void **unused)
{
	struct fl_config *c = parse(full, 0);
	const struct fl_config_pool *app = fl_config_pool(c, "app");
	const struct fl_config_pool *rest = fl_config_pool(c, "rest");

	(void)unused;
	assert_int_equal(fl_conf_warnings(c->conf), 0);
	assert_string_equal(c->admin.listen, "127.0.0.1:9901");
	assert_string_equal(c->admin.token, "very-secret");
	assert_int_equal(c->workers, 4);
	assert_int_equal(c->loop, FL_CONFIG_AUTO);
	assert_int_equal(c->log.level, FL_LOG_WARN);
	assert_string_equal(c->log.access, "/var/log/access");
	assert_int_equal(c->log.format, FL_LOG_JSON);
	assert_int_equal(c->client.line, 4096);
	assert_int_equal(c->client.headers, 50);
	assert_int_equal(c->client.connections, 10);
	assert_int_equal(c->client.head_ms, 1000);
	assert_int_equal(c->client.stall_ms, 3000);
	assert_int_equal(c->route_count, 2);
	assert_string_equal(c->routes[0].listener, "web");
	assert_string_equal(c->routes[0].path, "/api");
	assert_string_equal(app->pool.spec, "ring,points=20,seed=7");
	assert_int_equal(app->pool.slow_start_ms, 30000);
	assert_int_equal(app->pool.nodes[0].weight, 2);
	assert_string_equal(app->pool.nodes[0].zone, "z1");
	assert_int_equal(app->pool.nodes[0].slot, 3);
	assert_true(app->pool.nodes[1].backup);
	assert_int_equal(app->pool.nodes[1].admin, FL_ADMIN_DRAIN);
	assert_string_equal(app->pool.nodes[2].name, "c");
	assert_int_equal(app->forward.key.count, 3);
	assert_int_equal(app->forward.no_key, FL_NO_KEY_REJECT);
	assert_int_equal(app->forward.attempts, 5);
	assert_int_equal(app->forward.stall_ms, 11000);
	assert_int_equal(app->forward.keepalive_ms, 0);
	assert_int_equal(app->forward.keepalive, 3);
	assert_int_equal(app->forward.eject_fails, 3);
	assert_int_equal(app->forward.eject_ms, 20000);
	assert_int_equal(app->health.kind, FL_HEALTH_HTTP);
	assert_string_equal(app->health.http.path, "/ok");
	assert_string_equal(app->health.http.host, "app");
	assert_int_equal(app->health.http.expect.min, 204);
	assert_int_equal(app->health.http.expect.max, 204);
	assert_int_equal(app->health.interval_ms, 5000);
	assert_int_equal(app->health.fall, 2);
	assert_string_equal(rest->pool.spec, "table,rows=1024");
	assert_int_equal(rest->health.kind, FL_HEALTH_TCP);
	assert_string_equal(rest->forward.key.items[0].label, "cookie:sid");
	fl_config_free(c);
}

static void test_short_forms(void **unused)
{
	static const struct {
		const char *text;
		int kind;
		uint64_t timeout_ms;
	} cases[] = {
		{"tcp", FL_HEALTH_TCP, 1000},
		{"http", FL_HEALTH_HTTP, 1000},
		{"none", FL_HEALTH_NONE, 1000},
		{"{tcp: true}", FL_HEALTH_TCP, 1000},
		{"{http: /up}", FL_HEALTH_HTTP, 1000},
		{"{http: {}}", FL_HEALTH_HTTP, 1000},
		{"{type: http, http: /up}", FL_HEALTH_HTTP, 1000},
		{"{type: tcp, interval: 300ms}", FL_HEALTH_TCP, 300},
	};
	char text[512];

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(text, sizeof(text),
			"version: 1\nlisteners: [{name: w, bind: \":1\"}]\n"
			"pools: {app: {health: %s, nodes: [\"h:80\"]}}\n",
			cases[i].text);
		struct fl_config *c = parse(text, 0);
		assert_int_equal(c->pools[0].health.kind, cases[i].kind);
		assert_int_equal(c->pools[0].health.timeout_ms, cases[i].timeout_ms);
		assert_int_equal(c->pools[0].health.http.expect.max, 399);
		fl_config_free(c);
	}
}

/* What lookup needs is less. */
static void test_lookup_needs_pools_only(void **unused)
{
	static const char text[] =
		"version: 1\npools: {app: {nodes: [a, {name: b, weight: 2}]}}\n";
	struct fl_config *c = NULL;

	(void)unused;
	assert_int_equal(fl_config_parse_for(&c, "t", text, strlen(text), FL_CONFIG_LOOKUP), 0);
	assert_string_equal(c->pools[0].pool.nodes[0].name, "a");
	assert_null(c->pools[0].pool.nodes[1].address);
	fl_config_free(c);
	c = parse(text, -1);
	fl_config_free(c);
}

static void test_secret_is_not_said(void **unused)
{
	struct fl_config *c = parse("version: 1\n"
				    "admin: {listen: \"127.0.0.1:1\", token: hush}\n"
				    "listeners: [{name: web, bind: \":8080\"}]\n"
				    "pools: {app: {nodes: [\"h:80\"]}}\n",
		-1);

	(void)unused;
	assert_int_equal(fl_conf_errors(c->conf), 1);
	assert_null(strstr(fl_conf_error_text(c->conf, 0), "hush"));
	fl_config_free(c);
}

static const char *spec_by(const char *algorithm, struct fl_config **c, int expected)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		"version: 1\nlisteners: [{name: web, bind: \":8080\"}]\n"
		"pools: {app: {nodes: [\"h:80\"], algorithm: %s}}\n",
		algorithm);
	*c = parse(text, expected);
	return expected ? fl_conf_error_text((*c)->conf, 0)
	                : fl_config_pool(*c, "app")->pool.spec;
}

#define DIGITS "5ec7e7005ec7e7015ec7e7025ec7e703"

static void test_secret_of_a_pool(void **unused)
{
	static const char *const wrong[][2] = {
		{"{name: ring, secret: " DIGITS "0}", "secret: expected 32 hexadecimal digits"},
		{"{name: ring, secret: [" DIGITS "]}", "\"secret\" wants a single value"},
		{"{name: ring, secret: {" DIGITS ": 1}}", "\"secret\" wants a single value"},
		{"{name: ring, secrt: " DIGITS "}", "did you mean \"secret\"?"},
		{"{compat: circle-360, secret: " DIGITS "}", "has no option \"secret\""},
		{"{name: \"ring,secret=" DIGITS "\"}", "wants the name of an algorithm"},
		{"\"ring,secret=" DIGITS DIGITS DIGITS "\"", "secret: expected 32"},
	};
	struct fl_config *c;

	(void)unused;
	assert_string_equal(spec_by("{name: ring, secret: " DIGITS ", seed: 1}", &c, 0),
		"ring,secret=" DIGITS ",seed=1");
	fl_config_free(c);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *said = spec_by(wrong[i][0], &c, -1);

		if (strstr(said, "5ec7e7") || !strstr(said, wrong[i][1]))
			fail_msg("%s", said);
		fl_config_free(c);
	}
}

/* What the file at `path` has, and what is said of it. */
static void check_secret_file(
	const char *path, const char *content, int expected, const char *says)
{
	struct fl_config *c;
	char algorithm[128];
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(content, 1, strlen(content), f), strlen(content));
	assert_int_equal(fclose(f), 0);
	(void)snprintf(
		algorithm, sizeof(algorithm), "{name: table, secret_file: \"%s\"}", path);
	const char *said = spec_by(algorithm, &c, expected);
	if (!strstr(said, says) || (expected && strstr(said, "5ec7e7")))
		fail_msg("%s", said);
	fl_config_free(c);
}

static void test_secret_in_a_file(void **unused)
{
	char path[] = "/tmp/fl-secret-XXXXXX";
	int fd = mkstemp(path);
	struct fl_config *c;

	(void)unused;
	assert_true(fd >= 0);
	(void)close(fd);
	check_secret_file(path, DIGITS, 0, "table,secret=" DIGITS);
	check_secret_file(path, DIGITS "\nmore", 0, "table,secret=" DIGITS);
	check_secret_file(path, DIGITS "\r\n", 0, "table,secret=" DIGITS);
	check_secret_file(path, "", -1, "is not 32 hexadecimal digits");
	check_secret_file(path, "\n" DIGITS, -1, "is not 32 hexadecimal digits");
	check_secret_file(path, " " DIGITS, -1, "is not 32 hexadecimal digits");
	check_secret_file(path, DIGITS ",seed=1", -1, "is not 32 hexadecimal digits");
	check_secret_file(path, "5ec7e7005ec7e7015ec7e7025e,seed=", -1, "is not 32");
	assert_int_equal(unlink(path), 0);
	assert_non_null(strstr(spec_by("{name: table, secret_file: /no/such}", &c, -1),
		"cannot read \"/no/such\""));
	fl_config_free(c);
	assert_non_null(strstr(spec_by("{name: table, secret_file: [/no/such]}", &c, -1),
		"wants the path of a file"));
	fl_config_free(c);
	assert_non_null(
		strstr(spec_by("{name: table, secret: " DIGITS ", secret_file: /no}", &c, -1),
			"either \"secret\" or \"secret_file\", not both"));
	fl_config_free(c);
}

/* Every row has its sentence, and every default is in order. */
static void check_rows(const struct fl_option *rows, unsigned depth)
{
	for (; rows->name; rows++) {
		size_t len = rows->doc ? strlen(rows->doc) : 0;

		if (len < 10 || rows->doc[len - 1] != '.')
			print_message("row \"%s\" wants a sentence\n", rows->name);
		assert_true(len >= 10 && rows->doc[len - 1] == '.');
		if (rows->type == FL_OPT_CUSTOM)
			assert_non_null(rows->form);
		if (rows->rows && depth < 8)
			check_rows(rows->rows, depth + 1);
	}
}

static void test_rows(void **unused)
{
	struct fl_config out = {0};
	struct fl_config_pool pool;
	struct fl_conf *conf = NULL;

	(void)unused;
	memset(&pool, 0, sizeof(pool));
	check_rows(fl_config_rows(), 0);
	assert_int_equal(fl_conf_parse(&conf, "t", "{}", 2), 0);
	assert_int_equal(fl_conf_defaults(conf, fl_config_rows(), &out), 0);
	for (const struct fl_option *row = fl_config_rows(); row->name; row++)
		if (strcmp(row->name, "pools") == 0)
			assert_int_equal(fl_conf_defaults(conf, row->rows, &pool), 0);
	assert_string_equal(pool.pool.spec, "table");
	fl_conf_free(conf);
}

/* ---- broken files ---- */

struct broken {
	char *title, *text;
	char *expected;
	char *end;
};

/* The next case of the table at `at`, taken apart in place. */
static char *next_case(char *at, struct broken *b)
{
	char *head = strstr(at, "=== "), *body, *arrow;

	if (!head)
		return NULL;
	body = strchr(head, '\n');
	assert_non_null(body);
	arrow = strstr(body, "\n--> ");
	assert_non_null(arrow);
	*body = '\0';
	*b = (struct broken){.title = head + 4, .text = body + 1, .expected = arrow + 5};
	arrow[1] = '\0';
	b->end = strchr(b->expected, '\n');
	assert_non_null(b->end);
	*b->end = '\0';
	return b->end + 1;
}

static char *read_table(void)
{
	FILE *f = fopen(FL_TEST_DIR "/data/config-errors.txt", "rb");
	char *text = calloc(1, 1 << 18);

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 18) - 1, f) > 0);
	(void)fclose(f);
	return text;
}

/* A case whose title begins with "warn" is a good file with that first warning. */
static bool check_case(const struct broken *b)
{
	bool warn = strncmp(b->title, "warn", 4) == 0;
	struct fl_config *c = NULL;
	int rc = fl_config_parse(&c, "f", b->text, strlen(b->text));
	const char *said = "nothing";
	char want[512];
	bool good;

	(void)snprintf(want, sizeof(want), "f:%s", b->expected);
	if (warn && fl_conf_errors(c->conf) == 0 && fl_conf_warnings(c->conf) > 0)
		said = fl_conf_warning_text(c->conf, 0);
	else if (fl_conf_errors(c->conf) > 0)
		said = fl_conf_error_text(c->conf, 0);
	good = strcmp(said, want) == 0 && rc == (warn ? 0 : -1);
	if (!good)
		print_message("--- %s\nwant %s\nsaid %s\n", b->title, want, said);
	fl_config_free(c);
	return good;
}

static void test_broken(void **unused)
{
	char *table = read_table();
	struct broken b;
	unsigned cases = 0, bad = 0;

	(void)unused;
	for (char *at = table; (at = next_case(at, &b)) != NULL; cases++)
		bad += !check_case(&b);
	free(table);
	assert_int_equal(bad, 0);
	assert_true(cases >= 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_short_forms),
		cmocka_unit_test(test_lookup_needs_pools_only),
		cmocka_unit_test(test_secret_is_not_said),
		cmocka_unit_test(test_secret_of_a_pool),
		cmocka_unit_test(test_secret_in_a_file),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_broken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
