/* Where answers end: HTTP/1.1 answers in a stream of bytes, by Content-Length or in chunks. It
 * understands as much as a client must to count and to notice what is wrong, and keeps no body. */
#ifndef LOAD_FRAMING_H
#define LOAD_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMING_HEAD 16384 /* bytes a head may have */

enum framing_state {
	FRAMING_IN_HEAD,
	FRAMING_SIZED,     /* in a body of known length */
	FRAMING_SIZE,      /* in the line before a chunk */
	FRAMING_CHUNK,     /* in a chunk's bytes */
	FRAMING_CHUNK_END, /* at the line's end behind them */
	FRAMING_TRAILERS,  /* behind the last chunk */
};

/* All zero at the beginning of a connection. */
struct framing {
	enum framing_state state;
	int status;
	uint64_t left; /* of the body, or of the chunk */
	uint64_t body; /* bytes of the body so far */
	bool digit;    /* a chunk's size has begun */
	bool line;     /* this line of the trailers holds something */
	char *head;    /* a head that came in pieces; malloced */
	size_t head_size;
};

/* Takes bytes until an answer ends or there are no more. Gives how many it has taken and sets
 * *done if the last of them ended an answer, of which status and body tell; -1: this is no answer
 * that can be understood. */
ptrdiff_t framing_feed(struct framing *f, const char *bytes, size_t n, bool *done);

/* How many bytes come now that are nothing but body: they need not be looked at. */
uint64_t framing_plain(const struct framing *f);

/* `n` of these were thrown away unseen. True: they ended an answer. */
bool framing_skip(struct framing *f, uint64_t n);

/* As at the beginning of a connection. */
void framing_reset(struct framing *f);

#endif
