/* The buffer holds whole records; `sent` of its bytes are out already, so what is left always
 * begins with a record or with the rest of one. Of a write that stopped inside a record the rest
 * is sent next time; when that is given up instead, `torn` makes the next write begin with a
 * newline, so that a lost tail never swallows the following record.
 *
 * Not waiting: files and pipes that are opened here have O_NONBLOCK. Standard output belongs to
 * others as well, and O_NONBLOCK would change it for them: a pipe or terminal is opened once more
 * through /proc (its own file description), a socket is sent to with MSG_DONTWAIT. A regular file
 * does not block in that sense and is used as it is. */
#include "obs/access.h"

#include "obs/line.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct fl_access {
	char *path; /* NULL: nothing to open anew */
	int fd;
	bool json;
	bool socket;
	bool pieces; /* write at most PIPE_BUF at once */
	bool midway; /* the last byte that went out was inside a record */
	bool torn;   /* and the rest of that record was given up */
	uint64_t dropped;
	size_t n, sent;
	char buf[FL_ACCESS_BUFFER];
};

/* ---- descriptors ---- */

static int open_path(const char *path)
{
	int fd = open(
		path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
	return fd < 0 ? -errno : fd;
}

/* A descriptor of our own for what `fd` leads to. */
static int open_given(int fd)
{
	char path[40];
	struct stat st;
	int own = -1;

	if (fstat(fd, &st) != 0)
		return -errno;
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		own = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	}
	if (own < 0)
		own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return own < 0 ? -errno : own;
}

static void set_fd(struct fl_access *access, int fd)
{
	struct stat st;
	bool known = fstat(fd, &st) == 0;

	access->fd = fd;
	access->socket = known && S_ISSOCK(st.st_mode);
	access->pieces = !known || !S_ISREG(st.st_mode);
}

/* Takes `fd` (or its errno) and `path`. */
static int create(struct fl_access **out, int fd, char *path, bool json)
{
	struct fl_access *access = fd >= 0 ? calloc(1, sizeof(*access)) : NULL;

	if (!access) {
		free(path);
		if (fd >= 0)
			(void)close(fd);
		return fd < 0 ? fd : -ENOMEM;
	}
	access->path = path;
	access->json = json;
	set_fd(access, fd);
	*out = access;
	return 0;
}

int fl_access_new(struct fl_access **out, const char *path, bool json)
{
	char *own = strdup(path);
	return create(out, own ? open_path(own) : -ENOMEM, own, json);
}

int fl_access_new_fd(struct fl_access **out, int fd, bool json)
{
	return create(out, open_given(fd), NULL, json);
}

/* ---- the buffer ---- */

static size_t count_records(const char *p, size_t n)
{
	size_t records = 0;
	for (size_t i = 0; i < n; i++)
		records += p[i] == '\n';
	return records;
}

/* Gives up what is left; a record of which a part is out counts as lost. */
static void drop_rest(struct fl_access *access)
{
	access->dropped += count_records(access->buf + access->sent, access->n - access->sent);
	access->torn = access->torn || access->midway;
	access->midway = false;
	access->n = access->sent = 0;
}

/* How much to write next: whole records up to PIPE_BUF when pieces are asked for. */
static size_t next_piece(const struct fl_access *access)
{
	size_t left = access->n - access->sent, n = 0;
	const char *p = access->buf + access->sent;

	if (!access->pieces || left <= PIPE_BUF)
		return left;
	for (size_t i = 0; i < PIPE_BUF; i++) {
		if (p[i] == '\n')
			n = i + 1;
	}
	return n; /* a record has at most FL_LINE_MAX = PIPE_BUF bytes */
}

static ssize_t write_some(const struct fl_access *access, const char *p, size_t n)
{
	ssize_t written;
	do
		written = access->socket ? send(access->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL)
		                         : write(access->fd, p, n);
	while (written < 0 && errno == EINTR);
	return written;
}

void fl_access_flush(struct fl_access *access)
{
	while (access->sent < access->n) {
		ssize_t written = access->torn ? write_some(access, "\n", 1)
		                               : write_some(access, access->buf + access->sent,
							 next_piece(access));
		if (written < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
			drop_rest(access);
		if (written <= 0)
			return;
		if (access->torn) {
			access->torn = false;
			continue;
		}
		access->sent += (size_t)written;
		access->midway = access->buf[access->sent - 1] != '\n';
	}
	access->n = access->sent = 0;
}

/* Room for a record of any size, if need be by writing. */
static bool make_room(struct fl_access *access)
{
	if (sizeof(access->buf) - access->n >= FL_LINE_MAX)
		return true;
	fl_access_flush(access);
	if (access->sent > 0) {
		memmove(access->buf, access->buf + access->sent, access->n - access->sent);
		access->n -= access->sent;
		access->sent = 0;
	}
	return sizeof(access->buf) - access->n >= FL_LINE_MAX;
}

static void put(struct fl_line *line, struct fl_slice key, struct fl_slice value)
{
	/* The long ones are what a client chose; they may not crowd out the rest. */
	const size_t most = 1024;
	if (value.n > most) {
		value.n = most;
		line->cut = true;
	}
	if (value.n)
		fl_line_string(line, key, value);
}

static void put_outcome(struct fl_line *line, const struct fl_access_record *r)
{
	fl_line_number(line, FL_SLICE("status"), r->status);
	fl_line_number(line, FL_SLICE("bytes_in"), r->bytes_in);
	fl_line_number(line, FL_SLICE("bytes_out"), r->bytes_out);
	fl_line_ms(line, FL_SLICE("duration_ms"), r->duration_us);
	if (r->attempt)
		fl_line_number(line, FL_SLICE("attempt"), r->attempt);
	if (r->upstream_us)
		fl_line_ms(line, FL_SLICE("upstream_ms"), r->upstream_us);
	if (r->truncated)
		fl_line_bool(line, FL_SLICE("truncated"), true);
}

void fl_access_log(struct fl_access *access, const struct fl_access_record *r)
{
	struct fl_line line;

	if (!make_room(access)) {
		access->dropped++;
		return;
	}
	fl_line_begin(&line, access->buf + access->n, FL_LINE_MAX, access->json);
	fl_line_time(&line, FL_SLICE("time"), r->time_ms);
	put(&line, FL_SLICE("client"), r->client);
	put(&line, FL_SLICE("listener"), r->listener);
	put_outcome(&line, r);
	put(&line, FL_SLICE("pool"), r->pool);
	put(&line, FL_SLICE("node"), r->node);
	put(&line, FL_SLICE("key"), r->key);
	put(&line, FL_SLICE("retry"), r->retry);
	put(&line, FL_SLICE("error"), r->error);
	put(&line, FL_SLICE("method"), r->method);
	put(&line, FL_SLICE("host"), r->host);
	put(&line, FL_SLICE("target"), r->target);
	access->n += fl_line_end(&line);
}

int fl_access_reopen(struct fl_access *access)
{
	if (!access->path)
		return 0;
	int fd = open_path(access->path);
	if (fd < 0)
		return fd;
	fl_access_flush(access);
	if (access->midway) {
		/* The new file shall not begin with half a record. */
		char *end = memchr(access->buf + access->sent, '\n', access->n - access->sent);
		access->sent = (size_t)(end + 1 - access->buf);
		access->dropped++;
	}
	access->midway = access->torn = false;
	(void)close(access->fd);
	set_fd(access, fd);
	return 0;
}

void fl_access_free(struct fl_access *access)
{
	if (!access)
		return;
	fl_access_flush(access);
	(void)close(access->fd);
	free(access->path);
	free(access);
}

uint64_t fl_access_dropped(const struct fl_access *access)
{
	return access->dropped;
}
