// SPDX-License-Identifier: GPL-2.0
/* ubd_trial: a slower block is suspected after two windows, and judged by one without it. */
#include "../../userspace/ubd/trial.h"

static int passed, failed;

static void expect(const char *what, enum trial_verdict got, enum trial_verdict want)
{
	if (got == want) {
		passed++;
		return;
	}
	failed++;
	fprintf(stderr, "ubd_trial: %s: verdict %d, expected %d\n", what, got, want);
}

int main(void)
{
	struct trial trial = { .native_ns = 1000 };

	expect("as fast", trial_add(&trial, 1000000, 1000), TRIAL_GOOD);
	expect("slower once", trial_add(&trial, 1100000, 1000), TRIAL_GOOD);
	expect("faster again", trial_add(&trial, 900000, 1000), TRIAL_GOOD);
	expect("slower once more", trial_add(&trial, 1100000, 1000), TRIAL_GOOD);
	expect("slower twice in a row", trial_add(&trial, 1100000, 1000), TRIAL_SUSPECT);
	expect("native is faster: the block is bad", trial_add(&trial, 1000000, 1000), TRIAL_BAD);

	trial = (struct trial){ .native_ns = 1000 };
	trial_add(&trial, 2000000, 1000);
	expect("slower twice", trial_add(&trial, 2000000, 1000), TRIAL_SUSPECT);
	expect("native has become as slow", trial_add(&trial, 2500000, 1000), TRIAL_CLEARED);
	expect("and is the measure now", trial_add(&trial, 2000000, 1000), TRIAL_GOOD);

	trial = (struct trial){ 0 };
	expect("nothing to compare with", trial_add(&trial, 9000000, 1000), TRIAL_GOOD);
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}
