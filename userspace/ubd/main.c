// SPDX-License-Identifier: GPL-2.0
/* main: options, the log, and the report of --observe as text or JSON. */
#include <getopt.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop.h"
#include "observe.h"
#include "say.h"

#ifndef UB_VERSION
#define UB_VERSION	"0.1"
#endif

static const char help[] =
"Usage: ubd [--config FILE] [--verbose]\n"
"       ubd --observe [--seconds N] [-j]\n"
"       ubd --check-config [--config FILE]\n"
"\n"
"Finds processes that spend their time in system calls and lets the kernel run\n"
"the code between those calls.  Needs root, and the module ub-jit to help;\n"
"observing needs no module.\n"
"\n"
"  -c, --config FILE    read FILE, not " CONFIG_PATH "\n"
"      --check-config   read the configuration, say what is wrong, end\n"
"  -o, --observe        say who would gain, change nothing, end\n"
"  -s, --seconds N      how long to observe: 1 to 3600, else 5\n"
"  -j, --json           with --observe: one JSON object\n"
"  -v, --verbose        log more\n"
"  -h, --help           this text\n"
"  -V, --version        the version\n";

static bool is_journal, is_verbose;

void ubd_say(int priority, const char *format, ...)
{
	va_list args;

	if (priority == SAY_DEBUG && !is_verbose)
		return;
	if (is_journal)
		fprintf(stderr, "<%d>", priority);
	else
		fprintf(stderr, "ubd: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* systemd's readiness protocol: one datagram to the socket named in NOTIFY_SOCKET, sd_notify(3). */
static void notify_ready(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	int fd;

	ubd_say(SAY_DEBUG, "ready");
	if (!len || len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, "READY=1", 7, 0, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + len) < 0)
		ubd_say(SAY_WARNING, "cannot tell the service manager: %s", strerror(errno));
	close(fd);
}

static const char *text_of(struct json_object *item, const char *key)
{
	const char *text = json_object_get_string(json_object_object_get(item, key));

	return text ? text : "-";
}

static void print_lift(struct json_object *lift)
{
	struct json_object *ends = json_object_object_get(lift, "ends"), *percent;

	if (!json_object_get_boolean(json_object_object_get(lift, "ok"))) {
		printf("    not lifted: %s\n", text_of(lift, "error"));
		return;
	}
	percent = json_object_object_get(lift, "user_code_lifted_percent");
	printf("    lifted: %s instructions of x86, %s of IR", text_of(lift, "guest_insns"), text_of(lift, "ir_insns"));
	if (percent)
		printf("; %d %% of the time in user code is in them", json_object_get_int(percent));
	printf("\n");
	json_object_object_foreach(ends, reason, cnt)
		printf("    ends: %s, %d times\n", reason, json_object_get_int(cnt));
	if (json_object_get_boolean(json_object_object_get(lift, "verified")))
		printf("    verified\n");
	else
		printf("    refused: %s\n", text_of(lift, "refusal_text"));
}

static void print_process(struct json_object *item)
{
	struct json_object *calls = json_object_object_get(item, "calls"), *call, *lift;
	size_t i;

	printf("%s (%s)  cgroup %s, mode %s\n", text_of(item, "pid"), text_of(item, "comm"), text_of(item, "cgroup"),
	       text_of(item, "mode"));
	printf("    %s samples, %s %% of a CPU, %s %% of them in system calls\n", text_of(item, "samples"),
	       text_of(item, "cpu_percent"), text_of(item, "call_percent"));
	for (i = 0; i < json_object_array_length(calls); i++) {
		call = json_object_array_get_idx(calls, i);
		printf("    %s at %s: %s samples%s\n", text_of(call, "call"), text_of(call, "ip"),
		       text_of(call, "samples"),
		       json_object_get_boolean(json_object_object_get(call, "in_block")) ? "" : " (stays outside)");
	}
	if (json_object_object_get(item, "excluded"))
		printf("    left alone: %s\n", text_of(item, "excluded"));
	lift = json_object_object_get(item, "lift");
	if (lift)
		print_lift(lift);
}

static int run_observe(const struct config *config, u32 seconds, bool is_json)
{
	struct json_object *report, *list;
	char why[512];
	size_t i;

	if (observe(config, seconds, &report, why, sizeof(why))) {
		ubd_say(SAY_ERROR, "%s", why);
		return 1;
	}
	list = json_object_object_get(report, "processes");
	if (is_json)
		printf("%s\n", json_object_to_json_string_ext(report, JSON_C_TO_STRING_NOSLASHESCAPE));
	for (i = 0; !is_json && i < json_object_array_length(list); i++)
		print_process(json_object_array_get_idx(list, i));
	if (!is_json && !json_object_array_length(list))
		printf("nobody spends time in system calls\n");
	json_object_put(report);
	return 0;
}

enum { OPT_CHECK = 256 };

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check-config", no_argument, NULL, OPT_CHECK },
	{ "observe", no_argument, NULL, 'o' },
	{ "seconds", required_argument, NULL, 's' },
	{ "json", no_argument, NULL, 'j' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL }
};

static int usage(const char *what)
{
	fprintf(stderr, "ubd: %s; see ubd --help\n", what);
	return 2;
}

int main(int argc, char **argv)
{
	static struct loop loop;
	bool is_check = false, is_observe = false, is_json = false;
	unsigned long seconds = 5;
	char why[512], *end;
	int option, err;

	is_journal = getenv("JOURNAL_STREAM") != NULL;
	setvbuf(stderr, NULL, _IOLBF, 0);
	loop.config_path = CONFIG_PATH;
	loop.config_optional = true;
	loop.socket_path = UB_CONTROL_PATH;
	while ((option = getopt_long(argc, argv, "c:os:jvhV", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			loop.config_path = optarg;
			loop.config_optional = false;
			break;
		case OPT_CHECK:
			is_check = true;
			break;
		case 'o':
			is_observe = true;
			break;
		case 's':
			seconds = strtoul(optarg, &end, 10);
			if (*end || !*optarg || seconds < 1 || seconds > 3600)
				return usage("--seconds is 1 to 3600");
			break;
		case 'j':
			is_json = true;
			break;
		case 'v':
			is_verbose = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		case 'V':
			puts("ubd " UB_VERSION);
			return 0;
		default:
			return 2;
		}
	}
	if (optind != argc)
		return usage("no arguments but options");
	err = config_read(loop.config_path, &loop.config, why, sizeof(why));
	if (err == -ENOENT && loop.config_optional) {
		config_default(&loop.config);
	} else if (err) {
		ubd_say(SAY_ERROR, "%s", why);
		return 1;
	}
	if (is_check)
		return 0;
	if (is_observe)
		return run_observe(&loop.config, seconds, is_json);
	return loop_run(&loop, notify_ready) ? 1 : 0;
}
