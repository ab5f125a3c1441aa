/* A probe lives from its connect until the loop has let go of its socket: the verdict may come
 * long before that, and the bytes of a request must stay for as long as they may be sent.
 *
 * The answer decides, not the sending: a server may answer and close without having read the
 * request. Of an answer only the head is read, at most 32 KiB with interim answers. */
#include "health/probe.h"

#include "base/text.h"
#include "proto/http1.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	REQUEST_MAX = 4096,
	ANSWER_MAX = 32 * 1024,
	HEAD_MAX = 16 * 1024,
};

struct fl_probe {
	struct fl_loop *loop;
	struct fl_stream *stream;
	struct fl_timer timer;
	bool http, connected;
	struct fl_health_expect expect;
	struct fl_text request, in;
	size_t scanned;
	void (*done)(void *cookie, bool ok, const char *why);
	void *cookie;
	char why[160];
};

static const struct fl_http1_limits limits = {HEAD_MAX, HEAD_MAX, FL_HTTP1_MAX_HEADERS};

static void on_closed(void *cookie)
{
	struct fl_probe *probe = cookie;

	fl_text_fini(&probe->request);
	fl_text_fini(&probe->in);
	free(probe);
}

void fl_probe_cancel(struct fl_probe *probe)
{
	fl_timer_cancel(&probe->timer);
	fl_stream_close(probe->stream, false, on_closed);
}

/* The last use of `probe` by the caller. */
static void verdict(struct fl_probe *probe, bool ok)
{
	void (*done)(void *, bool, const char *) = probe->done;

	/* Its memory stays until a later turn, and so does `why`. */
	fl_probe_cancel(probe);
	done(probe->cookie, ok, probe->why);
}

__attribute__((format(printf, 2, 3))) static void failed(
	struct fl_probe *probe, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(probe->why, sizeof(probe->why), format, args);
	va_end(args);
	verdict(probe, false);
}

static void judge(struct fl_probe *probe, int status)
{
	bool ok = status >= (int)probe->expect.min && status <= (int)probe->expect.max;

	(void)snprintf(probe->why, sizeof(probe->why), "answered with status %d", status);
	verdict(probe, ok);
}

/* Looks at what has come in; interim answers (1xx) are passed over. */
static void look(struct fl_probe *probe)
{
	struct fl_http1_head head;
	struct fl_http1_error err = {502, "malformed"};

	while (probe->in.n > 0) {
		long n = fl_http1_head_end(
			probe->in.p, probe->in.n, &probe->scanned, &limits, &err);
		if (n == 0)
			return;
		if (n < 0 || fl_http1_response(probe->in.p, (size_t)n, FL_METHOD_GET, &limits,
				     &head, &err) < 0) {
			failed(probe, "answered something that is not HTTP: %s", err.why);
			return;
		}
		if (head.status >= 200 || head.status == 101) {
			judge(probe, head.status);
			return;
		}
		probe->in.n -= (size_t)n;
		memmove(probe->in.p, probe->in.p + n, probe->in.n);
		probe->scanned = 0;
	}
}

static void on_recv(void *cookie, struct fl_rbuf *buf, int result)
{
	struct fl_probe *probe = cookie;

	if (result < 0) {
		failed(probe, "the connection broke: %s", strerror(-result));
	} else if (result == 0) {
		failed(probe, "the connection ended without an answer");
	} else {
		fl_text_add(&probe->in, buf->data, (size_t)result);
		if (probe->in.failed)
			failed(probe, "the answer's head has no end");
		else
			look(probe);
	}
}

/* What became of the request shows in the answer, or in the lack of one. */
static void on_sent(void *cookie, int result)
{
	(void)cookie;
	(void)result;
}

static void on_connect(void *cookie, int result)
{
	struct fl_probe *probe = cookie;
	struct iovec iov = {probe->request.p, probe->request.n};

	if (result < 0) {
		failed(probe, "cannot connect: %s", strerror(-result));
		return;
	}
	probe->connected = true;
	if (!probe->http) {
		(void)snprintf(probe->why, sizeof(probe->why), "accepts connections");
		verdict(probe, true);
		return;
	}
	(void)fl_stream_send(probe->stream, &iov, 1, on_sent);
	result = fl_stream_recv(probe->stream, on_recv);
	if (result < 0)
		failed(probe, "cannot receive: %s", strerror(-result));
}

static void on_timeout(void *cookie)
{
	struct fl_probe *probe = cookie;

	failed(probe, probe->connected ? "no answer in time" : "cannot connect in time");
}

static bool write_request(
	struct fl_text *out, const struct fl_health_http_conf *http, const char *host)
{
	fl_text_format(out,
		"GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: fairlead-health\r\n"
		"Accept: */*\r\nConnection: close\r\n\r\n",
		http->path, host);
	return !out->failed;
}

int fl_probe_start(struct fl_probe **out, struct fl_loop *loop, const struct fl_addr *addr,
	const struct fl_health_conf *conf, const char *host,
	void (*done)(void *cookie, bool ok, const char *why), void *cookie)
{
	struct fl_probe *probe = calloc(1, sizeof(*probe));
	int rc = -ENOMEM;

	if (!probe)
		return rc;
	probe->loop = loop;
	probe->http = conf->kind == FL_HEALTH_HTTP;
	probe->expect = conf->http.expect;
	probe->done = done;
	probe->cookie = cookie;
	fl_timer_init(&probe->timer, on_timeout, probe);
	fl_text_init(&probe->request, REQUEST_MAX);
	fl_text_init(&probe->in, ANSWER_MAX);
	if (probe->http && !write_request(&probe->request, &conf->http, host))
		goto fail;
	rc = fl_stream_connect(&probe->stream, loop, (const struct sockaddr *)&addr->ss,
		addr->len, probe, on_connect);
	if (rc < 0)
		goto fail;
	fl_timer_set(loop, &probe->timer, conf->timeout_ms);
	*out = probe;
	return 0;
fail:
	fl_text_fini(&probe->request);
	free(probe);
	return rc;
}
