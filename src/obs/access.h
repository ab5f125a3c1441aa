/* The access log: one record a request, written by the thread that served it.
 *
 * A worker has a writer of its own with a buffer of fixed size and its own descriptor, so there
 * are no locks. The buffer is written when the next record does not fit, by fl_access_flush (the
 * owner's timer, about once a second) and at the end. Nothing here waits: a descriptor that would
 * block keeps its buffer for the next try, and when that is full, or writing fails, records are
 * counted as dropped. Records of several writers never mix within a line: each write is whole
 * records, to a file opened for appending, or at most PIPE_BUF bytes at once to a pipe.
 *
 * What a record may hold is the struct below: no cookies, no header values, no bodies. */
#ifndef FL_OBS_ACCESS_H
#define FL_OBS_ACCESS_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define FL_ACCESS_BUFFER 65536u

/* Empty slices and zero times are left out of the line; status and bytes are always there. */
struct fl_access_record {
	uint64_t time_ms;       /* since 1970: when the request's first byte came */
	struct fl_slice client; /* address text */
	struct fl_slice listener, method, host;
	struct fl_slice target; /* path and query */
	unsigned status;        /* 0: there was no answer */
	uint64_t bytes_in, bytes_out;
	uint64_t duration_us, upstream_us;
	struct fl_slice pool, node;
	struct fl_slice key;   /* where the key came from: "header:x-user"; never its value */
	unsigned attempt;      /* from 1; 0: no node was asked */
	struct fl_slice retry; /* why there was more than one attempt */
	struct fl_slice error;
	bool truncated; /* the answer ended early */
};

struct fl_access;

/* Opens `path` for appending. 0, or a negative errno with *out untouched. The process ignores
 * SIGPIPE. */
int fl_access_new(struct fl_access **out, const char *path, bool json);

/* As fl_access_new, to what the caller's `fd` (standard output) leads to; the descriptor and its
 * flags stay as they are. */
int fl_access_new_fd(struct fl_access **out, int fd, bool json);

/* Flushes once more and closes. NULL is fine. */
void fl_access_free(struct fl_access *access);

void fl_access_log(struct fl_access *access, const struct fl_access_record *record);
void fl_access_flush(struct fl_access *access);

/* Opens the path anew, for it was renamed; the old file first gets what belongs to it. 0, or a
 * negative errno and the old file stays. Nothing happens to what has no path. */
int fl_access_reopen(struct fl_access *access);

/* Records that were lost so far. */
uint64_t fl_access_dropped(const struct fl_access *access);

#endif
