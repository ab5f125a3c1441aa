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

#include "compat/utf16.h"
#include "hash/stream.h"
#include "place/placement_priv.h"

#include <stdlib.h>
#include <string.h>

enum {
	OPTION_HASH,
	OPTION_CHARSET
};

static const char *const hashes[] = {"murmur3_128", "md5", "sha256", NULL};
static const char *const charsets[] = {"utf-8", "utf-16le", NULL};

struct java_node {
	const char *name;
	uint32_t slot;
};

struct java {
	enum fl_stream_kind kind;
	bool wide; /* utf-16le */
	uint32_t count;
	struct java_node nodes[]; /* in String order */
};

struct scored {
	int64_t score;
	uint32_t index;
};

static int by_string(const void *a, const void *b)
{
	return fl_utf16_compare(
		((const struct java_node *)a)->name, ((const struct java_node *)b)->name);
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	static const enum fl_stream_kind kinds[] = {
		FL_STREAM_MURMUR3_128, FL_STREAM_MD5, FL_STREAM_SHA256};
	struct java *j = malloc(sizeof(*j) + p->eligible * sizeof(j->nodes[0]));
	(void)err;
	if (!j)
		return FL_ENOMEM;
	j->kind = kinds[p->options[OPTION_HASH]];
	j->wide = p->options[OPTION_CHARSET] == 1;
	j->count = 0;
	for (uint32_t i = 0; i < p->count; i++) {
		if (p->nodes[i].weight > 0)
			j->nodes[j->count++] =
				(struct java_node){p->nodes[i].name, p->nodes[i].slot};
	}
	qsort(j->nodes, j->count, sizeof(j->nodes[0]), by_string);
	p->state = j;
	return FL_OK;
}

static void release(struct fl_placement *p)
{
	free(p->state);
}

static void add_text(const struct java *j, struct fl_stream *s, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	if (!j->wide) {
		fl_stream_add(s, bytes, len);
		return;
	}
	while (len > 0) {
		unsigned char units[4];
		size_t used, n = fl_utf16le_next(at, len, units, &used);
		fl_stream_add(s, units, n);
		at += used;
		len -= used;
	}
}

static void start(const struct java *j, const struct fl_key *key, struct fl_stream *s)
{
	fl_stream_init(s, j->kind);
	add_text(j, s, key->bytes, key->len);
}

static int64_t score_of(const struct java *j, const struct fl_stream *started, uint32_t i)
{
	struct fl_stream s = *started;
	add_text(j, &s, j->nodes[i].name, strlen(j->nodes[i].name));
	return (int64_t)fl_stream_first64(&s);
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	const struct java *j = p->state;
	struct fl_stream s;
	int64_t best = INT64_MIN;
	uint32_t slot = FL_NONE;
	start(j, key, &s);
	for (uint32_t i = 0; i < j->count; i++) {
		if (fl_masked(mask, j->nodes[i].slot))
			continue;
		int64_t score = score_of(j, &s, i);
		if (score > best) {
			best = score;
			slot = j->nodes[i].slot;
		}
	}
	return slot;
}

static int by_score(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Keeps the best `k` in list[0..*have), best first. */
static void insert(struct scored *list, size_t *have, size_t k, struct scored one)
{
	size_t i = *have;
	if (i == k && by_score(&one, &list[--i]) > 0)
		return;
	*have = i + 1;
	for (; i > 0 && by_score(&one, &list[i - 1]) < 0; i--)
		list[i] = list[i - 1];
	list[i] = one;
}

/* All scores that can win, into list (room for all nodes, or the best k of them sorted). */
static size_t gather(const struct java *j, const struct fl_key *key, const struct fl_mask *mask,
	struct scored *list, size_t k, bool all)
{
	struct fl_stream s;
	size_t have = 0;
	start(j, key, &s);
	for (uint32_t i = 0; i < j->count; i++) {
		if (fl_masked(mask, j->nodes[i].slot))
			continue;
		struct scored one = {score_of(j, &s, i), i};
		if (one.score == INT64_MIN)
			continue;
		if (all)
			list[have++] = one;
		else
			insert(list, &have, k, one);
	}
	return have;
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	const struct java *j = p->state;
	struct scored few[64] = {{0, 0}}, *list = few;
	size_t have;
	if (k > 64 && !(list = malloc(j->count * sizeof(*list))))
		return FL_ENOMEM;
	have = gather(j, key, mask, list, k, list != few);
	if (list != few) {
		qsort(list, have, sizeof(*list), by_score);
		have = have < k ? have : k;
	}
	for (size_t i = 0; i < have; i++)
		slots[i] = j->nodes[list[i].index].slot;
	if (list != few)
		free(list);
	return (int)have;
}

static size_t memory(const struct fl_placement *p)
{
	const struct java *j = p->state;
	return sizeof(*j) + j->count * sizeof(j->nodes[0]);
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
	.free = release,
	.pick = pick,
	.owners = owners,
	.memory = memory,
};
