# The front door.  "make help" lists what it can do.
#
# core.mk lists the pure core; everything else is found by name: a directory without sources is a part not built.
include core.mk

PREFIX	?= /usr/local
CC	:= gcc
CLANG	?= clang
BPFTOOL	?= $(or $(shell command -v bpftool),/usr/sbin/bpftool)
# make check SAN=1: the same with the address and undefined-behaviour sanitizers, in a tree of its own.
SAN	?=
O	:= build$(if $(SAN),/san)
B	:= $(O)/obj
# Asked late, so that "make test" can install a kernel first.
KVER	?= $(shell tests/guest/kver.sh)
KTREE	= build/kmod/$(KVER)

CFLAGS	?= -O2 -g
UB_CFLAGS := -std=gnu11 -Wall -Wextra -Iinclude -Iuserspace -MMD -MP $(CFLAGS)
UB_LDFLAGS := $(LDFLAGS)
ifneq ($(SAN),)
UB_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
UB_LDFLAGS += -fsanitize=address,undefined
endif
obj	= $(patsubst %.c,$(B)/%.o,$(1))

# --- what there is ---

CORE_SRC    := $(wildcard $(CORE:.o=.c))
LIB_SRC     := $(sort $(CORE_SRC) $(wildcard ir/*.c lifter/*.c userspace/libub/*.c))
UBD_SRC     := $(filter-out %.bpf.c,$(wildcard userspace/ubd/*.c))
UBTOOL_SRC  := $(wildcard userspace/ubtool/*.c)
UNIT_SRC    := $(wildcard tests/unit/*.c)
BPF_SRC     := $(wildcard userspace/ubd/*.bpf.c)
SKELETONS   := $(BPF_SRC:%.bpf.c=$(B)/%.skel.h)
EXAMPLE_SRC := $(wildcard examples/*.c)
# Programs that run in the test guest; one file each.
BENCH_SRC   := $(filter-out %/client.c %/verifier.c,$(wildcard tests/bench/*.c))
GUEST_SRC   := $(wildcard tests/guest/*.c tests/host/*.c)

UBD      := $(if $(wildcard userspace/ubd/main.c),$(O)/ubd)
UBTOOL   := $(if $(wildcard userspace/ubtool/main.c),$(O)/ubtool)
RUNNER   := $(if $(wildcard tests/run.c),$(O)/tests/run)
UNITS    := $(UNIT_SRC:%.c=$(O)/%)
FUZZ     := $(if $(wildcard tests/fuzz/lift.c),$(O)/tests/fuzz/lift)
LOCKSTEP := $(if $(wildcard tests/outside/lockstep.c),$(O)/tests/outside/lockstep)
# Fuzz targets, a file each beside what they share; they have sanitizers in any case.
GUIDED_O := build/guided
GUIDED   := $(patsubst tests/fuzz/targets/%.c,$(GUIDED_O)/%,$(filter-out %/input.c %/mutate.c %/seed.c %/alloc.c,$(wildcard tests/fuzz/targets/*.c)))
EXAMPLES := $(EXAMPLE_SRC:%.c=$(O)/%)
GUESTS   := $(GUEST_SRC:%.c=$(O)/%)

.PHONY: all test-kernels test-debug-kernel bench-runtime bench-codegen bench-verifier bench-coverage programs examples tests kmod kmod-broken kmod-faults check check-guest test torture demo setup lint bless fuzz fuzz-corpus fuzz-lift fuzz-verify mutate prove suite-outside fmt help clean install
.DELETE_ON_ERROR:
.SECONDARY:

all: programs examples tests	## the programs, examples and tests
programs: $(UBD) $(UBTOOL)
examples: $(EXAMPLES)
tests: $(RUNNER) $(UNITS) $(FUZZ) $(GUIDED) $(LOCKSTEP) $(GUESTS) $(O)/tests/bench/codegen $(O)/tests/bench/client $(O)/tests/bench/verifier $(O)/tests/figures $(O)/tests/small/small

# --- user space ---

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(UB_CFLAGS) -I$(@D) -c -o $@ $<

# All but main() and what belongs to one program.  Made anew, so that no deleted file lives on in it.
$(B)/ub.a: $(call obj,$(LIB_SRC))
	@rm -f $@
	ar rcs $@ $^

$(B)/ubd.a: $(call obj,$(filter-out %/main.c,$(UBD_SRC)))
	@rm -f $@
	ar rcs $@ $^

$(O)/ubd: $(call obj,userspace/ubd/main.c) $(B)/ubd.a $(B)/ub.a
	$(CC) $(UB_LDFLAGS) -o $@ $^ -lbpf -lelf -lz -ljson-c -lZydis

$(O)/ubtool: $(call obj,$(UBTOOL_SRC)) $(B)/ub.a
	$(CC) $(UB_LDFLAGS) -o $@ $^ -lbpf -ldw -lelf -lz -ljson-c -lZydis

$(O)/examples/%: $(B)/examples/%.o $(B)/ub.a
	@mkdir -p $(@D)
	$(CC) $(UB_LDFLAGS) -Wl,--as-needed -o $@ $^ -ljson-c -lpthread

# It looks at other programs, through libub.
$(O)/examples/measure: $(B)/examples/measure.o $(B)/ub.a
	@mkdir -p $(@D)
	$(CC) $(UB_LDFLAGS) -o $@ $^ -ljson-c

# The numbers of the system calls, by name.
$(call obj,userspace/libub/names.c): $(B)/userspace/libub/syscall_names.inc
$(B)/userspace/libub/syscall_names.inc: userspace/libub/syscall_names.awk
	@mkdir -p $(@D)
	echo '#include <asm/unistd_64.h>' | $(CC) -E -dM - | LC_ALL=C sort | awk -f $< > $@

# --- BPF ---

$(call obj,$(UBD_SRC)): | $(SKELETONS)

$(B)/vmlinux.h:
	@mkdir -p $(@D)
	$(BPFTOOL) btf dump file /sys/kernel/btf/vmlinux format c > $@

$(B)/%.bpf.o: %.bpf.c $(B)/vmlinux.h
	@mkdir -p $(@D)
	$(CLANG) -target bpf -D__TARGET_ARCH_x86 -O2 -g -Wall -Iinclude -I$(B) -MMD -MP -c -o $@ $<

$(B)/%.skel.h: $(B)/%.bpf.o
	$(BPFTOOL) gen skeleton $< name $(notdir $*)_bpf > $@.new
	mv $@.new $@

# --- tests in user space ---

$(O)/tests/run: $(call obj,$(filter-out %/results.c %/reread.c %/figures.c,$(wildcard tests/*.c))) $(B)/ub.a
	@mkdir -p $(@D)
	$(CC) $(UB_LDFLAGS) -o $@ $^ -lZydis

$(filter $(O)/tests/unit/ubd_%,$(UNITS)): $(O)/tests/unit/ubd_%: $(B)/tests/unit/ubd_%.o $(B)/ubd.a $(B)/ub.a
	@mkdir -p $(@D)
	$(CC) $(UB_LDFLAGS) -o $@ $^ -lbpf -lelf -lz -ljson-c -lZydis

$(filter $(O)/tests/unit/jit_%,$(UNITS)): $(O)/tests/unit/jit_%: $(B)/tests/unit/jit_%.o $(call obj,tests/harness.c tests/gen.c) $(B)/ub.a
	@mkdir -p $(@D)
	$(CC) $(UB_LDFLAGS) -o $@ $^ -lZydis

$(O)/tests/fuzz/lift: $(call obj,$(wildcard tests/fuzz/*.c) tests/harness.c tests/results.c) $(B)/ub.a
	@mkdir -p $(@D)
	$(CC) $(UB_LDFLAGS) -o $@ $^ -ljson-c -lZydis -lm

$(O)/tests/outside/lockstep: $(call obj,$(wildcard tests/outside/*.c) tests/harness.c tests/results.c) $(B)/ub.a
	@mkdir -p $(@D)
	$(CC) $(UB_LDFLAGS) -o $@ $^ -ljson-c -lZydis -lm

$(O)/tests/unit/jit_image $(O)/tests/unit/machine: $(call obj,tests/reread.c)

# Numbers of 8 and of 4 bits are Clang's.
SMALL	:= $(call obj,tests/unit/verify_eight.c tests/unit/verify_four.c)
$(SMALL): private CC := $(CLANG)
$(SMALL): private UB_CFLAGS := -std=gnu2x -Wall -Wextra -Wno-bit-int-extension -Wno-constant-conversion \
	-Wno-tautological-constant-out-of-range-compare -Iinclude -MMD -MP -O3

$(O)/tests/unit/image_faults: $(call obj,tests/gen.c tests/results.c)
$(O)/tests/unit/verify_limits: $(call obj,tests/large.c)
$(O)/tests/unit/verify_speculate: $(call obj,tests/order.c)
$(O)/tests/unit/verify_embed: $(call obj,tests/results.c)

$(O)/tests/unit/%: $(B)/tests/unit/%.o $(B)/ub.a
	@mkdir -p $(@D)
	$(CC) $(UB_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lelf -ljson-c -lZydis

# Bound at once, so that the lifter sees where the C library's functions are.
$(GUESTS): $(O)/%: $(B)/%.o $(B)/ubd.a $(B)/ub.a
	@mkdir -p $(@D)
	$(CC) $(UB_LDFLAGS) -Wl,-z,now -Wl,--as-needed -o $@ $^ -lbpf -lelf -lz -ljson-c -lZydis -lpthread

# Kernels are compiled as a distribution compiles programs, whatever CFLAGS says.
$(B)/tests/bench/kernels_%.o: tests/bench/kernels_%.c Makefile
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -Wall -Wextra -Iinclude -MMD -MP -g -O2 -fstack-protector-strong -c -o $@ $<

$(O)/tests/bench/codegen: $(call obj,$(BENCH_SRC) tests/harness.c tests/results.c) $(B)/ub.a
	@mkdir -p $(@D)
	$(CC) $(UB_LDFLAGS) -o $@ $^ -lz -ljson-c -lZydis -lm

$(O)/tests/bench/client: $(B)/tests/bench/client.o
	@mkdir -p $(@D)
	$(CC) $(UB_LDFLAGS) -o $@ $^

$(O)/tests/bench/verifier: $(call obj,tests/bench/verifier.c tests/large.c tests/results.c) $(B)/ub.a
	@mkdir -p $(@D)
	$(CC) $(UB_LDFLAGS) -o $@ $^ -lbpf -lelf -lz -ljson-c

bench-verifier: $(O)/tests/bench/verifier	## how fast the verifier is, beside the kernel's own
	@mkdir -p build/results
	$< --json build/results/verifier.json

bench-coverage: $(UBTOOL) $(O)/tests/bench/client	## how much of real programs is lifted
	tests/bench/coverage.sh $(UBTOOL) build/results/coverage.json

bench-codegen: $(O)/tests/bench/codegen	## how good the translated code is, on this processor
	@mkdir -p build/results
	$< --json build/results/codegen.json

CASES = $(wildcard $(foreach dir,ir verify lift jit,tests/$(dir)/*.ub))

check: programs tests	## lint, and the tests that need no guest
	@mkdir -p $(O)/results
	@tests/tally.sh '$(MAKE) --no-print-directory lint' $(if $(RUNNER),'$(RUNNER) $(CASES)') $(filter-out %/image_faults,$(UNITS)) \
		'$(O)/tests/unit/image_faults --json $(O)/results/verifier.json' \
		$(if $(FUZZ),'$(FUZZ) --programs $(FUZZ_STRETCH)') 'tests/fuzz/guided.sh check $(notdir $(GUIDED))' \
		$(if $(UBD),'tests/host/observe.sh $(UBD)') $(if $(UBTOOL),'tests/host/lift.sh $(UBTOOL)') \
		$(if $(SAN),,'$(O)/tests/bench/codegen --check')

# A stretch that is always the same; sanitizers are slow.
FUZZ_STRETCH := $(if $(SAN),2500,20000)
SECONDS	?= 600
SEED	?= $(shell date +%s)

fuzz-lift: $(FUZZ)	## SECONDS=600 SEED=...: random code, processor against interpreter and JIT
	$(FUZZ) --seconds $(SECONDS) --seed $(SEED) --forms build/results/lift-forms.txt --results build/results/lift.json

fuzz-verify: $(O)/tests/unit/verify_embed	## SECONDS=600 SEED=...: random blocks, each state of the machine against the verifier's
	@mkdir -p build/results
	$< --seconds $(SECONDS) --seed $(SEED) --results build/results/verifier.json

# Coverage-guided: the core is compiled once more, by clang, so that libFuzzer sees where an input goes.
GUIDED_CFLAGS := -std=gnu11 -Wall -Wextra -Wno-missing-field-initializers -Iinclude -MMD -MP -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=undefined \
	'-Dub_warn(msg)=(fprintf(stderr, "bug: %s\n", msg), abort())'
GUIDED_COV := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-coverage=trace-cmp
guided	= $(patsubst %.c,$(GUIDED_O)/obj/%.o,$(1))

$(GUIDED_O)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CLANG) $(GUIDED_CFLAGS) $(GUIDED_COV) -c -o $@ $<

# What is not of interest: the tests themselves, and for requests what comes of blocks.
plain	= $(patsubst %.c,$(GUIDED_O)/plain/%.o,$(1))

$(GUIDED_O)/plain/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CLANG) $(GUIDED_CFLAGS) -fsanitize=address,undefined -c -o $@ $<

# The module's files for requests and blocks are part of it; of the kernel's headers they find none, but kernel.h.  As for
# the kernel's compiler, NULL is an address.
DEVICE_PARTS := $(addprefix kernel/ub-jit/,module.h trace.h dev.c load.c registry.c)
$(GUIDED_O)/obj/tests/fuzz/targets/device.o: tests/fuzz/targets/device.c $(DEVICE_PARTS) Makefile
	@mkdir -p $(@D)
	rm -rf $(GUIDED_O)/include
	sed -nE 's/^#include <((linux|asm|trace)\/.*)>/\1/p' $(DEVICE_PARTS) | sort -u | while read -r name; do \
		install -D /dev/null $(GUIDED_O)/include/$$name || exit; done
	$(CLANG) $(GUIDED_CFLAGS) $(GUIDED_COV) -I$(GUIDED_O)/include -Wno-unused-parameter \
		-fno-sanitize=pointer-overflow -c -o $@ $<

$(GUIDED_O)/core.a: $(call guided,$(sort $(CORE_SRC) $(wildcard ir/*.c))) $(call plain,$(addprefix tests/fuzz/targets/,input.c alloc.c))
	@rm -f $@
	ar rcs $@ $^

$(GUIDED_O)/device: $(GUIDED_O)/obj/tests/fuzz/targets/device.o $(call plain,tests/fuzz/targets/alloc.c $(CORE_SRC))
$(GUIDED_O)/jit: $(call plain,tests/reread.c)
$(GUIDED_O)/text: $(call plain,tests/fuzz/targets/text.c) $(GUIDED_O)/core.a
$(GUIDED_O)/wire $(GUIDED_O)/verify $(GUIDED_O)/jit: $(GUIDED_O)/%: $(GUIDED_O)/plain/tests/fuzz/targets/%.o \
		$(call plain,tests/fuzz/targets/mutate.c) $(GUIDED_O)/core.a

$(GUIDED):
	$(CLANG) -fsanitize=fuzzer,address,undefined -Wl,--wrap=calloc -o $@ $^ -lZydis

# Compiled and linked as a distribution does.
$(call obj,$(wildcard tests/small/*.c)): private UB_CFLAGS += -Wno-unused-result
$(O)/tests/small/small: $(call obj,$(wildcard tests/small/*.c))
	@mkdir -p $(@D)
	$(CC) $(UB_LDFLAGS) -Wl,-z,now -o $@ $^ -lpthread

$(O)/tests/figures: $(call obj,tests/figures.c tests/results.c)
	@mkdir -p $(@D)
	$(CC) $(UB_LDFLAGS) -o $@ $^ -ljson-c -lm

$(O)/tests/fuzz/seed: $(call obj,tests/fuzz/targets/seed.c tests/file.c tests/values.c) $(B)/ub.a
	@mkdir -p $(@D)
	$(CC) $(UB_LDFLAGS) -o $@ $^

TARGET	?= $(notdir $(GUIDED))

fuzz: $(GUIDED)	## TARGET=wire SECONDS=600: coverage-guided fuzzing, each target for so long
	tests/fuzz/guided.sh run $(SECONDS) $(TARGET)

fuzz-corpus: $(GUIDED) $(O)/tests/fuzz/seed	## TARGET=...: the corpus anew from the text cases and what fuzzing has found
	tests/fuzz/guided.sh merge $(TARGET)

# GCC does not take members with constructors in anonymous unions.
$(O)/tests/prove: tests/prove/prove.cc $(wildcard tests/prove/*.h) $(wildcard verifier/*.[ch]) $(patsubst %,$(B)/prove/%_itself.c,bits walk reg) $(call obj,tests/results.c)
	@mkdir -p $(@D)
	clang++ -std=gnu++20 -O1 -g -Wall -Iinclude -I$(B)/prove -Iverifier -o $@ $< $(call obj,tests/results.c) -lz3 -ljson-c

# The functions that contracts stand for elsewhere get names of their own; what is static would be of one run only.
$(B)/prove/%_itself.c: verifier/%.c Makefile
	@mkdir -p $(@D)
	sed -E 's/^([a-z].*\<(scalar|faster|known_zeros_below|ub_reg_plain))\(/\1_itself(/; s/^\tstatic const u64/\tconst u64/' $< > $@

LIMIT	?= 600

prove: $(O)/tests/prove	## LIMIT=600 seconds for each, OPERATION=... for one: the verifier's operations on values are sound, for all values of 64 bits: Z3 says so
	@mkdir -p build/results
	$< --limit $(LIMIT) $(if $(OPERATION),'$(OPERATION)',--results build/results/verifier.json)

MUTANTS	?= 240

mutate:	## MUTANTS=240: breaks the verifier in that many ways; the tests must notice; AGAIN=1: those that lived the last time
	@mkdir -p build/results
	tests/mutate/mutate.py --mutants $(MUTANTS) --results build/results/verifier.json $(if $(AGAIN),--again)

suite-outside: $(LOCKSTEP)	## QEMU's tests of x86, fetched from the distribution, in lockstep with the processor
	tests/outside/suite.sh $(LOCKSTEP)

bless: $(RUNNER)	## T=FILE...: write what a case does now into it as its expectation
	$(RUNNER) --bless $(T)

# --- the kernel module ---

# $(call lay,TREE): kbuild leaves its objects beside the sources, so it gets a tree of links.
define lay
@mkdir -p $(1)/kernel
@cp -rsf $(CURDIR)/include $(CURDIR)/ir $(CURDIR)/verifier $(CURDIR)/core.mk $(1)/
@cp -rsf $(CURDIR)/kernel/ub-jit $(1)/kernel/
@find $(1) -xtype l -delete
endef

kmod:	## the kernel module, for the guest's kernel or KVER
	@tests/guest/kver.sh > /dev/null
	$(call lay,$(KTREE))
	KVER=$(KVER) tests/guest/kbuild.sh $(KTREE)/kernel/ub-jit
	ln -sfn kmod/$(KVER)/kernel/ub-jit/ub.ko build/ub.ko

# Modules for tests, of sources that a script has changed: one whose JIT is wrong, which the checker must notice, and one of
# which each allocation can be made to fail.
kmod-broken: private CHANGE = break.sh
kmod-faults: private CHANGE = inject.sh
kmod-broken kmod-faults: kmod-%: kmod
	$(call lay,build/$*/$(KVER))
	@tests/guest/$(CHANGE) build/$*/$(KVER)
	KVER=$(KVER) tests/guest/kbuild.sh build/$*/$(KVER)/kernel/ub-jit
	ln -sfn $(KVER)/kernel/ub-jit/ub.ko build/$*/ub.ko

# --- everything ---

setup:
	@tests/guest/setup.sh

bench-runtime: all kmod $(O)/tests/figures	## what the module costs, in instructions
	@mkdir -p $(KTREE)/kernel/ub-jit/bare
	@cp -sf $(CURDIR)/tests/guest/bare/* $(KTREE)/kernel/ub-jit/bare/
	KVER=$(KVER) tests/guest/kbuild.sh $(KTREE)/kernel/ub-jit/bare > /dev/null
	tests/guest/runtime.sh

test-kernels: all $(O)/tests/figures	## the tests that need a guest, on Debian's 6.1, 6.12 and 7.x (fetched), each in several settings
	@mkdir -p build/results
	@tests/guest/matrix.sh

test-debug-kernel: all	## the tests that need a guest, on a kernel built with lockdep, KASAN and debug objects; slow
	@tests/guest/debug.sh

check-guest: all kmod kmod-broken kmod-faults	## the tests that need a guest with the module
	@tests/tally.sh $(wildcard tests/guest/suite.sh)

test: setup	## all tests
	@tests/tally.sh '$(MAKE) --no-print-directory check' 'tests/outside/suite.sh --if-reachable $(LOCKSTEP)' \
		'$(MAKE) --no-print-directory check-guest' 'tests/guest/matrix.sh --short 6.12'

MINUTES	?= 30

torture: all kmod kmod-faults	## MINUTES=30 SEED=...: all that can happen to bypassed processes, at random; nothing may hang, leak or be wrong
	tests/guest/torture.sh $(MINUTES) $(SEED)

demo: setup	## a program, without and with the bypass
	$(MAKE) all kmod
	tests/guest/image.sh
	examples/demo.sh

lint:	## the house rules that a script can check
	@tests/lint.sh

FILES ?= $(filter %.c %.h,$(shell git diff --name-only --diff-filter=d HEAD))
fmt:	## formats changed sources, or FILES=...
	$(if $(FILES),clang-format -i $(FILES))

help:	## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 26
	@echo 'Variables: SAN=1 KVER=... O=... CC=... CFLAGS=... PREFIX=... DESTDIR=...'

clean:	## removes what was built
	rm -rf build

MAN8 = $(wildcard docs/man/*.8)
install: programs	## programs, manual pages, service, configuration, and the module if it was built
	install -d $(DESTDIR)$(PREFIX)/sbin
	$(if $(UBD)$(UBTOOL),install -m 755 $(UBD) $(UBTOOL) $(DESTDIR)$(PREFIX)/sbin/)
	$(if $(MAN8),install -d $(DESTDIR)$(PREFIX)/share/man/man8)
	$(if $(MAN8),install -m 644 $(MAN8) $(DESTDIR)$(PREFIX)/share/man/man8/)
	[ ! -e userspace/ubtool/ubtool.bash ] || install -D -m 644 userspace/ubtool/ubtool.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/ubtool
	[ ! -e userspace/ubd/ubd.service ] || install -D -m 644 userspace/ubd/ubd.service \
		$(DESTDIR)$(PREFIX)/lib/systemd/system/ubd.service
	[ ! -e userspace/ubd/ubd.conf ] || [ -e $(DESTDIR)/etc/ub/ubd.conf ] || \
		install -D -m 644 userspace/ubd/ubd.conf $(DESTDIR)/etc/ub/ubd.conf
	[ ! -e $(KTREE)/kernel/ub-jit/ub.ko ] || install -D -m 644 $(KTREE)/kernel/ub-jit/ub.ko \
		$(DESTDIR)/lib/modules/$(KVER)/extra/ub.ko

-include $(shell find $(B) $(GUIDED_O) -name '*.d' 2>/dev/null)
