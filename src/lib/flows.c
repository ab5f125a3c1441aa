#include "lib/flows.h"

#include "fairlead/fairlead.h"
#include "hash/mix.h"

#include <stdbool.h>
#include <stdlib.h>

static bool is_free(const struct fl_flow_count *cell)
{
	return cell->keys.low == 0 && cell->keys.high == 0;
}

static struct fl_flow_count *cell_of(const struct fl_flows *f, uint32_t from, uint32_t to)
{
	size_t i = fl_mix64(((uint64_t)from << 32) | to) & (f->size - 1);
	while (!is_free(&f->cells[i]) && (f->cells[i].from != from || f->cells[i].to != to))
		i = (i + 1) & (f->size - 1);
	return &f->cells[i];
}

static int grow(struct fl_flows *f)
{
	struct fl_flows bigger = {NULL, f->size ? 2 * f->size : 64, f->used};
	bigger.cells = calloc(bigger.size, sizeof(*bigger.cells));
	if (!bigger.cells)
		return FL_ENOMEM;
	for (size_t i = 0; i < f->size; i++) {
		const struct fl_flow_count *c = &f->cells[i];
		if (!is_free(c))
			*cell_of(&bigger, c->from, c->to) = *c;
	}
	free(f->cells);
	*f = bigger;
	return FL_OK;
}

int fl_flows_add(struct fl_flows *f, uint32_t from, uint32_t to, struct fl_keys keys)
{
	if (2 * f->used >= f->size && grow(f) != FL_OK)
		return FL_ENOMEM;
	struct fl_flow_count *c = cell_of(f, from, to);
	f->used += is_free(c);
	c->from = from;
	c->to = to;
	fl_keys_add(&c->keys, keys);
	return FL_OK;
}

void fl_flows_fini(struct fl_flows *f)
{
	free(f->cells);
	*f = (struct fl_flows){0};
}
