#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN       alignof(max_align_t)
#define CHUNK_FIRST ((size_t)4096)
#define CHUNK_MOST  ((size_t)256 << 10)

struct fl_arena_chunk {
	struct fl_arena_chunk *older;
	size_t size;
	alignas(max_align_t) char bytes[];
};

void fl_arena_init(struct fl_arena *arena, size_t limit)
{
	*arena = (struct fl_arena){.limit = limit ? limit : SIZE_MAX};
}

void fl_arena_fini(struct fl_arena *arena)
{
	struct fl_arena_chunk *chunk = arena->chunks;
	while (chunk) {
		struct fl_arena_chunk *older = chunk->older;
		free(chunk);
		chunk = older;
	}
	*arena = (struct fl_arena){.limit = arena->limit};
}

/* The size of the next chunk: doubling, but as large as `need`, and within what the limit
 * leaves; 0 when `need` does not fit. */
static size_t next_size(const struct fl_arena *arena, size_t need)
{
	size_t size = arena->chunks ? arena->chunks->size * 2 : CHUNK_FIRST;
	size_t left = arena->limit - arena->taken;

	if (size > CHUNK_MOST)
		size = CHUNK_MOST;
	if (need > SIZE_MAX - sizeof(struct fl_arena_chunk))
		return 0;
	need += sizeof(struct fl_arena_chunk);
	if (need > left)
		return 0;
	if (size < need)
		size = need;
	return size > left ? left : size;
}

static int grow(struct fl_arena *arena, size_t need)
{
	size_t size = next_size(arena, need);
	struct fl_arena_chunk *chunk = size ? calloc(1, size) : NULL;
	if (!chunk)
		return -1;
	chunk->size = size;
	chunk->older = arena->chunks;
	arena->chunks = chunk;
	arena->taken += size;
	arena->at = chunk->bytes;
	arena->end = (char *)chunk + size;
	return 0;
}

void *fl_arena_alloc(struct fl_arena *arena, size_t size)
{
	if (size > SIZE_MAX - ALIGN)
		return NULL;
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if ((!arena->at || size > (size_t)(arena->end - arena->at)) && grow(arena, size) != 0)
		return NULL;
	void *p = arena->at;
	arena->at += size;
	return p;
}

void *fl_arena_array(struct fl_arena *arena, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return fl_arena_alloc(arena, bytes);
}

char *fl_arena_copy(struct fl_arena *arena, const char *bytes, size_t len)
{
	char *copy = len < SIZE_MAX ? fl_arena_alloc(arena, len + 1) : NULL;
	if (copy && len)
		memcpy(copy, bytes, len);
	return copy;
}
