// rooms: plan key conf
/* How fast does `plan` read access logs? For each format, a synthetic log is read in blocks of
 * 256 KiB from a file in memory, its keys are made and hashed; beside it
 *   lines     the floor: the same reads, counting newlines with memchr
 *   mawk      mawk '{print $1}' on the same file, where it is there (the fields, nothing else)
 *   goaccess  goaccess on the same file, where it is there (it counts far more than keys)
 * Rounds are interleaved and the best of them is shown, in processor time, as the machine may be
 * busy: MB a second, and instructions a line in user mode where the kernel lets them be counted.
 *
 *   log [MB]   size of each log; 64 when not given */
#include "conf/conf.h"
#include "hash/mix.h"
#include "hash/xxh3.h"
#include "plan/log.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BLOCK  ((size_t)256 << 10)
#define ROUNDS 5

static uint64_t sink;

/* Seconds of processor time that this process has used. */
static double used(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* And its children that have ended. */
static double used_by_children(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

/* ---- instructions ---- */

static int counter = -1;

static void open_counter(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_kernel = 1,
		.exclude_hv = 1};

	counter = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t instructions(void)
{
	uint64_t n = 0;

	if (counter < 0 || read(counter, &n, sizeof(n)) != sizeof(n))
		return 0;
	return n;
}

/* ---- synthetic logs ---- */

static const char *const agents[] = {
	"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
	"Chrome/126.0.0.0 Safari/537.36",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
	"(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
	"curl/7.88.1", "Go-http-client/2.0"};

struct made {
	uint64_t i, random;
	char ip[64], target[128];
	const char *agent;
};

static struct made make(uint64_t i)
{
	struct made m = {.i = i, .random = fl_mix64(i * FL_WEYL)};
	uint32_t user = (uint32_t)(m.random % (1 + (m.random >> 20) % 100000));

	if (user % 4)
		snprintf(m.ip, sizeof(m.ip), "%u.%u.%u.%u", 11 + user % 200, user >> 8 & 255,
			user >> 4 & 255, user & 255);
	else
		snprintf(m.ip, sizeof(m.ip), "2001:db8:%x:%x::%x", user & 255, user >> 8,
			(unsigned)(i & 4095));
	snprintf(m.target, sizeof(m.target), "/catalog/item-%u/view?page=%u&sort=price", user,
		(unsigned)(m.random >> 50));
	m.agent = agents[m.random >> 62];
	return m;
}

static int write_combined(char *out, size_t room, const struct made *m)
{
	return snprintf(out, room,
		"%s - - [10/Oct/2026:13:55:%02u +0000] \"GET %s HTTP/1.1\" 200 %u "
		"\"https://shop.example/\" \"%s\"\n",
		m->ip, (unsigned)(m->i % 60), m->target, (unsigned)(m->random >> 48), m->agent);
}

static int write_haproxy(char *out, size_t room, const struct made *m)
{
	return snprintf(out, room,
		"Oct 10 13:55:%02u lb1 haproxy[14389]: %s:%u [10/Oct/2026:13:55:%02u.655] "
		"https~ app/srv%u 10/0/%u/69/109 200 %u - - ---- 312/310/8/2/0 0/0 {%s} \"GET "
		"%s "
		"HTTP/1.1\"\n",
		(unsigned)(m->i % 60), m->ip, (unsigned)(m->random >> 49),
		(unsigned)(m->i % 60), (unsigned)(m->i % 9), (unsigned)(m->i % 77),
		(unsigned)(m->random >> 48), m->agent, m->target);
}

static int write_json(char *out, size_t room, const struct made *m)
{
	return snprintf(out, room,
		"{\"time\":\"2026-10-10T13:55:%02uZ\",\"remote_addr\":\"%s\",\"request\":{"
		"\"method\":"
		"\"GET\",\"uri\":\"%s\",\"headers\":{\"User-Agent\":[\"%s\"]}},\"status\":200,"
		"\"bytes\":%u,\"seconds\":0.0%u,\"cached\":false}\n",
		(unsigned)(m->i % 60), m->ip, m->target, m->agent, (unsigned)(m->random >> 48),
		(unsigned)(m->i % 977));
}

static const struct kind {
	const char *name, *format, *key;
	int (*write)(char *out, size_t room, const struct made *m);
	const char *goaccess;
} kinds[] = {
	{"combined, client_ip", "combined", "client_ip", write_combined, "COMBINED"},
	{"combined, path", "combined", "path", write_combined, NULL},
	{"combined, all of two", "combined", "{all: [client_ip, 'query:page']}", write_combined,
		NULL},
	{"haproxy, client_ip", "haproxy", "client_ip", write_haproxy, NULL},
	{"haproxy, path", "haproxy", "path", write_haproxy, NULL},
	{"json, client_ip", "json", "client_ip", write_json, NULL},
	{"json, path", "json:request_uri=request.uri", "path", write_json, NULL},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* A file in memory, and its size; the number of lines. */
static int fill(const struct kind *kind, size_t size, uint64_t *lines, size_t *bytes)
{
	int fd = memfd_create("log", 0);
	FILE *f = fd < 0 ? NULL : fdopen(dup(fd), "w");
	char line[2048];

	if (!f)
		abort();
	*bytes = 0;
	for (*lines = 0; *bytes < size; ++*lines) {
		struct made m = make(*lines);
		int n = kind->write(line, sizeof(line), &m);
		if (fwrite(line, 1, (size_t)n, f) != (size_t)n)
			abort();
		*bytes += (size_t)n;
	}
	fclose(f);
	return fd;
}

/* ---- what is measured ---- */

static void hash_key(void *cookie, struct fl_slice key, uint64_t weight)
{
	(void)cookie;
	sink += fl_xxh3(key.p, key.n, 0) + weight;
}

static char block[BLOCK];

static __attribute__((noinline)) void run_log(
	int fd, const struct kind *kind, const struct fl_key_sources *sources, uint64_t lines)
{
	struct fl_log_options options = {
		.format = kind->format, .sources = sources, .key = hash_key};
	struct fl_log *log;
	ssize_t n;

	if (fl_log_new(&log, &options, NULL) != FL_OK || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	while ((n = read(fd, block, BLOCK)) > 0)
		if (fl_log_feed(log, block, (size_t)n, NULL) != FL_OK)
			abort();
	if (fl_log_end(log, NULL) != FL_OK || fl_log_stats(log)->keys != lines)
		abort();
	fl_log_free(log);
}

static void run_lines(int fd)
{
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) != 0)
		abort();
	while ((n = read(fd, block, BLOCK)) > 0)
		for (const char *p = block, *end = block + n;
			p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
			sink++;
}

/* Seconds of a command that reads the log; 0: it is not there. */
static double run_peer(int fd, const char *tool, const char *arguments)
{
	char command[256];
	double began;

	snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1", tool);
	if (system(command) != 0)
		return 0;
	snprintf(command, sizeof(command), "%s %s </proc/%d/fd/%d >/dev/null 2>&1", tool,
		arguments, (int)getpid(), fd);
	began = used_by_children();
	if (system(command) != 0)
		return 0;
	return used_by_children() - began;
}

static double less(double best, double t)
{
	return t > 0 && (best == 0 || t < best) ? t : best;
}

static void print_speed(double bytes, double seconds)
{
	if (seconds > 0)
		printf(" %9.0f", bytes / 1e6 / seconds);
	else
		printf(" %9s", "-");
}

static void measure(const struct kind *kind, size_t size)
{
	struct fl_key_sources sources;
	struct fl_conf *conf;
	uint64_t lines, per_line = 0;
	size_t bytes;
	int fd = fill(kind, size, &lines, &bytes);
	double ours = 0, floor = 0, mawk = 0, goaccess = 0;
	char arguments[128];

	if (fl_key_sources_text(&conf, kind->key, &sources, NULL) != FL_OK)
		abort();
	snprintf(arguments, sizeof(arguments), "--log-format=%s --no-progress -o csv -",
		kind->goaccess ? kind->goaccess : "");
	for (int i = 0; i < ROUNDS; i++) {
		double began = used();
		uint64_t counted = instructions();
		run_log(fd, kind, &sources, lines);
		counted = instructions() - counted;
		ours = less(ours, used() - began);
		if (per_line == 0 || counted / lines < per_line)
			per_line = counted / lines;
		began = used();
		run_lines(fd);
		floor = less(floor, used() - began);
		mawk = less(mawk, run_peer(fd, "mawk", "'{print $1}'"));
		if (kind->goaccess && i == 0)
			goaccess = run_peer(fd, "goaccess", arguments);
	}
	printf("%-24s %6.0f", kind->name, (double)bytes / (double)lines);
	print_speed((double)bytes, ours);
	if (per_line)
		printf(" %9llu", (unsigned long long)per_line);
	else
		printf(" %9s", "-");
	printf(" %7.0f", ours * 1e9 / (double)lines);
	print_speed((double)bytes, floor);
	print_speed((double)bytes, mawk);
	print_speed((double)bytes, goaccess);
	printf("\n");
	fl_conf_free(conf);
	close(fd);
}

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;

	if (size < 1 || size > 4096) {
		fprintf(stderr, "log: the size of a log is 1 to 4096 MB\n");
		return 2;
	}
	open_counter();
	printf("%-24s %6s %9s %9s %7s %9s %9s %9s\n", "", "B/line", "MB/s", "instr", "ns/line",
		"lines", "mawk", "goaccess");
	for (size_t i = 0; i < KINDS; i++)
		measure(&kinds[i], size * 1000000);
	return sink == 1;
}
