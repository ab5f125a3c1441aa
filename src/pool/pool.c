/* The pool's writer: every change goes roster -> placements -> view -> publish, and nothing is
 * touched before the last thing that can fail has succeeded. */
#include "pool/pool_priv.h"

#include "base/assert.h"
#include "base/error.h"

#include <stdlib.h>

#define SUBSCRIBERS   8
#define SAMPLES       200000 /* keys for a movement that is not exact */
#define SAMPLES_LEAST 4000
#define SAMPLE_WORK   40000000 /* keys times nodes, for mappings that look at every node */

struct subscriber {
	void (*changed)(
		void *cookie, struct fl_pool *pool, const struct fl_pool_report *report);
	void *cookie;
};

struct fl_pool {
	atomic_uint refs;
	char *name;
	unsigned workers;
	bool filled; /* a conf was applied */
	struct fl_snap *snap;
	struct fl_view *view;
	struct fl_roster *roster;
	struct fl_pool_report report;
	struct fl_movement *movement;
	fl_placement *moved[2]; /* whose names the movement borrows */
	struct subscriber subscribers[SUBSCRIBERS];
	size_t subscriber_count;
};

static void *view_ref(void *v)
{
	return fl_view_ref(v);
}

static void view_unref(void *v)
{
	fl_view_unref(v);
}

static const struct fl_snap_ops view_ops = {view_ref, view_unref};

/* ---- life ---- */

/* An empty roster and view, and the publisher. */
static int pool_begin(struct fl_pool *pool)
{
	static const struct fl_pool_conf nothing = {.spec = "table"};
	fl_placement *placements[FL_TIERS] = {NULL};
	int rc = fl_roster_new(&pool->roster, &nothing, NULL, pool->workers, 0, NULL);

	if (rc == FL_OK)
		rc = fl_build_tier(&placements[0], pool->roster, 0, NULL, NULL, NULL);
	if (rc != FL_OK)
		return rc;
	pool->view = fl_view_new(pool->name, 1, pool->roster, placements);
	fl_placement_unref(placements[0]);
	return pool->view ? fl_snap_new(&pool->snap, &view_ops, pool->view) : FL_ENOMEM;
}

int fl_pool_new(struct fl_pool **out, const char *name, unsigned workers)
{
	struct fl_pool *pool = calloc(1, sizeof(*pool));
	int rc = FL_ENOMEM;

	if (!pool)
		return rc;
	atomic_init(&pool->refs, 1);
	pool->workers = workers ? workers : 1;
	pool->name = strdup(name);
	if (pool->name)
		rc = pool_begin(pool);
	if (rc != FL_OK) {
		fl_pool_unref(pool);
		return rc;
	}
	*out = pool;
	return FL_OK;
}

struct fl_pool *fl_pool_ref(struct fl_pool *pool)
{
	atomic_fetch_add_explicit(&pool->refs, 1, memory_order_relaxed);
	return pool;
}

static void report_fini(struct fl_pool *pool)
{
	fl_movement_free(pool->movement);
	fl_placement_unref(pool->moved[0]);
	fl_placement_unref(pool->moved[1]);
}

void fl_pool_unref(struct fl_pool *pool)
{
	if (!pool || atomic_fetch_sub_explicit(&pool->refs, 1, memory_order_acq_rel) != 1)
		return;
	fl_snap_free(pool->snap);
	fl_view_unref(pool->view);
	fl_roster_free(pool->roster);
	report_fini(pool);
	free(pool->name);
	free(pool);
}

/* ---- publishing ---- */

static void publish(struct fl_pool *pool, struct fl_view *view, bool membership)
{
	struct fl_view *former = pool->view;

	pool->view = view;
	fl_snap_publish(pool->snap, view);
	for (size_t i = 0; i < pool->subscriber_count; i++)
		pool->subscribers[i].changed(
			pool->subscribers[i].cookie, pool, membership ? &pool->report : NULL);
	fl_view_unref(former);
}

/* How many keys to sample: fewer where each may cost a look at every node, because the control
 * thread has other things to do. */
static size_t samples_for(const fl_placement *before, const fl_placement *after)
{
	size_t count = fl_placement_count(before) + fl_placement_count(after);
	size_t samples = count ? 2 * (size_t)SAMPLE_WORK / count : SAMPLES;

	if (samples > SAMPLES)
		return SAMPLES;
	return samples < SAMPLES_LEAST ? SAMPLES_LEAST : samples;
}

/* The first conf is compared with nothing under the same algorithm, so that what is exact
 * stays exact. */
static int compare(const struct fl_pool *pool, const struct fl_view *view, fl_placement **from,
	struct fl_movement **movement, struct fl_error *err)
{
	const fl_placement *after = view->tier[0].placement;
	fl_placement *before = NULL;
	int rc = FL_OK;

	if (pool->filled ||
		fl_placement_new(&before, pool->roster->spec, NULL, 0, NULL) != FL_OK)
		before = fl_placement_ref(pool->view->tier[0].placement);
	rc = fl_movement_new(movement, before, after, samples_for(before, after), err);
	if (rc != FL_OK) {
		fl_placement_unref(before);
		return rc;
	}
	*from = before;
	return FL_OK;
}

static bool same_mapping(const struct fl_view *a, const struct fl_view *b)
{
	return a->tier[0].placement == b->tier[0].placement &&
	       a->tier[1].placement == b->tier[1].placement;
}

static void report_set(struct fl_pool *pool, const struct fl_view *view, fl_placement *from,
	struct fl_movement *movement, uint64_t now_ms)
{
	report_fini(pool);
	pool->moved[0] = from;
	pool->moved[1] = fl_placement_ref(view->tier[0].placement);
	pool->movement = movement;
	pool->report = (struct fl_pool_report){
		.epoch = view->epoch,
		.digest_before = pool->view->digest,
		.digest_after = view->digest,
		.at_ms = now_ms,
		.movement = movement,
	};
}

/* ---- changes ---- */

/* Makes `next` the roster and the placements of both tiers `placements`. Takes over `next` only
 * on success. */
static int install(struct fl_pool *pool, struct fl_roster *next,
	fl_placement *const placements[FL_TIERS], uint64_t now_ms, struct fl_error *err)
{
	struct fl_view *view = fl_view_new(pool->name, pool->view->epoch + 1, next, placements);
	struct fl_roster *former = pool->roster;
	struct fl_movement *movement = NULL;
	fl_placement *from = NULL;
	bool same, membership;

	if (!view)
		return fl_error_set(err, FL_ENOMEM, "no memory for a view of the pool");
	same = fl_view_same(view, pool->view);
	membership = !same_mapping(view, pool->view);
	pool->roster = next;
	if (membership) {
		int rc = compare(pool, view, &from, &movement, err);

		if (rc != FL_OK) {
			pool->roster = former;
			fl_view_unref(view);
			return rc;
		}
		report_set(pool, view, from, movement, now_ms);
	}
	pool->filled = true;
	fl_roster_free(former);
	if (same)
		fl_view_unref(view);
	else
		publish(pool, view, membership);
	return FL_OK;
}

/* Builds what `next` asks for and installs it. Takes over `next` in any case. */
static int change(
	struct fl_pool *pool, struct fl_roster *next, uint64_t now_ms, struct fl_error *err)
{
	fl_placement *placements[FL_TIERS] = {NULL};
	int rc = FL_OK;

	for (unsigned t = 0; rc == FL_OK && t < FL_TIERS; t++)
		rc = fl_build_tier(&placements[t], next, t,
			pool->filled ? pool->view->tier[t].placement : NULL, pool->roster, err);
	if (rc == FL_OK)
		rc = install(pool, next, placements, now_ms, err);
	if (rc != FL_OK)
		fl_roster_free(next);
	for (unsigned t = 0; t < FL_TIERS; t++)
		fl_placement_unref(placements[t]);
	return rc;
}

int fl_pool_apply(struct fl_pool *pool, const struct fl_pool_conf *conf, uint64_t now_ms,
	struct fl_error *err)
{
	struct fl_roster *next = NULL;
	int rc = fl_roster_new(
		&next, conf, pool->filled ? pool->roster : NULL, pool->workers, now_ms, err);

	return rc == FL_OK ? change(pool, next, now_ms, err) : rc;
}

/* States changed in a copy `next` of the roster, which it takes over. */
static int restate(struct fl_pool *pool, struct fl_roster *next, struct fl_entry *e,
	struct fl_effective was, uint64_t now_ms)
{
	fl_entry_settle(e, was.owner, next->slow_start_ms, now_ms);
	return change(pool, next, now_ms, NULL);
}

int fl_pool_set_admin(
	struct fl_pool *pool, const char *node, enum fl_admin_state admin, uint64_t now_ms)
{
	struct fl_entry *e = fl_roster_find(pool->roster, node);
	struct fl_roster *next = NULL;
	struct fl_effective was;

	if (!e)
		return FL_ENOENT;
	if ((unsigned)admin > FL_ADMIN_DISABLED)
		return FL_EINVAL;
	if (e->admin == admin)
		return FL_OK;
	if (fl_roster_copy(&next, pool->roster) != FL_OK)
		return FL_ENOMEM;
	e = fl_roster_find(next, node);
	was = fl_entry_effective(e);
	e->admin = admin;
	return restate(pool, next, e, was, now_ms);
}

int fl_pool_set_health(
	struct fl_pool *pool, const char *node, enum fl_health_state health, uint64_t now_ms)
{
	struct fl_entry *e = fl_roster_find(pool->roster, node);
	struct fl_roster *next = NULL;
	struct fl_effective was;

	if (!e)
		return FL_ENOENT;
	if ((unsigned)health > FL_HEALTH_EJECTED)
		return FL_EINVAL;
	if (e->health == health)
		return FL_OK;
	if (fl_roster_copy(&next, pool->roster) != FL_OK)
		return FL_ENOMEM;
	e = fl_roster_find(next, node);
	was = fl_entry_effective(e);
	e->health = health;
	return restate(pool, next, e, was, now_ms);
}

int fl_pool_eject(struct fl_pool *pool, const char *node, uint64_t now_ms)
{
	const struct fl_entry *e = fl_roster_find(pool->roster, node);

	if (!e)
		return FL_ENOENT;
	if (e->health != FL_HEALTH_UP)
		return FL_OK;
	if (fl_entry_effective(e).owner && e->member->weight > 0 &&
		pool->view->tier[0].eligible + pool->view->tier[1].eligible <= 1)
		return FL_ENOTSUP;
	return fl_pool_set_health(pool, node, FL_HEALTH_EJECTED, now_ms);
}

void fl_pool_tick(struct fl_pool *pool, uint64_t now_ms)
{
	uint64_t slow = pool->roster->slow_start_ms;
	struct fl_roster *next = NULL;
	bool over = false;

	for (unsigned t = 0; t < FL_TIERS; t++)
		over |= pool->view->tier[t].warming && now_ms >= pool->view->tier[t].first_warm;
	if (!over || fl_roster_copy(&next, pool->roster) != FL_OK)
		return;
	for (size_t i = 0; i < next->count; i++) {
		struct fl_entry *e = &next->entries[i];

		if (e->ramp_start && now_ms >= e->ramp_start && now_ms - e->ramp_start >= slow)
			e->ramp_start = 0;
	}
	/* Without memory the warm-up stays on record and the next tick tries again. */
	(void)change(pool, next, now_ms, NULL);
}

/* ---- reading ---- */

const char *fl_pool_name(const struct fl_pool *pool)
{
	return pool->name;
}

struct fl_view *fl_pool_view(struct fl_pool *pool)
{
	return pool->view;
}

struct fl_snap *fl_pool_snap(struct fl_pool *pool)
{
	return pool->snap;
}

const struct fl_pool_report *fl_pool_report(const struct fl_pool *pool)
{
	return pool->movement ? &pool->report : NULL;
}

const char *fl_pool_spec(const struct fl_pool *pool)
{
	return pool->roster->shown;
}

size_t fl_pool_count(const struct fl_pool *pool)
{
	return pool->roster->count;
}

struct fl_pool_node fl_pool_node(const struct fl_pool *pool, size_t i)
{
	const struct fl_entry *e = &pool->roster->entries[i];

	FL_ASSERT(i < pool->roster->count);
	return (struct fl_pool_node){
		.member = e->member,
		.tier = e->member->backup ? 1 : 0,
		.slot = fl_entry_effective(e).built ? e->slot : FL_NONE,
		.admin = e->admin,
		.health = e->health,
		.ramp_start = e->ramp_start,
	};
}

void fl_pool_subscribe(struct fl_pool *pool,
	void (*changed)(
		void *cookie, struct fl_pool *pool, const struct fl_pool_report *report),
	void *cookie)
{
	FL_ASSERT(pool->subscriber_count < SUBSCRIBERS);
	pool->subscribers[pool->subscriber_count++] = (struct subscriber){changed, cookie};
}
