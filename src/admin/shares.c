/* Shares of the key space, computed once for each placement.
 *
 * Exact where the placement can tell; else by a number of sample keys that shrinks with the
 * number of nodes, so that an answer holds the control loop up for milliseconds, not seconds.
 * What is kept for placements that no pool has any more is dropped when something is added. */
#include "admin/priv.h"

#include <stdlib.h>

enum {
	SAMPLES_MOST = 200000,
	SAMPLES_LEAST = 10000,
	SAMPLE_WORK = 20000000, /* keys times nodes */
	KEPT_LEAST = 16,
};

static size_t samples_for(const fl_placement *p)
{
	size_t n = fl_placement_count(p), samples = n ? SAMPLE_WORK / n : SAMPLES_MOST;

	if (fl_placement_capabilities(p) & FL_EXACT_MOVEMENT)
		return 0;
	if (samples > SAMPLES_MOST)
		return SAMPLES_MOST;
	return samples < SAMPLES_LEAST ? SAMPLES_LEAST : samples;
}

static bool in_use(const struct fl_admin *admin, const fl_placement *p)
{
	const struct fl_admin_source *source = &admin->source;
	size_t count = source->count(source->cookie);

	for (size_t i = 0; i < count; i++) {
		const struct fl_view *view = fl_pool_view(source->pool(source->cookie, i));
		for (unsigned t = 0; t < FL_TIERS; t++) {
			if (view->tier[t].placement == p)
				return true;
		}
	}
	return false;
}

static void drop(struct fl_admin_shares *s)
{
	fl_placement_unref(s->placement);
	free(s->shares);
}

static void sweep(struct fl_admin *admin)
{
	size_t kept = 0;

	for (size_t i = 0; i < admin->share_count; i++) {
		if (in_use(admin, admin->shares[i].placement))
			admin->shares[kept++] = admin->shares[i];
		else
			drop(&admin->shares[i]);
	}
	admin->share_count = kept;
}

static bool make_room(struct fl_admin *admin)
{
	if (admin->share_count < admin->share_room)
		return true;
	size_t room = admin->share_room ? 2 * admin->share_room : KEPT_LEAST;
	struct fl_admin_shares *p = realloc(admin->shares, room * sizeof(*p));
	if (!p)
		return false;
	admin->shares = p;
	admin->share_room = room;
	return true;
}

const struct fl_admin_shares *fl_admin_shares(struct fl_admin *admin, fl_placement *placement)
{
	size_t slots = fl_placement_slots(placement);

	for (size_t i = 0; i < admin->share_count; i++) {
		if (admin->shares[i].placement == placement)
			return &admin->shares[i];
	}
	sweep(admin);
	struct fl_admin_shares s = {
		.samples = samples_for(placement), .shares = calloc(slots + 1, sizeof(double))};
	if (!s.shares || !make_room(admin) ||
		fl_shares(placement, s.samples, s.shares) != FL_OK) {
		free(s.shares);
		return NULL;
	}
	s.placement = fl_placement_ref(placement);
	admin->shares[admin->share_count] = s;
	return &admin->shares[admin->share_count++];
}

void fl_admin_shares_fini(struct fl_admin *admin)
{
	for (size_t i = 0; i < admin->share_count; i++)
		drop(&admin->shares[i]);
	free(admin->shares);
}
