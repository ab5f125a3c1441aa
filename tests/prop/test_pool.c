// rooms: pool
/* A pool under a long random history against a plain model of it: what the view says of each
 * node, which placements may change, which keys may move, and that the pool in the end is the
 * one that its present conf gives afresh. */
#include "pool/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define NODES   10
#define STEPS   250
#define KEYS    400
#define HISTORY 4

struct model {
	bool there, backup;
	int weight, address;
	int admin, conf_admin, health;
};

static uint64_t seed;
static struct model model[NODES];

static unsigned draw(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

static const char *name_of(unsigned i)
{
	static char names[NODES][8];

	(void)snprintf(names[i], sizeof(names[i]), "node%u", i);
	return names[i];
}

static struct fl_pool_conf conf_of(struct fl_node_conf nodes[NODES], const char *spec, bool now)
{
	static char addresses[NODES][16];
	struct fl_pool_conf conf = {.name = "p", .spec = spec, .nodes = nodes};

	for (unsigned i = 0; i < NODES; i++) {
		const struct model *m = &model[i];

		if (!m->there)
			continue;
		(void)snprintf(addresses[i], sizeof(addresses[i]), "h%u:%d", i, m->address);
		nodes[conf.count++] = (struct fl_node_conf){.name = name_of(i),
			.address = addresses[i],
			.weight = m->weight,
			.slot = -1,
			.backup = m->backup,
			.admin = now ? m->admin : m->conf_admin};
	}
	return conf;
}

/* Changes one thing in the model and tells the pool; true when it may change a placement. */
static bool step(struct fl_pool *pool, const char *spec)
{
	unsigned i = draw(NODES);
	struct model *m = &model[i], was = *m;
	struct fl_node_conf nodes[NODES];
	struct fl_pool_conf conf;

	switch (draw(10)) {
	case 0:
		m->there = !m->there;
		*m = (struct model){.there = m->there, .weight = 1};
		break;
	case 1:
		m->weight = (int)draw(4);
		break;
	case 2:
		m->address++;
		break;
	case 3:
		m->backup = !m->backup;
		break;
	case 4:
		m->conf_admin = (int)draw(3);
		if (m->conf_admin != was.conf_admin)
			m->admin = m->conf_admin;
		break;
	case 5:
	case 6:
		m->admin = (int)draw(3);
		assert_int_equal(
			fl_pool_set_admin(pool, name_of(i), (enum fl_admin_state)m->admin, 1),
			m->there ? FL_OK : FL_ENOENT);
		if (!m->there)
			m->admin = was.admin;
		return m->there &&
		       (m->admin == FL_ADMIN_DISABLED) != (was.admin == FL_ADMIN_DISABLED);
	default:
		m->health = (int)draw(3);
		assert_int_equal(fl_pool_set_health(
					 pool, name_of(i), (enum fl_health_state)m->health, 1),
			m->there ? FL_OK : FL_ENOENT);
		if (!m->there)
			m->health = was.health;
		return false;
	}
	conf = conf_of(nodes, spec, false);
	assert_int_equal(fl_pool_apply(pool, &conf, 1, NULL), FL_OK);
	return true;
}

static void check_view(const struct fl_view *v)
{
	size_t eligible[FL_TIERS] = {0};

	for (unsigned i = 0; i < NODES; i++) {
		const struct model *m = &model[i];
		struct fl_effective e = fl_state_effective(
			(enum fl_admin_state)m->admin, (enum fl_health_state)m->health);

		for (unsigned t = 0; t < FL_TIERS; t++) {
			const struct fl_tier *tier = &v->tier[t];
			uint32_t s = tier->placement
			                     ? fl_placement_find(tier->placement, name_of(i))
			                     : FL_NONE;

			if (!m->there || !e.built || m->backup != (t == 1)) {
				assert_int_equal(s, FL_NONE);
				continue;
			}
			assert_int_not_equal(s, FL_NONE);
			assert_string_equal(tier->members[s]->name, name_of(i));
			assert_int_equal(tier->members[s]->weight, m->weight);
			assert_int_equal(tier->admin[s], m->admin);
			assert_int_equal(tier->health[s], m->health);
			assert_int_equal(tier->mask.words[s / 64] >> (s % 64) & 1, !e.owner);
			eligible[t] += e.owner && m->weight > 0;
		}
	}
	assert_int_equal(eligible[0], v->tier[0].eligible);
	assert_int_equal(eligible[1], v->tier[1].eligible);
}

static const char *pick(const struct fl_view *v, unsigned k)
{
	struct fl_member *m = NULL;
	struct fl_key key = fl_key_bytes(&k, sizeof(k));

	assert_int_equal(fl_view_pick(v, &key, 0, &m), FL_OK);
	return m ? m->name : "-";
}

/* States alone: the same placements, and only keys that were or are on a node whose mask
 * changed have moved. */
static void check_masks_only(const struct fl_view *old, const struct fl_view *v)
{
	assert_ptr_equal(old->tier[0].placement, v->tier[0].placement);
	assert_ptr_equal(old->tier[1].placement, v->tier[1].placement);
	assert_int_equal(old->digest, v->digest);
	for (unsigned k = 0; k < KEYS; k++) {
		const char *a = pick(old, k), *b = pick(v, k);
		bool flipped = false;

		for (unsigned t = 0; strcmp(a, b) != 0 && t < FL_TIERS; t++)
			for (uint32_t s = 0; s < v->tier[t].slots; s++) {
				const struct fl_member *m = v->tier[t].members[s];
				uint64_t was = old->tier[t].mask.words[s / 64],
					 is = v->tier[t].mask.words[s / 64];

				if (m && ((was ^ is) >> (s % 64) & 1))
					flipped |= !strcmp(m->name, a) || !strcmp(m->name, b) ||
					           v->tier[0].eligible == 0 ||
					           old->tier[0].eligible == 0;
			}
		assert_true(strcmp(a, b) == 0 || flipped);
	}
}

static void check_fresh(struct fl_pool *pool, const char *spec)
{
	struct fl_node_conf nodes[NODES];
	struct fl_pool_conf conf = conf_of(nodes, spec, true);
	struct fl_pool *fresh = NULL;

	assert_int_equal(fl_pool_new(&fresh, "p", 1), FL_OK);
	assert_int_equal(fl_pool_apply(fresh, &conf, 1, NULL), FL_OK);
	for (unsigned i = 0; i < NODES; i++)
		(void)fl_pool_set_health(
			fresh, name_of(i), (enum fl_health_state)model[i].health, 1);
	struct fl_view *a = fl_pool_view(pool), *b = fl_pool_view(fresh);
	assert_int_equal(a->digest, b->digest);
	assert_int_equal(a->mask_digest, b->mask_digest);
	for (unsigned k = 0; k < KEYS; k++)
		assert_string_equal(pick(a, k), pick(b, k));
	fl_pool_unref(fresh);
}

static void history(const char *spec, uint64_t with_seed)
{
	struct fl_view *kept[HISTORY] = {NULL};
	const char *kept_pick[HISTORY] = {NULL};
	struct fl_pool *pool = NULL;

	seed = with_seed;
	memset(model, 0, sizeof(model));
	assert_int_equal(fl_pool_new(&pool, "p", 1), FL_OK);
	for (unsigned i = 0; i < STEPS; i++) {
		struct fl_view *old = fl_view_ref(fl_pool_view(pool));
		bool membership = step(pool, spec);
		struct fl_view *v = fl_pool_view(pool);

		check_view(v);
		if (!membership)
			check_masks_only(old, v);
		assert_true(v == old || v->epoch == old->epoch + 1);
		/* What somebody holds does not change. */
		if (kept[i % HISTORY])
			assert_string_equal(pick(kept[i % HISTORY], 7), kept_pick[i % HISTORY]);
		fl_view_unref(kept[i % HISTORY]);
		kept[i % HISTORY] = old;
		kept_pick[i % HISTORY] = pick(old, 7);
		if (i % 25 == 0)
			check_fresh(pool, spec);
	}
	check_fresh(pool, spec);
	fl_pool_unref(pool);
	for (unsigned i = 0; i < HISTORY; i++)
		fl_view_unref(kept[i]);
}

static void test_ring(void **unused)
{
	(void)unused;
	history("ring,points=20", 1);
	history("ring,points=20", 2);
}

static void test_table(void **unused)
{
	(void)unused;
	history("table,rows=1024", 3);
	history("table,rows=1024", 4);
}

static void test_rendezvous(void **unused)
{
	(void)unused;
	history("rendezvous", 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_rendezvous),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
