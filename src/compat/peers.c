#include "compat/peers.h"

#include <stdlib.h>

#define TRIES 21 /* nginx counts to 20 and asks after the next one */

int fl_peers_build(struct fl_placement *p)
{
	struct fl_peers *q = malloc(sizeof(*q) + p->eligible * sizeof(q->peer[0]));
	if (!q)
		return FL_ENOMEM;
	q->count = 0;
	q->total = 0;
	for (uint32_t slot = 0; slot < p->slots; slot++) {
		const struct fl_node *node = fl_place_at(p, slot);
		if (!node || node->weight == 0)
			continue;
		q->total += (uint64_t)node->weight;
		q->peer[q->count++] = (struct fl_peer){slot, (uint32_t)node->weight, q->total};
	}
	p->state = q;
	return FL_OK;
}

void fl_peers_free(struct fl_placement *p)
{
	free(p->state);
}

size_t fl_peers_memory(const struct fl_placement *p)
{
	const struct fl_peers *q = p->state;
	return sizeof(*q) + q->count * sizeof(q->peer[0]);
}

/* How many of the numbers below `reach` fall to the peer. */
static uint64_t hits_of(const struct fl_peers *q, const struct fl_peer *peer, uint64_t reach)
{
	uint64_t start = peer->end - peer->weight, rest = reach % q->total;
	uint64_t hits = reach / q->total * peer->weight;
	if (rest > start)
		hits += (rest < peer->end ? rest : peer->end) - start;
	return hits;
}

void fl_peers_shares(const struct fl_peers *q, uint64_t reach, double *shares)
{
	for (uint32_t i = 0; i < q->count; i++)
		shares[q->peer[i].slot] =
			(double)hits_of(q, &q->peer[i], reach) / (double)reach;
}

bool fl_peers_starved(const struct fl_peers *q, uint64_t reach, uint32_t slot)
{
	for (uint32_t i = 0; i < q->count; i++) {
		if (q->peer[i].slot == slot)
			return hits_of(q, &q->peer[i], reach) == 0;
	}
	return false;
}

uint32_t fl_peers_find(const struct fl_peers *q, uint64_t number)
{
	uint32_t low = 0, high = q->count - 1;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (number < q->peer[mid].end)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

uint32_t fl_peers_try(const struct fl_peers *q, uint64_t (*next)(void *sequence),
	void *sequence, const struct fl_out *out)
{
	uint32_t at = 0;
	for (unsigned i = 0; i < TRIES; i++) {
		at = fl_peers_find(q, next(sequence) % q->total);
		if (!fl_is_out(out, q->peer[at].slot))
			return q->peer[at].slot;
	}
	for (uint32_t i = 0; i < q->count; i++) {
		at = at + 1 == q->count ? 0 : at + 1;
		if (!fl_is_out(out, q->peer[at].slot))
			return q->peer[at].slot;
	}
	return FL_NONE;
}
