#include "daemon/signals.h"

#include "base/assert.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

struct waiting {
	struct fl_task task;
	struct fl_signals *signals;
	int signal;
	atomic_bool posted;
};

struct fl_signals {
	struct fl_loop *loop;
	void (*on_signal)(void *cookie, int signal);
	void *cookie;
	pthread_t thread;
	sigset_t set;
	atomic_bool stopping;
	struct waiting
		waiting[5]; /* one a signal: like the kernel, we keep each at most once */
};

static const int numbers[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};

static void deliver(struct fl_task *task)
{
	struct waiting *w = fl_container_of(task, struct waiting, task);

	atomic_store(&w->posted, false);
	w->signals->on_signal(w->signals->cookie, w->signal);
}

static void post(struct fl_signals *s, int number)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct waiting *w = &s->waiting[i];
		if (w->signal == number && !atomic_exchange(&w->posted, true))
			fl_loop_post(s->loop, &w->task);
	}
}

static void *wait_for_signals(void *arg)
{
	struct fl_signals *s = arg;
	int number;

	while (!atomic_load(&s->stopping))
		if (sigwait(&s->set, &number) == 0 && !atomic_load(&s->stopping))
			post(s, number);
	return NULL;
}

int fl_signals_new(struct fl_signals **out, struct fl_loop *loop,
	void (*on_signal)(void *cookie, int signal), void *cookie)
{
	struct fl_signals *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->on_signal = on_signal;
	s->cookie = cookie;
	(void)sigemptyset(&s->set);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		(void)sigaddset(&s->set, numbers[i]);
		s->waiting[i].signals = s;
		s->waiting[i].signal = numbers[i];
		s->waiting[i].task.run = deliver;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	FL_MUST(pthread_sigmask(SIG_BLOCK, &s->set, NULL));
	int bad = pthread_create(&s->thread, NULL, wait_for_signals, s);
	if (bad) {
		free(s);
		return -bad;
	}
	*out = s;
	return 0;
}

void fl_signals_free(struct fl_signals *s)
{
	if (!s)
		return;
	atomic_store(&s->stopping, true);
	FL_MUST(pthread_kill(s->thread, SIGUSR2));
	FL_MUST(pthread_join(s->thread, NULL));
	free(s);
}
