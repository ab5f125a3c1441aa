/* One log line: fields in logfmt (key=value) or as a JSON object, in a buffer of fixed size.
 *
 * Whatever the values hold, the result is one line of UTF-8 that reads back as the fields that
 * were put in: what would act on a terminal or end the line is escaped, bytes that are not UTF-8
 * are \xHH (text) or U+FFFD (JSON). A value that does not fit is cut and a field that does not fit
 * is left out; both are told by a last field, cut=true. No heap, no locks, no clock. */
#ifndef FL_OBS_LINE_H
#define FL_OBS_LINE_H

#include "base/slice.h"

#include <stdint.h>

/* A line is written in one piece to pipes: PIPE_BUF. */
#define FL_LINE_MAX 4096

struct fl_line {
	char *p;
	size_t n, max; /* max: without the room that the end of the line needs */
	bool json, cut;
	bool begun; /* has a field */
};

/* `size` is at least 64. */
void fl_line_begin(struct fl_line *line, char *buf, size_t size, bool json);

/* Keys are names from the source: letters, digits and _. */
void fl_line_string(struct fl_line *line, struct fl_slice key, struct fl_slice value);
void fl_line_number(struct fl_line *line, struct fl_slice key, uint64_t value);
void fl_line_bool(struct fl_line *line, struct fl_slice key, bool value);
/* Microseconds, written as milliseconds: 12.345. */
void fl_line_ms(struct fl_line *line, struct fl_slice key, uint64_t us);
/* Milliseconds since 1970, written as RFC 3339 in UTC: 2026-01-02T03:04:05.678Z. */
void fl_line_time(struct fl_line *line, struct fl_slice key, uint64_t wall_ms);

/* Ends the line with a newline; its length. */
size_t fl_line_end(struct fl_line *line);

#endif
