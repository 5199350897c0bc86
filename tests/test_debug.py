"""What a person debugs with: the gdb commands and symbolise."""
import os
import subprocess

import pexpect
import pytest

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ELF = "build/kernel/kernel.elf"


@pytest.fixture(name="gdb")
def fixture_gdb(tmp_path):
    """Runs gdb commands on a machine that stands at its first instruction."""
    socket = tmp_path / "gdb.sock"
    qemu = pexpect.spawn("tools/run-qemu", [
        "--smp", "2", "--timeout", "100", "--", "-S", "-gdb",
        f"unix:{socket},server=on,wait=off"], cwd=TOP, timeout=10)

    def commands(*lines):
        for _ in range(100):
            if socket.exists():
                break
            qemu.expect([pexpect.TIMEOUT, pexpect.EOF], timeout=0.1)
        arguments = ["gdb-multiarch", "-q", "-batch", "-x",
                     "tools/gdb/uinta.gdb", "-ex", f"target remote {socket}"]
        for line in lines:
            arguments += ["-ex", line]
        done = subprocess.run(arguments + [ELF], cwd=TOP, timeout=60,
                              stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, check=False)
        assert "Python Exception" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    yield commands
    qemu.close(force=True)


def test_gdb_knows_threads_handles_and_interrupts(gdb):
    out = gdb("uinta-break sh main", "continue", "backtrace",
              "uinta-threads", "uinta-handles 1", "uinta-handles 99",
              "uinta-uintr", "uinta-uintr 7")
    assert "user/bin/sh/main.c" in out, "stopped in the shell's main"
    for line in ("1 init", "uart", "console", "sh"):
        assert line in out
    assert "running" in out and "uintr" in out
    assert "memory" in out and "system" in out and "reset" in out
    assert "usage: uinta-handles PID; processes: 1 init" in out
    assert "source 10: user, enabled in context" in out
    assert "hart 1 (id 1)" in out and "(emulated)" in out
    assert "usage: uinta-uintr [HART]; harts online: 0 1" in out


def test_gdb_breaks_in_one_program_and_in_the_kernel(gdb):
    out = gdb("break process_new", "continue", "uinta-break console main",
              "continue", "backtrace", "uinta-program nonesuch",
              "uinta-break sh")
    assert "process_new (name=" in out
    assert "user/servers/console/main.c" in out
    assert "no program 'nonesuch'; known: " in out
    assert "usage: uinta-break NAME LOCATION" in out


def test_gdb_commands_before_the_kernel_runs(gdb):
    out = gdb("uinta-threads", "uinta-uintr", "info registers pc")
    assert "0x1000" in out


def symbolise(text, *arguments):
    return subprocess.run(["tools/symbolise", *arguments], cwd=TOP,
                          input=text, text=True, capture_output=True,
                          timeout=60, check=False)


def test_symbolise_names_a_fault():
    shell = pexpect.spawn("tools/run-qemu", ["--smp", "1", "--timeout", "60"],
                          cwd=TOP, encoding="latin1", timeout=20)
    shell.expect_exact("uinta$ ")
    shell.sendline("crash null")
    shell.expect_exact("uinta$ ")
    log = shell.before
    shell.close(force=True)
    done = symbolise(log)
    assert done.returncode == 0
    assert ": null_load crash.c:" in done.stdout


def test_symbolise_knows_kernel_firmware_and_programs():
    def address(elf, symbol):
        names = subprocess.run(["riscv64-unknown-elf-nm", elf], cwd=TOP,
                               text=True, capture_output=True, check=True)
        return next(line.split()[0] for line in names.stdout.splitlines()
                    if line.endswith(" " + symbol))

    kernel = address(ELF, "process_new")
    firmware = address("build/sbi/fw.elf", "sbi_trap_handler")
    program = address("build/user/bin/sh.elf", "main")
    done = symbolise(f"PANIC\nbacktrace: 0x{kernel} 0x{firmware}\n"
                     f"nothing 0xdeadbeef12345678 here\n"
                     f"fault: sh (pid 3): pc 0x{program}\n")
    assert ": process_new process.c:" in done.stdout
    assert ": sbi_trap_handler sbi_trap.c:" in done.stdout
    assert ": main main.c:" in done.stdout
    assert done.stdout.count("\n    ") == 3
    assert symbolise("", "--program", "nonesuch").returncode == 2
