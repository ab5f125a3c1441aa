/* fairlead verify: the same keys through a running balancer and through Fairlead's own placement,
 * and where they differ. The pool is the one that `serve` would build. */
#include "cli/verify.h"

#include "cli/pool_args.h"
#include "cli/verify_client.h"
#include "cli/verify_request.h"
#include "conf/conf.h"
#include "plan/keyset.h"
#include "report/progress.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIMIT_DEFAULT   10000
#define LIMIT_MOST      1000000
#define RATE_DEFAULT    100
#define CONNS_DEFAULT   4
#define TIMEOUT_DEFAULT 5000
#define TIMEOUT_MOST    600000 /* ms */
#define GIVE_UP         20     /* failures in a row */

enum {
	ARG_URL = FL_POOL_ARGS_COUNT,
	ARG_HEADER,
	ARG_COOKIE,
	ARG_NODE_HEADER,
	ARG_NODE_BODY,
	ARG_NODE_PATTERN,
	ARG_MAP,
	ARG_LIMIT,
	ARG_RATE,
	ARG_CONCURRENCY,
	ARG_TIMEOUT,
	ARG_MAX_MISMATCH,
	ARG_TRAFFIC,
	ARG_REPORT = ARG_TRAFFIC + FL_TRAFFIC_ARGS_COUNT,
};

static const struct fl_arg verify_args[] = {
	FL_POOL_ARGS,
	{"url", 'u', "URL", "ask this: http://HOST[:PORT]/PATH?QUERY, with {key} or {raw}"},
	{"header", 'H', "HEADER", "\"Name: value\" of the request, with {key}; repeatable"},
	{"cookie", 0, "COOKIE", "\"name=value\" of the request, with {key}; repeatable"},
	{"node-header", 0, "NAME", "this header of an answer names the node"},
	{"node-body", 0, NULL, "the whole body of an answer names the node"},
	{"node-pattern", 0, "REGEX", "only the first group of this extended regex in it does"},
	{"map", 0, "ANSWER=NODE", "what answers call ANSWER is this node; repeatable"},
	{"limit", 0, "N", "ask about so many different keys at most (default: 10000)"},
	{"rate", 0, "N", "requests a second at most (default: 100)"},
	{"concurrency", 0, "N", "connections, one request under way on each (default: 4)"},
	{"timeout", 0, "TIME", "wait so long for an answer (default: 5s)"},
	{"max-mismatch", 0, "SHARE",
		"exit 1 only when more of the answers differ, such as 0.1%"},
	FL_TRAFFIC_ARGS,
	FL_REPORT_ARGS,
	FL_ARG_END,
};

struct verifying {
	const struct fl_verb *verb;
	struct fl_verify found;
	struct fl_pool_args pool;
	struct fl_traffic_args traffic;
	struct fl_report_args report;
	struct fl_verify_request request;
	struct fl_verify_finder finder;
	bool node_body;
	struct fl_verify_map *maps; /* owned, [FL_VERIFY_MAPS] */
	size_t map_count;
	int64_t limit, rate, conns;
	uint64_t timeout_ms;
	/* while it runs */
	const struct fl_view *view;
	struct fl_keyset *keys;
	size_t next;
	unsigned failures; /* in a row */
	struct fl_progress progress;
	uint64_t done;
};

/* ---- asking ---- */

static struct fl_slice key_at(const struct verifying *v, size_t i)
{
	const struct fl_key *key = &fl_keyset_keys(v->keys)[i];

	return (struct fl_slice){key->bytes, key->len};
}

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Keys that cannot be sent are passed over. */
static bool next_request(void *cookie, size_t *number, struct fl_text *request)
{
	struct verifying *v = cookie;

	while (v->next < v->found.keys) {
		size_t i = v->next++;
		const char *why = fl_verify_request_write(&v->request, key_at(v, i), request);

		if (!why) {
			*number = i;
			return true;
		}
		fl_verify_tally_fail(&v->found.tally, key_at(v, i), why, true);
		v->done++;
	}
	return false;
}

static bool take_answer(void *cookie, size_t number, const char *node, const char *why)
{
	struct verifying *v = cookie;
	struct fl_key key = fl_keyset_keys(v->keys)[number];
	struct fl_member *owner = NULL;

	fl_progress_at(&v->progress, ++v->done, seconds());
	if (!node) {
		fl_verify_tally_fail(&v->found.tally, key_at(v, number), why, false);
		v->found.given_up = ++v->failures == GIVE_UP;
		return !v->found.given_up;
	}
	v->failures = 0;
	/* What the mapping cannot do was told when the pool was built. */
	(void)fl_view_pick(v->view, &key, 0, &owner);
	fl_verify_tally_answer(
		&v->found.tally, key_at(v, number), owner ? owner->name : "-", node);
	return true;
}

/* Fills in where to connect. */
static int resolve(const struct verifying *v, struct fl_verify_client_options *options)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	int rc = getaddrinfo(v->request.host, v->request.port, &hints, &found);

	if (rc != 0)
		return fl_usage_error(v->verb, "--url: cannot find \"%s\": %s", v->request.host,
			gai_strerror(rc));
	memcpy(&options->addr, found->ai_addr, found->ai_addrlen);
	options->len = found->ai_addrlen;
	freeaddrinfo(found);
	return FL_EXIT_DONE;
}

static int ask(struct verifying *v)
{
	struct fl_verify_client_options options = {.rate = (unsigned)v->rate,
		.conns = (unsigned)v->conns,
		.timeout_ms = v->timeout_ms,
		.finder = &v->finder,
		.next = next_request,
		.done = take_answer,
		.cookie = v};
	struct fl_progress_options shown;
	int rc = resolve(v, &options);

	if (rc != FL_EXIT_DONE)
		return rc;
	fl_progress_wanted(stderr, &shown);
	fl_progress_begin(
		&v->progress, stderr, &shown, "asking the balancer", v->found.keys, seconds());
	rc = fl_verify_client_run(&options);
	fl_progress_end(&v->progress);
	if (rc < 0)
		return fl_usage_error(v->verb, "cannot ask: %s", strerror(-rc));
	return FL_EXIT_DONE;
}

/* ---- the outcome ---- */

static int outcome(const struct verifying *v)
{
	const struct fl_verify_tally *t = &v->found.tally;

	if (!fl_verify_holds(&v->found))
		return FL_EXIT_FAILED;
	return t->failed ? FL_EXIT_USAGE : FL_EXIT_DONE;
}

static int tell(struct verifying *v)
{
	struct fl_verify_tally *t = &v->found.tally;
	struct fl_report *r;
	int rc;

	if (t->matches + t->mismatches == 0 && t->reason_count)
		return fl_usage_error(v->verb, "nothing could be verified at %s: %s%s",
			v->found.url, t->reasons[0].unsent ? "the key " : "",
			t->reasons[0].why);
	r = fl_verify_report(&v->found);
	rc = fl_report_args_write(&v->report, r);
	fl_report_free(r);
	return rc == FL_EXIT_DONE ? outcome(v) : rc;
}

/* ---- keys ---- */

static int take_key(void *cookie, struct fl_slice key, uint64_t weight)
{
	struct verifying *v = cookie;

	(void)weight;
	/* One more than is asked about is kept, to know that there are more. */
	if (fl_keyset_count(v->keys) > (size_t)v->limit)
		return FL_OK;
	return fl_keyset_add(v->keys, key, 1);
}

static int read_keys(struct verifying *v)
{
	const struct fl_key_sources *sources = NULL;
	const struct fl_config_pool *conf = NULL;
	int rc = FL_EXIT_DONE;

	if (!fl_traffic_args_given(&v->traffic))
		return fl_usage_error(
			v->verb, "there are no keys: --keys-file FILE, --log FILE or --keys N");
	if (v->pool.config)
		rc = fl_pool_args_choose(&v->pool, &conf);
	if (rc != FL_EXIT_DONE)
		return rc;
	if (conf && conf->forward.key.count)
		sources = &conf->forward.key;
	if (fl_keyset_new(&v->keys) != FL_OK)
		return fl_usage_error(v->verb, "out of memory");
	rc = fl_traffic_args_feed(&v->traffic, sources, take_key, v);
	v->found.keys = fl_keyset_count(v->keys);
	if (rc == FL_EXIT_DONE && v->found.keys == 0)
		return fl_usage_error(v->verb, "there are no keys");
	v->found.more_keys = v->found.keys > (uint64_t)v->limit;
	v->found.keys -= v->found.more_keys;
	return rc;
}

/* ---- the command line ---- */

static int take_once(
	const struct verifying *v, const char **field, const char *what, const char *value)
{
	if (*field)
		return fl_usage_error(v->verb, "--%s is given twice", what);
	*field = value;
	return FL_EXIT_DONE;
}

static int take_number(const struct verifying *v, const char *what, int64_t most,
	const char *value, int64_t *out)
{
	if (fl_conf_parse_int(value, 1, most, out) == 0)
		return FL_EXIT_DONE;
	return fl_usage_error(v->verb, "--%s wants a whole number from 1 to %lld, not \"%s\"",
		what, (long long)most, value);
}

static int take_map(struct verifying *v, const char *value)
{
	const char *equals = strrchr(value, '=');

	if (!v->maps)
		v->maps = calloc(FL_VERIFY_MAPS, sizeof(*v->maps));
	if (!v->maps)
		return fl_usage_error(v->verb, "out of memory");
	if (v->map_count == FL_VERIFY_MAPS)
		return fl_usage_error(v->verb, "more than %d maps", FL_VERIFY_MAPS);
	if (!equals || equals == value || !equals[1])
		return fl_usage_error(v->verb, "--map wants ANSWER=NODE, not \"%s\"", value);
	v->maps[v->map_count++] =
		(struct fl_verify_map){{value, (size_t)(equals - value)}, equals + 1};
	return FL_EXIT_DONE;
}

static int take_pattern(struct verifying *v, const char *value)
{
	struct fl_error err = {0};

	if (v->finder.has_pattern)
		return fl_usage_error(v->verb, "--node-pattern is given twice");
	if (fl_verify_finder_pattern(&v->finder, value, &err) == FL_OK)
		return FL_EXIT_DONE;
	return fl_usage_error(v->verb, "--node-pattern: %s", err.text);
}

static int take_timeout(struct verifying *v, const char *value)
{
	if (fl_conf_parse_duration(value, &v->timeout_ms, NULL) == 0 && v->timeout_ms > 0 &&
		v->timeout_ms <= TIMEOUT_MOST)
		return FL_EXIT_DONE;
	return fl_usage_error(
		v->verb, "--timeout wants a time up to 10m, such as 5s, not \"%s\"", value);
}

static int take_request(struct verifying *v, int id, const char *value)
{
	struct fl_error err = {0};
	int rc = FL_OK;

	if (id == ARG_URL && take_once(v, &v->found.url, "url", value) != FL_EXIT_DONE)
		return FL_EXIT_USAGE;
	if (id == ARG_URL)
		rc = fl_verify_request_url(&v->request, value, &err);
	else if (id == ARG_HEADER)
		rc = fl_verify_request_header(&v->request, value, &err);
	else
		rc = fl_verify_request_cookie(&v->request, value, &err);
	if (rc == FL_OK)
		return FL_EXIT_DONE;
	return fl_usage_error(v->verb, "--%s: %s", verify_args[id].name, err.text);
}

static int take_own(struct verifying *v, int id, const char *value)
{
	switch (id) {
	case ARG_NODE_HEADER:
		return take_once(v, &v->finder.header, "node-header", value);
	case ARG_NODE_BODY:
		v->node_body = true;
		return FL_EXIT_DONE;
	case ARG_NODE_PATTERN:
		return take_pattern(v, value);
	case ARG_MAP:
		return take_map(v, value);
	case ARG_LIMIT:
		return take_number(v, "limit", LIMIT_MOST, value, &v->limit);
	case ARG_RATE:
		return take_number(v, "rate", FL_VERIFY_RATE_MOST, value, &v->rate);
	case ARG_CONCURRENCY:
		return take_number(v, "concurrency", FL_VERIFY_CONNS_MOST, value, &v->conns);
	case ARG_TIMEOUT:
		return take_timeout(v, value);
	case ARG_MAX_MISMATCH:
		if (fl_conf_parse_share(value, &v->found.max_mismatch, NULL) == 0)
			return FL_EXIT_DONE;
		return fl_usage_error(v->verb,
			"--max-mismatch wants a share such as 0.1%% or 0.001, not \"%s\"",
			value);
	default:
		return take_request(v, id, value);
	}
}

static int take(struct verifying *v, int id, const char *value)
{
	if (id == FL_ARGS_WORD)
		return fl_usage_error(v->verb, "\"%s\" is not expected", value);
	if (id < ARG_URL)
		return fl_pool_args_take(&v->pool, id, value);
	if (id >= ARG_REPORT)
		return fl_report_args_take(&v->report, id - ARG_REPORT, value);
	if (id >= ARG_TRAFFIC)
		return fl_traffic_args_take(&v->traffic, id - ARG_TRAFFIC, value);
	return take_own(v, id, value);
}

static int check(const struct verifying *v)
{
	if (!v->found.url)
		return fl_usage_error(v->verb, "which balancer? --url http://HOST:PORT/...");
	if (!fl_verify_request_has_key(&v->request))
		return fl_usage_error(v->verb,
			"no request has the key: write {key} into --url, --header or --cookie");
	if (!v->finder.header && !v->node_body && !v->finder.has_pattern)
		return fl_usage_error(v->verb,
			"how does an answer name its node? --node-header NAME, --node-body or "
			"--node-pattern REGEX");
	if (v->finder.header && v->node_body)
		return fl_usage_error(v->verb, "--node-header or --node-body, not both");
	return FL_EXIT_DONE;
}

static int verify(struct verifying *v)
{
	struct fl_pool *pool = NULL;
	struct fl_error err = {0};
	int rc = check(v);

	if (rc == FL_EXIT_DONE)
		rc = fl_pool_args_build(&v->pool, &pool);
	if (rc != FL_EXIT_DONE)
		return rc;
	v->view = fl_pool_view(pool);
	v->found.spec = fl_pool_spec(pool);
	v->found.rate = (uint64_t)v->rate;
	v->found.traffic = &v->traffic;
	if (fl_verify_tally_init(&v->found.tally, v->view, v->maps, v->map_count, &err) !=
		FL_OK)
		rc = fl_usage_error(v->verb, "--map: %s", err.text);
	if (rc == FL_EXIT_DONE)
		rc = read_keys(v);
	if (rc == FL_EXIT_DONE)
		rc = ask(v);
	if (rc == FL_EXIT_DONE)
		rc = tell(v);
	fl_verify_tally_fini(&v->found.tally);
	fl_keyset_free(v->keys);
	fl_pool_unref(pool);
	return rc;
}

static int run(const struct fl_verb *verb, int argc, char **argv)
{
	struct verifying v = {.verb = verb,
		.limit = LIMIT_DEFAULT,
		.rate = RATE_DEFAULT,
		.conns = CONNS_DEFAULT,
		.timeout_ms = TIMEOUT_DEFAULT};
	struct fl_args args;
	int id = FL_ARGS_END, rc = FL_EXIT_DONE;

	fl_pool_args_init(&v.pool, verb);
	fl_traffic_args_init(&v.traffic, verb, 0);
	fl_report_args_init(&v.report, verb);
	fl_args_init(&args, verb, argc, argv);
	while (rc == FL_EXIT_DONE && (id = fl_args_next(&args)) != FL_ARGS_END) {
		if (id == FL_ARGS_STOP)
			break;
		rc = take(&v, id, args.value);
	}
	if (rc == FL_EXIT_DONE)
		rc = id == FL_ARGS_STOP ? args.status : verify(&v);
	free(v.maps);
	fl_verify_finder_fini(&v.finder);
	fl_traffic_args_fini(&v.traffic);
	fl_pool_args_fini(&v.pool);
	return rc;
}

const struct fl_verb fl_verb_verify = {
	.name = "verify",
	.usage = "-c FILE --url URL --node-header NAME [--keys-file FILE]",
	.summary = "Compares a running balancer's choices with Fairlead's",
	.text = "Sends every different key through the balancer, learns from the answer which "
		"node\nit chose, and tells where Fairlead would choose another.\n"
		"\n"
		"  fairlead verify -c fairlead.yaml --url 'http://10.0.0.1/?k={key}' \\\n"
		"      --node-header X-Node --keys-file keys.txt\n"
		"\n"
		"In the URL {key} is percent-encoded and {raw} is not; in headers and cookies "
		"{key}\nis the key's own bytes. An answer names a node by its name, else by "
		"its "
		"address,\nor by what --map says. Exit status: 0 all keys that were sent "
		"match, "
		"1 some do not\n(more than --max-mismatch), 2 some have no answer.",
	.args = verify_args,
	.run = run,
};
