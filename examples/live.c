/* Threads that look keys up while the nodes change: each has a reader, one thread publishes.
 * Readers take no lock and write nothing that others read. */
#include <fairlead/fairlead.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define READERS 3
#define CHANGES 200

static fl_handle *handle;
static _Atomic bool stop;

static void *serve(void *arg)
{
	long *lookups = arg;
	fl_reader *reader;
	if (fl_reader_new(&reader, handle) != FL_OK)
		return NULL;
	while (!atomic_load(&stop)) {
		/* Valid until the next get: one placement for all of one request. */
		const fl_placement *p = fl_reader_get(reader);
		uint32_t slot = fl_lookup(p, lookups, sizeof(*lookups));
		if (slot != FL_NONE && fl_placement_node(p, slot))
			++*lookups;
	}
	fl_reader_free(reader);
	return NULL;
}

/* The writer's next placement: "extra" comes and goes. */
static fl_placement *changed(fl_placement *now, int i)
{
	struct fl_change change = {i % 2 ? FL_REMOVE : FL_ADD, {"extra", 1, FL_NONE, NULL}};
	fl_placement *after;
	if (fl_placement_derive(&after, now, &change, 1, NULL) != FL_OK)
		return now;
	fl_handle_publish(handle, after);
	fl_placement_unref(now); /* readers that still use it hold references of their own */
	return after;
}

int main(void)
{
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}, {"b", 1, FL_NONE, NULL}};
	pthread_t threads[READERS];
	long lookups[READERS] = {0};
	fl_placement *now;
	int started = 0;
	if (fl_placement_new(&now, "table,rows=4096", nodes, 2, NULL) != FL_OK ||
		fl_handle_new(&handle, now) != FL_OK)
		return 1;
	while (started < READERS &&
		pthread_create(&threads[started], NULL, serve, &lookups[started]) == 0)
		started++;
	for (int i = 0; i < CHANGES; i++)
		now = changed(now, i);
	atomic_store(&stop, true);
	for (int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	printf("%d publications\n", (int)fl_handle_epoch(handle));
	fl_handle_free(handle);
	fl_placement_unref(now);
	return started == READERS ? 0 : 1;
}
