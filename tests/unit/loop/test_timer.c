/* Timers: the wheel alone against a sorted oracle over long simulated times, and in a loop. */
#include "loop/wheel.h"
#include "unit/loop/util.h"

enum {
	COUNT = 400
};

struct clock {
	struct fl_wheel wheel;
	uint64_t now, fired;
};

struct entry {
	struct fl_timer timer;
	struct clock *clock;
	uint64_t tick; /* in which it fires */
	bool set;
};

static void nothing(void *cookie)
{
	(void)cookie;
}

static uint64_t random_delay(uint64_t *seed)
{
	*seed = mix(*seed);
	return (*seed >> 20) % (UINT64_C(1) << (*seed % 44)); /* all magnitudes */
}

/* The current tick is over: what is due in it fires in the next. A timer that is set already is set
 * anew where it stands. */
static void set_entry(struct clock *clock, struct entry *e, uint64_t delay)
{
	e->timer.due = clock->now + delay;
	e->tick = (e->timer.due + FL_WHEEL_TICK_MS - 1) / FL_WHEEL_TICK_MS;
	if (e->tick <= clock->now / FL_WHEEL_TICK_MS)
		e->tick = clock->now / FL_WHEEL_TICK_MS + 1;
	e->set = true;
	fl_wheel_add(&clock->wheel, &e->timer);
}

/* Pops all that is due; checks each of them and the order among them. */
static void pop_all(struct clock *clock)
{
	struct fl_timer *timer;
	uint64_t last_tick = 0;
	fl_wheel_advance(&clock->wheel, clock->now);
	while ((timer = fl_wheel_pop(&clock->wheel))) {
		struct entry *e = fl_container_of(timer, struct entry, timer);
		assert_true(e->set);
		assert_true(timer->due <= clock->now);
		assert_true(e->tick >= last_tick);
		assert_false(fl_timer_is_set(timer));
		last_tick = e->tick;
		e->set = false;
		clock->fired++;
	}
}

/* Each step goes where the wheel says that something is due, or somewhere before or behind. */
static void wheel_against_an_oracle(void **state)
{
	(void)state;
	struct clock clock = {.now = 123456789};
	struct entry *entries = calloc(COUNT, sizeof(*entries));
	uint64_t seed = 42;
	fl_wheel_init(&clock.wheel, clock.now);
	for (int i = 0; i < COUNT; i++)
		fl_timer_init(&entries[i].timer, nothing, NULL);
	for (unsigned step = 0; step < 20000; step++) {
		struct entry *e = &entries[(seed = mix(seed)) % COUNT];
		unsigned what = mix(seed) % 8;
		if (what < 3) {
			if (what == 0)
				fl_timer_cancel(&e->timer);
			else
				fl_timer_disarm(&e->timer);
			assert_false(fl_timer_is_set(&e->timer));
			e->set = false;
		} else {
			set_entry(&clock, e, random_delay(&seed));
		}
		if (step % 8)
			continue;
		uint64_t next = fl_wheel_next(&clock.wheel);
		if (next != UINT64_MAX && next > clock.now)
			clock.now =
				step % 3 ? next : clock.now + mix(seed) % (next - clock.now);
		else
			clock.now += mix(seed) % 1000;
		pop_all(&clock);
		/* What is still set is not overdue by more than its tick, and the wheel knows
		 * of something to do no later than then. */
		next = fl_wheel_next(&clock.wheel);
		for (int i = 0; i < COUNT; i++) {
			if (!entries[i].set)
				continue;
			assert_true(entries[i].timer.due + FL_WHEEL_TICK_MS > clock.now);
			assert_true(next <= entries[i].timer.due + FL_WHEEL_TICK_MS);
		}
	}
	assert_true(clock.fired > 100);
	free(entries);
}

/* Exactly at the borders of ticks and levels. */
static void wheel_at_the_borders(void **state)
{
	(void)state;
	struct clock clock = {0};
	struct entry e = {0};
	fl_timer_init(&e.timer, nothing, NULL);
	for (uint64_t start = 0; start < 20; start++) {
		for (int shift = 3; shift < 40; shift++) {
			for (int off = -9; off <= 9; off++) {
				uint64_t delay = (UINT64_C(1) << shift) + (uint64_t)off;
				if (off < 0 && (UINT64_C(1) << shift) < (uint64_t)-off)
					continue;
				clock.now = (start << 30) + start * 511;
				fl_wheel_init(&clock.wheel, clock.now);
				set_entry(&clock, &e, delay);
				uint64_t fired = clock.fired;
				while (clock.fired == fired) {
					clock.now = fl_wheel_next(&clock.wheel);
					pop_all(&clock);
				}
				assert_true(clock.now >= e.timer.due);
				/* A timer that is due at once waits for the next tick. */
				assert_true(clock.now <= e.timer.due + FL_WHEEL_TICK_MS);
			}
		}
	}
	assert_true(fl_wheel_next(&clock.wheel) == UINT64_MAX);
	/* A disarmed one leaves when its time comes. */
	set_entry(&clock, &e, 100);
	fl_timer_disarm(&e.timer);
	clock.now += 200;
	pop_all(&clock);
	assert_true(fl_wheel_next(&clock.wheel) == UINT64_MAX);
}

struct log {
	struct fl_loop *loop;
	int fired[16], count;
};

struct alarm_clock {
	struct fl_timer timer;
	struct log *log;
	int id;
	uint64_t earliest;
	struct fl_timer *cancel, *disarm, *reset;
};

static void ring(void *cookie)
{
	struct alarm_clock *a = cookie;
	assert_true(fl_loop_now(a->log->loop) >= a->earliest);
	assert_false(fl_timer_is_set(&a->timer));
	a->log->fired[a->log->count++] = a->id;
	if (a->cancel)
		fl_timer_cancel(a->cancel);
	if (a->disarm)
		fl_timer_disarm(a->disarm);
	if (a->reset)
		fl_timer_set(a->log->loop, a->reset, 30);
	fl_loop_stop(a->log->loop);
}

static void set_alarm(struct alarm_clock *a, struct log *log, int id, uint64_t delay)
{
	*a = (struct alarm_clock){.log = log, .id = id};
	fl_timer_init(&a->timer, ring, a);
	fl_timer_set(log->loop, &a->timer, delay);
	a->earliest = fl_loop_now(log->loop) + delay;
}

static void far_future(void **state)
{
	struct fl_loop *loop = loop_of(state);
	struct fl_timer timer;
	fl_timer_init(&timer, nothing, NULL);
	assert_false(fl_timer_is_set(&timer));
	fl_timer_cancel(&timer);
	fl_timer_set(loop, &timer, UINT64_MAX);
	assert_true(fl_timer_is_set(&timer));
	struct log log = {.loop = loop};
	struct alarm_clock soon;
	set_alarm(&soon, &log, 0, 20);
	UNTIL(loop, log.count == 1);
	assert_true(fl_timer_is_set(&timer));
	fl_timer_set(loop, &timer, UINT64_MAX / 2);
	set_alarm(&soon, &log, 0, 20);
	UNTIL(loop, log.count == 2);
	assert_true(fl_timer_is_set(&timer));
	fl_timer_cancel(&timer);
	assert_false(fl_timer_is_set(&timer));
}

static void order_and_never_early(void **state)
{
	struct log log = {.loop = loop_of(state)};
	static const uint64_t delays[] = {60, 20, 0, 40, 20, 90};
	static const int order[] = {2, 1, 4, 3, 0, 5};
	struct alarm_clock a[6];
	for (int i = 0; i < 6; i++)
		set_alarm(&a[i], &log, i, delays[i]);
	UNTIL(log.loop, log.count == 6);
	for (int i = 0; i < 6; i++)
		assert_int_equal(log.fired[i], order[i]);
}

struct four {
	struct fl_task task;
	struct log log;
	struct alarm_clock a[4];
	bool disarm;
};

/* In a task, where the clock stands still: all are due in one tick. */
static void set_four(struct fl_task *task)
{
	struct four *four = fl_container_of(task, struct four, task);
	for (int i = 0; i < 4; i++)
		set_alarm(&four->a[i], &four->log, i, 16);
	if (four->disarm)
		four->a[0].disarm = &four->a[1].timer;
	else
		four->a[0].cancel = &four->a[1].timer;
	four->a[0].reset = &four->a[2].timer;
}

/* The first cancels or disarms the second, which is due already, and sets the third anew. */
static void four_alarms(struct fl_loop *loop, bool disarm)
{
	struct four four = {.task = {NULL, set_four}, .log = {.loop = loop}, .disarm = disarm};
	struct alarm_clock *a = four.a;
	fl_loop_post(four.log.loop, &four.task);
	UNTIL(four.log.loop, four.log.count == 3);
	const struct log log = four.log;
	assert_int_equal(log.fired[0], 0);
	assert_int_equal(log.fired[1], 3);
	assert_int_equal(log.fired[2], 2);
	assert_false(fl_timer_is_set(&a[1].timer));
}

static void cancel_and_reset_in_a_callback(void **state)
{
	four_alarms(loop_of(state), false);
	four_alarms(loop_of(state), true);
}

static void set_again_moves_it(void **state)
{
	struct log log = {.loop = loop_of(state)};
	struct alarm_clock a, b;
	set_alarm(&a, &log, 0, 10);
	set_alarm(&b, &log, 1, 30);
	fl_timer_set(log.loop, &a.timer, 60);
	a.earliest = fl_loop_now(log.loop) + 60;
	UNTIL(log.loop, log.count == 2);
	assert_int_equal(log.fired[0], 1);
	assert_int_equal(log.fired[1], 0);
}

static void ring_again(void *cookie)
{
	struct alarm_clock *a = cookie;
	a->log->count++;
	fl_timer_set(a->log->loop, &a->timer, 0);
	fl_loop_stop(a->log->loop);
}

/* A timer that sets itself with no delay fires once a turn at most. */
static void no_delay_does_not_spin(void **state)
{
	struct log log = {.loop = loop_of(state)};
	struct alarm_clock a = {.log = &log};
	fl_timer_init(&a.timer, ring_again, &a);
	fl_timer_set(log.loop, &a.timer, 0);
	for (int i = 1; i <= 5; i++) {
		int before = log.count;
		UNTIL(log.loop, log.count > before);
		assert_int_equal(log.count, before + 1);
	}
	fl_timer_cancel(&a.timer);
}

/* Put off, disarmed and set again while the wheel knows it: fires once, when it was set for last. */
static void disarmed_and_put_off(void **state)
{
	struct log log = {.loop = loop_of(state)};
	struct alarm_clock a, b, c;
	set_alarm(&a, &log, 0, 10);
	set_alarm(&b, &log, 1, 20);
	set_alarm(&c, &log, 2, 90);
	fl_timer_disarm(&a.timer);
	fl_timer_disarm(&b.timer);
	assert_false(fl_timer_is_set(&a.timer));
	fl_timer_set(log.loop, &b.timer, 60);
	b.earliest = fl_loop_now(log.loop) + 60;
	UNTIL(log.loop, log.count == 1);
	assert_int_equal(log.fired[0], 1);
	assert_false(fl_timer_is_set(&b.timer));
	/* What was disarmed and has left the wheel can be set again. */
	fl_timer_set(log.loop, &a.timer, 10);
	a.earliest = fl_loop_now(log.loop) + 10;
	UNTIL(log.loop, log.count == 3);
	assert_int_equal(log.fired[1], 0);
	assert_int_equal(log.fired[2], 2);
}

int main(void)
{
	alarm(120);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wheel_against_an_oracle),
		cmocka_unit_test(wheel_at_the_borders),
		ON_BOTH(far_future),
		ON_BOTH(order_and_never_early),
		ON_BOTH(cancel_and_reset_in_a_callback),
		ON_BOTH(set_again_moves_it),
		ON_BOTH(no_delay_does_not_spin),
		ON_BOTH(disarmed_and_put_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
