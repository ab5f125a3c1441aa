/* What must happen: the pool of the balancer's own file, built here by the same parser and the
 * same pool code that the balancer uses, and asked for every key of the demo.
 *
 * Beside it a plain hash-modulo over the same nodes, to compare with. */
#ifndef FL_CLI_DEMO_ORACLE_H
#define FL_CLI_DEMO_ORACLE_H

#include "cli/demo_nodes.h"
#include "fairlead/fairlead.h"

#include <stdint.h>

struct fl_demo_oracle;

int fl_demo_oracle_new(struct fl_demo_oracle **out);
void fl_demo_oracle_free(struct fl_demo_oracle *o); /* NULL is fine */

/* Makes the pool what the file says now. */
int fl_demo_oracle_read(struct fl_demo_oracle *o, const char *file, struct fl_error *err);

/* The number of the node that has key i by the pool, or by modulo; FL_DEMO_NOBODY: none. */
uint8_t fl_demo_oracle_owner(const struct fl_demo_oracle *o, size_t i);
uint8_t fl_demo_oracle_modulo(const struct fl_demo_oracle *o, size_t i);

/* The fair share of node i: its weight among all weights. */
double fl_demo_oracle_fair(const struct fl_demo_oracle *o, size_t i);

/* The share of the key space that the last change moved. */
double fl_demo_oracle_moved(const struct fl_demo_oracle *o);

/* The library's capability bits of the pool's algorithm. */
uint32_t fl_demo_oracle_capabilities(const struct fl_demo_oracle *o);

#endif
