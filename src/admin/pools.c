/* /pools and /epoch: pools, their tiers, their nodes.
 *
 * A node's `share` is its part of the key space in its tier while nobody is masked: what the
 * placement says, not what masks or a warm-up make of it at this moment (`owner` and `ramp` say
 * that). The stats are sums over workers that write while this reads: each number is right for
 * some moment, together they are not a snapshot. */
#include "admin/priv.h"

#include <stdlib.h>

/* ---- nodes ---- */

struct sums {
	uint64_t requests, failures, active, connections;
};

static struct sums sum_stats(const struct fl_member *m, unsigned workers)
{
	struct sums sums = {0, 0, 0, 0};

	for (unsigned i = 0; m->stats && i < workers; i++) {
		struct fl_node_stats *s = &m->stats[i];
		sums.requests += atomic_load_explicit(&s->requests, memory_order_relaxed);
		sums.failures += atomic_load_explicit(&s->failures, memory_order_relaxed);
		sums.active += atomic_load_explicit(&s->active, memory_order_relaxed);
		sums.connections += atomic_load_explicit(&s->connections, memory_order_relaxed);
	}
	return sums;
}

/* The fields that depend on whether the node is built. */
static json_t *placed(
	struct fl_admin *admin, const struct fl_view *view, const struct fl_pool_node *n)
{
	fl_placement *p = view->tier[n->tier].placement;
	const struct fl_admin_shares *shares;

	if (n->slot == FL_NONE || !p || n->slot >= fl_placement_slots(p))
		return json_pack("{s:n, s:f, s:b}", "slot", "share", 0.0, "starved", 0);
	shares = fl_admin_shares(admin, p);
	if (!shares)
		return NULL;
	return json_pack("{s:I, s:f, s:b}", "slot", (json_int_t)n->slot, "share",
		shares->shares[n->slot], "starved", fl_placement_starved(p, n->slot));
}

static void put_node(struct fl_admin *admin, const struct fl_view *view,
	const struct fl_pool_node *n, struct fl_httpd_reply *reply)
{
	const struct fl_member *m = n->member;
	bool owner = fl_state_effective(n->admin, n->health).owner && m->weight > 0;
	struct sums sums = sum_stats(m, admin->source.workers);

	fl_httpd_printf(reply, "{");
	fl_json_put(reply,
		json_pack("{s:o, s:o, s:i, s:o, s:b, s:s, s:s, s:b, s:f}", "name",
			fl_json_text(m->name), "address", fl_json_text(m->address), "weight",
			(int)m->weight, "zone", fl_json_text(m->zone), "backup", m->backup,
			"admin", fl_admin_name(n->admin), "health", fl_health_name(n->health),
			"owner", owner, "ramp",
			fl_ramp(n->ramp_start, view->slow_start_ms, fl_admin_now())),
		true);
	fl_httpd_printf(reply, ",");
	fl_json_put(reply, placed(admin, view, n), true);
	fl_httpd_printf(reply, ",");
	fl_json_put(reply,
		json_pack("{s:I, s:I, s:I, s:I}", "requests", (json_int_t)sums.requests,
			"failures", (json_int_t)sums.failures, "active",
			(json_int_t)sums.active, "connections", (json_int_t)sums.connections),
		true);
	fl_httpd_printf(reply, "}");
}

/* ---- pools ---- */

static void put_tier(struct fl_admin *admin, const struct fl_tier *tier, unsigned rank,
	struct fl_httpd_reply *reply)
{
	fl_placement *p = tier->placement;
	const struct fl_admin_shares *shares = fl_admin_shares(admin, p);

	fl_json_put(reply,
		!shares ? NULL
			: json_pack("{s:i, s:I, s:I, s:I, s:o, s:b, s:b, s:b, s:I}", "rank",
				  (int)rank, "nodes", (json_int_t)fl_placement_count(p),
				  "eligible", (json_int_t)tier->eligible, "memory",
				  (json_int_t)fl_placement_memory(p), "digest",
				  fl_json_hex(fl_placement_digest(p)), "masked", tier->masked,
				  "warming", tier->warming, "share_exact", shares->samples == 0,
				  "share_samples", (json_int_t)shares->samples),
		false);
}

static void put_tiers(
	struct fl_admin *admin, const struct fl_view *view, struct fl_httpd_reply *reply)
{
	const char *comma = "";

	for (unsigned t = 0; t < FL_TIERS; t++) {
		if (!view->tier[t].placement)
			continue;
		fl_httpd_printf(reply, "%s", comma);
		put_tier(admin, &view->tier[t], t, reply);
		comma = ",";
	}
}

static json_int_t memory_of(const struct fl_view *view)
{
	size_t bytes = 0;

	for (unsigned t = 0; t < FL_TIERS; t++) {
		if (view->tier[t].placement)
			bytes += fl_placement_memory(view->tier[t].placement);
	}
	return (json_int_t)bytes;
}

static json_t *identity(struct fl_pool *pool)
{
	const struct fl_view *view = fl_pool_view(pool);

	return json_pack("{s:o, s:I, s:o, s:o}", "name", fl_json_text(fl_pool_name(pool)),
		"epoch", (json_int_t)view->epoch, "digest", fl_json_hex(view->digest),
		"mask_digest", fl_json_hex(view->mask_digest));
}

static void put_pool(struct fl_admin *admin, struct fl_pool *pool, struct fl_httpd_reply *reply)
{
	const struct fl_view *view = fl_pool_view(pool);
	size_t count = fl_pool_count(pool);

	fl_httpd_printf(reply, "{");
	fl_json_put(reply, identity(pool), true);
	fl_httpd_printf(reply, ",");
	fl_json_put(reply,
		json_pack("{s:o, s:I, s:I}", "algorithm", fl_json_text(fl_pool_spec(pool)),
			"slow_start_ms", (json_int_t)view->slow_start_ms, "memory",
			memory_of(view)),
		true);
	fl_httpd_printf(reply, ",\"tiers\":[");
	put_tiers(admin, view, reply);
	fl_httpd_printf(reply, "],\"nodes\":[");
	for (size_t i = 0; i < count && !fl_httpd_failed(reply); i++) {
		struct fl_pool_node n = fl_pool_node(pool, i);
		fl_httpd_printf(reply, "%s", i ? "," : "");
		put_node(admin, view, &n, reply);
	}
	fl_httpd_printf(reply, "]}");
}

/* No parameter is known. */
static bool no_query(const struct fl_httpd_request *req, struct fl_httpd_reply *reply)
{
	return fl_query_read(req->query, NULL, 0, reply);
}

void fl_admin_pools(void *cookie, const struct fl_httpd_request *req, const char *rest,
	struct fl_httpd_reply *reply)
{
	struct fl_admin *admin = cookie;
	const struct fl_admin_source *source = &admin->source;
	size_t count = source->count(source->cookie);
	struct fl_pool *pool;

	if (!no_query(req, reply))
		return;
	if (rest) {
		pool = fl_admin_pool(admin, fl_slice_of(rest));
		if (!pool) {
			fl_admin_error(reply, 404, "no such pool; /pools lists them");
			return;
		}
		put_pool(admin, pool, reply);
		fl_httpd_printf(reply, "\n");
		return;
	}
	fl_httpd_printf(reply, "{\"pools\":[");
	for (size_t i = 0; i < count && !fl_httpd_failed(reply); i++) {
		fl_httpd_printf(reply, "%s", i ? "," : "");
		put_pool(admin, source->pool(source->cookie, i), reply);
	}
	fl_httpd_printf(reply, "]}\n");
}

void fl_admin_epoch(void *cookie, const struct fl_httpd_request *req, const char *rest,
	struct fl_httpd_reply *reply)
{
	const struct fl_admin *admin = cookie;
	const struct fl_admin_source *source = &admin->source;
	size_t count = source->count(source->cookie);

	(void)rest;
	if (!no_query(req, reply))
		return;
	fl_httpd_printf(reply, "{\"pools\":[");
	for (size_t i = 0; i < count; i++) {
		fl_httpd_printf(reply, "%s", i ? "," : "");
		fl_json_put(reply, identity(source->pool(source->cookie, i)), false);
	}
	fl_httpd_printf(reply, "]}\n");
}
