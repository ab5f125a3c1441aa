#include "pool/why.h"

#include "base/assert.h"

#include <stdlib.h>

const char *fl_verdict_name(enum fl_verdict verdict)
{
	static const char *const names[] = {
		[FL_VERDICT_TAKEN] = "taken",
		[FL_VERDICT_BEHIND] = "behind",
		[FL_VERDICT_WARMING] = "warming",
		[FL_VERDICT_DOWN] = "down",
		[FL_VERDICT_EJECTED] = "ejected",
		[FL_VERDICT_DRAIN] = "drain",
		[FL_VERDICT_STANDBY] = "standby",
		[FL_VERDICT_PASSED] = "passed",
		[FL_VERDICT_WEIGHTLESS] = "weightless",
		[FL_VERDICT_STARVED] = "starved",
		[FL_VERDICT_DISABLED] = "disabled",
	};
	return names[verdict];
}

/* The making of one. */
struct making {
	struct fl_why *why;
	bool before; /* the node that has the key is still to come */
	size_t rank; /* of the last owner */
};

static double ramp_of(const struct fl_why *why, const struct fl_pool_node *n)
{
	return fl_ramp(n->ramp_start, why->view->slow_start_ms, why->now_ms);
}

/* Of an owner in the algorithm's order. */
static enum fl_verdict judge(const struct making *m, const struct fl_pool_node *n)
{
	const struct fl_member *taken = m->why->taken;

	if (n->member == taken)
		return FL_VERDICT_TAKEN;
	if (!fl_state_effective(n->admin, n->health).owner) {
		if (n->health == FL_HEALTH_DOWN)
			return FL_VERDICT_DOWN;
		return n->health == FL_HEALTH_EJECTED ? FL_VERDICT_EJECTED : FL_VERDICT_DRAIN;
	}
	if (n->tier > 0 && taken && !taken->backup)
		return FL_VERDICT_STANDBY;
	if (!m->before)
		return FL_VERDICT_BEHIND;
	return ramp_of(m->why, n) < 1 ? FL_VERDICT_WARMING : FL_VERDICT_PASSED;
}

static void put(
	struct making *m, const struct fl_pool_node *n, enum fl_verdict verdict, size_t rank)
{
	m->why->candidates[m->why->count++] =
		(struct fl_candidate){*n, rank, verdict, ramp_of(m->why, n)};
}

static struct fl_pool_node node_at(const struct fl_tier *tier, unsigned t, uint32_t slot)
{
	return (struct fl_pool_node){.member = tier->members[slot],
		.tier = t,
		.slot = slot,
		.admin = tier->admin[slot],
		.health = tier->health[slot],
		.ramp_start = tier->ramp_start[slot]};
}

/* The owners of one tier, as if nobody were masked. */
static int put_owners(struct making *m, unsigned t, const struct fl_key *key)
{
	const struct fl_tier *tier = &m->why->view->tier[t];
	size_t nodes = tier->placement ? fl_placement_count(tier->placement) : 0;
	uint32_t *owners;
	int count;

	if (nodes == 0)
		return FL_OK;
	owners = malloc(nodes * sizeof(*owners));
	count = owners ? fl_owners(tier->placement, key, NULL, owners, nodes) : FL_ENOMEM;
	for (int i = 0; i < count; i++) {
		struct fl_pool_node n = node_at(tier, t, owners[i]);

		put(m, &n, judge(m, &n), ++m->rank);
		if (n.member == m->why->taken)
			m->before = false;
	}
	free(owners);
	return count < 0 ? count : FL_OK;
}

static int by_address(const void *a, const void *b)
{
	const struct fl_member *x = *(const struct fl_member *const *)a,
			       *y = *(const struct fl_member *const *)b;
	return (x > y) - (x < y);
}

/* Those that are no owner of any key, in the order of the conf. */
static int put_ownerless(struct making *m, struct fl_pool *pool)
{
	size_t ranked = m->why->count, count = fl_pool_count(pool);
	const struct fl_member **seen = malloc((ranked + 1) * sizeof(struct fl_member *));

	if (!seen)
		return FL_ENOMEM;
	for (size_t i = 0; i < ranked; i++)
		seen[i] = m->why->candidates[i].node.member;
	qsort((void *)seen, ranked, sizeof(struct fl_member *), by_address);
	for (size_t i = 0; i < count; i++) {
		struct fl_pool_node n = fl_pool_node(pool, i);
		const struct fl_member *member = n.member;

		if (bsearch((const void *)&member, (const void *)seen, ranked,
			    sizeof(struct fl_member *), by_address))
			continue;
		if (!fl_state_effective(n.admin, n.health).built)
			put(m, &n, FL_VERDICT_DISABLED, 0);
		else
			put(m, &n,
				member->weight == 0 ? FL_VERDICT_WEIGHTLESS
						    : FL_VERDICT_STARVED,
				0);
	}
	free((void *)seen);
	return FL_OK;
}

int fl_pool_why(
	struct fl_why **out, struct fl_pool *pool, const struct fl_key *key, uint64_t now_ms)
{
	size_t count = fl_pool_count(pool);
	struct fl_why *why = calloc(1, sizeof(*why) + count * sizeof(why->candidates[0]));
	struct fl_member *taken = NULL;
	struct making m = {.why = why};

	if (!why)
		return FL_ENOMEM;
	why->view = fl_pool_view(pool);
	why->now_ms = now_ms;
	int rc = fl_view_pick(why->view, key, now_ms, &taken);
	why->taken = taken;
	m.before = taken != NULL;
	why->located = fl_locate(why->view->tier[0].placement, key, &why->position) == FL_OK;
	for (unsigned t = 0; t < FL_TIERS && rc == FL_OK; t++)
		rc = put_owners(&m, t, key);
	if (rc == FL_OK)
		rc = put_ownerless(&m, pool);
	if (rc != FL_OK) {
		free(why);
		return rc;
	}
	FL_ASSERT(why->count == count);
	*out = why;
	return FL_OK;
}

void fl_why_free(struct fl_why *why)
{
	free(why);
}
