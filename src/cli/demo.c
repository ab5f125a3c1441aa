/* `fairlead demo`: backends, balancer and clients in one process tree, and three acts that show
 * what consistent hashing is for. What it starts, it ends: in the reverse order, on every way
 * out. The signals that end it are blocked from the start, in all threads, and taken by the show
 * between two frames, so that no code runs in a signal handler. */
#include "cli/verb.h"

#include "cli/demo_moves.h"
#include "cli/demo_show.h"
#include "conf/conf.h"
#include "lib/spec.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
	LEAST_KEYS = 100,
	MOST_KEYS = 50000,
	LEAST_MS = 2000,
	SHOW_MS = 15000,      /* the acts take so long when no time was given, */
	MOST_SHOW_MS = 30000, /* and at most so long; what is left is for looking */
	LEAST_RATE = 200,
	MOST_RATE = 5000, /* requests a second: visible in top, no more */
};

struct options {
	const char *algorithm;
	int64_t keys;
	int64_t port; /* 0: a free one */
	uint64_t ms;  /* 0: until a signal */
};

/* What is alive; every part may be missing. */
struct parts {
	struct fl_demo_view view;
	struct fl_demo_nodes *nodes;
	struct fl_demo_balancer *balancer;
	struct fl_demo_oracle *oracle;
	struct fl_demo_traffic *traffic;
};

enum arg {
	ARG_FOR,
	ARG_ALGORITHM,
	ARG_KEYS,
	ARG_PORT,
};

static const struct fl_arg args_list[] = {
	[ARG_FOR] = {"for", 0, "DURATION",
		"end after so long, such as 15s (from 2s on); else with Ctrl-C"},
	[ARG_ALGORITHM] = {"algorithm", 0, "NAME[,option=value...]",
		"how keys are placed (default: table)"},
	[ARG_KEYS] = {"keys", 0, "N", "distinct keys, 100 to 50000 (default: 5000)"},
	[ARG_PORT] = {"port", 0, "P", "where the balancer listens (default: a free port)"},
	FL_ARG_END,
};

/* ---- the command line ---- */

static int take_duration(const struct fl_args *args, struct options *o)
{
	const char *why = NULL;
	uint64_t ms = 0;

	if (fl_conf_parse_duration(args->value, &ms, &why) < 0)
		return fl_usage_error(
			args->verb, "--for wants %s, not \"%s\"", why, args->value);
	if (ms < LEAST_MS)
		return fl_usage_error(
			args->verb, "--for wants at least 2s, not \"%s\"", args->value);
	o->ms = ms;
	return 0;
}

static int take_number(
	const struct fl_args *args, const char *what, int64_t min, int64_t max, int64_t *out)
{
	if (fl_conf_parse_int(args->value, min, max, out) == 0)
		return 0;
	return fl_usage_error(args->verb, "%s wants %s from %lld to %lld, not \"%s\"",
		args->option, what, (long long)min, (long long)max, args->value);
}

static int take_algorithm(const struct fl_args *args, struct options *o)
{
	fl_placement *empty = NULL;
	struct fl_error err;

	if (fl_placement_new(&empty, args->value, NULL, 0, &err) < 0)
		return fl_usage_error(args->verb, "--algorithm: %s", err.text);
	fl_placement_unref(empty);
	o->algorithm = args->value;
	return 0;
}

/* 0, or -1 with the status to exit with. */
static int read_options(
	const struct fl_verb *verb, int argc, char **argv, struct options *o, int *status)
{
	struct fl_args args;
	int bad = 0;

	fl_args_init(&args, verb, argc, argv);
	while (!bad) {
		switch (fl_args_next(&args)) {
		case ARG_FOR:
			bad = take_duration(&args, o);
			break;
		case ARG_ALGORITHM:
			bad = take_algorithm(&args, o);
			break;
		case ARG_KEYS:
			bad = take_number(&args, "a number", LEAST_KEYS, MOST_KEYS, &o->keys);
			break;
		case ARG_PORT:
			bad = take_number(&args, "a port", 1, 65535, &o->port);
			break;
		case FL_ARGS_END:
			return 0;
		case FL_ARGS_STOP:
			*status = args.status;
			return -1;
		default:
			bad = fl_usage_error(verb, "takes no \"%s\"", args.value);
		}
	}
	*status = bad;
	return -1;
}

/* ---- what is started, and ended ---- */

static void block_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static int start_balancer(struct parts *p, const struct options *o, struct fl_error *err)
{
	struct fl_demo_balancer_options options = {
		.algorithm = o->algorithm, .port = (uint16_t)o->port};

	for (size_t i = 0; i < FL_DEMO_NODES; i++)
		options.node_port[i] = fl_demo_node_port(p->nodes, i);
	return fl_demo_balancer_new(&p->balancer, &options, err);
}

/* Every key once in half of an act's time, so that the acts end on time. */
static unsigned rate_for(const struct options *o, double act)
{
	double rate = (double)o->keys / (act / 2);

	if (rate < LEAST_RATE)
		return LEAST_RATE;
	return rate > MOST_RATE ? MOST_RATE : (unsigned)rate;
}

static const char *start(
	struct parts *p, const struct options *o, double act, struct fl_error *err)
{
	int rc = fl_demo_nodes_new(&p->nodes);

	if (rc < 0) {
		(void)snprintf(err->text, sizeof(err->text), "%s", strerror(-rc));
		return "cannot start the nodes";
	}
	if (start_balancer(p, o, err) < 0)
		return "cannot start the balancer";
	if (fl_demo_oracle_new(&p->oracle) < 0) {
		(void)snprintf(err->text, sizeof(err->text), "no memory");
		return "cannot foretell";
	}
	if (fl_demo_oracle_read(p->oracle, fl_demo_balancer_file(p->balancer), err) < 0)
		return "cannot foretell";
	struct fl_demo_traffic_options traffic = {
		fl_demo_balancer_port(p->balancer), (size_t)o->keys, rate_for(o, act)};
	rc = fl_demo_traffic_new(&p->traffic, &traffic);
	if (rc < 0) {
		(void)snprintf(err->text, sizeof(err->text), "%s", strerror(-rc));
		return "cannot start the clients";
	}
	return NULL;
}

/* Gives the exit status: `status`, or that of a balancer which ended badly. */
static int end(struct parts *p, int status)
{
	struct fl_error err;

	fl_demo_traffic_free(p->traffic);
	if (p->balancer && fl_demo_balancer_stop(p->balancer, &err) < 0) {
		(void)fprintf(stderr, "fairlead demo: %s\n", err.text);
		status = FL_EXIT_FAILED;
	}
	fl_demo_balancer_free(p->balancer);
	fl_demo_oracle_free(p->oracle);
	fl_demo_nodes_free(p->nodes);
	fl_demo_view_fini(&p->view);
	return status;
}

/* ---- the verb ---- */

static int show(struct parts *p, const struct options *o, double began, double act)
{
	struct fl_demo_number keys;
	char spec[FL_SPEC_TEXT];
	struct fl_demo_stage stage = {
		.view = &p->view,
		.balancer = p->balancer,
		.traffic = p->traffic,
		.oracle = p->oracle,
		.keys = (size_t)o->keys,
		.began = began,
		.seconds = (double)o->ms / 1000,
		.act = act,
	};

	fl_spec_hide(spec, o->algorithm);
	fl_demo_view_say(&p->view, FL_DEMO_HEAD,
		"  fairlead: algorithm %s, %d nodes, %s keys, http://127.0.0.1:%u/", spec,
		FL_DEMO_NODES, fl_demo_number(&keys, (uint64_t)o->keys),
		fl_demo_balancer_port(p->balancer));
	return fl_demo_show(&stage);
}

static int run(const struct fl_verb *verb, int argc, char **argv)
{
	struct options o = {.algorithm = "table", .keys = 5000};
	struct parts p = {0};
	struct fl_error err;
	int status = FL_EXIT_FAILED;

	if (read_options(verb, argc, argv, &o, &status) < 0)
		return status;
	uint64_t acts_ms = o.ms ? o.ms : SHOW_MS;
	double act = (double)(acts_ms > MOST_SHOW_MS ? MOST_SHOW_MS : acts_ms) / 3000;
	double began = fl_demo_now();
	block_signals();
	fl_demo_view_init(&p.view);
	const char *what = start(&p, &o, act, &err);
	if (what)
		(void)fprintf(stderr, "fairlead demo: %s: %s\n", what, err.text);
	else
		status = show(&p, &o, began, act);
	return end(&p, status);
}

const struct fl_verb fl_verb_demo = {
	.name = "demo",
	.usage = "[OPTIONS]",
	.summary = "Shows a balancer at work: five nodes, live traffic, a node that goes and "
		   "comes",
	.text = "Starts five HTTP nodes, the balancer and clients on loopback, takes node c "
		"away,\n"
		"brings it back, and shows which keys moved, beside what modulo would have "
		"moved.\n"
		"Exit status: 0 when no request failed, every key was where the library says "
		"and\n"
		"came home again; else 1.",
	.args = args_list,
	.run = run,
};
