/* What a placement algorithm is: one constant row of this table. Rows of place/ and of compat/
 * have the same form, and everything above works through it. */
#ifndef FL_PLACE_ALGORITHM_H
#define FL_PLACE_ALGORITHM_H

#include "fairlead/fairlead.h"
#include "hash/siphash.h"

#define FL_MAX_OPTIONS 6

/* Which hash of the key's bytes the mapping starts from: placements can be compared arc by arc
 * when this, the seed, and the options in key_options agree. */
enum fl_key_hash {
	FL_KEY_WITH_NODE, /* the key is hashed together with each node: no hash of its own */
	FL_KEY_XXH3,      /* XXH3 with the seed, or SipHash under a secret: fl_place_hash */
	FL_KEY_MD5_TAIL,  /* the last four bytes of MD5 */
	FL_KEY_SHA1_360,  /* SHA-1 mod 360 */
	FL_KEY_MD5_HEAD,  /* the first four bytes of MD5, little-endian */
	/* Theirs, and the option that names it is the row's seed. */
	FL_KEY_LIBMEMCACHED,
	FL_KEY_SPYMEMCACHED,
	FL_KEY_CRC32,
	/* These are what the options in key_options say. */
	FL_KEY_NGINX,
	FL_KEY_HAPROXY,
	FL_KEY_TWEMPROXY,
	FL_KEY_XXH64, /* and, where there is a choice, of numbers themselves */
};

enum fl_option_form {
	FL_ANY_NUMBER = false,
	FL_POWER_OF_TWO = true,
	FL_PRIME,          /* its max is below 2^32 */
	FL_RATIO,          /* in millionths; written as 0.05 or as 5% */
	FL_TWO_CHARACTERS, /* 256 * the first + the second; 0, written as nothing: none */
};

struct fl_algorithm_option {
	const char *name; /* NULL ends the list */
	uint64_t def, min, max;
	int form;                   /* enum fl_option_form */
	const char *const *choices; /* NULL: a number; else names, and the value is the index */
};

/* What key bytes are hashed under where the algorithm has FL_SECRET. */
struct fl_secret {
	bool given; /* if not, XXH3 hashes them */
	struct fl_siphash_key key;
};

/* The keys whose hash is in (the arc before's last, last] belong to `slot` (FL_NONE: nobody). */
struct fl_arc {
	uint64_t last;
	uint32_t slot;
};

#define FL_PART_ROW   "row"
#define FL_PART_POINT "point"

struct fl_algorithm {
	struct fl_algorithm_info info;
	struct fl_algorithm_option options[FL_MAX_OPTIONS + 1];
	int seed;           /* index of the option that is the seed, or -1 */
	int32_t max_weight; /* larger weights are refused */
	enum fl_key_hash key_hash;
	unsigned key_options; /* bit i: option i says how keys are hashed as well */
	bool by_slot;         /* the mapping depends on slots: they go into the digest */
	/* Slots are 0..n-1 without gaps; only the last can be removed, only the next one added,
	 * and anything else is FL_ENOTSUP. */
	bool stacked;
	uint32_t max_nodes; /* instead of FL_MAX_NODES, for nodes and slots; 0: that */

	/* Named with an option that only this other row has, the algorithm is that one. Its
	 * options begin with those of this row. NULL: there is none. */
	const struct fl_algorithm *variant;

	/* An option called "capacity" limits the slots: all are below it.
	 * numbered: a node is its slot and nothing else, so whoever lists nodes again and again,
	 * as a file does, must give each its slot.
	 * lifo: the mapping depends on the order of removals as well, which p->removed keeps;
	 * slots come back last in, first out, and anything else is FL_ENOTSUP. */
	bool numbered;
	bool lifo;

	/* A mask is answered by building without the masked nodes: it may move other keys, too.
	 * pick is then never called with one; owners is, and may give FL_ENOMEM at any k. */
	bool rebuilds;

	/* Makes p->state from p's nodes and options, and sets p->lookup for algorithms with
	 * FL_BY_HASH. p->eligible is at least 1. On failure p->state is NULL. */
	int (*build)(struct fl_placement *p, struct fl_error *err);

	/* The same result as build, made from `old` (same algorithm and options, eligible >= 1).
	 * NULL: build is as good. */
	int (*derive)(
		struct fl_placement *p, const struct fl_placement *old, struct fl_error *err);

	void (*free)(struct fl_placement *p); /* p->state is not NULL */

	/* As fl_pick and fl_owners; the key has a hash (FL_BY_HASH) or has bytes (others), and
	 * p->eligible is at least 1. owners is called with 1 <= k <= p->eligible. */
	uint32_t (*pick)(const struct fl_placement *p, const struct fl_key *key,
		const struct fl_mask *mask);
	int (*owners)(const struct fl_placement *p, const struct fl_key *key,
		const struct fl_mask *mask, uint32_t *slots, size_t k);

	/* slots[i] = what p->lookup gives for hashes[i]. Only with FL_BY_HASH, and only where a
	 * mask moves no keys but the masked nodes' (batch.c). NULL: one lookup after the other
	 * is as good. */
	void (*batch)(const struct fl_placement *p, const uint64_t *hashes, size_t count,
		uint32_t *slots);

	/* Adds each slot's exact share to shares[], which is all zero. NULL: by sampling. */
	void (*shares)(const struct fl_placement *p, double *shares);
	/* The same where it takes memory: FL_OK or FL_ENOMEM. */
	int (*measure)(const struct fl_placement *p, double *shares);

	/* Arc number i in order of hash; false past the last, whose end is UINT64_MAX.
	 * NULL unless FL_EXACT_MOVEMENT. */
	bool (*arc)(const struct fl_placement *p, size_t i, struct fl_arc *arc);
	/* What an arc is: FL_PART_ROW, or FL_PART_POINT where the last arc is the wrap to the
	 * first point. Set when `arc` is. */
	const char *part;
	/* Where a key is among the arcs; the key has what pick wants. NULL: at its hash. */
	uint64_t (*position)(const struct fl_placement *p, const struct fl_key *key);

	size_t (*memory)(const struct fl_placement *p); /* of the state */

	/* The node in `slot`, of positive weight, owns nothing. NULL: cannot happen. */
	bool (*starved)(const struct fl_placement *p, uint32_t slot);

	/* What this mapping does that nobody can want, and does because its system does; or NULL.
	 * One line, no period at the end. NULL: none does such a thing. */
	const char *(*warning)(const struct fl_placement *p);
};

#endif
