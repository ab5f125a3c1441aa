/* Placements from rosters.
 *
 * Deriving keeps the slots and costs little, so it is tried first: removals, then new weights,
 * then additions (those that ask for a slot before those that take any). A mapping in which the
 * order of the nodes counts is always built afresh, in the order of the conf, and so is one that
 * cannot make the change: it then is what a restart with the same conf would give.
 *
 * Where slots decide and nobody has to say them, they are places in the conf, as HAProxy numbers
 * servers: one number a node, whether it is a backup or disabled, and one that is asked for is
 * passed over. So to disable a node moves no other node's number. */
#include "pool/pool_priv.h"

#include "base/error.h"
#include "lib/spec.h"

#include <stdlib.h>

/* ---- afresh ---- */

struct slots {
	uint64_t taken[FL_MAX_NODES / 64];
};

static bool slot_taken(const struct slots *s, uint32_t slot)
{
	return s->taken[slot / 64] >> (slot % 64) & 1;
}

static void slot_take(struct slots *s, uint32_t slot)
{
	s->taken[slot / 64] |= 1ULL << (slot % 64);
}

/* Slots by place in the conf. */
static bool counts_places(const char *spec)
{
	struct fl_spec s;

	return fl_spec_parse(&s, spec, NULL) == FL_OK && s.algorithm->by_slot &&
	       !s.algorithm->numbered && !s.algorithm->stacked;
}

/* nodes[i] of entry number i: those without a slot get one. */
static int count_places(const struct fl_roster *r, struct fl_node *nodes)
{
	struct slots *s = calloc(1, sizeof(*s));
	uint32_t next = 0;

	if (!s)
		return FL_ENOMEM;
	for (size_t i = 0; i < r->count; i++)
		if (nodes[i].slot != FL_NONE)
			slot_take(s, nodes[i].slot);
	for (size_t i = 0; i < r->count; i++, next++) {
		if (nodes[i].slot != FL_NONE)
			continue;
		while (next < FL_MAX_NODES && slot_taken(s, next))
			next++;
		if (next >= FL_MAX_NODES)
			break; /* any free one will do */
		nodes[i].slot = next;
		slot_take(s, next);
	}
	free(s);
	return FL_OK;
}

static struct fl_node node_of(const struct fl_entry *e)
{
	return (struct fl_node){
		.name = e->member->name,
		.weight = e->member->weight,
		.slot = e->conf_slot >= 0 ? (uint32_t)e->conf_slot : FL_NONE,
		.zone = e->member->zone,
	};
}

static size_t count_in(const struct fl_roster *r, unsigned t)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++)
		n += fl_entry_in(&r->entries[i], t);
	return n;
}

static int build_afresh(
	fl_placement **out, const struct fl_roster *next, unsigned t, struct fl_error *err)
{
	struct fl_node *nodes = calloc(next->count + 1, sizeof(*nodes));
	size_t n = 0;
	int rc = nodes ? FL_OK : FL_ENOMEM;

	for (size_t i = 0; rc == FL_OK && i < next->count; i++)
		nodes[i] = node_of(&next->entries[i]);
	if (rc == FL_OK && counts_places(next->spec))
		rc = count_places(next, nodes);
	if (rc != FL_OK) {
		free(nodes);
		return fl_error_set(err, rc, "no memory to build a pool");
	}
	for (size_t i = 0; i < next->count; i++)
		if (fl_entry_in(&next->entries[i], t))
			nodes[n++] = nodes[i];
	rc = fl_placement_new(out, next->spec, nodes, n, err);
	free(nodes);
	return rc;
}

/* ---- derived ---- */

struct delta {
	struct fl_change *changes; /* room for `rest` behind them */
	size_t count;
	struct fl_change *rest; /* additions that take any slot: the last of all */
	size_t rest_count;
	struct slots slots; /* of the nodes that stay, then of those that come */
};

/* The entry keeps its place in the placement, a new weight aside. */
static bool stays(const struct fl_entry *now, const struct fl_entry *was, unsigned t)
{
	return now && was && fl_entry_in(now, t) && fl_entry_in(was, t) &&
	       fl_text_same(now->member->zone, was->member->zone) &&
	       (now->conf_slot < 0 || now->conf_slot == was->slot);
}

static void delta_leave(
	struct delta *d, const struct fl_roster *next, unsigned t, const struct fl_roster *last)
{
	for (size_t i = 0; i < last->count; i++) {
		const struct fl_entry *was = &last->entries[i];

		if (!fl_entry_in(was, t))
			continue;
		if (stays(fl_roster_find(next, was->member->name), was, t))
			slot_take(&d->slots, was->slot);
		else
			d->changes[d->count++] = (struct fl_change){FL_REMOVE, node_of(was)};
	}
}

/* New weights of those that stay, and those that come with a slot of the operator's choice. */
static void delta_explicit(
	struct delta *d, const struct fl_roster *next, unsigned t, const struct fl_roster *last)
{
	for (size_t i = 0; i < next->count; i++) {
		const struct fl_entry *now = &next->entries[i];
		const struct fl_entry *was = fl_roster_find(last, now->member->name);
		struct fl_node node = node_of(now);

		if (stays(now, was, t)) {
			if (now->member->weight != was->member->weight)
				d->changes[d->count++] = (struct fl_change){FL_REWEIGHT, node};
		} else if (fl_entry_in(now, t) && node.slot != FL_NONE) {
			slot_take(&d->slots, node.slot);
			d->changes[d->count++] = (struct fl_change){FL_ADD, node};
		}
	}
}

/* Those that come without one: to the slot they had before when that is free. */
static void delta_come(
	struct delta *d, const struct fl_roster *next, unsigned t, const struct fl_roster *last)
{
	for (size_t i = 0; i < next->count; i++) {
		const struct fl_entry *now = &next->entries[i];
		struct fl_node node = node_of(now);

		if (node.slot != FL_NONE || !fl_entry_in(now, t) ||
			stays(now, fl_roster_find(last, now->member->name), t))
			continue;
		if (now->slot == FL_NONE || slot_taken(&d->slots, now->slot)) {
			d->rest[d->rest_count++] = (struct fl_change){FL_ADD, node};
			continue;
		}
		node.slot = now->slot;
		slot_take(&d->slots, node.slot);
		d->changes[d->count++] = (struct fl_change){FL_ADD, node};
	}
}

static int derive(fl_placement **out, const struct fl_roster *next, unsigned t,
	const fl_placement *old, const struct fl_roster *last, struct fl_error *err)
{
	size_t room = last->count + next->count;
	struct delta *d = calloc(1, sizeof(*d));
	int rc = FL_ENOMEM;

	if (d) {
		d->changes = calloc(room + 1, sizeof(*d->changes));
		d->rest = calloc(next->count + 1, sizeof(*d->rest));
	}
	if (!d || !d->changes || !d->rest) {
		(void)fl_error_set(err, rc, "no memory to change a pool");
		goto done;
	}
	delta_leave(d, next, t, last);
	delta_explicit(d, next, t, last);
	delta_come(d, next, t, last);
	/* An entry is in one of the two at most once, besides its removal. */
	memcpy(d->changes + d->count, d->rest, d->rest_count * sizeof(*d->rest));
	rc = fl_placement_derive(out, old, d->changes, d->count + d->rest_count, err);
done:
	if (d) {
		free(d->changes);
		free(d->rest);
	}
	free(d);
	return rc;
}

/* ---- which of the two ---- */

/* As build_afresh, but `old` itself where nothing has changed. */
static int build_or_keep(fl_placement **out, const struct fl_roster *next, unsigned t,
	const fl_placement *old, struct fl_error *err)
{
	int rc = build_afresh(out, next, t, err);

	if (rc == FL_OK && fl_placement_digest(*out) == fl_placement_digest(old)) {
		fl_placement_unref(*out);
		*out = fl_placement_ref(old);
	}
	return rc;
}

static const struct fl_entry *next_in(const struct fl_roster *r, size_t *i, unsigned t)
{
	while (*i < r->count) {
		const struct fl_entry *e = &r->entries[(*i)++];

		if (fl_entry_in(e, t))
			return e;
	}
	return NULL;
}

/* The same nodes of tier `t` in the same order. */
static bool same_sequence(const struct fl_roster *a, const struct fl_roster *b, unsigned t)
{
	size_t i = 0, j = 0;

	for (;;) {
		const struct fl_entry *x = next_in(a, &i, t), *y = next_in(b, &j, t);

		if (!x || !y)
			return x == y;
		if (strcmp(x->member->name, y->member->name) != 0 || !stays(x, y, t) ||
			x->conf_slot != y->conf_slot || x->member->weight != y->member->weight)
			return false;
	}
}

static int build(fl_placement **out, const struct fl_roster *next, unsigned t,
	const fl_placement *old, const struct fl_roster *last, struct fl_error *err)
{
	int rc;

	if (!old || strcmp(next->spec, last->spec) != 0)
		return build_afresh(out, next, t, err);
	if (counts_places(next->spec))
		return build_or_keep(out, next, t, old, err);
	if (same_sequence(next, last, t)) {
		*out = fl_placement_ref(old);
		return FL_OK;
	}
	if (!(fl_placement_capabilities(old) & FL_ORDER_FREE))
		return build_afresh(out, next, t, err);
	rc = derive(out, next, t, old, last, NULL);
	if (rc == FL_OK || rc == FL_ENOMEM)
		return rc;
	return build_afresh(out, next, t, err);
}

int fl_build_tier(fl_placement **out, struct fl_roster *next, unsigned t,
	const fl_placement *old, const struct fl_roster *last, struct fl_error *err)
{
	fl_placement *p = NULL;
	int rc;

	if (t == 0 || count_in(next, t) > 0) {
		rc = build(&p, next, t, old, last, err);
		if (rc != FL_OK)
			return rc;
	}
	for (size_t i = 0; i < next->count; i++) {
		struct fl_entry *e = &next->entries[i];

		if (fl_entry_in(e, t))
			e->slot = fl_placement_find(p, e->member->name);
	}
	*out = p;
	return FL_OK;
}
