/* Routes: the rules by table, and the sorted list against a model that looks at every route. */
#include "bytes.h"

#include "proxy/route.h"

static const char *const pools[] = {"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9",
	"p10", "p11", "p12", "p13", "p14", "p15"};
static const char *const listeners[] = {"l0", "l1", "l2"};

static struct fl_routes *routes_of(const struct fl_route_conf *conf, size_t count)
{
	struct fl_routes *routes = fl_routes_new(conf, count, pools, 16, listeners, 3);
	assert_non_null(routes);
	return routes;
}

static int find(struct fl_routes *routes, int listener, const char *host, const char *path)
{
	return fl_routes_find(routes, listener, fl_slice_of(host), fl_slice_of(path));
}

static void test_rules(void **state)
{
	static const struct fl_route_conf conf[] = {
		{NULL, NULL, NULL, "p0"},
		{NULL, "*.example.com", NULL, "p1"},
		{NULL, "*.a.example.com", NULL, "p2"},
		{NULL, "b.a.example.com", "/deep/er/", "p3"},
		{NULL, "b.a.example.com", "/deep", "p4"},
		{"l1", "b.a.example.com", "/deep", "p5"},
		{NULL, NULL, "/api", "p6"},
		{"l2", NULL, "/", "p7"},
	};
	static const struct {
		int listener;
		const char *host, *path;
		int pool;
	} table[] = {
		{0, "other", "/", 0},
		{0, "", "/", 0},
		{0, "example.com", "/x", 0},
		{0, "x.example.com", "/api", 1},
		{0, "x.y.EXAMPLE.com", "/", 1},
		{0, "x.example.com.", "/", 1},
		{0, "notexample.com", "/", 0},
		{0, ".example.com", "/", 0},
		{0, "x.a.example.com", "/", 2},
		{0, "B.a.example.COM", "/", 2},
		{0, "b.a.example.com", "/deep", 4},
		{0, "b.a.example.com", "/deep/", 4},
		{0, "b.a.example.com", "/deeper", 2},
		{0, "b.a.example.com", "/deep/er", 3},
		{0, "b.a.example.com", "/deep/er/x", 3},
		{0, "b.a.example.com", "/deep/ers", 4},
		{1, "b.a.example.com", "/deep/x", 5},
		{1, "b.a.example.com", "/deep/er", 3},
		{0, "other", "/api", 6},
		{0, "other", "/api/v1", 6},
		{0, "other", "/apix", 0},
		{0, "other", "/API", 0},
		{0, "other", "*", 0},
		{2, "other", "/", 7},
		{2, "other", "/api", 6},
		{-1, "other", "/", 0},
	};
	struct fl_routes *routes = routes_of(conf, sizeof(conf) / sizeof(conf[0]));
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int pool = find(routes, table[i].listener, table[i].host, table[i].path);
		if (pool != table[i].pool)
			fail_msg("row %zu: %d instead of %d", i, pool, table[i].pool);
	}
	fl_routes_free(routes);
}

static void test_none(void **state)
{
	struct fl_routes *routes = routes_of(NULL, 0);
	(void)state;
	assert_int_equal(find(routes, 0, "h", "/"), -1);
	fl_routes_free(routes);
	static const struct fl_route_conf one = {"l1", "h", "/x", "p3"};
	routes = routes_of(&one, 1);
	assert_int_equal(find(routes, 1, "h", "/x"), 3);
	assert_int_equal(find(routes, 0, "h", "/x"), -1);
	assert_int_equal(find(routes, -1, "h", "/x"), -1);
	assert_int_equal(find(routes, 1, "", "/x"), -1);
	assert_int_equal(find(routes, 1, "h", "/"), -1);
	fl_routes_free(routes);
	fl_routes_free(NULL);
}

/* ---- the model ---- */

/* How well a route fits, more is better; -1: not at all. Three numbers in one. */
static long fits(
	const struct fl_route_conf *r, int listener, const char *host, const char *path)
{
	long rank = 0, path_rank = 0;
	if (r->listener && (listener < 0 || strcmp(r->listener, listeners[listener]) != 0))
		return -1;
	if (r->host && r->host[0] == '*') {
		size_t n = strlen(r->host + 1), m = strlen(host);
		if (m <= n || strcasecmp(host + m - n, r->host + 1) != 0)
			return -1;
		rank = 1 + (long)n;
	} else if (r->host) {
		if (strcasecmp(host, r->host) != 0)
			return -1;
		rank = 1000;
	}
	if (r->path) {
		char with[80], prefix[80];
		size_t n = strlen(r->path);
		while (n && r->path[n - 1] == '/')
			n--;
		snprintf(with, sizeof(with), "%s/", path);
		snprintf(prefix, sizeof(prefix), "%.*s/", (int)n, r->path);
		if (n && strncmp(with, prefix, n + 1) != 0)
			return -1;
		path_rank = (long)n;
	}
	return rank * 10000 + path_rank * 10 + (r->listener ? 1 : 0);
}

/* Joins random parts: few of them, so that there is much to be matched. */
static const char *made_of(const char *const *parts, uint32_t count, uint32_t most, char *out)
{
	int at = 0;
	out[0] = 0;
	for (uint32_t n = number(most + 1); n; n--)
		at += sprintf(out + at, "%s", parts[number(count)]);
	return out;
}

static void test_against_model(void **state)
{
	static const char *const labels[] = {"a.", "b.", "A.", "aa."};
	static const char *const segments[] = {"/", "/x", "/y", "/xx", "x"};
	static char hosts[12][64], paths[12][64];
	(void)state;
	for (uint64_t i = 0; i < 3000; i++) {
		struct fl_route_conf conf[12];
		size_t count = 1 + number(12);
		seed(i);
		for (size_t r = 0; r < count; r++) {
			char *host = hosts[r], *path = paths[r], text[48];
			snprintf(host, 64, "%s%sc", number(2) ? "*." : "",
				made_of(labels, 4, 2, text));
			snprintf(path, 64, "/%s", made_of(segments, 5, 3, text));
			conf[r] = (struct fl_route_conf){
				.listener = number(3) ? NULL : listeners[number(3)],
				.host = number(4) ? host : NULL,
				.path = number(4) ? path : NULL,
				.pool = pools[r],
			};
		}
		struct fl_routes *routes = routes_of(conf, count);
		for (int q = 0; q < 50; q++) {
			char host[64], path[64], text[48];
			int listener = (int)number(4) - 1;
			snprintf(host, 64, "%sc", made_of(labels, 4, 4, text));
			snprintf(path, 64, "/%s", made_of(segments, 5, 4, text));
			int found = find(routes, listener, host, path);
			long best = -1;
			for (size_t r = 0; r < count; r++) {
				long fit = fits(&conf[r], listener, host, path);
				best = fit > best ? fit : best;
			}
			/* Of routes that fit equally well any will do. */
			long got = found < 0 ? -1 : fits(&conf[found], listener, host, path);
			if (got != best)
				fail_msg("seed %d: %d, %s%s: route %d fits by %ld, not %ld",
					(int)i, listener, host, path, found, got, best);
		}
		fl_routes_free(routes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_against_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
