/* An arena: memory that is given out piece by piece and given back all at once.
 *
 * For what is built together and dies together (a document tree, one request). An allocation
 * is a bump of a pointer; the chunks behind it double up to 256 KiB, so n bytes cost O(log n)
 * calls of malloc at first and one for every 256 KiB after. All memory comes zeroed and aligned
 * for any type. Never more than `limit` bytes are taken from the heap, whatever an input asks.
 * One thread at a time. */
#ifndef FL_BASE_ARENA_H
#define FL_BASE_ARENA_H

#include <stddef.h>

struct fl_arena_chunk;

struct fl_arena {
	struct fl_arena_chunk *chunks; /* newest first; only the newest has room */
	char *at, *end;                /* the free part of the newest chunk */
	size_t taken;                  /* bytes taken from the heap, headers included */
	size_t limit;
};

/* Takes no memory yet. `limit` 0: no limit. */
void fl_arena_init(struct fl_arena *arena, size_t limit);

/* Gives everything back; the arena is as after init. Safe to repeat. */
void fl_arena_fini(struct fl_arena *arena);

/* `size` zeroed bytes, or NULL without memory or beyond the limit; the arena stays usable. A
 * size of 0 gives a pointer that may not be read through. */
void *fl_arena_alloc(struct fl_arena *arena, size_t size);

/* As fl_arena_alloc of count * size, NULL on overflow. */
void *fl_arena_array(struct fl_arena *arena, size_t count, size_t size);

/* A copy of `len` bytes with a NUL behind them, or NULL. */
char *fl_arena_copy(struct fl_arena *arena, const char *bytes, size_t len);

#endif
