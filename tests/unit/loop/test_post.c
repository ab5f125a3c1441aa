/* Work from other threads: all of it, in each thread's order, and it wakes a sleeping loop. */
#include "unit/loop/util.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
	THREADS = 4,
	TASKS = 20000
};

struct board {
	struct fl_loop *loop;
	int next[THREADS]; /* the task that is due of each thread */
	int done;
};

struct work {
	struct fl_task task;
	struct board *board;
	int thread, number;
};

struct poster {
	pthread_t id;
	struct fl_loop *loop;
	struct work *work;
};

static void run_work(struct fl_task *task)
{
	struct work *work = fl_container_of(task, struct work, task);
	struct board *board = work->board;
	assert_int_equal(work->number, board->next[work->thread]);
	board->next[work->thread]++;
	if (++board->done == THREADS * TASKS)
		fl_loop_stop(board->loop);
}

static void *post_all(void *arg)
{
	struct poster *poster = arg;
	for (int i = 0; i < TASKS; i++) {
		fl_loop_post(poster->loop, &poster->work[i].task);
		/* So that the loop also gets to sleep in between. */
		if (i % 1000 == 0)
			usleep(100);
	}
	return NULL;
}

static void four_threads_keep_their_order(void **state)
{
	struct board board = {.loop = loop_of(state)};
	struct poster posters[THREADS];
	for (int t = 0; t < THREADS; t++) {
		posters[t].loop = board.loop;
		posters[t].work = calloc(TASKS, sizeof(struct work));
		for (int i = 0; i < TASKS; i++)
			posters[t].work[i] = (struct work){
				.task = {NULL, run_work},
				.board = &board,
				.thread = t,
				.number = i,
			};
		assert_int_equal(
			pthread_create(&posters[t].id, NULL, post_all, &posters[t]), 0);
	}
	UNTIL(board.loop, board.done == THREADS * TASKS);
	for (int t = 0; t < THREADS; t++) {
		pthread_join(posters[t].id, NULL);
		assert_int_equal(board.next[t], TASKS);
		free(posters[t].work);
	}
}

struct pingpong {
	struct fl_task task;
	struct fl_loop *here, *there;
	_Atomic int *count;
};

static void bounce(struct fl_task *task)
{
	struct pingpong *p = fl_container_of(task, struct pingpong, task);
	struct fl_loop *next = p->there;
	p->there = p->here;
	p->here = next;
	if (atomic_fetch_add(p->count, 1) < 2000) {
		fl_loop_post(next, task);
		return;
	}
	fl_loop_stop(p->here);
	fl_loop_stop(p->there);
}

static void *run_loop(void *arg)
{
	(void)fl_loop_run(arg);
	return NULL;
}

/* One task between two loops that sleep whenever they do not hold it: a lost wake-up hangs. */
static void wakes_a_sleeping_loop(void **state)
{
	struct fixture *fx = *state;
	struct fl_loop *a = loop_of(state), *b;
	struct fl_loop_options options = {.backend = fx->backend->id};
	assert_int_equal(fl_loop_new(&b, &options), 0);
	_Atomic int count = 0;
	struct pingpong ball = {{NULL, bounce}, a, b, &count};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, run_loop, b), 0);
	fl_loop_post(a, &ball.task);
	assert_int_equal(fl_loop_run(a), 0);
	pthread_join(thread, NULL);
	assert_int_equal(count, 2001);
	fl_loop_free(b);
}

struct again {
	struct fl_task task;
	struct fl_loop *loop;
	int runs;
};

static void post_again(struct fl_task *task)
{
	struct again *again = fl_container_of(task, struct again, task);
	again->runs++;
	fl_loop_post(again->loop, task);
}

/* Tasks that post themselves run once a turn and hold up neither the loop nor each other. */
static void posting_from_a_task(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct again again[3];
	for (int t = 0; t < 3; t++) {
		again[t] = (struct again){{NULL, post_again}, loop, 0};
		fl_loop_post(loop, &again[t].task);
	}
	for (int i = 1; i <= 10; i++) {
		turns(loop, 1);
		for (int t = 0; t < 3; t++)
			assert_int_equal(again[t].runs, i);
	}
}

static void *stop_later(void *arg)
{
	usleep(1000);
	fl_loop_stop(arg);
	return NULL;
}

static void stop_from_another_thread(void **state)
{
	struct fl_loop *loop = loop_of(state);
	for (int i = 0; i < 20; i++) {
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, stop_later, loop), 0);
		assert_int_equal(fl_loop_run(loop), 0);
		pthread_join(thread, NULL);
	}
}

int main(void)
{
	alarm(120);
	const struct CMUnitTest tests[] = {
		ON_BOTH(four_threads_keep_their_order),
		ON_BOTH(wakes_a_sleeping_loop),
		ON_BOTH(posting_from_a_task),
		ON_BOTH(stop_from_another_thread),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
