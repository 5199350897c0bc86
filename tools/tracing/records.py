"""The records of a traced run, read from the machine's memory.

memory is a file of the guest's RAM (QEMU's memory-backend-file), which
begins at RAM_BASE; where the rings are says `trace_table` in it, and where
that is says the kernel's ELF file. What programs wrote in their rings is
only ever data here: their own claims about positions are not looked at.
"""
import os
import re
import struct
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RAM_BASE = 0x80000000
KERNEL_BASE = 0xffffffc000000000   # virtual - physical, kernel/offsets.h
NM = "riscv64-unknown-elf-nm"


def constants():
    """{name: number} of abi/trace.h's #defines, without TRACE_."""
    with open(os.path.join(TOP, "abi/trace.h"), encoding="utf-8") as file:
        found = re.findall(r"^#define TRACE_(\w+)\s+(0x\w+|\d+)\b", file.read(),
                           re.MULTILINE)
    return {name: int(value, 0) for name, value in found}


C = constants()
LAYOUT = ("RECORD_SIZE", "RING_SIZE", "RINGS", "CALL", "TIME", "EVENT", "A", "B")
NAMES = {value: name for name, value in C.items() if name not in LAYOUT}


class Record:
    """One event: time in ns, event (a name of abi/trace.h), a, b; hart or pid:
    who wrote it, the other is None."""
    __slots__ = ("time", "event", "a", "b", "hart", "pid")

    def __init__(self, time, event, a, b, hart=None, pid=None):
        self.time, self.event, self.a, self.b = time, event, a, b
        self.hart, self.pid = hart, pid

    def __repr__(self):
        who = f"hart {self.hart}" if self.pid is None else f"pid {self.pid}"
        return f"{self.time} {who} {self.event} {self.a:#x} {self.b:#x}"


class TraceError(Exception):
    """The file is not what it should be; the text says what and what to do."""


def symbol(elf, name):
    """Address of a symbol in an ELF file."""
    listed = subprocess.run([NM, elf], check=False, text=True,
                            capture_output=True)
    if listed.returncode:
        raise TraceError(f"{elf}: {listed.stderr.strip()}")
    for line in listed.stdout.splitlines():
        if line.endswith(" " + name):
            return int(line.split()[0], 16)
    raise TraceError(f"{elf} has no {name}: only build/trace/kernel.elf "
                     "writes a trace; `make traced` builds it")


def process_name(raw):
    """From 8 or 16 bytes; a process can have any name it likes."""
    return raw.rstrip(b"\0").decode("ascii", "replace")


def decode(raw, hart=None, pid=None):
    """The complete records of a ring's bytes, in no order."""
    out = []
    for time, number, a, b in struct.iter_unpack("<4Q", raw):
        if number in NAMES:
            out.append(Record(time, NAMES[number], a, b, hart, pid))
    return out


def parse(memory, table):
    """(records by time, {pid: name}, rings that were full): memory is the
    RAM's bytes, table the physical address of trace_table."""
    def at(physical, size):
        start = physical - RAM_BASE
        if start < 0 or start + size > len(memory):
            raise TraceError(f"a ring at {physical:#x} is not in memory: does "
                             "the kernel's ELF file belong to this run?")
        return memory[start:start + size]

    records, names, full = [], {}, []
    for i in range(C["RINGS"]):
        base, owner, raw = struct.unpack("<QQ16s", at(table + i * 32, 32))
        if not base:
            continue
        name = process_name(raw)
        ring = decode(at(base, C["RING_SIZE"]),
                      **({"pid": owner} if name else {"hart": owner}))
        if name:
            names[owner] = name
        if len(ring) == C["RING_SIZE"] // C["RECORD_SIZE"]:
            full.append(f"{name} (pid {owner})" if name else f"hart {owner}")
        records += ring
    if not records:
        raise TraceError("there are no records: the run ended before the "
                         "first, or the kernel's ELF file is of another one")
    # What is at the same nanosecond was written in this order: stable.
    records.sort(key=lambda r: r.time)
    for r in records:
        if r.event in ("RUN", "WAKE"):
            names.setdefault(r.a >> 32, process_name(struct.pack("<Q", r.b)))
    return records, names, full


def read(path, kernel):
    """parse() of a file of memory and the ELF file of the kernel in it."""
    table = symbol(kernel, "trace_table")
    table -= KERNEL_BASE if table >= KERNEL_BASE else 0
    with open(path, "rb") as file:
        return parse(file.read(), table)
