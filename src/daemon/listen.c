#include "daemon/listen.h"

#include "base/error.h"
#include "net/listen.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct fl_proxy_listener *find(
	const struct fl_proxy_conf *conf, const struct fl_listener_conf *want)
{
	for (size_t i = 0; conf && i < conf->listener_count; i++)
		if (strcmp(conf->listeners[i].name, want->name) == 0 &&
			strcmp(conf->listeners[i].bind, want->bind) == 0)
			return &conf->listeners[i];
	return NULL;
}

static void close_all(int *fds, unsigned workers)
{
	for (unsigned i = 0; i < workers; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

/* SO_REUSEPORT lets a second balancer of the same user share our port by mistake, each getting a
 * part of the connections. So the address is first bound without it, which fails when anybody
 * has it. */
static int check_unused(const struct fl_addr *addr, struct fl_error *err)
{
	struct fl_listen_options alone = {.backlog = 1};
	int fd = fl_listen(addr, &alone, NULL, err);

	if (fd < 0)
		return fd;
	(void)close(fd);
	return FL_OK;
}

/* One socket a worker; unix and inherited sockets cannot be bound twice and are shared. */
static int open_sockets(const struct fl_addr *wanted, struct fl_inherited *in, unsigned workers,
	int *fds, struct fl_error *err)
{
	struct fl_listen_options options = {.reuse_port = wanted->ss.ss_family != AF_UNIX};
	struct fl_addr addr = *wanted;

	fds[0] = fl_listen(&addr, &options, in, err);
	if (fds[0] < 0)
		return fds[0];
	if (fl_listen_addr(&addr, fds[0]))
		addr = *wanted; /* only a port that the kernel chose would be news */
	addr.dual = wanted->dual;
	for (unsigned i = 1; i < workers; i++) {
		fds[i] = options.reuse_port ? fl_listen(&addr, &options, NULL, err) : FL_EEXIST;
		if (fds[i] == FL_EEXIST)
			fds[i] = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
		if (fds[i] < 0)
			return fl_error_set(err, FL_ELIMIT, "no more descriptors");
	}
	return FL_OK;
}

static bool inherited(const struct fl_inherited *in, const struct fl_addr *addr)
{
	for (size_t i = 0; i < in->count; i++)
		if (in->socket[i].fd >= 0 && fl_addr_equal(&in->socket[i].addr, addr))
			return true;
	return false;
}

static int open_one(struct fl_proxy_listener *l, struct fl_inherited *in, unsigned workers,
	struct fl_error *err)
{
	struct fl_error why;
	struct fl_addr addr;
	int bad = fl_addr_parse(&addr, l->bind, &why);

	l->fds = malloc(workers * sizeof(int));
	if (!l->fds)
		return fl_error_set(err, FL_ENOMEM, "no memory");
	memset(l->fds, 0xff, workers * sizeof(int));
	if (!bad && addr.ss.ss_family != AF_UNIX && !inherited(in, &addr))
		bad = check_unused(&addr, &why);
	if (!bad)
		bad = open_sockets(&addr, in, workers, l->fds, &why);
	if (bad)
		return fl_error_set(
			err, bad, "listener \"%s\" on %s: %s", l->name, l->bind, why.text);
	return FL_OK;
}

void fl_listen_undo(struct fl_proxy_conf *conf, unsigned workers)
{
	for (size_t i = 0; i < conf->listener_count; i++) {
		if (conf->listeners[i].fds)
			close_all(conf->listeners[i].fds, workers);
		free(conf->listeners[i].fds);
		conf->listeners[i].fds = NULL;
	}
}

int fl_listen_all(struct fl_proxy_conf *conf, const struct fl_config *config,
	const struct fl_proxy_conf *old, unsigned workers, struct fl_inherited *in,
	struct fl_error *err)
{
	for (size_t i = 0; i < config->listener_count; i++) {
		struct fl_proxy_listener *l = &conf->listeners[conf->listener_count++];
		l->name = config->listeners[i].name;
		l->bind = config->listeners[i].bind;
		int bad = find(old, &config->listeners[i]) ? FL_OK
		                                           : open_one(l, in, workers, err);
		if (bad) {
			fl_listen_undo(conf, workers);
			return bad;
		}
	}
	return FL_OK;
}
