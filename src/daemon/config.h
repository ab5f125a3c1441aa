/* The whole configuration file, assembled from the rows of all rooms, and what only the whole
 * can tell: names that lead nowhere, routes that nobody can reach, pools that cannot be built.
 *
 * The way to use it: load, then look at the errors (fl_conf_errors of config->conf) whether or
 * not load succeeded, then at the warnings. */
#ifndef FL_DAEMON_CONFIG_H
#define FL_DAEMON_CONFIG_H

#include "health/options.h"
#include "obs/log.h"
#include "pool/pool.h"
#include "proxy/options.h"
#include "proxy/route.h"

#define FL_CONFIG_VERSION 1

enum fl_config_loop {
	FL_CONFIG_EPOLL,
	FL_CONFIG_IO_URING,
	FL_CONFIG_AUTO, /* io_uring where it costs less and is allowed, else epoll */
};

struct fl_admin_conf {
	const char *listen; /* NULL: none; "unix:/path", "127.0.0.1:9901" */
	const char *token;  /* NULL: none; never printed */
};

struct fl_log_conf {
	int level;          /* enum fl_log_level */
	const char *access; /* "off", "stdout" or a path */
	int format;         /* enum fl_log_format, of both logs */
};

/* One pool: what three rooms read of its map. */
struct fl_config_pool {
	struct fl_pool_conf pool;
	struct fl_forward_conf forward;
	struct fl_health_conf health;
};

struct fl_config {
	struct fl_conf *conf; /* the document, its errors and warnings; owns all strings */
	int64_t version;
	struct fl_admin_conf admin;
	int64_t workers; /* 0: one a CPU */
	int loop;        /* enum fl_config_loop */
	struct fl_log_conf log;
	struct fl_client_conf client;
	struct fl_listener_conf *listeners;
	size_t listener_count;
	struct fl_route_conf *routes; /* at least one once loaded for FL_CONFIG_SERVE */
	size_t route_count;
	struct fl_config_pool *pools;
	size_t pool_count;
};

/* What the file is wanted for. */
enum fl_config_use {
	FL_CONFIG_SERVE,  /* everything: listeners, routes, addresses */
	FL_CONFIG_LOOKUP, /* pools only: no listeners, routes or addresses are needed */
};

/* Reads a file ("-": standard input), or bytes under the name `name`. Returns 0, or -1 when the
 * file has errors. *out is set in both cases (NULL only without memory), so that errors and
 * warnings can be read from (*out)->conf; (*out)->conf is NULL only without memory. */
int fl_config_load(struct fl_config **out, const char *path);
int fl_config_parse(struct fl_config **out, const char *name, const char *bytes, size_t len);

/* The same for another use. */
int fl_config_load_for(struct fl_config **out, const char *path, enum fl_config_use use);
int fl_config_parse_for(struct fl_config **out, const char *name, const char *bytes, size_t len,
	enum fl_config_use use);

void fl_config_free(struct fl_config *config); /* NULL is fine */

/* The pool called `name`, or NULL. */
const struct fl_config_pool *fl_config_pool(const struct fl_config *config, const char *name);

/* The routes of a file that was loaded for FL_CONFIG_SERVE; pools and listeners are numbered as
 * they stand in it. Borrows from the file. NULL without memory. */
struct fl_routes *fl_config_routes(const struct fl_config *config);

/* The rows of the whole file, for the manual and the schema. Any thread. */
const struct fl_option *fl_config_rows(void);

#endif
