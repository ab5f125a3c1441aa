/* Counters: each thread counts in a block of its own, a reader adds the blocks up.
 *
 * Counting is a load and a store without a locked instruction: a block has one writer. Blocks are
 * whole cache lines, so no two threads write to one. A sum is not a moment's snapshot, but each
 * counter in it never runs backwards. The names are listed once, here. */
#ifndef FL_OBS_COUNTERS_H
#define FL_OBS_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* X(identifier, name, sentence) */
#define FL_COUNTERS(X)                                                                         \
	X(CONNECTIONS, "connections", "Client connections that were accepted.")                \
	X(REQUESTS, "requests", "Requests whose head was read.")                               \
	X(STATUS_1XX, "status_1xx", "Answers of class 1xx.")                                   \
	X(STATUS_2XX, "status_2xx", "Answers of class 2xx.")                                   \
	X(STATUS_3XX, "status_3xx", "Answers of class 3xx.")                                   \
	X(STATUS_4XX, "status_4xx", "Answers of class 4xx.")                                   \
	X(STATUS_5XX, "status_5xx", "Answers of class 5xx.")                                   \
	X(BAD_REQUESTS, "bad_requests", "Requests that were refused as malformed.")            \
	X(NO_ROUTE, "no_route", "Requests that no route matched.")                             \
	X(NO_KEY, "no_key", "Requests that gave no key.")                                      \
	X(NO_OWNER, "no_owner", "Requests whose key had no eligible owner.")                   \
	X(RETRIES, "retries", "Further attempts after the first.")                             \
	X(FAILED, "failed", "Requests that no attempt could serve.")                           \
	X(TRUNCATED, "truncated", "Answers that ended early.")                                 \
	X(UPSTREAM_CONNECTS, "upstream_connects", "Connections made to nodes.")                \
	X(UPSTREAM_REUSES, "upstream_reuses", "Attempts on a kept connection.")                \
	X(UPSTREAM_ERRORS, "upstream_errors", "Attempts that failed at a node.")               \
	X(BYTES_IN, "bytes_in", "Bytes received from clients.")                                \
	X(BYTES_OUT, "bytes_out", "Bytes sent to clients.")                                    \
	X(LOG_DROPPED, "log_dropped", "Access records that could not be written.")

enum fl_counter {
#define FL_COUNTER_ID(id, name, doc) FL_COUNTER_##id,
	FL_COUNTERS(FL_COUNTER_ID)
#undef FL_COUNTER_ID
	FL_COUNTER_COUNT,
};

/* One thread's block. */
struct fl_counters {
	_Alignas(64) _Atomic uint64_t cells[FL_COUNTER_COUNT];
};

/* Adds to a counter of the calling thread's own block. */
static inline void fl_count(struct fl_counters *block, enum fl_counter id, uint64_t n)
{
	uint64_t value = atomic_load_explicit(&block->cells[id], memory_order_relaxed);
	atomic_store_explicit(&block->cells[id], value + n, memory_order_relaxed);
}

/* `count` zeroed blocks, or NULL without memory; free with fl_counters_free (NULL is fine) once
 * nobody counts or reads any more. */
struct fl_counters *fl_counters_new(size_t count);
void fl_counters_free(struct fl_counters *blocks);

/* Of all blocks together; any thread. */
uint64_t fl_counters_sum(const struct fl_counters *blocks, size_t count, enum fl_counter id);
void fl_counters_sums(
	const struct fl_counters *blocks, size_t count, uint64_t sums[FL_COUNTER_COUNT]);

const char *fl_counter_name(enum fl_counter id);
const char *fl_counter_doc(enum fl_counter id);

#endif
