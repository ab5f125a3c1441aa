/* anchor and dx: the models' vectors, line by line (tests/model/anchor.py says what the lines
 * mean); what is refused and with what words; which slots new nodes get. */
#include "support/golden.h"
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MOST 4096

struct line {
	uint32_t before[MOST], after[MOST];
	size_t befores, afters;
};

static uint64_t key_hash(uint64_t i)
{
	return fl_mix64(i + 1);
}

/* The numbers before and after "=" of a line whose first word is taken off. */
static void parse(struct line *l, char *text)
{
	bool right = false;
	l->befores = l->afters = 0;
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
		if (*word == '=')
			right = true;
		else if (right)
			l->after[l->afters++] = (uint32_t)atol(word);
		else
			l->before[l->befores++] = (uint32_t)atol(word);
	}
}

static fl_placement *start(const char *algorithm, const struct line *l)
{
	static char names[MOST][16];
	static struct fl_node nodes[MOST];
	char spec[64];
	snprintf(spec, sizeof(spec), "%s,capacity=%u", algorithm, l->before[0]);
	for (size_t i = 1; i < l->befores; i++) {
		snprintf(names[i], 16, "n%u", l->before[i]);
		nodes[i - 1] = (struct fl_node){names[i], 1, l->before[i], NULL};
	}
	return test_place(spec, nodes, l->befores - 1);
}

static fl_placement *changed(fl_placement *p, bool add, uint32_t slot)
{
	char name[16];
	snprintf(name, sizeof(name), "n%u", slot);
	fl_placement *q = test_change(p, add ? FL_ADD : FL_REMOVE, name, 1, FL_NONE);
	if (add)
		assert_int_equal(fl_placement_find(q, name), slot);
	fl_placement_unref(p);
	return q;
}

static void check_masked(const fl_placement *p, const struct line *l)
{
	uint64_t words[MOST / 64] = {0};
	struct fl_mask mask = {words, MOST / 64};
	for (size_t i = 0; i < l->befores; i++)
		words[l->before[i] / 64] |= (uint64_t)1 << (l->before[i] % 64);
	for (size_t i = 0; i < l->afters; i++) {
		struct fl_key key = fl_key_hash(key_hash(i));
		uint32_t slot;
		assert_int_equal(fl_pick(p, &key, &mask, &slot), FL_OK);
		assert_int_equal(slot, l->after[i]);
	}
}

static void check_owners(const fl_placement *p, const struct line *l)
{
	size_t k = l->before[0];
	for (size_t i = 0; i * k < l->afters; i++) {
		struct fl_key key = fl_key_hash(key_hash(i));
		uint32_t slots[8];
		assert_int_equal(fl_owners(p, &key, NULL, slots, k), k);
		assert_memory_equal(slots, &l->after[i * k], k * sizeof(slots[0]));
	}
}

static fl_placement *run(fl_placement *p, const char *algorithm, char kind, struct line *l)
{
	switch (kind) {
	case 'n':
		fl_placement_unref(p);
		return start(algorithm, l);
	case '-':
	case '+':
		return changed(p, kind == '+', l->before[0]);
	case 'k':
		for (size_t i = 0; i < l->afters; i++)
			assert_int_equal(fl_lookup_hash(p, key_hash(i)), l->after[i]);
		break;
	case 'm':
		check_masked(p, l);
		break;
	case 'o':
		check_owners(p, l);
		break;
	default:
		assert_int_equal(kind, '#');
	}
	return p;
}

static void check_vectors(const char *algorithm, const char *file, size_t lines)
{
	char *text = golden_read(file), *at = text;
	struct line *l = malloc(sizeof(*l));
	fl_placement *p = NULL;
	size_t n = 0;
	for (; *at; n++) {
		char *end = strchr(at, '\n'), *rest = strchr(at, ' '), kind = *at;
		*end = '\0';
		parse(l, rest);
		p = run(p, algorithm, kind, l);
		at = end + 1;
	}
	assert_int_equal(n, lines);
	fl_placement_unref(p);
	free(l);
	free(text);
}

static void test_vectors(void **state)
{
	(void)state;
	check_vectors("anchor", "anchor.txt", 552);
	check_vectors("dx", "dx.txt", 595);
}

/* The models still say what is recorded. */
static void test_models(void **state)
{
	(void)state;
	assert_int_equal(system("/usr/bin/python3 " FL_TEST_DIR "/model/anchor.py --check"), 0);
	assert_int_equal(system("/usr/bin/python3 " FL_TEST_DIR "/model/dx.py --check"), 0);
}

/* ---- what is refused ---- */

static const char *const both[] = {"anchor,capacity=4", "dx,capacity=4"};

static void refused(
	const char *spec, const struct fl_node *nodes, size_t count, int code, const char *says)
{
	fl_placement *p = NULL;
	struct fl_error err = {0};
	int rc = fl_placement_new(&p, spec, nodes, count, &err);
	if (rc != code || !strstr(err.text, says))
		fail_msg("%s: %d, %s", spec, rc, err.text);
	assert_null(p);
}

static void test_capacity(void **state)
{
	struct fl_node five[] = {{"a", 1, FL_NONE, NULL}, {"b", 1, FL_NONE, NULL},
		{"c", 1, FL_NONE, NULL}, {"d", 1, FL_NONE, NULL}, {"e", 1, FL_NONE, NULL}};
	struct fl_node far[] = {{"a", 1, 4, NULL}};
	struct fl_change more = {FL_ADD, {"f", 0, FL_NONE, NULL}};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fl_placement *p, *q = NULL;
		struct fl_error err = {0};
		refused(both[i], five, 5, FL_ELIMIT,
			"5 nodes; there may be 4; another capacity=N");
		refused(both[i], far, 1, FL_EINVAL, "slot 4 is not below 4, the capacity");
		p = test_place(both[i], five, 4);
		assert_int_equal(fl_placement_derive(&q, p, &more, 1, &err), FL_ELIMIT);
		assert_null(q);
		fl_placement_unref(p);
	}
	refused("anchor,capacity=0", five, 1, FL_EINVAL, "from 1 to 1048576");
	refused("dx,capacity=1048577", five, 1, FL_EINVAL, "from 1 to 1048576");
}

static void test_weights(void **state)
{
	struct fl_node nodes[] = {{"a", 2, FL_NONE, NULL}};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		nodes[0].weight = 2;
		refused(both[i], nodes, 1, FL_EINVAL, "knows no weights");
		nodes[0].weight = 0;
		fl_placement *p = test_place(both[i], nodes, 1);
		assert_int_equal(fl_placement_find(p, "a"), 0);
		assert_int_equal(fl_lookup_hash(p, 5), FL_NONE);
		fl_placement_unref(p);
	}
}

static void not_now(const fl_placement *p, struct fl_change change, const char *says)
{
	fl_placement *q = NULL;
	struct fl_error err = {0};
	int rc = fl_placement_derive(&q, p, &change, 1, &err);
	if (rc != FL_ENOTSUP || !strstr(err.text, says))
		fail_msg("%d, %s", rc, err.text);
	assert_int_equal(err.code, FL_ENOTSUP);
	assert_null(q);
}

static fl_placement *then(fl_placement *p, enum fl_change_kind kind, const char *name,
	int32_t weight, uint32_t slot)
{
	fl_placement *q = test_change(p, kind, name, weight, slot);
	fl_placement_unref(p);
	return q;
}

/* Slots go out 1, 3, 0 and come back 0, 3, 1. */
static void test_anchor_is_lifo(void **state)
{
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}, {"b", 1, FL_NONE, NULL},
		{"c", 1, FL_NONE, NULL}, {"d", 1, FL_NONE, NULL}};
	fl_placement *p = test_place("anchor,capacity=5", nodes, 4);
	(void)state;
	p = then(p, FL_REMOVE, "b", 0, 0);
	p = then(p, FL_REWEIGHT, "d", 0, 0);
	p = then(p, FL_REMOVE, "a", 0, 0);
	not_now(p, (struct fl_change){FL_ADD, {"b", 1, 1, NULL}}, "slot 0 is next, not 1");
	not_now(p, (struct fl_change){FL_ADD, {"b", 1, 4, NULL}}, "slot 0 is next, not 4");
	not_now(p, (struct fl_change){FL_REWEIGHT, {"d", 1, 0, NULL}}, "slot 0 is next, not 3");
	p = then(p, FL_ADD, "x", 1, FL_NONE);
	assert_int_equal(fl_placement_find(p, "x"), 0);
	/* d holds slot 3 and owns nothing: nobody else can come before it. */
	not_now(p, (struct fl_change){FL_ADD, {"y", 1, FL_NONE, NULL}},
		"slot 3 is next, not 1 (a node of weight 0 has it");
	/* A node that owns nothing may have any free slot. */
	p = then(p, FL_ADD, "idle", 0, 4);
	p = then(p, FL_ADD, "idle too", 0, FL_NONE);
	assert_int_equal(fl_placement_find(p, "idle too"), 1);
	p = then(p, FL_REMOVE, "idle", 0, 0);
	p = then(p, FL_REMOVE, "idle too", 0, 0);
	p = then(p, FL_REWEIGHT, "d", 1, 0);
	p = then(p, FL_ADD, "y", 1, FL_NONE);
	assert_int_equal(fl_placement_find(p, "y"), 1);
	p = then(p, FL_ADD, "z", 1, FL_NONE);
	assert_int_equal(fl_placement_find(p, "z"), 4);
	fl_placement_unref(p);
}

/* The history outlives the last owner. */
static void test_anchor_empty_and_back(void **state)
{
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}, {"b", 1, FL_NONE, NULL}};
	fl_placement *p = test_place("anchor,capacity=8", nodes, 2);
	uint64_t digest = fl_placement_digest(p);
	(void)state;
	p = then(p, FL_REMOVE, "a", 0, 0);
	p = then(p, FL_REMOVE, "b", 0, 0);
	assert_int_equal(fl_lookup_hash(p, 5), FL_NONE);
	not_now(p, (struct fl_change){FL_ADD, {"a", 1, 0, NULL}}, "slot 1 is next");
	p = then(p, FL_ADD, "b", 1, FL_NONE);
	p = then(p, FL_ADD, "a", 1, FL_NONE);
	assert_int_equal(fl_placement_digest(p), digest);
	fl_placement_unref(p);
}

/* The same nodes in the same slots, but not the same mapping: the digest says so. */
static void test_anchor_digest_knows_history(void **state)
{
	struct fl_node nodes[] = {{"a", 1, FL_NONE, NULL}, {"b", 1, FL_NONE, NULL},
		{"c", 1, FL_NONE, NULL}, {"d", 1, FL_NONE, NULL}};
	fl_placement *p = test_place("anchor,capacity=4", nodes, 4), *q = fl_placement_ref(p);
	size_t differ = 0;
	(void)state;
	p = then(then(p, FL_REMOVE, "a", 0, 0), FL_REMOVE, "b", 0, 0);
	q = then(then(q, FL_REMOVE, "b", 0, 0), FL_REMOVE, "a", 0, 0);
	for (uint64_t i = 0; i < 1000; i++)
		differ += fl_lookup_hash(p, key_hash(i)) != fl_lookup_hash(q, key_hash(i));
	assert_true(differ > 50);
	assert_int_not_equal(fl_placement_digest(p), fl_placement_digest(q));
	fl_placement_unref(p);
	fl_placement_unref(q);
}

/* dx: a key whose draws all miss is where rendezvous has it, and comes to others' slots never. */
static void test_dx_last_resort(void **state)
{
	struct fl_node nodes[] = {{"a", 1, 7, NULL}, {"b", 1, 40000, NULL},
		{"c", 1, 65535, NULL}, {"idle", 0, 9, NULL}};
	fl_placement *p = test_place("dx,capacity=65536,seed=3", nodes, 4);
	fl_placement *r = test_place("rendezvous,seed=3", nodes, 4);
	uint64_t mask_words[1024] = {0};
	struct fl_mask mask = {mask_words, 1024};
	size_t same = 0;
	(void)state;
	mask_words[40000 / 64] = (uint64_t)1 << (40000 % 64);
	for (uint64_t i = 0; i < 1000; i++) {
		struct fl_key key = fl_key_hash(key_hash(i));
		uint32_t a[4], b[4];
		same += fl_lookup_hash(p, key.hash) == fl_lookup_hash(r, key.hash);
		assert_int_equal(fl_owners(p, &key, NULL, a, 4), 3);
		assert_int_equal(fl_pick(p, &key, &mask, b), FL_OK);
		assert_int_equal(b[0], a[a[0] == 40000]);
	}
	/* A draw hits with 3/65536, so 64 of them do for about 3 keys in 1000. */
	assert_in_range(same, 990, 999);
	fl_placement_unref(p);
	fl_placement_unref(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_capacity),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_anchor_is_lifo),
		cmocka_unit_test(test_anchor_empty_and_back),
		cmocka_unit_test(test_anchor_digest_knows_history),
		cmocka_unit_test(test_dx_last_resort),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
