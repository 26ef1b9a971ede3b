// SPDX-License-Identifier: GPL-2.0
/*
 * config: reads ubd.conf.
 *
 * Lines of "key = value" in [sections]; # begins a comment.  Strict: what is not understood is an error that says
 * what would have been, since a policy that is silently ignored is worse than none.
 */
#include "../../lifter/lift.h"
#include "config.h"

#include <ctype.h>

#define MAX_FILE	65536

enum section { NONE, SAMPLING, HEAT, LIMITS, POLICY, CGROUP };

static const char *const section_names[] = {
	[SAMPLING] = "sampling", [HEAT] = "heat", [LIMITS] = "limits", [POLICY] = "policy", [CGROUP] = "cgroup",
};

struct parser {
	struct config config;
	enum section section;
	struct config_cgroup *cgroup;
	const char *name;
	u32 line;
	char *why;
	size_t why_size;
};

typedef int (*set_fn)(struct parser *parser, char *value);

static int complain(struct parser *parser, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int complain(struct parser *parser, const char *format, ...)
{
	va_list args;
	int len;

	len = snprintf(parser->why, parser->why_size, "%s:%u: ", parser->name, parser->line);
	if (len < 0 || (size_t)len >= parser->why_size)
		return -EINVAL;
	va_start(args, format);
	vsnprintf(parser->why + len, parser->why_size - len, format, args);
	va_end(args);
	return -EINVAL;
}

static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = 0;
	return text;
}

static bool read_number(const char *text, u64 max, u32 *ret)
{
	char *end;
	unsigned long long value;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || value > max)
		return false;
	*ret = value;
	return true;
}

static int set_mode(struct parser *parser, const char *key, const char *value, enum ub_mode *ret)
{
	static const char *const names[] = { "inherit", "off", "observe", "on" };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(value, names[i])) {
			*ret = i;
			return 0;
		}
	}
	return complain(parser, "%s is \"%s\", allowed: inherit, off, observe, on", key, value);
}

static int set_default_mode(struct parser *parser, char *value)
{
	return set_mode(parser, "default_mode", value, &parser->config.default_mode);
}

static int set_cgroup_mode(struct parser *parser, char *value)
{
	return set_mode(parser, "mode", value, &parser->cgroup->mode);
}

static int set_exclude_comm(struct parser *parser, char *value)
{
	struct config *config = &parser->config;
	char *word, *rest;

	config->exclude_comm_cnt = 0;
	for (word = strtok_r(value, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		if (strlen(word) >= sizeof(config->exclude_comm[0]))
			return complain(parser, "exclude_comm has \"%s\", allowed: names of at most 15 bytes", word);
		if (config->exclude_comm_cnt == CONFIG_MAX_EXCLUDES)
			return complain(parser, "exclude_comm is too long, allowed: %d names", CONFIG_MAX_EXCLUDES);
		strcpy(config->exclude_comm[config->exclude_comm_cnt++], word);
	}
	return 0;
}

static int set_exclude_uid(struct parser *parser, char *value)
{
	struct config *config = &parser->config;
	char *word, *rest;

	config->exclude_uid_cnt = 0;
	for (word = strtok_r(value, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		if (config->exclude_uid_cnt == CONFIG_MAX_EXCLUDES)
			return complain(parser, "exclude_uid is too long, allowed: %d numbers", CONFIG_MAX_EXCLUDES);
		if (!read_number(word, UB_U32_MAX, &config->exclude_uid[config->exclude_uid_cnt++]))
			return complain(parser, "exclude_uid has \"%s\", allowed: user numbers", word);
	}
	return 0;
}

static int set_init(struct parser *parser, char *value)
{
	if (strcmp(value, "yes") && strcmp(value, "no"))
		return complain(parser, "init is \"%s\", allowed: yes, no", value);
	parser->config.init = !strcmp(value, "yes");
	return 0;
}

#define NUMBER(section, key, min, max) { section, #key, offsetof(struct config, key), min, max, NULL }
#define OTHER(section, key, set) { section, key, 0, 0, 0, set }

static const struct key {
	enum section section;
	const char *name;
	size_t offset;			/* of a u32, unless @set is there */
	u32 min, max;
	set_fn set;
} keys[] = {
	NUMBER(SAMPLING, search_hz, 10, 10000),
	NUMBER(SAMPLING, idle_hz, 1, 10000),
	NUMBER(SAMPLING, interval_ms, 10, 10000),
	NUMBER(HEAT, min_samples, 1, 100000),
	NUMBER(HEAT, min_share, 1, 100),
	NUMBER(LIMITS, max_sessions, 1, 256),
	NUMBER(LIMITS, max_guest_insns, 16, 32768),
	NUMBER(LIMITS, max_regrowths, 0, 1000),
	NUMBER(LIMITS, min_entries, 1, 1000000000),
	NUMBER(LIMITS, min_calls_per_entry, 0, 1000000),
	NUMBER(LIMITS, retry_s, 1, 86400),
	OTHER(POLICY, "default_mode", set_default_mode),
	OTHER(POLICY, "exclude_comm", set_exclude_comm),
	OTHER(POLICY, "exclude_uid", set_exclude_uid),
	OTHER(POLICY, "init", set_init),
	OTHER(CGROUP, "mode", set_cgroup_mode),
};

void config_default(struct config *ret)
{
	*ret = (struct config){
		.search_hz = 997,	/* primes: no beat with what the sampled program does each millisecond */
		.idle_hz = 97,
		.interval_ms = 100,
		.min_samples = 10,
		.min_share = 30,
		.max_sessions = 64,
		.max_guest_insns = UB_LIFT_BUDGET,
		.max_regrowths = 64,
		.min_entries = 2000,
		.min_calls_per_entry = 2,
		.retry_s = 10,
		.default_mode = UB_MODE_INHERIT,
	};
}

static int unknown_key(struct parser *parser, const char *name)
{
	char allowed[256] = "";
	size_t len = 0, i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].section == parser->section && len < sizeof(allowed))
			len += snprintf(allowed + len, sizeof(allowed) - len, "%s%s", len ? ", " : "", keys[i].name);
	return complain(parser, "unknown key \"%s\" in [%s], allowed: %s", name, section_names[parser->section],
			allowed);
}

static int set_key(struct parser *parser, const char *name, char *value)
{
	const struct key *key;
	u32 number;

	if (parser->section == NONE)
		return complain(parser, "\"%s\" stands before the first section, allowed: [sampling], [heat], "
				"[limits], [policy], [cgroup PATH]", name);
	for (key = keys; key < keys + ARRAY_SIZE(keys); key++)
		if (key->section == parser->section && !strcmp(key->name, name))
			break;
	if (key == keys + ARRAY_SIZE(keys))
		return unknown_key(parser, name);
	if (key->set)
		return key->set(parser, value);
	if (!read_number(value, key->max, &number) || number < key->min)
		return complain(parser, "%s is \"%s\", allowed: %u to %u", name, value, key->min, key->max);
	memcpy((char *)&parser->config + key->offset, &number, sizeof(number));
	return 0;
}

static int begin_cgroup(struct parser *parser, char *path)
{
	struct config *config = &parser->config;
	size_t len;
	u32 i;

	path = trim(path);
	len = strlen(path);
	while (len > 1 && path[len - 1] == '/')
		path[--len] = 0;
	if (*path != '/' || len >= sizeof(config->cgroups[0].path))
		return complain(parser, "cgroup \"%s\", allowed: a path below the cgroup root that begins with \"/\", "
				"at most 255 bytes", path);
	for (i = 0; i < config->cgroup_cnt; i++)
		if (!strcmp(config->cgroups[i].path, path))
			return complain(parser, "cgroup \"%s\" again, allowed: one section for each", path);
	if (config->cgroup_cnt == CONFIG_MAX_CGROUPS)
		return complain(parser, "too many cgroups, allowed: %d", CONFIG_MAX_CGROUPS);
	parser->section = CGROUP;
	parser->cgroup = &config->cgroups[config->cgroup_cnt++];
	strcpy(parser->cgroup->path, path);
	return 0;
}

static int begin_section(struct parser *parser, char *line)
{
	size_t len = strlen(line);
	char *name;
	u32 i;

	if (line[len - 1] != ']')
		return complain(parser, "\"%s\" has no end, allowed: [section]", line);
	line[len - 1] = 0;
	name = trim(line + 1);
	if (!strncmp(name, "cgroup", 6) && (!name[6] || isspace((unsigned char)name[6])))
		return begin_cgroup(parser, name + 6);
	for (i = SAMPLING; i < CGROUP; i++) {
		if (!strcmp(name, section_names[i])) {
			parser->section = i;
			return 0;
		}
	}
	return complain(parser, "unknown section [%s], allowed: [sampling], [heat], [limits], [policy], [cgroup PATH]",
			name);
}

static int parse_line(struct parser *parser, char *line)
{
	char *equals;

	line[strcspn(line, "#")] = 0;
	line = trim(line);
	if (!*line)
		return 0;
	if (*line == '[')
		return begin_section(parser, line);
	equals = strchr(line, '=');
	if (!equals)
		return complain(parser, "\"%s\" has no \"=\", allowed: key = value", line);
	*equals = 0;
	return set_key(parser, trim(line), trim(equals + 1));
}

int config_parse(const char *text, const char *name, struct config *ret, char *why, size_t why_size)
{
	struct parser parser = { .name = name, .why = why, .why_size = why_size };
	char line[1024];
	size_t len;
	int err;

	config_default(&parser.config);
	while (*text) {
		parser.line++;
		len = strcspn(text, "\n");
		if (len >= sizeof(line))
			return complain(&parser, "a line of %zu bytes, allowed: %zu", len, sizeof(line) - 1);
		memcpy(line, text, len);
		line[len] = 0;
		err = parse_line(&parser, line);
		if (err)
			return err;
		text += len + (text[len] == '\n');
	}
	if (parser.config.idle_hz > parser.config.search_hz)
		return complain(&parser, "idle_hz is %u, allowed: at most search_hz, %u", parser.config.idle_hz,
				parser.config.search_hz);
	*ret = parser.config;
	return 0;
}

int config_read(const char *path, struct config *ret, char *why, size_t why_size)
{
	FILE *file = fopen(path, "re");
	char *text;
	size_t len;
	int err;

	if (!file) {
		err = -errno;
		snprintf(why, why_size, "%s: %s", path, strerror(-err));
		return err;
	}
	text = calloc(1, MAX_FILE + 2);
	if (!text) {
		fclose(file);
		snprintf(why, why_size, "%s: out of memory", path);
		return -ENOMEM;
	}
	len = fread(text, 1, MAX_FILE + 1, file);
	err = ferror(file) ? -EIO : len > MAX_FILE ? -E2BIG : 0;
	if (err) {
		snprintf(why, why_size, "%s: %s", path, strerror(-err));
	} else if (strlen(text) != len) {
		err = -EINVAL;
		snprintf(why, why_size, "%s: a zero byte, allowed: text", path);
	} else {
		err = config_parse(text, path, ret, why, why_size);
	}
	free(text);
	fclose(file);
	return err;
}

static bool is_at_or_above(const char *cgroup, const char *path)
{
	size_t len = strlen(cgroup);

	if (len == 1)
		return true;
	return !strncmp(cgroup, path, len) && (!path[len] || path[len] == '/');
}

enum ub_mode config_mode(const struct config *config, const char *path)
{
	enum ub_mode mode = config->default_mode;
	size_t len, nearest = 0;
	u32 i;

	for (i = 0; i < config->cgroup_cnt; i++) {
		len = strlen(config->cgroups[i].path);
		if (config->cgroups[i].mode == UB_MODE_INHERIT || len < nearest ||
		    !is_at_or_above(config->cgroups[i].path, path))
			continue;
		nearest = len;
		mode = config->cgroups[i].mode;
	}
	return mode;
}
