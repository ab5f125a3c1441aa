/* Making a listening socket: the options in the order in which the kernel wants them.
 *
 * IPV6_V6ONLY is always set one way or the other, so that the answer does not depend on a
 * sysctl: ":80" takes both families in one socket, "[::]:80" only IPv6. On a machine without
 * IPv6 ":80" becomes 0.0.0.0:80. */
#include "net/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 4096

static int fail(struct fl_error *err, const struct fl_addr *addr, const char *what, int error)
{
	char text[FL_ADDR_TEXT];
	int code = FL_EINVAL;
	(void)fl_addr_format(addr, text, sizeof(text));
	if (error == EADDRINUSE)
		code = FL_EEXIST;
	else if (error == EMFILE || error == ENFILE)
		code = FL_ELIMIT;
	else if (error == ENOMEM || error == ENOBUFS)
		code = FL_ENOMEM;
	return fl_error_set(err, code, "cannot listen on %s: %s: %s", text, what,
		strerror(error)); // NOLINT(concurrency-mt-unsafe)
}

void fl_tcp_nodelay(int fd)
{
	int on = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static bool set_on(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/* Somebody answers, or might: only a refusal proves that nobody does. */
static bool nobody_listens(const struct fl_addr *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	int rc = connect(fd, (const struct sockaddr *)&addr->ss, addr->len);
	bool refused = rc != 0 && errno == ECONNREFUSED;
	(void)close(fd);
	return refused;
}

static const char *unix_path(const struct fl_addr *addr)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&addr->ss;
	return addr->ss.ss_family == AF_UNIX && un->sun_path[0] ? un->sun_path : NULL;
}

static bool remove_stale(const struct fl_addr *addr)
{
	struct stat st;
	const char *path = unix_path(addr);
	return path && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && nobody_listens(addr) &&
	       unlink(path) == 0;
}

static bool bind_to(int fd, const struct fl_addr *addr)
{
	const struct sockaddr *sa = (const struct sockaddr *)&addr->ss;
	if (bind(fd, sa, addr->len) == 0)
		return true;
	if (errno != EADDRINUSE)
		return false;
	if (remove_stale(addr))
		return bind(fd, sa, addr->len) == 0;
	errno = EADDRINUSE;
	return false;
}

/* Returns what failed, with errno set, or NULL. */
static const char *prepare(
	int fd, const struct fl_addr *addr, const struct fl_listen_options *options)
{
	bool tcp = addr->ss.ss_family != AF_UNIX;
	if (tcp && !set_on(fd, SOL_SOCKET, SO_REUSEADDR, 1))
		return "SO_REUSEADDR";
	if (tcp && options->reuse_port && !set_on(fd, SOL_SOCKET, SO_REUSEPORT, 1))
		return "SO_REUSEPORT";
	if (addr->ss.ss_family == AF_INET6 &&
		!set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY, !addr->dual))
		return "IPV6_V6ONLY";
	if (tcp)
		fl_tcp_nodelay(fd); /* what is accepted inherits it */
	if (!bind_to(fd, addr))
		return "bind";
	/* Before listen: nobody can have come in with the wrong permissions. */
	const char *path = unix_path(addr);
	if (path && options->mode && chmod(path, options->mode) != 0)
		return "chmod";
	if (listen(fd, options->backlog ? options->backlog : BACKLOG) != 0)
		return "listen";
	return NULL;
}

static int open_one(const struct fl_addr *addr, const struct fl_listen_options *options,
	struct fl_error *err)
{
	int fd = socket(addr->ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(err, addr, "socket", errno);
	const char *what = prepare(fd, addr, options);
	if (!what)
		return fd;
	int code = fail(err, addr, what, errno);
	(void)close(fd);
	return code;
}

static bool has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	bool has = fd >= 0 && bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0;
	if (fd >= 0)
		(void)close(fd);
	return has;
}

static int take(struct fl_inherited *in, const struct fl_addr *addr)
{
	for (size_t i = 0; in && i < in->count; i++) {
		int fd = in->socket[i].fd;
		if (fd < 0 || !fl_addr_equal(&in->socket[i].addr, addr))
			continue;
		in->socket[i].fd = -1;
		return fd;
	}
	return -1;
}

int fl_listen(const struct fl_addr *addr, const struct fl_listen_options *options,
	struct fl_inherited *in, struct fl_error *err)
{
	struct fl_addr wanted = *addr;
	int fd = take(in, &wanted);
	if (fd < 0 && addr->dual) {
		struct sockaddr_in any = {
			.sin_family = AF_INET, .sin_port = htons(fl_addr_port(addr))};
		struct fl_addr v4;
		fl_addr_set(&v4, (const struct sockaddr *)&any, sizeof(any));
		if (!has_ipv6()) {
			wanted = v4;
			fd = take(in, &wanted);
		}
	}
	if (fd < 0)
		return open_one(&wanted, options, err);
	if (wanted.ss.ss_family != AF_UNIX)
		fl_tcp_nodelay(fd);
	return fd;
}

int fl_listen_addr(struct fl_addr *out, int fd)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);
	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return FL_EINVAL;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&ss;
	int only = 1;
	socklen_t size = sizeof(only);
	if (ss.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
		(void)getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size);
	fl_addr_set(out, (const struct sockaddr *)&ss, len);
	out->dual = !only;
	return FL_OK;
}

void fl_listen_unlink(const struct fl_addr *addr)
{
	const char *path = unix_path(addr);
	if (path)
		(void)unlink(path);
}
