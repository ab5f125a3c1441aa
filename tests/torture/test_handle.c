// rooms: lib
/* The public handle under churn: readers look keys up while a writer adds and removes nodes.
 * Whatever placement a reader has in hand, the owner of a key must be a node of that very
 * placement, and stay so while the reader dawdles with it. Bounded by the writer's steps. */
#include "fairlead/fairlead.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define READERS 3
#define NODES   12
#define STEPS   1500
#define KEYS    64

static fl_handle *handle;
static _Atomic bool broken, finished;

static fl_placement *first_placement(void)
{
	struct fl_node nodes[NODES];
	char names[NODES][16];
	fl_placement *p = NULL;
	struct fl_error err;

	for (int i = 0; i < NODES; i++) {
		snprintf(names[i], sizeof(names[i]), "n%d", i);
		nodes[i] = (struct fl_node){names[i], 1, FL_NONE, NULL};
	}
	if (fl_placement_new(&p, "rendezvous", nodes, NODES, &err) != FL_OK)
		fail_msg("%s", err.text);
	return p;
}

/* Takes node `i` out if it is in `p`, else puts it in, so that there is churn for ever. */
static fl_placement *flip(fl_placement *p, int i)
{
	char name[16];
	struct fl_change change = {FL_ADD, {name, 1, FL_NONE, NULL}};
	fl_placement *next = NULL;

	snprintf(name, sizeof(name), "n%d", i);
	if (fl_placement_find(p, name) != FL_NONE)
		change.kind = FL_REMOVE;
	if (fl_placement_derive(&next, p, &change, 1, NULL) != FL_OK)
		abort();
	fl_placement_unref(p);
	return next;
}

static void *churn(void *arg)
{
	fl_placement *p = arg;
	unsigned random = 1;

	for (int i = 0; i < STEPS; i++) {
		random = random * 1103515245 + 12345;
		p = flip(p, (int)(random >> 16) % NODES);
		fl_handle_publish(handle, p);
		if (i % 16 == 0)
			sched_yield();
	}
	fl_placement_unref(p);
	atomic_store(&finished, true);
	return NULL;
}

static bool owner_belongs(const fl_placement *p, uint64_t key)
{
	uint32_t slot = fl_lookup(p, &key, sizeof(key));
	const struct fl_node *node;

	if (slot == FL_NONE)
		return fl_placement_count(p) == 0;
	node = fl_placement_node(p, slot);
	return node && fl_placement_find(p, node->name) == slot;
}

/* Reader 0 is slow: it goes through all keys, giving the processor away between them, with
 * one placement in hand, while the writer publishes many. The others get one for each key. */
static void *read_on(void *arg)
{
	bool slow = *(int *)arg == 0;
	fl_reader *reader = NULL;

	if (fl_reader_new(&reader, handle) != FL_OK)
		abort();
	while (!atomic_load(&finished) && !atomic_load(&broken)) {
		const fl_placement *p = fl_reader_get(reader);
		uint64_t digest = fl_placement_digest(p);

		for (uint64_t key = 0; key < KEYS; key++) {
			if (slow)
				sched_yield();
			else
				p = fl_reader_get(reader);
			if (!owner_belongs(p, key))
				atomic_store(&broken, true);
		}
		if (slow && fl_placement_digest(p) != digest)
			atomic_store(&broken, true);
		if (*(int *)arg == 1)
			fl_reader_park(reader);
	}
	fl_reader_free(reader);
	return NULL;
}

static void test_lookups_under_churn(void **state)
{
	fl_placement *first = first_placement();
	pthread_t writer, readers[READERS];
	int ids[READERS];

	(void)state;
	assert_int_equal(fl_handle_new(&handle, first), FL_OK);
	for (int i = 0; i < READERS; i++) {
		ids[i] = i;
		assert_int_equal(pthread_create(&readers[i], NULL, read_on, &ids[i]), 0);
	}
	assert_int_equal(pthread_create(&writer, NULL, churn, first), 0);
	assert_int_equal(pthread_join(writer, NULL), 0);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_join(readers[i], NULL), 0);
	assert_false(atomic_load(&broken));
	assert_int_equal(fl_handle_epoch(handle), STEPS + 1);
	fl_handle_free(handle);
}

static void test_first_get_is_the_current_one(void **state)
{
	fl_placement *a = first_placement(), *b = flip(fl_placement_ref(a), 3);
	fl_reader *reader = NULL, *other = NULL;
	fl_handle *h = NULL;

	(void)state;
	assert_int_equal(fl_handle_new(&h, a), FL_OK);
	assert_int_equal(fl_reader_new(&reader, h), FL_OK);
	fl_handle_publish(h, b);
	assert_ptr_equal(fl_reader_get(reader), b);
	assert_int_equal(fl_reader_new(&other, h), FL_OK);
	assert_ptr_equal(fl_reader_get(other), b);
	fl_reader_park(other);
	fl_handle_publish(h, a);
	assert_ptr_equal(fl_reader_get(reader), a);
	assert_ptr_equal(fl_reader_get(other), a);
	fl_reader_free(reader);
	fl_reader_free(other);
	fl_handle_free(h);
	fl_placement_unref(a);
	fl_placement_unref(b);
}

static void test_refuses(void **state)
{
	fl_handle *h = NULL;
	fl_reader *r = NULL;

	(void)state;
	assert_int_equal(fl_handle_new(&h, NULL), FL_EINVAL);
	assert_int_equal(fl_reader_new(&r, NULL), FL_EINVAL);
	assert_null(h);
	assert_null(r);
	fl_handle_free(NULL);
	fl_reader_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_first_get_is_the_current_one),
		cmocka_unit_test(test_lookups_under_churn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
