/* The demo's backends: small HTTP servers on loopback, all on one loop in one thread.
 *
 * Each answers every request with its own name: in the field X-Node, and in a body of one line,
 * "NODE KEY\n", KEY being the request's X-User ("-" without one). */
#ifndef FL_CLI_DEMO_NODES_H
#define FL_CLI_DEMO_NODES_H

#include <stddef.h>
#include <stdint.h>

#define FL_DEMO_NODES  5
#define FL_DEMO_NOBODY 0xff /* the number of no node */

/* The header that holds a request's key, and the one that names the node that answered. */
#define FL_DEMO_KEY_HEADER  "X-User"
#define FL_DEMO_NODE_HEADER "X-Node"

struct fl_demo_nodes;

/* The name of node i: "a", "b", ... */
const char *fl_demo_node_name(size_t i);

/* Starts the backends on ports that the kernel finds free. 0 or a negative errno. */
int fl_demo_nodes_new(struct fl_demo_nodes **out);

uint16_t fl_demo_node_port(const struct fl_demo_nodes *nodes, size_t i);

/* Cuts what is open and waits for the thread. NULL is fine. */
void fl_demo_nodes_free(struct fl_demo_nodes *nodes);

/* A listening, non-blocking, close-on-exec socket on 127.0.0.1 and `*port` (0: a free one, which
 * *port then holds), or a negative errno. */
int fl_demo_listen(uint16_t *port);

#endif
