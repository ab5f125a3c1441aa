/* What the files that make a circle share: its memory and its lines. */
#ifndef FL_PLACE_POINTS_PRIV_H
#define FL_PLACE_POINTS_PRIV_H

#include "place/points.h"

static inline size_t fl_points_lines(const struct fl_points *r)
{
	return (size_t)1 << (32 - r->shift);
}

/* Memory for a circle of count >= 1 points, nothing in it yet. FL_OK or FL_ENOMEM. */
int fl_points_new(struct fl_points *r, size_t count);

/* Puts the sentinel behind the sorted points. */
void fl_points_seal(struct fl_points *r);

/* Writes line number `line` from the points, the first of which (or the first behind) is `first`.
 * Gives the first point behind the line. */
uint32_t fl_points_write_line(struct fl_points *r, size_t line, uint32_t first);

/* Writes all lines. */
void fl_points_write_lines(struct fl_points *r);

#endif
