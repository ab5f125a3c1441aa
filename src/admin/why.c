/* /why: who has a key, who would be next, and why: what pool/why.h tells, as JSON. */
#include "admin/priv.h"
#include "pool/why.h"

struct question {
	struct fl_admin *admin;
	struct fl_pool *pool;
	const struct fl_why *why;
	struct fl_key key;
	struct fl_httpd_reply *reply;
};

static void put_candidate(struct fl_httpd_reply *reply, const struct fl_candidate *c)
{
	const struct fl_member *m = c->node.member;

	fl_json_put(reply,
		json_pack("{s:o, s:o, s:o, s:s, s:b, s:i, s:b, s:s, s:s, s:f}", "rank",
			c->rank ? json_integer((json_int_t)c->rank) : json_null(), "name",
			fl_json_text(m->name), "zone", fl_json_text(m->zone), "verdict",
			fl_verdict_name(c->verdict), "taken", c->verdict == FL_VERDICT_TAKEN,
			"weight", (int)m->weight, "backup", m->backup, "admin",
			fl_admin_name(c->node.admin), "health", fl_health_name(c->node.health),
			"ramp", c->ramp),
		false);
}

static json_t *hash_of(const struct question *q)
{
	const fl_placement *p = q->why->view->tier[0].placement;

	if (!(fl_placement_capabilities(p) & FL_BY_HASH))
		return json_null();
	return fl_json_hex(fl_placement_hash(p, q->key.bytes, q->key.len));
}

static json_t *position_of(const struct fl_why *why)
{
	const struct fl_position *at = &why->position;

	if (!why->located)
		return json_null();
	return json_pack("{s:s, s:I, s:I, s:o, s:o, s:o}", "part", at->part, "index",
		(json_int_t)at->index, "count", (json_int_t)at->count, "first",
		fl_json_hex(at->first), "last", fl_json_hex(at->last), "hash",
		fl_json_hex(at->hash));
}

static void put_head(const struct question *q)
{
	const char *form = NULL;
	json_t *key = fl_json_bytes(q->key.bytes, q->key.len, &form);

	fl_json_put(q->reply,
		json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:I, s:o, s:o, s:I, s:o}", "pool",
			fl_json_text(fl_pool_name(q->pool)), "algorithm",
			fl_json_text(fl_pool_spec(q->pool)), "key", key, "key_form", form,
			"hash", hash_of(q), "position", position_of(q->why), "epoch",
			(json_int_t)q->why->view->epoch, "digest",
			fl_json_hex(q->why->view->digest), "mask_digest",
			fl_json_hex(q->why->view->mask_digest), "now_ms",
			(json_int_t)q->why->now_ms, "owner",
			q->why->taken ? fl_json_text(q->why->taken->name) : json_null()),
		true);
}

static void put_answer(const struct question *q)
{
	fl_httpd_printf(q->reply, "{");
	put_head(q);
	fl_httpd_printf(q->reply, ",\"candidates\":[");
	for (size_t i = 0; i < q->why->count && !fl_httpd_failed(q->reply); i++) {
		fl_httpd_printf(q->reply, "%s", i ? "," : "");
		put_candidate(q->reply, &q->why->candidates[i]);
	}
	fl_httpd_printf(q->reply, "]}\n");
}

static void explain(struct question *q)
{
	struct fl_why *why = NULL;
	int rc = fl_pool_why(&why, q->pool, &q->key, fl_admin_now());

	if (rc == FL_ENOMEM) {
		fl_httpd_fail(q->reply);
	} else if (rc != FL_OK) {
		fl_admin_error(q->reply, 500, "the pool cannot place this key");
	} else {
		q->why = why;
		put_answer(q);
	}
	fl_why_free(why);
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
	struct question q = {.admin = admin, .reply = reply};

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
	q.key = fl_key_bytes(params[0].value.p, params[0].value.n);
	explain(&q);
out:
	fl_query_fini(params, 2);
}
