#include "daemon/serve.h"

#include "admin/admin.h"
#include "base/assert.h"
#include "base/clock.h"
#include "conf/conf.h"
#include "daemon/config.h"
#include "daemon/listen.h"
#include "daemon/running.h"
#include "daemon/signals.h"
#include "net/listen.h"
#include "obs/log.h"
#include "proxy/proxy.h"
#include "proxy/route.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct server {
	const char *path;
	struct fl_loop *loop;
	struct fl_signals *signals;
	struct fl_running *running;
	struct fl_proxy_conf *conf; /* what the workers go by */
	struct fl_proxy *proxy;
	struct fl_admin *admin;
	struct fl_addr admin_addr;
	struct fl_inherited inherited;
	unsigned workers;
	enum fl_loop_backend backend;
	bool draining;
};

/* ---- what a file says, as the workers take it ---- */

static void release_config(void *config)
{
	fl_config_free(config);
}

/* Takes the configuration: it lives as long as the conf. NULL without memory, the configuration
 * is then still the caller's. Pools are added by add_pools. */
static struct fl_proxy_conf *conf_new(struct fl_config *config)
{
	struct fl_proxy_conf *conf = calloc(1, sizeof(*conf));

	if (!conf)
		return NULL;
	atomic_init(&conf->refs, 1);
	conf->client = config->client;
	conf->routes = fl_config_routes(config);
	conf->pools = calloc(config->pool_count + 1, sizeof(*conf->pools));
	conf->listeners = calloc(config->listener_count + 1, sizeof(*conf->listeners));
	if (!conf->routes || !conf->pools || !conf->listeners) {
		fl_proxy_conf_unref(conf);
		return NULL;
	}
	conf->owner = config;
	conf->release = release_config;
	return conf;
}

static void add_pools(
	struct fl_proxy_conf *conf, const struct fl_config *config, struct fl_running *running)
{
	for (size_t i = 0; i < config->pool_count; i++) {
		for (size_t j = 0; j < fl_running_count(running); j++) {
			struct fl_pool *pool = fl_running_pool(running, j);
			if (strcmp(fl_pool_name(pool), config->pools[i].pool.name) == 0)
				conf->pools[i].pool = fl_pool_ref(pool);
		}
		FL_ASSERT(conf->pools[i].pool);
		conf->pools[i].forward = config->pools[i].forward;
		conf->pool_count++;
	}
}

/* ---- loading ---- */

/* Tells every error and warning of the file. NULL when there are errors. */
static struct fl_config *load(const char *path)
{
	struct fl_config *config;
	int bad = fl_config_load(&config, path);

	if (!config || !config->conf) {
		fl_log(FL_LOG_ERROR, "no memory for the configuration");
		fl_config_free(config);
		return NULL;
	}
	for (size_t i = 0; i < fl_conf_errors(config->conf); i++)
		(void)fprintf(stderr, "%s\n", fl_conf_error_text(config->conf, i));
	for (size_t i = 0; i < fl_conf_warnings(config->conf); i++)
		(void)fprintf(stderr, "%s\n", fl_conf_warning_text(config->conf, i));
	if (!bad)
		return config;
	fl_config_free(config);
	return NULL;
}

/* Sockets, then pools: after the sockets only memory can fail. On failure nothing has changed but
 * perhaps some pools, and the conf is gone. */
static struct fl_proxy_conf *prepare(struct server *s, struct fl_config *config)
{
	struct fl_error err = {.text = "no memory"};
	struct fl_proxy_conf *conf = conf_new(config);

	if (!conf) {
		fl_log(FL_LOG_ERROR, "%s", err.text);
		fl_config_free(config);
		return NULL;
	}
	if (fl_listen_all(conf, config, s->conf, s->workers, &s->inherited, &err)) {
		fl_log(FL_LOG_ERROR, "%s", err.text);
		fl_proxy_conf_unref(conf);
		return NULL;
	}
	if (fl_running_apply(s->running, config, &err)) {
		fl_log(FL_LOG_ERROR, "%s", err.text);
		fl_listen_undo(conf, s->workers);
		fl_proxy_conf_unref(conf);
		return NULL;
	}
	add_pools(conf, config, s->running);
	return conf;
}

static void reload(struct server *s)
{
	struct fl_config *config = load(s->path);
	struct fl_proxy_conf *conf = config ? prepare(s, config) : NULL;

	if (!conf) {
		fl_log(FL_LOG_ERROR, "reload refused: the old configuration goes on");
		return;
	}
	fl_proxy_reconfigure(s->proxy, conf);
	fl_proxy_conf_unref(s->conf);
	s->conf = conf;
	fl_log(FL_LOG_INFO, "reloaded %s", s->path);
}

/* ---- events on the control loop ---- */

static void on_signal(void *cookie, int signal)
{
	struct server *s = cookie;

	switch (signal) {
	case SIGHUP:
		if (!s->draining)
			reload(s);
		break;
	case SIGUSR1:
		fl_proxy_reopen_logs(s->proxy);
		break;
	case SIGINT:
	case SIGTERM:
		if (s->draining) {
			fl_log(FL_LOG_WARN, "a second signal: ending at once");
			fl_loop_stop(s->loop);
			break;
		}
		s->draining = true;
		fl_log(FL_LOG_INFO, "draining");
		fl_proxy_drain(s->proxy);
		break;
	default:
		break;
	}
}

static void on_drained(void *cookie)
{
	struct server *s = cookie;

	fl_log(FL_LOG_INFO, "drained");
	fl_loop_stop(s->loop);
}

static void on_failing(void *cookie, struct fl_pool *pool, const char *node, const char *why)
{
	struct server *s = cookie;

	if (s->running)
		fl_running_failing(s->running, pool, node, why);
}

/* ---- start and end ---- */

static int start_loop(struct server *s, const struct fl_config *config)
{
	struct fl_loop_options options = {.backend = FL_LOOP_EPOLL};

	s->backend = FL_LOOP_EPOLL;
	if (config->loop == FL_CONFIG_IO_URING ||
		(config->loop == FL_CONFIG_AUTO &&
			fl_loop_backend_preferred() == FL_LOOP_URING)) {
		struct fl_loop *probe = NULL;
		options.backend = FL_LOOP_URING;
		int bad = fl_loop_new(&probe, &options);
		fl_loop_free(bad ? NULL : probe);
		if (!bad)
			s->backend = FL_LOOP_URING;
		else if (config->loop == FL_CONFIG_IO_URING)
			fl_log(FL_LOG_WARN, "io_uring is not available (%s): using epoll",
				strerror(-bad));
	}
	options.backend = FL_LOOP_EPOLL;
	return fl_loop_new(&s->loop, &options);
}

static unsigned worker_count(const struct fl_config *config)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	long count = config->workers ? (long)config->workers : cpus;

	if (count < 1)
		count = 1;
	return count > FL_MAX_WORKERS ? FL_MAX_WORKERS : (unsigned)count;
}

static const char *access_target(const struct fl_log_conf *log)
{
	if (!log->access || strcmp(log->access, "off") == 0)
		return NULL;
	return strcmp(log->access, "stdout") == 0 ? "-" : log->access;
}

static int start_proxy(struct server *s, const struct fl_config *config)
{
	struct fl_error err;
	struct fl_proxy_options options = {
		.workers = s->workers,
		.backend = s->backend,
		.control = s->loop,
		.cookie = s,
		.on_failing = on_failing,
		.on_drained = on_drained,
		.access = access_target(&config->log),
		.access_json = config->log.format == FL_LOG_JSON,
	};

	if (!fl_proxy_new(&s->proxy, &options, s->conf, &err))
		return 0;
	fl_log(FL_LOG_ERROR, "%s", err.text);
	return -1;
}

/* ---- the admin socket ---- */

static size_t admin_count(void *cookie)
{
	return fl_running_count(((struct server *)cookie)->running);
}

static struct fl_pool *admin_pool(void *cookie, size_t i)
{
	return fl_running_pool(((struct server *)cookie)->running, i);
}

static int start_admin(struct server *s, const struct fl_admin_conf *conf)
{
	struct fl_admin_source source = {
		.token = conf->token,
		.version = fl_version(),
		.started_ms = fl_wall_ms(),
		.workers = s->workers,
		.cookie = s,
		.count = admin_count,
		.pool = admin_pool,
	};
	/* Who may connect may see everything: the owner of the socket's file only. */
	struct fl_listen_options options = {.mode = 0600};
	struct fl_error err = {.text = "no memory"};
	struct fl_addr addr;

	if (!conf->listen)
		return 0;
	int bad = fl_addr_parse(&addr, conf->listen, &err);
	int fd = bad ? bad : fl_listen(&addr, &options, &s->inherited, &err);
	if (fd < 0 || fl_admin_new(&s->admin, s->loop, fd, &source)) {
		fl_log(FL_LOG_ERROR, "admin on %s: %s", conf->listen, err.text);
		return -1;
	}
	s->admin_addr = addr;
	return 0;
}

/* What lives from start to end, in the order in which it is needed. */
static int start(struct server *s, struct fl_config *config)
{
	s->workers = worker_count(config);
	fl_log_setup(STDERR_FILENO, (enum fl_log_level)config->log.level,
		(enum fl_log_format)config->log.format);
	int bad = start_loop(s, config);
	if (!bad)
		bad = fl_signals_new(&s->signals, s->loop, on_signal, s);
	if (!bad) {
		s->running = fl_running_new(s->loop, s->workers);
		bad = s->running ? 0 : -ENOMEM;
	}
	if (bad) {
		fl_log(FL_LOG_ERROR, "cannot start: %s", strerror(-bad));
		fl_config_free(config);
		return -1;
	}
	s->conf = prepare(s, config); /* takes config */
	if (!s->conf || start_admin(s, &config->admin) || start_proxy(s, config))
		return -1;
	return 0;
}

static void stop(struct server *s)
{
	fl_signals_free(s->signals);
	fl_proxy_free(s->proxy);
	if (s->admin)
		fl_admin_close(s->admin, NULL, NULL);
	if (s->running)
		fl_running_stop(s->running);
	if (s->loop) {
		/* What workers posted last, and what was just closed, is dealt with. */
		for (int turn = 0; turn < 2; turn++) {
			fl_loop_stop(s->loop);
			(void)fl_loop_run(s->loop);
		}
	}
	if (s->admin)
		fl_listen_unlink(&s->admin_addr);
	fl_inherited_fini(&s->inherited);
	fl_running_free(s->running);
	fl_proxy_conf_unref(s->conf);
	fl_loop_free(s->loop);
}

int fl_serve(const char *path)
{
	struct server s = {.path = path};
	struct fl_error err;
	struct fl_config *config = load(path);
	int status = 1;

	if (!config)
		return 2;
	if (fl_inherited_init(&s.inherited, &err))
		fl_log(FL_LOG_WARN, "no inherited sockets: %s", err.text);
	if (start(&s, config) == 0) {
		for (size_t i = 0; i < s.conf->listener_count; i++)
			fl_log(FL_LOG_INFO, "serving on %s (%s), %u workers, %s",
				s.conf->listeners[i].bind, s.conf->listeners[i].name, s.workers,
				s.backend == FL_LOOP_URING ? "io_uring" : "epoll");
		if (fl_loop_run(s.loop) == 0)
			status = 0;
	}
	stop(&s);
	return status;
}
