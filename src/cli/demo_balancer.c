/* The child is asked to end with its parent (PR_SET_PDEATHSIG), has a process group of its own, so
 * that Ctrl-C reaches only the demo, which then ends it in order, and writes to a log in the
 * private directory, whose last line explains a start that failed. Between fork and exec only
 * async-signal-safe calls are made: other threads may exist. */
#include "cli/demo_balancer.h"

#include "base/error.h"
#include "base/text.h"
#include "cli/admin_client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	PATIENCE_MS = 10000, /* for a start, and for a reload */
	GOODBYE_MS = 3000,   /* for an end, before it is forced */
	POLL_MS = 20,
	PORT_TRIES = 3, /* a port found free may be taken by the time it is used */
};

struct fl_demo_balancer {
	struct fl_demo_balancer_options options;
	uint16_t port;
	int status;    /* as waitpid gave it, once there is no process */
	bool forced;   /* it was killed for taking too long */
	pid_t pid;     /* 0: none (any more) */
	int64_t epoch; /* of the pool's last change that was reported */
	char dir[64];  /* short: a unix socket's path has to fit behind it */
	char file[80], fresh[80], admin[80], log[80];
};

static void nap(void)
{
	struct timespec pause = {0, POLL_MS * 1000000L};
	(void)nanosleep(&pause, NULL);
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the private directory ---- */

static int make_dir(struct fl_demo_balancer *b, struct fl_error *err)
{
	const char *parent = getenv("TMPDIR");
	static const char leaf[] = "/fairlead-demo.XXXXXX";

	if (!parent || !*parent || strlen(parent) + sizeof(leaf) > sizeof(b->dir))
		parent = "/tmp";
	(void)snprintf(b->dir, sizeof(b->dir), "%s%s", parent, leaf);
	if (!mkdtemp(b->dir)) {
		int code = fl_error_set(err, FL_EINVAL, "no private directory in %s: %s",
			parent, strerror(errno));
		b->dir[0] = '\0';
		return code;
	}
	(void)snprintf(b->file, sizeof(b->file), "%s/demo.yaml", b->dir);
	(void)snprintf(b->fresh, sizeof(b->fresh), "%s/.new", b->dir);
	(void)snprintf(b->admin, sizeof(b->admin), "%s/admin.sock", b->dir);
	(void)snprintf(b->log, sizeof(b->log), "%s/serve.log", b->dir);
	return FL_OK;
}

/* It holds files only: ours, and what an editor may have left beside them. */
static void remove_dir(const struct fl_demo_balancer *b)
{
	DIR *dir = b->dir[0] ? opendir(b->dir) : NULL;
	const struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)) != NULL)
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	(void)closedir(dir);
	(void)rmdir(b->dir);
}

/* ---- the configuration ---- */

static void write_yaml(const struct fl_demo_balancer *b, unsigned members, FILE *out)
{
	(void)fprintf(out,
		"# Written by `fairlead demo`, which removes it at its end.\n"
		"# Change it, send the balancer a SIGHUP, and see what moves.\n"
		"version: 1\n"
		"admin: {listen: \"unix:%s\"}\n"
		"workers: 2\n"
		"listeners:\n"
		"  - {name: web, bind: \"127.0.0.1:%u\", protocol: http}\n"
		"pools:\n"
		"  " FL_DEMO_POOL ":\n"
		"    algorithm: \"%s\"\n"
		"    key: [{header: " FL_DEMO_KEY_HEADER "}]\n"
		"    nodes:\n",
		b->admin, b->port, b->options.algorithm);
	for (size_t i = 0; i < FL_DEMO_NODES; i++)
		if (members & 1u << i)
			(void)fprintf(out, "      - {name: %s, address: \"127.0.0.1:%u\"}\n",
				fl_demo_node_name(i), b->options.node_port[i]);
}

/* Beside the file, then over it: who reads it sees the old one or the new one. */
static int write_file(const struct fl_demo_balancer *b, unsigned members, struct fl_error *err)
{
	FILE *out = fopen(b->fresh, "we");

	if (out) {
		write_yaml(b, members, out);
		bool bad = ferror(out) != 0;
		if (fclose(out) == 0 && !bad && rename(b->fresh, b->file) == 0)
			return FL_OK;
	}
	return fl_error_set(err, FL_EINVAL, "cannot write %s: %s", b->file, strerror(errno));
}

/* ---- the process ---- */

_Noreturn static void become_balancer(const struct fl_demo_balancer *b, pid_t parent)
{
	sigset_t none;
	int log = open(b->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)setpgid(0, 0);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		_exit(126);
	/* A parent that ended before the first of these two lines is seen by the second. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		_exit(126);
	(void)execl("/proc/self/exe", "fairlead", "serve", "-c", b->file, (char *)NULL);
	_exit(127);
}

static int launch(struct fl_demo_balancer *b, struct fl_error *err)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0)
		become_balancer(b, parent);
	if (pid < 0)
		return fl_error_set(err, FL_ENOMEM, "cannot fork: %s", strerror(errno));
	b->pid = pid;
	return FL_OK;
}

bool fl_demo_balancer_alive(struct fl_demo_balancer *b)
{
	if (b->pid && waitpid(b->pid, &b->status, WNOHANG) != 0)
		b->pid = 0;
	return b->pid != 0;
}

static void end_process(struct fl_demo_balancer *b)
{
	int64_t until = now_ms() + GOODBYE_MS;

	if (b->pid)
		(void)kill(b->pid, SIGTERM);
	while (fl_demo_balancer_alive(b) && now_ms() < until)
		nap();
	if (!b->pid)
		return;
	(void)kill(b->pid, SIGKILL);
	b->forced = true;
	while (waitpid(b->pid, &b->status, 0) < 0 && errno == EINTR)
		;
	b->pid = 0;
}

/* The last line of the log, for an error's text. */
static void last_words(const struct fl_demo_balancer *b, char *words, int size)
{
	FILE *in = fopen(b->log, "re");
	char line[256];

	(void)snprintf(words, (size_t)size, "it said nothing");
	while (in && fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0])
			(void)snprintf(words, (size_t)size, "%.*s", size - 1, line);
	}
	if (in)
		(void)fclose(in);
}

static int gone(const struct fl_demo_balancer *b, const char *what, struct fl_error *err)
{
	char words[160];

	last_words(b, words, sizeof(words));
	return fl_error_set(err, FL_EINVAL, "%s: %s", what, words);
}

/* ---- what it reports ---- */

/* The epoch of the pool's last change of membership into *epoch, and what moved into *moved.
 * False while there is no answer, or no report. */
static bool ask_movement(const struct fl_demo_balancer *b, int64_t *epoch, double *moved)
{
	char address[sizeof(b->admin) + 8];
	const struct fl_admin_client client = {.address = address};

	(void)snprintf(address, sizeof(address), "unix:%s", b->admin);
	json_t *answer = fl_admin_client_get(&client, "/movement?pool=" FL_DEMO_POOL, NULL);
	const json_t *pool = json_array_get(json_object_get(answer, "pools"), 0);
	const json_t *change = json_object_get(pool, "change");
	const json_t *e = json_object_get(change, "epoch");
	const json_t *m = json_object_get(change, "moved");
	bool found = json_is_integer(e) && json_is_number(m);

	if (found) {
		*epoch = json_integer_value(e);
		*moved = json_number_value(m);
	}
	json_decref(answer);
	return found;
}

bool fl_demo_balancer_changed(struct fl_demo_balancer *b, double *moved)
{
	int64_t epoch = 0;

	if (!ask_movement(b, &epoch, moved) || epoch <= b->epoch)
		return false;
	b->epoch = epoch;
	return true;
}

/* Waits for a report that is newer than the last; `what` says which wait has failed. */
static int wait_report(
	struct fl_demo_balancer *b, const char *what, double *moved, struct fl_error *err)
{
	int64_t until = now_ms() + PATIENCE_MS;

	while (now_ms() < until) {
		if (!fl_demo_balancer_alive(b))
			return gone(b, "the balancer has ended", err);
		if (fl_demo_balancer_changed(b, moved))
			return FL_OK;
		nap();
	}
	return gone(b, what, err);
}

int fl_demo_balancer_members(
	struct fl_demo_balancer *b, unsigned members, double *moved, struct fl_error *err)
{
	int rc = write_file(b, members, err);

	if (rc < 0)
		return rc;
	if (!fl_demo_balancer_alive(b) || kill(b->pid, SIGHUP) < 0)
		return gone(b, "the balancer has ended", err);
	return wait_report(b, "the balancer did not reload in 10 s", moved, err);
}

/* ---- start and end ---- */

/* A port that nobody has now. Asking for it in the plain way also finds one that somebody has
 * with SO_REUSEPORT, which the balancer itself would share without a word. */
static int find_port(struct fl_demo_balancer *b, struct fl_error *err)
{
	b->port = b->options.port;
	int fd = fl_demo_listen(&b->port);

	if (fd < 0)
		return fl_error_set(err, FL_EINVAL, "cannot listen on 127.0.0.1:%u: %s",
			b->port, strerror(-fd));
	(void)close(fd);
	return FL_OK;
}

static int try_start(struct fl_demo_balancer *b, struct fl_error *err)
{
	double moved;
	int rc = find_port(b, err);

	if (rc == FL_OK)
		rc = write_file(b, (1u << FL_DEMO_NODES) - 1, err);
	if (rc == FL_OK)
		rc = launch(b, err);
	if (rc == FL_OK)
		rc = wait_report(b, "the balancer did not start in 10 s", &moved, err);
	if (rc < 0)
		end_process(b);
	return rc;
}

int fl_demo_balancer_new(struct fl_demo_balancer **out,
	const struct fl_demo_balancer_options *options, struct fl_error *err)
{
	struct fl_demo_balancer *b = calloc(1, sizeof(*b));

	if (!b)
		return fl_error_set(err, FL_ENOMEM, "no memory");
	b->options = *options;
	int rc = make_dir(b, err);
	if (rc == FL_OK) {
		int tries = options->port ? 1 : PORT_TRIES;
		do {
			rc = try_start(b, err);
		} while (rc < 0 && --tries > 0);
	}
	if (rc < 0) {
		fl_demo_balancer_free(b);
		return rc;
	}
	*out = b;
	return FL_OK;
}

uint16_t fl_demo_balancer_port(const struct fl_demo_balancer *b)
{
	return b->port;
}

pid_t fl_demo_balancer_pid(const struct fl_demo_balancer *b)
{
	return b->pid;
}

const char *fl_demo_balancer_file(const struct fl_demo_balancer *b)
{
	return b->file;
}

const char *fl_demo_balancer_admin(const struct fl_demo_balancer *b)
{
	return b->admin;
}

int fl_demo_balancer_stop(struct fl_demo_balancer *b, struct fl_error *err)
{
	end_process(b);
	if (b->status == 0 || b->forced)
		return FL_OK;
	return gone(b, "the balancer has ended badly", err);
}

void fl_demo_balancer_free(struct fl_demo_balancer *b)
{
	if (!b)
		return;
	end_process(b);
	remove_dir(b);
	free(b);
}
