/* fairlead check: does the configuration hold, and what comes of it? Every error and warning with
 * its place, or a summary that fits one screen: what listens, and who gets which share. */
#include "cli/out.h"
#include "cli/verb.h"
#include "conf/conf.h"
#include "daemon/config.h"
#include "lib/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define SAMPLES      200000 /* keys for shares that are not exact */
#define POOLS_SHOWN  6      /* one screen; --json has them all */
#define NODES_SHOWN  12
#define OTHERS_SHOWN 6

enum {
	ARG_CONFIG,
	ARG_JSON,
};

static const struct fl_arg check_args[] = {
	{"config", 'c', "FILE", "the file to check (\"-\": standard input)"},
	{"json", 'j', NULL, "the verdict and the summary as JSON"},
	FL_ARG_END,
};

/* ---- one pool ---- */

struct summary {
	const struct fl_config_pool *conf;
	struct fl_pool *pool;
	const struct fl_view *view;
	double *shares[FL_TIERS]; /* by slot */
	size_t memory;
};

static void summary_fini(struct summary *s)
{
	for (unsigned t = 0; t < FL_TIERS; t++)
		free(s->shares[t]);
	fl_pool_unref(s->pool);
}

static int summary_init(struct summary *s, const struct fl_config_pool *conf)
{
	*s = (struct summary){.conf = conf};
	if (fl_pool_new(&s->pool, conf->pool.name, 1) != FL_OK ||
		fl_pool_apply(s->pool, &conf->pool, 0, NULL) != FL_OK)
		return -1;
	s->view = fl_pool_view(s->pool);
	for (unsigned t = 0; t < FL_TIERS; t++) {
		const struct fl_tier *tier = &s->view->tier[t];

		if (!tier->placement)
			continue;
		s->memory += fl_placement_memory(tier->placement);
		s->shares[t] = calloc(tier->slots + 1, sizeof(double));
		if (!s->shares[t] || fl_shares(tier->placement, SAMPLES, s->shares[t]) != FL_OK)
			return -1;
	}
	return 0;
}

/* The share of node `n`, of its tier; the slot in *slot, FL_NONE for a disabled node. */
static double share_of(const struct summary *s, const struct fl_node_conf *n, uint32_t *slot)
{
	const struct fl_tier *tier = &s->view->tier[n->backup];

	*slot = tier->placement ? fl_placement_find(tier->placement, n->name) : FL_NONE;
	return *slot == FL_NONE ? 0 : s->shares[n->backup][*slot];
}

/* ---- as text ---- */

static void print_size(size_t bytes)
{
	if (bytes >= 10 << 20)
		(void)printf("%zu MiB", bytes >> 20);
	else if (bytes >= 10 << 10)
		(void)printf("%zu KiB", bytes >> 10);
	else
		(void)printf("%zu bytes", bytes);
}

static void print_node(const struct summary *s, const struct fl_node_conf *n)
{
	uint32_t slot;
	double share = share_of(s, n, &slot);

	(void)printf("    %-20s weight %-5" PRId64, n->name, n->weight);
	if (slot == FL_NONE)
		(void)printf("      -   ");
	else
		(void)printf(" %6.2f %%%s", 100 * share, "  ");
	(void)printf("%s%s%s%s%s\n", n->address ? n->address : "",
		n->admin == FL_ADMIN_ENABLED ? "" : "  ",
		n->admin == FL_ADMIN_ENABLED ? ""
					     : fl_admin_name((enum fl_admin_state)n->admin),
		n->backup ? "  backup" : "",
		slot != FL_NONE &&
				fl_placement_starved(s->view->tier[n->backup].placement, slot)
			? "  starved"
			: "");
}

static void print_pool(const struct summary *s)
{
	const struct fl_pool_conf *p = &s->conf->pool;
	char spec[FL_SPEC_TEXT];

	fl_spec_hide(spec, p->spec);
	(void)printf(
		"pool %s: %s, %zu node%s, ", p->name, spec, p->count, p->count == 1 ? "" : "s");
	print_size(s->memory);
	(void)printf(", digest %016" PRIx64 "\n", s->view->digest);
	(void)printf("    key");
	for (size_t i = 0; i < s->conf->forward.key.count; i++)
		(void)printf("%s %s", i ? "," : "", s->conf->forward.key.items[i].label);
	(void)putchar('\n');
	for (size_t i = 0; i < p->count && i < NODES_SHOWN; i++)
		print_node(s, &p->nodes[i]);
	if (p->count > NODES_SHOWN)
		(void)printf("    ... and %zu more\n", p->count - NODES_SHOWN);
}

static void print_listeners(const struct fl_config *c)
{
	for (size_t i = 0; i < c->listener_count && i < OTHERS_SHOWN; i++)
		(void)printf("listener %s: %s\n", c->listeners[i].name, c->listeners[i].bind);
	if (c->listener_count > OTHERS_SHOWN)
		(void)printf("    ... and %zu more\n", c->listener_count - OTHERS_SHOWN);
	for (size_t i = 0; i < c->route_count && i < OTHERS_SHOWN; i++) {
		const struct fl_route_conf *r = &c->routes[i];

		(void)printf("route %s%s%s%s -> %s\n", r->listener ? r->listener : "",
			r->listener ? " " : "", r->host ? r->host : "*",
			r->path ? r->path : "/", r->pool);
	}
	if (c->route_count > OTHERS_SHOWN)
		(void)printf("    ... and %zu more\n", c->route_count - OTHERS_SHOWN);
}

static int print_text(const struct fl_config *c, const char *path)
{
	size_t warnings = fl_conf_warnings(c->conf);

	(void)printf("%s: OK", path);
	if (warnings)
		(void)printf(", %zu warning%s", warnings, warnings == 1 ? "" : "s");
	(void)putchar('\n');
	print_listeners(c);
	for (size_t i = 0; i < c->pool_count && i < POOLS_SHOWN; i++) {
		struct summary s;
		int rc = summary_init(&s, &c->pools[i]);

		if (rc == 0)
			print_pool(&s);
		summary_fini(&s);
		if (rc != 0)
			return rc;
	}
	if (c->pool_count > POOLS_SHOWN)
		(void)printf("... and %zu more pools\n", c->pool_count - POOLS_SHOWN);
	return 0;
}

/* ---- as JSON ---- */

static void json_texts(const char *name, const struct fl_conf *conf, size_t count,
	const char *(*text)(const struct fl_conf *conf, size_t i))
{
	(void)printf(",\"%s\":[", name);
	for (size_t i = 0; i < count; i++) {
		if (i)
			fl_out_char(',');
		fl_out_json(fl_slice_of(text(conf, i)));
	}
	fl_out_char(']');
}

static void json_node(const struct summary *s, const struct fl_node_conf *n)
{
	uint32_t slot;
	double share = share_of(s, n, &slot);

	(void)fputs("{\"name\":", stdout);
	fl_out_json(fl_slice_of(n->name));
	(void)printf(",\"weight\":%" PRId64 ",\"share\":%.9f,\"state\":\"%s\",\"backup\":%s",
		n->weight, share, fl_admin_name((enum fl_admin_state)n->admin),
		n->backup ? "true" : "false");
	if (slot != FL_NONE)
		(void)printf(",\"slot\":%u,\"starved\":%s", (unsigned)slot,
			fl_placement_starved(s->view->tier[n->backup].placement, slot)
				? "true"
				: "false");
	fl_out_char('}');
}

static void json_pool(const struct summary *s)
{
	const struct fl_pool_conf *p = &s->conf->pool;
	char spec[FL_SPEC_TEXT];

	fl_spec_hide(spec, p->spec);
	(void)fputs("{\"name\":", stdout);
	fl_out_json(fl_slice_of(p->name));
	(void)fputs(",\"algorithm\":", stdout);
	fl_out_json(fl_slice_of(spec));
	(void)printf(",\"digest\":\"%016" PRIx64 "\",\"memory\":%zu,\"nodes\":[",
		s->view->digest, s->memory);
	for (size_t i = 0; i < p->count; i++) {
		if (i)
			fl_out_char(',');
		json_node(s, &p->nodes[i]);
	}
	(void)fputs("]}", stdout);
}

static int print_json(const struct fl_config *c, bool ok)
{
	(void)printf("{\"ok\":%s", ok ? "true" : "false");
	json_texts("errors", c->conf, fl_conf_errors(c->conf), fl_conf_error_text);
	json_texts("warnings", c->conf, fl_conf_warnings(c->conf), fl_conf_warning_text);
	if (ok)
		(void)fputs(",\"pools\":[", stdout);
	for (size_t i = 0; ok && i < c->pool_count; i++) {
		struct summary s;
		int rc = summary_init(&s, &c->pools[i]);

		if (i)
			fl_out_char(',');
		if (rc == 0)
			json_pool(&s);
		summary_fini(&s);
		if (rc != 0)
			return rc;
	}
	(void)fputs(ok ? "]}\n" : "}\n", stdout);
	return 0;
}

/* ---- the verb ---- */

/* A file that cannot be read is no failed check. */
static int try_read(const struct fl_verb *verb, const char *path)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	char byte;
	bool readable = fd == STDIN_FILENO || (fd > STDIN_FILENO && read(fd, &byte, 1) >= 0);
	int error = errno;

	if (fd > STDIN_FILENO)
		(void)close(fd);
	if (readable)
		return FL_EXIT_DONE;
	return fl_usage_error(verb, "cannot read \"%s\": %s", path, strerror(error));
}

static int check(const struct fl_verb *verb, const char *path, bool json)
{
	struct fl_config *c = NULL;
	int rc = try_read(verb, path), bad;

	if (rc != FL_EXIT_DONE)
		return rc;
	bad = fl_config_load(&c, path);
	if (!c || !c->conf) {
		fl_config_free(c);
		return fl_usage_error(verb, "out of memory");
	}
	for (size_t i = 0; i < fl_conf_errors(c->conf); i++)
		(void)fprintf(stderr, "%s\n", fl_conf_error_text(c->conf, i));
	for (size_t i = 0; i < fl_conf_warnings(c->conf); i++)
		(void)fprintf(stderr, "%s\n", fl_conf_warning_text(c->conf, i));
	if (json)
		rc = print_json(c, bad == 0);
	else if (bad == 0)
		rc = print_text(c, path);
	fl_config_free(c);
	if (rc != 0)
		return fl_usage_error(verb, "out of memory");
	return bad ? FL_EXIT_FAILED : FL_EXIT_DONE;
}

static int run(const struct fl_verb *verb, int argc, char **argv)
{
	const char *path = NULL;
	struct fl_args args;
	bool json = false;
	int id;

	fl_out_init();
	fl_args_init(&args, verb, argc, argv);
	while ((id = fl_args_next(&args)) != FL_ARGS_END) {
		if (id == FL_ARGS_STOP)
			return args.status;
		if (id == ARG_JSON) {
			json = true;
			continue;
		}
		if (path)
			return fl_usage_error(verb,
				"one file at a time, please: \"%s\" is the "
				"second",
				args.value);
		path = args.value;
	}
	if (!path)
		return fl_usage_error(verb, "which file? fairlead check -c FILE");
	return check(verb, path, json);
}

const struct fl_verb fl_verb_check = {
	.name = "check",
	.usage = "-c FILE",
	.summary = "Checks a configuration file and shows what comes of it",
	.text = "Errors and warnings go to standard error, each with its place in the file. "
		"Exit\n"
		"status 1: the file has errors; 2: it cannot be read.",
	.args = check_args,
	.run = run,
};
