"""tools/qemu/build: what it builds and when, and what it says if it cannot.

It is given a QEMU that takes a second: a tarball with a configure script and
one C file. That real QEMU builds is shown by every test on the native machine.
"""
import importlib.machinery
import importlib.util
import os
import re
import signal
import subprocess
import tarfile
import time

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = f"{TOP}/tools/qemu/build"
CONFIGURE = """#!/bin/sh
cat >build.ninja <<'END'
rule cc
  command = echo compiled >>count; gcc -o $out $in
build qemu-system-riscv64: cc ../source/hw/main.c
END
"""
MAIN = '#include <stdio.h>\nint main(void)\n{\n    puts("one");\n}\n'
PATCH = """Subject: say something else

--- a/hw/main.c
+++ b/hw/main.c
@@ -1,5 +1,5 @@
 #include <stdio.h>
 int main(void)
 {
-    puts("one");
+    puts("two");
 }
"""


class Fake:
    """A cache, a tarball and patches of our own."""

    def __init__(self, folder):
        self.folder = folder
        self.tools = folder / "tools"
        self.patches = folder / "ours"
        for d in (self.tools, self.patches / "patches", self.patches / "src"):
            d.mkdir(parents=True)
        self.env = {**os.environ, "UINTA_CACHE": str(folder / "cache"),
                    "UINTA_QEMU_PATCHES": str(self.patches),
                    "PATH": f"{self.tools}:{os.environ['PATH']}"}
        self.env.pop("QEMU", None)
        self.pack()

    def pack(self, version="7.2.0", **files):
        """Make the tarball of these files, and give it as QEMU_SRC."""
        files = {"VERSION": version + "\n", "configure": CONFIGURE,
                 "hw/main.c": MAIN, **files}
        top = self.folder / "files" / f"qemu-{version}"
        for name, text in files.items():
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text(text)
            (top / name).chmod(0o755)
        tarball = self.folder / "qemu.tar.xz"
        with tarfile.open(tarball, "w:xz") as tar:
            tar.add(top, arcname=top.name)
        self.env["QEMU_SRC"] = str(tarball)

    def patch(self, text, name="0001-say.patch"):
        (self.patches / "patches" / name).write_text(text)

    def tool(self, name, body):
        """Another program in the place of one of the system's."""
        (self.tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.tools / name).chmod(0o755)

    def run(self, *arguments):
        return subprocess.run([BUILD, *arguments], env=self.env, text=True,
                              capture_output=True, timeout=120, check=False,
                              stdin=subprocess.DEVNULL)

    def builds(self):
        """It builds; what the program says."""
        done = self.run()
        assert done.returncode == 0, done.stderr
        return self.says()

    def says(self):
        path = self.run("--path")
        assert path.returncode == 0, path.stderr
        return subprocess.check_output([path.stdout.strip()], text=True)

    def fails(self, message):
        """It fails with this in its last line, which names a log that exists
        if it has one; the stock machine does not mind."""
        done = self.run()
        assert done.returncode == 1
        last = done.stderr.splitlines()[-1]
        assert last.startswith("qemu: ") and re.search(message, last), last
        log = re.search(r"log: (\S+)", last)
        assert not log or os.path.getsize(log[1]) > 0
        assert self.run("--path").returncode == 1
        stock = subprocess.run([f"{TOP}/tools/run-qemu", "--print"],
                               env=self.env, capture_output=True, check=False)
        assert stock.returncode == 0
        return done.stderr

    def compiled(self):
        """How often anything was compiled."""
        count = next((self.folder / "cache").glob("qemu-tree-*/build/count"))
        return count.read_text().count("compiled")


@pytest.fixture(name="fake")
def fixture_fake(tmp_path):
    return Fake(tmp_path)


def test_builds_once_and_then_is_silent_and_fast(fake):
    assert "type: make qemu MACHINE=native" in fake.run("--path").stderr
    said = fake.run().stderr
    assert "about 4 minutes" in said and "log: " in said
    assert fake.says() == "one\n"
    start = time.monotonic()
    again = fake.run()
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert time.monotonic() - start < 2
    assert fake.compiled() == 1


def test_another_clone_with_the_same_patches_does_not_build(fake, tmp_path):
    fake.patch(PATCH)
    assert fake.builds() == "two\n"
    other = tmp_path / "other"
    subprocess.run(["cp", "-r", fake.patches, other], check=True)
    fake.env["UINTA_QEMU_PATCHES"] = str(other)
    assert fake.run().stderr == ""
    assert fake.says() == "two\n"


def test_a_change_builds_again_and_both_are_kept(fake):
    assert fake.builds() == "one\n"
    one = fake.run("--path").stdout
    fake.patch(PATCH)
    assert fake.builds() == "two\n"
    assert fake.run("--path").stdout != one
    (fake.patches / "patches/0001-say.patch").unlink()
    assert fake.says() == "one\n", "still there"
    assert fake.compiled() == 2
    fake.patch(PATCH.replace("two", "three"))
    assert fake.builds() == "three\n"


def test_a_patch_that_touches_nothing_else_compiles_nothing_else(fake):
    fake.pack(**{"hw/other.c": "1\n2\n3\n"})
    assert fake.builds() == "one\n"
    fake.patch("--- a/hw/other.c\n+++ b/hw/other.c\n@@ -1,3 +1,2 @@\n"
               " 1\n-2\n 3\n")
    assert fake.builds() == "one\n"
    assert fake.compiled() == 1


def test_files_of_ours_come_and_go(fake):
    ours = fake.patches / "src/hw/char"
    ours.mkdir(parents=True)
    (ours / "new.h").write_text("#define SAY \"new\"\n")
    fake.patch(PATCH.replace('+    puts("two")',
                             '+#include "char/new.h"\n+    puts(SAY)')
               .replace("+1,5 @@", "+1,6 @@"))
    assert fake.builds() == "new\n"
    subprocess.run(["rm", "-r", ours, fake.patches / "patches"], check=True)
    fake.patches.joinpath("patches").mkdir()
    assert fake.builds() == "one\n"
    tree = next((fake.folder / "cache").glob("qemu-tree-*"))
    assert not (tree / "source/hw/char/new.h").exists()
    (fake.patches / "src/hw").mkdir(exist_ok=True)
    (fake.patches / "src/hw/main.c").write_text("")
    fake.fails("src/hw/main.c: QEMU has this file")


def test_a_patch_that_does_not_apply(fake):
    fake.patch(PATCH)
    fake.patch(PATCH, "0002-again.patch")
    fake.fails("applying tools/qemu/patches/0002-again.patch: .*log: ")
    (fake.patches / "patches/0002-again.patch").unlink()
    assert fake.builds() == "two\n"
    fake.patch(PATCH.replace("hw/main.c", "hw/none.c"), "0002-none.patch")
    fake.fails("changes hw/none.c, which QEMU 7.2.0 does not have")


@pytest.mark.parametrize("version", ["7.2.1", "8.0.0"])
def test_a_tarball_of_another_version(fake, version):
    fake.pack(version)
    fake.fails(rf"qemu.tar.xz is not QEMU 7.2.0 \(its VERSION: {version}\)")
    fake.pack()
    assert fake.builds() == "one\n"


def test_no_tarball_at_all(fake):
    fake.env["QEMU_SRC"] = str(fake.folder / "nowhere")
    fake.fails("QEMU_SRC=.*/nowhere is no file")
    (fake.folder / "text").write_text("no archive\n")
    fake.env["QEMU_SRC"] = str(fake.folder / "text")
    fake.fails("unpacking .*/text: failed; log: ")


def test_no_network(fake):
    del fake.env["QEMU_SRC"]
    fake.tool("apt-get", "echo \"Could not resolve 'host'\" >&2; exit 100")
    fake.fails("downloading QEMU's source package: no network; log: ")


def test_a_mirror_without_sources(fake):
    del fake.env["QEMU_SRC"]
    fake.tool("apt-get", "echo 'E: does not have Sources'; exit 100")
    assert "does not have Sources" in fake.fails(
        "downloading QEMU's source package: failed; log: ")


def test_no_entry_to_make_deb_src_of(fake):
    del fake.env["QEMU_SRC"]
    fake.env["UINTA_APT"] = str(fake.folder)
    fake.fails("no entry for this Debian release .*QEMU_SRC=/path")


def test_the_download_stays_for_the_next_time(fake):
    tarball = fake.env.pop("QEMU_SRC")
    fake.tool("apt-get", 'case "$*" in *--download-only*) echo >>%s/downloads; '
              "cp %s qemu_7.2+dfsg.orig.tar.xz ;; esac"
              % (fake.folder, tarball))
    assert fake.builds() == "one\n"
    subprocess.run(f"rm -r {fake.folder}/cache/qemu-tree-*", shell=True,
                   check=True)
    fake.patch(PATCH)
    assert fake.builds() == "two\n"
    assert (fake.folder / "downloads").read_text() == "\n"


def test_configure_fails(fake):
    fake.pack(configure="#!/bin/sh\necho ERROR: no glib >&2\nexit 1\n")
    assert "no glib" in fake.fails("configuring QEMU: failed; log: ")
    subprocess.run(f"rm -r {fake.folder}/cache/qemu-tree-*", shell=True,
                   check=True)
    fake.pack()
    assert fake.builds() == "one\n"


def test_the_compiler_fails(fake):
    fake.patch(PATCH.replace('puts("two");', "puts two;"))
    assert "error:" in fake.fails("building QEMU: failed; log: ")
    fake.patch(PATCH)
    assert fake.builds() == "two\n"


def test_the_disk_is_too_full(fake):
    fake.tool("df", "echo; echo / 0 0 512000 0 /")
    fake.fails("has 500 MiB free, 1024 are needed")


def test_packages_are_missing_and_nobody_may_install_them(fake):
    fake.tool("dpkg-query", "exit 1")
    fake.tool("sudo", "exit 1")
    fake.tool("id", "echo 1000")
    fake.fails("type: sudo apt-get update && .*install.* ninja-build")


def test_an_interrupted_build_goes_on(fake):
    slow = CONFIGURE.replace("gcc", "test -f ../go || sleep 60; gcc")
    fake.pack(configure=slow)
    first = subprocess.Popen([BUILD], env=fake.env, start_new_session=True,
                             stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not list((fake.folder / "cache").glob("qemu-tree-*/build/count")):
        assert time.monotonic() < until and first.poll() is None
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert fake.run("--path").returncode == 1
    next((fake.folder / "cache").glob("qemu-tree-*")).joinpath(
        "go").write_text("")
    assert fake.builds() == "one\n"


def test_two_at_once_build_once(fake):
    both = [subprocess.Popen([BUILD], env=fake.env, text=True,
                             stderr=subprocess.PIPE) for _ in range(2)]
    assert [p.communicate(timeout=100) and p.returncode for p in both] == [0, 0]
    assert fake.says() == "one\n"
    assert fake.compiled() == 1


def test_check_says_what_is_missing(fake):
    """QEMU's own tests (no copy of them here; docs/design/qemu.md)."""
    done = fake.run("--check")
    assert done.returncode == 1 and "tools/qemu/build makes" in done.stderr
    fake.builds()
    done = fake.run("--check", "/nowhere")
    assert done.returncode == 1 and "no /nowhere to check" in done.stderr


def test_unknown_arguments_and_machines():
    done = subprocess.run([BUILD, "--all"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1 and "usage: " in done.stderr
    done = subprocess.run([f"{TOP}/tools/run-qemu", "--machine", "best"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "known: stock native k210" in done.stderr


def test_without_the_native_machine_the_others_are_tested(fake, monkeypatch):
    """One failure, named; the rest of `make test` runs."""
    loader = importlib.machinery.SourceFileLoader("the_test",
                                                  f"{TOP}/tools/test")
    spec = importlib.util.spec_from_loader("the_test", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    fake.env["QEMU_SRC"] = "/nowhere"
    for name, value in fake.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("QEMU", raising=False)
    monkeypatch.setenv("UINTA_MACHINES", "")
    monkeypatch.chdir(TOP)
    tally = module.Tally()
    module.prepare_machines("", tally)
    assert tally.failed and "native machine" in tally.failed[0]
    assert "native" not in os.environ["UINTA_MACHINES"]
    assert "stock" in os.environ["UINTA_MACHINES"]
