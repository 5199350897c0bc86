"""The way from the keyboard to a program and back: UART driver, console,
shell. What a person does at the prompt, what happens when a server is killed
meanwhile, and that no byte is lost."""
import random
import re
import threading
import time

import pytest

from harness.machine import MACHINES, Machine, boots

LINE_END = r"\r+\n"


@pytest.fixture(name="m", scope="module",
                params=[(1, "auto", "stock"), (2, "auto", "stock"),
                        (4, "auto", "stock"), (2, "notify", "stock"),
                        (1, "auto", "k210"), (4, "auto", "k210")],
                ids=["1 hart", "2 harts", "4 harts", "notify", "k210-1 hart",
                     "k210-4 harts"])
def fixture_m(request):
    """One boot for all that leaves the machine as it was."""
    smp, delivery, kind = request.param
    if kind not in MACHINES:
        pytest.skip(f"not on {kind}")
    with boots(smp=smp, delivery=delivery, limit=400,
               machine=kind) as machine:
        yield machine


def pid_of(m, name):
    """The pid of a process by its name, from ps."""
    found = re.search(rf"^ *(\d+) +\d+ {name} ", m.run("ps"), re.M)
    assert found, f"ps shows no {name}"
    return found[1]


def start(m, command):
    """Type a command and wait until it reads: cooked mode echoes."""
    m.send(command + "\r")
    m.expect(LINE_END)
    time.sleep(1)


# ---- the shell --------------------------------------------------------------

@pytest.mark.parametrize("command, output", [
    ("echo one  two", "one two\n"),
    ("echo 'a  b' \"c $?\" d\\ e", "a  b c 0 d e\n"),
    ("echo a; echo b", "a\nb\n"),
    ("echo a | cat | cat", "a\n"),
    ("cat < /etc/motd | cat", None),
    ("nosuch", "sh: nosuch: no such command\n"),
    ("nosuch; echo $?", "sh: nosuch: no such command\n127\n"),
    ("echo >x", "sh: '>': this system has no writable files\n"),
    ("cat /no", "cat: /no: No such file or directory\n"),
    ("kill; echo $?", "usage: kill PID...\n2\n"),
    ("kill x; echo $?", "kill: 'x' is not a PID\nusage: kill PID...\n2\n"),
    ("kill 999; echo $?", "kill: 999: no such process\n1\n"),
    ("sleep; echo $?", "usage: sleep SECONDS\n2\n"),
    ("cat <", "sh: '<' needs a file name\n"),
])
def test_command(m, command, output):
    """Its output is this (None: there is some), and nothing else."""
    came = m.run(command)
    assert came == output if output else came


def test_every_tool_explains_itself(m):
    """--help is no error; a wrong argument is one, with the usage."""
    names = "cat dmesg halt help irqs kill ls mem ps sleep stress uptime"
    for name in names.split():
        assert m.run(f"{name} --help").startswith("usage: " + name)
        assert re.search(r"usage: .*\n2\n$",
                         m.run(f"{name} --wrong -x y; echo $?")) \
            or name in ("cat",)


def test_editing_and_history(m):
    """Insert, delete, Home, and an earlier line. QEMU takes ^A for itself
    unless it is typed twice."""
    m.send("echo hXllo\x1b[D\x1b[D\x1b[D\x7fe\r")
    m.expect(LINE_END)
    assert m.prompt() == "hello\n"
    m.send("wrong\x15\x1b[A\x01\x01\x1b[C\r")
    m.expect(LINE_END)
    assert m.prompt() == "hello\n"


def test_interrupt(m):
    """^C ends what runs, with all its processes, and not the shell."""
    start(m, "sleep 100 | cat")
    m.send("\x03")
    m.prompt()
    left = m.run("ps")
    assert not re.search(r"\b(sleep|cat)\b", left)
    m.send("abandoned\x03")
    m.prompt()


def test_cooked_line_and_end_of_file(m):
    """A program reads edited lines, and ^D ends its input."""
    start(m, "cat")
    m.send("onX\x7fe\r")
    m.expect(f"e{LINE_END}one{LINE_END}")
    m.send("\x04")
    m.prompt()


def test_type_ahead(m):
    """What is typed while a command runs is for the shell afterwards."""
    start(m, "sleep 2")
    m.send("echo ahead\r")
    m.prompt()
    m.expect("ahead" + LINE_END + "ahead")
    m.prompt()


def test_background(m):
    """The prompt comes back; the end is told; its reads get no keys."""
    assert re.match(r"\[1\] \d+\n", m.run("cat &"))
    assert m.run("echo mine") == "mine\n"
    said = m.run("kill " + pid_of(m, "cat"))
    time.sleep(0.5)
    assert "done" in said + m.run("echo") + m.run("echo")


def test_crash_reports(m):
    """Each kind of fault ends the process, with the reason, and only it."""
    kinds = re.findall(r"^  (\S+) ", m.run("crash"), re.M)
    assert m.run("crash nokind").startswith("crash: no kind 'nokind'\nusage")
    assert len(kinds) > 10
    for kind in kinds:
        came = m.run(f"crash {kind}")
        assert "survived" not in came
        assert re.match(r"crash \(pid \d+\): fault: .* at pc 0x", came) \
            or kind == "abort", came


def test_exit_starts_another_shell(m):
    """^D at an empty line, and exit."""
    m.send("\x04")
    m.prompt()
    m.run("exit")
    assert m.run("echo here") == "here\n"


# ---- servers that die -------------------------------------------------------

def missing(whole, part):
    """Bytes of `whole` that did not come out in order in `part`, where other
    text may be in between: len(whole) - their longest common subsequence
    (Hyyro's bit vectors: a bit for each byte of whole, a step for each of
    part)."""
    ones = (1 << len(whole)) - 1
    places = {}
    for at, byte in enumerate(whole):
        places[byte] = places.get(byte, 0) | 1 << at
    row = ones
    for byte in part:
        found = row & places.get(byte, 0)
        row = (row + found | row - found) & ones
    return bin(row).count("1")


def test_uart_killed_while_a_client_writes(m):
    """Back within a second; at most one FIFO lost; the shell goes on."""
    assert missing("abcde", "xabxdxe") == 1
    for _ in range(3):
        pid = pid_of(m, "uart")
        whole = m.run("cat /etc/help /etc/help /etc/help /etc/help")
        before = len(m.output)
        m.send("cat /etc/help /etc/help /etc/help /etc/help & "
               f"kill {pid}\r")
        began = time.monotonic()
        m.expect(LINE_END)
        m.prompt()
        again = m.run("echo alive")
        took = time.monotonic() - began
        assert "alive\n" in again
        assert took < 15  # wall clock on a loaded machine
        for _ in range(30):  # the background one may need longer
            if "done" in m.output[before:]:
                break
            time.sleep(0.5)
            m.run("echo")
        assert missing(whole, m.output[before:]) <= 16
        assert pid_of(m, "uart") != pid
    assert "uart (pid" in m.run("dmesg")


@pytest.mark.parametrize("server", ["console", "fs"])
def test_server_killed(m, server):
    """Another one takes over; the shell and its handles go on."""
    pid = pid_of(m, server)
    m.send(f"kill {pid}\r")
    time.sleep(2)
    m.send("\r")
    m.prompt()
    time.sleep(0.5)
    m.send("\x15echo after\r")
    m.expect(LINE_END + "after")
    m.prompt()
    assert pid_of(m, server) != pid
    m.send("abc\x15echo edited\r")
    m.expect("edited" + LINE_END + "edited")
    m.prompt()


# ---- no byte lost -----------------------------------------------------------

def echo(m, total):
    """Type `total` bytes into cat; each comes back twice. Wall seconds."""
    choose = random.Random(7)  # not the generator of what is tested
    letters = "abcdefghijklmnopqrstuvwxyz0123456789 "
    lines, size = [], 0
    while size < total:
        lines.append("".join(choose.choices(letters,
                                            k=choose.randrange(1, 200))))
        size += len(lines[-1]) + 1
    start(m, "cat")
    began = time.monotonic()
    data = "\n".join(lines) + "\n"
    chunks = [data[i:i + 256] for i in range(0, len(data), 256)]
    # A thread: typing blocks while the machine has no room for more.
    threading.Thread(target=lambda: [m.send(c) for c in chunks],
                     daemon=True).start()
    got, have = [], 0
    while have < 2 * size:
        got.append(m.child.read_nonblocking(65536, 60).replace("\r", ""))
        have += len(got[-1])
    came = "".join(got).replace("\n", "")
    want = (2 * data).replace("\n", "")
    assert len(came) == len(want)
    assert sorted(came) == sorted(want)
    m.send("\x04")
    m.prompt(60)
    return time.monotonic() - began


def test_echo(m):
    """100 KB, nothing else running."""
    echo(m, 100_000)


@pytest.mark.parametrize("smp, total", [(2, 1_000_000), (4, 30_000)])
def test_echo_under_stress(smp, total):
    """All harts busy, checked, and not a byte of what is typed is lost. Less
    of it with 4 harts: on a host with 2 cores they wait for each other."""
    with boots(smp=smp, limit=400) as m:
        m.send("stress -t 3600 &\r")
        m.expect("processes, 3600 s" + LINE_END, 120)
        # before or after that: only the prompt behind this one surely waits
        m.send("echo go\r")
        m.expect(LINE_END + "go" + LINE_END, 60)
        m.prompt(60)
        took = echo(m, total)
        print(f"{total / took:.0f} bytes/s")
        m.send("fg\r")
        m.expect(LINE_END)
        time.sleep(1)
        m.send("\x03")
        m.prompt(60)
        # the shell waits for the job; a hart that the host does not run just
        # now takes longer to let go of one of its processes
        for _ in range(30):
            left = m.run("ps", 60)
            if "stress" not in left:
                break
        assert "stress" not in left
        assert m.halt(30) == 0


@pytest.mark.parametrize("smp", [1, 2, 4])
def test_stress(smp):
    """What its processes compute, pipe and call is all right."""
    with boots(smp=smp, limit=200) as m:
        assert ", 0 failed" in m.run("stress -t 5", 150)


# ---- booting ----------------------------------------------------------------

def test_halt():
    """QEMU ends with status 0."""
    with boots() as m:
        assert m.halt() == 0


def test_run_says_how_it_ended():
    """run= ends QEMU with the program's status; 255 for a fault."""
    for words, end, status in (("/bin/echo hi", "exited 0", 0),
                               ("/bin/sleep x", "exited 2", 2),
                               ("/bin/crash null", "fault: load page", 255),
                               ("/bin/none", "cannot start", 255)):
        with Machine(append="run=" + words) as m:
            m.expect(f"run: {words.split()[0]}: {end}")
            assert m.status() == status


def test_unknown_boot_argument():
    """It is said, with what there is, and the machine works."""
    with boots(append="nonsense") as m:
        assert re.search("boot argument 'nonsense' is not known; there are: ",
                         m.run("dmesg"))


def test_too_many_words_to_run():
    """What is left out is said, on the console."""
    words = " ".join(f"w{i}" for i in range(1, 18))
    with Machine(append=f"run=/bin/echo {words}") as m:
        m.expect("run= takes 16 words: 'w16' and what is behind it are left")
        m.expect("w14 w15\r")
        assert m.status() == 0


@pytest.mark.parametrize("initrd, message", [
    ("", "no boot archive"),
    ("LICENSE", "the boot archive is damaged"),
])
def test_nothing_to_boot(initrd, message):
    """A clear message by SBI, and QEMU ends with failure."""
    with Machine(initrd=initrd) as m:
        m.expect(message)
        assert m.status() not in (0, None)
