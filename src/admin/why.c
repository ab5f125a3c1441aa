/* /why: the owners of a key in the algorithm's own order, nobody left out, and what became of
 * each. Who is taken is not reasoned here: it is what fl_view_pick answers for the same view,
 * key and moment; the verdicts explain that answer.
 *
 *   taken     has the key
 *   behind    would be next; a node before it has the key
 *   warming   would have the key when warm; its ramp has not reached this key yet
 *   down, ejected, drain   masked, so keys go past it
 *   standby   a backup, and an ordinary node has the key
 *   passed    stands before the taken one, yet this algorithm's order under a mask is another
 *   weightless, starved    can own no key: weight 0, or no row or point to its name
 *   disabled  not built */
#include "admin/priv.h"

#include <stdlib.h>

struct question {
	struct fl_admin *admin;
	struct fl_pool *pool;
	const struct fl_view *view;
	struct fl_key key;
	uint64_t now_ms;
	const struct fl_member *taken; /* or NULL */
	bool before;                   /* `taken` is still to come */
	size_t rank;                   /* of the last owner */
	const char *comma;
	struct fl_httpd_reply *reply;
};

static const char *masked_by(enum fl_admin_state admin, enum fl_health_state health)
{
	if (health == FL_HEALTH_DOWN)
		return "down";
	if (health == FL_HEALTH_EJECTED)
		return "ejected";
	return admin == FL_ADMIN_DRAIN ? "drain" : "disabled";
}

/* Of an owner in the algorithm's order. */
static const char *verdict(const struct question *q, unsigned t, uint32_t slot)
{
	const struct fl_tier *tier = &q->view->tier[t];
	const struct fl_member *m = tier->members[slot];
	bool owner = fl_state_effective(tier->admin[slot], tier->health[slot]).owner;

	if (m == q->taken)
		return "taken";
	if (!owner)
		return masked_by(tier->admin[slot], tier->health[slot]);
	if (t > 0 && q->taken && !q->taken->backup)
		return "standby";
	if (!q->before)
		return "behind";
	return fl_ramp(tier->ramp_start[slot], q->view->slow_start_ms, q->now_ms) < 1
	               ? "warming"
	               : "passed";
}

static void put_candidate(struct question *q, const struct fl_pool_node *n, const char *why)
{
	const struct fl_member *m = n->member;
	bool ranked = strcmp(why, "weightless") != 0 && strcmp(why, "starved") != 0 &&
	              strcmp(why, "disabled") != 0;

	fl_httpd_printf(q->reply, "%s{", q->comma);
	q->comma = ",";
	fl_json_put(q->reply,
		json_pack("{s:o, s:o, s:s, s:b, s:i, s:b, s:s, s:s, s:f}", "rank",
			ranked ? json_integer((json_int_t)++q->rank) : json_null(), "name",
			fl_json_text(m->name), "verdict", why, "taken", m == q->taken, "weight",
			(int)m->weight, "backup", m->backup, "admin", fl_admin_name(n->admin),
			"health", fl_health_name(n->health), "ramp",
			fl_ramp(n->ramp_start, q->view->slow_start_ms, q->now_ms)),
		true);
	fl_httpd_printf(q->reply, "}");
}

static struct fl_pool_node node_at(const struct fl_tier *tier, uint32_t slot)
{
	return (struct fl_pool_node){.member = tier->members[slot],
		.slot = slot,
		.admin = tier->admin[slot],
		.health = tier->health[slot],
		.ramp_start = tier->ramp_start[slot]};
}

static void put_owners(
	struct question *q, unsigned t, const uint32_t *slots, int count, bool *seen)
{
	const struct fl_tier *tier = &q->view->tier[t];

	for (int i = 0; i < count && !fl_httpd_failed(q->reply); i++) {
		uint32_t s = slots[i];
		struct fl_pool_node n = node_at(tier, s);
		const char *why = verdict(q, t, s);
		if (tier->members[s] == q->taken)
			q->before = false;
		put_candidate(q, &n, why);
		seen[s] = true;
	}
}

/* Nodes that are no owner of any key. */
static void put_ownerless(struct question *q, unsigned t, const bool *seen)
{
	const struct fl_tier *tier = &q->view->tier[t];

	for (uint32_t s = 0; s < tier->slots && !fl_httpd_failed(q->reply); s++) {
		struct fl_pool_node n = node_at(tier, s);
		if (n.member && !seen[s])
			put_candidate(q, &n, n.member->weight == 0 ? "weightless" : "starved");
	}
}

/* The owners of one tier, and then those in it that can own nothing. */
static void put_tier(struct question *q, unsigned t)
{
	const struct fl_tier *tier = &q->view->tier[t];
	size_t nodes = fl_placement_count(tier->placement);
	uint32_t *owners = calloc(nodes + 1, sizeof(*owners));
	bool *seen = calloc((size_t)tier->slots + 1, sizeof(*seen));
	int count = FL_ENOMEM;

	if (owners && seen)
		count = nodes ? fl_owners(tier->placement, &q->key, NULL, owners, nodes) : 0;
	if (count >= 0) {
		put_owners(q, t, owners, count, seen);
		put_ownerless(q, t, seen);
	} else {
		fl_httpd_fail(q->reply);
	}
	free(owners);
	free(seen);
}

static void put_disabled(struct question *q)
{
	size_t count = fl_pool_count(q->pool);

	for (size_t i = 0; i < count && !fl_httpd_failed(q->reply); i++) {
		struct fl_pool_node n = fl_pool_node(q->pool, i);
		if (!fl_state_effective(n.admin, n.health).built)
			put_candidate(q, &n, "disabled");
	}
}

static json_t *hash_of(const struct question *q)
{
	const fl_placement *p = q->view->tier[0].placement;

	if (!(fl_placement_capabilities(p) & FL_BY_HASH))
		return json_null();
	return fl_json_hex(fl_placement_hash(p, q->key.bytes, q->key.len));
}

static void put_head(struct question *q)
{
	const char *form = NULL;
	json_t *key = fl_json_bytes(q->key.bytes, q->key.len, &form);

	fl_json_put(q->reply,
		json_pack("{s:o, s:o, s:o, s:s, s:o, s:I, s:o, s:o, s:I, s:o}", "pool",
			fl_json_text(fl_pool_name(q->pool)), "algorithm",
			fl_json_text(fl_pool_spec(q->pool)), "key", key, "key_form", form,
			"hash", hash_of(q), "epoch", (json_int_t)q->view->epoch, "digest",
			fl_json_hex(q->view->digest), "mask_digest",
			fl_json_hex(q->view->mask_digest), "now_ms", (json_int_t)q->now_ms,
			"owner", q->taken ? fl_json_text(q->taken->name) : json_null()),
		true);
}

static void explain(struct question *q)
{
	struct fl_member *taken = NULL;

	if (fl_view_pick(q->view, &q->key, q->now_ms, &taken) != FL_OK) {
		fl_admin_error(q->reply, 500, "the pool cannot place this key");
		return;
	}
	q->taken = taken;
	q->before = taken != NULL;
	fl_httpd_printf(q->reply, "{");
	put_head(q);
	fl_httpd_printf(q->reply, ",\"candidates\":[");
	for (unsigned t = 0; t < FL_TIERS; t++) {
		if (q->view->tier[t].placement)
			put_tier(q, t);
	}
	put_disabled(q);
	fl_httpd_printf(q->reply, "]}\n");
}

/* The pool that is asked about: the only one need not be named. */
static struct fl_pool *pool_of(
	const struct fl_admin *admin, const struct fl_param *name, struct fl_httpd_reply *reply)
{
	const struct fl_admin_source *source = &admin->source;
	struct fl_pool *pool = NULL;

	if (name->given)
		pool = fl_admin_pool(admin, (struct fl_slice){name->value.p, name->value.n});
	else if (source->count(source->cookie) == 1)
		pool = source->pool(source->cookie, 0);
	if (pool)
		return pool;
	if (name->given)
		fl_admin_error(reply, 404, "no such pool; /pools lists them");
	else
		fl_admin_error(reply, 400, "there is not one pool only: add pool=NAME");
	return NULL;
}

void fl_admin_why(void *cookie, const struct fl_httpd_request *req, const char *rest,
	struct fl_httpd_reply *reply)
{
	struct fl_admin *admin = cookie;
	struct fl_param params[] = {{.name = "key"}, {.name = "pool"}};
	struct question q = {
		.admin = admin, .reply = reply, .now_ms = fl_admin_now(), .comma = ""};

	(void)rest;
	if (!fl_query_read(req->query, params, 2, reply))
		goto out;
	if (!params[0].given) {
		fl_admin_error(reply, 400, "which key? add key=BYTES, percent-encoded");
		goto out;
	}
	q.pool = pool_of(admin, &params[1], reply);
	if (!q.pool)
		goto out;
	q.view = fl_pool_view(q.pool);
	q.key = fl_key_bytes(params[0].value.p, params[0].value.n);
	explain(&q);
out:
	fl_query_fini(params, 2);
}
