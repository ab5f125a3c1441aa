/* Listening sockets: made, inherited, refused, and the files of unix sockets. */
#include "net/listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct fl_listen_options plain = {.backlog = 8};

static struct fl_addr parsed(const char *text)
{
	struct fl_addr addr;
	assert_int_equal(fl_addr_parse(&addr, text, NULL), FL_OK);
	return addr;
}

static struct fl_addr bound(int fd)
{
	struct fl_addr addr;
	assert_int_equal(fl_listen_addr(&addr, fd), FL_OK);
	return addr;
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);
	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

/* Connects; returns whether somebody listens. */
static bool reaches(const struct fl_addr *addr)
{
	int fd = socket(addr->ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = connect(fd, (const struct sockaddr *)&addr->ss, addr->len);
	close(fd);
	return rc == 0;
}

static bool no_ipv6(void)
{
	struct fl_addr addr = parsed("[::1]:0");
	int fd = fl_listen(&addr, &plain, NULL, NULL);
	if (fd >= 0)
		close(fd);
	return fd < 0;
}

static void tcp_socket(void **state)
{
	(void)state;
	struct fl_addr addr = parsed("127.0.0.1:0");
	int fd = fl_listen(&addr, &plain, NULL, NULL);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
	assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEADDR), 1);
	assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEPORT), 0);
	addr = bound(fd);
	assert_true(fl_addr_port(&addr) != 0);
	assert_true(reaches(&addr));
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&ready, 1, -1), 1);
	int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(option(accepted, IPPROTO_TCP, TCP_NODELAY) != 0);
	close(accepted);

	struct fl_error err;
	assert_int_equal(fl_listen(&addr, &plain, NULL, &err), FL_EEXIST);
	assert_non_null(strstr(err.text, "127.0.0.1:"));
	assert_non_null(strstr(err.text, "in use"));
	close(fd);
	assert_false(reaches(&addr));
	fd = fl_listen(&addr, &plain, NULL, NULL);
	assert_true(fd >= 0);
	close(fd);
}

static void reuse_port(void **state)
{
	(void)state;
	const struct fl_listen_options share = {.backlog = 8, .reuse_port = true};
	struct fl_addr addr = parsed("127.0.0.1:0");
	int a = fl_listen(&addr, &share, NULL, NULL);
	addr = bound(a);
	int b = fl_listen(&addr, &share, NULL, NULL);
	assert_true(b >= 0);
	assert_int_equal(option(b, SOL_SOCKET, SO_REUSEPORT), 1);
	assert_int_equal(fl_listen(&addr, &plain, NULL, NULL), FL_EEXIST);
	close(a);
	close(b);
}

static void both_families(void **state)
{
	(void)state;
	if (no_ipv6()) {
		/* ":0" must work all the same. */
		struct fl_addr any = parsed(":0");
		int fd = fl_listen(&any, &plain, NULL, NULL);
		assert_true(fd >= 0);
		close(fd);
		print_message("SKIP: no IPv6 here\n");
		skip();
	}
	for (int dual = 0; dual < 2; dual++) {
		struct fl_addr addr = parsed(dual ? ":0" : "[::]:0");
		int fd = fl_listen(&addr, &plain, NULL, NULL);
		assert_true(fd >= 0);
		assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_V6ONLY), !dual);
		addr = bound(fd);
		assert_int_equal(addr.dual, dual);
		struct fl_addr v4 = parsed("127.0.0.1:0"), v6 = parsed("[::1]:0");
		fl_addr_set_port(&v4, fl_addr_port(&addr));
		fl_addr_set_port(&v6, fl_addr_port(&addr));
		assert_int_equal(reaches(&v4), dual);
		assert_true(reaches(&v6));
		close(fd);
	}
}

static void not_ours(void **state)
{
	(void)state;
	struct fl_error err;
	struct fl_addr addr = parsed("192.0.2.1:8080"); /* documentation only: nobody has it */
	assert_int_equal(fl_listen(&addr, &plain, NULL, &err), FL_EINVAL);
	assert_non_null(strstr(err.text, "192.0.2.1:8080"));
	int next = dup(0);
	close(next);
	addr = parsed("unix:/nonexistent/dir/sock");
	assert_int_equal(fl_listen(&addr, &plain, NULL, &err), FL_EINVAL);
	assert_non_null(strstr(err.text, "unix:/nonexistent/dir/sock"));
	int again = dup(0); /* no descriptor was left behind */
	close(again);
	assert_int_equal(again, next);
}

static char dir[64];

static struct fl_addr unix_addr(const char *name)
{
	char text[FL_ADDR_TEXT];
	(void)snprintf(text, sizeof(text), "unix:%s/%s", dir, name);
	return parsed(text);
}

static const char *path_of(const char *name)
{
	static char path[FL_ADDR_TEXT];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/fl-listen-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	DIR *d = opendir(dir);
	for (struct dirent *e; (e = readdir(d));)
		(void)unlink(path_of(e->d_name));
	closedir(d);
	return rmdir(dir);
}

static void unix_sockets(void **state)
{
	(void)state;
	const struct fl_listen_options options = {.mode = 0600};
	struct fl_addr addr = unix_addr("s");
	int fd = fl_listen(&addr, &options, NULL, NULL);
	assert_true(fd >= 0);
	struct stat st;
	assert_int_equal(stat(path_of("s"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(reaches(&addr));
	/* In use: left alone. */
	assert_int_equal(fl_listen(&addr, &options, NULL, NULL), FL_EEXIST);
	assert_true(reaches(&addr));
	/* Nobody listens any more: replaced. */
	close(fd);
	fd = fl_listen(&addr, &options, NULL, NULL);
	assert_true(fd >= 0);
	assert_true(reaches(&addr));
	close(fd);
	fl_listen_unlink(&addr);
	assert_int_equal(access(path_of("s"), F_OK), -1);
}

/* Also in use when its queue is full. */
static void a_busy_unix_socket_is_not_stale(void **state)
{
	(void)state;
	const struct fl_listen_options one = {.backlog = 1};
	struct fl_addr addr = unix_addr("busy");
	int fd = fl_listen(&addr, &one, NULL, NULL);
	int client[8];
	for (int i = 0; i < 8; i++) {
		client[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(client[i], (struct sockaddr *)&addr.ss, addr.len);
	}
	assert_int_equal(fl_listen(&addr, &plain, NULL, NULL), FL_EEXIST);
	assert_int_equal(access(path_of("busy"), F_OK), 0);
	for (int i = 0; i < 8; i++)
		close(client[i]);
	close(fd);
}

static void a_plain_file_is_never_removed(void **state)
{
	(void)state;
	struct fl_addr addr = unix_addr("file");
	int fd = open(path_of("file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(fl_listen(&addr, &plain, NULL, NULL), FL_EEXIST);
	assert_int_equal(access(path_of("file"), F_OK), 0);
	/* Nor what a link points to. */
	addr = unix_addr("link");
	assert_int_equal(symlink("file", path_of("link")), 0);
	assert_int_equal(fl_listen(&addr, &plain, NULL, NULL), FL_EEXIST);
	assert_int_equal(access(path_of("link"), F_OK), 0);
}

/* Runs `check` in a child whose descriptors 3.. are `fds`, as systemd would leave them. */
static void in_child(const int *fds, int count, int (*check)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		char number[16];
		int high[8];
		for (int i = 0; i < count; i++)
			high[i] = fcntl(fds[i], F_DUPFD, 100);
		for (int i = 0; i < count; i++)
			(void)dup2(high[i], 3 + i);
		(void)snprintf(number, sizeof(number), "%d", count);
		(void)setenv("LISTEN_FDS", number, 1);
		(void)snprintf(number, sizeof(number), "%d", (int)getpid());
		(void)setenv("LISTEN_PID", number, 1);
		(void)setenv("LISTEN_FDNAMES", "web:other:admin", 1);
		_exit(check());
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Exit codes name the line of the first check that failed. */
#define CHECK(cond)                                                                            \
	do {                                                                                   \
		if (!(cond))                                                                   \
			return __LINE__ % 250 + 1;                                             \
	} while (0)

static struct fl_addr web, admin;
static struct fl_inherited inherited;

static int takes_them_by_address(void)
{
	CHECK(fl_inherited_init(&inherited, NULL) == FL_OK);
	CHECK(inherited.count == 2); /* not the datagram socket */
	CHECK(strcmp(inherited.socket[0].name, "web") == 0);
	CHECK(strcmp(inherited.socket[1].name, "admin") == 0);
	CHECK(!getenv("LISTEN_FDS") && !getenv("LISTEN_PID") && !getenv("LISTEN_FDNAMES"));
	CHECK(fl_listen(&admin, &plain, &inherited, NULL) == 5);
	CHECK(fl_listen(&web, &plain, &inherited, NULL) == 3);
	CHECK(fcntl(3, F_GETFD) & FD_CLOEXEC);
	CHECK(fcntl(3, F_GETFL) & O_NONBLOCK);
	CHECK(option(3, IPPROTO_TCP, TCP_NODELAY) != 0);
	/* Each is taken once. */
	CHECK(fl_listen(&web, &plain, &inherited, NULL) == FL_EEXIST);
	fl_inherited_fini(&inherited);
	CHECK(fcntl(3, F_GETFD) >= 0);
	return 0;
}

static int closes_what_nobody_took(void)
{
	CHECK(fl_inherited_init(&inherited, NULL) == FL_OK);
	CHECK(fl_listen(&web, &plain, &inherited, NULL) == 3);
	fl_inherited_fini(&inherited);
	CHECK(fcntl(3, F_GETFD) >= 0);
	CHECK(fcntl(5, F_GETFD) < 0);
	return 0;
}

static int leaves_those_of_another_process(void)
{
	(void)setenv("LISTEN_PID", "1", 1);
	CHECK(fl_inherited_init(&inherited, NULL) == FL_OK);
	CHECK(inherited.count == 0);
	CHECK(!getenv("LISTEN_PID"));
	return 0;
}

static int refuses_nonsense(void)
{
	static const char *const wrong[] = {"-1", "x", "3x", "", "99999999999999999999", "257"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char number[16];
		(void)snprintf(number, sizeof(number), "%d", (int)getpid());
		(void)setenv("LISTEN_PID", number, 1);
		(void)setenv("LISTEN_FDS", wrong[i], 1);
		CHECK(fl_inherited_init(&inherited, NULL) == (i == 5 ? FL_ELIMIT : FL_EINVAL));
		CHECK(inherited.count == 0);
	}
	return 0;
}

static void inherited_sockets(void **state)
{
	(void)state;
	web = parsed("127.0.0.1:0");
	admin = unix_addr("admin");
	int fds[3];
	fds[0] = fl_listen(&web, &plain, NULL, NULL);
	fds[1] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	fds[2] = fl_listen(&admin, &plain, NULL, NULL);
	web = bound(fds[0]);
	int off = 0; /* as somebody else's socket would be */
	assert_int_equal(setsockopt(fds[0], IPPROTO_TCP, TCP_NODELAY, &off, sizeof(off)), 0);
	in_child(fds, 3, takes_them_by_address);
	in_child(fds, 3, closes_what_nobody_took);
	in_child(fds, 3, leaves_those_of_another_process);
	in_child(fds, 3, refuses_nonsense);
	struct fl_error err;
	struct fl_inherited *in = calloc(1, sizeof(*in));
	assert_int_equal(fl_inherited_add(in, fds[1], "x", &err), FL_EINVAL);
	assert_int_equal(fl_inherited_add(in, fds[0], NULL, NULL), FL_OK);
	assert_int_equal(fl_listen(&web, &plain, in, NULL), fds[0]);
	free(in);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static void out_of_descriptors(void **state)
{
	(void)state;
	struct rlimit before, tight;
	int next = dup(0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	struct fl_addr addr = parsed("127.0.0.1:0");
	assert_int_equal(fl_listen(&addr, &plain, NULL, NULL), FL_ELIMIT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void)
{
	alarm(60);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_socket),
		cmocka_unit_test(reuse_port),
		cmocka_unit_test(both_families),
		cmocka_unit_test(not_ours),
		cmocka_unit_test(unix_sockets),
		cmocka_unit_test(a_busy_unix_socket_is_not_stale),
		cmocka_unit_test(a_plain_file_is_never_removed),
		cmocka_unit_test(inherited_sockets),
		cmocka_unit_test(out_of_descriptors),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
