/* Five servers on one loop. The thread is the only one that touches them once it runs, so they
 * are closed by a task posted to it; the last one closed ends the loop. */
#include "cli/demo_nodes.h"

#include "httpd/httpd.h"
#include "loop/loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct node {
	const char *name;
	uint16_t port;
	struct fl_httpd *server;
	struct fl_demo_nodes *all;
};

struct fl_demo_nodes {
	struct fl_loop *loop;
	pthread_t thread;
	struct fl_task stop;
	size_t open; /* servers that are not closed yet */
	struct node node[FL_DEMO_NODES];
};

static const char *const names[FL_DEMO_NODES] = {"a", "b", "c", "d", "e"};

const char *fl_demo_node_name(size_t i)
{
	return names[i];
}

uint16_t fl_demo_node_port(const struct fl_demo_nodes *nodes, size_t i)
{
	return nodes->node[i].port;
}

int fl_demo_listen(uint16_t *port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
		.sin_port = htons(*port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, len) < 0 || listen(fd, 128) < 0 ||
		getsockname(fd, (struct sockaddr *)&addr, &len) < 0) {
		int error = errno;
		(void)close(fd);
		return -error;
	}
	*port = ntohs(addr.sin_port);
	return fd;
}

static void answer(
	void *cookie, const struct fl_httpd_request *req, struct fl_httpd_reply *reply)
{
	const struct node *node = cookie;
	struct fl_slice key = fl_httpd_header(req, FL_DEMO_KEY_HEADER);

	if (!key.p)
		key = FL_SLICE("-");
	fl_httpd_field(reply, FL_DEMO_NODE_HEADER, node->name);
	fl_httpd_printf(reply, "%s %.*s\n", node->name, (int)key.n, key.p);
}

static void on_closed(void *cookie)
{
	struct fl_demo_nodes *nodes = cookie;

	if (--nodes->open == 0)
		fl_loop_stop(nodes->loop);
}

static void stop(struct fl_task *task)
{
	struct fl_demo_nodes *nodes = fl_container_of(task, struct fl_demo_nodes, stop);

	if (nodes->open == 0)
		fl_loop_stop(nodes->loop);
	for (size_t i = 0; i < FL_DEMO_NODES; i++)
		fl_httpd_close(nodes->node[i].server, on_closed, nodes);
}

static void *run(void *cookie)
{
	struct fl_demo_nodes *nodes = cookie;

	(void)fl_loop_run(nodes->loop);
	return NULL;
}

static int open_nodes(struct fl_demo_nodes *nodes)
{
	for (size_t i = 0; i < FL_DEMO_NODES; i++) {
		struct node *node = &nodes->node[i];
		node->name = names[i];
		int fd = fl_demo_listen(&node->port);
		int rc = fd < 0 ? fd
		                : fl_httpd_new(
					  &node->server, nodes->loop, fd, answer, node, NULL);
		if (rc < 0)
			return rc;
		nodes->open++;
	}
	return 0;
}

/* Closes what was opened, on whichever thread runs the loop now. */
static void end(struct fl_demo_nodes *nodes, bool started)
{
	nodes->stop.run = stop;
	fl_loop_post(nodes->loop, &nodes->stop);
	if (started)
		(void)pthread_join(nodes->thread, NULL);
	else
		(void)fl_loop_run(nodes->loop);
	fl_loop_free(nodes->loop);
	free(nodes);
}

int fl_demo_nodes_new(struct fl_demo_nodes **out)
{
	struct fl_loop_options options = {.backend = FL_LOOP_EPOLL};
	struct fl_demo_nodes *nodes = calloc(1, sizeof(*nodes));

	if (!nodes)
		return -ENOMEM;
	int rc = fl_loop_new(&nodes->loop, &options);
	if (rc < 0) {
		free(nodes);
		return rc;
	}
	rc = open_nodes(nodes);
	if (rc == 0)
		rc = -pthread_create(&nodes->thread, NULL, run, nodes);
	if (rc < 0) {
		end(nodes, false);
		return rc;
	}
	*out = nodes;
	return 0;
}

void fl_demo_nodes_free(struct fl_demo_nodes *nodes)
{
	if (nodes)
		end(nodes, true);
}
