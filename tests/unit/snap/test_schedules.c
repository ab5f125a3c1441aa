/* Every schedule, not the ones that a machine happens to run: snap.c is compiled in here with
 * its atomic operations replaced by the same ones with a place to switch before each. Writer
 * and readers are coroutines, and a scheduler tries every interleaving of small cases in which at
 * most so many times one is interrupted, then random ones of larger cases. (The memory order is not looked at here: ThreadSanitizer
 * does that on the torture test. This is about the protocol.)
 *
 * Objects are never really freed, only marked dead, so a use after free is seen at once. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <cmocka.h>

static void step(void);
static uint32_t step_gate(const _Atomic uint32_t *gate);
static uint64_t step_epoch(const _Atomic uint64_t *epoch);
static uint32_t step_add(_Atomic uint32_t *gate, uint32_t value);
static bool swap_flag(_Atomic bool *flag, bool value);

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_exchange_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_and_explicit
#undef atomic_fetch_or_explicit
/* clang-format off */
#define atomic_load_explicit(p, order) _Generic((p), \
	_Atomic uint32_t *: step_gate, default: step_epoch)((const void *)(p))
/* clang-format on */
#define atomic_store_explicit(p, v, order)     (step(), (void)(*(p) = (v)))
#define atomic_exchange_explicit(p, v, order)  swap_flag(p, v)
#define atomic_fetch_add_explicit(p, v, order) step_add(p, v)
#define atomic_fetch_sub_explicit(p, v, order) step_add(p, 0u - (v))
#define atomic_fetch_and_explicit(p, v, order) (step(), (void)(*(p) &= (v)))
#define atomic_fetch_or_explicit(p, v, order)  (step(), (void)(*(p) |= (v)))
#include "snap/snap.c" /* NOLINT(bugprone-suspicious-include): its atomics are replaced */

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#define TSAN_FIBERS 1
#endif
#endif

#define MAX_FIBERS  4
#define MAX_STEPS   400
#define MAX_WRITES  6
#define STACK_BYTES ((size_t)256 * 1024)

struct object {
	int refs, deaths;
	uint64_t epoch;
};

struct fiber {
	ucontext_t context;
	void *tsan, *stack;
	bool done;
	const _Atomic uint32_t *waits_for; /* runs only once this gate is CLOSED and empty */
};

/* One run: its size, the state of the world, and the choices taken. */
static struct {
	unsigned readers, writes, reads;
	bool parks;
	struct fl_snap *snap;
	struct object objects[MAX_WRITES + 1];
	const char *wrong;
} world;

static struct {
	struct fiber fibers[MAX_FIBERS];
	ucontext_t main;
	void *main_tsan;
	int running; /* -1: the scheduler */
	unsigned steps;
	uint8_t taken[MAX_STEPS], open[MAX_STEPS];
	unsigned prefix; /* how many of `taken` are prescribed */
	int last;        /* who ran last */
	unsigned interruptions, most_interruptions;
	uint64_t random; /* 0: systematic */
} sched = {.running = -1};

static void switch_to(ucontext_t *from, ucontext_t *to, void *tsan)
{
#ifdef TSAN_FIBERS
	__tsan_switch_to_fiber(tsan, 0);
#else
	(void)tsan;
#endif
	swapcontext(from, to);
}

static void step(void)
{
	int me = sched.running;

	if (me < 0)
		return;
	sched.running = -1;
	switch_to(&sched.fibers[me].context, &sched.main, sched.main_tsan);
}

static uint32_t step_gate(const _Atomic uint32_t *gate)
{
	if (sched.running >= 0)
		sched.fibers[sched.running].waits_for = gate;
	step();
	return *gate;
}

static uint64_t step_epoch(const _Atomic uint64_t *epoch)
{
	step();
	return *epoch;
}

static uint32_t step_add(_Atomic uint32_t *gate, uint32_t value)
{
	uint32_t former;

	step();
	former = *gate;
	*gate = former + value;
	return former;
}

static bool swap_flag(_Atomic bool *flag, bool value)
{
	bool former = *flag;

	*flag = value;
	return former;
}

static void wrong(const char *what)
{
	if (!world.wrong)
		world.wrong = what;
}

static void *object_ref(void *p)
{
	struct object *o = p;

	step();
	if (!o || o->deaths)
		wrong("a dead object is referenced");
	else
		o->refs++;
	return o;
}

static void object_unref(void *p)
{
	struct object *o = p;

	step();
	if (!o || o->deaths)
		wrong("a dead object is given back");
	else if (--o->refs == 0)
		o->deaths++;
}

static const struct fl_snap_ops ops = {object_ref, object_unref};

static void write_all(void)
{
	for (unsigned i = 1; i <= world.writes; i++)
		fl_snap_publish(world.snap, &world.objects[i]);
}

static void check_read(const struct object *o, uint64_t had, uint64_t before, uint64_t after)
{
	if (!o || o->deaths || o->refs < 1)
		wrong("a read gives a dead object");
	else if (o->epoch < had)
		wrong("a reader goes backwards");
	else if (!had && o->epoch < before)
		wrong("a reader with nothing gets what was not current");
	else if (before == after && o->epoch != before)
		wrong("a reader misses a publication though nobody was in the way");
}

static void read_some(void)
{
	struct fl_snap_reader reader;
	uint64_t had = 0;

	fl_snap_reader_init(&reader, world.snap);
	for (unsigned i = 0; i < world.reads; i++) {
		uint64_t before = world.snap->newest;
		const struct object *o = fl_snap_read(&reader);

		check_read(o, had, before, world.snap->newest);
		had = fl_snap_reader_epoch(&reader);
		if (o && had != o->epoch)
			wrong("epoch and object do not belong together");
		if (world.parks && i % 2) {
			fl_snap_reader_park(&reader);
			had = 0;
		}
	}
	fl_snap_reader_fini(&reader);
}

static void fiber_main(int index)
{
	struct fiber *me = &sched.fibers[index];

	for (;;) {
		if (index == 0)
			write_all();
		else
			read_some();
		me->done = true;
		sched.running = -1;
		switch_to(&me->context, &sched.main, sched.main_tsan);
	}
}

static int make_fibers(void **state)
{
	(void)state;
#ifdef TSAN_FIBERS
	sched.main_tsan = __tsan_get_current_fiber();
#endif
	for (int i = 0; i < MAX_FIBERS; i++) {
		struct fiber *f = &sched.fibers[i];

		f->stack = malloc(STACK_BYTES);
		assert_non_null(f->stack);
#ifdef TSAN_FIBERS
		f->tsan = __tsan_create_fiber(0);
#endif
		getcontext(&f->context);
		f->context.uc_stack.ss_sp = f->stack;
		f->context.uc_stack.ss_size = STACK_BYTES;
		f->context.uc_link = NULL;
		makecontext(&f->context, (void (*)(void))fiber_main, 1, i);
	}
	return 0;
}

static int drop_fibers(void **state)
{
	(void)state;
	for (int i = 0; i < MAX_FIBERS; i++) {
#ifdef TSAN_FIBERS
		__tsan_destroy_fiber(sched.fibers[i].tsan);
#endif
		free(sched.fibers[i].stack);
	}
	return 0;
}

static bool can_run(const struct fiber *f)
{
	return !f->done && (!f->waits_for || *f->waits_for == CLOSED);
}

static unsigned choose(unsigned open)
{
	unsigned choice = 0;

	if (sched.random) {
		sched.random ^= sched.random << 13;
		sched.random ^= sched.random >> 7;
		sched.random ^= sched.random << 17;
		choice = (unsigned)((sched.random >> 32) % open);
	} else if (sched.steps < sched.prefix) {
		choice = sched.taken[sched.steps];
	}
	sched.taken[sched.steps] = (uint8_t)choice;
	sched.open[sched.steps] = (uint8_t)open;
	sched.steps++;
	return choice;
}

/* Who can run, the one that ran last in front, into `able`. When it has been interrupted
 * often enough, nobody else is offered while it can go on. */
static unsigned list_able(unsigned *able)
{
	unsigned n = 0;
	bool goes_on = sched.last >= 0 && can_run(&sched.fibers[sched.last]);

	if (goes_on)
		able[n++] = (unsigned)sched.last;
	if (goes_on && sched.interruptions == sched.most_interruptions)
		return n;
	for (unsigned i = 0; i <= world.readers; i++)
		if ((int)i != sched.last && can_run(&sched.fibers[i]))
			able[n++] = i;
	return n;
}

/* Lets one coroutine that can run go one step further; false when none can. */
static bool run_one(void)
{
	unsigned able[MAX_FIBERS], n = list_able(able), at;

	if (n == 0)
		return false;
	at = able[choose(n)];
	if (sched.last == (int)able[0] && at != able[0])
		sched.interruptions++;
	sched.last = (int)at;
	sched.fibers[at].waits_for = NULL;
	sched.running = (int)at;
	switch_to(&sched.main, &sched.fibers[at].context, sched.fibers[at].tsan);
	return true;
}

static void check_end(void)
{
	for (unsigned i = 0; i <= world.readers; i++)
		if (!sched.fibers[i].done)
			wrong("somebody waits for ever");
	if (world.wrong)
		return;
	if (world.snap->newest != world.writes + 1)
		wrong("a publication is lost");
	fl_snap_free(world.snap);
	for (unsigned i = 0; i <= world.writes; i++)
		if (world.objects[i].deaths != 1)
			wrong("an object is not freed exactly once");
}

/* Runs the world once from its beginning; fails the test with the schedule that was wrong. */
static void run_schedule(void)
{
	world.wrong = NULL;
	world.snap = NULL;
	memset(world.objects, 0, sizeof(world.objects));
	for (unsigned i = 0; i <= MAX_WRITES; i++)
		world.objects[i].epoch = i + 1;
	assert_int_equal(fl_snap_new(&world.snap, &ops, &world.objects[0]), 0);
	for (unsigned i = 0; i < MAX_FIBERS; i++) {
		sched.fibers[i].done = false;
		sched.fibers[i].waits_for = NULL;
	}
	sched.steps = 0;
	sched.last = -1;
	sched.interruptions = 0;
	while (!world.wrong && sched.steps < MAX_STEPS && run_one())
		;
	check_end();
	if (!world.wrong)
		return;
	for (unsigned i = 0; i < sched.steps; i++)
		print_error("%u", sched.taken[i]);
	fail_msg("\n%s", world.wrong);
}

/* The next schedule in order: the last choice that had another one left takes it. */
static bool next_schedule(void)
{
	unsigned at = sched.steps;

	while (at > 0 && sched.taken[at - 1] + 1u >= sched.open[at - 1])
		at--;
	if (at == 0)
		return false;
	sched.taken[at - 1]++;
	sched.prefix = at;
	return true;
}

static void every_schedule(unsigned readers, unsigned writes, unsigned interruptions)
{
	unsigned long count = 0;

	world.readers = readers;
	world.writes = writes;
	world.reads = 2;
	world.parks = false;
	sched.random = 0;
	sched.prefix = 0;
	sched.most_interruptions = interruptions;
	do {
		run_schedule();
		count++;
	} while (next_schedule());
	print_message("%u readers, %u writes, %u interruptions: %lu schedules\n", readers,
		writes, interruptions, count);
	assert_true(count > 1000);
}

static void test_every_schedule_of_one_reader(void **state)
{
	(void)state;
	every_schedule(1, 2, 4);
	every_schedule(1, 4, 3);
}

static void test_every_schedule_of_two_readers(void **state)
{
	(void)state;
	every_schedule(2, 2, 3);
}

static void test_random_schedules(void **state)
{
	(void)state;
	sched.most_interruptions = MAX_STEPS;
	for (unsigned seed = 1; seed <= 20000; seed++) {
		world.readers = 1 + seed % 3;
		world.writes = 2 + seed % 5;
		world.reads = 2 + seed % 4;
		world.parks = seed % 2;
		sched.random = seed * 0x9e3779b97f4a7c15ULL;
		run_schedule();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_schedule_of_one_reader),
		cmocka_unit_test(test_every_schedule_of_two_readers),
		cmocka_unit_test(test_random_schedules),
	};

	return cmocka_run_group_tests(tests, make_fibers, drop_fibers);
}
