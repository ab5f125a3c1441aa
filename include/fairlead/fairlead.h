/* libfairlead: consistent hashing. A key goes in, a node comes out.
 *
 * A *placement* is an immutable mapping from keys to named, weighted nodes, built by one
 * algorithm. Changing the membership derives a new placement; the old one stays valid as long
 * as somebody holds a reference. A *handle* publishes placements to any number of readers that
 * never block.
 *
 * Nodes are identified by name. Inside a placement a node has a *slot*, a small number that
 * stays the same across derives, so that callers can keep arrays beside a placement.
 *
 * The library never logs, reads a clock, opens a file or starts a thread.
 * Functions return FL_OK (0) or a negative FL_E* code unless they say otherwise; on failure
 * outputs are untouched, and a non-NULL `err` says what was wrong and what was expected. */
#ifndef FAIRLEAD_H
#define FAIRLEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FL_API __attribute__((visibility("default")))

/* ---- status codes -------------------------------------------------------------------- */

enum fl_status {
	FL_OK = 0,
	FL_EINVAL = -1,  /* an argument is wrong; the text says which and what was expected */
	FL_ENOMEM = -2,  /* no memory */
	FL_ELIMIT = -3,  /* over a documented limit */
	FL_EEXIST = -4,  /* a name or slot is there twice */
	FL_ENOENT = -5,  /* no such node, algorithm or option */
	FL_ENOTSUP = -6, /* this algorithm cannot do that (see enum fl_capability) */
};

struct fl_error {
	int code;
	char text[252]; /* one line, NUL-terminated, no trailing period */
};

/* A short English text for a status code; never NULL. Any thread. */
FL_API const char *fl_strerror(int code);

/* Version of the library, "MAJOR.MINOR.PATCH". */
FL_API const char *fl_version(void);

/* ---- nodes --------------------------------------------------------------------------- */

#define FL_NONE       UINT32_MAX /* "no slot" and "no node" */
#define FL_MAX_NODES  (1u << 20) /* nodes in one placement, and one more than the highest slot */
#define FL_MAX_ROWED  (1u << 16) /* the same for table, bounded-table and maglev */
#define FL_MAX_WEIGHT 65535
#define FL_MAX_NAME   255        /* bytes of a name or a zone, without the NUL */
#define FL_MAX_POINTS (1u << 24) /* of a ring: points times the sum of the weights */

struct fl_node {
	const char *name; /* 1..FL_MAX_NAME bytes, NUL-terminated, unique in its placement */
	int32_t weight;   /* 0..FL_MAX_WEIGHT; 0 keeps the slot and owns no key */
	uint32_t slot;    /* a free slot below FL_MAX_NODES, or FL_NONE: the lowest free one */
	const char *zone; /* NULL or at most FL_MAX_NAME bytes */
};

/* ---- keys ---------------------------------------------------------------------------- */

/* A key is bytes, or a 64-bit hash that the caller made, or both. Algorithms with the
 * capability FL_BY_HASH need only the hash; the others need the bytes, because they hash the
 * key together with the node. */
struct fl_key {
	const void *bytes; /* may be NULL when have_hash */
	size_t len;
	uint64_t hash; /* meaningful only when have_hash; must be uniform over 64 bits */
	bool have_hash;
};

static inline struct fl_key fl_key_bytes(const void *bytes, size_t len)
{
	struct fl_key key = {bytes, len, 0, false};
	return key;
}

static inline struct fl_key fl_key_hash(uint64_t hash)
{
	struct fl_key key = {NULL, 0, hash, true};
	return key;
}

/* ---- placements ---------------------------------------------------------------------- */

typedef struct fl_placement fl_placement;

enum fl_capability {
	FL_BY_HASH = 1 << 0,     /* a 64-bit key hash is enough */
	FL_EXACT_MASK = 1 << 1,  /* masked pick = the placement built without those nodes */
	FL_MINIMAL_ANY = 1 << 2, /* any add or removal moves only that node's keys */
	FL_MINIMAL_REWEIGHT = 1 << 3, /* a weight change moves keys only to or from that node */
	FL_WEIGHTS = 1 << 4,          /* weights other than 0 and 1 mean something */
	FL_ORDER_FREE = 1 << 5,       /* the order nodes are given in does not matter */
	FL_HISTORY_FREE = 1 << 6,   /* derived = built afresh, from the same nodes and slots */
	FL_EXACT_MOVEMENT = 1 << 7, /* shares and movement are exact, not sampled */
	FL_SECRET = 1 << 8,         /* takes the option `secret` */
};

/* Builds a placement of `count` nodes (0 is fine: every lookup then gives FL_NONE).
 *
 * `spec` names the algorithm and its options: "table", "ring,points=200,seed=7",
 * "rendezvous", "modulo", or another system's mapping, "compat:python-ring,replicas=3".
 * fl_algorithm_next() lists what there is. Numbers are decimal, or hexadecimal after 0x.
 * Native algorithms take `seed` (any 64-bit number, default 0): placements with different
 * seeds are independent. (A hash that the caller made is used as it is; modulo, jump and
 * jumpback then know no seed.)
 *
 * They also take `secret`, 32 hexadecimal digits: key bytes are then hashed by SipHash-2-4 under
 * these 16 bytes (the first eight, little-endian, xor the seed) instead of XXH3, so that clients
 * who choose keys cannot aim them at one node. All who are to agree need the same secret. It never
 * shows in an error, a digest (where a one-way hash stands for it) or a saved state.
 *
 * Nodes that ask for a slot get it; the others then take the lowest free ones in the order
 * given. anchor and dx map keys to the slots below their option `capacity`, which must have room
 * for all nodes there will ever be: another capacity is another mapping. jump and jumpback map
 * keys to shards, slots 0..n-1: a gap between them is FL_EINVAL.
 *
 * *out gets a placement with one reference, the caller's. Names and zones are copied.
 * Errors: FL_EINVAL, FL_ELIMIT, FL_EEXIST, FL_ENOENT (unknown algorithm or option),
 * FL_ENOMEM. Cost: see the algorithm's row. Any thread. */
FL_API int fl_placement_new(fl_placement **out, const char *spec, const struct fl_node *nodes,
	size_t count, struct fl_error *err);

enum fl_change_kind {
	FL_ADD,      /* node.name is new */
	FL_REMOVE,   /* only node.name is read */
	FL_REWEIGHT, /* node.name gets node.weight; zone and slot are left as they are */
};

struct fl_change {
	enum fl_change_kind kind;
	struct fl_node node;
};

/* A new placement that is `old` with the changes made in order; `old` is not changed.
 * Nodes that stay keep their slots; an added node without a slot of its own takes the lowest
 * free one; with anchor the one that was freed last, and asking for another to own keys there
 * is FL_ENOTSUP. With jump and jumpback only the last slot can be removed and only the next one
 * added; anything else is FL_ENOTSUP, but for weights of 0 and 1. With no changes it is a second
 * reference to `old`.
 * Errors as fl_placement_new, and FL_ENOENT when a name to remove or reweight is not there,
 * FL_ENOTSUP when the algorithm cannot make that change. Any thread. */
FL_API int fl_placement_derive(fl_placement **out, const fl_placement *old,
	const struct fl_change *changes, size_t count, struct fl_error *err);

/* Shared ownership: placements are immutable, so a reference may be passed to any thread. */
FL_API fl_placement *fl_placement_ref(const fl_placement *p);
FL_API void fl_placement_unref(fl_placement *p); /* NULL is fine */

FL_API const char *fl_placement_algorithm(const fl_placement *p); /* "ring", "compat:..." */
FL_API uint32_t fl_placement_capabilities(const fl_placement *p); /* enum fl_capability bits */
FL_API size_t fl_placement_count(const fl_placement *p);          /* nodes, weight 0 included */
FL_API uint32_t fl_placement_slots(const fl_placement *p); /* one more than highest slot */
FL_API size_t fl_placement_memory(const fl_placement *p);  /* bytes it holds, all told */

/* The spec in its full form, every option with its value and "***" for a secret, as text with a
 * NUL. Gives its size with the NUL, at most 512; it is written only if `room` is enough. text may
 * be NULL: to ask. Any thread. */
FL_API size_t fl_placement_spec(const fl_placement *p, char *text, size_t room);

/* The node in `slot`, or NULL when the slot is free. Valid as long as the placement. O(1). */
FL_API const struct fl_node *fl_placement_node(const fl_placement *p, uint32_t slot);

/* The slot of the node called `name`, or FL_NONE. O(log n). */
FL_API uint32_t fl_placement_find(const fl_placement *p, const char *name);

/* Identifies the mapping: two placements with one digest map every key to the same name.
 * Covers mapping version, algorithm, options, seed, secret and the nodes' names, weights and zones,
 * sorted by name; slots where they decide (dx, anchor, most of other systems' mappings); and anchor's history, the
 * order in which slots were removed. The same on every machine. */
FL_API uint64_t fl_placement_digest(const fl_placement *p);

/* Writes the placement as bytes that fl_placement_load makes it from again: spec, names, weights,
 * zones, slots, and what anchor knows of its history. The same placement gives the same bytes on
 * every machine, with a checksum at their end.
 * Gives how many bytes that takes, at most 64 + 528 a node + 4 * capacity + the spec; they are
 * written only if `room` is enough. buffer may be NULL: to ask. A secret is not among them, only
 * that there is one. Any thread; O(nodes + capacity). */
FL_API size_t fl_placement_save(const fl_placement *p, void *buffer, size_t room);

/* The placement that was saved as these bytes, with its slots and its digest. They may come from
 * anywhere: whatever is wrong with them is an error. `spec` is what the caller expects ("anchor"
 * means its default options), or NULL: any. A placement with a secret needs it, with the secret.
 * Errors: FL_EINVAL (damaged, or not of `spec` or its secret), FL_ENOTSUP (a newer layout or mapping),
 * FL_ENOENT (an algorithm that this library does not have), FL_EEXIST, FL_ENOMEM. Cost: as
 * fl_placement_new. Any thread. */
FL_API int fl_placement_load(fl_placement **out, const char *spec, const void *state,
	size_t size, struct fl_error *err);

/* True when the node has a weight but earned no point or row, so that no key can reach it. */
FL_API bool fl_placement_starved(const fl_placement *p, uint32_t slot);

/* What is harmful in a faithful copy of another system's mapping, such as all keys on one node: one
 * line for an operator, or NULL. It lives as long as the library. */
FL_API const char *fl_placement_warning(const fl_placement *p);

/* ---- lookup --------------------------------------------------------------------------- */

/* Nodes excluded at pick time, without a rebuild: bit s % 64 of words[s / 64] excludes slot s.
 * Slots beyond the words are not excluded. What a masked pick gives is exact for algorithms
 * with FL_EXACT_MASK, else the key's next owner. (compat:haproxy-map and compat:twemproxy-modula do as
 * their systems: a mask moves other keys, too, so what fl_owners_near says of a key's own order holds
 * within each half only.) NULL or count 0: nobody is excluded. */
struct fl_mask {
	const uint64_t *words;
	size_t count;
};

/* The hash that placement `p` gives `len` bytes, for fl_key_hash() later. Only for algorithms
 * with FL_BY_HASH; 0 otherwise. Any thread, no allocation. */
FL_API uint64_t fl_placement_hash(const fl_placement *p, const void *bytes, size_t len);

/* The slot that owns `key`, into *slot; FL_NONE when nobody eligible is left.
 * Errors: FL_ENOTSUP when the key has no bytes and the algorithm needs them.
 * Any thread, no lock, no allocation. But for systems that build anew without the nodes that are
 * down (compat: Envoy, Katran, Cilium; FL_EXACT_MASK without FL_MINIMAL_ANY) a mask does so as well,
 * at the cost of a build, and FL_ENOMEM is possible; fl_owners then builds for each owner. For many
 * picks, derive a placement without those nodes instead. */
FL_API int fl_pick(const fl_placement *p, const struct fl_key *key, const struct fl_mask *mask,
	uint32_t *slot);

/* The first `k` distinct owners of `key` in its own order, the pick first, into slots[0..k).
 * Gives their number, less than k only when fewer nodes are eligible, or FL_ENOTSUP.
 * Weight-0 and masked nodes are never owners. Any thread, no lock; allocates only when k > 64
 * (then FL_ENOMEM is possible). */
FL_API int fl_owners(const fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k);

/* As fl_owners, but those in `zone` come first, in the key's own order, then all others in that
 * order. NULL or "" means the nodes without a zone, which count as one zone. Errors as fl_owners
 * (after FL_ENOMEM slots[0..k) may hold anything). Any thread, no lock; allocates only when
 * k > 64 or there are more than FL_MAX_ROWED slots. Cost: that of two fl_owners, and a look at each
 * node. */
FL_API int fl_owners_near(const fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, const char *zone, uint32_t *slots, size_t k);

/* As fl_owners, but spread over the zones: the first owner of each zone in the key's own order,
 * then the second of each zone, and so on. The first is the pick. When a node leaves, the first k
 * lose at most that node and gain at most one (given that the own order of the others stays, as
 * it does with FL_EXACT_MASK and always under a mask). Any thread, no lock; allocates, with
 * FL_ENOMEM possible, only when there are more than 64 nodes and the first 64 owners are in fewer
 * than k zones. Cost: O(nodes * log nodes). */
FL_API int fl_owners_spread(const fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k);

/* Where a key stands in a placement that is made of parts: the rows of a table, or the arcs of a
 * ring, each of which ends at the point that owns it. */
struct fl_position {
	const char *part; /* "row" or "point"; lives as long as the library */
	uint64_t index;   /* which one, from 0 */
	uint64_t count;   /* of how many */
	uint64_t first,
		last;  /* the hashes it covers, both included; first > last: it goes round */
	uint64_t hash; /* where the key is among them */
};

/* The part that `key` belongs to, whoever is masked. Only algorithms with FL_EXACT_MOVEMENT have
 * parts: else FL_ENOTSUP, as for a key without what fl_pick needs. Any thread; O(log parts). */
FL_API int fl_locate(const fl_placement *p, const struct fl_key *key, struct fl_position *out);

/* fl_pick with bytes and no mask: the slot, or FL_NONE. */
FL_API uint32_t fl_lookup(const fl_placement *p, const void *bytes, size_t len);

/* fl_pick with a hash and no mask: the slot, or FL_NONE (also without FL_BY_HASH). */
FL_API uint32_t fl_lookup_hash(const fl_placement *p, uint64_t hash);

/* Picks for `count` hashes at once: slots[i] is what fl_pick gives for fl_key_hash(hashes[i]),
 * bit for bit, in less time. The arrays must not overlap; count may be 0. `mask` as in fl_pick.
 * Errors: FL_ENOTSUP without FL_BY_HASH. Any thread, no lock, no allocation. */
FL_API int fl_pick_batch(const fl_placement *p, const uint64_t *hashes, size_t count,
	const struct fl_mask *mask, uint32_t *slots);

/* The same for keys of bytes, of hashes or of both, mixed as they come: slots[i] is what fl_pick
 * gives for keys[i]. Hash keys once with fl_placement_hash and use fl_pick_batch where the same
 * keys are looked up again.
 * Errors: FL_ENOTSUP when any key has no bytes and the algorithm needs them (then no slot is
 * written). Any thread, no lock, no allocation. */
FL_API int fl_lookup_batch(const fl_placement *p, const struct fl_key *keys, size_t count,
	const struct fl_mask *mask, uint32_t *slots);

/* ---- bounded loads ------------------------------------------------------------------------ */

/* Counts the requests in flight by slot, so that no node gets far more than its share of them:
 * a request goes to the first owner of its key that is below
 *     cap = ceil((1 + epsilon) * (m + 1) * weight / W)
 * with m requests in flight and W the sum of the weights of the nodes that may be had (positive
 * weight, not masked). The caps always have room for one more, so nobody is refused.
 *
 * One object serves all placements of a pool: slots stay the same when a membership changes, so
 * requests that are in flight then go on counting where they are. A node that left keeps its
 * requests until they are released; they count in m, which only widens the caps. Whoever takes
 * over its slot meanwhile inherits them in its count. */
typedef struct fl_load fl_load;

#define FL_MAX_EPSILON   10000000u /* in millionths: 1000 % */
#define FL_MAX_IN_FLIGHT (1u << 30)

/* For placements with at most `slots` slots, 1..FL_MAX_NODES. 64 bytes a slot.
 * Errors: FL_EINVAL, FL_ELIMIT, FL_ENOMEM. */
FL_API int fl_load_new(fl_load **out, uint32_t slots);
FL_API void fl_load_free(fl_load *l); /* nobody may be using it; NULL is fine */

/* Finds a node for `key` and counts one request there until fl_load_release. `epsilon` is in
 * millionths (50000: 5 %); the greater it is, the more keys stay with their owner. `mask` as in
 * fl_pick. *slot is FL_NONE, and nothing is counted, when nobody may be had, and only then.
 *
 * The cap holds at a moment within the call; requests that leave lower the caps and throw nobody
 * out. A call that finds every node full in 16 looks, each of which some other thread disturbed,
 * takes the key's first owner whatever its cap: one request a thread at most.
 * Errors: FL_EINVAL (epsilon), FL_ELIMIT (a placement with more slots, too many in flight),
 * FL_ENOTSUP as in fl_pick; FL_ENOMEM, only for a placement of more than FL_MAX_ROWED slots whose
 * first 64 owners are all full: then alone it allocates. Any thread, no lock. Where the key's
 * owner has room: the pick and two atomic operations. */
FL_API int fl_load_acquire(fl_load *l, const fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t epsilon, uint32_t *slot);

/* One request less at `slot`. FL_EINVAL when there is none. Any thread, no lock. */
FL_API int fl_load_release(fl_load *l, uint32_t slot);

/* Requests in flight at `slot` (0 for a slot that `l` has not), and at all. Any thread. */
FL_API uint32_t fl_load_count(const fl_load *l, uint32_t slot);
FL_API uint32_t fl_load_total(const fl_load *l);

/* The most requests that the node in `slot` may have once the next one has come; 0 for a node that
 * cannot be had. Any thread. */
FL_API uint32_t fl_load_cap(const fl_load *l, const fl_placement *p, const struct fl_mask *mask,
	uint32_t epsilon, uint32_t slot);

/* ---- shares and movement --------------------------------------------------------------- */

/* Each slot's share of the key space (they sum to 1, or are all 0 when nobody is eligible),
 * into shares[0..fl_placement_slots(p)). Counted from arcs or rows (FL_EXACT_MOVEMENT); for
 * rendezvous, and for modulo, jump, jumpback, anchor and dx, what their hash is made to give:
 * weight / sum of weights, and 1 / nodes of positive weight; for multiprobe from the distances
 * of its points, as if probes were independent; else from `samples` keys (0: a million).
 * Errors: FL_ENOMEM. Cost: O(structure), or samples lookups. Any thread. */
FL_API int fl_shares(const fl_placement *p, size_t samples, double *shares);

struct fl_flow {
	const char *from; /* a name in `before`, or NULL: had no owner */
	const char *to;   /* a name in `after`, or NULL: has no owner */
	double share;     /* of the key space, > 0 */
};

struct fl_movement {
	double moved; /* share of the key space whose owner (by name) differs */
	double least; /* the least that any scheme must move: half the sum of |change of share|,
		       * having no owner counted as one more place to be at */
	double interval; /* `moved` is within this of the truth, 99 times in 100; 0: exact */
	bool exact;
	size_t count;          /* flows, largest first; ties by names */
	struct fl_flow *flows; /* names live as long as the two placements */
};

/* What moves between two placements. Exact when both have FL_EXACT_MOVEMENT and hash keys
 * alike; else sampled with `samples` keys (0: a million), the same ones every time.
 * *out is freed with fl_movement_free. Errors: FL_ENOMEM. Any thread. */
FL_API int fl_movement_new(struct fl_movement **out, const fl_placement *before,
	const fl_placement *after, size_t samples, struct fl_error *err);
FL_API void fl_movement_free(struct fl_movement *m); /* NULL is fine */

/* ---- live handles ------------------------------------------------------------------------ */

/* A handle publishes placements from one writer at a time to readers in any thread.
 * A reader object belongs to one thread at a time; it holds a reference to the placement it
 * saw last, so memory is bounded by one placement a reader. */
typedef struct fl_handle fl_handle;
typedef struct fl_reader fl_reader;

/* Publishes `first` (one reference is taken; the caller keeps its own). */
FL_API int fl_handle_new(fl_handle **out, const fl_placement *first);

/* All readers must be freed before. NULL is fine. */
FL_API void fl_handle_free(fl_handle *h);

/* Makes `p` what readers see from their next fl_reader_get on. Takes one reference.
 * Writers must not overlap. Waits only for readers in the midst of switching (nanoseconds). */
FL_API void fl_handle_publish(fl_handle *h, const fl_placement *p);

/* Called after each publication, on the thread that publishes, before fl_handle_publish returns:
 * readers can see `after` already. Both placements are valid during the call; take a reference to
 * keep one. fl_movement_new(.., before, after, ..) says what moved. It may subscribe and
 * unsubscribe; it must not publish. */
typedef void fl_published(void *cookie, const fl_placement *before, const fl_placement *after);

#define FL_MAX_SUBSCRIBERS 16 /* of one handle */

/* From the next publication on, told(cookie, ..) is called; the order among subscribers is not
 * defined. To be called where publications are made: the two must not overlap.
 * Errors: FL_EINVAL, FL_EEXIST (the same pair twice), FL_ELIMIT. */
FL_API int fl_handle_subscribe(fl_handle *h, fl_published *told, void *cookie);

/* Ends it, also from within a call. Errors: FL_EINVAL, FL_ENOENT. */
FL_API int fl_handle_unsubscribe(fl_handle *h, fl_published *told, void *cookie);

/* Number of publications so far, the first being 1. Local to this handle. Any thread. */
FL_API uint64_t fl_handle_epoch(const fl_handle *h);

FL_API int fl_reader_new(fl_reader **out, fl_handle *h);
FL_API void fl_reader_free(fl_reader *r); /* NULL is fine */

/* The newest placement, or the last one seen while a writer is in the way; never blocks,
 * writes nothing that other threads read unless there is a new placement to take.
 * Valid until the next fl_reader_get, fl_reader_park or fl_reader_free of this reader. */
FL_API const fl_placement *fl_reader_get(fl_reader *r);

/* Drops the reader's reference, for a thread that will be idle; the next get takes a new one.
 */
FL_API void fl_reader_park(fl_reader *r);

/* ---- what there is ------------------------------------------------------------------------
 */

struct fl_algorithm_info {
	const char *name;    /* as a spec takes it: "ring", "compat:python-ring" */
	const char *summary; /* one sentence */
	const char
		*options; /* "points=160,seed=0": every option with its default; "" for none */
	uint32_t capabilities; /* enum fl_capability bits */
};

/* Walks the algorithms: NULL gives the first, the last gives NULL. */
FL_API const struct fl_algorithm_info *fl_algorithm_next(const struct fl_algorithm_info *prev);

#ifdef __cplusplus
}
#endif

#endif
