/* The checks of a pool: a node's schedule, its counts, and what follows from them.
 *
 * The pool holds the states; here stand only counts and clocks, so the two cannot disagree: a
 * verdict always looks up the state as it is now. A node is at any time in one of these:
 * waiting for its clock, waiting in the queue for one of the MAX_RUNNING places, or being
 * probed. Without active checks only ejected nodes have a clock running.
 *
 * A posted change publishes a view, whose subscriber calls fl_health_sync: that only sets a
 * timer, so nothing here is entered twice. */
#include "health/health.h"

#include "health/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	MAX_RUNNING = 256,
	RETRY_MS = 1000, /* a sync that found no memory is tried again */
};

struct node {
	struct fl_health *owner;
	struct fl_member *member;
	enum fl_health_state seen; /* as of the last sync, or our own change since */
	unsigned good, bad;        /* in a row */
	struct fl_timer timer;     /* until the next probe, or until an ejection ends */
	struct fl_link waiting;    /* in the queue */
	struct fl_probe *probe;    /* under way, or NULL */
	bool stays;                /* for the time of a sync */
};

struct fl_health {
	struct fl_loop *loop;
	struct fl_pool *pool;
	struct fl_health_hooks hooks;
	struct fl_health_conf conf; /* path and host are its own */
	uint64_t eject_ms;
	struct fl_timer sync;
	struct node **nodes; /* sorted by name */
	size_t count;
	struct fl_link queue;
	size_t running;
};

static void run_queue(struct fl_health *h);

static bool active(const struct fl_health *h)
{
	return h->conf.kind != FL_HEALTH_NONE;
}

static uint64_t wall_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* When in the first interval a node's turn comes: FNV-1a of its name, scaled. */
static uint64_t phase(const char *name, uint64_t interval)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3;
	h ^= h >> 29;
	h *= 0x9e3779b97f4a7c15;
	return (uint64_t)(((unsigned __int128)h * interval) >> 64);
}

/* ---- states ---- */

/* The node's state in the pool as it is now; false when it is no longer there. */
static bool current(const struct fl_health *h, const struct node *n, enum fl_health_state *out)
{
	const struct fl_view *view = fl_pool_view(h->pool);

	for (unsigned t = 0; t < FL_TIERS; t++) {
		const struct fl_tier *tier = &view->tier[t];
		uint32_t slot = tier->placement
		                        ? fl_placement_find(tier->placement, n->member->name)
		                        : FL_NONE;
		if (slot == FL_NONE)
			continue;
		*out = tier->health[slot];
		return true;
	}
	return false;
}

static void change(struct fl_health *h, struct node *n, enum fl_health_state from,
	enum fl_health_state to, const char *why)
{
	if (fl_pool_set_health(h->pool, n->member->name, to, wall_ms()) != FL_OK)
		return; /* gone, or no memory: the next verdict tries again */
	n->seen = to;
	if (h->hooks.on_change)
		h->hooks.on_change(
			h->hooks.cookie, fl_pool_name(h->pool), n->member->name, from, to, why);
}

/* ---- probing ---- */

static void judge(struct fl_health *h, struct node *n, bool ok, const char *why)
{
	enum fl_health_state now;

	n->good = ok ? n->good + 1 : 0;
	n->bad = ok ? 0 : n->bad + 1;
	fl_timer_set(h->loop, &n->timer, h->conf.interval_ms);
	if (!current(h, n, &now))
		return;
	if (now != FL_HEALTH_UP && n->good >= h->conf.rise)
		change(h, n, now, FL_HEALTH_UP, why);
	else if (now != FL_HEALTH_DOWN && n->bad >= h->conf.fall)
		change(h, n, now, FL_HEALTH_DOWN, why);
}

static void on_probed(void *cookie, bool ok, const char *why)
{
	struct node *n = cookie;
	struct fl_health *h = n->owner;

	n->probe = NULL;
	h->running--;
	judge(h, n, ok, why);
	run_queue(h);
}

static const char *host_of(const struct fl_health *h, const struct fl_member *m)
{
	if (h->conf.http.host)
		return h->conf.http.host;
	return strncmp(m->address, "unix:", 5) == 0 ? "localhost" : m->address;
}

static int address_of(const struct fl_health *h, const struct fl_member *m, struct fl_addr *out)
{
	if (h->hooks.address)
		return h->hooks.address(h->hooks.cookie, m, out);
	return fl_addr_parse(out, m->address, NULL);
}

static void start(struct fl_health *h, struct node *n)
{
	struct fl_addr addr;
	char why[96];

	if (!n->member->address || address_of(h, n->member, &addr) < 0) {
		judge(h, n, false, "its address is not known");
		return;
	}
	int rc = fl_probe_start(
		&n->probe, h->loop, &addr, &h->conf, host_of(h, n->member), on_probed, n);
	if (rc < 0) {
		(void)snprintf(why, sizeof(why), "cannot connect: %s", strerror(-rc));
		judge(h, n, false, why);
		return;
	}
	h->running++;
}

static void run_queue(struct fl_health *h)
{
	while (h->running < MAX_RUNNING && !fl_list_empty(&h->queue)) {
		struct node *n = fl_container_of(h->queue.next, struct node, waiting);
		fl_list_remove(&n->waiting);
		start(h, n);
	}
}

static void on_timer(void *cookie)
{
	struct node *n = cookie;
	struct fl_health *h = n->owner;
	enum fl_health_state now;

	if (active(h)) {
		fl_list_push_back(&h->queue, &n->waiting);
		run_queue(h);
	} else if (current(h, n, &now) && now == FL_HEALTH_EJECTED) {
		change(h, n, now, FL_HEALTH_UP, "its time out is over");
		if (n->seen == FL_HEALTH_EJECTED)
			fl_timer_set(h->loop, &n->timer, RETRY_MS);
	}
}

/* ---- a node's clock ---- */

/* Ends what is under way for a node and forgets its counts. */
static void halt(struct fl_health *h, struct node *n)
{
	fl_timer_cancel(&n->timer);
	fl_list_remove(&n->waiting);
	if (n->probe) {
		fl_probe_cancel(n->probe);
		n->probe = NULL;
		h->running--;
	}
	n->good = n->bad = 0;
}

/* Begins anew by the state that the node is in. */
static void begin(struct fl_health *h, struct node *n)
{
	halt(h, n);
	if (active(h))
		fl_timer_set(h->loop, &n->timer,
			n->seen == FL_HEALTH_EJECTED
				? 0
				: phase(n->member->name, h->conf.interval_ms));
	else if (n->seen == FL_HEALTH_EJECTED)
		fl_timer_set(h->loop, &n->timer, h->eject_ms);
	else if (n->seen == FL_HEALTH_DOWN)
		change(h, n, FL_HEALTH_DOWN, FL_HEALTH_UP, "it is no longer checked");
}

static struct node *node_new(struct fl_health *h, struct fl_member *m)
{
	struct node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->owner = h;
	n->member = fl_member_ref(m);
	fl_timer_init(&n->timer, on_timer, n);
	fl_list_init(&n->waiting);
	return n;
}

static void node_free(struct fl_health *h, struct node *n)
{
	halt(h, n);
	fl_member_unref(n->member);
	free(n);
}

/* What the view says of a node that was known before. */
static void refresh(
	struct fl_health *h, struct node *n, struct fl_member *m, enum fl_health_state health)
{
	bool moved = n->member->id != m->id;
	bool ejected = health == FL_HEALTH_EJECTED && n->seen != health;

	if (n->member != m) {
		fl_member_unref(n->member);
		n->member = fl_member_ref(m);
	}
	n->seen = health;
	if (moved || ejected)
		begin(h, n);
}

/* ---- the set of nodes ---- */

struct found {
	struct fl_member *member;
	enum fl_health_state health;
};

static int by_name(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	return strcmp(x->member->name, y->member->name);
}

/* The view's nodes sorted by name. NULL without memory. */
static struct found *survey(const struct fl_view *view, size_t *count)
{
	size_t room = 1, n = 0;

	for (unsigned t = 0; t < FL_TIERS; t++)
		room += view->tier[t].slots;
	struct found *found = calloc(room, sizeof(*found));
	if (!found)
		return NULL;
	for (unsigned t = 0; t < FL_TIERS; t++) {
		const struct fl_tier *tier = &view->tier[t];
		for (uint32_t s = 0; s < tier->slots; s++) {
			if (tier->members[s])
				found[n++] = (struct found){tier->members[s], tier->health[s]};
		}
	}
	qsort(found, n, sizeof(*found), by_name);
	*count = n;
	return found;
}

/* The nodes that `found` asks for: former ones where the name is known, else new ones, marked
 * by `stays`. Both lists are sorted. False without memory, and nothing has changed. */
static bool match(
	struct fl_health *h, const struct found *found, size_t count, struct node **next)
{
	size_t i, at = 0;

	for (i = 0; i < h->count; i++)
		h->nodes[i]->stays = false;
	for (i = 0; i < count; i++) {
		const char *name = found[i].member->name;
		int order = 1;
		while (at < h->count && (order = strcmp(h->nodes[at]->member->name, name)) < 0)
			at++;
		if (at < h->count && order == 0) {
			next[i] = h->nodes[at++];
			next[i]->stays = true;
		} else if (!(next[i] = node_new(h, found[i].member))) {
			break;
		}
	}
	if (i == count)
		return true;
	while (i-- > 0) {
		if (!next[i]->stays)
			node_free(h, next[i]);
	}
	return false;
}

/* Cannot fail: ends what is gone, begins what is new. */
static void adopt(
	struct fl_health *h, const struct found *found, size_t count, struct node **next)
{
	for (size_t i = 0; i < h->count; i++) {
		if (!h->nodes[i]->stays)
			node_free(h, h->nodes[i]);
	}
	free(h->nodes);
	h->nodes = next;
	h->count = count;
	for (size_t i = 0; i < count; i++) {
		if (next[i]->stays) {
			refresh(h, next[i], found[i].member, found[i].health);
		} else {
			next[i]->seen = found[i].health;
			begin(h, next[i]);
		}
	}
}

static void on_sync(void *cookie)
{
	struct fl_health *h = cookie;
	/* A change in the midst of this publishes another view; this one must stay. */
	struct fl_view *view = fl_view_ref(fl_pool_view(h->pool));
	size_t count = 0;
	struct found *found = survey(view, &count);
	struct node **next = found ? calloc(count + 1, sizeof(struct node *)) : NULL;

	if (next && match(h, found, count, next)) {
		adopt(h, found, count, next);
		run_queue(h);
	} else {
		free(next);
		fl_timer_set(h->loop, &h->sync, RETRY_MS);
	}
	free(found);
	fl_view_unref(view);
}

void fl_health_sync(struct fl_health *h)
{
	if (!fl_timer_is_set(&h->sync))
		fl_timer_set(h->loop, &h->sync, 0);
}

/* ---- configuration, life ---- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_conf(const struct fl_health_conf *a, const struct fl_health_conf *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == FL_HEALTH_NONE)
		return true;
	if (a->interval_ms != b->interval_ms || a->timeout_ms != b->timeout_ms ||
		a->rise != b->rise || a->fall != b->fall)
		return false;
	return a->kind != FL_HEALTH_HTTP || (same_text(a->http.path, b->http.path) &&
						    same_text(a->http.host, b->http.host) &&
						    a->http.expect.min == b->http.expect.min &&
						    a->http.expect.max == b->http.expect.max);
}

static void conf_fini(struct fl_health_conf *conf)
{
	free((char *)conf->http.path);
	free((char *)conf->http.host);
}

static int conf_copy(struct fl_health_conf *out, const struct fl_health_conf *from)
{
	struct fl_health_conf copy = {.kind = FL_HEALTH_NONE};

	if (from)
		copy = *from;
	copy.http.path = from && from->http.path ? strdup(from->http.path) : strdup("/");
	copy.http.host = from && from->http.host ? strdup(from->http.host) : NULL;
	if (!copy.http.path || (from && from->http.host && !copy.http.host)) {
		conf_fini(&copy);
		return FL_ENOMEM;
	}
	*out = copy;
	return FL_OK;
}

int fl_health_reconfigure(
	struct fl_health *h, const struct fl_health_conf *conf, uint64_t eject_ms)
{
	struct fl_health_conf next;

	if (conf_copy(&next, conf) != FL_OK)
		return FL_ENOMEM;
	h->eject_ms = eject_ms;
	if (same_conf(&next, &h->conf)) {
		conf_fini(&next);
		return FL_OK;
	}
	conf_fini(&h->conf);
	h->conf = next;
	for (size_t i = 0; i < h->count; i++)
		begin(h, h->nodes[i]);
	return FL_OK;
}

int fl_health_new(struct fl_health **out, struct fl_loop *loop, struct fl_pool *pool,
	const struct fl_health_conf *conf, uint64_t eject_ms,
	const struct fl_health_hooks *hooks)
{
	struct fl_health *h = calloc(1, sizeof(*h));

	if (!h || conf_copy(&h->conf, conf) != FL_OK) {
		free(h);
		return FL_ENOMEM;
	}
	h->loop = loop;
	h->pool = fl_pool_ref(pool);
	h->eject_ms = eject_ms;
	if (hooks)
		h->hooks = *hooks;
	fl_list_init(&h->queue);
	fl_timer_init(&h->sync, on_sync, h);
	fl_health_sync(h);
	*out = h;
	return FL_OK;
}

void fl_health_free(struct fl_health *h)
{
	if (!h)
		return;
	fl_timer_cancel(&h->sync);
	for (size_t i = 0; i < h->count; i++)
		node_free(h, h->nodes[i]);
	free(h->nodes);
	conf_fini(&h->conf);
	fl_pool_unref(h->pool);
	free(h);
}
