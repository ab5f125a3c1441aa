/* Keys under a secret: what hashes them, who agrees with whom, and that the secret itself is in
 * nothing that is shown or saved. */
#include "hash/siphash.h"
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NODES  9
#define KEYS   300
#define FIRST  "5ec7e75ec7e75ec7e75ec7e75ec7e75e"
#define SECOND "5ec7e75ec7e75ec7e75ec7e75ec7e75f"

static const unsigned char first[FL_SIPHASH_KEY] = {0x5e, 0xc7, 0xe7, 0x5e, 0xc7, 0xe7, 0x5e,
	0xc7, 0xe7, 0x5e, 0xc7, 0xe7, 0x5e, 0xc7, 0xe7, 0x5e};

static fl_placement *place(const char *name, const char *options)
{
	static char names[NODES][8];
	struct fl_node nodes[NODES];
	char spec[128];
	for (uint32_t i = 0; i < NODES; i++) {
		snprintf(names[i], sizeof(names[i]), "n%u", i);
		nodes[i] = (struct fl_node){names[i], 1, i, NULL};
	}
	snprintf(spec, sizeof(spec), "%s%s", name, options);
	return test_place(spec, nodes, NODES);
}

/* The name of the next native algorithm. */
static const char *next(const struct fl_algorithm_info **a)
{
	do
		*a = fl_algorithm_next(*a);
	while (*a && !((*a)->capabilities & FL_SECRET));
	return *a ? (*a)->name : NULL;
}

static size_t text_of(char text[32], unsigned i)
{
	return (size_t)snprintf(text, 32, "key-%u", i * 7919);
}

/* By bytes in any call is by the hash that SipHash gives. */
static void check_ways(const fl_placement *p, uint64_t seed)
{
	struct fl_key keys[KEYS];
	char texts[KEYS][32];
	uint32_t slots[KEYS], by_hash[3], by_bytes[3], slot;
	struct fl_siphash_key k = fl_siphash_key(first);
	k.k0 ^= seed;
	for (unsigned i = 0; i < KEYS; i++)
		keys[i] = fl_key_bytes(texts[i], text_of(texts[i], i));
	assert_int_equal(fl_lookup_batch(p, keys, KEYS, NULL, slots), FL_OK);
	for (unsigned i = 0; i < KEYS; i++) {
		uint64_t hash = fl_siphash(texts[i], keys[i].len, k);
		struct fl_key hashed = fl_key_hash(hash);
		assert_int_equal(fl_placement_hash(p, texts[i], keys[i].len), hash);
		assert_int_equal(fl_lookup_hash(p, hash), slots[i]);
		assert_int_equal(fl_lookup(p, texts[i], keys[i].len), slots[i]);
		assert_int_equal(fl_pick(p, &keys[i], NULL, &slot), FL_OK);
		assert_int_equal(slot, slots[i]);
		assert_int_equal(fl_owners(p, &keys[i], NULL, by_bytes, 3), 3);
		assert_int_equal(fl_owners(p, &hashed, NULL, by_hash, 3), 3);
		assert_memory_equal(by_bytes, by_hash, sizeof(by_hash));
	}
}

static void test_keys_are_hashed_by_siphash(void **state)
{
	const struct fl_algorithm_info *a = NULL;
	const char *name;
	size_t count = 0;
	(void)state;
	for (; (name = next(&a)); count++) {
		fl_placement *p = place(name, ",secret=" FIRST);
		fl_placement *q = place(name, ",seed=0xfedcba9876543210,secret=" FIRST);
		check_ways(p, 0);
		check_ways(q, 0xfedcba9876543210u);
		fl_placement_unref(p);
		fl_placement_unref(q);
	}
	assert_int_equal(count, 11);
}

static size_t differ(const fl_placement *p, const fl_placement *q)
{
	size_t n = 0;
	for (unsigned i = 0; i < KEYS; i++) {
		char text[32];
		size_t len = text_of(text, i);
		n += fl_lookup(p, text, len) != fl_lookup(q, text, len);
	}
	return n;
}

/* Other keys, other digest; the rest of the placement is as without a secret. */
static void check_apart(const fl_placement *p, const fl_placement *q)
{
	assert_true(differ(p, q) > KEYS / 2);
	assert_true(fl_placement_digest(p) != fl_placement_digest(q));
	for (uint64_t i = 0; i < KEYS; i++)
		assert_int_equal(
			fl_lookup_hash(p, fl_mix64(i)), fl_lookup_hash(q, fl_mix64(i)));
}

static void test_who_agrees(void **state)
{
	const struct fl_algorithm_info *a = NULL;
	const char *name;
	(void)state;
	while ((name = next(&a))) {
		fl_placement *none = place(name, ""), *one = place(name, ",secret=" FIRST);
		fl_placement *two = place(name, ",secret=" SECOND);
		fl_placement *same = place(name, ",secret=5EC7e75ec7e75ec7e75ec7e75ec7e75e");
		fl_placement *tier = place(name, ",seed=1,secret=" FIRST);
		check_apart(none, one);
		check_apart(one, two);
		check_apart(none, two);
		assert_true(differ(one, tier) > KEYS / 2);
		assert_int_equal(differ(one, same), 0);
		assert_int_equal(fl_placement_digest(one), fl_placement_digest(same));
		fl_placement_unref(none);
		fl_placement_unref(one);
		fl_placement_unref(two);
		fl_placement_unref(same);
		fl_placement_unref(tier);
	}
}

static void test_derived(void **state)
{
	const struct fl_algorithm_info *a = NULL;
	const char *name;
	(void)state;
	while ((name = next(&a))) {
		fl_placement *p = place(name, ",secret=" FIRST);
		fl_placement *less = test_change(p, FL_REMOVE, "n8", 0, FL_NONE);
		fl_placement *back = test_change(less, FL_ADD, "n8", 1, FL_NONE);
		check_ways(less, 0);
		assert_int_equal(differ(p, back), 0);
		assert_int_equal(fl_placement_digest(p), fl_placement_digest(back));
		fl_placement_unref(p);
		fl_placement_unref(less);
		fl_placement_unref(back);
	}
}

static struct fl_movement movement(const char *before, const char *after)
{
	fl_placement *p = place("table", before), *q = place("ring", after);
	struct fl_movement *m = NULL, copy;
	assert_int_equal(fl_movement_new(&m, p, q, 20000, NULL), FL_OK);
	copy = *m;
	fl_movement_free(m);
	fl_placement_unref(p);
	fl_placement_unref(q);
	return copy;
}

static void test_movement(void **state)
{
	fl_placement *p = place("table", ",secret=" FIRST), *q = place("table", "");
	double shares[NODES], others[NODES];
	struct fl_movement *m = NULL;
	(void)state;
	assert_true(movement(",secret=" FIRST, ",secret=" FIRST).exact);
	assert_false(movement(",secret=" FIRST, ",secret=" SECOND).exact);
	assert_false(movement(",secret=" FIRST, "").exact);
	assert_false(movement("", ",secret=" FIRST).exact);
	assert_false(movement("", ",secret=00000000000000000000000000000000").exact);
	assert_false(
		movement(",secret=" FIRST, ",secret=6ec7e75ec7e75ec7e75ec7e75ec7e75e").exact);
	assert_false(movement(",secret=" FIRST, ",seed=1,secret=" FIRST).exact);
	/* The shares stay; nearly all keys go. */
	assert_int_equal(fl_shares(p, 0, shares), FL_OK);
	assert_int_equal(fl_shares(q, 0, others), FL_OK);
	assert_memory_equal(shares, others, sizeof(shares));
	assert_int_equal(fl_movement_new(&m, p, q, 20000, NULL), FL_OK);
	assert_true(m->moved > 0.8 && m->interval > 0 && m->least < 0.05);
	fl_movement_free(m);
	fl_placement_unref(p);
	fl_placement_unref(q);
}

/* ---- what is shown and saved ---- */

static void no_secret_in(const void *bytes, size_t size)
{
	assert_null(memmem(bytes, size, FIRST, 8));
	assert_null(memmem(bytes, size, first, 4));
}

static void test_shown_spec(void **state)
{
	fl_placement *p = place("table", ",rows=1024,secret=" FIRST), *q = place("ring", "");
	char text[64] = "untouched";
	(void)state;
	size_t size = fl_placement_spec(p, NULL, 0);
	assert_int_equal(size, strlen("table,rows=1024,seed=0,secret=***") + 1);
	assert_int_equal(fl_placement_spec(p, text, size - 1), size);
	assert_string_equal(text, "untouched");
	assert_int_equal(fl_placement_spec(p, text, size), size);
	assert_string_equal(text, "table,rows=1024,seed=0,secret=***");
	fl_placement_spec(q, text, sizeof(text));
	assert_string_equal(text, "ring,points=160,seed=0");
	fl_placement_unref(p);
	fl_placement_unref(q);
}

static void refused(const void *bytes, size_t size, const char *spec, const char *says)
{
	fl_placement *p = NULL;
	struct fl_error err = {0};
	int rc = fl_placement_load(&p, spec, bytes, size, &err);
	if (rc != FL_EINVAL || p || !strstr(err.text, says))
		fail_msg("%s: %d, %s", spec ? spec : "NULL", rc, err.text);
	no_secret_in(&err, sizeof(err));
}

static void check_saved(const char *name)
{
	static unsigned char bytes[1 << 16];
	char whole[128];
	fl_placement *p = place(name, ",secret=" FIRST), *q = NULL, *plain = place(name, "");
	size_t size = fl_placement_save(p, bytes, sizeof(bytes));
	assert_true(size <= sizeof(bytes));
	no_secret_in(bytes, size);
	snprintf(whole, sizeof(whole), "%s,secret=%s", name, FIRST);
	assert_int_equal(fl_placement_load(&q, whole, bytes, size, NULL), FL_OK);
	assert_int_equal(fl_placement_digest(p), fl_placement_digest(q));
	assert_int_equal(differ(p, q), 0);
	refused(bytes, size, NULL, "secret=***\"; expected a spec that has the secret");
	refused(bytes, size, name, "secret=***\", not of");
	snprintf(whole, sizeof(whole), "%s,secret=%s", name, SECOND);
	refused(bytes, size, whole, "not of this secret");
	snprintf(whole, sizeof(whole), "%s,seed=5,secret=%s", name, FIRST);
	refused(bytes, size, whole, "seed=5,secret=***\"");
	size = fl_placement_save(plain, bytes, sizeof(bytes));
	snprintf(whole, sizeof(whole), "%s,secret=%s", name, FIRST);
	refused(bytes, size, whole, "seed=0");
	fl_placement_unref(p);
	fl_placement_unref(q);
	fl_placement_unref(plain);
}

static void test_saved(void **state)
{
	const struct fl_algorithm_info *a = NULL;
	const char *name;
	(void)state;
	while ((name = next(&a)))
		check_saved(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_are_hashed_by_siphash),
		cmocka_unit_test(test_who_agrees),
		cmocka_unit_test(test_derived),
		cmocka_unit_test(test_movement),
		cmocka_unit_test(test_shown_spec),
		cmocka_unit_test(test_saved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
