/* What the backend answers: a function of the request alone (and of a fault asked for). */
#ifndef FL_TESTS_TOOLS_REPLY_H
#define FL_TESTS_TOOLS_REPLY_H

#include "backend/request.h"
#include "payload.h"

/* Faults on purpose, to see the driver find them. */
enum fault {
	FAULT_NONE,
	FAULT_BODY,     /* one byte of the body differs */
	FAULT_LENGTH,   /* a byte is missing and the length says so */
	FAULT_SWAP,     /* two pipelined answers change places */
	FAULT_TRUNCATE, /* cut in the midst of the answer */
	FAULT_STATUS,   /* 500 */
	FAULT_ID,       /* another request's id */
	FAULT_SILENT,   /* closed without an answer */
};

struct reply {
	uint64_t size, seed, delay_ms;
	bool echo, chunked, close, health;
};

/* What `rq` asks for, in its target's query. */
struct reply reply_of(const struct request *rq);

/* Appends the answer to `out`; true when the connection ends after it. */
bool reply_write(const struct reply *reply, const struct request *rq, const char *node,
	bool healthy, enum fault fault, struct buf *out);

#endif
