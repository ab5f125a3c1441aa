/* Heads as the proxy writes them: the request towards a node, the answer towards a client, and
 * the answers that it gives itself. What is hop-by-hop stays behind; framing is written anew. */
#ifndef FL_PROXY_HEAD_H
#define FL_PROXY_HEAD_H

#include "base/text.h"
#include "proto/http1.h"

/* The request line and fields for a node, of a head that was parsed from a message: what passes
 * unchanged is copied from there. Adds Via, X-Forwarded-For (appended to what came) and
 * X-Forwarded-Proto. `client` is the client's address as text; `fallback_host` is the Host for
 * an HTTP/1.0 request without one. With `upgrade` the Upgrade field goes along. */
void fl_head_request(struct fl_text *out, const struct fl_http1_head *head,
	struct fl_slice client, struct fl_slice fallback_host, bool upgrade);

struct fl_head_answer {
	bool chunked;    /* the body will be written in chunks */
	bool close;      /* the connection ends after this answer */
	bool keep_alive; /* say so to an HTTP/1.0 client */
	bool upgrade;    /* 101: the Upgrade field goes along */
};

/* The status line and fields of a node's answer, for a client. `raw` is the message's head that `head`
 * was parsed from; when it can go to the client as it is, it is returned and nothing was
 * written, else what was written to `out`, which is empty before. To have it written in any
 * case give an empty `raw`. */
struct fl_slice fl_head_answer(struct fl_text *out, const struct fl_http1_head *head,
	struct fl_slice raw, const struct fl_head_answer *how);

/* A whole answer of the proxy's own: a short text body that says what is wrong. */
void fl_head_own(struct fl_text *out, int status, const char *why, bool head_only, bool close);

#endif
