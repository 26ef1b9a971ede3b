// SPDX-License-Identifier: GPL-2.0
/*
 * names: the words and texts for the numbers of uapi.h.
 *
 * A word is stable and goes into JSON; a text is for people.
 */
#include <sys/ioctl.h>

#include "../../verifier/verify.h"
#include "ub.h"

struct name {
	const char *word;
	const char *text;
};

static const struct name exit_kinds[] = {
	[UB_EXIT_END] = { "end", "the block ends here: not lifted" },
	[UB_EXIT_INDIRECT] = { "indirect", "an indirect branch went where the block does not" },
	[UB_EXIT_FAULT] = { "fault", "a page to be faulted in, a bad address or a divide error" },
	[UB_EXIT_WORK] = { "work", "the kernel had work: a signal, a reschedule, a detach or a policy" },
	[UB_EXIT_SYSCALL] = { "syscall", "a call that is not made in place" },
	[UB_EXIT_RESTART] = { "restart", "right behind a call: to be restarted, or a signal" },
	[UB_EXIT_BOUND] = { "bound", "a branch above the user's half of the address space" },
};
_Static_assert(ARRAY_SIZE(exit_kinds) == UB_EXIT_COUNT, "a row per exit kind");

static const struct name native_whys[] = {
	[UB_NATIVE_NONE] = { "none", "nothing keeps it native" },
	[UB_NATIVE_NO_BLOCK] = { "no-block", "no block begins behind the call" },
	[UB_NATIVE_POLICY] = { "policy", "its cgroup's policy is not \"on\"" },
	[UB_NATIVE_PTRACE] = { "ptrace", "it is traced (ptrace)" },
	[UB_NATIVE_SYSCALL_WORK] = { "syscall-work", "the kernel has work at its system calls (audit, tracing)" },
	[UB_NATIVE_FLAGS] = { "flags", "unusual processor flags (TF, AC, NT or DF)" },
	[UB_NATIVE_SEGMENT] = { "segment", "not in the ordinary 64-bit code segment" },
	[UB_NATIVE_DEBUG] = { "debug", "a hardware breakpoint is set" },
	[UB_NATIVE_THREAD_FLAG] = { "thread-flag", "a thread flag forbids it (TSC or CPUID disabled, stepping)" },
	[UB_NATIVE_SUSPECT] = { "suspect", "its code's mapping changed and was not yet compared again" },
	[UB_NATIVE_WRITER] = { "writer", "somebody may write to its code" },
	[UB_NATIVE_CREDENTIALS] = { "credentials", "its credentials changed" },
};

static const char *const refusal_texts[] = {
	[UB_REFUSE_NONE] = "not refused",
	[UB_REFUSE_SIZE] = "too many instructions or entries, or none",
	[UB_REFUSE_SHAPE] = "an instruction of unknown shape",
	[UB_REFUSE_TARGET] = "a jump, entry or fall-through to a place where it may not go",
	[UB_REFUSE_UNREACHED] = "code that no entry reaches",
	[UB_REFUSE_ADDRESS] = "a constant address outside the user's half",
	[UB_REFUSE_MARK] = "no mark before an instruction that may leave",
	[UB_REFUSE_UNWRITTEN] = "a temporary is read before it is written",
	[UB_REFUSE_UNGUARDED] = "memory is accessed through a value that is not guarded",
	[UB_REFUSE_WINDOW] = "an access outside the window of its guard",
	[UB_REFUSE_INEXACT] = "it may leave after the guest's state changed",
	[UB_REFUSE_BOUND] = "an indirect exit whose target has no bound",
	[UB_REFUSE_UNCHECKED] = "a cycle without check, or too long a way between two",
	[UB_REFUSE_REGISTER] = "a register that the operation may not use",
	[UB_REFUSE_WORK] = "too complex for the verifier",
	[UB_REFUSE_IMAGE] = "its machine code did not pass the checker, which is a bug of ours",
};
_Static_assert(ARRAY_SIZE(refusal_texts) == UB_REFUSE_COUNT, "a text per refusal");

static const struct name session_states[] = {
	[UB_SESSION_LIVE] = { .word = "live" },
	[UB_SESSION_PAUSED] = { .word = "paused" },
	[UB_SESSION_DYING] = { .word = "dying" },
};

static const struct name block_states[] = {
	[UB_BLOCK_LIVE] = { .word = "live" },
	[UB_BLOCK_SUSPECT] = { .word = "suspect" },
	[UB_BLOCK_DEAD] = { .word = "dead" },
};

static const struct name modes[] = {
	[UB_MODE_INHERIT] = { .word = "inherit" },
	[UB_MODE_OFF] = { .word = "off" },
	[UB_MODE_OBSERVE] = { .word = "observe" },
	[UB_MODE_ON] = { .word = "on" },
};

#define LOOK_UP(table, number, field) \
	((number) < ARRAY_SIZE(table) && (table)[number].field ? (table)[number].field : "?")

const char *ub_exit_kind_name(u32 kind)
{
	return LOOK_UP(exit_kinds, kind, word);
}

const char *ub_exit_kind_text(u32 kind)
{
	return LOOK_UP(exit_kinds, kind, text);
}

const char *ub_native_why_name(u32 why)
{
	return LOOK_UP(native_whys, why, word);
}

const char *ub_native_why_text(u32 why)
{
	return LOOK_UP(native_whys, why, text);
}

const char *ub_refusal_text(u32 refusal)
{
	return refusal < ARRAY_SIZE(refusal_texts) ? refusal_texts[refusal] : "?";
}

const char *ub_session_state_name(u32 state)
{
	return LOOK_UP(session_states, state, word);
}

const char *ub_block_state_name(u32 state)
{
	return LOOK_UP(block_states, state, word);
}

const char *ub_mode_name(u32 mode)
{
	return LOOK_UP(modes, mode, word);
}

int ub_mode_parse(const char *name, enum ub_mode *ret)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!strcmp(modes[i].word, name)) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

/* Only where uapi.h gives the number a meaning of its own; command 0: of all. */
static const struct {
	unsigned int command;
	int err;
	const char *text;
} command_errors[] = {
	{ UB_IOC_ATTACH, -EACCES, "the policy of its cgroup is not \"on\" (ubtool cgroup set PATH on)" },
	{ UB_IOC_ATTACH, -EBUSY, "it is already attached" },
	{ UB_IOC_ATTACH, -EOPNOTSUPP, "it is a 32-bit process or otherwise unfit" },
	{ UB_IOC_ATTACH, -ESRCH, "no such process" },
	{ UB_IOC_ATTACH, -EPERM, "not permitted: it needs CAP_BPF and the right to trace the process" },
	{ UB_IOC_ATTACH, -ENOSPC, "too many processes are attached" },
	{ UB_IOC_LOAD, -EACCES, "refused by the verifier" },
	{ UB_IOC_LOAD, -ESTALE, "the code has changed, or may not be lifted" },
	{ UB_IOC_LOAD, -ENOSPC, "a limit of the process, cgroup or system is reached" },
	{ UB_IOC_LOAD, -ESRCH, "no such session" },
	{ UB_IOC_DETACH, -ESRCH, "no such session" },
	{ UB_IOC_SESSION_INFO, -ESRCH, "no such session" },
	{ UB_IOC_UNLOAD, -ENOENT, "no such block" },
	{ UB_IOC_BLOCK_INFO, -ENOENT, "no such block" },
	{ UB_IOC_BLOCK_DUMP, -ENOENT, "no such block" },
	{ UB_IOC_BLOCK_DUMP, -EPERM, "not permitted: machine code needs CAP_SYS_ADMIN" },
	{ UB_IOC_BLOCK_EXITS, -ENOENT, "no such block" },
	{ 0, -EPERM, "not permitted: it needs CAP_BPF" },
	{ 0, -ENOTTY, "the loaded module does not know this command: its version is older" },
	{ 0, -E2BIG, "the loaded module does not know a field of this command: its version is older" },
};

const char *ub_command_error(unsigned int command, int err)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(command_errors); i++) {
		if ((!command_errors[i].command || command_errors[i].command == command) &&
		    command_errors[i].err == err)
			return command_errors[i].text;
	}
	return strerror(-err);
}

static const char *const syscall_names[UB_SYSCALL_LIMIT] = {
#include "syscall_names.inc"
};

const char *ub_syscall_name(u32 nr)
{
	return nr < UB_SYSCALL_LIMIT && syscall_names[nr] ? syscall_names[nr] : "?";
}

int ub_syscall_number(const char *name, u32 *ret)
{
	u32 nr;

	for (nr = 0; nr < UB_SYSCALL_LIMIT; nr++) {
		if (syscall_names[nr] && !strcmp(syscall_names[nr], name)) {
			*ret = nr;
			return 0;
		}
	}
	return -ENOENT;
}
