#!/usr/bin/env python3
"""Small rules that a formatter does not know.

Wrong, and an error: trailing space, tabs, a line over 100 characters, an unfinished place without its issue, std::cout
outside cmd/ and tests/, paths of one machine, host names of package registries.
Worth a look, and only listed: files over 400 lines, functions over 70.

  tidy.py              checks the tree; says nothing when there is nothing to say
  tidy.py --self-test  plants each fault in a text and demands that it is found
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINE_LENGTH_MAX = 100
SCRIPT_LINE_LENGTH_MAX = 120
FILE_LINES_WORTH_A_LOOK = 400
FUNCTION_LINES_WORTH_A_LOOK = 70

CPP = {".cpp", ".hpp", ".cc", ".h"}
TABLES = {".def", ".cmake", ".proto"}  # One entry a line, however long.
SCRIPTS = {".py", ".sh"}
TEXTS = {".md", ".yaml", ".yml", ".json", ".txt", ".service", ".html", ".css", ".js"}
SCRIPT_NAMES = {"dev", "run"}
# Data: kept as it came, byte by byte.
DATA = ("tests/fuzz/corpus/", "tests/golden/data/", "tests/interop/recorded/")

# Written in pieces, so that this file does not find itself.
MACHINE_PATHS = re.compile("(?<![A-Za-z0-9_.~$}-])/(" + "|".join(["ro" "ot", "wo" "rk", "ho" "me"]) + ")/[A-Za-z0-9._]")
REGISTRIES = re.compile(
    "|".join(
        re.escape(name)
        for name in [
            "proxy.gol" "ang.org",
            "sum.gol" "ang.org",
            "deb.deb" "ian.org",
            "py" "pi.org",
            "crates" ".io/",
            "registry.np" "mjs.org",
            "gh" "cr.io",
            "qu" "ay.io",
            "registry.k8" "s.io",
            "docker" ".io/",
        ]
    )
)
UNFINISHED = re.compile(r"\bTO" r"DO\b(?!\(#\d+\))")
OUTPUT = re.compile(r"\bstd::co" r"ut\b")


def tracked_files():
    """The project's files: what git tracks or would track; without git, all but build/."""
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT)]
    try:
        out = subprocess.run([*git, "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True, check=True)
        return sorted(name for name in out.stdout.decode().split("\0") if name and (ROOT / name).is_file())
    except (OSError, subprocess.CalledProcessError):
        names = []
        for folder, folders, files in os.walk(ROOT):
            folders[:] = [name for name in folders if name not in (".git", "build", "__pycache__")]
            names += [pathlib.Path(folder, name).relative_to(ROOT).as_posix() for name in files]
        return sorted(names)


def line_limit(path):
    name, suffix = pathlib.PurePath(path).name, pathlib.PurePath(path).suffix
    if name.endswith(".test.cpp"):
        return None  # Documents in raw strings; the formatter sees to the code.
    if suffix in CPP:
        return LINE_LENGTH_MAX
    return SCRIPT_LINE_LENGTH_MAX if suffix in SCRIPTS or name in SCRIPT_NAMES else None


def faults(path, text):
    """The faults of one file as (line number, what)."""
    suffix = pathlib.PurePath(path).suffix
    limit = line_limit(path)
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield number, "trailing space"
        if "\t" in line.rstrip() and suffix != ".tsv":
            yield number, "tab"
        if limit and len(line) > limit:
            yield number, f"{len(line)} characters, at most {limit}"
        if UNFINISHED.search(line):
            yield number, "name the issue that will finish this: TO" "DO(#12)"
        if suffix in CPP and OUTPUT.search(line) and not path.startswith(("cmd/", "tests/")):
            yield number, "only cmd/ writes to standard output"
        if MACHINE_PATHS.search(line):
            yield number, "a path of one machine"
        if REGISTRIES.search(line):
            yield number, "the host name of a registry"
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "no newline at the end"


def long_functions(text):
    """Functions of formatted C++ that are over the limit, as (line number, lines): from the line that opens a brace
    after a parameter list to the brace that closes it at the same depth."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines):
        if start is None:
            opens = re.match(r"^( {0,4})[A-Za-z_~].*[)a-z>&] (const |noexcept |override )*\{$", line)
            keyword = re.match(r"^ *(namespace|struct|class|enum|union|if|for|while|switch|else|do|extern)\b", line)
            if opens and not keyword:
                start, closing = number, opens.group(1) + "}"
        elif line.startswith(closing):
            if number - start + 1 > FUNCTION_LINES_WORTH_A_LOOK:
                yield start + 1, number - start + 1
            start = None


def check():
    failed = 0
    notes = []
    for path in tracked_files():
        pure = pathlib.PurePath(path)
        if path.startswith(DATA) or not (pure.suffix in CPP | TABLES | SCRIPTS | TEXTS or pure.name in SCRIPT_NAMES):
            continue
        text = (ROOT / path).read_text(encoding="utf-8", errors="replace")
        for number, what in faults(path, text):
            print(f"{path}:{number}: {what}")
            failed += 1
        if pure.suffix in CPP:
            lines = text.count("\n")
            if lines > FILE_LINES_WORTH_A_LOOK:
                notes.append(f"note: {path}: {lines} lines; is there a second thing in it?")
            notes += [f"note: {path}:{n}: a function of {size} lines" for n, size in long_functions(text)]
    for note in notes:
        print(note)
    return 1 if failed else 0


PLANTED = [  # (file, text, is it a fault?)
    ("base/a.cpp", "int a; \n", True),
    ("base/a.cpp", "\tint a;\n", True),
    ("base/a.cpp", "// " + "x" * 98 + "\n", True),
    ("base/a.cpp", "// " + "x" * 97 + "\n", False),
    ("base/a.test.cpp", "x" * 101 + "\n", False),
    ("base/a.cpp", "// TO" "DO later\n", True),
    ("base/a.cpp", "// TO" "DO(#12) later\n", False),
    ("base/a.cpp", "std::co" "ut << 1;\n", True),
    ("cmd/a.cpp", "std::co" "ut << 1;\n", False),
    ("dev", "cd /ro" "ot/strait\n", True),
    ("docs/a.md", "see /ho" "me/me/strait\n", True),
    ("docs/a.md", "`$LAB/wo" "rk/a`\n", False),
    ("docs/a.md", "GET /v1/wo" "rk/a\n", False),
    ("deploy/a.yaml", "image: gh" "cr.io/strait\n", True),
    ("base/a.cpp", "int a;", True),
    ("base/a.cpp", "int a;\n", False),
]


def self_test():
    wrong = 0
    for path, text, is_fault in PLANTED:
        if bool(list(faults(path, text))) != is_fault:
            print(f"tidy.py: {path} with {text!r}: expected {'a' if is_fault else 'no'} fault")
            wrong += 1
    for size in (FUNCTION_LINES_WORTH_A_LOOK, FUNCTION_LINES_WORTH_A_LOOK + 1):
        text = "int f(int a) {\n" + "  a++;\n" * (size - 2) + "}\n"
        if bool(list(long_functions(text))) != (size > FUNCTION_LINES_WORTH_A_LOOK):
            print(f"tidy.py: a function of {size} lines judged wrongly")
            wrong += 1
    print(f"{len(PLANTED) + 2 - wrong} of {len(PLANTED) + 2} planted texts judged rightly")
    return 1 if wrong else 0


def main():
    return self_test() if sys.argv[1:] == ["--self-test"] else check()


if __name__ == "__main__":
    sys.exit(main())
