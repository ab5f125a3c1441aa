// rooms: lib
// link: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc,--wrap=free
/* Memory runs out at every single point where it can. The linker puts the counters below before
 * the allocator; each operation is run again and again, its first, second, third... allocation
 * failing (once alone, once with all that follow), until it needs no further one. Every failure
 * must be FL_ENOMEM, leave outputs untouched and give back all that was taken; what should not
 * allocate at all must not. */
#include "place/points.h"
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NODES 70
#define NEVER SIZE_MAX

static struct {
	size_t asked;   /* allocations so far */
	size_t fail_at; /* number of the one that fails */
	bool for_good;  /* and all after it */
	long live;      /* blocks taken and not given back */
} memory = {.fail_at = NEVER};

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
void __wrap_free(void *p);

/* The blocks in hand and their sizes. */
#define BLOCKS 4096
static struct block {
	void *at;
	size_t size;
} blocks[BLOCKS];

static size_t bytes_in_hand(void)
{
	size_t sum = 0;
	for (size_t i = 0; i < BLOCKS; i++)
		sum += blocks[i].at ? blocks[i].size : 0;
	return sum;
}

static struct block *block_at(const void *at)
{
	for (size_t i = 0; i < BLOCKS; i++) {
		if (blocks[i].at == at)
			return &blocks[i];
	}
	return NULL;
}

static bool refuse(void)
{
	size_t number = memory.asked++;
	return number == memory.fail_at || (memory.for_good && number > memory.fail_at);
}

static void *count(void *p, size_t size)
{
	struct block *b = p ? block_at(NULL) : NULL;
	memory.live += p != NULL;
	if (b)
		*b = (struct block){p, size};
	return p;
}

static void forget(const void *p)
{
	struct block *b = p ? block_at(p) : NULL;
	memory.live -= p != NULL;
	if (b)
		b->at = NULL;
}

void *__wrap_malloc(size_t size)
{
	return refuse() ? NULL : count(__real_malloc(size), size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refuse() ? NULL : count(__real_calloc(n, size), n * size);
}

void *__wrap_realloc(void *old, size_t size)
{
	if (refuse())
		return NULL;
	forget(old);
	return count(__real_realloc(old, size), size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return refuse() ? NULL : count(__real_aligned_alloc(align, size), size);
}

void __wrap_free(void *p)
{
	forget(p);
	__real_free(p);
}

/* ---- what is tried ---- */

/* What an operation works on. */
struct setting {
	const char *spec;
	struct fl_node nodes[NODES];
	fl_placement *p, *q;
};

/* Gives the operation's code and undoes what it did when that is FL_OK or a count; asserts that
 * outputs are untouched when it is not. */
typedef int operation(const struct setting *s);

static char untouched_byte;
#define UNTOUCHED ((void *)&untouched_byte)

static int try_new(const struct setting *s)
{
	fl_placement *out = UNTOUCHED;
	struct fl_error err = {0, ""};
	int rc = fl_placement_new(&out, s->spec, s->nodes, NODES, &err);
	if (rc == FL_OK) {
		fl_placement_unref(out);
		return rc;
	}
	assert_ptr_equal(out, UNTOUCHED);
	assert_int_equal(err.code, rc);
	assert_string_not_equal(err.text, "");
	return rc;
}

static int derive(const struct setting *s, const struct fl_change *changes, size_t n)
{
	fl_placement *out = UNTOUCHED;
	int rc = fl_placement_derive(&out, s->p, changes, n, NULL);
	if (rc == FL_OK)
		fl_placement_unref(out);
	else
		assert_ptr_equal(out, UNTOUCHED);
	return rc;
}

/* Of a node that is not there yet. */
static const char *new_name(const struct setting *s, int number)
{
	static char names[4][32];
	snprintf(names[number], sizeof(names[number]), "10.1.1.1:%d", number);
	test_fit_name(s->spec, names[number]);
	return names[number];
}

static int try_add(const struct setting *s)
{
	struct fl_change change = {FL_ADD, {new_name(s, 1), 1, FL_NONE, "zone"}};
	return derive(s, &change, 1);
}

static int try_remove(const struct setting *s)
{
	/* The last slot: what knows only the last one to go can do that, too. */
	struct fl_change change = {FL_REMOVE, {s->nodes[NODES - 1].name, 0, FL_NONE, NULL}};
	return derive(s, &change, 1);
}

static int try_several(const struct setting *s)
{
	struct fl_change changes[] = {
		{FL_REMOVE, {s->nodes[NODES - 1].name, 0, FL_NONE, NULL}},
		{FL_ADD, {new_name(s, 1), 1, FL_NONE, "zone"}},
		{FL_ADD, {new_name(s, 2), 1, FL_NONE, NULL}},
	};
	return derive(s, changes, 3);
}

static int owners(const struct setting *s, size_t k, const struct fl_mask *mask)
{
	uint32_t slots[NODES];
	struct fl_key key = fl_key_bytes("some key", 8);
	memset(slots, 0x5a, sizeof(slots));
	int rc = fl_owners(s->p, &key, mask, slots, k);
	for (size_t i = 0; rc < 0 && i < NODES; i++)
		assert_int_equal(slots[i], 0x5a5a5a5au);
	return rc;
}

static int try_all_owners(const struct setting *s)
{
	return owners(s, NODES, NULL);
}

static int try_owners_under_a_mask(const struct setting *s)
{
	uint64_t word = 6;
	struct fl_mask mask = {&word, 1};
	return owners(s, NODES, &mask);
}

static int try_two_owners_under_a_mask(const struct setting *s)
{
	uint64_t word = 6;
	struct fl_mask mask = {&word, 1};
	return owners(s, 2, &mask);
}

static int try_spread(const struct setting *s)
{
	struct fl_key key = fl_key_bytes("k", 1);
	uint32_t slots[3] = {77, 77, 77};
	int rc = fl_owners_spread(s->p, &key, NULL, slots, 3);
	assert_true(rc >= 0 || slots[0] == 77);
	return rc;
}

static int try_load(const struct setting *s)
{
	fl_load *l = UNTOUCHED;
	int rc = fl_load_new(&l, fl_placement_slots(s->p));
	if (rc == FL_OK)
		fl_load_free(l);
	else
		assert_ptr_equal(l, UNTOUCHED);
	return rc;
}

static int try_shares(const struct setting *s)
{
	double shares[NODES + 1] = {-1};
	int rc = fl_shares(s->p, 100, shares);
	assert_true(rc == FL_OK || shares[0] == -1);
	return rc;
}

static int try_movement(const struct setting *s)
{
	struct fl_movement *out = UNTOUCHED;
	int rc = fl_movement_new(&out, s->p, s->q, 500, NULL);
	if (rc == FL_OK)
		fl_movement_free(out);
	else
		assert_ptr_equal(out, UNTOUCHED);
	return rc;
}

static int try_saved(const struct setting *s)
{
	unsigned char state[8192];
	fl_placement *out = UNTOUCHED;
	struct fl_error err = {0, ""};
	size_t size = fl_placement_save(s->p, state, sizeof(state));
	assert_true(size <= sizeof(state));
	int rc = fl_placement_load(&out, s->spec, state, size, &err);
	if (rc == FL_OK) {
		fl_placement_unref(out);
		return rc;
	}
	assert_ptr_equal(out, UNTOUCHED);
	assert_int_equal(err.code, rc);
	return rc;
}

static int try_handle(const struct setting *s)
{
	fl_handle *handle = UNTOUCHED;
	fl_reader *reader = UNTOUCHED;
	int rc = fl_handle_new(&handle, s->p);
	if (rc != FL_OK) {
		assert_ptr_equal(handle, UNTOUCHED);
		return rc;
	}
	rc = fl_reader_new(&reader, handle);
	if (rc == FL_OK) {
		/* Publishing and reading need no memory: they cannot fail. */
		size_t before = memory.asked;
		fl_handle_publish(handle, s->q);
		assert_ptr_equal(fl_reader_get(reader), s->q);
		fl_reader_park(reader);
		fl_handle_publish(handle, s->p);
		assert_ptr_equal(fl_reader_get(reader), s->p);
		assert_int_equal(memory.asked, before);
		fl_reader_free(reader);
	} else {
		assert_ptr_equal(reader, UNTOUCHED);
	}
	fl_handle_free(handle);
	return rc;
}

/* ---- failing ---- */

static size_t failures;

/* Runs `op` with every allocation failing in turn. */
static void fail_each(const struct setting *s, operation *op, const char *what, bool for_good)
{
	for (size_t at = 0;; at++) {
		long live = memory.live;
		memory.asked = 0;
		memory.fail_at = at;
		memory.for_good = for_good;
		int rc = op(s);
		bool failed = memory.asked > at;
		memory.fail_at = NEVER;
		if (memory.live != live)
			fail_msg("%s, %s: allocation %zu fails: %ld blocks leak", s->spec, what,
				at, memory.live - live);
		if (!failed && rc >= 0)
			return;
		if (!failed || rc != FL_ENOMEM)
			fail_msg(
				"%s, %s: allocation %zu fails: code %d", s->spec, what, at, rc);
		failures++;
		assert_true(at < 10000);
	}
}

static const struct {
	const char *what;
	operation *op;
} operations[] = {
	{"new", try_new},
	{"add", try_add},
	{"remove", try_remove},
	{"several changes", try_several},
	{"two owners under a mask", try_two_owners_under_a_mask},
	{"all owners", try_all_owners},
	{"owners under a mask", try_owners_under_a_mask},
	{"spread over zones", try_spread},
	{"load", try_load},
	{"shares", try_shares},
	{"movement", try_movement},
	{"save and load", try_saved},
	{"handle", try_handle},
};

/* Mappings that a mask makes build anew. */
static bool rebuilds(uint32_t capabilities)
{
	return (capabilities & FL_EXACT_MASK) && !(capabilities & FL_MINIMAL_ANY);
}

/* Changes that an algorithm does not know (jump: a removal in the midst) cannot run out. And what
 * is built anew for each owner would fail for hours; two owners show all there is. */
static bool supported(const struct setting *s, operation *op)
{
	bool many = op == try_all_owners || op == try_owners_under_a_mask || op == try_spread;
	if (many && rebuilds(fl_placement_capabilities(s->p)))
		return false;
	memory.fail_at = NEVER;
	return op(s) != FL_ENOTSUP;
}

static void set_up(struct setting *s, const char *spec)
{
	static char names[NODES][32];
	fl_placement *empty = test_place(spec, NULL, 0);
	bool weights = fl_placement_capabilities(empty) & FL_WEIGHTS;
	fl_placement_unref(empty);
	s->spec = spec;
	struct fl_change change = {FL_ADD, {new_name(s, 3), 1, FL_NONE, NULL}};
	for (uint32_t i = 0; i < NODES; i++) {
		snprintf(names[i], sizeof(names[i]), "10.2.0.%u:%u", i % 256, i * 7919 % 1000);
		test_fit_name(spec, names[i]);
		s->nodes[i] = (struct fl_node){
			names[i], weights ? 1 + (int32_t)(i % 3) : 1, i, i % 2 ? "east" : NULL};
	}
	s->p = test_place(spec, s->nodes, NODES);
	assert_int_equal(fl_placement_derive(&s->q, s->p, &change, 1, NULL), FL_OK);
}

static void check_spec(const char *spec)
{
	struct setting s;
	long live = memory.live;
	set_up(&s, spec);
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (!supported(&s, operations[i].op))
			continue;
		fail_each(&s, operations[i].op, operations[i].what, false);
		fail_each(&s, operations[i].op, operations[i].what, true);
	}
	fl_placement_unref(s.p);
	fl_placement_unref(s.q);
	assert_int_equal(memory.live, live);
}

/* What costs least and takes the same memory blocks. */
static const char *cheap(const char *name)
{
	return strcmp(name, "bounded-table") == 0 ? "bounded-table,rows=256" : test_cheap(name);
}

static void test_every_allocation_may_fail(void **state)
{
	size_t algorithms = 0;
	(void)state;
	failures = 0;
	for (const struct fl_algorithm_info *a = fl_algorithm_next(NULL); a;
		a = fl_algorithm_next(a), algorithms++)
		check_spec(cheap(a->name));
	/* At least new, derive, owners, shares and handle, of four allocations or more. */
	assert_true(failures > 20 * algorithms);
}

/* Forms that defaults do not reach. */
static void test_other_forms(void **state)
{
	static const char *const specs[] = {"compat:java-rendezvous,hash=md5,charset=utf-16le",
		"ring,points=1", "table,rows=256", "compat:nginx-hash,key=addr",
		"compat:haproxy-consistent,hash-key=addr-port,key=source",
		"compat:haproxy-map,hash=none"};
	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
		check_spec(specs[i]);
}

/* The first node of a membership, and the last one to go. */
static void test_the_edge_of_nobody(void **state)
{
	struct setting s = {.spec = "table"};
	(void)state;
	s.p = test_place("table", NULL, 0);
	fail_each(&s, try_add, "first node", false);
	fl_placement_unref(s.p);
}

static void test_stuffed_points(void **state)
{
	struct fl_point list[200];
	(void)state;
	for (uint32_t i = 0; i < 200; i++)
		list[i] = (struct fl_point){i * 37 % 200, i};
	for (size_t at = 0;; at++) {
		struct fl_points out = {.bytes = 12345};
		long live = memory.live;
		memory.asked = 0;
		memory.fail_at = at;
		int rc = fl_points_sort(&out, list, 200);
		memory.fail_at = NEVER;
		if (rc == FL_OK) {
			fl_points_fini(&out);
			assert_int_equal(at, 5);
			return;
		}
		assert_int_equal(rc, FL_ENOMEM);
		assert_int_equal(out.bytes, 12345);
		assert_int_equal(memory.live, live);
	}
}

/* ---- what must not allocate ---- */

static void pick_in_every_way(const struct setting *s)
{
	uint64_t word = 0x0f0f, hashes[9];
	struct fl_mask mask = {&word, 1};
	uint32_t slots[64];
	struct fl_key keys[9];
	for (uint64_t i = 0; i < 9; i++) {
		hashes[i] = fl_mix64(i);
		keys[i] = fl_key_bytes(&hashes[i], sizeof(hashes[i]));
		(void)fl_lookup(s->p, &hashes[i], sizeof(hashes[i]));
		(void)fl_lookup_hash(s->p, hashes[i]);
		(void)fl_pick(s->p, &keys[i], &mask, slots);
		(void)fl_owners(s->p, &keys[i], &mask, slots, 64);
		(void)fl_owners(s->p, &keys[i], NULL, slots, 3);
	}
	(void)fl_pick_batch(s->p, hashes, 9, &mask, slots);
	(void)fl_owners_near(s->p, &keys[1], &mask, "east", slots, 64);
	(void)fl_lookup_batch(s->p, keys, 9, NULL, slots);
	(void)fl_placement_find(s->p, "n7");
	fl_placement_unref(fl_placement_ref(s->p));
}

/* All at one key's owners, with no slack: each looks further than the one before. */
static void acquire_and_release(fl_load *l, const fl_placement *p)
{
	struct fl_key key = fl_key_bytes("hot", 3);
	uint32_t slots[2 * NODES];
	for (int i = 0; i < 2 * NODES; i++)
		assert_int_equal(fl_load_acquire(l, p, &key, NULL, 0, &slots[i]), FL_OK);
	for (int i = 0; i < 2 * NODES; i++)
		assert_int_equal(fl_load_release(l, slots[i]), FL_OK);
}

static void test_picks_take_no_memory(void **state)
{
	(void)state;
	for (const struct fl_algorithm_info *a = fl_algorithm_next(NULL); a;
		a = fl_algorithm_next(a)) {
		struct setting s;
		fl_load *l;
		if (rebuilds(a->capabilities))
			continue;
		set_up(&s, a->name);
		assert_int_equal(fl_load_new(&l, fl_placement_slots(s.p)), FL_OK);
		memory.asked = 0;
		pick_in_every_way(&s);
		acquire_and_release(l, s.p);
		if (memory.asked > 0)
			fail_msg("%s: picking took memory", a->name);
		fl_load_free(l);
		fl_placement_unref(s.p);
		fl_placement_unref(s.q);
	}
}

/* Without a mask they take none either. */
static void test_plain_picks_take_no_memory(void **state)
{
	(void)state;
	for (const struct fl_algorithm_info *a = fl_algorithm_next(NULL); a;
		a = fl_algorithm_next(a)) {
		struct fl_key key = fl_key_bytes("some", 4);
		struct setting s;
		uint32_t slot;
		if (!rebuilds(a->capabilities))
			continue;
		set_up(&s, a->name);
		memory.asked = 0;
		assert_int_not_equal(fl_lookup(s.p, "some", 4), FL_NONE);
		assert_int_equal(fl_pick(s.p, &key, NULL, &slot), FL_OK);
		assert_int_equal(fl_lookup_batch(s.p, &key, 1, NULL, &slot), FL_OK);
		assert_int_equal(memory.asked, 0);
		fl_placement_unref(s.p);
		fl_placement_unref(s.q);
	}
}

/* What a placement says it holds is what it took. */
static void test_memory_is_told(void **state)
{
	(void)state;
	for (const struct fl_algorithm_info *a = fl_algorithm_next(NULL); a;
		a = fl_algorithm_next(a)) {
		struct setting s;
		size_t before = bytes_in_hand();
		set_up(&s, a->name);
		fl_placement_unref(s.q);
		size_t took = bytes_in_hand() - before, told = fl_placement_memory(s.p);
		if (took != told)
			fail_msg("%s: took %zu bytes, says %zu", a->name, took, told);
		fl_placement_unref(s.p);
		assert_int_equal(bytes_in_hand(), before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_allocation_may_fail),
		cmocka_unit_test(test_other_forms),
		cmocka_unit_test(test_the_edge_of_nobody),
		cmocka_unit_test(test_stuffed_points),
		cmocka_unit_test(test_picks_take_no_memory),
		cmocka_unit_test(test_plain_picks_take_no_memory),
		cmocka_unit_test(test_memory_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
