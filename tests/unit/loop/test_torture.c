/* A thousand pairs of streams under random operations, every byte compared with an oracle.
 *
 * Each direction of each pair carries its own endless pattern; a receiver knows which byte must
 * come next, however sends were cut and pauses fell. A direction that ended with a FIN (and
 * whose reader lived) must have delivered everything. The operations come from a seeded
 * generator; only the kernel's interleaving differs from run to run. */
#include "unit/loop/util.h"

enum {
	PAIRS = 1000,
	STREAMS = 2 * PAIRS,
	OPS = 60000,
	PER_TURN = 200,
	MAX_SEND = 24 * 1024
};

struct torture;

struct peer {
	struct torture *t;
	struct fl_stream *s;
	int id;
	uint64_t sent, got;
	char *sending; /* must stay while a send is under way */
	struct fl_rbuf *kept;
	uint64_t kept_at;
	bool shut, ended, closed, gone, receiving;
};

struct torture {
	struct fl_loop *loop;
	struct peer peers[STREAMS];
	struct fl_task task;
	uint64_t seed;
	int ops, gone;
	uint64_t bytes;
};

static uint64_t pick(struct torture *t, uint64_t below)
{
	t->seed = mix(t->seed);
	return (t->seed >> 11) % below;
}

static struct peer *other(struct peer *p)
{
	return &p->t->peers[p->id ^ 1];
}

static void check_bytes(const struct peer *p, const char *data, uint64_t at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (data[i] != pattern((uint64_t)(p->id ^ 1), at + i))
			fail_msg("stream %d: byte %llu differs", p->id,
				(unsigned long long)(at + i));
}

static void drop_kept(struct peer *p)
{
	if (!p->kept)
		return;
	check_bytes(p, p->kept->data, p->kept_at, p->kept->len);
	fl_rbuf_unref(p->kept);
	p->kept = NULL;
}

static void gone(void *cookie)
{
	struct peer *p = cookie;
	assert_true(p->closed);
	p->gone = true;
	free(p->sending);
	p->sending = NULL;
	if (++p->t->gone == STREAMS)
		fl_loop_stop(p->t->loop);
}

static void close_peer(struct peer *p)
{
	p->closed = true;
	drop_kept(p);
	fl_stream_close(p->s, pick(p->t, 2), gone);
}

static void received(void *cookie, struct fl_rbuf *buf, int result)
{
	struct peer *p = cookie;
	struct torture *t = p->t;
	assert_false(p->closed || p->ended);
	if (result <= 0) {
		p->ended = true;
		if (result == 0 && other(p)->shut && !other(p)->closed)
			assert_int_equal(p->got, other(p)->sent);
		return;
	}
	check_bytes(p, buf->data, p->got, buf->len);
	if (!p->kept && pick(t, 8) == 0) {
		p->kept = fl_rbuf_ref(buf);
		p->kept_at = p->got;
	}
	p->got += buf->len;
	t->bytes += buf->len;
	assert_true(p->got <= other(p)->sent);
	if (pick(t, 16) == 0)
		fl_stream_recv_pause(p->s);
	if (pick(t, 2000) == 0)
		close_peer(p);
}

static void sent(void *cookie, int result)
{
	struct peer *p = cookie;
	assert_false(p->closed);
	assert_non_null(p->sending);
	free(p->sending);
	p->sending = NULL;
	if (result < 0)
		assert_true(other(p)->closed);
}

static void send_some(struct peer *p)
{
	struct torture *t = p->t;
	if (p->sending || p->shut)
		return;
	size_t n = pick(t, 1 << pick(t, 15)) % MAX_SEND;
	struct iovec iov[FL_SEND_IOV];
	int count = 0;
	p->sending = pattern_new((uint64_t)p->id, p->sent, n);
	for (size_t at = 0; at < n; count++) {
		size_t part = count == FL_SEND_IOV - 1 ? n - at : pick(t, n - at + 1);
		iov[count] = (struct iovec){p->sending + at, part};
		at += part;
	}
	p->sent += n;
	int rc = fl_stream_send(p->s, iov, count, sent);
	if (rc == 0)
		return;
	free(p->sending);
	p->sending = NULL;
	if (rc < 0) {
		assert_true(other(p)->closed);
		close_peer(p);
	}
}

static void one_op(struct torture *t)
{
	struct peer *p = &t->peers[pick(t, STREAMS)];
	uint64_t op = pick(t, 1000);
	if (p->closed)
		return;
	if (op < 500)
		send_some(p);
	else if (op < 850)
		assert_int_equal(fl_stream_recv(p->s, received), 0);
	else if (op < 930)
		fl_stream_recv_pause(p->s);
	else if (op < 980)
		drop_kept(p);
	else if (op < 985)
		(void)fl_stream_stale(p->s);
	else if (op < 995) {
		p->shut = true;
		fl_stream_shutdown(p->s);
	} else
		close_peer(p);
}

static void next_ops(struct fl_task *task)
{
	struct torture *t = fl_container_of(task, struct torture, task);
	for (int i = 0; i < PER_TURN && t->ops < OPS; i++, t->ops++)
		one_op(t);
	if (t->ops < OPS)
		fl_loop_post(t->loop, task);
	else
		fl_loop_stop(t->loop);
}

static void start(struct torture *t, int i)
{
	int fd[2];
	raw_pair(fd);
	for (int side = 0; side < 2; side++) {
		struct peer *p = &t->peers[i + side];
		int small = 4096;
		*p = (struct peer){.t = t, .id = i + side};
		assert_int_equal(
			setsockopt(fd[side], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
		assert_int_equal(fl_stream_new(&p->s, t->loop, fd[side], p), 0);
	}
}

/* Lets what is open come to its end: everybody receives and has sent all. */
static void settle(struct torture *t)
{
	for (int i = 0; i < STREAMS; i++) {
		struct peer *p = &t->peers[i];
		if (p->closed)
			continue;
		drop_kept(p);
		p->shut = true;
		fl_stream_shutdown(p->s);
	}
	for (bool open = true; open;) {
		open = false;
		for (int i = 0; i < STREAMS; i++) {
			struct peer *p = &t->peers[i];
			if (p->closed || p->ended)
				continue;
			assert_int_equal(fl_stream_recv(p->s, received), 0);
			open = true;
		}
		turns(t->loop, 1);
	}
	for (int i = 0; i < STREAMS; i++)
		if (!t->peers[i].closed)
			close_peer(&t->peers[i]);
}

static void torture(struct fl_loop *loop, uint64_t seed)
{
	struct torture *t = calloc(1, sizeof(*t));
	t->loop = loop;
	t->seed = seed;
	t->task.run = next_ops;
	for (int i = 0; i < STREAMS; i += 2)
		start(t, i);
	fl_loop_post(loop, &t->task);
	UNTIL(loop, t->ops == OPS);
	settle(t);
	UNTIL(loop, t->gone == STREAMS);
	assert_true(t->bytes > 1 << 20);
	free(t);
}

static void a_thousand_pairs(void **state)
{
	torture(loop_of(state), 1);
}

/* A ring so small that both of its queues are full all the time. */
static void a_thousand_pairs_on_a_tiny_ring(void **state)
{
	(void)loop_of(state);
	struct fixture *fx = *state;
	struct fl_loop_options options = options_of(fx->backend);
	struct fl_loop *loop;
	options.buffer_size = 700;
	options.ring_entries = 4;
	assert_int_equal(fl_loop_new(&loop, &options), 0);
	torture(loop, 2);
	fl_loop_free(loop);
}

int main(void)
{
	alarm(300);
	const struct CMUnitTest tests[] = {
		ON_BOTH(a_thousand_pairs),
		ON_ONE(a_thousand_pairs_on_a_tiny_ring, uring),
		ON_ONE(a_thousand_pairs_on_a_tiny_ring, uring_minimal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
