/* Sockets that came with the process: the LISTEN_FDS protocol of systemd, which our own
 * supervisor speaks, too. Found again by the address they are bound to, because a name in the
 * environment can be wrong and an address cannot. */
#include "net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_FD 3

/* A number that fills the whole text, up to `max`; -1: not so. */
static long number(const char *text, long max)
{
	char *end;
	if (!text || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	long value = strtol(text, &end, 10);
	return errno == 0 && *end == '\0' && value <= max ? value : -1;
}

static bool is_listening_stream(int fd)
{
	int type = 0, listening = 0;
	socklen_t len = sizeof(int);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_STREAM)
		return false;
	len = sizeof(int);
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
}

int fl_inherited_add(struct fl_inherited *in, int fd, const char *name, struct fl_error *err)
{
	if (in->count == FL_INHERITED_MAX)
		return fl_error_set(
			err, FL_ELIMIT, "more than %d inherited sockets", FL_INHERITED_MAX);
	struct fl_addr addr;
	if (!is_listening_stream(fd) || fl_listen_addr(&addr, fd) != FL_OK)
		return fl_error_set(
			err, FL_EINVAL, "descriptor %d is no listening stream socket", fd);
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return fl_error_set(err, FL_EINVAL, "descriptor %d: %s", fd,
			strerror(errno)); // NOLINT(concurrency-mt-unsafe)
	size_t i = in->count++;
	in->socket[i].fd = fd;
	in->socket[i].addr = addr;
	size_t n = name ? strnlen(name, FL_INHERITED_NAME - 1) : 0;
	if (n > 0)
		memcpy(in->socket[i].name, name, n);
	in->socket[i].name[n] = '\0';
	return FL_OK;
}

/* Cuts the next name off a list with colons in between. */
static const char *next_name(char **names)
{
	return *names ? strsep(names, ":") : NULL;
}

static int add_all(struct fl_inherited *out, long count, char *names, struct fl_error *err)
{
	for (int fd = FIRST_FD; fd < FIRST_FD + count; fd++) {
		const char *name = next_name(&names);
		if (!is_listening_stream(fd))
			continue; /* a datagram socket, say: somebody else's */
		int rc = fl_inherited_add(out, fd, name, err);
		if (rc != FL_OK)
			return rc;
	}
	return FL_OK;
}

int fl_inherited_init(struct fl_inherited *out, struct fl_error *err)
{
	/* The environment is read before there are threads. */
	const char *fds = getenv("LISTEN_FDS");      // NOLINT(concurrency-mt-unsafe)
	const char *pid = getenv("LISTEN_PID");      // NOLINT(concurrency-mt-unsafe)
	const char *list = getenv("LISTEN_FDNAMES"); // NOLINT(concurrency-mt-unsafe)
	out->count = 0;
	int rc = FL_OK;
	if (fds && pid && number(pid, INT32_MAX) == (long)getpid()) {
		long count = number(fds, INT32_MAX);
		char *names = list ? strdup(list) : NULL;
		if (count < 0)
			rc = fl_error_set(err, FL_EINVAL, "LISTEN_FDS is no number");
		else if (count > FL_INHERITED_MAX)
			rc = fl_error_set(
				err, FL_ELIMIT, "LISTEN_FDS is over %d", FL_INHERITED_MAX);
		else
			rc = add_all(out, count, names, err);
		free(names);
	}
	if (rc != FL_OK)
		out->count = 0;
	(void)unsetenv("LISTEN_FDS");     // NOLINT(concurrency-mt-unsafe)
	(void)unsetenv("LISTEN_PID");     // NOLINT(concurrency-mt-unsafe)
	(void)unsetenv("LISTEN_FDNAMES"); // NOLINT(concurrency-mt-unsafe)
	return rc;
}

void fl_inherited_fini(struct fl_inherited *in)
{
	for (size_t i = 0; i < in->count; i++)
		if (in->socket[i].fd >= 0)
			(void)close(in->socket[i].fd);
	in->count = 0;
}
