/* The publisher and its readers, one thread at a time, save where two are needed to show that
 * a writer waits for a reader in the midst of switching and that other readers do not. */
#include "snap/snap.h"

#include "fairlead/fairlead.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

struct object {
	_Atomic int refs;
	_Atomic int *freed; /* how often this one was freed */
	void (*on_ref)(struct object *);
};

static void *object_ref(void *p)
{
	struct object *o = p;
	void (*hook)(struct object *) = o->on_ref;

	if (hook) {
		o->on_ref = NULL;
		hook(o);
	}
	atomic_fetch_add(&o->refs, 1);
	return o;
}

static void object_unref(void *p)
{
	struct object *o = p;

	if (atomic_fetch_sub(&o->refs, 1) != 1)
		return;
	atomic_fetch_add(o->freed, 1);
	free(o);
}

/* Nobody's yet: the first reference is the publisher's. */
static struct object *object_new(_Atomic int *freed)
{
	struct object *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	atomic_init(&o->refs, 0);
	o->freed = freed;
	return o;
}

static const struct fl_snap_ops ops = {object_ref, object_unref};

/* A publisher of a fresh object to which only the publisher holds a reference. */
static struct fl_snap *snap_new(struct object **first, _Atomic int *freed)
{
	struct fl_snap *snap = NULL;

	*first = object_new(freed);
	assert_int_equal(fl_snap_new(&snap, &ops, *first), FL_OK);
	return snap;
}

static struct object *publish(struct fl_snap *snap, _Atomic int *freed)
{
	struct object *o = object_new(freed);

	fl_snap_publish(snap, o);
	return o;
}

static void test_refuses_nothing_to_publish(void **state)
{
	struct fl_snap *snap = NULL;

	(void)state;
	assert_int_equal(fl_snap_new(&snap, &ops, NULL), FL_EINVAL);
	assert_int_equal(fl_snap_new(&snap, NULL, &snap), FL_EINVAL);
	assert_null(snap);
	fl_snap_free(NULL);
}

static void test_takes_one_reference(void **state)
{
	_Atomic int freed = 0;
	struct object *first = object_ref(object_new(&freed));
	struct fl_snap *snap = NULL;

	(void)state;
	assert_int_equal(fl_snap_new(&snap, &ops, first), FL_OK);
	assert_int_equal(first->refs, 2);
	fl_snap_publish(snap, first);
	assert_int_equal(first->refs, 2);
	assert_int_equal(fl_snap_epoch(snap), 2);
	fl_snap_free(snap);
	assert_int_equal(first->refs, 1);
	object_unref(first);
	assert_int_equal(freed, 1);
}

static void test_reads_the_newest(void **state)
{
	_Atomic int freed = 0;
	struct object *o;
	struct fl_snap *snap = snap_new(&o, &freed);
	struct fl_snap_reader reader;

	(void)state;
	fl_snap_reader_init(&reader, snap);
	assert_int_equal(fl_snap_reader_epoch(&reader), 0);
	for (unsigned i = 1; i <= 7; i++) {
		assert_ptr_equal(fl_snap_read(&reader), o);
		assert_ptr_equal(fl_snap_read(&reader), o);
		assert_int_equal(fl_snap_reader_epoch(&reader), i);
		assert_int_equal(fl_snap_epoch(snap), i);
		o = publish(snap, &freed);
	}
	fl_snap_reader_fini(&reader);
	fl_snap_reader_fini(&reader);
	fl_snap_free(snap);
	assert_int_equal(freed, 8);
}

static void test_memory_is_one_snapshot_a_reader(void **state)
{
	_Atomic int freed = 0;
	struct object *first, *second;
	struct fl_snap *snap = snap_new(&first, &freed);
	struct fl_snap_reader early, late;

	(void)state;
	fl_snap_reader_init(&early, snap);
	fl_snap_reader_init(&late, snap);
	assert_ptr_equal(fl_snap_read(&early), first);
	second = publish(snap, &freed);
	assert_ptr_equal(fl_snap_read(&late), second);
	for (int i = 0; i < 10; i++)
		publish(snap, &freed);
	assert_int_equal(freed, 9); /* 12 made; two readers and the publisher hold one each */
	assert_int_equal(first->refs, 1);
	assert_int_equal(second->refs, 1);
	fl_snap_read(&early);
	assert_int_equal(freed, 10);
	fl_snap_reader_fini(&late);
	assert_int_equal(freed, 11);
	fl_snap_reader_fini(&early);
	fl_snap_free(snap);
	assert_int_equal(freed, 12);
}

static void test_parked_reader_holds_nothing(void **state)
{
	_Atomic int freed = 0;
	struct object *o;
	struct fl_snap *snap = snap_new(&o, &freed);
	struct fl_snap_reader reader;

	(void)state;
	fl_snap_reader_init(&reader, snap);
	fl_snap_reader_park(&reader);
	assert_ptr_equal(fl_snap_read(&reader), o);
	assert_int_equal(o->refs, 2);
	fl_snap_reader_park(&reader);
	fl_snap_reader_park(&reader);
	assert_int_equal(o->refs, 1);
	assert_int_equal(fl_snap_reader_epoch(&reader), 0);
	o = publish(snap, &freed);
	assert_int_equal(freed, 1);
	assert_ptr_equal(fl_snap_read(&reader), o);
	fl_snap_reader_fini(&reader);
	fl_snap_free(snap);
	assert_int_equal(freed, 2);
}

static void test_current_gives_a_reference(void **state)
{
	_Atomic int freed = 0;
	struct object *o, *mine;
	struct fl_snap *snap = snap_new(&o, &freed);

	(void)state;
	mine = fl_snap_current(snap);
	assert_ptr_equal(mine, o);
	publish(snap, &freed);
	assert_int_equal(freed, 0);
	object_unref(mine);
	assert_int_equal(freed, 1);
	fl_snap_free(snap);
}

/* What the thread in the midst of switching (in `ref`) does and finds. */
static struct {
	struct fl_snap *snap;
	struct object *next;
	pthread_t writer;
	_Atomic int freed;
	int refs_while_inside;
	const void *seen_by_other;
} midst;

static void *write_next(void *arg)
{
	fl_snap_publish(midst.snap, midst.next);
	return arg;
}

static void in_the_midst(struct object *o)
{
	struct fl_snap_reader other;

	assert_int_equal(pthread_create(&midst.writer, NULL, write_next, NULL), 0);
	while (fl_snap_epoch(midst.snap) != 2)
		sched_yield();
	for (int i = 0; i < 1000; i++)
		sched_yield(); /* a writer that does not wait has gone on by now */
	fl_snap_reader_init(&other, midst.snap);
	midst.seen_by_other = fl_snap_read(&other);
	fl_snap_reader_fini(&other);
	midst.refs_while_inside = o->refs;
}

static void test_writer_waits_for_a_switch_and_readers_do_not(void **state)
{
	struct object *first;
	struct fl_snap_reader reader;

	(void)state;
	midst.snap = snap_new(&first, &midst.freed);
	midst.next = object_new(&midst.freed);
	first->on_ref = in_the_midst;
	fl_snap_reader_init(&reader, midst.snap);
	assert_ptr_equal(fl_snap_read(&reader), first);
	assert_int_equal(midst.refs_while_inside, 1);
	assert_ptr_equal(midst.seen_by_other, midst.next);
	assert_int_equal(pthread_join(midst.writer, NULL), 0);
	assert_int_equal(first->refs, 1);
	assert_ptr_equal(fl_snap_read(&reader), midst.next);
	assert_int_equal(midst.freed, 1);
	fl_snap_reader_fini(&reader);
	fl_snap_free(midst.snap);
	assert_int_equal(midst.freed, 2);
}

static void test_reader_is_a_line_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(_Alignof(struct fl_snap_reader), FL_SNAP_LINE);
	assert_int_equal(sizeof(struct fl_snap_reader), FL_SNAP_LINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refuses_nothing_to_publish),
		cmocka_unit_test(test_takes_one_reference),
		cmocka_unit_test(test_reads_the_newest),
		cmocka_unit_test(test_memory_is_one_snapshot_a_reader),
		cmocka_unit_test(test_parked_reader_holds_nothing),
		cmocka_unit_test(test_current_gives_a_reference),
		cmocka_unit_test(test_writer_waits_for_a_switch_and_readers_do_not),
		cmocka_unit_test(test_reader_is_a_line_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
