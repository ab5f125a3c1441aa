/* /movement: what the last change of a pool's membership moved, and from whom to whom.
 *
 * `least` is the least that any scheme has to move; `excess` is what went beyond it. Where the
 * numbers come from samples, `interval` is the half-width of the 99 % interval of `moved`. */
#include "admin/priv.h"

enum {
	FLOWS_MOST = 1024, /* the largest; there can be as many as pairs of nodes */
};

static void put_flows(const struct fl_movement *m, struct fl_httpd_reply *reply)
{
	size_t count = m->count < FLOWS_MOST ? m->count : FLOWS_MOST;

	fl_httpd_printf(reply, ",\"flows\":[");
	for (size_t i = 0; i < count; i++) {
		const struct fl_flow *f = &m->flows[i];
		fl_httpd_printf(reply, "%s", i ? "," : "");
		fl_json_put(reply,
			json_pack("{s:o, s:o, s:f}", "from", fl_json_text(f->from), "to",
				fl_json_text(f->to), "share", f->share),
			false);
	}
	fl_httpd_printf(reply, "]");
}

static void put_report(const struct fl_pool_report *r, struct fl_httpd_reply *reply)
{
	const struct fl_movement *m = r->movement;
	double excess = m->moved > m->least ? m->moved - m->least : 0;

	fl_httpd_printf(reply, "{");
	fl_json_put(reply,
		json_pack("{s:I, s:o, s:o, s:I, s:f, s:f, s:f, s:b, s:f, s:I}", "epoch",
			(json_int_t)r->epoch, "digest_before", fl_json_hex(r->digest_before),
			"digest_after", fl_json_hex(r->digest_after), "at_ms",
			(json_int_t)r->at_ms, "moved", m->moved, "least", m->least, "excess",
			excess, "exact", m->exact, "interval", m->interval, "flows_total",
			(json_int_t)m->count),
		true);
	put_flows(m, reply);
	fl_httpd_printf(reply, "}");
}

static void put_pool(struct fl_pool *pool, struct fl_httpd_reply *reply)
{
	const struct fl_pool_report *report = fl_pool_report(pool);

	fl_httpd_printf(reply, "{");
	fl_json_put(reply, json_pack("{s:o}", "name", fl_json_text(fl_pool_name(pool))), true);
	fl_httpd_printf(reply, ",\"change\":");
	if (report)
		put_report(report, reply);
	else
		fl_httpd_printf(reply, "null");
	fl_httpd_printf(reply, "}");
}

static void put_all(const struct fl_admin_source *source, struct fl_httpd_reply *reply)
{
	size_t count = source->count(source->cookie);

	for (size_t i = 0; i < count; i++) {
		fl_httpd_printf(reply, "%s", i ? "," : "");
		put_pool(source->pool(source->cookie, i), reply);
	}
}

void fl_admin_movement(void *cookie, const struct fl_httpd_request *req, const char *rest,
	struct fl_httpd_reply *reply)
{
	const struct fl_admin *admin = cookie;
	struct fl_param wanted = {.name = "pool"};
	struct fl_pool *pool = NULL;

	(void)rest;
	if (!fl_query_read(req->query, &wanted, 1, reply))
		goto out;
	if (wanted.given && !(pool = fl_admin_pool(admin,
				      (struct fl_slice){wanted.value.p, wanted.value.n}))) {
		fl_admin_error(reply, 404, "no such pool; /pools lists them");
		goto out;
	}
	fl_httpd_printf(reply, "{\"pools\":[");
	if (pool)
		put_pool(pool, reply);
	else
		put_all(&admin->source, reply);
	fl_httpd_printf(reply, "]}\n");
out:
	fl_query_fini(&wanted, 1);
}
