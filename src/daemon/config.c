/* Assembling the grammar of the file. In the map of a pool stand options of three rooms, each of
 * which knows only its own struct; their tables are put behind one another with the offset of
 * that room's struct added, once in a process. */
#include "daemon/config.h"

#include "base/assert.h"
#include "conf/conf.h"
#include "daemon/config_priv.h"
#include "pool/options.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define POOL_ROWS 48

static struct fl_option pool_rows[POOL_ROWS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Appends `rows` for a struct that stands at `shift`; gives the new number of rows. */
static size_t append_rows(size_t n, const struct fl_option *rows, size_t shift)
{
	for (; rows->name; rows++) {
		FL_ASSERT(n < POOL_ROWS - 1);
		pool_rows[n] = *rows;
		pool_rows[n].offset += shift;
		if (rows->given)
			pool_rows[n].given += shift;
		n++;
	}
	return n;
}

static void make_rows(void)
{
	size_t n = append_rows(0, fl_pool_rows, offsetof(struct fl_config_pool, pool));

	n = append_rows(n, fl_forward_rows, offsetof(struct fl_config_pool, forward));
	(void)append_rows(n, fl_health_rows, offsetof(struct fl_config_pool, health));
}

/* ---- the daemon's own rows ---- */

static int check_version(struct fl_conf *conf, const struct fl_conf_node *node, void *out)
{
	if (*(int64_t *)out == FL_CONFIG_VERSION)
		return 0;
	return fl_conf_error(conf, node,
		"this program reads version %d of the configuration, not %lld",
		FL_CONFIG_VERSION, (long long)*(int64_t *)out);
}

static const char *const loops[] = {"epoll", "io_uring", "auto", NULL};
static const char *const levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const formats[] = {"text", "json", NULL};

static const struct fl_option admin_rows[] = {
	{.name = "listen",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct fl_admin_conf, listen),
		.doc = "Where the admin interface listens; anything but a unix socket wants a "
		       "token.",
		.form = "an address such as unix:/run/fairlead/admin.sock or 127.0.0.1:9901",
		.min = 1,
		.max = 255,
		.required = true},
	{.name = "token",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct fl_admin_conf, token),
		.doc = "What clients of the admin interface must present.",
		.min = 8,
		.max = 255,
		.secret = true},
	FL_OPTION_END,
};

static const struct fl_option log_rows[] = {
	{.name = "level",
		.type = FL_OPT_ENUM,
		.offset = offsetof(struct fl_log_conf, level),
		.doc = "The least important messages that are still written.",
		.def = "info",
		.choices = levels},
	{.name = "access",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct fl_log_conf, access),
		.doc = "Where one line for each request goes: off, stdout, or a file.",
		.form = "off, stdout or a path",
		.def = "off",
		.min = 1,
		.max = 1024},
	{.name = "format",
		.type = FL_OPT_ENUM,
		.offset = offsetof(struct fl_log_conf, format),
		.doc = "The form of both logs.",
		.def = "text",
		.choices = formats},
	FL_OPTION_END,
};

/* The engine fills lists through struct fl_option_list, which these pairs must look like. */
#define LIST_LIKE(items_field, count_field)                                                    \
	_Static_assert(offsetof(struct fl_config, count_field) -                               \
				       offsetof(struct fl_config, items_field) ==              \
			       offsetof(struct fl_option_list, count) -                        \
				       offsetof(struct fl_option_list, items),                 \
		"must lie as in struct fl_option_list")
LIST_LIKE(listeners, listener_count);
LIST_LIKE(routes, route_count);
LIST_LIKE(pools, pool_count);

static const struct fl_option root_rows[] = {
	{.name = "version",
		.type = FL_OPT_INT,
		.offset = offsetof(struct fl_config, version),
		.doc = "The version of this format: 1.",
		.required = true,
		.parse = check_version},
	{.name = "admin",
		.type = FL_OPT_MAP,
		.offset = offsetof(struct fl_config, admin),
		.doc = "The admin interface; without it there is none.",
		.rows = admin_rows,
		.scalar_row = "listen"},
	{.name = "workers",
		.type = FL_OPT_INT,
		.offset = offsetof(struct fl_config, workers),
		.doc = "Threads that handle traffic; 0: one for each CPU.",
		.def = "0",
		.min = 0,
		.max = 64},
	{.name = "loop",
		.type = FL_OPT_ENUM,
		.offset = offsetof(struct fl_config, loop),
		.doc = "How the kernel is asked for events; auto: io_uring where small "
		       "requests cost less by it (Linux 6.17 and later), if it is allowed.",
		.def = "epoll",
		.choices = loops},
	{.name = "log",
		.type = FL_OPT_MAP,
		.offset = offsetof(struct fl_config, log),
		.doc = "What is written down.",
		.rows = log_rows},
	{.name = "limits",
		.type = FL_OPT_MAP,
		.offset = offsetof(struct fl_config, client),
		.doc = "How much clients may send.",
		.rows = fl_limit_rows},
	{.name = "timeouts",
		.type = FL_OPT_MAP,
		.offset = offsetof(struct fl_config, client),
		.doc = "How long clients may take.",
		.rows = fl_timeout_rows},
	{.name = "listeners",
		.type = FL_OPT_LIST,
		.offset = offsetof(struct fl_config, listeners),
		.doc = "Where clients connect to.",
		.rows = fl_listener_rows,
		.item_size = sizeof(struct fl_listener_conf),
		.max_items = 256},
	{.name = "routes",
		.type = FL_OPT_LIST,
		.offset = offsetof(struct fl_config, routes),
		.doc = "Which pool a request goes to: the most specific host wins, then the "
		       "longest path. One listener and one pool need none.",
		.rows = fl_route_rows,
		.item_size = sizeof(struct fl_route_conf)},
	{.name = "pools",
		.type = FL_OPT_NAMED,
		.offset = offsetof(struct fl_config, pools),
		.doc = "Sets of nodes, by name.",
		.rows = pool_rows,
		.item_size = sizeof(struct fl_config_pool),
		.max_items = 4096,
		.min = 1,
		.required = true},
	FL_OPTION_END,
};

const struct fl_option *fl_config_rows(void)
{
	(void)pthread_once(&once, make_rows);
	return root_rows;
}

/* ---- loading ---- */

void fl_config_free(struct fl_config *config)
{
	if (!config)
		return;
	fl_conf_free(config->conf);
	free(config);
}

/* Reads what the document says, whether or not the document is whole. */
static int fill(struct fl_config *config, int rc, enum fl_config_use use)
{
	if (!config->conf)
		return -1;
	if (fl_conf_read(config->conf, fl_conf_root(config->conf), fl_config_rows(), config) !=
		0)
		rc = -1;
	if (fl_conf_root(config->conf) && fl_config_check(config, use) != 0)
		rc = -1;
	return rc;
}

int fl_config_load_for(struct fl_config **out, const char *path, enum fl_config_use use)
{
	struct fl_config *config = calloc(1, sizeof(*config));

	*out = config;
	if (!config)
		return -1;
	return fill(config, fl_conf_load(&config->conf, path), use);
}

int fl_config_parse_for(struct fl_config **out, const char *name, const char *bytes, size_t len,
	enum fl_config_use use)
{
	struct fl_config *config = calloc(1, sizeof(*config));

	*out = config;
	if (!config)
		return -1;
	return fill(config, fl_conf_parse(&config->conf, name, bytes, len), use);
}

int fl_config_load(struct fl_config **out, const char *path)
{
	return fl_config_load_for(out, path, FL_CONFIG_SERVE);
}

int fl_config_parse(struct fl_config **out, const char *name, const char *bytes, size_t len)
{
	return fl_config_parse_for(out, name, bytes, len, FL_CONFIG_SERVE);
}

const struct fl_config_pool *fl_config_pool(const struct fl_config *config, const char *name)
{
	for (size_t i = 0; i < config->pool_count; i++)
		if (config->pools[i].pool.name && strcmp(config->pools[i].pool.name, name) == 0)
			return &config->pools[i];
	return NULL;
}

struct fl_routes *fl_config_routes(const struct fl_config *config)
{
	const char **names =
		calloc(config->pool_count + config->listener_count + 1, sizeof(*names));
	struct fl_routes *routes = NULL;

	if (!names)
		return NULL;
	const char **listeners = names + config->pool_count;
	for (size_t i = 0; i < config->pool_count; i++)
		names[i] = config->pools[i].pool.name;
	for (size_t i = 0; i < config->listener_count; i++)
		listeners[i] = config->listeners[i].name;
	routes = fl_routes_new(config->routes, config->route_count, names, config->pool_count,
		listeners, config->listener_count);
	free(names);
	return routes;
}
