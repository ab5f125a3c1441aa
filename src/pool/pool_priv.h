/* What the files of this room share; nobody else includes it. */
#ifndef FL_POOL_PRIV_H
#define FL_POOL_PRIV_H

#include "pool/pool.h"

/* ---- member.c ---- */

/* A member for `conf` with one reference, or NULL without memory. With `former`, a member of the
 * same name, it shares the stats, and the id too when the address is the same. */
struct fl_member *fl_member_new(
	const struct fl_node_conf *conf, const struct fl_member *former, unsigned workers);

/* True when `m` is what fl_member_new would make of `conf`. */
bool fl_member_is(const struct fl_member *m, const struct fl_node_conf *conf);

/* Equal texts, or both NULL. */
bool fl_text_same(const char *a, const char *b);

/* ---- roster.c: the whole desired set, disabled nodes included ---- */

struct fl_entry {
	struct fl_member *member;
	int64_t conf_slot; /* -1: chosen */
	uint32_t slot;     /* in its tier now, or the last one it had; or FL_NONE */
	enum fl_admin_state conf_admin; /* as the file said last */
	enum fl_admin_state admin;
	enum fl_health_state health;
	uint64_t ramp_start;
};

struct fl_roster {
	char *spec;
	char *shown; /* spec with its secret hidden */
	uint64_t slow_start_ms;
	size_t count;
	struct fl_entry *entries;  /* in the order of the conf */
	struct fl_entry **by_name; /* sorted */
};

/* The roster that `conf` asks for, with what carries over from `old` (NULL: nothing does, and
 * nobody warms up). */
int fl_roster_new(struct fl_roster **out, const struct fl_pool_conf *conf,
	const struct fl_roster *old, unsigned workers, uint64_t now_ms, struct fl_error *err);
int fl_roster_copy(struct fl_roster **out, const struct fl_roster *from);
void fl_roster_free(struct fl_roster *roster);

struct fl_entry *fl_roster_find(const struct fl_roster *roster, const char *name);

struct fl_effective fl_entry_effective(const struct fl_entry *entry);

/* In the placement of tier `t`. */
bool fl_entry_in(const struct fl_entry *entry, unsigned t);

/* The entry's states are as they are and it was an owner before, or not: starts a warm-up when
 * it becomes one, forgets it when it is none. */
void fl_entry_settle(
	struct fl_entry *entry, bool was_owner, uint64_t slow_start_ms, uint64_t now_ms);

/* ---- build.c: placements from rosters ---- */

/* The placement of tier `t` of `next`, and the slots of its entries. It is derived from `old`,
 * the placement of tier `t` of `last` (both or none NULL), where that can be done, and the same
 * one when nothing differs. *out is NULL when `next` has no node in tier 1. */
int fl_build_tier(fl_placement **out, struct fl_roster *next, unsigned t,
	const fl_placement *old, const struct fl_roster *last, struct fl_error *err);

/* ---- view.c ---- */

/* A view with one reference of what roster and placements say, or NULL without memory. */
struct fl_view *fl_view_new(const char *pool, uint64_t epoch, const struct fl_roster *roster,
	fl_placement *const placements[FL_TIERS]);

/* True when nobody could tell one view from the other, epochs aside. */
bool fl_view_same(const struct fl_view *a, const struct fl_view *b);

#endif
