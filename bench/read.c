// rooms: lib
/* What does it cost to get at the current placement? Compared are
 *   bare      one relaxed load of a pointer: the floor, and nobody could free anything
 *   reader    fl_reader_get
 *   refcount  an atomic add and an atomic subtract on the placement's counter: what sharing
 *             costs at least when each read counts (it is not even safe without more)
 *   rwlock    pthread_rwlock_rdlock, the load, unlock
 * each with one and with two readers, and with nobody writing or a writer that publishes every
 * 100 microseconds. Rounds are interleaved, medians are shown: nanoseconds a read.
 *
 *   read --churn MS   how lookups scale: lookups a second of all readers and publications a
 *                     second, for MS milliseconds a row, while a writer publishes as fast as it
 *                     can: through readers, under a rwlock, and with nobody publishing */
#include "fairlead/fairlead.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define READS       2000000
#define ROUNDS      7
#define MAX_READERS 2
#define WRITE_NS    100000

enum way {
	BARE,
	READER,
	REFCOUNT,
	RWLOCK,
	WAYS
};

static const char *const way_names[WAYS] = {"bare", "reader", "refcount", "rwlock"};

/* Padding is the point: what one thread writes shares no line with what others read. */
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
static struct {
	fl_handle *handle;
	fl_placement *placements[2];
	_Alignas(64) _Atomic(fl_placement *) bare;
	_Alignas(64) _Atomic long count;
	_Alignas(64) pthread_rwlock_t lock;
	_Alignas(64) _Atomic bool stop;
	pthread_barrier_t barrier;
	enum way way;
} shared;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The compiler must take `p` to be used. */
static inline void use(const fl_placement *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

static void read_bare(void)
{
	for (int i = 0; i < READS; i++)
		use(atomic_load_explicit(&shared.bare, memory_order_relaxed));
}

static void read_refcount(void)
{
	for (int i = 0; i < READS; i++) {
		atomic_fetch_add_explicit(&shared.count, 1, memory_order_relaxed);
		use(atomic_load_explicit(&shared.bare, memory_order_relaxed));
		atomic_fetch_sub_explicit(&shared.count, 1, memory_order_release);
	}
}

static void read_rwlock(void)
{
	for (int i = 0; i < READS; i++) {
		pthread_rwlock_rdlock(&shared.lock);
		use(atomic_load_explicit(&shared.bare, memory_order_relaxed));
		pthread_rwlock_unlock(&shared.lock);
	}
}

static void read_reader(fl_reader *reader)
{
	for (int i = 0; i < READS; i++)
		use(fl_reader_get(reader));
}

/* Nanoseconds a read, into *arg. */
static void *read_all(void *arg)
{
	fl_reader *reader = NULL;
	uint64_t began;

	if (fl_reader_new(&reader, shared.handle) != FL_OK)
		abort();
	fl_reader_get(reader);
	pthread_barrier_wait(&shared.barrier);
	began = now_ns();
	if (shared.way == BARE)
		read_bare();
	else if (shared.way == READER)
		read_reader(reader);
	else if (shared.way == REFCOUNT)
		read_refcount();
	else
		read_rwlock();
	*(double *)arg = (double)(now_ns() - began) / READS;
	fl_reader_free(reader);
	return NULL;
}

static void *write_on(void *arg)
{
	const struct timespec pause = {0, WRITE_NS};

	for (unsigned i = 0; !atomic_load(&shared.stop); i++) {
		fl_placement *p = shared.placements[i % 2];

		fl_handle_publish(shared.handle, p);
		pthread_rwlock_wrlock(&shared.lock);
		atomic_store(&shared.bare, p);
		pthread_rwlock_unlock(&shared.lock);
		nanosleep(&pause, NULL);
	}
	return arg;
}

static double measure(enum way way, int readers, bool writer)
{
	pthread_t threads[MAX_READERS], writing;
	double ns[MAX_READERS], sum = 0;

	shared.way = way;
	atomic_store(&shared.stop, false);
	pthread_barrier_init(&shared.barrier, NULL, (unsigned)readers);
	if (writer && pthread_create(&writing, NULL, write_on, NULL))
		abort();
	for (int i = 0; i < readers; i++)
		if (pthread_create(&threads[i], NULL, read_all, &ns[i]))
			abort();
	for (int i = 0; i < readers; i++) {
		pthread_join(threads[i], NULL);
		sum += ns[i];
	}
	atomic_store(&shared.stop, true);
	if (writer)
		pthread_join(writing, NULL);
	pthread_barrier_destroy(&shared.barrier);
	return sum / readers;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void compare(int readers, bool writer)
{
	double ns[WAYS][ROUNDS];

	for (int round = 0; round < ROUNDS; round++)
		for (enum way way = BARE; way < WAYS; way++)
			ns[way][round] = measure(way, readers, writer);
	printf("%d reader%s, %s\n", readers, readers > 1 ? "s" : "",
		writer ? "a publication every 100 us" : "nobody writes");
	for (enum way way = BARE; way < WAYS; way++) {
		qsort(ns[way], ROUNDS, sizeof(double), by_value);
		printf("  %-9s %8.2f ns  [%.2f..%.2f]\n", way_names[way], ns[way][ROUNDS / 2],
			ns[way][0], ns[way][ROUNDS - 1]);
	}
}

/* ---- scaling under churn ---- */

enum churn {
	STILL,        /* a reader's get before each lookup, nobody publishes */
	CHURN_READER, /* the same, while a writer publishes as fast as it can */
	CHURN_RWLOCK, /* the placement is exchanged and looked up in under a lock */
	CHURNS
};

static const char *const churn_names[CHURNS] = {"still", "reader", "rwlock"};
static enum churn churn;

static uint64_t look_up(const fl_placement *p, uint64_t key)
{
	return fl_lookup_hash(p, key * 0x9e3779b97f4a7c15u);
}

/* Lookups made until told to stop, into *arg. */
static void *churn_read(void *arg)
{
	fl_reader *reader = NULL;
	uint64_t sum = 0, done = 0;

	if (fl_reader_new(&reader, shared.handle) != FL_OK)
		abort();
	pthread_barrier_wait(&shared.barrier);
	while (!atomic_load_explicit(&shared.stop, memory_order_relaxed)) {
		for (int i = 0; i < 64; i++, done++) {
			if (churn != CHURN_RWLOCK) {
				sum += look_up(fl_reader_get(reader), done);
				continue;
			}
			pthread_rwlock_rdlock(&shared.lock);
			sum += look_up(
				atomic_load_explicit(&shared.bare, memory_order_relaxed), done);
			pthread_rwlock_unlock(&shared.lock);
		}
	}
	__asm__ volatile("" ::"r"(sum));
	fl_reader_free(reader);
	*(double *)arg = (double)done;
	return NULL;
}

/* Publications made, into *arg. */
static void *churn_write(void *arg)
{
	unsigned long i = 0;

	for (; !atomic_load_explicit(&shared.stop, memory_order_relaxed); i++) {
		fl_placement *p = shared.placements[i % 2];

		if (churn == CHURN_READER) {
			fl_handle_publish(shared.handle, p);
			continue;
		}
		pthread_rwlock_wrlock(&shared.lock);
		atomic_store(&shared.bare, p);
		pthread_rwlock_unlock(&shared.lock);
	}
	*(double *)arg = (double)i;
	return NULL;
}

static void churn_row(enum churn way, int readers, int milliseconds)
{
	const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
	pthread_t threads[MAX_READERS], writing;
	double done[MAX_READERS], writes = 0, sum = 0;
	uint64_t began;

	churn = way;
	atomic_store(&shared.stop, false);
	pthread_barrier_init(&shared.barrier, NULL, (unsigned)readers + 1);
	for (int i = 0; i < readers; i++)
		if (pthread_create(&threads[i], NULL, churn_read, &done[i]))
			abort();
	pthread_barrier_wait(&shared.barrier);
	began = now_ns();
	if (way != STILL && pthread_create(&writing, NULL, churn_write, &writes))
		abort();
	nanosleep(&time, NULL);
	atomic_store(&shared.stop, true);
	for (int i = 0; i < readers; i++) {
		pthread_join(threads[i], NULL);
		sum += done[i];
	}
	if (way != STILL)
		pthread_join(writing, NULL);
	double seconds = (double)(now_ns() - began) / 1e9;
	printf("%s %d %.0f %.0f\n", churn_names[way], readers, sum / seconds, writes / seconds);
	pthread_barrier_destroy(&shared.barrier);
}

static void compare_all(int milliseconds)
{
	if (milliseconds > 0) {
		for (enum churn way = STILL; way < CHURNS; way++)
			for (int readers = 1; readers <= MAX_READERS; readers++)
				churn_row(way, readers, milliseconds);
		return;
	}
	for (int readers = 1; readers <= MAX_READERS; readers++)
		for (int writer = 0; writer <= 1; writer++)
			compare(readers, writer);
}

int main(int argc, char **argv)
{
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}, {"b", 1, FL_NONE, NULL}};
	bool scale = argc == 3 && strcmp(argv[1], "--churn") == 0;

	for (int i = 0; i < 2; i++)
		if (fl_placement_new(&shared.placements[i], scale ? "table" : "rendezvous",
			    nodes, 2, NULL) != FL_OK)
			return 1;
	if (fl_handle_new(&shared.handle, shared.placements[0]) != FL_OK)
		return 1;
	atomic_store(&shared.bare, shared.placements[0]);
	pthread_rwlock_init(&shared.lock, NULL);
	compare_all(scale ? (int)strtol(argv[2], NULL, 10) : 0);
	fl_handle_free(shared.handle);
	fl_placement_unref(shared.placements[0]);
	fl_placement_unref(shared.placements[1]);
	return 0;
}
