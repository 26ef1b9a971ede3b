// SPDX-License-Identifier: GPL-2.0
/*
 * results: adds figures to a file of results.  See results.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "results.h"

/* The member, made if it is not there. */
static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *inner;

	if (json_object_object_get_ex(object, name, &inner) && json_object_is_type(inner, json_type_object))
		return inner;
	inner = json_object_new_object();
	json_object_object_add(object, name, inner);
	return inner;
}

static struct json_object *number(double value)
{
	return value == floor(value) ? json_object_new_int64((int64_t)value) : json_object_new_double(value);
}

/* The processor and the kernel: figures are of one machine. */
static void put_host(struct json_object *file)
{
	char line[256], model[200] = "?", host[400];
	struct utsname name = { 0 };
	FILE *info = fopen("/proc/cpuinfo", "r");

	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "model name : %199[^\n]", model) == 1)
			break;
	if (info)
		fclose(info);
	uname(&name);
	snprintf(host, sizeof(host), "%s, %s %s", model, name.sysname, name.release);
	json_object_object_add(file, "host", json_object_new_string(host));
}

static void put_command(struct json_object *file, const char *command)
{
	struct json_object *old;
	char all[300];

	if (json_object_object_get_ex(file, "command", &old) && !strstr(json_object_get_string(old), command))
		snprintf(all, sizeof(all), "%s; %s", json_object_get_string(old), command);
	else
		snprintf(all, sizeof(all), "%s", old ? json_object_get_string(old) : command);
	json_object_object_add(file, "command", json_object_new_string(all));
}

static void make_directory(const char *path)
{
	char dir[512];

	snprintf(dir, sizeof(dir), "%s", path);
	if (strrchr(dir, '/')) {
		*strrchr(dir, '/') = 0;
		mkdir(dir, 0777);
	}
}

bool results_add(const char *path, const char *command, const struct result *results, unsigned int cnt, const char *name,
		 const char *detail)
{
	struct json_object *file = json_object_from_file(path), *figures;
	bool is_good;
	unsigned int i;

	if (!json_object_is_type(file, json_type_object)) {
		json_object_put(file);
		file = json_object_new_object();
	}
	json_object_object_add(file, "schema", json_object_new_string("ub-results/1"));
	put_command(file, command);
	put_host(file);
	figures = member(file, "figures");
	for (i = 0; i < cnt; i++)
		json_object_object_add(figures, results[i].name, number(results[i].value));
	if (name)
		json_object_object_add(member(file, "detail"), name,
				       *detail == '{' ? json_tokener_parse(detail) : json_object_new_string(detail));
	make_directory(path);
	is_good = !json_object_to_file_ext(path, file, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	json_object_put(file);
	return is_good;
}
