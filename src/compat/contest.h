/* What the rendezvous mappings of this room share: every node makes a bid for the key, and the
 * smallest bid by weight, value / weight, wins it; of equal ones, the node that stands first.
 *
 * Quotients are compared as exact cross products. A value of FL_BID_NEVER cannot win. */
#ifndef FL_COMPAT_CONTEST_H
#define FL_COMPAT_CONTEST_H

#include "place/placement_priv.h"

#define FL_BID_NEVER UINT64_MAX

struct fl_contest;

struct fl_bidder {
	const char *name;
	uint32_t slot;
	uint32_t weight; /* 1 where there are no weights */
	uint32_t size;   /* what the row keeps for it, as a hash of the name: */
	uint64_t own[2]; /* `own`, and `size` if that has to be told */
};

/* The value that bidder `who` bids; `key` is what the row made of the key. */
typedef uint64_t (*fl_bid_fn)(
	const struct fl_contest *c, const struct fl_bidder *who, const void *key);

struct fl_contest {
	fl_bid_fn bid;
	uint32_t count;
	struct fl_bidder bidders[]; /* in the order that decides ties */
};

/* Makes p's state: its eligible nodes by ascending slot. FL_OK or FL_ENOMEM. */
int fl_contest_build(struct fl_placement *p, fl_bid_fn bid);

/* Turns the order of the bidders round. */
void fl_contest_reverse(struct fl_contest *c);

/* As the functions of struct fl_algorithm, for the key that the row made. */
uint32_t fl_contest_pick(
	const struct fl_placement *p, const void *key, const struct fl_mask *mask);
int fl_contest_owners(const struct fl_placement *p, const void *key, const struct fl_mask *mask,
	uint32_t *slots, size_t k);
void fl_contest_free(struct fl_placement *p);
size_t fl_contest_memory(const struct fl_placement *p);
void fl_contest_shares(const struct fl_placement *p, double *shares); /* in ratio of weights */

/* The uint64_t that is `x` rounded to the 53 bits of a double, ties to even; 2^64 becomes 0 and
 * *over true. */
uint64_t fl_round53(uint64_t x, bool *over);

/* The bid of systems that score weight / -ln(x / 2^64), greatest score first: -log2 of it, in
 * integers. For x = 0 their score is 0, which wins nothing: FL_BID_NEVER.
 *
 * They compute in doubles, with the logarithm of their machine; here the quotients are compared
 * exactly (fl_neg_log2 is off by less than 2^-57), the same on every machine. The two can only
 * differ where two nodes' scores agree to about 50 bits; then the node that stands first wins
 * here. */
uint64_t fl_bid_log(uint64_t x);

#endif
