/* Keys from a file: raw bytes, one a line or one between NULs, or a whole file as one key. */
#ifndef FL_CLI_KEYS_H
#define FL_CLI_KEYS_H

#include "base/slice.h"

#define FL_KEY_MOST ((size_t)64 << 20) /* bytes of a key */

struct fl_keys {
	int fd;
	char separator;
	bool ended;
	char *buf;
	size_t at, end, cap; /* what is read and not yet given out: buf[at..end) */
	const char
		*error; /* set when fl_keys_next gives false for another reason than the end */
};

/* "-": standard input. 0, or -1 with `error` set. */
int fl_keys_open(struct fl_keys *keys, const char *path, char separator);
void fl_keys_close(struct fl_keys *keys);

/* The next key, borrowed until the next call. What follows the last separator is a key unless it
 * is empty. False at the end, or when `error` is set. */
bool fl_keys_next(struct fl_keys *keys, struct fl_slice *key);

/* All that is left, as one key. */
bool fl_keys_rest(struct fl_keys *keys, struct fl_slice *key);

#endif
