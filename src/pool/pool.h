/* A pool: a set of nodes under one algorithm, and how it changes.
 *
 * PURE: no loop, no sockets, no clock. `fairlead lookup` builds the very same pool from the same
 * file as `fairlead serve`.
 *
 * One control thread owns a pool and makes every change; each change publishes an immutable
 * *view* that any thread reads without blocking. A change of membership derives new placements;
 * a change of health or drain only changes the view's masks. */
#ifndef FL_POOL_POOL_H
#define FL_POOL_POOL_H

#include "base/slice.h"
#include "fairlead/fairlead.h"
#include "pool/state.h"
#include "snap/snap.h"

#include <stdatomic.h>

/* ---- what the operator wants ---- */

struct fl_node_conf {
	const char *name;
	const char *
		address; /* "10.0.0.1:80", "[::1]:80", "unix:/path", "host:80"; NULL in lookup */
	int64_t weight;
	const char *zone;
	int64_t slot; /* -1: chosen */
	int64_t id;   /* slot + 1, as other systems count; 0: not said. Only files have it, and
			 reading them turns it into a slot */
	bool backup;  /* takes keys only when no other node can */
	int admin;    /* enum fl_admin_state */
};

struct fl_pool_conf {
	const char *name;
	const char *spec; /* as fl_placement_new takes it; NULL: "table" */
	const struct fl_node_conf *nodes;
	size_t count;
	uint64_t slow_start_ms; /* 0: a node takes its full share at once */
};

/* ---- what readers see ---- */

/* Live counts of one node in one worker: written by that worker only, read by anyone. */
struct fl_node_stats {
	_Alignas(64) _Atomic uint64_t requests; /* attempts begun */
	_Atomic uint64_t failures;              /* attempts that ended without an answer */
	_Atomic uint64_t active;                /* attempts under way now */
	_Atomic uint64_t connections;           /* open connections, idle ones included */
};

/* A node as views share it. Immutable but for the stats; lives as long as a view or a holder
 * has a reference. A changed address makes a new member with the same stats. */
struct fl_member {
	atomic_uint refs;
	const char *name;
	const char *address;
	const char *zone; /* or NULL */
	int32_t weight;
	bool backup;
	uint64_t id;                 /* unique in the process: same id, same name and address */
	struct fl_node_stats *stats; /* [workers], shared by the members of one name */
	struct fl_stats_owner *stats_owner;
};

struct fl_member *fl_member_ref(struct fl_member *m); /* any thread */
void fl_member_unref(struct fl_member *m);            /* any thread; NULL is fine */

/* Nodes of one rank: tier 0 holds the ordinary nodes, tier 1 the backups. A disabled node is in
 * none. Tier 0 always has a placement, tier 1 only when it has nodes. */
struct fl_tier {
	fl_placement *placement;
	/* Where a mask takes building anew (compat: Envoy, Katran, Cilium) and somebody is masked:
	 * the placement without them, with the same slots, so that picks do not build. Else NULL. */
	fl_placement *unmasked;
	struct fl_member **members; /* by slot; NULL in a free slot */
	enum fl_admin_state *admin; /* by slot */
	enum fl_health_state *health;
	uint64_t *ramp_start; /* by slot: wall-clock ms at which its warm-up began; 0: warm */
	uint32_t slots;
	struct fl_mask mask; /* nodes that are no owners now; words for every slot */
	struct fl_mask cold; /* those, and the ones with a ramp_start */
	bool masked;         /* some slot is masked */
	bool warming;        /* some ramp_start is not 0 */
	uint64_t first_warm; /* while warming: when the first warm-up ends */
	size_t eligible;     /* nodes that may own keys: owners with a weight */
};

enum {
	FL_TIERS = 2
};

struct fl_view {
	atomic_uint refs;
	char *pool;
	uint64_t epoch;       /* of this pool: counts its views from 1 */
	uint64_t digest;      /* of the mapping: placements of both tiers */
	uint64_t mask_digest; /* of the names that are masked */
	uint64_t slow_start_ms;
	struct fl_tier tier[FL_TIERS];
};

struct fl_view *fl_view_ref(struct fl_view *v); /* any thread */
void fl_view_unref(struct fl_view *v);

/* The node that has `key` now, borrowed from the view, or NULL when nobody can take it.
 * `now_ms` is wall-clock time, read only while some node is warming: the final owner F has the
 * key once ramp(F) > u(key, F); until then it goes to the first owner that is not warming.
 * FL_ENOTSUP as fl_pick. Any thread, no lock, no allocation. */
int fl_view_pick(const struct fl_view *v, const struct fl_key *key, uint64_t now_ms,
	struct fl_member **out);

/* How warm a node is, from 0 to 1, at a moment of wall-clock time. `start` as struct fl_tier's
 * ramp_start. */
double fl_ramp(uint64_t start, uint64_t slow_start_ms, uint64_t now_ms);

/* The owners of `key` in order, ordinary nodes before backups, masked ones left out: at most k,
 * k <= 64. The first is fl_view_pick's, warm-up aside. Gives their number, or FL_ENOTSUP. */
int fl_view_owners(
	const struct fl_view *v, const struct fl_key *key, struct fl_member **out, size_t k);

/* ---- the pool itself: control thread only ---- */

struct fl_pool;

/* What a membership change did; borrowed during the call of a subscriber, or from the pool. */
struct fl_pool_report {
	uint64_t epoch; /* of the view that the change made */
	uint64_t digest_before, digest_after;
	uint64_t at_ms; /* wall-clock, as given to fl_pool_apply */
	/* Tier 0; sampled where the algorithm gives no exact answer: with 200,000 keys, with fewer
	 * beyond 200 nodes. The first conf is compared with nothing. Lives, names and all, until
	 * the next report. */
	const struct fl_movement *movement;
};

/* An empty pool: its view has no nodes. `workers` is the number of stats cells a node. */
int fl_pool_new(struct fl_pool **out, const char *name, unsigned workers);

/* Shared ownership of the pool object, so that a worker may keep its reader until it is done. */
struct fl_pool *fl_pool_ref(struct fl_pool *pool);
void fl_pool_unref(struct fl_pool *pool);

/* Makes the pool what `conf` says (the whole desired set). Nodes are told apart by name: those
 * that stay keep slot, health and stats; an address may change under a name. A new algorithm is
 * a rebuild; so is a change that the algorithm cannot derive. An admin state that was set at run
 * time outlives a conf that says of the node what it said before. Nodes that become owners
 * later than in the first conf warm up. Publishes one view, if anything changed, and tells the
 * subscribers. On failure nothing has changed. Errors as fl_placement_new. */
int fl_pool_apply(struct fl_pool *pool, const struct fl_pool_conf *conf, uint64_t now_ms,
	struct fl_error *err);

/* One axis each. FL_ENOENT when there is no such node; publishes a view when it matters.
 * A node that becomes an owner by it (health comes up, drain ends) starts its warm-up at now_ms.
 * To disable and to enable are changes of membership, with a report; a node that is enabled
 * again gets its old slot when it is free. Else placements stay the very same objects. Errors:
 * FL_ENOENT, FL_ENOMEM, and for a change of membership those of fl_placement_new; on failure
 * nothing has changed. */
int fl_pool_set_admin(
	struct fl_pool *pool, const char *node, enum fl_admin_state admin, uint64_t now_ms);
int fl_pool_set_health(
	struct fl_pool *pool, const char *node, enum fl_health_state health, uint64_t now_ms);

/* As fl_pool_set_health(EJECTED), but never ejects the last eligible node of the pool (tiers
 * taken together): then FL_ENOTSUP and nothing has changed. A node that is down stays down: FL_OK.
 */
int fl_pool_eject(struct fl_pool *pool, const char *node, uint64_t now_ms);

/* Ends warm-ups that are over; call now and then (each second) while a view is warming. */
void fl_pool_tick(struct fl_pool *pool, uint64_t now_ms);

const char *fl_pool_name(const struct fl_pool *pool);
struct fl_view *fl_pool_view(struct fl_pool *pool); /* the current one, borrowed */
struct fl_snap *fl_pool_snap(
	struct fl_pool *pool); /* for fl_snap_reader: objects are fl_view */
const struct fl_pool_report *fl_pool_report(const struct fl_pool *pool); /* last; or NULL */

/* The spec in force, as fl_placement_new takes it, but for its secret, which is hidden. */
const char *fl_pool_spec(const struct fl_pool *pool);

/* A node of the whole desired set, disabled ones included; borrowed until the next change. */
struct fl_pool_node {
	struct fl_member *member;
	unsigned tier; /* of the view; by rank, also when it is not built */
	uint32_t slot; /* in that tier; FL_NONE when it is not built */
	enum fl_admin_state admin;
	enum fl_health_state health;
	uint64_t ramp_start; /* as in struct fl_tier */
};

size_t fl_pool_count(const struct fl_pool *pool);
/* Node i, i < fl_pool_count, in the order of the conf. O(1). */
struct fl_pool_node fl_pool_node(const struct fl_pool *pool, size_t i);

/* Called on the control thread after each published view; `report` is NULL when no placement
 * changed. A subscriber must not change the pool. At most 8 subscribers. */
void fl_pool_subscribe(struct fl_pool *pool,
	void (*changed)(
		void *cookie, struct fl_pool *pool, const struct fl_pool_report *report),
	void *cookie);

#endif
