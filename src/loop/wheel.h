/* The timer wheel of a loop. Inside src/loop only; the face is fl_timer_* in loop.h. */
#ifndef FL_LOOP_WHEEL_H
#define FL_LOOP_WHEEL_H

#include "loop/loop.h"

#define FL_WHEEL_TICK_MS 8
#define FL_WHEEL_BITS    6
#define FL_WHEEL_SLOTS   (1 << FL_WHEEL_BITS)
#define FL_WHEEL_LEVELS  7 /* 42 bits of ticks: more than a thousand years */

struct fl_wheel {
	uint64_t tick; /* every timer due at or before it has expired */
	uint64_t next; /* no slot needs to be opened before this tick */
	uint64_t used
		[FL_WHEEL_LEVELS]; /* bit i: slot i may hold timers (a hint, cleared late) */
	struct fl_link slot[FL_WHEEL_LEVELS][FL_WHEEL_SLOTS];
	struct fl_link expired; /* due, in order, not yet popped */
};

void fl_wheel_init(struct fl_wheel *wheel, uint64_t now_ms);

/* Adds a timer whose `due` was set, or moves it to where it must stand when that is earlier than
 * where it does: a later `due` is seen when its old time comes. O(1). */
void fl_wheel_add(struct fl_wheel *wheel, struct fl_timer *timer);

/* Moves what is due at `now_ms` to the expired ones. Time must not run backwards. */
void fl_wheel_advance(struct fl_wheel *wheel, uint64_t now_ms);

/* The next expired timer, idle now; NULL: none. */
struct fl_timer *fl_wheel_pop(struct fl_wheel *wheel);

/* When fl_wheel_advance has something to do next, in ms; UINT64_MAX: never. It may be a time
 * at which timers only move, or where one was cancelled. O(1). */
uint64_t fl_wheel_next(const struct fl_wheel *wheel);

#endif
