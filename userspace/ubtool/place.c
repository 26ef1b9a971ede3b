// SPDX-License-Identifier: GPL-2.0
/*
 * place: what a person calls an address of a process: symbol, file and line, as far as its files tell (libdw).
 */
#include <elfutils/libdwfl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"

struct places {
	Dwfl *dwfl;
};

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_linux_proc_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
};

struct places *places_open(u32 pid)
{
	struct places *places = malloc(sizeof(*places));

	if (!places)
		return NULL;
	places->dwfl = dwfl_begin(&callbacks);
	if (places->dwfl && !dwfl_linux_proc_report(places->dwfl, pid) && !dwfl_report_end(places->dwfl, NULL, NULL))
		return places;
	places_close(places);
	return NULL;
}

void places_close(struct places *places)
{
	if (places && places->dwfl)
		dwfl_end(places->dwfl);
	free(places);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool places_name(const struct places *places, u64 ip, char *buf, size_t size)
{
	Dwfl_Module *module = places ? dwfl_addrmodule(places->dwfl, ip) : NULL;
	const char *symbol, *source, *file;
	GElf_Off off = 0;
	Dwfl_Line *line;
	GElf_Sym sym;
	int number, len;

	if (!module)
		return false;
	file = dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
	symbol = dwfl_module_addrinfo(module, ip, &off, &sym, NULL, NULL, NULL);
	line = dwfl_module_getsrc(module, ip);
	source = line ? dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL) : NULL;
	if (!symbol && !file)
		return false;
	len = symbol ? snprintf(buf, size, "%s+0x%" PRIx64, symbol, (uint64_t)off) : snprintf(buf, size, "?");
	if (source && len >= 0 && (size_t)len < size)
		len += snprintf(buf + len, size - len, " (%s:%d)", base_name(source), number);
	if (file && len >= 0 && (size_t)len < size)
		snprintf(buf + len, size - len, " in %s", base_name(file));
	return true;
}
