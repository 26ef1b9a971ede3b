// SPDX-License-Identifier: GPL-2.0
/*
 * report: which forms were tried and how often, and which ones the lifter does not take, by reason.
 */
#include "fuzz.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(forms[*(const u32 *)a].name, forms[*(const u32 *)b].name);
}

static int by_reason(const void *a, const void *b)
{
	const struct form *x = &forms[*(const u32 *)a], *y = &forms[*(const u32 *)b];
	int order = strcmp(x->why, y->why);

	return order ? order : strcmp(x->name, y->name);
}

static void report_lifted(FILE *to, const u32 *order, u32 cnt)
{
	u32 i, k;

	fprintf(to, "# lifted: form, comparisons, of them faults of the processor, left early by the block (divide errors, "
		"say); flags that the SDM leaves undefined somewhere\n");
	for (i = 0; i < cnt; i++) {
		static const char *const flags = "CPAZSO";
		static const u32 bits[] = { UB_FL_CF, UB_FL_PF, UB_FL_AF, UB_FL_ZF, UB_FL_SF, UB_FL_OF };
		const struct form *form = &forms[order[i]];

		if (!form->comparisons)
			continue;
		fprintf(to, "%-40s %llu %llu %llu ", form->name, (unsigned long long)form->comparisons,
			(unsigned long long)form->faults, (unsigned long long)form->early);
		for (k = 0; k < ARRAY_SIZE(bits); k++)
			if (form->excepted & bits[k])
				fputc(flags[k], to);
		fprintf(to, "%s%s\n", form->differences ? " DIFFERS" : "",
			form->early == form->comparisons ? " NEVER DONE" : "");
	}
}

static void report_left(FILE *to, const u32 *order, u32 cnt)
{
	u32 i;

	fprintf(to, "\n# decoded, but never lifted and compared: form, reason\n");
	for (i = 0; i < cnt; i++)
		if (!forms[order[i]].comparisons)
			fprintf(to, "%-40s %s\n", forms[order[i]].name, forms[order[i]].not_lifted);
}

static void report_refused(FILE *to, u32 *order, u32 cnt)
{
	u32 i, k;

	qsort(order, cnt, sizeof(*order), by_reason);
	fprintf(to, "\n# not taken: reason, number of forms, their names\n");
	for (i = 0; i < cnt; i = k) {
		for (k = i; k < cnt && !strcmp(forms[order[k]].why, forms[order[i]].why); k++)
			;
		fprintf(to, "%s: %u:", forms[order[i]].why, k - i);
		for (; i < k; i++)
			fprintf(to, " %s;", forms[order[i]].name);
		fputc('\n', to);
	}
}

bool report_forms(const char *path)
{
	u32 *order = ub_alloc(form_cnt, sizeof(*order)), i, cnt = 0;
	FILE *to = fopen(path, "w");

	if (!order || !to)
		return false;
	memcpy(order, tried, tried_cnt * sizeof(*order));
	qsort(order, tried_cnt, sizeof(*order), by_name);
	report_lifted(to, order, tried_cnt);
	report_left(to, order, tried_cnt);
	for (i = 0; i < form_cnt; i++)
		if (forms[i].why)
			order[cnt++] = i;
	report_refused(to, order, cnt);
	ub_free(order);
	return !fclose(to);
}
