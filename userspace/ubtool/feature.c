// SPDX-License-Identifier: GPL-2.0
/*
 * feature: what this machine, kernel and module can do, and what is missing.
 *
 * Works without the module and without root, as far as it can see then.
 */
#include <fcntl.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tool.h"

#define CGROUP2_MAGIC	0x63677270	/* CGROUP2_SUPER_MAGIC, linux/magic.h */

/* The first line of a file without its newline; "" when it cannot be read. */
static void first_line(const char *path, char *buf, size_t size)
{
	FILE *file = fopen(path, "re");

	if (!file || !fgets(buf, size, file))
		buf[0] = 0;
	buf[strcspn(buf, "\n")] = 0;
	if (file)
		fclose(file);
}

/* The value of "@key : value" in /proc/cpuinfo. */
static void cpu_fact(const char *key, char *buf, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[8192];

	buf[0] = 0;
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)) || !strchr(line, ':'))
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(buf, size, "%s", strchr(line, ':') + 2);
		break;
	}
	if (file)
		fclose(file);
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);
	const char *at = words;

	while ((at = strstr(at, word))) {
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
		at += len;
	}
	return false;
}

static void out_missing(struct json_object *missing, const char *text)
{
	json_object_array_add(missing, json_object_new_string(text));
}

static void out_cpu(struct json_object *all, struct json_object *missing)
{
	static const struct {
		const char *name;
		const char *file;
	} leaks[] = {
		{ "meltdown", "/sys/devices/system/cpu/vulnerabilities/meltdown" },
		{ "spectre_v2", "/sys/devices/system/cpu/vulnerabilities/spectre_v2" },
	};
	struct json_object *out = out_object(all, "cpu");
	char flags[8192], text[512];
	size_t i;

	cpu_fact("model name", text, sizeof(text));
	out_str(out, "model", text);
	cpu_fact("flags", flags, sizeof(flags));
	out_u64(out, "online", sysconf(_SC_NPROCESSORS_ONLN));
	out_bool(out, "long_mode", has_word(flags, "lm"));
	out_bool(out, "smap", has_word(flags, "smap"));
	out_bool(out, "la57", has_word(flags, "la57"));
	out_bool(out, "pti", has_word(flags, "pti"));
	out_bool(out, "xen_pv", has_word(flags, "xenpv"));
	out_bool(out, "virtual_machine", has_word(flags, "hypervisor"));
	for (i = 0; i < ARRAY_SIZE(leaks); i++) {
		first_line(leaks[i].file, text, sizeof(text));
		out_str(out, leaks[i].name, text);
	}
	if (!has_word(flags, "lm"))
		out_missing(missing, "an x86-64 processor");
}

/* "y", "m", "n", or "" when the configuration cannot be read, of CONFIG_@name. */
static void config(const char *release, const char *name, char *ret, size_t size)
{
	char path[256], line[512];
	size_t len = strlen(name);
	FILE *file;

	ret[0] = 0;
	snprintf(path, sizeof(path), "/boot/config-%s", release);
	file = fopen(path, "re");
	if (!file)
		return;
	snprintf(ret, size, "n");
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "CONFIG_", 7) && !strncmp(line + 7, name, len) && line[7 + len] == '=')
			snprintf(ret, size, "%.*s", (int)strcspn(line + 8 + len, "\n"), line + 8 + len);
	}
	fclose(file);
}

static void out_config(struct json_object *out, struct json_object *missing, const char *release)
{
	static const char *const needed[] = {
		"DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "PREEMPT_NOTIFIERS", "KPROBES", "BPF_JIT", "DEBUG_INFO_BTF",
	};
	char value[32], text[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		config(release, needed[i], value, sizeof(value));
		snprintf(text, sizeof(text), "config_%s", needed[i]);
		out_str(out, text, value[0] ? value : "unknown");
		if (!strcmp(value, "n")) {
			snprintf(text, sizeof(text), "a kernel with CONFIG_%s", needed[i]);
			out_missing(missing, text);
		}
	}
}

static void out_kernel(struct json_object *all, struct json_object *missing)
{
	struct json_object *out = out_object(all, "kernel");
	struct statfs fs;
	struct utsname name;
	char text[256];

	uname(&name);
	out_str(out, "release", name.release);
	out_str(out, "machine", name.machine);
	out_bool(out, "btf", !access("/sys/kernel/btf/vmlinux", R_OK));
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		out_missing(missing, "kernel type information (/sys/kernel/btf/vmlinux): ubd cannot observe");
	first_line("/proc/sys/kernel/perf_event_paranoid", text, sizeof(text));
	out_str(out, "perf_event_paranoid", text);
	if (!text[0])
		out_missing(missing, "perf events: ubd cannot observe");
	first_line("/proc/sys/kernel/ftrace_enabled", text, sizeof(text));
	out_str(out, "ftrace_enabled", text[0] ? text : "unknown");
	if (!strcmp(text, "0"))
		out_missing(missing, "ftrace: it is switched off (sysctl kernel.ftrace_enabled=1)");
	first_line("/sys/kernel/security/lockdown", text, sizeof(text));
	out_str(out, "lockdown", text[0] ? text : "unknown");
	if (strstr(text, "[confidentiality]"))
		out_missing(missing, "kprobes and BPF reads: lockdown is in confidentiality mode");
	first_line("/sys/module/module/parameters/sig_enforce", text, sizeof(text));
	out_bool(out, "modules_must_be_signed", text[0] == 'Y');
	out_bool(out, "cgroup2", !statfs(UB_CGROUP_ROOT, &fs) && fs.f_type == CGROUP2_MAGIC);
	if (statfs(UB_CGROUP_ROOT, &fs) || fs.f_type != CGROUP2_MAGIC)
		out_missing(missing, "cgroup v2 at " UB_CGROUP_ROOT);
	out_config(out, missing, name.release);
}

static void out_syscalls(struct json_object *out, const char *name, const __u64 set[8])
{
	struct json_object *array = out_array(out, name);
	u32 nr;

	for (nr = 0; nr < UB_SYSCALL_LIMIT; nr++) {
		if (ub_syscall_in(set, nr))
			out_str(array, NULL, ub_syscall_name(nr));
	}
}

static void out_device(struct json_object *out, struct json_object *missing, int fd)
{
	struct ub_feature feature;
	char text[160];
	int err = ub_feature(fd, &feature);

	if (err) {
		snprintf(text, sizeof(text), "the module's answer: %s", ub_command_error(UB_IOC_FEATURE, err));
		out_missing(missing, text);
		return;
	}
	out_u64(out, "abi_version", feature.abi_version);
	if (feature.abi_version != UB_ABI_VERSION) {
		snprintf(text, sizeof(text), "a module of interface version %u (it has %u)", UB_ABI_VERSION,
			 feature.abi_version);
		out_missing(missing, text);
	}
	out_hex(out, "limit", feature.limit);
	out_u64(out, "max_instructions", feature.max_insns);
	out_u64(out, "max_entries", feature.max_entries);
	out_u64(out, "max_processes", feature.max_sessions);
	out_bool(out, "smap", feature.cpu & UB_CPU_SMAP);
	out_bool(out, "branch_history_clearing", feature.cpu & UB_CPU_BHB);
	out_u64(out, "hooks_failed", feature.failed_cnt);
	out_syscalls(out, "hooked", feature.hooked);
	out_syscalls(out, "allowed", feature.syscalls);
	if (!feature.hooked_cnt)
		out_missing(missing, "hooks: another tracer has all system calls of the allow-list");
}

static void out_module(struct json_object *all, struct json_object *missing)
{
	struct json_object *out = out_object(all, "module");
	int fd = ub_open();
	int ubd;

	out_bool(out, "present", fd >= 0 || fd == -EACCES || fd == -EPERM);
	if (fd >= 0) {
		out_device(out, missing, fd);
		close(fd);
	} else if (fd == -ENOENT || fd == -ENXIO) {
		out_missing(missing, "the module: no " UB_DEVICE " (insmod it)");
	} else {
		out_missing(missing, fd == -EACCES || fd == -EPERM ? "the right to open " UB_DEVICE " (root)" :
								     strerror(-fd));
	}
	ubd = ub_control_connect(UB_CONTROL_PATH);
	out_bool(out, "ubd_runs", ubd >= 0 || ubd == -EACCES);
	if (ubd >= 0)
		close(ubd);
	else if (ubd != -EACCES)
		out_missing(missing, "ubd: it does not run");
}

static int feature_show(struct tool *tool, int argc, char **argv)
{
	struct json_object *missing = json_object_new_array();

	if (argc) {
		json_object_put(missing);
		return tool_usage(tool, "\"%s\" is too much", argv[0]);
	}
	out_module(tool->out, missing);
	out_cpu(tool->out, missing);
	out_kernel(tool->out, missing);
	json_object_object_add(tool->out, "missing", missing);
	return TOOL_OK;
}

const struct verb feature_verbs[] = {
	{ "show", feature_show, "", "module, system calls, processor, kernel, and what is missing" },
	{ 0 }
};
