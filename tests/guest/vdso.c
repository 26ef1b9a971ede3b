// SPDX-License-Identifier: GPL-2.0
/*
 * vdso: code that the kernel gives to the process may be lifted as long as it is that.
 *
 * usage: vdso [TEST]...	as root, with the module loaded
 */
#include "guest.h"
#include "worker.h"

#include <sys/auxv.h>
#include <sys/ptrace.h>

#define LEN	256u			/* of the vDSO */

static int fd;

static char *vdso(void)
{
	return (char *)getauxval(AT_SYSINFO_EHDR);
}

/* The kernel lets nobody split it. */
static u64 vdso_len(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start, end, len = 0;
	char line[512];

	while (fgets(line, sizeof(line), maps))
		if (strstr(line, "[vdso]") && sscanf(line, "%lx-%lx", &start, &end) == 2)
			len = end - start;
	fclose(maps);
	return len;
}

/* The steady loop, claiming that part of the vDSO was lifted with it. */
static struct draft claim_draft(const char *bytes)
{
	struct draft draft = steady_loop_draft(SYS_getppid);

	put_code(&draft, vdso(), vdso() + LEN);
	draft.codes[draft.code_cnt - 1].bytes = (long)(bytes ?: vdso());
	return draft;
}

static void test_claim(void)
{
	static char copy[LEN];
	int session = attach(fd, getpid()), block;
	struct draft draft = claim_draft(NULL);

	must(session > 0, "attach");
	block = load(fd, session, &draft);
	check(block > 0, "vdso-accepted", "%s", strerror(-block));
	steady_loop(1000, SYS_getppid, 0, 0, 0, 0);
	check(block_info(fd, block).calls > 900, "vdso-runs", "%llu calls", block_info(fd, block).calls);

	memcpy(copy, vdso(), LEN);
	copy[LEN - 1] ^= 1;
	draft = claim_draft(copy);
	check(load(fd, session, &draft) == -ESTALE, "vdso-other-bytes-refused", "accepted");
	draft = claim_draft(NULL);
	draft.codes[1].start = (long)vdso() + vdso_len() - LEN / 2;
	draft.codes[1].bytes = (long)copy;
	check(load(fd, session, &draft) == -ESTALE, "vdso-past-its-end-refused", "accepted");
	detach(fd, session);
}

/* --- what happens to the mapping while a block counts on it --- */

enum { DO_NOTHING, DO_MOVE, DO_UNMAP, DO_PROTECT, DO_IMITATE, DO_DONE };

static void meddle(u64 what)
{
	u64 len = vdso_len();
	char *copy, *elsewhere;

	copy = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(copy, vdso(), len);
	elsewhere = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (what == DO_MOVE)
		must(mremap(vdso(), len, len, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere) == elsewhere, "mremap");
	if (what == DO_UNMAP)
		must(!munmap(vdso(), len), "munmap");
	if (what == DO_PROTECT)
		must(!mprotect(vdso(), len, PROT_READ | PROT_WRITE | PROT_EXEC), "mprotect");
	if (what == DO_IMITATE) {
		must(mmap(vdso(), len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == vdso(), "mmap");
		memcpy(vdso(), copy, len);
		must(!mprotect(vdso(), len, PROT_READ | PROT_EXEC), "mprotect");
	}
}

static u64 steady_then_meddle(void *data)
{
	u64 right = CHUNK * (u64)getppid();

	while (!worker_shared[SHARED_STOP]) {
		if (worker_shared[SHARED_DO] != DO_NOTHING && worker_shared[SHARED_DO] != DO_DONE) {
			meddle(worker_shared[SHARED_DO]);
			worker_shared[SHARED_DO] = DO_DONE;
		}
		if (steady_loop(CHUNK, SYS_getppid, 0, 0, 0, 0) != right)
			worker_shared[SHARED_BAD]++;
		worker_shared[SHARED_CHUNKS]++;
	}
	return *(u8 *)data;
}

static void try_meddling(const char *name, u64 what)
{
	struct draft draft = claim_draft(NULL);
	struct worker worker = worker_start(fd, steady_then_meddle, "", 1, &draft);
	u64 before = calls_in(fd, worker.session, 50), after;
	u32 i;
	int err;

	worker.shared[SHARED_DO] = what;
	for (i = 0; i < 300 && worker.shared[SHARED_DO] != DO_DONE; i++)
		usleep(10000);
	after = calls_in(fd, worker.session, 50);
	err = load(fd, worker.session, &draft);
	check(before && !after && err == -ESTALE, name, "%llu calls before, %llu after, then %s", (long long)before,
	      (long long)after, strerror(-err));
	check(steady_end(fd, &worker), name, "status 0x%x", worker.status);
}

static void test_meddle(void)
{
	try_meddling("vdso-moved", DO_MOVE);
	try_meddling("vdso-unmapped", DO_UNMAP);
	try_meddling("vdso-made-writable", DO_PROTECT);
	try_meddling("vdso-imitated", DO_IMITATE);
}

/* A debugger's breakpoint gives the process a page of its own. */
static void test_poke(void)
{
	struct draft draft = claim_draft(NULL);
	struct worker worker = steady_start(fd, false);
	u64 before, after, word;

	worker.session = attach(fd, worker.pid);
	worker.block = load(fd, worker.session, &draft);
	must(worker.block > 0, "load");
	before = calls_in(fd, worker.session, 50);
	must(!ptrace(PTRACE_ATTACH, worker.pid, 0, 0), "ptrace");
	waitpid(worker.pid, &worker.status, WUNTRACED);
	word = ptrace(PTRACE_PEEKTEXT, worker.pid, vdso(), 0);
	/* The very same bytes. */
	must(!ptrace(PTRACE_POKETEXT, worker.pid, vdso(), word), "poke");
	ptrace(PTRACE_DETACH, worker.pid, 0, 0);
	after = calls_in(fd, worker.session, 50);
	check(before && !after, "vdso-poked", "%llu calls before, %llu after", (long long)before, (long long)after);
	check(steady_end(fd, &worker), "vdso-poked", "status 0x%x", worker.status);
}

static const struct test tests[] = {
	{ "claim", test_claim }, { "meddle", test_meddle }, { "poke", test_poke }, {}
};

int main(int argc, char **argv)
{
	fd = open_device();
	must(!set_mode(fd, NULL, UB_MODE_ON), "cannot set the root's mode");
	return run_tests(tests, argc, argv);
}
