// rooms: snap
/* One writer churns, four readers read, park and lag behind. Each object carries its epoch, a
 * canary and a checksum, all spoilt when it is freed: a reader that holds a dead object, sees
 * the epochs go back, or finds the ends not to meet, fails. Bounded by iterations. */
#include "snap/snap.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#define READERS 4
#define WRITES  150000
#define WORDS   6
#define ALIVE   0x5a17bea7f00df00dULL

struct object {
	_Atomic int refs;
	uint64_t canary, epoch, words[WORDS], sum;
};

static _Atomic uint64_t made, freed, live_now, live_most;
static _Atomic bool broken;

static uint64_t object_sum(const struct object *o)
{
	uint64_t sum = o->epoch;

	for (int i = 0; i < WORDS; i++)
		sum = sum * 0x9e3779b97f4a7c15ULL + o->words[i];
	return sum;
}

static struct object *object_new(uint64_t epoch)
{
	struct object *o = malloc(sizeof(*o));
	uint64_t live = atomic_fetch_add(&live_now, 1) + 1;

	if (!o)
		abort();
	if (live > atomic_load(&live_most))
		atomic_store(&live_most, live); /* one writer makes them all */
	atomic_init(&o->refs, 1);
	o->canary = ALIVE;
	o->epoch = epoch;
	for (int i = 0; i < WORDS; i++)
		o->words[i] = epoch * (uint64_t)(i + 3);
	o->sum = object_sum(o);
	atomic_fetch_add(&made, 1);
	return o;
}

static void *object_ref(void *p)
{
	struct object *o = p;

	if (o->canary != ALIVE || atomic_fetch_add(&o->refs, 1) < 1)
		atomic_store(&broken, true);
	return o;
}

static void object_unref(void *p)
{
	struct object *o = p;

	if (atomic_fetch_sub(&o->refs, 1) != 1)
		return;
	if (o->canary != ALIVE)
		atomic_store(&broken, true);
	o->canary = 0;
	o->sum = ~o->sum;
	atomic_fetch_add(&freed, 1);
	atomic_fetch_sub(&live_now, 1);
	free(o);
}

static const struct fl_snap_ops ops = {object_ref, object_unref};

static void *churn(void *arg)
{
	struct fl_snap *snap = arg;

	for (uint64_t epoch = 2; epoch <= WRITES; epoch++) {
		struct object *o = object_new(epoch);

		fl_snap_publish(snap, o);
		object_unref(o);
		if (epoch % 64 == 0)
			sched_yield();
	}
	return NULL;
}

static bool object_good(const struct object *o)
{
	return o->canary == ALIVE && o->sum == object_sum(o) && o->refs >= 1;
}

/* Reader `n` parks every so often and rests with an object in hand at other times, each at a
 * pace of its own; it always comes at least as far as a publication it knows of. */
struct reader_arg {
	struct fl_snap *snap;
	unsigned n;
};

static void *read_on(void *p)
{
	struct reader_arg *arg = p;
	struct fl_snap_reader reader;
	uint64_t last = 0;

	fl_snap_reader_init(&reader, arg->snap);
	for (unsigned i = 0; last < WRITES && !atomic_load(&broken); i++) {
		const struct object *o = fl_snap_read(&reader);

		if (!object_good(o) || o->epoch < last ||
			fl_snap_reader_epoch(&reader) != o->epoch)
			atomic_store(&broken, true);
		last = o->epoch;
		if (i % (61 + arg->n) == 0)
			fl_snap_reader_park(&reader);
		if (i % (257 + arg->n) == 0)
			sched_yield();
	}
	fl_snap_reader_fini(&reader);
	return NULL;
}

static void test_churn(void **state)
{
	struct reader_arg args[READERS];
	struct object *first = object_new(1);
	struct fl_snap *snap = NULL;
	struct fl_snap_reader after;
	pthread_t writer, readers[READERS];

	(void)state;
	assert_int_equal(fl_snap_new(&snap, &ops, first), 0);
	object_unref(first);
	for (unsigned i = 0; i < READERS; i++) {
		args[i] = (struct reader_arg){snap, i};
		assert_int_equal(pthread_create(&readers[i], NULL, read_on, &args[i]), 0);
	}
	assert_int_equal(pthread_create(&writer, NULL, churn, snap), 0);
	assert_int_equal(pthread_join(writer, NULL), 0);
	for (unsigned i = 0; i < READERS; i++)
		assert_int_equal(pthread_join(readers[i], NULL), 0);
	assert_false(atomic_load(&broken));
	assert_int_equal(fl_snap_epoch(snap), WRITES);

	fl_snap_reader_init(&after, snap);
	assert_int_equal(((const struct object *)fl_snap_read(&after))->epoch, WRITES);
	fl_snap_reader_fini(&after);
	fl_snap_free(snap);
	assert_int_equal(made, WRITES);
	assert_int_equal(freed, WRITES);
	/* One a reader, one a reader that is between two, the current, its follower, and the
	 * one that the writer has not yet given back. */
	assert_true(live_most <= 2 * READERS + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_churn)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
