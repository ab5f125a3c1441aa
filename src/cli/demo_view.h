/* What the demo shows. On a terminal: a small block that is redrawn in place, under lines that
 * stay. Elsewhere (a pipe, a file, TERM=dumb, a window too small): plain lines only, one of
 * progress a second and a table for each act.
 *
 * Colours only on a terminal and without NO_COLOR; line drawing only where the locale is UTF-8.
 * One thread. */
#ifndef FL_CLI_DEMO_VIEW_H
#define FL_CLI_DEMO_VIEW_H

#include "base/text.h"
#include "cli/demo_nodes.h"

#include <stdbool.h>
#include <stdint.h>

struct fl_demo_row {
	const char *name;
	bool away;         /* not a member now */
	double share;      /* of this act's requests */
	double fair;       /* of the weights */
	uint64_t requests; /* in this act */
	size_t keys;       /* whose last request it answered */
	size_t guests;     /* of those: keys whose home is another node */
};

struct fl_demo_frame {
	const char *title; /* what is going on: "c is away" */
	double now, of;    /* seconds since the start, and at the end; of 0: no end is set */
	double rate;       /* requests a second, lately */
	uint64_t answered, failed;
	struct fl_demo_row row[FL_DEMO_NODES];
};

enum fl_demo_style {
	FL_DEMO_PLAIN,
	FL_DEMO_HEAD,
	FL_DEMO_DIM,
	FL_DEMO_GOOD,
	FL_DEMO_BAD,
	FL_DEMO_COMMAND, /* to be copied: never wrapped */
};

struct fl_demo_view {
	struct fl_text out;
	int fd;
	bool live, colour, utf8;
	bool broken;    /* nobody reads any more */
	unsigned width; /* columns */
	unsigned drawn; /* lines of the block that stand on the screen */
	double line_at; /* plain: when the next line of progress is due */
};

/* Draws on standard output. */
void fl_demo_view_init(struct fl_demo_view *v);
void fl_demo_view_fini(struct fl_demo_view *v);

/* A line that stays; on a terminal it is wrapped between words, with a hanging indent. */
__attribute__((format(printf, 3, 4))) void fl_demo_view_say(
	struct fl_demo_view *v, enum fl_demo_style style, const char *format, ...);

/* The state of things now. Terminal: redraws the block; else: a line, if one is due. */
void fl_demo_view_frame(struct fl_demo_view *v, const struct fl_demo_frame *frame);

/* An act is over. Elsewhere than on a terminal: the table, to stay. */
void fl_demo_view_table(struct fl_demo_view *v, const struct fl_demo_frame *frame);

/* The block stays as it stands; a next frame begins a new one. */
void fl_demo_view_leave(struct fl_demo_view *v);

#endif
