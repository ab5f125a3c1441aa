/* Receive buffers: one allocation each, a bounded stack of free ones.
 *
 * Last in, first out, so that the buffer in hand is the one whose lines are in the cache.
 * Under the address sanitizer a free buffer is poisoned: who keeps bytes without a reference
 * hears of it at once. */
#include "loop/loop_priv.h"

#include <errno.h>
#include <stdlib.h>

#ifdef __SANITIZE_ADDRESS__
#define FL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FL_ASAN 1
#endif
#endif
#ifdef FL_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n)   ((void)(p))
#define UNPOISON(p, n) ((void)(p))
#endif

int fl_rbuf_cache_init(struct fl_rbuf_cache *cache, size_t size, size_t limit, size_t max)
{
	struct fl_rbuf **slots = calloc(limit, sizeof(struct fl_rbuf *));
	if (!slots)
		return -ENOMEM;
	*cache =
		(struct fl_rbuf_cache){.free = slots, .limit = limit, .size = size, .max = max};
	return 0;
}

static void rbuf_free(const struct fl_rbuf_cache *cache, struct fl_rbuf *buf)
{
	UNPOISON(buf->data, cache->size);
	(void)cache;
	free(buf);
}

void fl_rbuf_cache_fini(struct fl_rbuf_cache *cache)
{
	FL_ASSERT(cache->out == 0);
	while (cache->count > 0)
		rbuf_free(cache, cache->free[--cache->count]);
	free(cache->free);
	cache->free = NULL;
}

struct fl_rbuf *fl_rbuf_take(struct fl_loop *loop, bool bulk)
{
	struct fl_rbuf_cache *cache = &loop->rbufs;
	if (bulk && loop->bulk.out < loop->bulk.max)
		cache = &loop->bulk;
	struct fl_rbuf *buf;
	if (cache->count > 0) {
		buf = cache->free[--cache->count];
		UNPOISON(buf->data, cache->size);
	} else {
		buf = malloc(sizeof(*buf) + cache->size);
		if (!buf)
			return NULL;
		buf->home = cache;
		buf->data = (char *)(buf + 1);
	}
	buf->refs = 1;
	buf->len = 0;
	cache->out++;
	return buf;
}

struct fl_rbuf *fl_rbuf_ref(struct fl_rbuf *buf)
{
	FL_ASSERT(buf->refs > 0 && buf->refs < UINT32_MAX);
	buf->refs++;
	return buf;
}

void fl_rbuf_unref(struct fl_rbuf *buf)
{
	if (!buf)
		return;
	FL_ASSERT(buf->refs > 0);
	if (--buf->refs > 0)
		return;
	struct fl_rbuf_cache *cache = buf->home;
	cache->out--;
	if (cache->count == cache->limit) {
		rbuf_free(cache, buf);
		return;
	}
	POISON(buf->data, cache->size);
	cache->free[cache->count++] = buf;
}

void fl_rbuf_unref_list(struct fl_rbuf *first)
{
	while (first) {
		struct fl_rbuf *next = first->next;
		fl_rbuf_unref(first);
		first = next;
	}
}
