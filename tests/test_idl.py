"""tools/idl.py: what it accepts, and every mistake by file, line and cause."""
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOL = ROOT / "tools" / "idl.py"


def run(tmp_path, text):
    source = tmp_path / "x.idl"
    source.write_text(text)
    done = subprocess.run([sys.executable, TOOL, "--out", tmp_path, source],
                          capture_output=True, text=True)
    return done.returncode, done.stderr.replace(str(source), "x.idl").strip()


def test_the_real_description_is_accepted(tmp_path):
    status, errors = run(tmp_path, (ROOT / "abi" / "uinta.idl").read_text())
    assert (status, errors) == (0, "")
    table = (tmp_path / "gen" / "syscall_table.h").read_text()
    assert "[0] = (syscall_fn)(void (*)(void))sys_null," in table
    assert "int64_t sys_process_map(uint64_t process," in table
    assert "sys_ipc_call" not in (tmp_path / "gen" / "syscalls.h").read_text()


def test_generated_headers_compile(tmp_path):
    status, _ = run(tmp_path, (ROOT / "abi" / "uinta.idl").read_text())
    assert status == 0
    names = sorted(p.name for p in (tmp_path / "gen").glob("*.h"))
    program = "".join(f'#include "gen/{n}"\n' for n in names
                      if n != "syscall_table.h")
    done = subprocess.run(
        ["riscv64-unknown-elf-gcc", "-march=rv64imac", "-mabi=lp64",
         "-ffreestanding", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
         f"-I{tmp_path}", f"-I{ROOT}", f"-I{ROOT}/user/lib/include", "-xc",
         "-Dstatic_assert=_Static_assert", "-"],
        input=program, capture_output=True, text=True)
    assert done.stderr == ""


@pytest.mark.parametrize("text, error", [
    ("sycall 1 a()", "x.idl:1: unknown keyword 'sycall'"
     " (syscall, interface or method)"),
    ("\nsyscall 1 a(\n", "x.idl:2: expected: syscall NUMBER NAME(arg, ...)"),
    ("syscall 1 a()\nsyscall 1 b()",
     "x.idl:2: duplicate system call number 1, first on line 1"),
    ("syscall 1 a()\nsyscall 2 a()",
     "x.idl:2: duplicate system call a, first on line 1"),
    ("syscall 1 a(b, c, d, e, f, g, h)",
     "x.idl:1: a has 7 arguments, 6 fit in registers"),
    ("syscall 1 a(b, b)", "x.idl:1: argument 'b' twice"),
    ("syscall 999 a()", "x.idl:1: system call number 999 is over 255"),
    ("syscall 1 int()", "x.idl:1: 'int' is not a usable name"
     " (lower case, digits, '_', not a word of C)"),
    ("method 1 a()", "x.idl:1: method before any interface"),
    ("interface x\nmethod 1 a(b[8])",
     "x.idl:2: a takes 8 words, a message carries 7"),
    ("interface x\nmethod 1 a() -> (| a, b, c, d, e)",
     "x.idl:2: a returns 5 handles, a message carries 4"),
    ("interface x\nmethod 1 a()\ninterface y\nmethod 1 b()",
     "x.idl:4: duplicate method number 1, first on line 2"),
    ("interface x\nmethod 1 a(call)",
     "x.idl:2: 'call' is a name the generated code uses"),
    ("interface x\nmethod 1 a(b) -> (b)", "x.idl:2: a names 'b' twice"),
    ("interface x\nmethod 1 a(|)", "x.idl:2: a: nothing after '|'"),
])
def test_mistakes_are_named(tmp_path, text, error):
    assert run(tmp_path, text) == (1, error)


def test_a_missing_file_is_named(tmp_path):
    done = subprocess.run([sys.executable, TOOL, "--out", tmp_path, "none.idl"],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "none.idl" in done.stderr
