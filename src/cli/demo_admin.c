/* One connection a request, ended by the server ("Connection: close"), so that the end of the
 * answer needs no framing; a cut answer is then no JSON, and is refused as that. */
#include "cli/demo_admin.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	PATIENCE_S = 2,
	MOST = 1 << 20,
};

static int open_socket(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct timeval patience = {PATIENCE_S, 0};

	if (strlen(path) >= sizeof(addr.sun_path))
		return -1;
	memcpy(addr.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
		connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* Everything the server sends until it closes; a deadline for the whole, not for each piece. */
static bool read_all(int fd, struct fl_text *answer)
{
	time_t until = time(NULL) + PATIENCE_S + 1;
	char piece[4096];

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

static json_t *body_of(struct fl_text *answer)
{
	static const char ok[] = "HTTP/1.1 200 ";

	if (answer->n < sizeof(ok) - 1 || memcmp(answer->p, ok, sizeof(ok) - 1) != 0)
		return NULL;
	const char *body = memmem(answer->p, answer->n, "\r\n\r\n", 4);
	if (!body)
		return NULL;
	body += 4;
	return json_loadb(body, (size_t)(answer->p + answer->n - body), 0, NULL);
}

json_t *fl_demo_admin_get(const char *socket_path, const char *path)
{
	struct fl_text answer;
	char request[512];
	json_t *json = NULL;
	int n = snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n", path);
	int fd = open_socket(socket_path);

	if (fd < 0)
		return NULL;
	fl_text_init(&answer, MOST);
	if (n > 0 && (size_t)n < sizeof(request) &&
		send(fd, request, (size_t)n, MSG_NOSIGNAL) == n && read_all(fd, &answer))
		json = body_of(&answer);
	fl_text_fini(&answer);
	(void)close(fd);
	return json;
}
