/* A progress bar for a long run: one line of a terminal, redrawn in place, gone at the end.
 *
 * Reads no clock: the caller tells the time, in seconds of any monotonic clock. Whether there is a
 * terminal is the caller's to say, too (fl_progress_wanted). One thread. */
#ifndef FL_REPORT_PROGRESS_H
#define FL_REPORT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct fl_progress_options {
	bool shown; /* else nothing is ever written */
	bool utf8;
	unsigned width; /* of the terminal; 0: 80 */
};

struct fl_progress {
	FILE *out;
	struct fl_progress_options options;
	const char *what;
	uint64_t total, done;
	double began, drawn; /* when */
	double from, rate;   /* what the rate is measured from, and what it is */
	uint64_t from_done;
	bool on_screen;
};

/* Options for a stream: shown if it is a terminal that can redraw a line (not TERM=dumb). */
void fl_progress_wanted(FILE *out, struct fl_progress_options *options);

/* Begins at `now`. `what` (borrowed; the source's own words) says what is done, as "placing keys";
 * `total` 0: the end is not known, so there is no bar and no remaining time. Draws nothing in the
 * first half second, so that short runs do not flicker. */
void fl_progress_begin(struct fl_progress *p, FILE *out,
	const struct fl_progress_options *options, const char *what, uint64_t total,
	double now);

/* `done` in all are done. Draws at most ten times a second; else it costs a comparison. */
void fl_progress_at(struct fl_progress *p, uint64_t done, double now);

/* Erases the line. Safe to repeat; what is printed next stands where it stood. */
void fl_progress_end(struct fl_progress *p);

#endif
