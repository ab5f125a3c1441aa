#include "plan/gunzip.h"

#include "fairlead/fairlead.h"

#include <stdlib.h>
#include <zlib.h>

#define PIECE ((size_t)64 << 10)
#define GZIP  (16 + MAX_WBITS) /* zlib: a gzip head and nothing else */

struct fl_gunzip {
	z_stream z;
	bool between; /* a member has ended and no other has begun */
	char piece[PIECE];
};

int fl_gunzip_new(struct fl_gunzip **out)
{
	struct fl_gunzip *g = calloc(1, sizeof(*g));

	if (!g)
		return FL_ENOMEM;
	if (inflateInit2(&g->z, GZIP) != Z_OK) {
		free(g);
		return FL_ENOMEM;
	}
	*out = g;
	return FL_OK;
}

void fl_gunzip_free(struct fl_gunzip *g)
{
	if (!g)
		return;
	(void)inflateEnd(&g->z);
	free(g);
}

void fl_gunzip_reset(struct fl_gunzip *g)
{
	(void)inflateReset(&g->z);
	g->between = false;
}

bool fl_gunzip_complete(const struct fl_gunzip *g)
{
	return g->between;
}

/* Between members: passes zeros over, and begins the next member at anything else. */
static void begin_member(struct fl_gunzip *g)
{
	while (g->z.avail_in > 0 && *g->z.next_in == 0) {
		g->z.next_in++;
		g->z.avail_in--;
	}
	if (g->z.avail_in > 0)
		fl_gunzip_reset(g);
}

/* One call of zlib, as far as the input or the piece goes. */
static int step(struct fl_gunzip *g, int (*out)(void *, const char *, size_t), void *cookie)
{
	int rc;

	g->z.next_out = (unsigned char *)g->piece;
	g->z.avail_out = PIECE;
	rc = inflate(&g->z, Z_NO_FLUSH);
	if (rc == Z_MEM_ERROR)
		return FL_ENOMEM;
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return FL_EINVAL;
	g->between = rc == Z_STREAM_END;
	size_t made = PIECE - g->z.avail_out;
	return made ? out(cookie, g->piece, made) : FL_OK;
}

static int feed_some(struct fl_gunzip *g, const char *p, size_t n,
	int (*out)(void *, const char *, size_t), void *cookie)
{
	int rc = FL_OK;
	bool full = false; /* the piece was: there may be more without more input */

	g->z.next_in = (unsigned char *)(uintptr_t)p;
	g->z.avail_in = (unsigned)n;
	do {
		if (g->between)
			begin_member(g);
		if (g->between)
			break;
		rc = step(g, out, cookie);
		full = g->z.avail_out == 0;
	} while (rc == FL_OK && (g->z.avail_in > 0 || full));
	return rc;
}

int fl_gunzip_feed(struct fl_gunzip *g, const char *p, size_t n,
	int (*out)(void *cookie, const char *bytes, size_t len), void *cookie)
{
	int rc = FL_OK;

	while (n > 0 && rc == FL_OK) {
		size_t some = n < ((size_t)1 << 30) ? n : (size_t)1 << 30;
		rc = feed_some(g, p, some, out, cookie);
		p += some;
		n -= some;
	}
	return rc;
}
