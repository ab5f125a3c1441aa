// rooms: plan
// link: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free
/* How requests are gathered before they are counted does not show: a long stream that is reported
 * on after each request, or now and then, gives what it gives when it is reported on once. And
 * counting takes no more memory than the header says; the linker puts the counters below before
 * the allocator. */
#include "plan/keytable.h"
#include "plan/traffic.h"

#include "hash/mix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MIB ((size_t)1 << 20)

/* ---- bytes in hand ---- */

#define BLOCKS 2048

static struct block {
	void *at;
	size_t size;
} blocks[BLOCKS];
static size_t block_count;
static size_t in_hand, most; /* bytes asked for */
static bool counting;        /* what was there before does not count */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *p);

static void *took(void *p, size_t size)
{
	if (!p || !counting)
		return p;
	assert_true(block_count < BLOCKS);
	blocks[block_count++] = (struct block){p, size};
	in_hand += size;
	most = in_hand > most ? in_hand : most;
	return p;
}

static void gave(const void *p)
{
	for (size_t i = 0; i < block_count; i++)
		if (blocks[i].at == p) {
			in_hand -= blocks[i].size;
			blocks[i] = blocks[--block_count];
			return;
		}
}

void *__wrap_malloc(size_t size)
{
	return took(__real_malloc(size), size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return took(__real_calloc(count, size), count * size);
}

/* Old and new are there at once. */
void *__wrap_realloc(void *old, size_t size)
{
	void *p;
	size_t n = 0;

	if (!counting)
		return __real_realloc(old, size);
	p = __wrap_malloc(size);
	assert_non_null(p);
	for (size_t i = 0; i < block_count; i++)
		if (blocks[i].at == old)
			n = blocks[i].size;
	assert_true(n > 0 || !old);
	if (n)
		memcpy(p, old, n < size ? n : size);
	__wrap_free(old);
	return p;
}

void __wrap_free(void *p)
{
	if (p)
		gave(p);
	__real_free(p);
}

static void count_bytes(void)
{
	block_count = 0;
	in_hand = most = 0;
	counting = true;
}

/* ---- a stream ---- */

#define KEY_MOST 70000

static fl_placement *place(const char *spec, unsigned first, unsigned count)
{
	static char names[64][16];
	struct fl_node nodes[64];
	fl_placement *p = NULL;

	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "node%02u", first + i);
		nodes[i] = (struct fl_node){names[i], (int32_t)(1 + i % 3), FL_NONE, NULL};
	}
	assert_int_equal(fl_placement_new(&p, spec, nodes, count, NULL), FL_OK);
	return p;
}

/* Request j: some keys come often, most once; a few are long or empty, a few weigh nothing. */
static struct fl_slice request(uint64_t j, uint64_t *weight)
{
	static char key[KEY_MOST];
	uint64_t x = fl_mix64(j * FL_WEYL + 5), k = x % (1 + (x >> 20) % 200000);
	size_t n = (size_t)snprintf(key, 32, "client-%llu", (unsigned long long)k);

	*weight = x >> 60 ? 1 + (x >> 40) % 1000 : 0;
	if (k % 997 == 1)
		n = 0;
	else if (k % 9973 == 2)
		n = KEY_MOST - k % 100;
	else if (k % 97 == 3)
		n = 300;
	if (n >= 300)
		memset(key + 32, 'x', n - 32);
	return (struct fl_slice){key, n};
}

struct sides {
	const char *before, *after; /* specs */
	size_t memory;
};

static const struct sides sides[] = {
	{"table", "table", 1 * MIB},
	{"ring", "maglev", 2 * MIB},
	{"compat:ketama", "table", 64 * MIB},
};

static struct fl_traffic *begin(
	const fl_placement *before, const fl_placement *after, size_t memory)
{
	struct fl_traffic_options options = {.before = {.placement = {before}},
		.after = {.placement = {after}},
		.memory = memory,
		.hot = 100};
	struct fl_traffic *t = NULL;

	assert_int_equal(fl_traffic_new(&t, &options), FL_OK);
	return t;
}

static void feed(struct fl_traffic *t, uint64_t from, uint64_t to)
{
	for (uint64_t j = from; j < to; j++) {
		uint64_t weight;
		struct fl_slice key = request(j, &weight);
		assert_int_equal(fl_traffic_add(t, key, weight), FL_OK);
	}
}

/* ---- the same report ---- */

static void check_figure(const struct fl_traffic_figure *a, const struct fl_traffic_figure *b)
{
	assert_true(a->value == b->value && a->low == b->low && a->high == b->high);
	assert_int_equal(a->exact, b->exact);
}

static void check_lists(const struct fl_traffic_report *a, const struct fl_traffic_report *b)
{
	assert_int_equal(a->node_count, b->node_count);
	for (size_t i = 0; i < a->node_count; i++) {
		const struct fl_traffic_node *x = &a->nodes[i], *y = &b->nodes[i];
		assert_string_equal(x->name, y->name);
		assert_int_equal(x->before, y->before);
		assert_int_equal(x->after, y->after);
		assert_int_equal(x->keys_before, y->keys_before);
		assert_int_equal(x->keys_after, y->keys_after);
	}
	assert_int_equal(a->flow_count, b->flow_count);
	for (size_t i = 0; i < a->flow_count; i++) {
		assert_int_equal(a->flows[i].from, b->flows[i].from);
		assert_int_equal(a->flows[i].to, b->flows[i].to);
		assert_int_equal(a->flows[i].weight, b->flows[i].weight);
	}
	assert_int_equal(a->hot_count, b->hot_count);
	for (size_t i = 0; i < a->hot_count; i++) {
		const struct fl_traffic_hot *x = &a->hot[i], *y = &b->hot[i];
		assert_true(fl_slice_eq(x->key, y->key));
		assert_int_equal(x->len, y->len);
		assert_int_equal(x->weight, y->weight);
		assert_int_equal(x->error, y->error);
		assert_int_equal(x->from, y->from);
		assert_int_equal(x->to, y->to);
	}
	assert_int_equal(a->hot_rest, b->hot_rest);
}

static void check_same(struct fl_traffic *one, struct fl_traffic *other)
{
	const struct fl_traffic_report *a, *b;

	assert_int_equal(fl_traffic_report(one, &a), FL_OK);
	assert_int_equal(fl_traffic_report(other, &b), FL_OK);
	assert_true(a->flow_count > 0 && a->hot_count == 100);
	assert_int_equal(a->requests, b->requests);
	assert_int_equal(a->moved_requests, b->moved_requests);
	assert_int_equal(a->weight, b->weight);
	assert_int_equal(a->moved_weight, b->moved_weight);
	assert_int_equal(a->least_weight, b->least_weight);
	assert_int_equal(a->nobody_before, b->nobody_before);
	assert_int_equal(a->nobody_after, b->nobody_after);
	check_figure(&a->keys, &b->keys);
	check_figure(&a->moved_keys, &b->moved_keys);
	assert_int_equal(a->sampled, b->sampled);
	assert_int_equal(a->sample_rate, b->sample_rate);
	check_lists(a, b);
}

/* A report ends what was gathered: at first behind each request, then wherever it falls. */
static void test_pieces(void **state)
{
	enum {
		SINGLE = 1000,
		ALL = 150000
	};
	(void)state;
	for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
		fl_placement *before = place(sides[i].before, 0, 20),
			     *after = place(sides[i].after, 1, 20);
		struct fl_traffic *whole = begin(before, after, sides[i].memory),
				  *pieces = begin(before, after, sides[i].memory);
		const struct fl_traffic_report *r = NULL;
		uint64_t step = 1;

		feed(whole, 0, ALL);
		for (uint64_t j = 0; j < ALL; j += step) {
			step = j < SINGLE ? 1 : 1 + fl_mix64(j) % 3000;
			step = step < ALL - j ? step : ALL - j;
			feed(pieces, j, j + step);
			assert_int_equal(fl_traffic_report(pieces, &r), FL_OK);
		}
		assert_int_equal(r->requests, ALL);
		assert_int_equal(r->sample_rate > 1, sides[i].memory < 64 * MIB);
		check_same(whole, pieces);
		fl_traffic_free(whole);
		fl_traffic_free(pieces);
		fl_placement_unref(before);
		fl_placement_unref(after);
	}
}

/* ---- memory ---- */

/* The table alone, to the byte, at sizes where it may grow and where it may not. */
static void test_table_memory(void **state)
{
	static const size_t sizes[] = {MIB, MIB + MIB / 3, 2 * MIB, 3 * MIB + 1};
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct fl_keytable *t;
		count_bytes();
		assert_int_equal(fl_keytable_new(&t, sizes[i]), FL_OK);
		for (uint64_t k = 0; k < 250000; k++)
			assert_int_equal(fl_keytable_add(t, fl_mix64(k), 1, 0, 0), FL_OK);
		assert_true(fl_keytable_rate(t) > 1);
		assert_true(most > sizes[i] / 3);
		if (most > sizes[i])
			fail_msg("%zu bytes, not at most %zu", most, sizes[i]);
		fl_keytable_free(t);
		assert_int_equal(in_hand, 0);
		counting = false;
	}
}

static void test_memory(void **state)
{
	static const char longest[128 << 10];
	fl_placement *before = place("ring", 0, 20), *after = place("table", 1, 20);
	const struct fl_traffic_report *r = NULL;
	(void)state;
	for (size_t memory = MIB; memory <= 4 * MIB; memory *= 2) {
		count_bytes();
		struct fl_traffic *t = begin(before, after, memory);
		feed(t, 0, 150000);
		for (size_t n = sizeof(longest) - 100; n <= sizeof(longest); n++)
			assert_int_equal(
				fl_traffic_add(t, (struct fl_slice){longest, n}, 1), FL_OK);
		assert_int_equal(fl_traffic_report(t, &r), FL_OK);
		/* As the header says, of 20 slots a side and 100 keys followed. */
		size_t bound = memory + MIB + (size_t)100 * 640 + r->flow_count * 192 + 40 * 48;
		if (most > bound)
			fail_msg("%zu bytes, not at most %zu", most, bound);
		fl_traffic_free(t);
		assert_int_equal(in_hand, 0);
		counting = false;
	}
	fl_placement_unref(before);
	fl_placement_unref(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_table_memory),
		cmocka_unit_test(test_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
