"""The machines that Uinta runs on, and what it is given to boot: each size
works, and each thing that is missing or broken gets a clear message."""
import importlib.util
import re
import shutil
import subprocess

import pytest

from harness.machine import TOP, Machine, boots

BOOT_SECONDS = 40


# ---- sizes ------------------------------------------------------------------


@pytest.mark.parametrize("smp", range(1, 9))
def test_harts(smp):
    """Every number of harts boots, and all of them work."""
    with boots(smp=smp, seconds=BOOT_SECONDS, limit=90) as m:
        shown = m.run("uptime")
        assert len(re.findall(r"^hart \d", shown, re.M)) == smp
        if smp <= 4:  # the host has fewer
            assert "0 failed" in m.run("stress -t 1", 40)
        assert m.halt() == 0


@pytest.mark.parametrize("smp", [9, 12])
def test_more_harts_than_supported(smp):
    """The first eight are used, and the log says so."""
    with boots(smp=smp, seconds=BOOT_SECONDS, limit=90) as m:
        assert f"{smp} harts, the first 8 are used" in m.run("dmesg")
        assert len(re.findall(r"^hart \d", m.run("uptime"), re.M)) == 8
        assert m.halt() == 0


@pytest.mark.parametrize("mem", ["32M", "64M", "1G", "2G", "3G"])
def test_memory(mem):
    """From 32 MiB on; memory above 1 GiB is used too."""
    with boots(smp=2, mem=mem, seconds=BOOT_SECONDS, limit=90) as m:
        total = int(re.search(r"total (\d+) KiB", m.run("mem"))[1])
        size = int(mem[:-1]) * (1 if mem[-1] == "M" else 1024) * 1024
        assert size * 0.9 < total <= size
        if mem == "32M":
            assert "0 failed" in m.run("stress -t 1", 40)
        assert m.halt() == 0


@pytest.mark.parametrize("mem", ["8M", "12M", "16M"])
def test_too_little_memory(mem):
    """It says how much is needed, or boots; it does not hang."""
    with Machine(smp=1, mem=mem, limit=30) as m:
        m.child.expect([r"uinta\$ ", r"too little memory[^\n]*\n", r"PANIC",
                        r"init: [^\n]*\n", r"rom: [^\n]*\n",
                        "overlap[^\n]*\n", "does not fit[^\n]*\n",
                        "[Cc]ould not load[^\n]*\n",
                        "[Nn]ot enough[^\n]*\n"], timeout=20)


# ---- the boot archive -------------------------------------------------------


def fails_with(message, **options):
    """This boot ends with the message, and QEMU with failure."""
    with Machine(smp=2, limit=30, **options) as m:
        m.child.expect(message, timeout=20)
        assert m.status(10) != 0
        return m.output


def archive():
    return (TOP / "build/boot.cpio").read_bytes()


@pytest.mark.parametrize("size", [1, 100, 5000, 100_000, 500_001])
def test_truncated_archive(tmp_path, size):
    short = tmp_path / "short.cpio"
    short.write_bytes(archive()[:size])
    fails_with("init: the boot archive", initrd=short)


def test_archive_without_its_trailer(tmp_path):
    data = archive()
    cut = tmp_path / "cut.cpio"
    cut.write_bytes(data[:data.rindex(b"070701")])
    fails_with("init: the boot archive is damaged", initrd=cut)


@pytest.mark.parametrize("name,field,value", [
    ("magic", 0, b"070702"), ("size", 54, b"ffffffff"),
    ("size-digits", 54, b"zzzzzzzz"), ("name-size", 94, b"ffffffff"),
    ("no-name", 94, b"00000000")])
def test_damaged_header(tmp_path, name, field, value):
    """One field of one entry in the middle is nonsense."""
    data = bytearray(archive())
    at = data.index(b"070701", len(data) // 2)
    data[at + field:at + field + len(value)] = value
    bad = tmp_path / f"{name}.cpio"
    bad.write_bytes(data)
    fails_with("init: the boot archive is damaged", initrd=bad)


def mkcpio():
    spec = importlib.util.spec_from_file_location(
        "mkcpio", TOP / "mkfs/mkcpio.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def files():
    """What build/boot.cpio is made of: {path: content}."""
    root = TOP / "build/root"
    found = {str(p.relative_to(root)): p.read_bytes()
             for p in root.rglob("*") if p.is_file()}
    for p in (TOP / "user/etc").rglob("*"):
        if p.is_file():
            found["etc/" + str(p.relative_to(TOP / "user/etc"))] = \
                p.read_bytes()
    return found


def write_archive(path, content):
    path.write_bytes(bytes(mkcpio().build(content)))
    return path


@pytest.mark.parametrize("program", ["server/uart", "server/fs",
                                     "server/console", "bin/sh"])
def test_missing_program(tmp_path, program):
    content = files()
    del content[program]
    fails_with(f"init: /{program} is not in the boot archive",
               initrd=write_archive(tmp_path / "a.cpio", content))


def damaged(elf, at, value):
    return elf[:at] + value + elf[at + len(value):]


def test_malformed_programs(tmp_path):
    """Each is refused with its reason; the shell goes on."""
    content = files()
    elf = content["bin/echo"]
    bad = {
        "empty": b"",
        "text": b"hello, I am no program\n",
        "short": elf[:40],
        "half": elf[:len(elf) // 2],
        "machine": damaged(elf, 18, b"\x3e\x00"),
        "class": damaged(elf, 4, b"\x01"),
        "phoff": damaged(elf, 32, b"\xff" * 8),
        "phnum": damaged(elf, 56, b"\xff\xff"),
        "entry": damaged(elf, 24, b"\x00" * 8),
        "vaddr": damaged(elf, 64 + 16, b"\x00\x00\x00\x00\xc0\xff\xff\xff"),
        "memsz": damaged(elf, 64 + 40, b"\xff" * 7 + b"\x7f"),
        "filesz": damaged(elf, 64 + 32, b"\xff" * 7 + b"\x7f"),
        "wx": damaged(elf, 64 + 4, b"\x07"),
    }
    for name, data in bad.items():
        content[f"bad/{name}"] = data
    image = write_archive(tmp_path / "a.cpio", content)
    with boots(smp=2, initrd=image, seconds=BOOT_SECONDS, limit=90) as m:
        for name in bad:
            said = m.run(f"/bad/{name}").strip()
            assert said.startswith("sh:") and len(said) > 10, (name, said)
            assert "ok" in m.run("echo ok")
        assert m.halt() == 0


# ---- the device tree --------------------------------------------------------

needs_dtc = pytest.mark.skipif(not shutil.which("dtc"),
                               reason="dtc is not installed")


def device_tree(folder, edit):
    """QEMU's own for two harts and 128 MiB, its source changed by `edit`."""
    original, source, changed = (folder / n for n in
                                 ("v.dtb", "v.dts", "changed.dtb"))
    subprocess.run(["qemu-system-riscv64", "-M", f"virt,dumpdtb={original}",
                    "-smp", "2", "-m", "128M", "-nographic"], check=True,
                   capture_output=True, timeout=20)
    subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", "-o", str(source),
                    str(original)], check=True, timeout=20)
    text = edit(source.read_text())
    source.write_text(text)
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", str(changed),
                    str(source)], check=True, timeout=20)
    return ["-dtb", str(changed)]


def without_node(name):
    def edit(text):
        start = re.search(rf"^\t*{name}[^\n]*{{\n", text, re.M)
        depth, at = 1, start.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        return text[:start.start()] + text[at:].lstrip(";")
    return edit


def replaced(old, new):
    def edit(text):
        assert old in text
        return text.replace(old, new)
    return edit


@needs_dtc
def test_device_tree_as_it_is(tmp_path):
    """The way the others are made works."""
    with boots(smp=2, extra=device_tree(tmp_path, lambda t: t),
               seconds=BOOT_SECONDS) as m:
        assert m.halt() == 0


@needs_dtc
@pytest.mark.parametrize("edit,message", [
    (replaced('device_type = "memory"', 'device_type = "other"'),
     "device tree: no memory node"),
    (replaced('"sifive,plic-1.0.0\\0riscv,plic0"', '"nobody,plic"'),
     "device tree: no riscv,plic0"),
    (replaced('"ns16550a"', '"ns16550"'),
     "no serial port .ns16550a. in the device tree"),
], ids=["memory", "plic", "uart"])
def test_device_tree_without(tmp_path, edit, message):
    fails_with(message, extra=device_tree(tmp_path, edit))


@needs_dtc
@pytest.mark.parametrize("edit,message", [
    (lambda t: re.sub(r"(rtc@101000 {.*?)reg = <[^>]*>", r"\1reg = <0x00>", t,
                      flags=re.S),
     "rtc@101000: its reg cannot be read, left out"),
    (lambda t: re.sub(r"(rtc@101000 {.*?)reg = <[^>]*>",
                      r"\1reg = <0x00 0x80000000 0x00 0x1000>", t, flags=re.S),
     "rtc@101000: registers 0x80000000, size 0x1000, refused"),
    (lambda t: re.sub(r"(rtc@101000 {.*?)interrupts = <[^>]*>",
                      r"\1interrupts = <0x1ff>", t, flags=re.S),
     "rtc@101000: interrupt 511 refused"),
    (replaced("stdout-path = ", 'stdout-path = "/soc/rtc@101000"; old = '),
     "stdout-path '/soc/rtc@101000' is no ns16550a"),
    (lambda t: re.sub(r"stdout-path = ", "old = ", t), "Uinta on 2 harts"),
], ids=["reg", "ram", "interrupt", "stdout-path", "no-stdout-path"])
def test_damaged_device(tmp_path, edit, message):
    """init says which node makes no sense, and the system boots."""
    with boots(smp=2, extra=device_tree(tmp_path, edit),
               seconds=BOOT_SECONDS) as m:
        assert message in m.run("dmesg")
        assert m.halt() == 0


@needs_dtc
def test_device_tree_without_timebase(tmp_path):
    """The kernel says so, unless the firmware stops before."""
    def edit(text):
        return re.sub(r"\n\s*timebase-frequency[^\n]*", "", text)
    with Machine(smp=2, limit=30,
                 extra=device_tree(tmp_path, edit)) as m:
        m.child.expect(["no timebase-frequency", "init_coldboot: [^\n]*"],
                       timeout=20)


@needs_dtc
def test_device_tree_without_rtc(tmp_path):
    """What is not needed may be missing."""
    with boots(smp=2, extra=device_tree(tmp_path, without_node("rtc@101000")),
               seconds=BOOT_SECONDS) as m:
        assert "ok" in m.run("echo ok")
        assert m.halt() == 0
