/* An act is: requests stop to count, the membership changes, the balancer reports that it has,
 * requests count again, and every key is asked for at least once. So whatever is seen for a key
 * in an act was sent after the change was published, and is exact, not a matter of timing. */
#include "cli/demo_show.h"

#include "cli/demo_moves.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	FRAME_MS = 100,
	AWAY = 2, /* c */
	ALL = (1u << FL_DEMO_NODES) - 1,
	PASS_PATIENCE =
		30,      /* seconds past its time that an act may take to ask for every key */
	CALM_RATE = 500, /* requests a second once the acts are over */
	MOST_FAULTS = 12,
};

struct show {
	struct fl_demo_stage stage;
	struct fl_demo_view *view;
	const char *title;
	uint8_t *home, *here; /* [keys]: who had each key in the first act, and in this one */
	uint8_t *modulo, *modulo_home;
	double rate, rate_at; /* requests a second, and when that was measured */
	uint64_t rate_answered;
	double reported; /* what the balancer says has moved */
	int signal;
	bool ended; /* the balancer ended by itself, or nobody looks any more */
	unsigned faults;
	char fault[MOST_FAULTS][200];
};

double fl_demo_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Remembers, for the end, what was not as it must be. */
__attribute__((format(printf, 2, 3))) static void fault(struct show *s, const char *format, ...)
{
	va_list args;

	if (s->faults == MOST_FAULTS)
		return;
	va_start(args, format);
	(void)vsnprintf(s->fault[s->faults++], sizeof(s->fault[0]), format, args);
	va_end(args);
}

/* ---- what is seen now ---- */

static void count_keys(const struct show *s, struct fl_demo_frame *f)
{
	for (size_t i = 0; i < s->stage.keys; i++) {
		uint8_t owner = fl_demo_traffic_owner(s->stage.traffic, i);
		if (owner == FL_DEMO_NOBODY)
			continue;
		f->row[owner].keys++;
		if (s->home[i] != FL_DEMO_NOBODY && s->home[i] != owner)
			f->row[owner].guests++;
	}
}

static void measure_rate(struct show *s, uint64_t answered)
{
	double now = fl_demo_now();

	if (s->rate_at > 0 && now - s->rate_at < 0.5)
		return;
	if (s->rate_at > 0)
		s->rate = (double)(answered - s->rate_answered) / (now - s->rate_at);
	s->rate_at = now;
	s->rate_answered = answered;
}

static struct fl_demo_frame look(struct show *s)
{
	struct fl_demo_frame f = {.title = s->title,
		.now = fl_demo_now() - s->stage.began,
		.of = s->stage.seconds};
	struct fl_demo_counts counts;
	uint64_t all = 0;

	fl_demo_traffic_counts(s->stage.traffic, &counts);
	measure_rate(s, counts.answered);
	f.rate = s->rate;
	f.answered = counts.answered;
	f.failed = counts.failed;
	for (size_t i = 0; i < FL_DEMO_NODES; i++)
		all += counts.requests[i];
	for (size_t i = 0; i < FL_DEMO_NODES; i++) {
		f.row[i].name = fl_demo_node_name(i);
		f.row[i].fair = fl_demo_oracle_fair(s->stage.oracle, i);
		f.row[i].away = f.row[i].fair <= 0;
		f.row[i].requests = counts.requests[i];
		f.row[i].share = all ? (double)counts.requests[i] / (double)all : 0;
	}
	count_keys(s, &f);
	return f;
}

/* Waits for a frame's time and draws one. False: the show is over. */
static bool tick(struct show *s)
{
	struct timespec pause = {0, FRAME_MS * 1000000L};
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	int signal = sigtimedwait(&set, NULL, &pause);
	if (signal > 0)
		s->signal = signal;
	struct fl_demo_frame frame = look(s);
	fl_demo_view_frame(s->view, &frame);
	if (!fl_demo_balancer_alive(s->stage.balancer)) {
		fault(s, "the balancer has ended by itself");
		s->ended = true;
	}
	s->ended = s->ended || s->view->broken;
	return !s->signal && !s->ended;
}

/* ---- an act ---- */

/* Makes the members what `members` says and waits until that is so. */
static int change(struct show *s, unsigned members)
{
	const struct fl_demo_stage *st = &s->stage;
	struct fl_error err;

	fl_demo_traffic_end(st->traffic);
	if (fl_demo_balancer_members(st->balancer, members, &s->reported, &err) < 0 ||
		fl_demo_oracle_read(st->oracle, fl_demo_balancer_file(st->balancer), &err) <
			0) {
		fault(s, "%s", err.text);
		return -1;
	}
	return 0;
}

/* Until the act's time is up and every key was asked for. 0, or -1: the show is over. */
static int play(struct show *s, double until)
{
	struct fl_demo_counts counts;

	do {
		if (!tick(s))
			return -1;
		fl_demo_traffic_counts(s->stage.traffic, &counts);
		if (fl_demo_now() > until + PASS_PATIENCE) {
			fault(s, "only %zu of %zu keys were answered in time", counts.seen,
				s->stage.keys);
			return -1;
		}
	} while (counts.seen < s->stage.keys || fl_demo_now() < until);
	return 0;
}

/* What was seen of every key, and whether it is what the library foretells. */
static void take_stock(struct show *s)
{
	size_t wrong = 0, example = 0;

	for (size_t i = 0; i < s->stage.keys; i++) {
		s->here[i] = fl_demo_traffic_owner(s->stage.traffic, i);
		s->modulo[i] = fl_demo_oracle_modulo(s->stage.oracle, i);
		if (s->here[i] == fl_demo_oracle_owner(s->stage.oracle, i))
			continue;
		example = wrong++ ? example : i;
	}
	if (wrong) {
		struct fl_demo_key key;
		fault(s, "%s: %zu keys went elsewhere than the library says, such as %s",
			s->title, wrong, fl_demo_key(&key, example));
	}
}

static int act(struct show *s, int number, const char *title, unsigned members)
{
	s->title = title;
	fl_demo_view_say(s->view, FL_DEMO_HEAD, "  %d  %s", number, title);
	if (number > 1 && change(s, members) < 0)
		return -1;
	fl_demo_traffic_begin(s->stage.traffic);
	if (play(s, s->stage.began + s->stage.act * number) < 0)
		return -1;
	struct fl_demo_frame frame = look(s);
	fl_demo_view_table(s->view, &frame);
	take_stock(s);
	return 0;
}

/* ---- what moved ---- */

static double percent(const struct show *s, size_t n)
{
	return 100 * (double)n / (double)s->stage.keys;
}

static bool has(const struct show *s, enum fl_capability capability)
{
	return (fl_demo_oracle_capabilities(s->stage.oracle) & capability) != 0;
}

/* The balancer's own report must say what the library says of the same change. */
static void check_report(struct show *s)
{
	double moved = fl_demo_oracle_moved(s->stage.oracle);

	if (fabs(moved - s->reported) > 1e-6)
		fault(s, "%s: the balancer reports that %.4f %% moved, the library %.4f %%",
			s->title, 100 * s->reported, 100 * moved);
}

static void say_taken_away(struct show *s, const struct fl_demo_moves *m)
{
	struct fl_demo_number moved, keys, own;
	struct fl_demo_list from, to;
	const char *name = fl_demo_node_name(AWAY);

	(void)fl_demo_number(&moved, m->all);
	(void)fl_demo_number(&keys, s->stage.keys);
	(void)fl_demo_list(&to, m->to);
	if (m->all == m->from[AWAY]) {
		fl_demo_view_say(s->view, FL_DEMO_GOOD,
			"     %s of %s keys moved (%.1f %%), all of them %s's:", moved.text,
			keys.text, percent(s, m->all), name);
	} else {
		fl_demo_view_say(s->view, FL_DEMO_PLAIN,
			"     %s of %s keys moved (%.1f %%), only %s of them %s's:", moved.text,
			keys.text, percent(s, m->all), fl_demo_number(&own, m->from[AWAY]),
			name);
		fl_demo_view_say(
			s->view, FL_DEMO_PLAIN, "     from %s", fl_demo_list(&from, m->from));
	}
	fl_demo_view_say(s->view, FL_DEMO_PLAIN, "     to %s", to.text);
}

static void say_modulo(struct show *s)
{
	struct fl_demo_moves m = fl_demo_moves(s->modulo_home, s->modulo, s->stage.keys);
	struct fl_demo_number n;

	fl_demo_view_say(s->view, FL_DEMO_DIM, "     modulo would have moved %s (%.1f %%)",
		fl_demo_number(&n, m.all), percent(s, m.all));
}

static void judge_taken_away(struct show *s, const struct fl_demo_moves *m)
{
	const char *name = fl_demo_node_name(AWAY);
	size_t left = 0;

	for (size_t i = 0; i < s->stage.keys; i++)
		left += s->here[i] == AWAY;
	if (left)
		fault(s, "%zu keys still went to %s while it was away", left, name);
	if (m->all > m->from[AWAY] && has(s, FL_MINIMAL_ANY))
		fault(s, "%zu keys moved that were not %s's", m->all - m->from[AWAY], name);
	check_report(s);
}

static void say_came_back(struct show *s, size_t moved, const struct fl_demo_moves *m)
{
	struct fl_demo_number n, keys;

	(void)fl_demo_number(&keys, s->stage.keys);
	if (m->all == 0)
		fl_demo_view_say(s->view, FL_DEMO_GOOD,
			"     %s keys moved back (%.1f %%): each of the %s is home again",
			fl_demo_number(&n, moved), percent(s, moved), keys.text);
	else
		fl_demo_view_say(s->view, FL_DEMO_PLAIN,
			"     %s of %s keys are not where they were at first",
			fl_demo_number(&n, m->all), keys.text);
}

/* ---- the three acts ---- */

static int act_share(struct show *s)
{
	size_t least = 0, most = 0;

	if (act(s, 1, "five nodes share the keys", ALL) < 0)
		return -1;
	memcpy(s->home, s->here, s->stage.keys);
	memcpy(s->modulo_home, s->modulo, s->stage.keys);
	struct fl_demo_frame f = look(s);
	for (size_t i = 0; i < FL_DEMO_NODES; i++) {
		least = f.row[i].keys < f.row[least].keys ? i : least;
		most = f.row[i].keys > f.row[most].keys ? i : most;
	}
	fl_demo_view_say(s->view, FL_DEMO_PLAIN,
		"     the fewest keys has %s (%.1f %%), the most %s (%.1f %%); fair is %.1f %%",
		f.row[least].name, percent(s, f.row[least].keys), f.row[most].name,
		percent(s, f.row[most].keys), 100 * f.row[0].fair);
	return 0;
}

static int act_away(struct show *s, size_t *moved)
{
	if (act(s, 2, "c goes away", ALL & ~(1u << AWAY)) < 0)
		return -1;
	struct fl_demo_moves m = fl_demo_moves(s->home, s->here, s->stage.keys);
	say_taken_away(s, &m);
	say_modulo(s);
	judge_taken_away(s, &m);
	*moved = m.all;
	return 0;
}

static int act_back(struct show *s, size_t moved)
{
	if (act(s, 3, "c comes back", ALL) < 0)
		return -1;
	struct fl_demo_moves m = fl_demo_moves(s->home, s->here, s->stage.keys);
	say_came_back(s, moved, &m);
	if (m.all && has(s, FL_HISTORY_FREE))
		fault(s, "%zu keys did not come home again", m.all);
	check_report(s);
	return 0;
}

/* ---- the end ---- */

static void judge_traffic(struct show *s)
{
	struct fl_demo_counts counts;
	char why[160];

	fl_demo_traffic_counts(s->stage.traffic, &counts);
	fl_demo_traffic_why(s->stage.traffic, why, sizeof(why));
	if (counts.failed)
		fault(s, "%llu requests failed; the first: %s",
			(unsigned long long)counts.failed, why);
	if (counts.strays)
		fault(s, "%llu answers came from another node than the one before, in one act",
			(unsigned long long)counts.strays);
}

/* What was found, as the last word on the acts. */
static void pronounce(struct show *s)
{
	struct fl_demo_number n;
	struct fl_demo_counts counts;

	judge_traffic(s);
	fl_demo_traffic_counts(s->stage.traffic, &counts);
	for (unsigned i = 0; i < s->faults; i++)
		fl_demo_view_say(s->view, FL_DEMO_BAD, "  wrong: %s", s->fault[i]);
	if (s->faults == 0)
		fl_demo_view_say(s->view, FL_DEMO_GOOD,
			"  0 of %s requests failed; each key was where the library says, every "
			"time",
			fl_demo_number(&n, counts.answered));
}

static void say_what_to_try(struct show *s)
{
	const struct fl_demo_balancer *b = s->stage.balancer;
	const char *admin = fl_demo_balancer_admin(b);
	unsigned port = fl_demo_balancer_port(b);

	fl_demo_view_say(s->view, FL_DEMO_HEAD, "  try, in another terminal");
	fl_demo_view_say(s->view, FL_DEMO_COMMAND,
		"     curl -H '" FL_DEMO_KEY_HEADER ": alice' http://127.0.0.1:%u/", port);
	fl_demo_view_say(
		s->view, FL_DEMO_COMMAND, "     curl --unix-socket %s http://x/pools", admin);
	fl_demo_view_say(s->view, FL_DEMO_COMMAND,
		"     curl --unix-socket %s 'http://x/why?pool=" FL_DEMO_POOL "&key=alice'",
		admin);
	fl_demo_view_say(s->view, FL_DEMO_COMMAND, "     vi %s; kill -HUP %ld",
		fl_demo_balancer_file(b), (long)fl_demo_balancer_pid(b));
	fl_demo_view_say(s->view, FL_DEMO_DIM, "     Ctrl-C ends it all");
}

/* Somebody changed the file and sent SIGHUP: what that did, and new shares. */
static void follow(struct show *s)
{
	const struct fl_demo_stage *st = &s->stage;
	struct fl_error err;

	if (!fl_demo_balancer_changed(st->balancer, &s->reported))
		return;
	fl_demo_traffic_end(st->traffic);
	if (fl_demo_oracle_read(st->oracle, fl_demo_balancer_file(st->balancer), &err) == FL_OK)
		fl_demo_view_say(s->view, FL_DEMO_PLAIN,
			"     changed: %.1f %% of the key space moved", 100 * s->reported);
	fl_demo_traffic_begin(st->traffic);
}

/* Live shares until the time is up, or a signal. */
static void stay(struct show *s)
{
	double asked = fl_demo_now();

	s->title = "live";
	fl_demo_traffic_rate(s->stage.traffic, CALM_RATE);
	while (s->stage.seconds <= 0 || fl_demo_now() < s->stage.began + s->stage.seconds) {
		if (!tick(s))
			return;
		if (fl_demo_now() < asked + 1)
			continue;
		asked = fl_demo_now();
		follow(s);
	}
}

static int perform(struct show *s)
{
	size_t moved = 0;
	bool whole = act_share(s) == 0 && act_away(s, &moved) == 0 && act_back(s, moved) == 0;

	if (!whole && s->signal) {
		fl_demo_view_leave(s->view);
		fl_demo_view_say(s->view, FL_DEMO_DIM, "  cut short by a signal");
		return 128 + s->signal;
	}
	pronounce(s);
	unsigned known = s->faults;
	if (whole && (s->stage.seconds <= 0 || s->stage.seconds > 3 * s->stage.act + 1)) {
		say_what_to_try(s);
		stay(s);
	}
	if (s->view->live && !s->view->broken) {
		struct fl_demo_frame frame = look(s);
		fl_demo_view_frame(s->view, &frame);
	}
	fl_demo_view_leave(s->view);
	for (; known < s->faults; known++)
		fl_demo_view_say(s->view, FL_DEMO_BAD, "  wrong: %s", s->fault[known]);
	return s->faults || s->view->broken ? 1 : 0;
}

int fl_demo_show(const struct fl_demo_stage *stage)
{
	struct show s = {.stage = *stage, .view = stage->view, .title = ""};
	uint8_t *all = malloc(4 * stage->keys);

	if (!all) {
		fl_demo_view_say(s.view, FL_DEMO_BAD, "  wrong: no memory");
		return 1;
	}
	memset(all, FL_DEMO_NOBODY, 4 * stage->keys);
	s.home = all;
	s.here = all + stage->keys;
	s.modulo = all + 2 * stage->keys;
	s.modulo_home = all + 3 * stage->keys;
	int status = perform(&s);
	free(all);
	return status;
}
