/* A progress bar for a long run: one line of a terminal, redrawn in place, gone at the end.
 *
 * Reads no clock: the caller tells the time, in seconds of any monotonic clock. On what is not a
 * terminal it draws nothing. One thread. */
#ifndef FL_REPORT_PROGRESS_H
#define FL_REPORT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct fl_progress {
	FILE *out;
	unsigned width;
	bool shown, utf8;
	const char *what;
	uint64_t total, done;
	double began, drawn; /* when */
	double slow_at, rate;
	uint64_t slow_done;
	bool on_screen;
};

/* Begins at `now`. `what` (borrowed, from the source) says what is done, as "placing keys";
 * `total` of 0: the end is not known, so no bar and no remaining time. Draws only if `shown`,
 * and nothing in the first half second, so that short runs do not flicker. */
void fl_progress_begin(struct fl_progress *p, FILE *out, bool shown, unsigned width, bool utf8,
	const char *what, uint64_t total, double now);

/* Whether `out` is a terminal that can redraw a line, with its width (else 80). */
bool fl_progress_wanted(FILE *out, unsigned *width);

/* `done` of the total are done. Draws at most ten times a second; else it costs a comparison. */
void fl_progress_at(struct fl_progress *p, uint64_t done, double now);

/* Erases the line. Safe to repeat; what is printed after it stands where it stood. */
void fl_progress_end(struct fl_progress *p);

#endif
