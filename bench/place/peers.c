/* What else people use: libmemcached's ketama and weighted ketama, the ring of the textbooks
 * (sorted points, binary search) in C and in Python, and a bare load as the floor. */
#include "place.h"

#include "hash/mix.h"
#include "hash/xxh3.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef HAVE_LIBMEMCACHED
#include <libmemcached/memcached.h>
#endif

#define POINTS 160

/* ---- the floor: one load from a table of 2-byte rows, nothing else ---- */

struct floor {
	unsigned shift;
	uint16_t *rows;
};

/* Not inlined, as no call into a library is. */
static __attribute__((noinline)) uint32_t floor_lookup(const struct floor *f, uint64_t hash)
{
	return f->rows[hash >> f->shift];
}

static uint64_t floor_throughput(void *state, size_t loops)
{
	const uint64_t *hashes = some_hashes();
	uint64_t sum = 0;
	for (size_t i = 0; i < loops; i++)
		sum += floor_lookup(state, hashes[i % KEYS]);
	return sum;
}

static uint64_t floor_latency(void *state, size_t loops)
{
	uint64_t key = 1;
	for (size_t i = 0; i < loops; i++)
		key = spread(key + floor_lookup(state, key) + i);
	return key;
}

static void floor_free(void *state)
{
	struct floor *f = state;
	free(f->rows);
	free(f);
}

static struct subject *floor_new(const char *name, uint32_t nodes, unsigned bits)
{
	struct subject *s = subject_new(name, nodes, true);
	struct floor *f = malloc(sizeof(*f));
	if (!f || !(f->rows = malloc(sizeof(uint16_t) << bits)))
		abort();
	f->shift = 64 - bits;
	for (size_t i = 0; i < (size_t)1 << bits; i++)
		f->rows[i] = (uint16_t)(spread(i * WEYL) % nodes);
	s->state = f;
	s->free = floor_free;
	s->value[MEMORY] = (double)(sizeof(uint16_t) << bits);
	s->run[THROUGHPUT] = floor_throughput;
	s->run[LATENCY] = floor_latency;
	return s;
}

/* ---- the textbook's ring ---- */

struct point {
	uint64_t at;
	uint32_t node;
};

struct ring {
	size_t count;
	struct point *points;
};

static int by_position(const void *a, const void *b)
{
	const struct point *x = a, *y = b;
	return (x->at > y->at) - (x->at < y->at);
}

static struct ring *ring_build(uint32_t nodes)
{
	struct ring *r = malloc(sizeof(*r));
	if (!r || !(r->points = malloc((size_t)nodes * POINTS * sizeof(*r->points))))
		abort();
	r->count = 0;
	for (uint32_t n = 0; n < nodes; n++) {
		char name[40];
		node_name(name, 24, n);
		size_t len = strlen(name);
		for (int i = 0; i < POINTS; i++) {
			int more = snprintf(name + len, sizeof(name) - len, "-%d", i);
			r->points[r->count++] =
				(struct point){fl_xxh3(name, len + (size_t)more, 0), n};
		}
	}
	qsort(r->points, r->count, sizeof(*r->points), by_position);
	return r;
}

static void ring_free(void *state)
{
	struct ring *r = state;
	free(r->points);
	free(r);
}

static __attribute__((noinline)) uint32_t ring_lookup(const struct ring *r, uint64_t hash)
{
	size_t low = 0, high = r->count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (r->points[mid].at < hash)
			low = mid + 1;
		else
			high = mid;
	}
	return r->points[low == r->count ? 0 : low].node;
}

static uint64_t ring_throughput(void *state, size_t loops)
{
	const uint64_t *hashes = some_hashes();
	uint64_t sum = 0;
	for (size_t i = 0; i < loops; i++)
		sum += ring_lookup(state, hashes[i % KEYS]);
	return sum;
}

static uint64_t ring_latency(void *state, size_t loops)
{
	uint64_t key = 1;
	for (size_t i = 0; i < loops; i++)
		key = spread(key + ring_lookup(state, key) + i);
	return key;
}

static uint64_t ring_bytes(void *state, size_t loops)
{
	const char(*keys)[16] = some_keys();
	uint64_t sum = 0;
	for (size_t i = 0; i < loops; i++)
		sum += ring_lookup(state, fl_xxh3(keys[i % KEYS], 16, 0));
	return sum;
}

static double ring_peak(const struct ring *r, uint32_t nodes)
{
	double *shares = calloc(nodes, sizeof(*shares)), most = 0;
	uint64_t last = r->points[r->count - 1].at;
	if (!shares)
		abort();
	for (size_t i = 0; i < r->count; i++) {
		shares[r->points[i].node] += ldexp((double)(r->points[i].at - last), -64);
		last = r->points[i].at;
	}
	for (uint32_t n = 0; n < nodes; n++)
		most = shares[n] > most ? shares[n] : most;
	free(shares);
	return most * nodes;
}

static struct subject *ring_new(uint32_t nodes)
{
	struct subject *s = subject_new("textbook ring, binary search", nodes, true);
	double start = now_ns();
	struct ring *r = ring_build(nodes);
	s->value[BUILD] = (now_ns() - start) / 1e6;
	s->value[CHANGE] = s->value[BUILD]; /* it is built again */
	s->value[MEMORY] = (double)(r->count * sizeof(struct point));
	s->value[PEAK] = ring_peak(r, nodes);
	s->value[EXCESS] = 0;
	s->state = r;
	s->free = ring_free;
	s->run[THROUGHPUT] = ring_throughput;
	s->run[LATENCY] = ring_latency;
	s->run[BYTES16] = ring_bytes;
	return s;
}

/* ---- the textbook's ring in Python ---- */

static struct subject *python_new(uint32_t nodes, const struct settings *set)
{
	char command[600], folder[400] = FL_BENCH_DIR;
	char line[100] = "", *end;
	snprintf(command, sizeof(command), "/usr/bin/python3 %s/place/ring.py %u %d %u", folder,
		nodes, POINTS, set->quick ? 50 : 200);
	FILE *f = popen(command, "r");
	if (!f)
		return NULL;
	bool got = fgets(line, sizeof(line), f) != NULL;
	if (pclose(f) != 0 || !got)
		return NULL;
	struct subject *s = subject_new("textbook ring in Python", nodes, true);
	s->value[BYTES16] = strtod(line, &end);
	s->value[BUILD] = strtod(end, NULL);
	return s;
}

/* ---- libmemcached ---- */

#ifdef HAVE_LIBMEMCACHED
static uint64_t ketama_bytes(void *state, size_t loops)
{
	const char(*keys)[16] = some_keys();
	uint64_t sum = 0;
	for (size_t i = 0; i < loops; i++)
		sum += memcached_generate_hash(state, keys[i % KEYS], 16);
	return sum;
}

static void ketama_free(void *state)
{
	memcached_free(state);
}

static memcached_st *ketama_make(uint32_t nodes, bool weighted)
{
	memcached_st *m = memcached_create(NULL);
	memcached_server_list_st list = NULL;
	memcached_return_t rc = MEMCACHED_SUCCESS;
	if (weighted)
		memcached_behavior_set(m, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
	else
		memcached_behavior_set(m, MEMCACHED_BEHAVIOR_DISTRIBUTION,
			MEMCACHED_DISTRIBUTION_CONSISTENT_KETAMA);
	for (uint32_t i = 0; i < nodes; i++) {
		char name[24];
		node_name(name, sizeof(name), i);
		*strchr(name, ':') = 0;
		list = memcached_server_list_append_with_weight(
			list, name, 11211, weighted ? 1 + i % 4 : 1, &rc);
	}
	if (memcached_server_push(m, list) != MEMCACHED_SUCCESS)
		rc = MEMCACHED_FAILURE;
	memcached_server_list_free(list);
	if (rc != MEMCACHED_SUCCESS) {
		memcached_free(m);
		return NULL;
	}
	return m;
}

static struct subject *ketama_new(uint32_t nodes, bool weighted)
{
	struct subject *s = subject_new(
		weighted ? "libmemcached ketama weighted" : "libmemcached ketama", nodes, true);
	double start = now_ns();
	memcached_st *m = ketama_make(nodes, weighted);
	s->value[BUILD] = (now_ns() - start) / 1e6;
	if (!m) {
		subject_free(s);
		return NULL;
	}
	s->state = m;
	s->free = ketama_free;
	s->run[BYTES16] = ketama_bytes;
	return s;
}

static _Noreturn void ketama_child(uint32_t servers)
{
	const struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	if (!freopen("/dev/null", "w", stderr))
		_exit(3);
	memcached_st *m = ketama_make(servers, false);
	_exit(!m ? 1 : ketama_bytes(m, 1000) == 0 ? 2 : 0);
}

void ketama_at(uint32_t servers, char *out, size_t size)
{
	int status = 0;
	fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		ketama_child(servers);
	if (child < 0 || waitpid(child, &status, 0) != child)
		snprintf(out, size, "libmemcached at %u servers: not tested", servers);
	else if (WIFSIGNALED(status))
		snprintf(out, size,
			"libmemcached ketama at %u servers: ends the process by signal %d (%s)",
			servers, WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0)
		snprintf(out, size, "libmemcached ketama at %u servers: fails", servers);
	else
		snprintf(out, size, "libmemcached ketama at %u servers: works", servers);
}
#else
void ketama_at(uint32_t servers, char *out, size_t size)
{
	snprintf(out, size,
		"libmemcached at %u servers: the library was not there when this "
		"program was built",
		servers);
}
#endif

size_t add_peers(struct subject **list, size_t count, size_t max, uint32_t nodes,
	const struct settings *set)
{
	struct subject *made[6] = {NULL};
	size_t n = 0;
	if (set->only)
		return count;
	made[n++] = floor_new("one load of 2^16 rows", nodes, 16);
	made[n++] = floor_new("one load of 2^20 rows", nodes, 20);
	if (nodes <= 100000)
		made[n++] = ring_new(nodes);
	if (nodes <= 1000)
		made[n++] = python_new(nodes, set);
#ifdef HAVE_LIBMEMCACHED
	if (nodes <= 100) {
		made[n++] = ketama_new(nodes, false);
		made[n++] = ketama_new(nodes, true);
	}
#endif
	for (size_t i = 0; i < n; i++) {
		if (made[i] && count < max)
			list[count++] = made[i];
		else if (made[i])
			subject_free(made[i]);
	}
	return count;
}
