// rooms: import daemon
/* Random models with hostile texts: what is written is a configuration without errors, and reading
 * it gives back the same model. */
#include "conf/conf.h"
#include "daemon/config.h"
#include "import/import.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ROUNDS 300

static uint64_t seed = 1;

static unsigned draw(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

/* Pieces that YAML, a terminal or a careless writer would take for something else. */
static struct fl_slice text(char to[FL_MAX_NAME + 1])
{
	static const char *const pieces[] = {"a", "b1", "\"", "\\", "'", ": ", " #", "{", "}",
		"[", "]", ",", "&x", "*x", "!", "|", ">", "%", "@", "`", "- ", "? ", "null",
		"~", "yes", "0x1f", "1e3", " ", "\\n", "\xc3\xa9", "\xe2\x80\xa8", "\xc2\x85",
		"\xef\xbb\xbf", "\xef\xbf\xbe", "\xef\xbf\xbd", "\xe2\x80\xae",
		"\xf0\x9f\x98\x80", "=", "/", "$", "---", "...", "<<", "\\x41"};
	size_t n = 0;

	for (unsigned i = 1 + draw(6); i > 0; i--) {
		const char *piece = pieces[draw(sizeof(pieces) / sizeof(pieces[0]))];
		memcpy(to + n, piece, strlen(piece));
		n += strlen(piece);
	}
	to[n] = '\0';
	return (struct fl_slice){to, n};
}

static struct fl_import_place somewhere(void)
{
	static const char *const files[] = {"a.conf", "b\nversion: 2", "c # {", "\xff"};

	return (struct fl_import_place){files[draw(4)], draw(100)};
}

static void add_nodes(struct fl_import *m, struct fl_import_pool *pool)
{
	char name[FL_MAX_NAME + 1], address[64];

	for (unsigned i = 1 + draw(4); i > 0; i--) {
		struct fl_slice at = {address, 0};
		if (draw(3))
			at.n = (size_t)snprintf(address, sizeof(address),
				draw(2) ? "10.0.0.%u:80" : "[::%x]:443", draw(250) + 1);
		struct fl_import_node *n =
			fl_import_add_node(m, pool, somewhere(), text(name), at);
		if (!n)
			continue;
		n->weight = pool->compat || draw(2) ? 1 : 1 + draw(65535);
		n->backup = draw(4) == 0;
		n->drain = draw(4) == 0;
	}
	if (!pool->nodes)
		(void)fl_import_add_node(
			m, pool, somewhere(), FL_SLICE("only"), FL_SLICE("x.example:1"));
	if (draw(2))
		pool->nodes->id = 1 + draw(100);
}

static void add_keys(struct fl_import *m, struct fl_import_pool *pool)
{
	struct fl_import_key *k;

	switch (draw(5)) {
	case 0:
		k = fl_import_add_key(m, pool, "client_ip", NULL);
		k->v4 = 1 + draw(32);
		k->v6 = 1 + draw(128);
		break;
	case 1:
		(void)fl_import_add_key(m, pool, "header", "x-user~!$'*+^`|");
		(void)fl_import_add_key(m, pool, "uri", NULL);
		break;
	case 2:
		(void)fl_import_add_key(m, pool, "cookie", "Sid");
		(void)fl_import_add_key(m, pool, "query", "null");
		break;
	case 3:
		k = fl_import_add_key(m, pool, "all", NULL);
		k->parts = fl_import_add_key(m, pool, "host", NULL);
		k->next = NULL;
		pool->keys_end = &k->next;
		break;
	default:
		return;
	}
	pool->no_key = draw(2) ? "random" : "reject";
}

static struct fl_import *make(void)
{
	struct fl_import *m = fl_import_new();
	char name[FL_MAX_NAME + 1], bind[64];

	for (unsigned i = 1 + draw(3); i > 0; i--) {
		int n = snprintf(bind, sizeof(bind), "127.0.0.1:%u", 1 + draw(60000));
		(void)fl_import_add_listener(
			m, somewhere(), text(name), (struct fl_slice){bind, (size_t)n});
	}
	for (unsigned i = 1 + draw(4); i > 0; i--) {
		struct fl_import_pool *pool = fl_import_add_pool(m, somewhere(), text(name));
		if (draw(2)) {
			pool->compat = "python-ring";
			fl_import_add_option(m, pool, "replicas", "7");
		}
		add_keys(m, pool);
		if (draw(2))
			pool->health = (struct fl_import_health){true, draw(2) ? "/ok" : NULL,
				draw(2) ? 0 : 2500, draw(3), draw(3)};
		add_nodes(m, pool);
		(void)fl_import_add_route(m, somewhere(), draw(2) ? m->listeners->name : NULL,
			draw(2) ? "*.a.example" : NULL, draw(2) ? "/\"a\\'{b}" : NULL,
			pool->name);
	}
	assert_false(m->failed);
	return m;
}

/* ---- the same? ---- */

static void same_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a)
		assert_string_equal(a, b);
}

static void same_keys(
	const struct fl_import_key *k, const struct fl_key_source *s, size_t count)
{
	static const char *const kinds[] = {[FL_KEY_CLIENT_IP] = "client_ip",
		[FL_KEY_HEADER] = "header",
		[FL_KEY_COOKIE] = "cookie",
		[FL_KEY_QUERY] = "query",
		[FL_KEY_PATH] = "path",
		[FL_KEY_URI] = "uri",
		[FL_KEY_HOST] = "host",
		[FL_KEY_ALL] = "all"};

	for (size_t i = 0; i < count; i++, k = k->next) {
		assert_non_null(k);
		assert_string_equal(k->source, kinds[s[i].kind]);
		same_text(k->name, s[i].name);
		if (s[i].kind == FL_KEY_CLIENT_IP)
			assert_true(k->v4 == s[i].v4 && k->v6 == s[i].v6);
		same_keys(k->parts, s[i].parts, s[i].part_count);
	}
	assert_null(k);
}

static void same_nodes(const struct fl_import_pool *p, const struct fl_pool_conf *c)
{
	const struct fl_import_node *n = p->nodes;

	assert_int_equal(p->node_count, c->count);
	for (size_t i = 0; i < c->count; i++, n = n->next) {
		assert_string_equal(n->name, c->nodes[i].name);
		same_text(n->address, c->nodes[i].address);
		assert_int_equal(n->weight, c->nodes[i].weight);
		assert_int_equal(n->id - 1, c->nodes[i].slot);
		assert_int_equal(n->backup, c->nodes[i].backup);
		assert_int_equal(
			c->nodes[i].admin, n->drain ? FL_ADMIN_DRAIN : FL_ADMIN_ENABLED);
	}
}

static void same_pool(const struct fl_import_pool *p, const struct fl_config_pool *c)
{
	static const char *const no_keys[] = {"client_ip", "random", "reject"};
	static const struct fl_import_key by_ip = {.source = "client_ip", .v4 = 32, .v6 = 64};

	assert_string_equal(p->name, c->pool.name);
	assert_string_equal(
		c->pool.spec, p->compat ? "compat:python-ring,replicas=7" : "table");
	same_keys(p->keys ? p->keys : &by_ip, c->forward.key.items, c->forward.key.count);
	assert_string_equal(p->no_key ? p->no_key : "client_ip", no_keys[c->forward.no_key]);
	assert_int_equal(c->health.kind, !p->health.given      ? FL_HEALTH_NONE
					 : p->health.http_path ? FL_HEALTH_HTTP
							       : FL_HEALTH_TCP);
	if (p->health.given && p->health.interval_ms)
		assert_int_equal(p->health.interval_ms, c->health.interval_ms);
	if (p->health.given && p->health.rise)
		assert_int_equal(p->health.rise, c->health.rise);
	same_nodes(p, &c->pool);
}

static void same_model(const struct fl_import *m, const struct fl_config *c)
{
	const struct fl_import_pool *p = m->pools;
	const struct fl_import_listener *l = m->listeners;
	const struct fl_import_route *r = m->routes;

	assert_int_equal(m->pool_count, c->pool_count);
	for (size_t i = 0; i < c->pool_count; i++, p = p->next)
		same_pool(p, &c->pools[i]);
	assert_int_equal(m->listener_count, c->listener_count);
	for (size_t i = 0; i < c->listener_count; i++, l = l->next) {
		same_text(l->name, c->listeners[i].name);
		same_text(l->bind, c->listeners[i].bind);
	}
	assert_int_equal(m->route_count, c->route_count);
	for (size_t i = 0; i < c->route_count; i++, r = r->next) {
		same_text(r->listener, c->routes[i].listener);
		same_text(r->host, c->routes[i].host);
		same_text(r->path, c->routes[i].path);
		same_text(r->pool, c->routes[i].pool);
	}
}

static void test_round_trip(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct fl_import *m = make();
		struct fl_text yaml, again;
		struct fl_config *c;

		fl_text_init(&yaml, 1 << 20);
		fl_text_init(&again, 1 << 20);
		fl_import_write(m, &yaml);
		fl_import_write(m, &again);
		assert_true(!yaml.failed && yaml.n == again.n &&
			    memcmp(yaml.p, again.p, yaml.n) == 0);
		if (fl_config_parse_for(&c, "f", yaml.p, yaml.n, FL_CONFIG_LOOKUP) != 0)
			fail_msg("%s\n%.*s", fl_conf_error_text(c->conf, 0), (int)yaml.n,
				yaml.p);
		same_model(m, c);
		fl_config_free(c);
		fl_text_fini(&again);
		fl_text_fini(&yaml);
		fl_import_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
