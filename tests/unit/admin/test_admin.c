/* The control API, through its socket: what it says is what the pool says, who may ask, and that
 * asking changes nothing. */
#include "support/rig.h"

#include <jansson.h>

#include "admin/admin.h"

#define POOLS 3

struct world {
	struct rig rig;
	struct fl_admin *admin;
	struct fl_pool *pools[POOLS];
	size_t pool_count;
	const char *token;
	int listener, port, fd;
	sem_t closed;
};

/* ---- on the loop's thread ---- */

static size_t count_pools(void *cookie)
{
	return ((struct world *)cookie)->pool_count;
}

static struct fl_pool *get_pool(void *cookie, size_t i)
{
	return ((struct world *)cookie)->pools[i];
}

static void answer_extra(void *cookie, const struct fl_httpd_request *req, const char *rest,
	struct fl_httpd_reply *reply)
{
	(void)req;
	fl_httpd_type(reply, "text/plain");
	fl_httpd_printf(reply, "%s %s", (const char *)cookie, rest ? rest : "-");
}

static char extra_word[] = "extra";

static void open_admin(void *arg)
{
	static const struct fl_admin_path extra[] = {
		{"/metrics", true, "For machines.", answer_extra}, {NULL, false, NULL, NULL}};
	struct world *w = arg;
	struct fl_admin_source source = {.token = w->token,
		.version = "9.9.9",
		.started_ms = 1,
		.workers = 2,
		.cookie = w,
		.count = count_pools,
		.pool = get_pool};
	assert_int_equal(fl_admin_new(&w->admin, w->rig.loop, w->listener, &source), 0);
	fl_admin_add(w->admin, extra, extra_word);
}

static void close_admin(void *arg)
{
	struct world *w = arg;
	fl_admin_close(w->admin, rig_post, &w->closed);
}

/* ---- pools: changed by the test's thread, between requests and under rig_call's order ---- */

struct change {
	void (*fn)(struct world *w, const void *arg);
	struct world *w;
	const void *arg;
};

static void run_change(void *arg)
{
	struct change *c = arg;
	c->fn(c->w, c->arg);
}

static void on_loop(
	struct world *w, void (*fn)(struct world *w, const void *arg), const void *arg)
{
	rig_call(&w->rig, run_change, &(struct change){fn, w, arg});
}

struct wish {
	size_t pool;
	struct fl_pool_conf conf;
	uint64_t now_ms;
};

static void do_apply(struct world *w, const void *arg)
{
	const struct wish *wish = arg;
	struct fl_error err;
	if (fl_pool_apply(w->pools[wish->pool], &wish->conf, wish->now_ms, &err) != FL_OK)
		fail_msg("%s", err.text);
}

struct state_wish {
	const char *node;
	int admin, health; /* -1: as it is */
	uint64_t now_ms;
};

static void do_state(struct world *w, const void *arg)
{
	const struct state_wish *s = arg;
	if (s->admin >= 0)
		assert_int_equal(fl_pool_set_admin(w->pools[0], s->node,
					 (enum fl_admin_state)s->admin, s->now_ms),
			FL_OK);
	if (s->health >= 0)
		assert_int_equal(fl_pool_set_health(w->pools[0], s->node,
					 (enum fl_health_state)s->health, s->now_ms),
			FL_OK);
}

static void set_state(struct world *w, const char *name, int admin, int health)
{
	on_loop(w, do_state, &(struct state_wish){name, admin, health, 1});
}

#define NODE(n, w, ...)                                                                        \
	{                                                                                      \
		.name = (n), .address = "10.0.0.1:80", .weight = (w), .slot = -1, __VA_ARGS__  \
	}

static const struct fl_node_conf five[] = {
	NODE("a", 1, .zone = "z1"),
	NODE("b", 2),
	NODE("c", 1),
	NODE("d", 0),
	NODE("e", 3, .backup = true),
};

static void apply(struct world *w, size_t pool, const char *spec,
	const struct fl_node_conf *nodes, size_t count)
{
	struct wish wish = {
		pool, {.name = "p", .spec = spec, .nodes = nodes, .count = count}, 7};
	on_loop(w, do_apply, &wish);
}

static struct world *world_new(const char *token, size_t pools)
{
	static const char *const names[POOLS] = {"app", "b c/\xff", "third"};
	struct world *w = calloc(1, sizeof(*w));

	assert_true(rig_start(&w->rig, FL_LOOP_EPOLL));
	w->token = token;
	w->pool_count = pools;
	for (size_t i = 0; i < pools; i++)
		assert_int_equal(fl_pool_new(&w->pools[i], names[i], 2), 0);
	sem_init(&w->closed, 0, 0);
	w->listener = rig_listen(&w->port);
	rig_call(&w->rig, open_admin, w);
	w->fd = rig_dial(w->port);
	return w;
}

static void world_free(struct world *w)
{
	rig_call(&w->rig, close_admin, w);
	rig_wait(&w->closed);
	rig_stop(&w->rig);
	close(w->fd);
	for (size_t i = 0; i < w->pool_count; i++)
		fl_pool_unref(w->pools[i]);
	sem_destroy(&w->closed);
	free(w);
}

/* ---- asking ---- */

static struct rig_answer ask(
	struct world *w, const char *method, const char *target, const char *fields)
{
	static char request[20000];
	snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: h\r\n%s\r\n", method,
		target, fields);
	rig_say(w->fd, request);
	return rig_read(w->fd, strcmp(method, "HEAD") == 0);
}

static json_t *get(struct world *w, const char *target, int status)
{
	struct rig_answer a = ask(w, "GET", target, "");
	json_error_t error;

	if (a.status != status)
		fail_msg("%s: %d %s", target, a.status, a.body);
	assert_non_null(strstr(a.head, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(a.head, "\r\nCache-Control: no-store\r\n"));
	assert_true(a.length > 0 && a.body[a.length - 1] == '\n');
	json_t *value = json_loadb(a.body, a.length, JSON_REJECT_DUPLICATES, &error);
	if (!value)
		fail_msg("%s: %s: %s", target, error.text, a.body);
	if (status >= 400)
		assert_true(json_string_length(json_object_get(value, "error")) > 0);
	free(a.body);
	return value;
}

static const char *text_of(json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);
	if (!json_is_string(v))
		fail_msg("no text \"%s\"", name);
	return json_string_value(v);
}

static long long int_of(json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);
	if (!json_is_integer(v))
		fail_msg("no integer \"%s\"", name);
	return json_integer_value(v);
}

static double real_of(json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);
	if (!json_is_number(v))
		fail_msg("no number \"%s\"", name);
	return json_number_value(v);
}

static bool true_of(json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);
	if (!json_is_boolean(v))
		fail_msg("no truth \"%s\"", name);
	return json_is_true(v);
}

static json_t *named(json_t *list, const char *name)
{
	size_t i;
	json_t *o;
	json_array_foreach(list, i, o)
	{
		if (strcmp(text_of(o, "name"), name) == 0)
			return o;
	}
	fail_msg("nothing is called %s", name);
	return NULL;
}

static void expect_hex(const char *text, uint64_t value)
{
	char hex[17];
	snprintf(hex, sizeof(hex), "%016llx", (unsigned long long)value);
	assert_string_equal(text, hex);
}

/* ---- paths, methods, tokens ---- */

static const char *const paths[] = {"/", "/healthz", "/epoch", "/pools", "/pools/app",
	"/why?key=k", "/movement", "/metrics"};

static void the_index_lists_every_path(void **state)
{
	struct world *w = world_new(NULL, 1);
	(void)state;
	json_t *all = get(w, "/", 200), *list = json_object_get(all, "paths"), *o;
	size_t i;

	assert_int_equal(json_array_size(list), 7);
	json_array_foreach(list, i, o)
	{
		assert_true(strlen(text_of(o, "summary")) > 0);
		if (strcmp(text_of(o, "path"), "/why") != 0) {
			struct rig_answer a = ask(w, "GET", text_of(o, "path"), "");
			assert_int_equal(a.status, 200);
			free(a.body);
		}
	}
	json_decref(all);
	json_t *health = get(w, "/healthz", 200);
	assert_string_equal(text_of(health, "status"), "ok");
	assert_string_equal(text_of(health, "version"), "9.9.9");
	assert_true(int_of(health, "uptime_ms") > 1000000);
	json_decref(health);
	struct rig_answer a = ask(w, "GET", "/metrics/x%20y", "");
	assert_string_equal(a.body, "extra x y");
	free(a.body);
	a = ask(w, "GET", "/metrics", "");
	assert_string_equal(a.body, "extra -");
	free(a.body);
	world_free(w);
}

static void other_paths_and_methods_are_errors(void **state)
{
	static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "X"};
	static const char *const unknown[] = {"/x", "/pool", "/poolsx", "/pools/",
		"/pools/none", "/healthz/", "/healthz/x", "/why/x", "//", "/Pools", "/%70ools"};
	struct world *w = world_new(NULL, 1);
	(void)state;

	for (size_t p = 0; p < sizeof(paths) / sizeof(*paths); p++) {
		struct rig_answer g = ask(w, "GET", paths[p], "");
		struct rig_answer h = ask(w, "HEAD", paths[p], "");
		assert_int_equal(g.status, 200);
		assert_int_equal(h.status, 200);
		if (strcmp(paths[p], "/healthz") != 0 && strncmp(paths[p], "/why", 4) != 0)
			assert_int_equal(g.length, h.length); /* those two tell the time */
		free(g.body);
		free(h.body);
		for (size_t m = 0; m < sizeof(methods) / sizeof(*methods); m++) {
			struct rig_answer a = ask(w, methods[m], paths[p], "");
			assert_int_equal(a.status, 405);
			assert_non_null(strstr(a.head, "\r\nAllow: GET, HEAD\r\n"));
			free(a.body);
		}
	}
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		json_decref(get(w, unknown[i], 404));
	json_decref(get(w, "/pools/a%zz", 400));
	json_decref(get(w, "/pools/app%00", 400));
	world_free(w);
}

static void a_token_is_needed_when_there_is_one(void **state)
{
	static const char *const wrong[] = {"", "Authorization: s3cret-T\r\n",
		"Authorization: Bearer\r\n", "Authorization: Bearer s3cret-\r\n",
		"Authorization: Bearer s3cret-TT\r\n", "Authorization: Bearer s3cret-t\r\n",
		"Authorization: Bearer s3cret-Ts3cret-T\r\n",
		"Authorization: Basic s3cret-T\r\n", "Authorization: Bearer  s3cret-T\r\n",
		"Authorization: Bearer s3cret-T x\r\n", "X-Authorization: Bearer s3cret-T\r\n",
		"Authorization: Bearer s3cret-T\r\nAuthorization: Bearer s3cret-T\r\n"};
	static const char *const right[] = {
		"Authorization: Bearer s3cret-T\r\n", "AUTHORIZATION: bearer s3cret-T\r\n"};
	struct world *w = world_new("s3cret-T", 1);
	(void)state;

	for (size_t p = 0; p < sizeof(paths) / sizeof(*paths); p++) {
		for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
			struct rig_answer a = ask(w, "GET", paths[p], wrong[i]);
			if (a.status != 401)
				fail_msg("%s with %s", paths[p], wrong[i]);
			assert_non_null(strstr(a.head, "\r\nWWW-Authenticate: Bearer "));
			assert_null(strstr(a.body, "s3cret"));
			free(a.body);
		}
		for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++) {
			struct rig_answer a = ask(w, "GET", paths[p], right[i]);
			assert_int_equal(a.status, 200);
			assert_null(strstr(a.body, "s3cret"));
			free(a.body);
		}
	}
	struct rig_answer a = ask(w, "POST", "/nowhere", ""); /* nothing is told before */
	assert_int_equal(a.status, 401);
	free(a.body);
	world_free(w);
	w = world_new("", 1); /* an empty one is none */
	json_decref(get(w, "/epoch", 200));
	world_free(w);
}

/* ---- pools ---- */

static void count_requests(struct world *w, const void *arg)
{
	(void)arg;
	struct fl_member *m = fl_pool_node(w->pools[0], 1).member;
	atomic_store(&m->stats[0].requests, 40);
	atomic_store(&m->stats[1].requests, 2);
	atomic_store(&m->stats[1].failures, 3);
	atomic_store(&m->stats[0].active, 5);
	atomic_store(&m->stats[1].connections, 6);
}

static void pools_are_shown_as_they_are(void **state)
{
	struct world *w = world_new(NULL, 2);
	(void)state;
	apply(w, 0, "ring,points=50", five, 5);
	on_loop(w, count_requests, NULL);
	set_state(w, "c", FL_ADMIN_DISABLED, FL_HEALTH_DOWN);
	set_state(w, "a", FL_ADMIN_DRAIN, -1);
	json_t *all = get(w, "/pools", 200), *pools = json_object_get(all, "pools");
	json_t *one = get(w, "/pools/app", 200);

	assert_int_equal(json_array_size(pools), 2);
	assert_true(json_equal(json_array_get(pools, 0), one));
	assert_string_equal(text_of(json_array_get(pools, 1), "name"), "b%20c%2F%FF");
	json_decref(get(w, "/pools/b%20c%2F%FF", 200));
	const struct fl_view *view = fl_pool_view(w->pools[0]);
	assert_string_equal(text_of(one, "name"), "app");
	assert_string_equal(text_of(one, "algorithm"), "ring,points=50");
	assert_int_equal(int_of(one, "epoch"), view->epoch);
	expect_hex(text_of(one, "digest"), view->digest);
	expect_hex(text_of(one, "mask_digest"), view->mask_digest);
	json_t *tiers = json_object_get(one, "tiers"), *nodes = json_object_get(one, "nodes");
	assert_int_equal(json_array_size(tiers), 2);
	assert_int_equal(int_of(json_array_get(tiers, 0), "nodes"), 3);
	assert_int_equal(int_of(json_array_get(tiers, 0), "eligible"), 1);
	assert_int_equal(int_of(json_array_get(tiers, 1), "nodes"), 1);
	assert_true(true_of(json_array_get(tiers, 0), "share_exact"));
	assert_int_equal(
		int_of(one, "memory"), int_of(json_array_get(tiers, 0), "memory") +
					       int_of(json_array_get(tiers, 1), "memory"));
	assert_int_equal(json_array_size(nodes), 5);
	double sum = 0;
	for (size_t i = 0; i < 5; i++) {
		json_t *n = json_array_get(nodes, i);
		assert_string_equal(text_of(n, "name"), five[i].name);
		assert_string_equal(text_of(n, "address"), "10.0.0.1:80");
		assert_int_equal(int_of(n, "weight"), five[i].weight);
		assert_int_equal(true_of(n, "backup"), five[i].backup);
		assert_false(true_of(n, "starved"));
		assert_true(real_of(n, "ramp") == 1);
		sum += i < 4 ? real_of(n, "share") : 0;
	}
	assert_true(sum > 0.999999 && sum < 1.000001);
	json_t *a = named(nodes, "a"), *b = named(nodes, "b"), *c = named(nodes, "c");
	assert_string_equal(text_of(a, "zone"), "z1");
	assert_true(json_is_null(json_object_get(b, "zone")));
	assert_string_equal(text_of(a, "admin"), "drain");
	assert_string_equal(text_of(c, "admin"), "disabled");
	assert_string_equal(text_of(c, "health"), "down");
	assert_false(true_of(a, "owner"));
	assert_true(true_of(b, "owner"));
	assert_false(true_of(c, "owner"));
	assert_false(true_of(named(nodes, "d"), "owner")); /* weight 0 */
	assert_true(json_is_null(json_object_get(c, "slot")));
	assert_int_equal(int_of(b, "slot"), fl_placement_find(view->tier[0].placement, "b"));
	assert_true(real_of(b, "share") > real_of(a, "share"));
	assert_true(real_of(c, "share") == 0);
	assert_true(real_of(named(nodes, "e"), "share") == 1); /* of its tier */
	assert_int_equal(int_of(b, "requests"), 42);
	assert_int_equal(int_of(b, "failures"), 3);
	assert_int_equal(int_of(b, "active"), 5);
	assert_int_equal(int_of(b, "connections"), 6);
	assert_int_equal(int_of(a, "requests"), 0);
	json_decref(one);
	json_decref(all);
	apply(w, 0, "ring,points=50", five + 1, 1);
	one = get(w, "/pools/app", 200); /* b alone */
	assert_true(real_of(json_array_get(json_object_get(one, "nodes"), 0), "share") == 1);
	json_decref(one);
	world_free(w);
}

static void sampled_shares_say_so(void **state)
{
	struct world *w = world_new(NULL, 1);
	(void)state;
	apply(w, 0, "rendezvous", five, 5);
	json_t *one = get(w, "/pools/app", 200);
	json_t *tier = json_array_get(json_object_get(one, "tiers"), 0);

	assert_int_equal(true_of(tier, "share_exact"), int_of(tier, "share_samples") == 0);
	if (!true_of(tier, "share_exact")) {
		double b = real_of(named(json_object_get(one, "nodes"), "b"), "share");
		assert_true(b > 0.48 && b < 0.52); /* 2 of 4 */
	}
	json_decref(one);
	world_free(w);
}

static void large_pools_fit(void **state)
{
	enum {
		N = 3000
	};
	struct world *w = world_new(NULL, 1);
	struct fl_node_conf *nodes = calloc(N, sizeof(*nodes));
	char(*names)[24] = calloc(N, sizeof(*names));
	(void)state;

	for (size_t i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "n%zu", i);
		nodes[i] = (struct fl_node_conf)NODE(names[i], 1);
	}
	apply(w, 0, "table", nodes, N);
	json_t *one = get(w, "/pools/app", 200), *why = get(w, "/why?key=k", 200);
	assert_int_equal(json_array_size(json_object_get(one, "nodes")), N);
	assert_int_equal(json_array_size(json_object_get(why, "candidates")), N);
	json_decref(one);
	json_decref(why);
	free(nodes);
	free(names);
	world_free(w);
}

/* ---- why ---- */

static uint64_t next_random(uint64_t *seed)
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* A key of up to 12 bytes, any bytes; into `target` as a query. */
static size_t random_key(uint64_t *seed, char *key, char *target)
{
	size_t n = next_random(seed) % 13;
	char *at = target + sprintf(target, "/why?key=");
	for (size_t i = 0; i < n; i++) {
		key[i] = (char)next_random(seed);
		at += sprintf(at, "%%%02x", (unsigned char)key[i]);
	}
	return n;
}

static struct fl_member *pick(struct world *w, const char *key, size_t n, uint64_t now_ms)
{
	struct fl_key k = fl_key_bytes(key, n);
	struct fl_member *m = NULL;
	assert_int_equal(fl_view_pick(fl_pool_view(w->pools[0]), &k, now_ms, &m), FL_OK);
	return m;
}

/* One answer against the view: its owner, and the order of those that may own. */
static void check_why(struct world *w, json_t *why, const char *key, size_t n, unsigned *warm)
{
	const struct fl_view *view = fl_pool_view(w->pools[0]);
	struct fl_key k = fl_key_bytes(key, n);
	struct fl_member *owners[64], *m = pick(w, key, n, (uint64_t)int_of(why, "now_ms"));
	json_t *list = json_object_get(why, "candidates"), *c;
	int count = fl_view_owners(view, &k, owners, 64), at = 0, taken = 0;
	size_t i;

	if (m)
		assert_string_equal(text_of(why, "owner"), m->name);
	else
		assert_true(json_is_null(json_object_get(why, "owner")));
	json_array_foreach(list, i, c)
	{
		const char *verdict = text_of(c, "verdict");
		bool masked = strcmp(verdict, "down") == 0 || strcmp(verdict, "drain") == 0 ||
		              strcmp(verdict, "ejected") == 0 ||
		              strcmp(verdict, "disabled") == 0 ||
		              strcmp(verdict, "weightless") == 0;
		if (true_of(c, "taken")) {
			taken++;
			assert_ptr_not_equal(m, NULL);
			assert_string_equal(verdict, "taken");
			assert_string_equal(text_of(c, "name"), m->name);
		}
		if (strcmp(verdict, "warming") == 0) {
			(*warm)++;
			assert_true(real_of(c, "ramp") < 1);
		}
		assert_string_not_equal(verdict, "passed");
		if (!masked) {
			assert_true(at < count);
			assert_string_equal(text_of(c, "name"), owners[at]->name);
			at++;
		}
	}
	assert_int_equal(at, count);
	assert_int_equal(taken, m ? 1 : 0);
	assert_int_equal(json_array_size(list), fl_pool_count(w->pools[0]));
}

static unsigned ask_many(struct world *w, unsigned keys, uint64_t seed)
{
	char key[16], target[64];
	unsigned warm = 0;

	for (unsigned i = 0; i < keys; i++) {
		size_t n = random_key(&seed, key, target);
		json_t *why = get(w, target, 200);
		check_why(w, why, key, n, &warm);
		json_decref(why);
	}
	return warm;
}

static void why_agrees_with_the_pick(void **state)
{
	static const char *const specs[] = {"table", "ring", "rendezvous"};
	(void)state;

	for (size_t s = 0; s < 3; s++) {
		struct world *w = world_new(NULL, 1);
		ask_many(w, 5, 1); /* no nodes */
		apply(w, 0, specs[s], five, 5);
		assert_int_equal(ask_many(w, 300, 2), 0);
		set_state(w, "b", -1, FL_HEALTH_DOWN);
		assert_int_equal(ask_many(w, 300, 3), 0);
		set_state(w, "a", FL_ADMIN_DRAIN, -1);
		set_state(w, "c", -1, FL_HEALTH_EJECTED); /* the backup's turn */
		assert_int_equal(ask_many(w, 200, 4), 0);
		set_state(w, "c", FL_ADMIN_DISABLED, -1);
		assert_int_equal(ask_many(w, 100, 5), 0);
		set_state(w, "e", -1, FL_HEALTH_DOWN); /* nobody is left */
		assert_int_equal(ask_many(w, 50, 6), 0);
		world_free(w);
	}
}

static void why_tells_of_warm_up(void **state)
{
	struct world *w = world_new(NULL, 1);
	struct wish wish = {0, {.name = "p", .spec = "table", .nodes = five, .count = 5}, 7};
	struct timespec now;
	(void)state;

	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t ms = (uint64_t)now.tv_sec * 1000;
	wish.conf.slow_start_ms = 1000000000; /* the test sees one moment of it */
	on_loop(w, do_apply, &wish);
	on_loop(w, do_state, &(struct state_wish){"b", -1, FL_HEALTH_DOWN, ms});
	on_loop(w, do_state, &(struct state_wish){"b", -1, FL_HEALTH_UP, ms - 500000000});
	unsigned warm = ask_many(w, 600, 7);
	assert_true(warm > 60 && warm < 250); /* half of b's half */
	json_t *one = get(w, "/pools/app", 200);
	double ramp = real_of(named(json_object_get(one, "nodes"), "b"), "ramp");
	assert_true(ramp >= 0.5 && ramp < 0.51);
	assert_true(true_of(json_array_get(json_object_get(one, "tiers"), 0), "warming"));
	json_decref(one);
	world_free(w);
}

static void expect_verdict(json_t *why, const char *name, const char *verdict, bool ranked)
{
	json_t *c = named(json_object_get(why, "candidates"), name);
	assert_string_equal(text_of(c, "verdict"), verdict);
	assert_int_equal(json_is_integer(json_object_get(c, "rank")), ranked);
}

static void why_gives_the_reasons(void **state)
{
	struct world *w = world_new(NULL, 1);
	(void)state;
	apply(w, 0, "table", five, 5);
	set_state(w, "a", -1, FL_HEALTH_DOWN);
	set_state(w, "c", FL_ADMIN_DISABLED, -1);
	json_t *why = get(w, "/why?key=user-7", 200);
	expect_verdict(why, "a", "down", true);
	expect_verdict(why, "b", "taken", true);
	expect_verdict(why, "c", "disabled", false);
	expect_verdict(why, "d", "weightless", false);
	expect_verdict(why, "e", "standby", true);
	assert_string_equal(text_of(why, "key"), "user-7");
	assert_string_equal(text_of(why, "key_form"), "utf-8");
	assert_string_equal(text_of(why, "pool"), "app");
	const fl_placement *p = fl_pool_view(w->pools[0])->tier[0].placement;
	expect_hex(text_of(why, "hash"), fl_placement_hash(p, "user-7", 6));
	json_t *position = json_object_get(why, "position");
	assert_string_equal(text_of(position, "part"), "row");
	assert_int_equal(int_of(position, "count"), 65536);
	assert_int_equal(int_of(position, "index"), fl_placement_hash(p, "user-7", 6) >> 48);
	json_decref(why);
	set_state(w, "b", FL_ADMIN_DRAIN, -1);
	set_state(w, "a", -1, FL_HEALTH_EJECTED);
	why = get(w, "/why?key=user-7&pool=app", 200);
	expect_verdict(why, "a", "ejected", true);
	expect_verdict(why, "b", "drain", true);
	expect_verdict(why, "e", "taken", true);
	json_decref(why);
	set_state(w, "a", -1, FL_HEALTH_UP);
	set_state(w, "b", FL_ADMIN_ENABLED, -1);
	why = get(w, "/why?key=user-7", 200);
	json_t *first = json_array_get(json_object_get(why, "candidates"), 0);
	json_t *second = json_array_get(json_object_get(why, "candidates"), 1);
	assert_string_equal(text_of(first, "verdict"), "taken");
	assert_int_equal(int_of(first, "rank"), 1);
	assert_string_equal(text_of(second, "verdict"), "behind");
	assert_int_equal(int_of(second, "rank"), 2);
	json_decref(why);
	world_free(w);
}

static void keys_of_any_bytes_are_shown(void **state)
{
	static const struct {
		const char *query, *key, *form;
		size_t n;
	} keys[] = {
		{"", "", "utf-8", 0},
		{"a+b%2Bc", "a+b+c", "utf-8", 5},
		{"%C3%A4", "\xc3\xa4", "utf-8", 2},
		{"a%00b", "a%00b", "percent", 5},
		{"%22%5C%0a", "\"\\\n", "utf-8", 3},
		{"%ff%20x~", "%FF%20x~", "percent", 8},
		{"%c3%28", "%C3%28", "percent", 6},
		{"%ed%a0%80", "%ED%A0%80", "percent", 9}, /* a surrogate is not UTF-8 */
		{"a=b", "a=b", "utf-8", 3},
	};
	struct world *w = world_new(NULL, 1);
	char target[64];
	(void)state;

	apply(w, 0, "ring", five, 5);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		snprintf(target, sizeof(target), "/why?key=%s", keys[i].query);
		json_t *why = get(w, target, 200);
		assert_int_equal(json_string_length(json_object_get(why, "key")), keys[i].n);
		assert_memory_equal(text_of(why, "key"), keys[i].key, keys[i].n);
		assert_string_equal(text_of(why, "key_form"), keys[i].form);
		json_decref(why);
	}
	world_free(w);
}

static void questions_are_read_strictly(void **state)
{
	static const char *const bad[] = {"/why", "/why?", "/why?pool=app", "/why?key=a&key=a",
		"/why?key=%", "/why?key=%4", "/why?key=%4g", "/why?key=a&x=1", "/why?k=a",
		"/why?key=a&pool=app&pool=app", "/why?key=a", "/pools?x", "/pools/app?x=1",
		"/epoch?pool=app", "/movement?key=1", "/movement?pool=%zz",
		"/why?KEY=a&pool=app"};
	static const char *const none[] = {"/why?key=a&pool=none", "/movement?pool=none",
		"/movement?pool=", "/why?key=a&pool=app%00", "/movement?pool=app%00x"};
	struct world *w = world_new(NULL, 2);
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		json_decref(get(w, bad[i], 400));
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		json_decref(get(w, none[i], 404));
	json_decref(get(w, "/why?&key=a&&pool=app&", 200));
	json_decref(get(w, "/why?pool=b%20c%2F%FF&key=a", 200));
	world_free(w);
}

/* ---- epochs, digests, movement ---- */

struct mark {
	long long epoch;
	char digest[17], masks[17];
};

static struct mark mark_of(struct world *w)
{
	struct mark m;
	json_t *all = get(w, "/epoch", 200);
	json_t *one = named(json_object_get(all, "pools"), "app");
	m.epoch = int_of(one, "epoch");
	snprintf(m.digest, sizeof(m.digest), "%s", text_of(one, "digest"));
	snprintf(m.masks, sizeof(m.masks), "%s", text_of(one, "mask_digest"));
	json_decref(all);
	return m;
}

static void digests_change_with_the_mapping_and_only_then(void **state)
{
	struct world *w = world_new(NULL, 2);
	struct fl_node_conf nodes[5];
	(void)state;

	apply(w, 0, "table", five, 5);
	struct mark first = mark_of(w), next;
	apply(w, 0, "table", five, 5);
	next = mark_of(w);
	assert_int_equal(next.epoch, first.epoch);
	set_state(w, "b", -1, FL_HEALTH_DOWN);
	next = mark_of(w);
	assert_true(next.epoch > first.epoch);
	assert_string_equal(next.digest, first.digest);
	assert_string_not_equal(next.masks, first.masks);
	set_state(w, "b", -1, FL_HEALTH_UP);
	assert_string_equal(mark_of(w).masks, first.masks);
	memcpy(nodes, five, sizeof(nodes));
	nodes[0].address = "10.9.9.9:1"; /* addresses are no part of identity */
	apply(w, 0, "table", nodes, 5);
	assert_string_equal(mark_of(w).digest, first.digest);
	apply(w, 0, "table", five, 4);
	assert_string_not_equal(mark_of(w).digest, first.digest);
	apply(w, 0, "table", five, 5);
	assert_string_equal(mark_of(w).digest, first.digest);
	nodes[2].weight = 2;
	apply(w, 0, "table", nodes, 5);
	assert_string_not_equal(mark_of(w).digest, first.digest);
	apply(w, 0, "table,seed=1", five, 5);
	assert_string_not_equal(mark_of(w).digest, first.digest);
	world_free(w);
}

static void movement_is_told(void **state)
{
	struct world *w = world_new(NULL, 2);
	(void)state;
	json_t *all = get(w, "/movement", 200);
	assert_int_equal(json_array_size(json_object_get(all, "pools")), 2);
	json_t *one = named(json_object_get(all, "pools"), "app");
	assert_true(json_is_null(json_object_get(one, "change")));
	json_decref(all);
	apply(w, 0, "ring", five, 2);
	apply(w, 0, "ring", five, 3); /* c comes */
	all = get(w, "/movement?pool=app", 200);
	assert_int_equal(json_array_size(json_object_get(all, "pools")), 1);
	json_t *change = json_object_get(named(json_object_get(all, "pools"), "app"), "change");
	const struct fl_pool_report *r = fl_pool_report(w->pools[0]);
	assert_int_equal(int_of(change, "epoch"), r->epoch);
	expect_hex(text_of(change, "digest_before"), r->digest_before);
	expect_hex(text_of(change, "digest_after"), r->digest_after);
	assert_int_equal(int_of(change, "at_ms"), 7);
	assert_true(true_of(change, "exact"));
	assert_true(real_of(change, "moved") > 0.1 && real_of(change, "moved") < 0.5);
	assert_true(real_of(change, "excess") >= 0 && real_of(change, "excess") < 0.01);
	json_t *flows = json_object_get(change, "flows"), *f;
	double sum = 0;
	size_t i;
	assert_int_equal(json_array_size(flows), int_of(change, "flows_total"));
	json_array_foreach(flows, i, f)
	{
		assert_string_equal(text_of(f, "to"), "c");
		assert_string_not_equal(text_of(f, "from"), "c");
		sum += real_of(f, "share");
	}
	assert_true(
		sum - real_of(change, "moved") < 1e-6 && real_of(change, "moved") - sum < 1e-6);
	json_decref(all);
	world_free(w);
}

static void asking_changes_nothing(void **state)
{
	static const char *const methods[] = {
		"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"};
	struct world *w = world_new(NULL, 2);
	(void)state;
	apply(w, 0, "table", five, 5);
	set_state(w, "a", FL_ADMIN_DRAIN, FL_HEALTH_DOWN);
	const struct fl_view *view = fl_pool_view(w->pools[0]);
	json_t *before = get(w, "/pools", 200);
	for (size_t m = 0; m < 7; m++) {
		for (size_t p = 0; p < sizeof(paths) / sizeof(*paths); p++) {
			struct rig_answer a = ask(w, methods[m], paths[p], "");
			free(a.body);
			char more[128];
			snprintf(more, sizeof(more), "%s/a/drain?state=enabled&weight=9",
				paths[p]);
			a = ask(w, methods[m], more, "");
			free(a.body);
		}
	}
	json_t *after = get(w, "/pools", 200);
	assert_true(json_equal(before, after));
	assert_ptr_equal(view, fl_pool_view(w->pools[0]));
	json_decref(before);
	json_decref(after);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_index_lists_every_path),
		cmocka_unit_test(other_paths_and_methods_are_errors),
		cmocka_unit_test(a_token_is_needed_when_there_is_one),
		cmocka_unit_test(pools_are_shown_as_they_are),
		cmocka_unit_test(sampled_shares_say_so),
		cmocka_unit_test(large_pools_fit),
		cmocka_unit_test(why_agrees_with_the_pick),
		cmocka_unit_test(why_tells_of_warm_up),
		cmocka_unit_test(why_gives_the_reasons),
		cmocka_unit_test(keys_of_any_bytes_are_shown),
		cmocka_unit_test(questions_are_read_strictly),
		cmocka_unit_test(digests_change_with_the_mapping_and_only_then),
		cmocka_unit_test(movement_is_told),
		cmocka_unit_test(asking_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
