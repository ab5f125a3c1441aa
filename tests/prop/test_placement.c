// rooms: lib
/* The promises of each algorithm's capabilities, over random memberships and changes. */
#include "support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *spec;
	size_t most_nodes;
	size_t keys;
	size_t rounds;
} subjects[] = {
	{"table,rows=4096", 60, 400, 25},
	{"table,rows=256,seed=9", 300, 300, 10},
	{"table,rows=4096,epsilon=5%", 60, 400, 25},
	{"table,rows=256,seed=9,epsilon=0", 300, 300, 10},
	{"ring", 30, 400, 20},
	{"ring,points=3,seed=1", 40, 400, 25},
	{"rendezvous", 400, 300, 25},
	{"maglev,rows=1021", 60, 300, 12},
	{"maglev,rows=251,seed=4", 300, 200, 6},
	{"multiprobe", 40, 150, 8},
	{"multiprobe,probes=3,seed=2", 60, 200, 10},
	{"anchor,capacity=200,seed=2", 60, 200, 12},
	{"dx,capacity=200", 60, 200, 12},
	{"dx,capacity=65536", 60, 150, 4},
	{"modulo", 50, 300, 20},
	{"compat:python-ring", 40, 300, 15},
	{"compat:circle-360", 60, 300, 15},
	{"compat:java-rendezvous", 20, 150, 10},
	{"compat:java-rendezvous,hash=sha256,charset=utf-16le", 8, 60, 4},
	{"compat:nginx-consistent", 30, 300, 12},
	{"compat:nginx-consistent,key=addr", 30, 300, 4},
	{"compat:nginx-hash", 60, 300, 12},
	{"compat:nginx-ip-hash", 60, 300, 12},
	{"compat:pingora", 30, 300, 8},
	{"compat:haproxy-consistent", 60, 300, 15},
	{"compat:haproxy-consistent,hash=crc32,hash-key=addr-port", 60, 300, 8},
	{"compat:haproxy-consistent,hash=wt6,avalanche=1,hash-key=guid", 5, 300, 15},
	{"compat:haproxy-map", 20, 300, 12},
	{"compat:twemproxy-ketama,hash=murmur", 30, 300, 10},
	{"compat:twemproxy-modula", 60, 300, 12},
	{"compat:mcrouter-ch3", 60, 300, 8},
	{"compat:mcrouter-crc32", 60, 300, 8},
	{"compat:mcrouter-weighted-ch3,unit=4", 60, 200, 8},
	{"compat:mcrouter-weighted-ch4,unit=4", 60, 200, 8},
	{"compat:mcrouter-rendezvous", 60, 200, 10},
	{"compat:mcrouter-weighted-rendezvous", 60, 200, 10},
	{"compat:katran-maglev,rows=251", 5, 40, 2},
	{"compat:katran-maglev,rows=251,version=1,order=hash", 5, 40, 2},
	{"compat:cilium-maglev,rows=251", 5, 40, 2},
	{"compat:envoy-maglev,rows=251", 5, 40, 2},
	{"compat:envoy-ring,min=64", 5, 40, 2},
	{"compat:envoy-ring,min=64,hash=MURMUR_HASH_2,key=hash", 5, 40, 2},
	{"compat:grpc-ring,min=64", 60, 200, 8},
	{"compat:guava,hash=sha256", 60, 300, 8},
	{"compat:jump,shards=0", 60, 300, 8},
	{"compat:jump,shards=1000", 60, 300, 4},
	{"compat:redis-cluster", 60, 300, 8},
	{"compat:caddy", 20, 150, 8},
	{"compat:caddy,version=2.5", 20, 150, 8},
	{"compat:caddy,version=2.6", 20, 150, 8},
	{"compat:caddy,version=2.6.3", 20, 150, 8},
	{"compat:traefik", 20, 200, 10},
	{"compat:varnish-shard,replicas=7", 30, 300, 10},
	{"compat:varnish-shard,by=blob,replicas=7", 30, 300, 4},
	{"compat:varnish-shard,replicas=7,alt=3", 30, 200, 6},
	{"compat:glb,seed-high=0x1234,seed-low=7", 30, 200, 10},
};
#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

/* No other node's name: those have small ports, and small chances where they are numbers. */
static const char *new_name(const char *spec)
{
	return strncmp(spec, "compat:katran", 13) == 0 ? "12345" : "10.1.2.3:4";
}

static uint32_t capabilities(const char *spec)
{
	fl_placement *p = test_place(spec, NULL, 0);
	uint32_t c = fl_placement_capabilities(p);
	fl_placement_unref(p);
	return c;
}

static struct test_nodes random_nodes(struct test_rng *r, size_t subject)
{
	bool weights = capabilities(subjects[subject].spec) & FL_WEIGHTS;
	static const int32_t most[] = {1, 4, 65535};
	int32_t w = weights ? most[test_below(r, 3)] : 1;
	if (w == 65535 && (strncmp(subjects[subject].spec, "ring", 4) == 0 ||
				  strncmp(subjects[subject].spec, "multiprobe", 10) == 0 ||
				  strncmp(subjects[subject].spec, "compat:", 7) == 0))
		w = 20;
	return test_nodes_fit(subjects[subject].spec,
		test_nodes_new(
			r, 1 + test_below(r, (uint32_t)subjects[subject].most_nodes), w));
}

static size_t make_key(char key[24], uint64_t i)
{
	return (size_t)snprintf(key, 24, "key-%llu", (unsigned long long)i);
}

static bool same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Between p and q only `name` changed: do keys move only to it, or only from it? */
static void only_moves(const fl_placement *p, const fl_placement *q, const char *name, bool to,
	bool from, size_t keys)
{
	for (size_t i = 0; i < keys; i++) {
		char key[24];
		size_t len = make_key(key, i);
		const char *a = test_owner(p, key, len), *b = test_owner(q, key, len);
		if (!same(a, b))
			assert_true((to && same(b, name)) || (from && same(a, name)));
	}
}

static void same_owners(const fl_placement *p, const fl_placement *q, size_t keys)
{
	for (size_t i = 0; i < keys; i++) {
		char key[24];
		size_t len = make_key(key, i);
		assert_string_equal(test_owner(p, key, len), test_owner(q, key, len));
	}
}

/* ---- change by change ---- */

static void check_changes(size_t s, struct test_rng *r)
{
	uint32_t caps = capabilities(subjects[s].spec);
	struct test_nodes t = random_nodes(r, s);
	size_t keys = subjects[s].keys;
	fl_placement *p = test_place(subjects[s].spec, t.nodes, t.count);
	const struct fl_node *victim = &t.nodes[test_below(r, (uint32_t)t.count)];
	uint32_t slot = fl_placement_find(p, victim->name);
	int32_t weight = caps & FL_WEIGHTS ? 1 + (int32_t)test_below(r, 30) : 1;
	fl_placement *removed = test_change(p, FL_REMOVE, victim->name, 0, 0);
	const char *name = new_name(subjects[s].spec);
	fl_placement *added = test_change(p, FL_ADD, name, weight, FL_NONE);
	int32_t other = caps & FL_WEIGHTS ? weight : 0;
	fl_placement *heavier = test_change(p, FL_REWEIGHT, victim->name, other, 0);
	fl_placement *back = test_change(removed, FL_ADD, victim->name, victim->weight, slot);
	if (caps & FL_MINIMAL_ANY) {
		only_moves(p, removed, victim->name, false, true, keys);
		only_moves(p, added, name, true, false, keys);
	}
	if (caps & FL_MINIMAL_REWEIGHT)
		only_moves(p, heavier, victim->name, other > victim->weight,
			other < victim->weight, keys);
	same_owners(p, back, keys);
	assert_int_equal(fl_placement_digest(p), fl_placement_digest(back));
	fl_placement_unref(p);
	fl_placement_unref(removed);
	fl_placement_unref(added);
	fl_placement_unref(heavier);
	fl_placement_unref(back);
	test_nodes_free(&t);
}

static void test_only_the_changed_nodes_keys_move(void **state)
{
	(void)state;
	for (size_t s = 0; s < SUBJECTS; s++) {
		struct test_rng r = {s};
		for (size_t i = 0; i < subjects[s].rounds; i++)
			check_changes(s, &r);
	}
}

/* modulo is the contrast: if this ever passes as minimal, the checks above check nothing. */
static void test_modulo_is_not_minimal(void **state)
{
	struct test_rng r = {1};
	struct test_nodes t = test_nodes_new(&r, 10, 1);
	fl_placement *p = test_place("modulo", t.nodes, 10);
	fl_placement *q = test_change(p, FL_ADD, "zz", 1, FL_NONE);
	size_t moved = 0;
	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		uint32_t a = fl_lookup_hash(p, fl_mix64(i)), b = fl_lookup_hash(q, fl_mix64(i));
		moved += !same(fl_placement_node(p, a)->name, fl_placement_node(q, b)->name);
	}
	assert_true(moved > 850);
	fl_placement_unref(p);
	fl_placement_unref(q);
	test_nodes_free(&t);
}

/* ---- order and history ---- */

static void shuffle(struct fl_node *nodes, size_t n, struct test_rng *r)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = test_below(r, (uint32_t)i);
		struct fl_node t = nodes[i - 1];
		nodes[i - 1] = nodes[j];
		nodes[j] = t;
	}
}

static void test_order_does_not_matter(void **state)
{
	(void)state;
	for (size_t s = 0; s < SUBJECTS; s++) {
		struct test_rng r = {s + 100};
		if (!(capabilities(subjects[s].spec) & FL_ORDER_FREE))
			continue;
		for (size_t i = 0; i < subjects[s].rounds / 2; i++) {
			struct test_nodes t = random_nodes(&r, s);
			fl_placement *p = test_place(subjects[s].spec, t.nodes, t.count), *q;
			shuffle(t.nodes, t.count, &r);
			q = test_place(subjects[s].spec, t.nodes, t.count);
			same_owners(p, q, subjects[s].keys);
			assert_int_equal(fl_placement_digest(p), fl_placement_digest(q));
			fl_placement_unref(p);
			fl_placement_unref(q);
			test_nodes_free(&t);
		}
	}
}

/* One random change to p, as a list of one. The name of an added node is kept in `name`. */
static fl_placement *step(
	const fl_placement *p, struct test_rng *r, char name[24], bool weights)
{
	uint32_t slot = test_below(r, fl_placement_slots(p) + 1);
	const struct fl_node *node = fl_placement_node(p, slot);
	int32_t weight = (int32_t)test_below(r, weights ? 9 : 2);
	if (!node || test_below(r, 3) == 0) {
		uint32_t at = (uint32_t)test_next(r);
		snprintf(name, 24, "11.%u.%u.%u:80", at >> 16 & 255, at >> 8 & 255, at & 255);
		test_fit_name(fl_placement_algorithm(p), name);
		return test_change(p, FL_ADD, name, weight, node ? FL_NONE : slot);
	}
	if (test_below(r, 2) == 0)
		return test_change(p, FL_REMOVE, node->name, 0, 0);
	return test_change(p, FL_REWEIGHT, node->name, weight, 0);
}

static fl_placement *rebuild(const fl_placement *p, const char *spec)
{
	struct fl_node *nodes = calloc(fl_placement_count(p) + 1, sizeof(*nodes));
	size_t n = 0;
	for (uint32_t slot = fl_placement_slots(p); slot-- > 0;) {
		if (fl_placement_node(p, slot))
			nodes[n++] = *fl_placement_node(p, slot);
	}
	fl_placement *q = test_place(spec, nodes, n);
	free(nodes);
	return q;
}

static void test_derived_equals_built(void **state)
{
	(void)state;
	for (size_t s = 0; s < SUBJECTS; s++) {
		struct test_rng r = {s + 200};
		if (!(capabilities(subjects[s].spec) & FL_HISTORY_FREE))
			continue;
		bool weights = capabilities(subjects[s].spec) & FL_WEIGHTS;
		struct test_nodes t = random_nodes(&r, s);
		fl_placement *p = test_place(subjects[s].spec, t.nodes, t.count);
		for (size_t i = 0; i < 3 * subjects[s].rounds; i++) {
			char name[24];
			fl_placement *next = step(p, &r, name, weights);
			fl_placement_unref(p);
			p = next;
			fl_placement *fresh = rebuild(p, subjects[s].spec);
			same_owners(p, fresh, subjects[s].keys / 4);
			assert_int_equal(fl_placement_digest(p), fl_placement_digest(fresh));
			assert_int_equal(fl_placement_slots(p), fl_placement_slots(fresh));
			if (capabilities(subjects[s].spec) & FL_EXACT_MOVEMENT) {
				struct fl_movement *m;
				assert_int_equal(fl_movement_new(&m, p, fresh, 0, NULL), FL_OK);
				assert_true(m->exact && m->moved == 0 && m->count == 0);
				fl_movement_free(m);
			}
			fl_placement_unref(fresh);
		}
		fl_placement_unref(p);
		test_nodes_free(&t);
	}
}

/* Many changes at once are the same as one by one. */
static void test_changes_together(void **state)
{
	(void)state;
	for (size_t s = 0; s < SUBJECTS; s++) {
		struct test_rng r = {s + 300};
		struct test_nodes t = random_nodes(&r, s);
		struct test_nodes more =
			test_nodes_fit(subjects[s].spec, test_nodes_new(&r, 20, 1));
		fl_placement *p = test_place(subjects[s].spec, t.nodes, t.count), *q, *one,
			     *next;
		struct fl_change changes[40];
		size_t n = 0;
		for (size_t i = 0; i < 20; i++) {
			changes[n++] = (struct fl_change){FL_ADD, more.nodes[i]};
			if (i < t.count && i % 2)
				changes[n++] = (struct fl_change){FL_REMOVE, t.nodes[i]};
		}
		one = fl_placement_ref(p);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(
				fl_placement_derive(&next, one, &changes[i], 1, NULL), FL_OK);
			fl_placement_unref(one);
			one = next;
		}
		assert_int_equal(fl_placement_derive(&q, p, changes, n, NULL), FL_OK);
		same_owners(one, q, subjects[s].keys);
		for (uint32_t slot = 0; slot < fl_placement_slots(q); slot++) {
			const struct fl_node *a = fl_placement_node(one, slot);
			const struct fl_node *b = fl_placement_node(q, slot);
			assert_true((a == NULL) == (b == NULL));
			assert_true(!a || same(a->name, b->name));
		}
		fl_placement_unref(p);
		fl_placement_unref(q);
		fl_placement_unref(one);
		test_nodes_free(&t);
		test_nodes_free(&more);
	}
}

/* ---- masks and owners ---- */

struct masked {
	uint64_t words[8];
	struct fl_mask mask;
	fl_placement *without; /* p with the masked nodes taken out */
	bool moves_others;     /* as the peer does it, keys of other nodes move as well */
};

static bool moves_others(const char *spec)
{
	uint32_t caps = capabilities(spec);
	if ((caps & FL_EXACT_MASK) && !(caps & FL_MINIMAL_ANY))
		return true; /* built anew without them */
	return strncmp(spec, "compat:haproxy-map", 18) == 0 ||
	       strncmp(spec, "compat:twemproxy-modula", 23) == 0;
}

static void make_mask(struct masked *m, const fl_placement *p, struct test_rng *r)
{
	uint32_t density = test_below(r, 4);
	m->mask = (struct fl_mask){m->words, 8};
	m->without = fl_placement_ref(p);
	for (size_t i = 0; i < 8; i++) {
		m->words[i] = test_next(r);
		for (uint32_t d = 0; d < density; d++)
			m->words[i] &= test_next(r);
	}
	for (uint32_t slot = 0; slot < fl_placement_slots(p) && slot < 512; slot++) {
		const struct fl_node *node = fl_placement_node(p, slot);
		if (!node || !(m->words[slot / 64] >> (slot % 64) & 1))
			continue;
		fl_placement *next = test_change(m->without, FL_REMOVE, node->name, 0, 0);
		fl_placement_unref(m->without);
		m->without = next;
	}
}

static void check_masked_key(
	const fl_placement *p, const struct masked *m, bool exact, const char *text, size_t len)
{
	struct fl_key key = fl_key_bytes(text, len);
	uint32_t slot = 1234567, plain = fl_lookup(p, text, len);
	assert_int_equal(fl_pick(p, &key, &m->mask, &slot), FL_OK);
	if (slot != FL_NONE)
		assert_false(m->words[slot / 64] >> (slot % 64) & 1);
	if (!m->moves_others && plain != FL_NONE && !(m->words[plain / 64] >> (plain % 64) & 1))
		assert_int_equal(slot, plain);
	if (exact)
		assert_int_equal(slot, fl_lookup(m->without, text, len));
}

static void test_masks(void **state)
{
	(void)state;
	for (size_t s = 0; s < SUBJECTS; s++) {
		struct test_rng r = {s + 400};
		bool exact = capabilities(subjects[s].spec) & FL_EXACT_MASK;
		for (size_t i = 0; i < subjects[s].rounds / 2; i++) {
			struct test_nodes t = random_nodes(&r, s);
			fl_placement *p = test_place(subjects[s].spec, t.nodes, t.count);
			struct masked m;
			make_mask(&m, p, &r);
			m.moves_others = moves_others(subjects[s].spec);
			for (size_t k = 0; k < subjects[s].keys / 2; k++) {
				char text[24];
				size_t len = make_key(text, k);
				check_masked_key(p, &m, exact, text, len);
			}
			fl_placement_unref(m.without);
			fl_placement_unref(p);
			test_nodes_free(&t);
		}
	}
}

static size_t eligible(const fl_placement *p, const struct fl_mask *mask)
{
	size_t n = 0;
	for (uint32_t slot = 0; slot < fl_placement_slots(p); slot++) {
		const struct fl_node *node = fl_placement_node(p, slot);
		bool masked = mask && slot / 64 < mask->count &&
		              (mask->words[slot / 64] >> (slot % 64) & 1);
		n += node && node->weight > 0 && !masked;
	}
	return n;
}

static void check_owners(const fl_placement *p, const struct fl_mask *mask, const char *text,
	size_t len, size_t able)
{
	static const size_t ks[] = {0, 1, 2, 5, 64, 65, 500};
	struct fl_key key = fl_key_bytes(text, len);
	uint32_t all[500], some[500], slot;
	int total = fl_owners(p, &key, mask, all, 500);
	assert_int_equal(total, able < 500 ? able : 500);
	assert_int_equal(fl_pick(p, &key, mask, &slot), FL_OK);
	assert_int_equal(slot, total ? all[0] : FL_NONE);
	for (int i = 0; i < total; i++) {
		const struct fl_node *node = fl_placement_node(p, all[i]);
		assert_true(node && node->weight > 0);
		assert_false(mask && mask->words[all[i] / 64] >> (all[i] % 64) & 1);
		for (int j = 0; j < i; j++)
			assert_int_not_equal(all[i], all[j]);
	}
	for (size_t i = 0; i < sizeof(ks) / sizeof(ks[0]); i++) {
		int n = fl_owners(p, &key, mask, some, ks[i]);
		assert_int_equal(n, (size_t)total < ks[i] ? (size_t)total : ks[i]);
		assert_memory_equal(some, all, (size_t)n * sizeof(some[0]));
	}
}

static void test_owners(void **state)
{
	(void)state;
	for (size_t s = 0; s < SUBJECTS; s++) {
		struct test_rng r = {s + 500};
		for (size_t i = 0; i < subjects[s].rounds / 4 + 1; i++) {
			struct test_nodes t = random_nodes(&r, s);
			fl_placement *p = test_place(subjects[s].spec, t.nodes, t.count);
			struct masked m;
			make_mask(&m, p, &r);
			size_t open = eligible(p, NULL), rest = eligible(p, &m.mask);
			for (size_t k = 0; k < 12; k++) {
				char text[24];
				size_t len = make_key(text, k);
				check_owners(p, NULL, text, len, open);
				check_owners(p, &m.mask, text, len, rest);
			}
			fl_placement_unref(m.without);
			fl_placement_unref(p);
			test_nodes_free(&t);
		}
	}
}

/* With an exact mask, the second owner is who takes over when the first is gone, and so on. */
static void test_owners_are_successors(void **state)
{
	(void)state;
	for (size_t s = 0; s < SUBJECTS; s++) {
		struct test_rng r = {s + 600};
		struct test_nodes t = random_nodes(&r, s);
		fl_placement *p = test_place(subjects[s].spec, t.nodes, t.count);
		for (size_t k = 0; k < 20; k++) {
			char text[24];
			size_t len = make_key(text, k);
			struct fl_key key = fl_key_bytes(text, len);
			uint64_t words[8] = {0};
			struct fl_mask mask = {words, 8};
			uint32_t owners[500], slot;
			int n = fl_owners(p, &key, NULL, owners, 500);
			for (int i = 0; i < n && i < 20; i++) {
				assert_int_equal(fl_pick(p, &key, &mask, &slot), FL_OK);
				assert_int_equal(slot, owners[i]);
				words[slot / 64] |= (uint64_t)1 << (slot % 64);
			}
		}
		fl_placement_unref(p);
		test_nodes_free(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_the_changed_nodes_keys_move),
		cmocka_unit_test(test_modulo_is_not_minimal),
		cmocka_unit_test(test_order_does_not_matter),
		cmocka_unit_test(test_derived_equals_built),
		cmocka_unit_test(test_changes_together),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_owners_are_successors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
