/* What the files of an exchange share. */
#ifndef FL_PROXY_EXCHANGE_PRIV_H
#define FL_PROXY_EXCHANGE_PRIV_H

#include "proxy/exchange.h"

/* Request heads grow by what the proxy adds: Via, X-Forwarded-*, the joined lists. */
#define FL_EXCHANGE_HEAD_MAX (96u << 10)

/* ---- exchange.c ---- */

/* A blank one, perhaps used before; NULL without memory. */
struct fl_exchange *fl_exchange_new(struct fl_worker *w);

void fl_exchange_set_state(struct fl_exchange *ex, enum fl_exchange_state state);

/* Ends the attempt's connection, if there is one; bytes that are being sent stay until the loop
 * let go of it, and only then a next attempt begins. */
void fl_exchange_drop_conn(struct fl_exchange *ex, bool reset_it);

/* The attempt is over, however it went. */
void fl_exchange_leave_node(struct fl_exchange *ex);

/* The answer was passed on to its end. */
void fl_exchange_finish(struct fl_exchange *ex);

/* Starts the clock of whoever keeps us waiting anew, and stops the other's: the client's while it
 * does not read its answer or owes us the rest of its body, else the node's. In a tunnel both may
 * be silent for long. Called after each step forward, so that a clock fires only when there was
 * none. */
void fl_exchange_clocks(struct fl_exchange *ex);

/* Gives up with an answer of our own; nothing of the node's was sent. */
void fl_exchange_reply(struct fl_exchange *ex, int status, const char *why);

/* Gives up: with an answer of our own, or when something of the node's was sent, by cutting the
 * client off so that it can see that. */
void fl_exchange_give_up(struct fl_exchange *ex, int status, const char *why);

/* ---- attempt.c ---- */

/* The first or the next attempt, or an error to the client. */
void fl_exchange_attempt(struct fl_exchange *ex);

/* The attempt ended without an answer, or without all of it: counts that against the node. */
void fl_exchange_blame(struct fl_exchange *ex);

/* The attempt failed before an answer began: the next owner, or a 502. */
void fl_exchange_failed(struct fl_exchange *ex, const char *why);

/* ---- request.c ---- */

/* The connection stands: the request goes out, and the answer may come in. */
void fl_exchange_start(struct fl_exchange *ex);

/* A 101 was passed on: from now on bytes go both ways. */
void fl_exchange_tunnel(struct fl_exchange *ex);

/* ---- answer.c ---- */

/* The on_recv of a node's connection; the cookie is the exchange. */
void fl_answer_recv(void *cookie, struct fl_rbuf *buf, int result);

/* The node's answer cannot go on, and the node is to blame: gives up. */
void fl_exchange_cut(struct fl_exchange *ex, const char *why);

#endif
