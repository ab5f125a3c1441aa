/* Listeners: many at once, closing in the callback, and running out of descriptors. */
#include "unit/loop/util.h"

#include <sys/resource.h>

enum {
	MANY = 200
};

struct server {
	struct fl_loop *loop;
	struct fl_listener *listener;
	int fd[MANY], count;
	int errors, last_error;
	uint64_t error_at, next_at;
	bool close_on_first;
};

static void on_accept(void *cookie, int fd, const struct sockaddr *peer, socklen_t len)
{
	struct server *server = cookie;
	fl_loop_stop(server->loop);
	if (fd < 0) {
		assert_null(peer);
		assert_int_equal(len, 0);
		server->errors++;
		server->last_error = fd;
		server->error_at = fl_loop_now(server->loop);
		return;
	}
	assert_non_null(server->listener);
	assert_in_range(server->count, 0, MANY - 1);
	if (server->errors == 1 && !server->next_at)
		server->next_at = fl_loop_now(server->loop);
	server->fd[server->count++] = fd;
	if (server->close_on_first) {
		fl_listener_close(server->listener);
		server->listener = NULL;
	}
}

static void open_server(struct server *server, struct fl_loop *loop, struct sockaddr_in *addr)
{
	*server = (struct server){.loop = loop};
	int fd = tcp_listen(addr, MANY);
	assert_int_equal(fl_listener_new(&server->listener, loop, fd, on_accept, server), 0);
}

static void close_server(struct server *server)
{
	fl_listener_close(server->listener);
	while (server->count > 0)
		close(server->fd[--server->count]);
	turns(server->loop, 3);
}

static int knock(const struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	(void)connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
	return fd;
}

/* More than one burst, some before and some after the listener looked first. */
static void accepts_all_who_knock(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct server server;
	struct sockaddr_in addr;
	int client[MANY];
	open_server(&server, loop, &addr);
	for (int i = 0; i < MANY; i++) {
		client[i] = knock(&addr);
		if (i == MANY / 4)
			turns(loop, 2);
	}
	UNTIL(loop, server.count == MANY);
	assert_int_equal(server.errors, 0);
	for (int i = 0; i < MANY; i++)
		close(client[i]);
	close_server(&server);
}

static void close_in_the_callback(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct server server;
	struct sockaddr_in addr;
	open_server(&server, loop, &addr);
	server.close_on_first = true;
	turns(loop, 2);
	int client[3] = {knock(&addr), knock(&addr), knock(&addr)};
	UNTIL(loop, server.count == 1);
	turns(loop, 5);
	assert_int_equal(server.count, 1);
	assert_int_equal(server.errors, 0);
	/* Nobody listens there any more. */
	struct end e;
	end_init(&e, loop);
	assert_int_equal(fl_stream_connect(&e.s, loop, (struct sockaddr *)&addr, sizeof(addr),
				 &e, on_connect),
		0);
	UNTIL(loop, e.connect_calls == 1);
	assert_int_equal(e.connected, -ECONNREFUSED);
	end_close(&e);
	for (int i = 0; i < 3; i++)
		close(client[i]);
	close_server(&server);
}

static void close_before_any_turn(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct server server;
	struct sockaddr_in addr;
	open_server(&server, loop, &addr);
	int client = knock(&addr);
	fl_listener_close(server.listener);
	server.listener = NULL;
	turns(loop, 5);
	assert_int_equal(server.count, 0);
	close(client);
}

/* No descriptor left: told once, then silence for 100 ms of the loop's clock, then again. */
static void pauses_without_descriptors(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct server server;
	struct sockaddr_in addr;
	struct rlimit before, tight;
	open_server(&server, loop, &addr);
	turns(loop, 3);
	int client[2] = {knock(&addr), knock(&addr)};
	int next = dup(client[0]); /* the lowest free descriptor */
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	UNTIL(loop, server.errors == 1);
	assert_int_equal(server.last_error, -EMFILE);
	turns(loop, 20);
	if (fl_loop_now(loop) < server.error_at + 100)
		assert_int_equal(server.errors, 1);
	assert_int_equal(server.count, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	server.errors = 1;
	server.next_at = 0;
	UNTIL(loop, server.count == 2);
	assert_true(server.next_at >= server.error_at + 100);
	close(client[0]);
	close(client[1]);
	close_server(&server);
}

int main(void)
{
	alarm(120);
	const struct CMUnitTest tests[] = {
		ON_BOTH(accepts_all_who_knock),
		ON_BOTH(close_in_the_callback),
		ON_BOTH(close_before_any_turn),
		ON_BOTH(pauses_without_descriptors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
