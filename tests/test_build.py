"""The build itself: what make and the tools refuse, and what they produce."""
import os
import re
import struct
import subprocess
import time

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = 4096


def run(*command, **options):
    return subprocess.run(command, cwd=TOP, text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=120, check=False,
                          **options)


@pytest.mark.parametrize("arguments, known", [
    (["MACHINE=fast"], "stock native k210"),
    (["MACHINE="], "stock native k210"),
    (["MACHINE=k210", "RELAY=best"], "claim call mask"),
    (["MACHINE=k210", "RELAY="], "claim call mask"),
    (["MACHINE=native", "RELAY=call"], "MACHINE=k210, not native"),
    (["MACHINE=k210", "DELIVERY=native"], "auto notify"),
    (["bench", "MACHINE=k210"], "stock native"),
    (["SMP=0"], "1 2 3 4 5 6 7 8"),
    (["SMP=9"], "1 2 3 4 5 6 7 8"),
    (["SMP=1 2"], "1 2 3 4 5 6 7 8"),
    (["SMP="], "1 2 3 4 5 6 7 8"),
    (["MEM=16M"], "32M and more"),
    (["MEM=lots"], "32M and more"),
    (["DELIVERY=fast"], "auto emulated native notify"),
    (["ICOUNT=-1"], "0 1 2 3"),
    (["bench", "BENCH=nano"], "micro uart"),
    (["bench", "BENCH=uart", "MACHINE=stock"], "measures every delivery"),
    (["bench", "BENCH=uart", "QUICK=yes"], "Known: 1"),
    (["bench", "SMP=2"], "takes no SMP, ICOUNT or BOOTARGS"),
    (["storm", "MACHINE=stock"], "It runs on native"),
    (["storm", "SMP=1"], "2 3 4 5 6 7 8"),
    (["storm", "MINUTES=0"], "1 to 9999"),
    (["storm", "MINUTES="], "1 to 9999"),
    (["BOOTARGS='"], "make help"),
    (["HARTS=4"], "SMP MEM DELIVERY"),
    (["CC=clang"], "SMP MEM DELIVERY"),
    (["qemo"], "qemu qemu-gdb"),
])
def test_make_refuses_what_it_does_not_know(arguments, known):
    done = run("make", "-n", *arguments)
    assert done.returncode == 2
    assert known in done.stderr
    assert done.stderr.count("\n") == 1, "one line"


def test_help_has_a_line_for_every_target():
    done = run("make", "help")
    with open(f"{TOP}/Makefile", encoding="utf-8") as file:
        targets = re.findall(r"^([a-z_.-]+):", file.read(), re.M)
    for target in set(targets) - {".PHONY"}:
        assert re.search(rf"^  {re.escape(target)} +\S", done.stdout, re.M), \
            target


def test_make_again_does_nothing_and_fast():
    assert run("make", "all").returncode == 0
    start = time.monotonic()
    done = run("make", "all")
    assert done.returncode == 0
    assert done.stdout == ""
    assert time.monotonic() - start < 5


def test_setup_is_fast_when_all_is_there():
    best = 9.0
    for _ in range(5):
        start = time.monotonic()
        assert run("tools/setup").returncode == 0
        best = min(best, time.monotonic() - start)
    assert best < 0.3


@pytest.mark.parametrize("arguments, variables, message", [
    (["--frobnicate"], {}, "unknown argument '--frobnicate'"),
    (["--make"], {}, "usage"),
    ([], {"UINTA_CACHE": "relative"}, "absolute path"),
    ([], {"UINTA_CACHE": "/proc/nowhere"}, "cannot write"),
])
def test_setup_refuses(arguments, variables, message):
    done = run("tools/setup", *arguments, env={**os.environ, **variables})
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_setup_without_root_says_in_one_line_what_to_type(tmp_path):
    for name, body in (("dpkg-query", "exit 1"), ("sudo", "exit 1"),
                       ("id", "echo 1000")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    done = run("tools/setup", env={
        **os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "UINTA_CACHE": str(tmp_path / "cache")})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "type: sudo apt-get update && sudo apt-get install" in done.stderr
    assert "gcc-riscv64-unknown-elf" in done.stderr


def entries(archive):
    """(name, mode, offset of the data, data) of a newc archive."""
    at = 0
    while True:
        assert archive[at:at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * i:at + 14 + 8 * i], 16)
                  for i in range(13)]
        end = at + 110 + fields[11]
        name = archive[at + 110:end].split(b"\0")[0].decode()
        if name == "TRAILER!!!":
            return
        data = end + -end % 4
        yield name, fields[1], data, archive[data:data + fields[6]]
        at = data + fields[6]
        at += -at % 4


def mkcpio(folder, text):
    (folder / "list").write_text(text)
    return run("mkfs/mkcpio.py", "--out", str(folder / "out"),
               str(folder / "list"))


@pytest.mark.parametrize("size", [0, 1, 3, 4, 4095, 4096, 4097, 100000])
@pytest.mark.parametrize("name", ["a", "bin/a", "bin/b" + "b" * 200])
def test_archive_has_data_on_page_boundaries(tmp_path, size, name):
    content = bytes(i % 251 for i in range(size))
    (tmp_path / "content").write_bytes(content)
    text = f"{name}={tmp_path}/content\nzz={tmp_path}/content\n"
    assert mkcpio(tmp_path, text).returncode == 0
    archive = (tmp_path / "out").read_bytes()
    assert len(archive) % PAGE == 0
    files = {n: (o, d) for n, m, o, d in entries(archive) if m & 0o100000}
    assert set(files) == {name, "zz"}
    for offset, data in files.values():
        assert data == content
        assert not data or offset % PAGE == 0
    assert mkcpio(tmp_path, text).returncode == 0
    assert (tmp_path / "out").read_bytes() == archive, "the same bytes again"
    (tmp_path / "x").mkdir()
    subprocess.run(["cpio", "-i", "--quiet", "--make-directories"],
                   cwd=tmp_path / "x", input=archive, check=True)
    assert (tmp_path / "x" / name).read_bytes() == content


@pytest.mark.parametrize("text, message", [
    ("a\n", "bad line"), ("a=/nowhere\n", "No such file"),
    ("/a=/dev/null\n", "not a path"), ("a/../b=/dev/null\n", "not a path"),
    ("a=/dev/null\na=/dev/null\n", "bad line"),
    ("a=/dev/null\na/b=/dev/null\n", "a file and a directory"),
])
def test_archive_refuses(tmp_path, text, message):
    done = mkcpio(tmp_path, text)
    assert done.returncode == 1
    assert message in done.stderr
    assert not (tmp_path / "out").exists()


def test_boot_archive_holds_the_programs_as_built():
    with open(f"{TOP}/build/boot.cpio", "rb") as file:
        found = {n: d for n, m, o, d in entries(file.read()) if m & 0o100000}
    assert {"bin/sh", "bin/ls", "server/uart", "etc/motd"} <= set(found)
    for name, data in found.items():
        folder = "user" if name.startswith("etc/") else "build/root"
        with open(f"{TOP}/{folder}/{name}", "rb") as file:
            assert file.read() == data, name


def segments(path):
    """(type, flags, offset, address, file size, memory size) of an ELF64."""
    with open(path, "rb") as file:
        data = file.read()
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for i in range(count):
        kind, flags, at, address, _, filesz, memsz = struct.unpack_from(
            "<IIQQQQQ", data, offset + i * size)
        yield kind, flags, at, address, filesz, memsz


@pytest.mark.parametrize("name", ["bin/sh", "server/uart"])
def test_programs_are_mapped_by_page_and_never_writable_code(name):
    loads = [s[1:] for s in segments(f"{TOP}/build/root/{name}") if s[0] == 1]
    assert [s[0] for s in loads] == [5, 4, 6], "R X, R, R W"
    assert loads[0][2] == 0x10000
    for _, offset, address, _, _ in loads:
        assert offset % PAGE == 0 and address % PAGE == 0


def test_init_image_header():
    with open(f"{TOP}/build/user/init.bin", "rb") as file:
        data = file.read()
    magic, entry, text, rodata, end, bss, *zeros = struct.unpack("<8Q",
                                                                 data[:64])
    assert magic.to_bytes(8, "little") == b"uintinit"
    assert 0x10040 <= entry < text < rodata < end <= bss
    assert all(x % PAGE == 0 for x in (text, rodata, end, bss))
    assert len(data) == end - 0x10000
    assert zeros == [0, 0]


def test_run_qemu_refuses_and_limits():
    assert run("tools/run-qemu", "--harts", "4").returncode == 2
    assert run("tools/run-qemu", "--timeout", "soon").returncode == 2
    assert run("tools/run-qemu", "--kernel", "/nowhere").returncode == 2
    done = run("tools/run-qemu", "--timeout", "1", "--", "-S")
    assert done.returncode == 124


def test_kernel_is_within_its_budget():
    done = run("make", "loc")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^kernel: \d+ of 4000 lines of code", done.stdout, re.M)
    assert re.search(r"^kernel: image \d+ of 256 KiB", done.stdout, re.M)


@pytest.mark.parametrize("source, program", [
    ("kernel/frame.c", "test_frame"), ("user/lib/elf.c", "test_elf"),
    ("user/lib/ring/stream.c", "test_stream"),
    ("kernel/memory.h", "test_machine")])
def test_host_test_is_built_again_when_its_source_changes(source, program):
    target = f"build/host/{program}"
    assert run("make", target).returncode == 0
    assert "HOSTCC" not in run("make", "-n", target).stdout
    assert "HOSTCC" in run("make", "-n", "-W", source, target).stdout


def test_compile_commands_name_every_source():
    import json
    done = run("make", "compile_commands.json")
    assert done.returncode == 0, done.stderr
    with open(f"{TOP}/compile_commands.json", encoding="utf-8") as file:
        files = {entry["file"] for entry in json.load(file)}
    for folder in ("kernel", "sbi/platform/uinta"):
        for name in os.listdir(f"{TOP}/{folder}"):
            if name.endswith((".c", ".S")):
                assert f"{folder}/{name}" in files
    assert "user/bin/sh/main.c" in files
