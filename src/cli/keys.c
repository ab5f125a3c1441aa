/* Keys are read in large pieces and found with memchr; nothing is copied but a key that a piece
 * cuts in two. One buffer, which never holds more than FL_KEY_MOST and one piece. */
#include "cli/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE ((size_t)256 << 10)

int fl_keys_open(struct fl_keys *keys, const char *path, char separator)
{
	*keys = (struct fl_keys){.fd = STDIN_FILENO, .separator = separator};
	if (strcmp(path, "-") == 0)
		return 0;
	keys->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (keys->fd >= 0)
		return 0;
	keys->error = strerror(errno);
	return -1;
}

void fl_keys_close(struct fl_keys *keys)
{
	if (keys->fd > STDIN_FILENO)
		(void)close(keys->fd);
	free(keys->buf);
	*keys = (struct fl_keys){.fd = -1};
}

static bool fail(struct fl_keys *keys, const char *error)
{
	keys->error = error;
	return false;
}

/* Room for a piece behind what is there. */
static bool make_room(struct fl_keys *keys)
{
	size_t left = keys->end - keys->at, cap = keys->cap ? keys->cap : 2 * PIECE;
	char *buf = keys->buf;

	if (left > FL_KEY_MOST)
		return fail(keys, "a key is longer than 64 MiB");
	while (cap < left + PIECE)
		cap *= 2;
	if (cap != keys->cap) {
		buf = realloc(keys->buf, cap);
		if (!buf)
			return fail(keys, "out of memory");
	}
	if (left)
		memmove(buf, buf + keys->at, left);
	keys->buf = buf;
	keys->cap = cap;
	keys->at = 0;
	keys->end = left;
	return true;
}

/* Reads one more piece; false at the end or with an error. */
static bool more(struct fl_keys *keys)
{
	ssize_t n;

	if (keys->ended || (keys->cap - keys->end < PIECE && !make_room(keys)))
		return false;
	do {
		n = read(keys->fd, keys->buf + keys->end, PIECE);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail(keys, strerror(errno));
	keys->ended = n == 0;
	keys->end += (size_t)n;
	return n > 0;
}

static bool take(struct fl_keys *keys, size_t len, size_t skip, struct fl_slice *key)
{
	if (len > FL_KEY_MOST)
		return fail(keys, "a key is longer than 64 MiB");
	*key = (struct fl_slice){keys->buf + keys->at, len};
	keys->at += len + skip;
	return true;
}

bool fl_keys_next(struct fl_keys *keys, struct fl_slice *key)
{
	size_t seen = 0; /* bytes without a separator */

	for (;;) {
		size_t left = keys->end - keys->at;
		const char *start = keys->buf ? keys->buf + keys->at : "";
		const char *end = memchr(start + seen, keys->separator, left - seen);

		if (end)
			return take(keys, (size_t)(end - start), 1, key);
		seen = left;
		if (more(keys))
			continue;
		if (keys->error || left == 0)
			return false;
		return take(keys, left, 0, key);
	}
}

bool fl_keys_rest(struct fl_keys *keys, struct fl_slice *key)
{
	while (more(keys))
		if (keys->end - keys->at > FL_KEY_MOST)
			return fail(keys, "a key is longer than 64 MiB");
	if (keys->error)
		return false;
	if (!keys->buf) {
		*key = FL_SLICE("");
		return true;
	}
	return take(keys, keys->end - keys->at, 0, key);
}
