/* The answer's side of an exchange: reads the node's answer and passes it on. Private to proxy/. */
#ifndef FL_PROXY_ANSWER_H
#define FL_PROXY_ANSWER_H

#include "proxy/exchange.h"

/* The on_recv of a node's connection; the cookie is the exchange. */
void fl_answer_recv(void *cookie, struct fl_rbuf *buf, int result);

/* ---- exchange.c, for the answer's side ---- */

void fl_exchange_set_state(struct fl_exchange *ex, enum fl_exchange_state state);

/* The answer was passed on to its end. */
void fl_exchange_finish(struct fl_exchange *ex);

/* The attempt failed before an answer began: the next owner, or a 502. */
void fl_exchange_failed(struct fl_exchange *ex, const char *why);

/* Gives up with an answer of our own; nothing of the node's was sent. */
void fl_exchange_reply(struct fl_exchange *ex, int status, const char *why);

/* A 101 was passed on: from now on bytes go both ways. */
void fl_exchange_tunnel(struct fl_exchange *ex);

/* ---- answer.c, for the request's side ---- */

/* The answer cannot go on: if something of it was sent, the client is cut off so that it can
 * see that; else it gets a 502. */
void fl_exchange_cut(struct fl_exchange *ex, const char *why);

#endif
