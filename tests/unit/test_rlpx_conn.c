/* SPDX-License-Identifier: MIT */
/* tests/unit/test_rlpx_conn.c - two machines against each other, from the first
 * byte to the goodbye. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/rlpx_pair.h"

static void test_handshake_hello_message(void **state)
{
	static const size_t pieces[] = { 1, 2, 15, 16, 17, 33, 307, 100000, 0 };

	(void)state;
	for (size_t plain = 0; plain < 2; plain++)
		for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
			struct pair p;

			pair_init(&p, 7 + i);
			p.piece = pieces[i];
			pair_hosts(&p, NULL, NULL);
			pair_connect(&p, plain != 0);
			pair_run(&p);
			assert_string_equal(p.a.log, "identified hello:5:1 ");
			assert_string_equal(p.b.log, "identified hello:5:1 ");
			assert_memory_equal(rlpx_peer_id(p.a.conn), rlpx_host_id(p.b.host), 64);
			assert_memory_equal(rlpx_peer_id(p.b.conn), rlpx_host_id(p.a.host), 64);

			assert_int_equal(pair_send(&p, &p.a, 0, 3, 1000, 0x5a), OK);
			assert_int_equal(pair_send(&p, &p.b, 0, 126, 0, 0), OK);
			assert_int_equal(pair_send(&p, &p.b, 0, 127, 70000, 1), OK);
			pair_run(&p);
			assert_string_equal(p.b.log, "identified hello:5:1 message:0:3:1000 ");
			assert_string_equal(p.a.log, "identified hello:5:1 message:0:126:0 "
						     "message:0:127:70000 ");
			assert_int_equal(p.b.payload[255], 0x5a);

			rlpx_close(p.a.conn, RLPX_QUITTING, p.now_ms);
			pair_run(&p);
			assert_non_null(strstr(p.a.log, "closed:OK:us:8 "));
			assert_non_null(strstr(p.b.log, "closed:OK:peer:8 "));
			pair_free(&p);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handshake_hello_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
