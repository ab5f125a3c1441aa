#include "compat/rows.h"

#include <stdlib.h>

_Static_assert(FL_MAX_ROWED - 1 <= UINT16_MAX, "a slot fits into a row");

static void rows_fini(struct fl_rows *r)
{
	free(r->bits);
	free(r->slots);
	r->bits = NULL;
	r->slots = NULL;
}

static int rows_init(struct fl_rows *r, uint32_t count)
{
	*r = (struct fl_rows){.count = count};
	r->bits = calloc(count / 64 + 1, sizeof(*r->bits));
	r->slots = malloc(count * sizeof(*r->slots));
	if (r->bits && r->slots)
		return FL_OK;
	rows_fini(r);
	return FL_ENOMEM;
}

static int rows_keep(struct fl_placement *p, const struct fl_rows *r)
{
	struct fl_rows *kept = malloc(sizeof(*kept));
	if (!kept)
		return FL_ENOMEM;
	*kept = *r;
	free(kept->bits);
	kept->bits = NULL;
	p->state = kept;
	return FL_OK;
}

int fl_rows_build(struct fl_placement *p, uint32_t count, struct fl_walker *list,
	fl_rows_filler *fill, struct fl_error *err)
{
	struct fl_rows rows = {0};
	int rc = FL_ENOMEM;
	if (list && rows_init(&rows, count) == FL_OK)
		rc = fill(p, &rows, list, err);
	free(list);
	if (rc == FL_OK)
		rc = rows_keep(p, &rows);
	if (rc != FL_OK)
		rows_fini(&rows);
	return rc;
}

static bool is_taken(const struct fl_rows *r, uint32_t row)
{
	return r->bits[row / 64] >> (row % 64) & 1;
}

static void give(struct fl_rows *r, uint32_t row, uint32_t slot)
{
	r->bits[row / 64] |= (uint64_t)1 << (row % 64);
	r->slots[row] = (uint16_t)slot;
	r->taken++;
}

void fl_rows_take(struct fl_rows *r, struct fl_walker *w)
{
	for (;;) {
		uint32_t row = w->at;
		w->at += w->skip;
		w->at -= w->at >= r->count ? r->count : 0;
		if (!is_taken(r, row)) {
			give(r, row, w->slot);
			return;
		}
	}
}

void fl_rows_take_wrapping(struct fl_rows *r, struct fl_walker *w)
{
	for (;;) {
		uint32_t row = w->at % r->count;
		w->at += w->skip;
		if (!is_taken(r, row)) {
			give(r, row, w->slot);
			return;
		}
	}
}

static void put_walker(struct fl_walker *to, const struct fl_node *node)
{
	*to = (struct fl_walker){
		.slot = node->slot, .weight = (uint32_t)node->weight, .name = node->name};
}

struct fl_walker *fl_walkers_by_name(const struct fl_placement *p)
{
	struct fl_walker *list = malloc(p->eligible * sizeof(*list));
	size_t n = 0;
	for (uint32_t i = 0; list && i < p->count; i++) {
		if (p->nodes[i].weight > 0)
			put_walker(&list[n++], &p->nodes[i]);
	}
	return list;
}

struct fl_walker *fl_walkers_by_slot(const struct fl_placement *p)
{
	struct fl_walker *list = malloc(p->eligible * sizeof(*list));
	size_t n = 0;
	for (uint32_t slot = 0; list && slot < p->slots; slot++) {
		const struct fl_node *node = fl_place_at(p, slot);
		if (node && node->weight > 0)
			put_walker(&list[n++], node);
	}
	return list;
}

uint32_t fl_rows_owner(const struct fl_placement *p, uint64_t hash)
{
	const struct fl_rows *r = p->state;
	return r->slots[hash % r->count];
}

void fl_rows_free(struct fl_placement *p)
{
	rows_fini(p->state);
	free(p->state);
}

void fl_rows_shares(const struct fl_placement *p, double *shares)
{
	const struct fl_rows *r = p->state;
	for (uint32_t row = 0; row < r->count; row++)
		shares[r->slots[row]] += 1;
	for (uint32_t slot = 0; slot < p->slots; slot++)
		shares[slot] /= r->count;
}

size_t fl_rows_memory(const struct fl_placement *p)
{
	const struct fl_rows *r = p->state;
	return sizeof(*r) + r->count * sizeof(*r->slots);
}

bool fl_rows_starved(const struct fl_placement *p, uint32_t slot)
{
	const struct fl_rows *r = p->state;
	for (uint32_t row = 0; row < r->count; row++) {
		if (r->slots[row] == slot)
			return false;
	}
	return true;
}
