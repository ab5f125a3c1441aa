/* Host names among node addresses: each is resolved off the loop, and again when its answer's
 * time is up. A node's name is its identity, so a new address moves no key. Control thread only. */
#ifndef FL_DAEMON_NAMES_H
#define FL_DAEMON_NAMES_H

#include "loop/loop.h"

struct fl_names;

/* on_change is called after some name got an address, or another one. NULL without memory. */
struct fl_names *fl_names_new(
	struct fl_loop *loop, void (*on_change)(void *cookie), void *cookie);
void fl_names_free(struct fl_names *names); /* NULL is fine; no callback comes after it */

/* Between begin and end every address of the new configuration is asked for; names that were not
 * are forgotten at the end. */
void fl_names_begin(struct fl_names *names);
void fl_names_end(struct fl_names *names);

/* `address` itself when it is a literal; else the literal address that its host name has now, or
 * `address` while that is not known. Starts to resolve names it has not met. Valid until the next
 * on_change or end. */
const char *fl_names_address(struct fl_names *names, const char *address);

#endif
