/* gzip: bytes in, bytes out, no I/O (RFC 1952; several members make one text). */
#ifndef FL_PLAN_GUNZIP_H
#define FL_PLAN_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>

struct fl_gunzip;

/* FL_OK or FL_ENOMEM. About 100 KiB. */
int fl_gunzip_new(struct fl_gunzip **out);
void fl_gunzip_free(struct fl_gunzip *g); /* NULL is fine */

/* Another file begins. */
void fl_gunzip_reset(struct fl_gunzip *g);

/* Unpacks p[0..n) and gives it to `out` in pieces of at most 64 KiB. Zeros behind the last member
 * (of tapes) are passed over. `out` returns 0, or what this is to return at once. Returns FL_OK, or
 * FL_EINVAL for what is not gzip. */
int fl_gunzip_feed(struct fl_gunzip *g, const char *p, size_t n,
	int (*out)(void *cookie, const char *bytes, size_t len), void *cookie);

/* Whether all members are complete. */
bool fl_gunzip_complete(const struct fl_gunzip *g);

#endif
