/* fairlead why: which node has a key, and why it and no other; from a file, or from the running
 * balancer. */
#include "cli/admin_client.h"
#include "cli/pool_args.h"
#include "cli/report_args.h"
#include "cli/request_args.h"
#include "cli/why.h"
#include "conf/conf.h"

#include <stdlib.h>

#define OWNERS_DEFAULT 10
#define OWNERS_MOST    1048576

enum {
	ARG_REQUEST = FL_POOL_ARGS_COUNT,
	ARG_LIVE = ARG_REQUEST + FL_REQUEST_ARGS_COUNT,
	ARG_ADMIN,
	ARG_OWNERS,
	ARG_REPORT,
};

static const struct fl_arg why_args[] = {
	FL_POOL_ARGS,
	FL_REQUEST_ARGS,
	{"live", 'l', NULL, "ask the running balancer that --config describes"},
	{"admin", 0, "ADDRESS",
		"ask the balancer with this admin socket (unix:/path, host:port)"},
	{"owners", 'o', "K", "list the first K owners (default: 10)"},
	FL_REPORT_ARGS,
	FL_ARG_END,
};

struct asked {
	const struct fl_verb *verb;
	struct fl_pool_args pool;
	struct fl_request_args request;
	struct fl_report_args report;
	struct fl_request_key made;
	const char *word; /* the key, given as it is */
	struct fl_slice key;
	bool live;
	const char *admin;
	int64_t owners;
};

/* ---- learning ---- */

static int report(const struct asked *a, struct fl_told *told)
{
	struct fl_report *r;
	int rc;

	told->source = a->made.source;
	r = fl_told_report(told, (size_t)a->owners, a->report.html || a->report.svg);
	rc = fl_report_args_write(&a->report, r);
	fl_report_free(r);
	if (rc == FL_EXIT_DONE && !told->owner)
		rc = FL_EXIT_NO_OWNER;
	return rc;
}

static int from_here(struct asked *a)
{
	struct fl_pool *pool = NULL;
	struct fl_why *why = NULL;
	struct fl_told told = {.count = 0};
	int rc = fl_pool_args_build(&a->pool, &pool), status;

	if (rc != FL_EXIT_DONE)
		return rc;
	status = fl_told_pool(&told, &why, pool, a->key);
	if (status == FL_OK)
		rc = report(a, &told);
	else
		rc = fl_usage_error(a->verb, "%s", fl_strerror(status));
	fl_told_fini(&told);
	fl_why_free(why);
	fl_pool_unref(pool);
	return rc;
}

static void put_encoded(struct fl_text *out, const char *name, struct fl_slice value)
{
	fl_text_string(out, name);
	for (size_t i = 0; i < value.n; i++)
		fl_text_format(out, "%%%02X", (unsigned char)value.p[i]);
}

static int ask(struct asked *a, const struct fl_admin_client *client)
{
	struct fl_text path;
	struct fl_error err = {0};
	struct fl_told told = {.count = 0};
	json_t *answer = NULL;
	int rc = FL_EXIT_DONE;

	fl_text_init(&path, 1u << 18);
	put_encoded(&path, "/why?key=", a->key);
	if (a->pool.pool)
		put_encoded(&path, "&pool=", fl_slice_of(a->pool.pool));
	fl_text_add(&path, "", 1);
	if (path.failed)
		rc = fl_usage_error(a->verb, "the key is too large to ask a balancer about");
	else
		answer = fl_admin_client_get(client, path.p, &err);
	if (rc == FL_EXIT_DONE && answer &&
		fl_told_answer(&told, answer, a->key, &err) == FL_OK)
		rc = report(a, &told);
	else if (rc == FL_EXIT_DONE)
		rc = fl_usage_error(a->verb, "%s", err.text);
	fl_told_fini(&told);
	json_decref(answer);
	fl_text_fini(&path);
	return rc;
}

static int from_balancer(struct asked *a)
{
	struct fl_admin_client client = {a->admin, getenv("FAIRLEAD_TOKEN")};
	const struct fl_config *file = NULL;
	int rc = FL_EXIT_DONE;

	if (a->pool.spec || a->pool.count || a->pool.down_count)
		return fl_usage_error(a->verb,
			"a running balancer knows its nodes: --algorithm, --node and --down "
			"are for asking without one");
	if (a->live && !a->pool.config)
		return fl_usage_error(
			a->verb, "--live wants --config (or say --admin ADDRESS)");
	if (a->pool.config)
		rc = fl_pool_args_file(&a->pool, &file);
	if (rc != FL_EXIT_DONE)
		return rc;
	if (!client.address && !file->admin.listen)
		return fl_usage_error(a->verb,
			"\"%s\" has no admin socket: put admin: {listen: \"unix:/path\"} into "
			"it",
			a->pool.config);
	if (!client.address)
		client = (struct fl_admin_client){file->admin.listen, file->admin.token};
	return ask(a, &client);
}

/* ---- the command line ---- */

static int take(struct asked *a, int id, const char *value)
{
	if (id == FL_ARGS_WORD) {
		if (a->word)
			return fl_usage_error(
				a->verb, "one key at a time, not \"%s\" too", value);
		a->word = value;
		return FL_EXIT_DONE;
	}
	if (id < ARG_REQUEST)
		return fl_pool_args_take(&a->pool, id, value);
	if (id < ARG_LIVE)
		return fl_request_args_take(&a->request, id - ARG_REQUEST, value);
	if (id >= ARG_REPORT)
		return fl_report_args_take(&a->report, id - ARG_REPORT, value);
	if (id == ARG_LIVE)
		a->live = true;
	else if (id == ARG_ADMIN)
		a->admin = value;
	else if (fl_conf_parse_int(value, 1, OWNERS_MOST, &a->owners) != 0)
		return fl_usage_error(a->verb,
			"--owners wants a whole number from 1 to %d, not \"%s\"", OWNERS_MOST,
			value);
	return FL_EXIT_DONE;
}

/* The key's bytes: the word, or what the balancer would make of the request. */
static int find_key(struct asked *a)
{
	bool request = fl_request_args_given(&a->request);
	int rc;

	if (request == (a->word != NULL))
		return fl_usage_error(a->verb, "%s",
			request ? "either a key, or a request (--target, --header, --client)"
				: "there is no key: give it, or a request (--target, --header, "
				  "--client)");
	if (!request) {
		a->key = fl_slice_of(a->word);
		return FL_EXIT_DONE;
	}
	if (!a->pool.config)
		return fl_usage_error(
			a->verb, "--config says how a request's key is made; it is missing");
	rc = fl_request_args_key(&a->request, &a->pool, &a->made);
	a->key = (struct fl_slice){a->made.bytes.p, a->made.bytes.n};
	return rc;
}

static int run(const struct fl_verb *verb, int argc, char **argv)
{
	struct asked a = {.verb = verb, .owners = OWNERS_DEFAULT};
	struct fl_args args;
	int id = FL_ARGS_END, rc = FL_EXIT_DONE;

	fl_pool_args_init(&a.pool, verb);
	fl_request_args_init(&a.request, verb);
	fl_report_args_init(&a.report, verb);
	fl_args_init(&args, verb, argc, argv);
	while (rc == FL_EXIT_DONE && (id = fl_args_next(&args)) != FL_ARGS_END) {
		if (id == FL_ARGS_STOP)
			break;
		rc = take(&a, id, args.value);
	}
	if (rc == FL_EXIT_DONE && id == FL_ARGS_STOP) {
		rc = args.status;
	} else if (rc == FL_EXIT_DONE) {
		rc = find_key(&a);
		if (rc == FL_EXIT_DONE)
			rc = a.live || a.admin ? from_balancer(&a) : from_here(&a);
	}
	fl_text_fini(&a.made.bytes);
	fl_pool_args_fini(&a.pool);
	return rc;
}

const struct fl_verb fl_verb_why = {
	.name = "why",
	.usage = "[OPTIONS] KEY",
	.summary = "Tells why a key is at its node, and at no other",
	.text = "Shows where the key comes from, its hash, its row or its place on the ring, "
		"and\n"
		"all nodes in the order in which they would have the key, with what became of\n"
		"each. From a configuration or from --node; with --live from the running\n"
		"balancer. Instead of a key, a request can be told:\n"
		"\n"
		"  fairlead why -c fairlead.yaml -t /cart -H \"Cookie: sid=7\" --client "
		"192.0.2.1\n"
		"\n"
		"The admin socket's token comes from the file, or with --admin from the\n"
		"environment's FAIRLEAD_TOKEN. Exit status 3: nobody can have the key.",
	.args = why_args,
	.run = run,
};
