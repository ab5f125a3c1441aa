/* A loop is made on one thread, runs on another, and is freed on a third; what is still under way
 * then ends, and all is given back. */
#include "unit/loop/util.h"

#include <pthread.h>

enum {
	PAIRS = 400,
	BIG = 4 << 20
};

struct stay {
	struct fl_loop *loop;
	struct end end[PAIRS];
	int raw[PAIRS];
	char *bytes; /* what one of them sends, more than a socket takes */
	bool close_inside;
};

static void close_all(struct stay *stay)
{
	for (int i = 0; i < PAIRS; i++)
		fl_stream_close(stay->end[i].s, false, on_closed);
}

static void *run_loop(void *arg)
{
	struct stay *stay = arg;
	assert_int_equal(fl_loop_run(stay->loop), 0);
	if (stay->close_inside) {
		close_all(stay);
		turns(stay->loop, 1);
	}
	return NULL;
}

static void *free_loop(void *arg)
{
	struct stay *stay = arg;
	fl_loop_free(stay->loop);
	return NULL;
}

static void on_thread(void *(*run)(void *), struct stay *stay)
{
	pthread_t id;
	assert_int_equal(pthread_create(&id, NULL, run, stay), 0);
	assert_int_equal(pthread_join(id, NULL), 0);
}

/* One sends and waits for room, the others wait for bytes; a byte stops the loop. */
static void run_on_another(struct stay *stay)
{
	for (int i = 0; i < PAIRS; i++) {
		stay->raw[i] = pair_with_raw(&stay->end[i], stay->loop);
		end_recv(&stay->end[i]);
	}
	stay->bytes = calloc(1, BIG);
	assert_int_equal(end_send(&stay->end[0], stay->bytes, BIG), 0);
	raw_write(stay->raw[1], "x", 1);
	on_thread(run_loop, stay);
	assert_int_equal(stay->end[1].got_len, 1);
}

static void all_are_closed(struct stay *stay)
{
	assert_int_equal(stay->end[0].sent_calls, 0);
	for (int i = 0; i < PAIRS; i++) {
		char byte;
		assert_int_equal(stay->end[i].closed_calls, 1);
		assert_int_equal(stay->end[i].end, NOTHING);
		/* The kernel lets go of the descriptor, too. */
		while (recv(stay->raw[i], &byte, 1, 0) > 0)
			;
		close(stay->raw[i]);
		free(stay->end[i].got);
	}
	free(stay->bytes);
	free(stay);
}

static struct stay *stay_new(void **state, unsigned entries)
{
	(void)loop_of(state);
	struct fixture *fx = *state;
	struct fl_loop_options options = options_of(fx->backend);
	struct stay *stay = calloc(1, sizeof(*stay));
	options.ring_entries = entries;
	assert_int_equal(fl_loop_new(&stay->loop, &options), 0);
	return stay;
}

static void closed_and_freed_elsewhere(void **state)
{
	struct stay *stay = stay_new(state, 0);
	run_on_another(stay);
	close_all(stay);
	on_thread(free_loop, stay);
	all_are_closed(stay);
}

/* With queues so small that one turn does not bring all the ends. */
static void closed_inside_and_freed_elsewhere(void **state)
{
	struct stay *stay = stay_new(state, 1);
	stay->close_inside = true;
	run_on_another(stay);
	on_thread(free_loop, stay);
	all_are_closed(stay);
}

/* It has not run when it is freed, but what it was to do is known. */
static void freed_before_it_runs(void **state)
{
	struct stay *stay = stay_new(state, 0);
	struct sockaddr_in addr;
	struct fl_listener *listener;
	struct end e;
	assert_int_equal(
		fl_listener_new(&listener, stay->loop, tcp_listen(&addr, 1), NULL, NULL), 0);
	int raw = pair_with_raw(&e, stay->loop);
	end_recv(&e);
	fl_listener_close(listener);
	fl_stream_close(e.s, false, on_closed);
	on_thread(free_loop, stay);
	assert_int_equal(e.closed_calls, 1);
	close(raw);
	free(stay);
}

int main(void)
{
	alarm(120);
	const struct CMUnitTest tests[] = {
		ON_BOTH(closed_and_freed_elsewhere),
		ON_BOTH(closed_inside_and_freed_elsewhere),
		ON_BOTH(freed_before_it_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
