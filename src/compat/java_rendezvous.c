/* compat:java-rendezvous: the RendezvousHash class (clohfink) over Guava's hash functions, as
 * Java services use it.
 *
 * A node's score is the digest of the key's bytes followed directly by the node's, nothing in
 * between; its first eight bytes as a little-endian number, read as *signed*. Nodes are tried in
 * ascending order of their Strings; a strictly greater score takes the lead, beginning from
 * Long.MIN_VALUE, which therefore never wins.
 *   hash=murmur3_128 (seed 0) | md5 | sha256
 *   charset=utf-8: Funnels.stringFunnel(UTF_8), or bytes as they are
 *   charset=utf-16le: unencodedCharsFunnel: the UTF-16 units of the String, low byte first; a key
 *     that is not valid UTF-8 is read as Java would, with U+FFFD for what is not
 *
 * Moves: only a changed node's own keys; no order, no history; no weights. Cost: one digest a
 * node and lookup; the key is hashed once and the state copied. */
#include "compat/compat.h"

#include "compat/contest.h"
#include "compat/utf16.h"
#include "hash/stream.h"

#include <stdlib.h>
#include <string.h>

enum {
	OPTION_HASH,
	OPTION_CHARSET
};

static const char *const hashes[] = {"murmur3_128", "md5", "sha256", NULL};
static const char *const charsets[] = {"utf-8", "utf-16le", NULL};

/* What bids start from: the digest so far, of the key. */
struct started {
	bool wide; /* utf-16le */
	struct fl_stream stream;
};

static int by_string(const void *a, const void *b)
{
	return fl_utf16_compare(
		((const struct fl_bidder *)a)->name, ((const struct fl_bidder *)b)->name);
}

static void add_text(struct started *s, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	if (!s->wide) {
		fl_stream_add(&s->stream, bytes, len);
		return;
	}
	while (len > 0) {
		unsigned char units[4];
		size_t used, n = fl_utf16le_next(at, len, units, &used);
		fl_stream_add(&s->stream, units, n);
		at += used;
		len -= used;
	}
}

/* The greatest signed score is the smallest bid; Long.MIN_VALUE is FL_BID_NEVER. */
static uint64_t bid(const struct fl_contest *c, const struct fl_bidder *who, const void *key)
{
	struct started s = *(const struct started *)key;
	(void)c;
	add_text(&s, who->name, strlen(who->name));
	return (uint64_t)INT64_MAX - fl_stream_first64(&s.stream);
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	struct fl_contest *c;
	(void)err;
	if (fl_contest_build(p, bid) != FL_OK)
		return FL_ENOMEM;
	c = p->state;
	qsort(c->bidders, c->count, sizeof(c->bidders[0]), by_string);
	return FL_OK;
}

static void start(const struct fl_placement *p, const struct fl_key *key, struct started *s)
{
	static const enum fl_stream_kind kinds[] = {
		FL_STREAM_MURMUR3_128, FL_STREAM_MD5, FL_STREAM_SHA256};
	s->wide = p->options[OPTION_CHARSET] == 1;
	fl_stream_init(&s->stream, kinds[p->options[OPTION_HASH]]);
	add_text(s, key->bytes, key->len);
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	struct started s;
	start(p, key, &s);
	return fl_contest_pick(p, &s, mask);
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	struct started s;
	start(p, key, &s);
	return fl_contest_owners(p, &s, mask, slots, k);
}

const struct fl_algorithm fl_compat_java_rendezvous = {
	.info = {"compat:java-rendezvous",
		"Java's RendezvousHash over Guava: the greatest signed digest of key and node.",
		"hash=murmur3_128,charset=utf-8",
		FL_EXACT_MASK | FL_MINIMAL_ANY | FL_ORDER_FREE | FL_HISTORY_FREE},
	.options = {{"hash", 0, 0, 2, false, hashes}, {"charset", 0, 0, 1, false, charsets}},
	.seed = -1,
	.max_weight = 1,
	.key_hash = FL_KEY_WITH_NODE,
	.build = build,
	.free = fl_contest_free,
	.pick = pick,
	.owners = owners,
	.memory = fl_contest_memory,
};
