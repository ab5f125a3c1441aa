/* One connection a request, ended by the server ("Connection: close"), so that the end of the
 * answer needs no framing; a cut answer is then no JSON, and is refused as that. */
#include "cli/admin_client.h"

#include "base/error.h"
#include "base/text.h"
#include "net/addr.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
	PATIENCE_S = 5,
	MOST = 64 << 20,
	REQUEST_MOST = 256 << 10,
};

static int failed(struct fl_error *err, const struct fl_admin_client *client, const char *why)
{
	return fl_error_set(
		err, FL_EINVAL, "cannot ask the balancer at %.100s: %s", client->address, why);
}

static int open_socket(const struct fl_admin_client *client, struct fl_error *err)
{
	struct timeval patience = {PATIENCE_S, 0};
	struct fl_addr addr;

	if (fl_addr_parse(&addr, client->address, err) != FL_OK)
		return -1;
	int fd = socket(addr.ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
		connect(fd, (struct sockaddr *)&addr.ss, addr.len) == 0)
		return fd;
	(void)failed(err, client, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static bool send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

static bool send_request(int fd, const struct fl_admin_client *client, const char *path)
{
	struct fl_text request;
	bool done;

	fl_text_init(&request, REQUEST_MOST);
	fl_text_format(
		&request, "GET %s HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n", path);
	if (client->token && *client->token)
		fl_text_format(&request, "Authorization: Bearer %s\r\n", client->token);
	FL_TEXT_LITERAL(&request, "\r\n");
	done = !request.failed && send_all(fd, request.p, request.n);
	fl_text_fini(&request);
	return done;
}

/* Everything the server sends until it closes; a deadline for the whole, not for each piece. */
static bool read_all(int fd, struct fl_text *answer)
{
	time_t until = time(NULL) + PATIENCE_S + 1;
	char piece[16384];

	while (!answer->failed && time(NULL) <= until) {
		ssize_t n = recv(fd, piece, sizeof(piece), 0);
		if (n == 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			fl_text_add(answer, piece, (size_t)n);
	}
	return false;
}

/* The balancer refused, and says why as {"error": ...}. */
static json_t *refused(const struct fl_admin_client *client, const struct fl_text *answer,
	json_t *json, struct fl_error *err)
{
	const char *why = json_string_value(json_object_get(json, "error"));
	const char *end = memchr(answer->p, '\r', answer->n);
	char status[64];

	(void)snprintf(
		status, sizeof(status), "%.*s", end ? (int)(end - answer->p) : 0, answer->p);
	(void)failed(err, client, why ? why : status);
	json_decref(json);
	return NULL;
}

static json_t *read_answer(const struct fl_admin_client *client, const struct fl_text *answer,
	struct fl_error *err)
{
	static const char ok[] = "HTTP/1.1 200 ";
	const char *body = answer->n ? memmem(answer->p, answer->n, "\r\n\r\n", 4) : NULL;
	json_t *json;

	if (!body) {
		(void)failed(err, client, "the answer is not HTTP");
		return NULL;
	}
	body += 4;
	json = json_loadb(body, (size_t)(answer->p + answer->n - body), 0, NULL);
	if (answer->n < sizeof(ok) - 1 || memcmp(answer->p, ok, sizeof(ok) - 1) != 0)
		return refused(client, answer, json, err);
	if (!json)
		(void)failed(err, client, "the answer is not JSON, or is cut");
	return json;
}

json_t *fl_admin_client_get(
	const struct fl_admin_client *client, const char *path, struct fl_error *err)
{
	struct fl_text answer;
	json_t *json = NULL;
	int fd = open_socket(client, err);

	if (fd < 0)
		return NULL;
	fl_text_init(&answer, MOST);
	if (send_request(fd, client, path) && read_all(fd, &answer))
		json = read_answer(client, &answer, err);
	else
		(void)failed(err, client,
			answer.failed ? "the answer is too large" : "no answer in time");
	fl_text_fini(&answer);
	(void)close(fd);
	return json;
}
