#include "imported.h"

#define MANAGER                                                                                \
	"type.googleapis.com/envoy.extensions.filters.network."                                \
	"http_connection_manager.v3.HttpConnectionManager"

/* An endpoint at 10.0.0.N:80. */
#define ENDPOINT(n)                                                                            \
	"{endpoint: {address: {socket_address: {address: 10.0.0." #n ", port_value: 80}}}}"

/* One listener for one virtual host; each of its routes is a line, the first is line 7. */
static struct imported import_routes(const char *routes, const char *clusters)
{
	struct imported i;
	struct fl_text text;

	fl_text_init(&text, 1u << 20);
	fl_text_format(&text,
		"static_resources:\n"
		"  listeners:\n"
		"  - {name: web, address: {socket_address: {address: 0.0.0.0, port_value: "
		"8080}},\n"
		"     filter_chains: [{filters: [{name: hcm, typed_config: {\"@type\": " MANAGER
		",\n"
		"      use_remote_address: true, route_config: {virtual_hosts: [\n"
		"       {name: all, domains: [\"*\"], routes: [\n"
		"%s]}]}}}]}]}\n"
		"  clusters:\n%s",
		routes, clusters);
	fl_text_add(&text, "", 1);
	i = import_text(FL_IMPORT_ANY, text.p);
	fl_text_fini(&text);
	if (i.rc)
		print_message("%s\n", i.err.text);
	return i;
}

#define TWO                                                                                    \
	"  - {name: ring, lb_policy: RING_HASH, load_assignment: {endpoints: [{lb_endpoints: " \
	"[" ENDPOINT(1) "]}]}}\n"                                                              \
			"  - {name: rows, lb_policy: MAGLEV, load_assignment: {endpoints: "    \
			"[{lb_endpoints: [" ENDPOINT(2) "]}]}}\n"

static void import_cluster(struct imported *i, const char *cluster)
{
	struct fl_text text;

	fl_text_init(&text, 1u << 20);
	fl_text_format(&text, "static_resources:\n  clusters:\n  - {name: c, %s}\n", cluster);
	fl_text_add(&text, "", 1);
	*i = import_text(FL_IMPORT_ENVOY, text.p);
	fl_text_fini(&text);
}

/* ---- clusters ---- */

static void load_balancing_becomes_a_mapping(void **state)
{
	static const struct {
		const char *fields, *line;
	} cases[] = {
		{"lb_policy: RING_HASH", "{compat: \"envoy-ring\"}"},
		{"lbPolicy: RING_HASH, ringHashLbConfig: {minimumRingSize: 12, "
		 "maximumRingSize: 99, "
		 "hashFunction: MURMUR_HASH_2}",
			"{compat: \"envoy-ring\", min: \"12\", max: \"99\", hash: "
			"\"MURMUR_HASH_2\"}"},
		{"lb_policy: MAGLEV, maglev_lb_config: {table_size: 251}",
			"{compat: \"envoy-maglev\", rows: \"251\"}"},
		{"load_balancing_policy: {policies: [{typed_extension_config: {name: x, "
		 "typed_config: "
		 "{\"@type\": type.googleapis.com/"
		 "envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash, "
		 "minimum_ring_size: 7, hash_function: XX_HASH}}}]}",
			"{compat: \"envoy-ring\", min: \"7\"}"},
		{"load_balancing_policy: {policies: [{typed_extension_config: {name: x, "
		 "typed_config: "
		 "{\"@type\": type.googleapis.com/"
		 "envoy.extensions.load_balancing_policies.maglev.v3.Maglev}}}]}",
			"{compat: \"envoy-maglev\"}"},
	};
	char text[1024];
	struct imported i;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		snprintf(text, sizeof(text),
			"%s, load_assignment: {endpoints: [{lb_endpoints: [" ENDPOINT(1) "]}]}",
			cases[k].fields);
		import_cluster(&i, text);
		assert_int_equal(i.rc, FL_OK);
		assert_false(i.misplaced);
		assert_true(contains(&i.config, cases[k].line));
		assert_true(
			contains(&i.report, "f.yaml:3: only for lookup: `name: c`: no route"));
		imported_fini(&i);
	}
	import_cluster(&i, "lb_policy: LEAST_REQUEST, load_assignment: {endpoints: "
			   "[{lb_endpoints: [" ENDPOINT(1) "]}]}");
	assert_null(strstr(i.config.p, "compat"));
	assert_true(
		contains(&i.report, "not carried: `lb_policy: LEAST_REQUEST`: LEAST_REQUEST "));
	imported_fini(&i);
}

static void hosts_have_the_names_that_envoy_hashes(void **state)
{
	static const struct {
		const char *host, *line;
		bool misplaced;
	} cases[] = {
		{ENDPOINT(1), "{name: \"10.0.0.1:80\", address: \"10.0.0.1:80\", id: 1}",
			false},
		{"{endpoint: {address: {socket_address: {address: \"0::01\", port_value: 8}}}}",
			"{name: \"[::1]:8\", address: \"[::1]:8\", id: 1}", false},
		{"{endpoint: {address: {socket_address: {address: \"::ffff:1.2.3.4\", "
		 "port_value: 8}}}}",
			"{name: \"[::ffff:1.2.3.4]:8\", ", false},
		{"{endpoint: {address: {pipe: {path: /run/x}}}}",
			"{name: \"/run/x\", address: \"unix:/run/x\", id: 1}", false},
		{"{endpoint: {address: {socket_address: {address: db, port_value: 8}}}}",
			"{name: \"db:8\", address: \"db:8\", id: 1}", true},
		{"{metadata: {filter_metadata: {envoy.lb: {hash_key: k}}}, "
		 "endpoint: {address: {socket_address: {address: db, port_value: 8}}}}",
			"{name: \"k\", address: \"db:8\", id: 1}", false},
		{"{metadata: {filter_metadata: {envoy.lb: {hash_key: 7}}}, "
		 "endpoint: {address: "
		 "{socket_address: {address: 10.0.0.1, port_value: 8}}}}",
			"{name: \"10.0.0.1:8\"", false},
		{"{metadata: {filter_metadata: {envoy.lb: {hash_key: \"7\"}}}, "
		 "endpoint: {address: "
		 "{socket_address: {address: 10.0.0.1, port_value: 8}}}}",
			"{name: \"7\"", false},
	};
	char text[1024];
	struct imported i;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		snprintf(text, sizeof(text),
			"lb_policy: RING_HASH, load_assignment: {endpoints: [{lb_endpoints: "
			"[%s]}]}",
			cases[k].host);
		import_cluster(&i, text);
		assert_int_equal(i.rc, FL_OK);
		assert_true(contains(&i.config, cases[k].line));
		assert_int_equal(i.misplaced, cases[k].misplaced);
		imported_fini(&i);
	}
}

static void hostnames_are_hashed_on_demand(void **state)
{
	static const char *const hashing =
		"lb_policy: MAGLEV, common_lb_config: {consistent_hashing_lb_config: "
		"{use_hostname_for_hashing: true}}, %s, load_assignment: {endpoints: "
		"[{lb_endpoints: "
		"[{endpoint: {%s address: {socket_address: {address: %s, port_value: 8}}}}]}]}";
	static const struct {
		const char *type, *hostname, *address, *line;
		bool misplaced;
	} cases[] = {
		{"type: STATIC", "hostname: h,", "10.0.0.1",
			"{name: \"h\", address: \"10.0.0.1:8\"}", false},
		{"type: STRICT_DNS", "", "db", "{name: \"db\", address: \"db:8\"}", false},
		{"type: STRICT_DNS", "hostname: h,", "db", "{name: \"h\", address: \"db:8\"}",
			false},
		{"type: STATIC", "", "10.0.0.1", "{name: \"10.0.0.1:8\"", true},
	};
	char text[1024];
	struct imported i;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		snprintf(text, sizeof(text), hashing, cases[k].type, cases[k].hostname,
			cases[k].address);
		import_cluster(&i, text);
		assert_true(contains(&i.config, cases[k].line));
		assert_int_equal(i.misplaced, cases[k].misplaced);
		imported_fini(&i);
	}
}

static void states_priorities_and_checks(void **state)
{
	struct imported i;

	(void)state;
	import_cluster(&i,
		"lb_policy: RING_HASH, load_assignment: {endpoints: [\n"
		"   {lb_endpoints: [{health_status: DRAINING, endpoint: {address: {pipe: "
		"{path: /a}}}},\n"
		"    {health_status: DEGRADED, endpoint: {address: {pipe: {path: /b}}}},\n"
		"    {health_status: HEALTHY, endpoint: {address: {pipe: {path: /c}}}}]},\n"
		"   {priority: 1, locality: {zone: z},\n"
		"    lb_endpoints: [{endpoint: {address: {pipe: {path: /d}}}}]}]},\n"
		"   health_checks: [{timeout: 1s, interval: 0.5s, unhealthy_threshold: 3,\n"
		"    healthy_threshold: 2, http_health_check: {path: /ok, host: h}},\n"
		"    {tcp_health_check: {}}]\n");
	assert_int_equal(i.rc, FL_OK);
	assert_false(i.misplaced);
	assert_true(contains(&i.config,
		"health: {http: {path: \"/ok\"}, interval: 500ms, rise: 2, fall: 3}"));
	assert_true(contains(
		&i.config, "{name: \"/a\", address: \"unix:/a\", id: 1, state: drain}"));
	assert_true(contains(
		&i.config, "{name: \"/b\", address: \"unix:/b\", id: 2, backup: true}"));
	assert_true(contains(&i.config, "{name: \"/c\", address: \"unix:/c\", id: 3}"));
	assert_true(contains(
		&i.config, "{name: \"/d\", address: \"unix:/d\", id: 4, backup: true}"));
	assert_true(
		contains(&i.report, "f.yaml:7: carried: `priority: 1`: its hosts are backups"));
	assert_true(contains(&i.report, "f.yaml:7: not carried: `locality`: takes no part"));
	assert_true(contains(&i.report, "f.yaml:9: not carried: `timeout`: "));
	assert_true(contains(&i.report, "f.yaml:10: not carried: `host`: "));
	assert_true(
		contains(&i.report, "f.yaml:11: not carried: `{...}`: a pool has one check"));
	imported_fini(&i);
}

static void large_weights_lose_their_common_factor(void **state)
{
	static const char *const three =
		"load_assignment: {endpoints: [{lb_endpoints: ["
		"{endpoint: {address: {pipe: {path: /a}}}, load_balancing_weight: %s},"
		"{endpoint: {address: {pipe: {path: /b}}}, load_balancing_weight: %s}]},"
		"{priority: 1, lb_endpoints: [{endpoint: {address: {pipe: {path: /c}}}, "
		"load_balancing_weight: 7}]}]}";
	char text[1024];
	struct imported i;

	(void)state;
	snprintf(text, sizeof(text), three, "4000000000", "6000000");
	import_cluster(&i, text);
	assert_false(i.misplaced);
	assert_true(contains(&i.config, "\"unix:/a\", weight: 2000}"));
	assert_true(contains(&i.config, "\"unix:/b\", weight: 3}"));
	assert_true(contains(&i.config, "\"unix:/c\", weight: 7, backup: true}"));
	imported_fini(&i);
	snprintf(text, sizeof(text), three, "65535", "65534");
	import_cluster(&i, text);
	assert_true(contains(&i.config, "weight: 65534}"));
	imported_fini(&i);
	snprintf(text, sizeof(text), three, "65536", "3");
	import_cluster(&i, text);
	assert_true(i.misplaced);
	assert_true(contains(&i.config, "weight: 65535}"));
	imported_fini(&i);
}

static void what_changes_placement_is_marked(void **state)
{
	static const char *const end = "load_assignment: {endpoints: [{load_balancing_weight: "
				       "2, lb_endpoints: [" ENDPOINT(1) "]}]}";
	static const struct {
		const char *fields, *note;
	} cases[] = {
		{"common_lb_config: {consistent_hashing_lb_config: {hash_balance_factor: "
		 "120}},",
			"! not carried: `hash_balance_factor: 120`: "},
		{"common_lb_config: {locality_weighted_lb_config: {}},",
			"! not carried: `load_balancing_weight: 2`: "},
		{"lb_subset_config: {},", "! not carried: `lb_subset_config`: "},
	};
	char text[1024];
	struct imported i;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		snprintf(text, sizeof(text), "lb_policy: MAGLEV, %s %s", cases[k].fields, end);
		import_cluster(&i, text);
		assert_true(i.misplaced);
		assert_true(contains(&i.report, cases[k].note));
		imported_fini(&i);
	}
	snprintf(text, sizeof(text), "lb_policy: MAGLEV, transport_socket: {k: hunter2}, %s",
		end);
	import_cluster(&i, text);
	assert_false(i.misplaced);
	assert_true(
		contains(&i.report, "only for lookup: `transport_socket`: serve speaks plain"));
	assert_null(strstr(i.report.p, "hunter2"));
	imported_fini(&i);
}

/* ---- hash policies ---- */

#define ROUTE(policy) "{match: {prefix: /}, route: {cluster: ring, hash_policy: [" policy "]}}"

static void policies_become_keys(void **state)
{
	static const struct {
		const char *route, *key, *note;
		bool misplaced;
	} cases[] = {
		{ROUTE("{header: {header_name: X-User}}"),
			"key: [{header: \"X-User\"}]\n    no_key: "
			"random\n",
			"f.yaml:7: carried: `header_name: X-User`: the same for a header that",
			false},
		{ROUTE("{header: {header_name: \":authority\"}}"), "key: [{header: \"host\"}]",
			"", false},
		{ROUTE("{header: {header_name: \":path\"}}"), "key: [uri]", "", false},
		{ROUTE("{header: {header_name: \":method\"}}, {header: {header_name: a}}"),
			"key: [{header: \"a\"}]",
			"! not carried: `header_name: :method`: ", true},
		{ROUTE("{header: {header_name: a, regex_rewrite: {}}}"),
			"key: [{header: \"a\"}]", "! not carried: `regex_rewrite`: ", true},
		{ROUTE("{cookie: {name: sid}}"), "key: [{cookie: \"sid\"}]",
			"carried: `name: sid`: the same for a cookie", false},
		{ROUTE("{cookie: {name: sid, ttl: 0s}}"), "key: [{cookie: \"sid\"}]",
			"! not carried: `ttl: 0s`: ", true},
		{ROUTE("{connection_properties: {source_ip: true}}"),
			"key: [{client_ip: {v4: 32, v6: 128}}]", "", false},
		{ROUTE("{query_parameter: {name: id}}"), "key: [{query: \"id\"}]", "", false},
		{ROUTE("{header: {header_name: a}, terminal: true}, {cookie: {name: b}, "
		       "terminal: "
		       "true}, {query_parameter: {name: c}}"),
			"key: [{header: \"a\"}, {cookie: \"b\"}, {query: \"c\"}]", "", false},
		{ROUTE("{query_parameter: {name: a}}, {query_parameter: {name: b}}"),
			"key: [{query: \"a\"}, {query: \"b\"}]",
			"f.yaml:7: ! not carried: `query_parameter`: Envoy combines", true},
		{ROUTE("{query_parameter: {name: a}}, {connection_properties: {source_ip: "
		       "false}}"),
			"key: [{query: \"a\"}]", "", false},
		{ROUTE("{filter_state: {key: x}}"), "pool: \"ring\"",
			"! not carried: `filter_state`: ", true},
		{"{match: {prefix: /}, route: {cluster: ring}}", "pool: \"ring\"",
			"not carried: `route`: there is no hash_policy here", false},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct imported i = import_routes(cases[k].route, TWO);
		assert_int_equal(i.rc, FL_OK);
		assert_true(contains(&i.config, cases[k].key));
		assert_true(contains(&i.report, cases[k].note));
		assert_int_equal(i.misplaced, cases[k].misplaced);
		imported_fini(&i);
	}
}

static void the_address_may_come_from_a_header(void **state)
{
	struct imported i = import_text(FL_IMPORT_ANY,
		"static_resources:\n"
		"  listeners:\n"
		"  - {address: {socket_address: {address: \"::\", port_value: 80, ipv4_compat: "
		"true}},\n"
		"     filter_chains: [{filters: [{typed_config: {\"@type\": " MANAGER ",\n"
		"      route_config: {virtual_hosts: [{domains: [\"*\"], routes: [\n"
		"       {match: {prefix: /}, route: {cluster: ring, hash_policy:\n"
		"        [{connection_properties: {source_ip: true}}]}}]}]}}}]}]}\n"
		"  clusters:\n" TWO);

	(void)state;
	assert_true(i.misplaced);
	assert_true(contains(&i.config, "bind: \":80\""));
	assert_true(
		contains(&i.report, "f.yaml:7: ! not carried: `source_ip: true`: without "));
	imported_fini(&i);
}

static void another_policy_is_another_pool(void **state)
{
	struct imported i = import_routes("{match: {prefix: /a/}, route: {cluster: ring, "
					  "hash_policy: [{header: {header_name: "
					  "a}}]}},\n"
					  "{match: {prefix: /b/}, route: {cluster: ring, "
					  "hash_policy: [{header: {header_name: "
					  "b}}]}},\n"
					  "{match: {prefix: /}, route: {cluster: ring, "
					  "hash_policy: [{header: {header_name: "
					  "a}}]}}",
		TWO);

	(void)state;
	assert_true(contains(&i.config, "path: \"/a\", pool: \"ring\"}"));
	assert_true(contains(&i.config, "path: \"/b\", pool: \"ring-2\"}"));
	assert_true(contains(&i.config, "{listener: \"web\", pool: \"ring\"}"));
	assert_true(contains(&i.config, "key: [{header: \"a\"}]"));
	assert_true(contains(&i.config, "key: [{header: \"b\"}]"));
	assert_null(strstr(i.config.p, "ring-3"));
	imported_fini(&i);
}

/* ---- routes ---- */

#define TO(match, cluster) "{match: {" match "}, route: {cluster: " cluster "}},\n"

static void the_first_route_that_matches_wins(void **state)
{
	static const struct {
		const char *routes, *config, *report;
		bool misplaced;
	} cases[] = {
		{TO("prefix: /", "ring") TO("prefix: /b/", "rows"),
			"\n  - {listener: \"web\", pool: \"ring\"}  # f.yaml:7\n\n",
			"f.yaml:8: not carried: `prefix: /b/`: is never reached: line 7",
			false},
		{TO("path_separated_prefix: /b", "rows") TO("prefix: \"\"", "ring"),
			"path: \"/b\", pool: \"rows\"}", "", false},
		{TO("path_separated_prefix: /b", "rows") TO("prefix: /b/c", "ring"),
			"path: \"/b\", pool: \"rows\"}  # f.yaml:7\n\n", "is never reached",
			false},
		{TO("path_separated_prefix: /b", "rows") TO("prefix: /bc/", "ring"),
			"path: \"/bc\", pool: \"ring\"}", "carried: `prefix: /bc/`", true},
		{TO("prefix: /b", "rows"), "path: \"/b\", pool: \"rows\"}",
			"! carried: `prefix: /b`: ends between segments", true},
		{TO("prefix: /b/", "rows"), "path: \"/b\", pool: \"rows\"}",
			"! carried: `prefix: /b/`: here this has the path without the slash",
			true},
		{TO("path: /b", "rows"), "path: \"/b\", pool: \"rows\"}",
			"! carried: `path: /b`: is this path alone", true},
		{TO("path: /b", "rows") TO("prefix: /b", "ring"),
			"path: \"/b\", pool: \"ring\"}  # f.yaml:8",
			"! not carried: `path: /b`: a prefix here is one route: that of line 8",
			true},
		{TO("path: /b", "rows") TO("path: /b", "ring"),
			"path: \"/b\", pool: \"rows\"}  # f.yaml:7\n\n",
			"not carried: `path: /b`: is never reached", true},
		{TO("prefix: /, headers: [{name: x}]", "rows") TO("prefix: /", "ring"),
			"\n  - {listener: \"web\", pool: \"ring\"}  # f.yaml:8\n\n",
			"! not carried: `headers`: routes go by host and path alone", true},
		{TO("safe_regex: {regex: x}", "rows") TO("prefix: /", "ring"),
			"\n  - {listener: \"web\", pool: \"ring\"}  # f.yaml:8\n\n",
			"! not carried: `safe_regex`", true},
		{"{match: {prefix: /}, redirect: {}},\n" TO("prefix: /b", "ring"),
			"pools:", "is never reached: line 7", true},
		{"{match: {prefix: /}, route: {cluster_header: x}},\n", "pools:",
			"! not carried: `route`: a route here leads to one pool", true},
		{"{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: ring}, "
		 "{name: "
		 "rows}]}}},\n",
			"pools:", "! not carried: `weighted_clusters`: a route", true},
		{"{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: ring, "
		 "weight: "
		 "1}]}}},\n",
			"pool: \"ring\"}", "", false},
		{TO("prefix: /", "nobody"),
			"pools:", "! not carried: `route`: the cluster is not", true},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct imported i = import_routes(cases[k].routes, TWO);
		assert_int_equal(i.rc, FL_OK);
		assert_true(contains(&i.config, cases[k].config));
		assert_true(contains(&i.report, cases[k].report));
		assert_int_equal(i.misplaced, cases[k].misplaced);
		imported_fini(&i);
	}
}

static struct imported import_hosts(const char *hosts)
{
	char text[4096];

	snprintf(text, sizeof(text),
		"static_resources:\n"
		"  listeners:\n"
		"  - {name: web, address: {pipe: {path: /run/web}},\n"
		"     filter_chains: [{filters: [{typed_config: {\"@type\": " MANAGER ",\n"
		"      route_config: {virtual_hosts: [\n%s]}}}]}]}\n"
		"  clusters:\n" TWO,
		hosts);
	return import_text(FL_IMPORT_ANY, text);
}

static void domains_become_hosts(void **state)
{
	struct imported i = import_hosts(
		"{domains: [a.example, \"a.example:80\", \"b.example:8080\", \"*.c.example\", "
		"\"[::1]:80\", \"[::2]\", \"d.*\", \"*-e.example\"],\n"
		" routes: [{match: {prefix: /}, route: {cluster: ring}}]}");

	(void)state;
	assert_int_equal(i.rc, FL_OK);
	assert_true(i.misplaced);
	assert_true(contains(&i.config, "bind: \"unix:/run/web\""));
	assert_true(contains(&i.config,
		"routes:\n"
		"  - {listener: \"web\", host: \"a.example\", pool: \"ring\"}  # f.yaml:7\n"
		"  - {listener: \"web\", host: \"b.example\", pool: \"ring\"}  # f.yaml:7\n"
		"  - {listener: \"web\", host: \"*.c.example\", pool: \"ring\"}  # f.yaml:7\n"
		"  - {listener: \"web\", host: \"[::1]\", pool: \"ring\"}  # f.yaml:7\n"
		"  - {listener: \"web\", host: \"[::2]\", pool: \"ring\"}  # f.yaml:7\n\n"));
	assert_true(contains(&i.report, "! not carried: `d.*`: a wildcard here"));
	assert_true(contains(&i.report, "! not carried: `*-e.example`: a wildcard here"));
	imported_fini(&i);
}

static void a_host_without_a_last_route_is_told(void **state)
{
	static const char *const hosts = "{name: one, domains: [a.example], routes: [{match: "
					 "{path_separated_prefix: /x},\n"
					 " route: {cluster: ring}}]}%s";
	char text[1024];
	struct imported i;

	(void)state;
	snprintf(text, sizeof(text), hosts, "");
	i = import_hosts(text);
	assert_false(i.misplaced);
	imported_fini(&i);
	snprintf(text, sizeof(text), hosts,
		",\n{domains: [\"*\"], routes: [{match: {path_separated_prefix: /y}, route: "
		"{cluster: "
		"rows}}]}");
	i = import_hosts(text);
	assert_true(i.misplaced);
	assert_true(contains(
		&i.report, "f.yaml:6: ! carried: `name: one`: what none of its routes"));
	imported_fini(&i);
}

static void listeners_that_cannot_be_served(void **state)
{
	struct imported i = import_text(FL_IMPORT_ANY,
		"static_resources:\n"
		"  listeners:\n"
		"  - {name: tls, address: {socket_address: {address: 0.0.0.0, port_value: "
		"443}},\n"
		"     filter_chains: [{transport_socket: {key: hunter2}, filters: "
		"[{typed_config: "
		"{\"@type\": " MANAGER ",\n"
		"      route_config: {virtual_hosts: [{domains: [\"*\"], routes: [\n"
		"       {match: {prefix: /}, route: {cluster: ring, hash_policy: [{header: "
		"{header_name: a}}]}}]}]}}}]}]}\n"
		"  - {name: tcp, address: {socket_address: {address: 0.0.0.0, port_value: "
		"444}},\n"
		"     filter_chains: [{filters: [{name: t, typed_config: {\"@type\": "
		"x/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy,\n"
		"      cluster: rows, hash_policy: [{source_ip: {}}]}}]}]}\n"
		"  clusters:\n" TWO);

	(void)state;
	assert_int_equal(i.rc, FL_OK);
	assert_null(strstr(i.config.p, "listeners:"));
	assert_true(contains(&i.config, "key: [{header: \"a\"}]"));
	assert_true(contains(&i.config, "key: [{client_ip: {v4: 32, v6: 128}}]"));
	assert_true(contains(
		&i.report, "f.yaml:4: only for lookup: `transport_socket`: serve does"));
	assert_true(
		contains(&i.report, "f.yaml:9: only for lookup: `cluster: rows`: serve does"));
	assert_null(strstr(i.report.p, "hunter2"));
	assert_false(i.misplaced);
	imported_fini(&i);
}

/* ---- what is refused ---- */

static void broken_structure_is_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{"[]", "f.yaml:1:1: Envoy's file wants static_resources"},
		{"static_resources: 5", "f.yaml:1:19: static_resources wants a map"},
		{"static_resources: {clusters: 5}", "f.yaml:1:30: clusters wants a list"},
		{"static_resources: {clusters: [5]}", "f.yaml:1:31: this wants a map"},
		{"static_resources: {clusters: [{}]}", "f.yaml:1:31: a cluster wants a name"},
		{"static_resources: &a {}",
			"f.yaml:1:19: anchors (&) are not supported; write the "
			"value in full"},
		{NULL, NULL},
	};
	static const struct {
		const char *fields, *error;
	} clusters[] = {
		{"lb_policy: RING_HASH, ring_hash_lb_config: {minimum_ring_size: 8388609}",
			"f.yaml:3:78: minimum_ring_size wants a number from 1 to 8388608"},
		{"lb_policy: RING_HASH, ring_hash_lb_config: {maximum_ring_size: 1023}",
			"f.yaml:3:78: maximum_ring_size is less than minimum_ring_size"},
		{"lb_policy: RING_HASH, ring_hash_lb_config: {hash_function: MD5}",
			"f.yaml:3:74: hash_function wants XX_HASH or MURMUR_HASH_2, not "
			"\"MD5\""},
		{"lb_policy: MAGLEV, maglev_lb_config: {table_size: 10}",
			"f.yaml:3:65: table_size wants a prime number"},
		{"load_assignment: {endpoints: [{lb_endpoints: [{load_balancing_weight: 0, "
		 "endpoint: {address: {pipe: {path: /a}}}}]}]}",
			"f.yaml:3:85: load_balancing_weight wants a number from 1 to "
			"4294967295"},
		{"load_assignment: {endpoints: [{lb_endpoints: [{endpoint: {address: "
		 "{socket_address: {address: a}}}}]}]}",
			"f.yaml:3:99: socket_address wants an address and a port_value"},
		{NULL, NULL},
	};
	char text[1024];

	(void)state;
	for (size_t k = 0; cases[k].text; k++)
		assert_refused(FL_IMPORT_ENVOY, cases[k].text, cases[k].error);
	for (size_t k = 0; clusters[k].fields; k++) {
		struct imported i;
		const char *hosts = strstr(clusters[k].fields, "load_assignment")
		                            ? ""
		                            : ", load_assignment: {endpoints: [{lb_endpoints: "
		                              "[" ENDPOINT(1) "]}]}";
		snprintf(text, sizeof(text), "%s%s", clusters[k].fields, hosts);
		import_cluster(&i, text);
		assert_int_equal(i.rc, FL_EINVAL);
		assert_string_equal(i.err.text, clusters[k].error);
		imported_fini(&i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(load_balancing_becomes_a_mapping),
		cmocka_unit_test(hosts_have_the_names_that_envoy_hashes),
		cmocka_unit_test(hostnames_are_hashed_on_demand),
		cmocka_unit_test(states_priorities_and_checks),
		cmocka_unit_test(large_weights_lose_their_common_factor),
		cmocka_unit_test(what_changes_placement_is_marked),
		cmocka_unit_test(policies_become_keys),
		cmocka_unit_test(the_address_may_come_from_a_header),
		cmocka_unit_test(another_policy_is_another_pool),
		cmocka_unit_test(the_first_route_that_matches_wins),
		cmocka_unit_test(domains_become_hosts),
		cmocka_unit_test(a_host_without_a_last_route_is_told),
		cmocka_unit_test(listeners_that_cannot_be_served),
		cmocka_unit_test(broken_structure_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
