// SPDX-License-Identifier: GPL-2.0
/* ubd.conf: what is accepted, and the exact words for what is not. */
#include <ubd/config.h>

static u32 passed, failed;

static void expect(bool holds, const char *what)
{
	if (holds) {
		passed++;
		return;
	}
	failed++;
	printf("FAIL %s\n", what);
}

static void bad(const char *text, const char *want)
{
	struct config config = { .search_hz = 4711 };
	char why[512] = "";
	int err = config_parse(text, "f", &config, why, sizeof(why));

	if (err != -EINVAL || strcmp(why, want))
		printf("want: %s\ngot:  %s (%d)\n", want, why, err);
	expect(err == -EINVAL && !strcmp(why, want), text);
	expect(config.search_hz == 4711, "the result is untouched by an error");
}

static void test_bad(void)
{
	bad("x = 1", "f:1: \"x\" stands before the first section, allowed: [sampling], [heat], [limits], [policy], "
	    "[cgroup PATH]");
	bad("\n[heat]\nmin_sample = 1", "f:3: unknown key \"min_sample\" in [heat], allowed: min_samples, min_share");
	bad("[heat]\nmin_share = 101", "f:2: min_share is \"101\", allowed: 1 to 100");
	bad("[heat]\nmin_share = 0", "f:2: min_share is \"0\", allowed: 1 to 100");
	bad("[heat]\nmin_share = -1", "f:2: min_share is \"-1\", allowed: 1 to 100");
	bad("[heat]\nmin_share = 5x", "f:2: min_share is \"5x\", allowed: 1 to 100");
	bad("[heat]\nmin_share =", "f:2: min_share is \"\", allowed: 1 to 100");
	bad("[heat]\nmin_share = 4294967297", "f:2: min_share is \"4294967297\", allowed: 1 to 100");
	bad("[heat]\nmin_share", "f:2: \"min_share\" has no \"=\", allowed: key = value");
	bad("[heat", "f:1: \"[heat\" has no end, allowed: [section]");
	bad("[heats]", "f:1: unknown section [heats], allowed: [sampling], [heat], [limits], [policy], [cgroup PATH]");
	bad("[policy]\ndefault_mode = maybe", "f:2: default_mode is \"maybe\", allowed: inherit, off, observe, on");
	bad("[policy]\ninit = 1", "f:2: init is \"1\", allowed: yes, no");
	bad("[policy]\nexclude_comm = sixteen-bytes-xx", "f:2: exclude_comm has \"sixteen-bytes-xx\", allowed: names "
	    "of at most 15 bytes");
	bad("[policy]\nexclude_uid = 0 root", "f:2: exclude_uid has \"root\", allowed: user numbers");
	bad("[cgroup a]", "f:1: cgroup \"a\", allowed: a path below the cgroup root that begins with \"/\", at most "
	    "255 bytes");
	bad("[cgroup]", "f:1: cgroup \"\", allowed: a path below the cgroup root that begins with \"/\", at most "
	    "255 bytes");
	bad("[cgroup /a]\n[cgroup /a/]", "f:2: cgroup \"/a\" again, allowed: one section for each");
	bad("[cgroup /a]\nmin_share = 3", "f:2: unknown key \"min_share\" in [cgroup], allowed: mode");
	bad("[sampling]\nidle_hz = 2000", "f:2: idle_hz is 2000, allowed: at most search_hz, 997");
}

static void test_good(void)
{
	static const char text[] = "# demo\n[sampling]\nsearch_hz = 499 # fewer\r\n\n[policy]\n default_mode=on\n"
		"exclude_comm = sshd  bash\nexclude_uid = 0 33\ninit = yes\n[cgroup /a/b]\nmode = off\n"
		"[cgroup /]\nmode = observe\n[cgroup /a]\nmode = on\n[cgroup /a/b/c]\nmode = inherit";
	struct config config;
	char why[512] = "";

	expect(!config_parse("", "f", &config, why, sizeof(why)), "an empty file");
	expect(config.search_hz == 997 && config.default_mode == UB_MODE_INHERIT, "defaults");
	expect(!config_parse(text, "f", &config, why, sizeof(why)), why);
	expect(config.search_hz == 499 && config.idle_hz == 97, "a number, beside a default");
	expect(config.default_mode == UB_MODE_ON && config.init, "policy");
	expect(config.exclude_comm_cnt == 2 && !strcmp(config.exclude_comm[1], "bash"), "names");
	expect(config.exclude_uid_cnt == 2 && config.exclude_uid[1] == 33, "users");
	expect(config.cgroup_cnt == 4, "cgroups");
	expect(config_mode(&config, "/a") == UB_MODE_ON, "own mode");
	expect(config_mode(&config, "/a/x") == UB_MODE_ON, "the parent's mode");
	expect(config_mode(&config, "/ab") == UB_MODE_OBSERVE, "a name that only begins alike");
	expect(config_mode(&config, "/a/b/c/d") == UB_MODE_OFF, "nearest that does not inherit");
	config.cgroup_cnt = 0;
	expect(config_mode(&config, "/a") == UB_MODE_ON, "the default");
}

static void test_shipped(void)
{
	struct config config, standard;
	char why[512] = "";

	expect(!config_read("userspace/ubd/ubd.conf", &config, why, sizeof(why)), why);
	config_default(&standard);
	expect(config.search_hz == standard.search_hz && config.retry_s == standard.retry_s, "ubd.conf shows defaults");
	expect(config_read("/nonexistent", &config, why, sizeof(why)) == -ENOENT &&
	       !strcmp(why, "/nonexistent: No such file or directory"), why);
}

int main(void)
{
	test_bad();
	test_good();
	test_shipped();
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
