/* A hierarchical timer wheel: levels of 64 slots, each level 64 times coarser.
 *
 * A timer that is due at tick e sits on the level of the highest base-64 digit in which e
 * differs from the current tick, in the slot named by that digit of e. So all timers of one
 * level are due before all of the next one, the next event is the first used slot of the
 * lowest used level, and each timer moves down at most once a level before it fires.
 * Setting and cancelling are O(1); a cancelled timer leaves a stale bit in `used`, which the
 * next look at that slot clears.
 *
 * Most timers never fire: a timeout is set, put off and disarmed with every request. So a timer
 * that is put off stays where it stands, and one that is disarmed too; when its slot is opened
 * it moves on, or out. `next` spares a turn the search as long as no slot's time has come.
 *
 * Never early: e is the due time rounded up to a tick, the wheel's tick is the time rounded
 * down. */
#include "loop/wheel.h"

#include "base/assert.h"

#define MAX_TICK ((UINT64_C(1) << (FL_WHEEL_BITS * FL_WHEEL_LEVELS)) - 1)
#define DIGIT    (FL_WHEEL_SLOTS - 1)

/* `tick` of a timer that stands in no slot. */
#define NOWHERE UINT64_MAX

void fl_wheel_init(struct fl_wheel *wheel, uint64_t now_ms)
{
	wheel->tick = now_ms / FL_WHEEL_TICK_MS;
	wheel->next = UINT64_MAX;
	for (int level = 0; level < FL_WHEEL_LEVELS; level++) {
		wheel->used[level] = 0;
		for (int i = 0; i < FL_WHEEL_SLOTS; i++)
			fl_list_init(&wheel->slot[level][i]);
	}
	fl_list_init(&wheel->expired);
}

static uint64_t due_tick(const struct fl_timer *timer)
{
	uint64_t tick = timer->due / FL_WHEEL_TICK_MS + (timer->due % FL_WHEEL_TICK_MS != 0);
	return tick < MAX_TICK ? tick : MAX_TICK;
}

static void place(struct fl_wheel *wheel, struct fl_timer *timer, uint64_t tick)
{
	int level = (63 - __builtin_clzll(tick ^ wheel->tick)) / FL_WHEEL_BITS;
	int shift = level * FL_WHEEL_BITS;
	int i = (int)((tick >> shift) & DIGIT);
	fl_list_push_back(&wheel->slot[level][i], &timer->link);
	wheel->used[level] |= UINT64_C(1) << i;
	timer->tick = tick;
	uint64_t opens = tick >> shift << shift;
	if (opens < wheel->next)
		wheel->next = opens;
}

void fl_wheel_add(struct fl_wheel *wheel, struct fl_timer *timer)
{
	uint64_t tick = due_tick(timer);
	/* The current tick is over already. */
	if (tick <= wheel->tick)
		tick = wheel->tick + 1;
	if (!fl_list_empty(&timer->link)) {
		if (timer->tick <= tick)
			return;
		fl_list_remove(&timer->link);
	}
	place(wheel, timer, tick);
}

/* The first used slot that is yet to come on `level`, or -1. */
static int next_slot(struct fl_wheel *wheel, int level)
{
	int at = (int)((wheel->tick >> (level * FL_WHEEL_BITS)) & DIGIT);
	uint64_t ahead = at == DIGIT ? 0 : wheel->used[level] & (~UINT64_C(0) << (at + 1));
	while (ahead) {
		int i = __builtin_ctzll(ahead);
		if (!fl_list_empty(&wheel->slot[level][i]))
			return i;
		wheel->used[level] &= ~(UINT64_C(1) << i);
		ahead &= ahead - 1;
	}
	return -1;
}

/* Finds the next slot that holds timers; returns its tick, or UINT64_MAX. */
static uint64_t next_event(struct fl_wheel *wheel, int *level, int *slot)
{
	for (*level = 0; *level < FL_WHEEL_LEVELS; ++*level) {
		*slot = next_slot(wheel, *level);
		if (*slot < 0)
			continue;
		int shift = *level * FL_WHEEL_BITS;
		uint64_t above = wheel->tick >> (shift + FL_WHEEL_BITS);
		return (above << (shift + FL_WHEEL_BITS)) | ((uint64_t)*slot << shift);
	}
	return UINT64_MAX;
}

/* Empties a slot whose time has come: to finer levels, or to the expired ones. */
static void open_slot(struct fl_wheel *wheel, int level, int slot)
{
	wheel->used[level] &= ~(UINT64_C(1) << slot);
	struct fl_link *head = &wheel->slot[level][slot];
	while (!fl_list_empty(head)) {
		struct fl_timer *timer = fl_container_of(head->next, struct fl_timer, link);
		fl_list_remove(&timer->link);
		if (timer->due == FL_TIMER_NEVER)
			continue;
		uint64_t tick = due_tick(timer);
		if (tick > wheel->tick) {
			place(wheel, timer, tick);
		} else {
			timer->tick = NOWHERE;
			fl_list_push_back(&wheel->expired, &timer->link);
		}
	}
}

void fl_wheel_advance(struct fl_wheel *wheel, uint64_t now_ms)
{
	uint64_t target = now_ms / FL_WHEEL_TICK_MS;
	int level, slot;
	while (target >= wheel->next) {
		wheel->next = next_event(wheel, &level, &slot);
		if (wheel->next > target)
			break;
		wheel->tick = wheel->next;
		open_slot(wheel, level, slot);
		wheel->next = wheel->tick; /* look again */
	}
	if (target > wheel->tick)
		wheel->tick = target;
}

struct fl_timer *fl_wheel_pop(struct fl_wheel *wheel)
{
	while (!fl_list_empty(&wheel->expired)) {
		struct fl_timer *timer =
			fl_container_of(wheel->expired.next, struct fl_timer, link);
		fl_list_remove(&timer->link);
		if (timer->due != FL_TIMER_NEVER)
			return timer;
	}
	return NULL;
}

uint64_t fl_wheel_next(const struct fl_wheel *wheel)
{
	if (!fl_list_empty(&wheel->expired))
		return wheel->tick * FL_WHEEL_TICK_MS;
	return wheel->next == UINT64_MAX ? UINT64_MAX : wheel->next * FL_WHEEL_TICK_MS;
}
