/* SPDX-License-Identifier: MIT */
/* Scenarios as a whole: a run is a function of text and seed; what does not hold
 * is found; what is no scenario is said to be none, with line and reason. */
#include "sim/sim.h"

#include "tests/vectors.h"

static enum err run(struct sim_result *r, const char *text, uint64_t seed,
		    char why[static SIM_WHY_MAX])
{
	return sim_run(r, "test", text, strlen(text), seed, NULL, why);
}

static const char *const three = "wires delay=10ms chunk=500\n"
				 "nodes n 3\n"
				 "line n*\n"
				 "expect linked within 5s\n"
				 "post m from n1\n"
				 "expect m once at all within 2s\n";

static void a_run_is_a_function_of_text_and_seed(void **state)
{
	struct sim_result a, b, c;
	char why[SIM_WHY_MAX];

	(void)state;
	assert_int_equal(run(&a, three, 5, why), OK);
	assert_string_equal(a.failure, "");
	assert_int_equal(a.deliveries, 2);
	assert_int_equal(a.envelopes_sent, 2);
	assert_true(a.bytes_per_node > 500 && a.latency_max_ms >= 20 && a.latency_max_ms < 2000);
	assert_int_equal(run(&b, three, 5, why), OK);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(run(&c, three, 6, why), OK);
	assert_string_equal(c.failure, "");
	assert_memory_not_equal(a.digest, c.digest, sizeof(a.digest));
}

static void what_does_not_hold_is_found(void **state)
{
	static const char *const ends[] = {
		"expect m not at n3\n",
		"expect peers n2 = 1\n",
		"expect pool all = 2\n",
		"expect forms m = 2\n",
		"expect deliveries > 2\n",
		"expect duplicates > 0\n",
		"expect latency = 0\n",
		"expect bytes < 10\n",
		"expect copies < 2\n",
		"expect downs > 0\n",
		"posts x 9 from n1 every=200ms\nexpect quiet for 1s within 1s\n",
		"kill n2\nwait 1s\nexpect peers n1 = 1 within 1s\n",
		"cut n1 n2\npost y from n1\nexpect y at all within 20s\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct sim_result r;
		char text[1024], why[SIM_WHY_MAX];

		snprintf(text, sizeof(text), "%s%s", three, ends[i]);
		assert_int_equal(run(&r, text, 1, why), OK);
		if (strstr(r.failure, "not so") == NULL)
			fail_msg("\"%s\" was let pass", ends[i]);
		assert_non_null(strstr(r.failure, "line "));
	}
}

static void what_holds_passes(void **state)
{
	static const char *const ends[] = {
		"kill n2\nexpect m at all\nexpect peers n1 = 0 within 1s\n",
		"freeze n1 n2\npost y from n1\nwait 5s\nexpect y not at n2\nheal n1 n2\n"
		"expect y once at all within 2s\n",
		"restart n2\nexpect linked within 10s\npost y from n3\nexpect y at all within 2s\n",
		"stop n3\nwait 2s\nexpect peers n2 = 1\nstart n3\nexpect linked within 60s\n",
		"shape n1 n2 rate=2kB\npost y from n1 size=20kB\nwait 5s\nexpect y not at n2\n"
		"expect y at all within 20s\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct sim_result r;
		char text[1024], why[SIM_WHY_MAX];

		snprintf(text, sizeof(text), "%s%s", three, ends[i]);
		assert_int_equal(run(&r, text, 1, why), OK);
		assert_string_equal(r.failure, "");
	}
}

static void what_is_no_scenario_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} v[] = {
		{ "dance\n", "line 1: there is no statement" },
		{ "\n\nnode\n", "line 3: expected: node" },
		{ "node a b=c\n", "no option" },
		{ "node a pow=much\n", "pow=much" },
		{ "node a family=dog\n", "family=dog" },
		{ "node a a\n", "already" },
		{ "node a light=maybe\n", "light=maybe" },
		{ "nodes n 0\n", "no number" },
		{ "node a\njoin a b\n", "no node \"b\"" },
		{ "nodes n 3\nline n3..n1\n", "no range" },
		{ "node a\npost m to a\n", "expected: post" },
		{ "node a\npost m from a\npost m from a\n", "already" },
		{ "node a\npost m from a form=long\n", "form=long" },
		{ "wait long\n", "no time" },
		{ "node a\nexpect fun = 3\n", "no figure" },
		{ "node a\nexpect downs 3\n", "expected" },
		{ "node a\nexpect peers a ~ 3\n", "relation" },
		{ "node a\nchurn a every=0s\n", "churn" },
		{ "node a\nclock a noon\n", "no offset" },
		{ "wires colour=blue\n", "no option" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct sim_result r;
		char why[SIM_WHY_MAX];

		assert_int_equal(run(&r, v[i].text, 1, why), ERR_ARG);
		if (strstr(why, v[i].why) == NULL)
			fail_msg("\"%s\" gave \"%s\"", v[i].text, why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_is_a_function_of_text_and_seed),
		cmocka_unit_test(what_does_not_hold_is_found),
		cmocka_unit_test(what_holds_passes),
		cmocka_unit_test(what_is_no_scenario_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
