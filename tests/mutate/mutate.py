#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""mutate: do the tests notice when the verifier is wrong?

usage: mutate.py [--mutants N] [--seed N] [--jobs N] [--only FILE] [--results FILE] [--again]

Changes one token or drops one check or statement of verifier/*.c at a time, builds, and runs the verifier's tests until
one fails.  What does not compile, or compiles to the same code, does not count.  A mutant that nobody notices stands in
tests/mutate/survivors with the reason why it cannot make the verifier accept what it must not, or is reported.  The score
is that of all mutants, and that of those which have no such reason.

--again tries those alone that lived the last time, by FILE; who was killed stays so as long as no test is taken away.

Which mutants are tried hangs on their own lines alone, so that a change elsewhere tries the same ones.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BASE = os.path.join(ROOT, "build", "mutate")
PARTS = ["include", "ir", "verifier", "lifter", "kernel", "userspace", "tests", "Makefile", "core.mk"]
UNITS = ["walks", "values", "limits", "speculate", "embed"]
# Long ones, for what they test alone.
UNITS_OF = {"bits.c": ["four", "eight"], "range.c": ["four", "eight"], "reg.c": ["four"]}
# What says which accesses are allowed, and the values that it rests on.
MEMORY_RULES = {"mem.c", "check.c", "walk.c", "reg.c", "range.c", "bits.c"}
TIMEOUT = 200
CASES_TIMEOUT = 30  # they take less than one second

SWAPS = [
    (r"<=", ["<"]), (r">=", [">"]), (r"(?<![<\-])<(?![<=])", ["<="]), (r"(?<![>\-])>(?![>=])", [">="]),
    (r"==", ["!="]), (r"!=", ["=="]), (r"&&", ["||"]), (r"\|\|", ["&&"]), (r"(?<= )\+(?= )", ["-"]),
    (r"(?<= )-(?= )", ["+"]), (r"(?<= )&(?= )", ["|"]), (r"(?<= )\|(?= )", ["&"]), (r"(?<= )\^(?= )", ["|"]),
    (r"<<", [">>"]), (r">>", ["<<"]), (r"\btrue\b", ["false"]), (r"\bfalse\b", ["true"]), (r"!(?=[a-z(])", [""]),
    (r"(?<=[ (\[,{])\d+(?=[ ;),\]}])", [lambda m: str(int(m.group()) + 1)]),
]
CONDITION = re.compile(r"^(\t+(?:\} else )?if \()(.*)(\)(?: \{)?)$")
STATEMENT = re.compile(r"^\t+[a-z][\w>.\[\]()\-&, ]*( [|&^+\-]?= .*|\(.*\));$")


def is_mutated(name):
    """The IR verifier's sources, but what only writes text.  The image checker has seeded faults of its own."""
    return name.endswith(".c") and name != "log.c" and not name.startswith("image")


def blank(text):
    """The text with comments and strings blanked out, of the same length."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"'
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


def sites(name):
    """All (line index, new line, what) of one file."""
    with open(os.path.join(ROOT, "verifier", name)) as source:
        text = source.read()
    found = []
    for i, (line, code) in enumerate(zip(text.split("\n"), blank(text).split("\n"))):
        if not code.startswith("\t") or code.lstrip().startswith(("case", "static const")):
            continue
        for pattern, replacements in SWAPS:
            for match in re.finditer(pattern, code):
                for new in replacements:
                    new = new(match) if callable(new) else new
                    found.append((i, line[:match.start()] + new + line[match.end():], f"{match.group()} -> {new or 'nothing'}"))
        condition = CONDITION.match(code)
        if condition:
            start, end = condition.span(2)
            found.append((i, f"{line[:start]}0 && ({line[start:end]}){line[end:]}", "no such check"))
        if STATEMENT.match(code) and not code.lstrip().startswith(("return", "goto")):
            found.append((i, re.sub(r"\S.*$", ";", line), "no such statement"))
    return [(name,) + site for site in found]


def in_order(mutants, seed):
    """The mutants in an order that seems random but that each has its place in by what it changes."""
    seen = {}

    def place(mutant):
        name, _, new_line, what = mutant
        key = f"{seed}\t{name}\t{new_line.strip()}\t{what}"
        seen[key] = seen.get(key, 0) + 1
        return hashlib.sha256(f"{key}\t{seen[key]}".encode()).digest()

    return sorted(mutants, key=place)


def units_of(name):
    return UNITS + UNITS_OF.get(name, [])


def unit_path(unit):
    return f"build/tests/unit/verify_{unit}"


class Tree:
    """A copy of the sources with a build of its own."""

    def __init__(self, number):
        self.dir = os.path.join(BASE, str(number))
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        for part in PARTS:
            source, to = os.path.join(ROOT, part), os.path.join(self.dir, part)
            if os.path.isdir(source):
                shutil.copytree(source, to)
            else:
                shutil.copy2(source, to)
        # What is built already; make knows what is not.
        for part in ["obj", "tests/unit"]:
            if os.path.isdir(os.path.join(ROOT, "build", part)):
                shutil.copytree(os.path.join(ROOT, "build", part), self.path("build", part))
        if not self.build("build/tests/run", *map(unit_path, units_of("bits.c")), timeout=20 * TIMEOUT):
            sys.exit("mutate: the sources do not build")
        if self.killer("bits.c"):
            sys.exit("mutate: the tests fail without a change")
        self.hashes = {name: self.object_hash(name) for name in os.listdir(self.path("verifier")) if is_mutated(name)}

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def run(self, command, timeout=TIMEOUT):
        try:
            done = subprocess.run(command, cwd=self.dir, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  timeout=timeout, check=False)
            return done.returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def build(self, *targets, timeout=TIMEOUT):
        return self.run(["make", "-s", *targets], timeout)

    def object_hash(self, name):
        code = self.path("build", "mutate.bin")
        object_file = self.path("build", "obj", "verifier", name[:-2] + ".o")
        subprocess.run(["objcopy", "-O", "binary", "--only-section=.text*", object_file, code], check=True)
        relocations = subprocess.run(["objdump", "-r", object_file], stdout=subprocess.PIPE, check=True).stdout
        with open(code, "rb") as text:
            return hashlib.sha256(text.read() + relocations).hexdigest()

    def killer(self, name):
        """The first test of verifier/@name that fails, or None.  Each is built when it is its turn: that takes longest."""
        cases = [os.path.join("tests", kind, case) for kind in ("verify", "ir", "lift", "jit")
                 for case in sorted(os.listdir(self.path("tests", kind))) if case.endswith(".ub")]
        if not self.run(["build/tests/run", *cases], CASES_TIMEOUT):
            return "cases"
        for unit in units_of(name):
            if not self.build(unit_path(unit)):
                sys.exit(f"mutate: {unit} does not build")
            if not self.run([unit_path(unit)]):
                return unit
        return None

    def try_mutant(self, mutant):
        """'same', 'broken', the test that fails, or None."""
        name, index, new_line, _ = mutant
        path = self.path("verifier", name)
        with open(path) as source:
            old = source.read()
        lines = old.split("\n")
        lines[index] = new_line
        with open(path, "w") as changed:
            changed.write("\n".join(lines))
        try:
            if not self.build(f"build/obj/verifier/{name[:-2]}.o"):
                return "broken"
            if self.object_hash(name) == self.hashes[name]:
                return "same"
            return self.killer(name) if self.build("build/tests/run") else "broken"
        finally:
            # What is built of it is older now, so the next build makes it anew.
            with open(path, "w") as restored:
                restored.write(old)


def known_survivors():
    """(file, line as it is, what) -> reason."""
    known = {}
    path = os.path.join(ROOT, "tests", "mutate", "survivors")
    if os.path.exists(path):
        with open(path) as lines:
            for line in lines:
                if line.strip() and not line.startswith("#"):
                    name, text, what, reason = [part.strip() for part in line.split("\t") if part.strip()]
                    known[name, text, what] = reason
    return known


def original_line(mutant):
    with open(os.path.join(ROOT, "verifier", mutant[0])) as source:
        return source.read().split("\n")[mutant[1]].strip()


def work(number, mutants, wanted):
    """Takes mutants until @wanted of them count; [(mutant, who killed it)]."""
    tree, results = Tree(number), []
    for mutant in mutants:
        if len(results) == wanted:
            break
        killer = tree.try_mutant(mutant)
        if killer in ("broken", "same"):
            continue
        results.append((mutant, killer))
        if len(results) % 20 == 0:
            print(f"{len(results)} mutants of {wanted}", flush=True)
        if not killer:
            print(f"alive: {mutant[0]}:{mutant[1] + 1}: {mutant[3]}: {original_line(mutant)}", flush=True)
    return results


def described(mutant):
    return f"{mutant[0]}: {mutant[3]}: {original_line(mutant)}"


def lived_before(path, mutants):
    """How many were tried in a former run, and those of @mutants that lived, or read like one that did."""
    with open(path) as old:
        old = json.load(old)
    lived = set(old["detail"]["mutate"]["alive"])
    gone = lived - {described(mutant) for mutant in mutants}
    if gone:
        sys.exit(f"mutate: the sources have changed since: {min(gone)}")
    return old["figures"]["mutants"], [mutant for mutant in mutants if described(mutant) in lived]


def write_results(path, figures, detail):
    results = {"schema": "ub-results/1", "command": "", "host": "", "figures": {}, "detail": {}}
    if os.path.exists(path):
        with open(path) as old:
            results = json.load(old)
    results["figures"].update(figures)
    results["detail"]["mutate"] = detail
    results["host"] = results["host"] or " ".join(os.uname()[::2])
    if "make mutate" not in results["command"]:
        results["command"] = "; ".join(filter(None, [results["command"], "make mutate"]))
    with open(path, "w") as new:
        json.dump(results, new, indent=2)
        new.write("\n")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][len("usage: "):])
    parser.add_argument("--mutants", type=int, default=240)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only")
    parser.add_argument("--results")
    parser.add_argument("--again", action="store_true")
    args = parser.parse_args()
    names = [args.only] if args.only else sorted(filter(is_mutated, os.listdir(os.path.join(ROOT, "verifier"))))
    mutants = in_order([site for name in names for site in sites(name)], args.seed)
    cnt, possible = args.mutants, len(mutants)
    if args.again:
        cnt, mutants = lived_before(args.results, mutants)
        args.mutants = len(mutants)
    shares = [mutants[i::args.jobs] for i in range(args.jobs)]
    wanted = [(args.mutants + i) // args.jobs for i in range(args.jobs)]
    with concurrent.futures.ProcessPoolExecutor(args.jobs) as pool:
        results = sum(pool.map(work, range(args.jobs), shares, wanted), [])
    alive = [mutant for mutant, killer in results if not killer]
    known = known_survivors()
    new = [m for m in alive if (m[0], original_line(m), m[3]) not in known]
    rules = [m for m in new if m[0] in MEMORY_RULES]
    cnt = cnt if args.again else len(results)
    killed = cnt - len(alive)
    by_test = {t: sum(killer == t for _, killer in results) for t in ["cases"] + UNITS + UNITS_OF["bits.c"]}
    harmful = killed + len(new)
    print(f"{cnt} mutants of {possible} possible, {killed} killed ({100 * killed / max(cnt, 1):.1f} %), "
          f"{len(alive)} alive, of which {len(new)} without a reason and {len(rules)} of those in a memory rule; "
          f"of the {harmful} without a reason to live {100 * killed / max(harmful, 1):.1f} % are killed")
    print("killed by", ", ".join(f"{t} {cnt}" for t, cnt in by_test.items()))
    if args.results:
        write_results(args.results, {"mutants": cnt, "mutants_killed": killed, "mutants_equivalent": len(alive) - len(new),
                                     "memory_rule_mutants_alive": len(rules)},
                      {"seed": args.seed, "alive": [described(m) for m in alive]})
    sys.exit(1 if new else 0)


if __name__ == "__main__":
    main()
