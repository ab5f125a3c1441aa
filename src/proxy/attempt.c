/* An attempt: the key's owner, or after a failure its next owner that was not tried, and a
 * connection to it, kept or new.
 *
 * What failed may be tried again as long as the client cannot tell: before the first byte of the
 * answer, and only if nothing was sent or sending it twice does no harm. A kept connection that
 * ends without an answer says nothing against its node, which is then asked once more. */
#include "proxy/exchange_priv.h"

#include "base/assert.h"
#include "base/clock.h"

#include <errno.h>

/* ---- failures and retries ---- */

static bool may_try_again(const struct fl_exchange *ex)
{
	FL_ASSERT(!ex->answered);
	/* Before the connection stood, nothing was sent. */
	return !ex->begun || (ex->may_repeat && !ex->replay.failed);
}

void fl_exchange_blame(struct fl_exchange *ex)
{
	fl_count(ex->worker->counters, FL_COUNTER_UPSTREAM_ERRORS, 1);
	fl_stat_add(&ex->node->stats->failures, 1);
}

void fl_exchange_failed(struct fl_exchange *ex, const char *why)
{
	/* A kept connection that ends without an answer says only that the node closed it while
	 * the request was on its way. */
	bool stale = ex->conn && ex->conn->reused;
	bool again = may_try_again(ex);

	fl_timer_disarm(&ex->timer);
	fl_session_clock_stop(ex->session);
	ex->failure = why;
	if (stale) {
		ex->fresh = true;
		if (again)
			ex->attempts--;
	} else {
		fl_exchange_blame(ex);
		fl_wnode_failed(ex->pool, ex->node, why);
	}
	if (!again) {
		fl_exchange_reply(ex, 502, why);
		return;
	}
	fl_exchange_leave_node(ex);
	fl_exchange_set_state(ex, FL_EX_PICK);
	if (!stale)
		fl_count(ex->worker->counters, FL_COUNTER_RETRIES, 1);
	if (ex->conn)
		fl_exchange_drop_conn(ex, true); /* the next attempt begins in on_conn_closed */
	else
		fl_exchange_attempt(ex);
}

/* ---- choosing a node and connecting ---- */

static bool was_tried(const struct fl_exchange *ex, uint64_t id)
{
	for (unsigned i = 0; i < ex->attempts; i++)
		if (ex->tried[i] == id)
			return true;
	return false;
}

/* The key's owner, or after failures its next owner that was not tried. */
static struct fl_member *choose(struct fl_exchange *ex)
{
	const struct fl_view *view = fl_wpool_view(ex->pool);
	struct fl_key key = fl_key_bytes(ex->key.p, ex->key.n);
	struct fl_member *owners[FL_ATTEMPTS_MAX + 1] = {NULL};

	if (!ex->attempts) {
		bool warming = view->tier[0].warming || view->tier[1].warming;
		if (fl_view_pick(view, &key, warming ? fl_wall_ms() : 0, &owners[0]))
			return NULL;
		return owners[0];
	}
	int count = fl_view_owners(view, &key, owners, ex->attempts + 1);
	for (int i = 0; i < count; i++)
		if (!was_tried(ex, owners[i]->id))
			return owners[i];
	return NULL;
}

static void on_connect(void *cookie, int result)
{
	struct fl_exchange *ex = cookie;

	fl_timer_disarm(&ex->timer);
	if (result < 0)
		fl_exchange_failed(ex, result == -ECONNREFUSED
					       ? "the node refused the connection"
					       : "the node could not be connected to");
	else
		fl_exchange_start(ex);
}

static void connect_node(struct fl_exchange *ex)
{
	int error;

	if (!ex->node->origin) {
		fl_exchange_failed(ex, "the node's address is not known");
		return;
	}
	if (!ex->fresh)
		ex->conn = fl_origin_take(ex->node->origin, ex);
	if (ex->conn) {
		fl_count(ex->worker->counters, FL_COUNTER_UPSTREAM_REUSES, 1);
		fl_exchange_start(ex);
		return;
	}
	fl_count(ex->worker->counters, FL_COUNTER_UPSTREAM_CONNECTS, 1);
	fl_exchange_set_state(ex, FL_EX_CONNECT);
	ex->conn = fl_origin_connect(ex->node->origin, ex, on_connect, &error);
	if (!ex->conn)
		fl_exchange_failed(ex, error == -ECONNREFUSED
					       ? "the node refused the connection"
					       : "no connection could be made");
	else
		fl_exchange_clocks(ex);
}

void fl_exchange_attempt(struct fl_exchange *ex)
{
	struct fl_member *member = NULL;

	if (ex->attempts < (unsigned)ex->pool->forward->attempts)
		member = choose(ex);
	struct fl_wnode *node = member ? fl_wpool_node(ex->pool, member) : NULL;
	if (!node) {
		if (ex->failure) {
			fl_exchange_reply(ex, 502, ex->failure);
		} else {
			fl_count(ex->worker->counters, FL_COUNTER_NO_OWNER, 1);
			fl_exchange_reply(ex, 503, "no node is there for this key");
		}
		return;
	}
	fl_wnode_ref(node);
	ex->node = node;
	ex->tried[ex->attempts++] = member->id;
	ex->asked_us = fl_loop_now_us(ex->worker->loop);
	fl_stat_add(&node->stats->requests, 1);
	fl_stat_add(&node->stats->active, 1);
	connect_node(ex);
}
