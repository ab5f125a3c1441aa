/* A circle from an old one, some points less and some more. Between the places of those the old
 * arrays are copied in runs. The lines are copied as well, as long as their number stays: those
 * up to a changed point's have their first point's number moved by what came and went before, and
 * then the lines that changed points lie on are written anew from the points. So are those that
 * look past their end to such a point: the line before, and further back while lines are empty. */
#include "place/points_priv.h"

#include "base/assert.h"

#include <string.h>

struct merge {
	struct fl_points *r; /* count grows as points are put */
	const struct fl_points *old, *gone, *added;
	const uint32_t *ranks;
	uint32_t o, g, a; /* the first of each that has not been looked at */
};

static void put(struct fl_points *r, uint64_t at, uint32_t slot)
{
	r->at[r->count] = at;
	r->slot[r->count++] = slot;
}

/* The old points before number `end`, none of which goes. */
static void put_run(struct merge *m, uint32_t end)
{
	struct fl_points *r = m->r;
	memcpy(r->at + r->count, m->old->at + m->o, (end - m->o) * sizeof(*r->at));
	memcpy(r->slot + r->count, m->old->slot + m->o, (end - m->o) * sizeof(*r->slot));
	r->count += end - m->o;
	m->o = end;
}

static bool goes(const struct merge *m, uint64_t at, uint32_t slot)
{
	const struct fl_points *gone = m->gone;
	return m->g < gone->count && gone->at[m->g] == at && gone->slot[m->g] == slot;
}

static bool comes(const struct merge *m, uint64_t at)
{
	return m->a < m->added->count && m->added->at[m->a] == at;
}

/* All points at one position. */
static void put_position(struct merge *m, uint64_t at)
{
	const struct fl_points *old = m->old, *added = m->added;
	for (; m->o < old->count && old->at[m->o] == at; m->o++) {
		uint32_t slot = old->slot[m->o];
		if (goes(m, at, slot)) {
			m->g++;
			continue;
		}
		for (; comes(m, at) && m->ranks[added->slot[m->a]] < m->ranks[slot]; m->a++)
			put(m->r, at, added->slot[m->a]);
		put(m->r, at, slot);
	}
	for (; comes(m, at); m->a++)
		put(m->r, at, added->slot[m->a]);
}

/* The position of the next point that comes or goes; false when there is none. */
static bool next_change(const struct fl_points *gone, uint32_t g, const struct fl_points *added,
	uint32_t a, uint64_t *at)
{
	if (g == gone->count && a == added->count)
		return false;
	*at = UINT64_MAX;
	if (g < gone->count)
		*at = gone->at[g];
	if (a < added->count && added->at[a] < *at)
		*at = added->at[a];
	return true;
}

static void merge_points(struct merge *m)
{
	uint64_t at;
	while (next_change(m->gone, m->g, m->added, m->a, &at)) {
		const struct fl_line *line = fl_points_line(m->old, at);
		put_run(m, fl_points_search(m->old, line, fl_line_first(line), at));
		put_position(m, at);
		FL_ASSERT(m->g == m->gone->count || m->gone->at[m->g] > at);
	}
	put_run(m, m->old->count);
}

/* ---- lines ---- */

/* Copies old lines from number `from` on, their first points moved by `by`. */
static void copy_lines(
	struct fl_points *r, const struct fl_points *old, size_t from, size_t end, int32_t by)
{
	for (size_t l = from; l < end; l++) {
		r->lines[l] = old->lines[l];
		r->lines[l].entry[FL_LINE_POINTS] += by;
	}
}

/* Writes a line anew, and those before it that look at its first point. */
static void rewrite(struct fl_points *r, size_t line)
{
	uint32_t first = fl_line_first(&r->lines[line]), before = first;
	fl_points_write_line(r, line, first);
	while (line-- > 0 && before == first) {
		before = fl_line_first(&r->lines[line]);
		fl_points_write_line(r, line, before);
	}
}

static void merge_lines(struct fl_points *r, const struct fl_points *old,
	const struct fl_points *gone, const struct fl_points *added)
{
	size_t lines = fl_points_lines(r), from = 0;
	uint32_t g = 0, a = 0;
	for (uint64_t at; next_change(gone, g, added, a, &at);) {
		size_t line = at >> r->shift >> 32;
		if (line >= from) {
			copy_lines(r, old, from, line + 1, (int32_t)(a - g));
			rewrite(r, line);
			from = line + 1;
		}
		g += g < gone->count && gone->at[g] == at;
		a += a < added->count && added->at[a] == at;
	}
	copy_lines(r, old, from, lines + 1, (int32_t)(a - g));
	rewrite(r, lines); /* the last lines look at the very first point */
}

int fl_points_merge(struct fl_points *out, const struct fl_points *old,
	const struct fl_points *gone, const struct fl_points *added, const uint32_t *ranks)
{
	struct fl_points r;
	int rc = fl_points_new(&r, (size_t)old->count - gone->count + added->count);
	if (rc != FL_OK)
		return rc;
	r.strict = old->strict;
	r.count = 0;
	merge_points(&(struct merge){&r, old, gone, added, ranks, 0, 0, 0});
	fl_points_seal(&r);
	if (r.shift == old->shift)
		merge_lines(&r, old, gone, added);
	else
		fl_points_write_lines(&r);
	*out = r;
	return FL_OK;
}
