/* A pool as one worker sees it: its view, and this worker's node for each member of it.
 *
 * A new view is noticed by one epoch compare a request; then the table of nodes is made anew,
 * O(nodes), and nodes whose member stayed keep their connections. Nodes that left live on until
 * the last exchange that uses them ends. */
#include "proxy/worker.h"

#include "base/assert.h"

#include <stdlib.h>

void fl_wnode_ref(struct fl_wnode *n)
{
	n->refs++;
}

void fl_wnode_unref(struct fl_wnode *n)
{
	if (!n || --n->refs)
		return;
	if (n->origin) {
		fl_origin_retire(n->origin);
		fl_origin_unref(n->origin);
	}
	fl_member_unref(n->member);
	free(n);
}

static void release_member(void *member)
{
	fl_member_unref(member);
}

static struct fl_wnode *node_new(struct fl_wpool *p, struct fl_member *member)
{
	struct fl_wnode *n = calloc(1, sizeof(*n));
	struct fl_addr addr;

	if (!n)
		return NULL;
	n->refs = 1;
	n->member = fl_member_ref(member);
	n->stats = &member->stats[p->worker->index];
	struct fl_origin_options options = {
		.keepalive_ms = p->forward->keepalive_ms,
		.keepalive = (unsigned)p->forward->keepalive,
	};
	if (!member->address || fl_addr_parse(&addr, member->address, NULL))
		return n;
	n->origin = fl_origin_new(p->worker->loop, &addr, &options, &n->stats->connections,
		fl_member_ref(member), release_member);
	if (!n->origin)
		fl_member_unref(member);
	return n;
}

struct fl_wpool *fl_wpool_new(struct fl_worker *w, struct fl_pool *pool)
{
	struct fl_wpool *p = aligned_alloc(_Alignof(struct fl_wpool), sizeof(*p));

	if (!p)
		return NULL;
	*p = (struct fl_wpool){.worker = w, .refs = 1};
	p->pool = fl_pool_ref(pool);
	fl_snap_reader_init(&p->reader, fl_pool_snap(pool));
	return p;
}

static void drop_nodes(struct fl_wpool *p)
{
	for (size_t i = 0; p->nodes && i <= p->mask; i++)
		fl_wnode_unref(p->nodes[i]);
	free(p->nodes);
	p->nodes = NULL;
	p->mask = 0;
	p->epoch = 0;
}

void fl_wpool_configure(
	struct fl_wpool *p, struct fl_proxy_conf *conf, const struct fl_forward_conf *forward)
{
	atomic_fetch_add_explicit(&conf->refs, 1, memory_order_relaxed);
	if (p->conf)
		fl_proxy_conf_unref(p->conf);
	p->conf = conf;
	p->forward = forward;
	for (size_t i = 0; p->nodes && i <= p->mask; i++) {
		if (p->nodes[i] && p->nodes[i]->origin) {
			p->nodes[i]->origin->options.keepalive_ms = forward->keepalive_ms;
			p->nodes[i]->origin->options.keepalive = (unsigned)forward->keepalive;
		}
	}
}

struct fl_wpool *fl_wpool_ref(struct fl_wpool *p)
{
	p->refs++;
	return p;
}

void fl_wpool_unref(struct fl_wpool *p)
{
	if (!p || --p->refs)
		return;
	drop_nodes(p);
	fl_snap_reader_fini(&p->reader);
	fl_pool_unref(p->pool);
	if (p->conf)
		fl_proxy_conf_unref(p->conf);
	free(p);
}

void fl_wpool_retire(struct fl_wpool *p)
{
	drop_nodes(p);
	fl_snap_reader_park(&p->reader);
	fl_wpool_unref(p);
}

/* The place of a member id: where it is, or the free place where it belongs. */
static struct fl_wnode **place_of(struct fl_wnode **nodes, size_t mask, uint64_t id)
{
	size_t at = (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;

	while (nodes[at] && nodes[at]->member->id != id)
		at = (at + 1) & mask;
	return &nodes[at];
}

/* A table of nodes for `view`; nodes that are known already are shared with the old table. */
static struct fl_wnode **table_for(struct fl_wpool *p, const struct fl_view *view, size_t *mask)
{
	size_t want = 16;

	for (int t = 0; t < FL_TIERS; t++)
		want += 2 * (size_t)view->tier[t].slots;
	size_t size = 16;
	while (size < want)
		size *= 2;
	*mask = size - 1;
	struct fl_wnode **nodes = calloc(size, sizeof(struct fl_wnode *));
	if (!nodes)
		return NULL;
	for (int t = 0; t < FL_TIERS; t++) {
		const struct fl_tier *tier = &view->tier[t];
		for (uint32_t slot = 0; slot < tier->slots; slot++) {
			struct fl_member *m = tier->members[slot];
			if (!m)
				continue;
			struct fl_wnode *old =
				p->nodes ? *place_of(p->nodes, p->mask, m->id) : NULL;
			if (old)
				fl_wnode_ref(old);
			else
				old = node_new(p, m);
			if (old)
				*place_of(nodes, *mask, m->id) = old;
		}
	}
	return nodes;
}

const struct fl_view *fl_wpool_view(struct fl_wpool *p)
{
	const struct fl_view *view = fl_snap_read(&p->reader);

	if (__builtin_expect(view->epoch != p->epoch || !p->nodes, 0)) {
		size_t mask;
		struct fl_wnode **nodes = table_for(p, view, &mask);
		if (nodes) {
			drop_nodes(p);
			p->nodes = nodes;
			p->mask = mask;
			p->epoch = view->epoch;
		}
	}
	return view;
}

struct fl_wnode *fl_wpool_node(struct fl_wpool *p, const struct fl_member *member)
{
	return p->nodes ? *place_of(p->nodes, p->mask, member->id) : NULL;
}

/* ---- telling the control thread ---- */

void fl_wnode_failed(struct fl_wpool *p, struct fl_wnode *n, const char *why)
{
	n->fails++;
	if (!p->forward->eject_fails || n->fails < (uint64_t)p->forward->eject_fails ||
		n->reported == p->epoch)
		return;
	/* Once a view: if it changed nothing (the last eligible node), saying it again would
	 * not either. */
	n->reported = p->epoch;
	fl_reports_failing(fl_proxy_reports(p->worker->proxy), p->pool, n->member, why);
}
