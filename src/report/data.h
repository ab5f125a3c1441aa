/* What charts show of their data: sorted, summed, bounded. */
#ifndef FL_REPORT_DATA_H
#define FL_REPORT_DATA_H

#include "report/priv.h"

#define FL_REPORT_MOST_GROUPS 48 /* of bars that are drawn */
#define FL_REPORT_MOST_BARS   8  /* of one group */

/* Bars: the groups that are drawn, in the given order; when there are more than `most` of them:
 * the largest first, then (not stacked) a few of the smallest. A value < 0 is missing. */
struct fl_report_drawn {
	size_t groups, series;
	size_t gap;                   /* before which of them the others are left out */
	size_t more, more_series;     /* not drawn */
	double more_least, more_most; /* the range of a group that is not drawn */
	double most;                  /* the largest value (stacked: sum), target, reference */
	uint32_t group[FL_REPORT_MOST_GROUPS];
	double sum[FL_REPORT_MOST_GROUPS];
	double value[FL_REPORT_MOST_GROUPS][FL_REPORT_MOST_BARS];
};
/* `most` up to FL_REPORT_MOST_GROUPS. -1 without memory. */
int fl_report_drawn(struct fl_report_drawn *d, const struct fl_report_chart *c, size_t most);

static inline const struct fl_report_group *fl_report_group_at(
	const struct fl_report_chart *c, size_t i)
{
	return &FL_REPORT_AT(c->groups, struct fl_report_group, i);
}

/* Flows: each pair once, the largest first, without those of 0. */
struct fl_report_moves {
	struct fl_report_datum *p; /* a to b: y */
	size_t n;
	double sum;
	double *out, *in; /* of each node */
};
int fl_report_moves(struct fl_report_moves *m, const struct fl_report_chart *c);
void fl_report_moves_fini(struct fl_report_moves *m);

/* Ring and rows: who owns what of the turn from 0 to 1. */
struct fl_report_arc {
	double from, to;
	uint32_t node; /* FL_NONE: nobody */
};
struct fl_report_owners {
	struct fl_report_arc
		*arcs; /* in order, without gaps; neighbours are of different nodes */
	size_t n;
	double *share;   /* of each node */
	uint32_t *rank;  /* nodes, the largest share first */
	uint32_t *place; /* of each node in rank */
};
int fl_report_owners(struct fl_report_owners *o, const struct fl_report_chart *c);
void fl_report_owners_fini(struct fl_report_owners *o);
/* The node that has the most of from..to, beginning the search at arc *at, which moves on. */
uint32_t fl_report_owner_of(
	const struct fl_report_owners *o, double from, double to, size_t *at);
/* Where a mark stands on the turn. */
double fl_report_turn(const struct fl_report_chart *c, uint64_t at);
/* Who owns it. */
uint32_t fl_report_owner_at(const struct fl_report_owners *o, double turn);
/* The node of one of `cells` equal pieces of a table's rows: a marked row's, else the middle
 * row's. Whoever has the most rows would have the most of nearly every piece of many rows, so
 * that is not asked; a sample shows everybody's share. */
uint32_t fl_report_owner_in(const struct fl_report_owners *o, const struct fl_report_chart *c,
	size_t cell, size_t cells);

/* Lines: the ranges; false when there are no points. */
struct fl_report_extent {
	double left, right, low, high;
};
bool fl_report_extent(struct fl_report_extent *e, const struct fl_report_chart *c);

#endif
