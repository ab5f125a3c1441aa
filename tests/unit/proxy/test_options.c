/* What the rows of a pool's forwarding give when the file says nothing. */
#include "proxy/options.h"

#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_default(void **unused)
{
	struct fl_forward_conf f = {.attempts = 0};
	struct fl_conf *conf = NULL;

	(void)unused;
	assert_int_equal(fl_conf_parse(&conf, "t", "", 0), 0);
	assert_int_equal(fl_conf_read(conf, fl_conf_root(conf), fl_forward_rows, &f), 0);
	assert_int_equal(f.key.count, 1);
	assert_string_equal(f.key.items[0].label, "client_ip");
	assert_int_equal(f.no_key, FL_NO_KEY_CLIENT_IP);
	assert_int_equal(f.connect_ms, 2000);
	assert_int_equal(f.response_ms, 60000);
	assert_int_equal(f.stall_ms, 60000);
	assert_int_equal(f.keepalive, 64);
	/* Node.js closes idle connections after 5 s: ours must be the first to go. */
	assert_true(f.keepalive_ms < 5000);
	fl_conf_free(conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
