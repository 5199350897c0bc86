"""gdb commands that know the kernel's structures; `make gdb` loads them.

Every read goes by physical address (a mode of QEMU's gdb stub), so that the
commands work whatever a hart runs: M-mode, where kernel addresses mean
nothing, or U-mode, which may not read them.
"""
import functools
import os
import re

import gdb

KERNEL_BASE = 0xffffffc000000000  # virtual = physical + this (kernel.ld)
SBI_STATE = 1536  # UINTR_STATE of sbi/platform/uinta/uintr.h, from mscratch
LIST_MAX = 10000  # a list longer than that is a broken one
HANDLES_PER_PAGE = 128
PROGRAM_DIRECTORIES = ("bin", "server", "test", "bench")


def read_bytes(address, size):
    """Memory at a kernel virtual or a physical address."""
    if address >= KERNEL_BASE:
        address -= KERNEL_BASE
    gdb.execute("maintenance packet Qqemu.PhyMemMode:1", to_string=True)
    try:
        return bytes(gdb.selected_inferior().read_memory(address, size))
    finally:
        gdb.execute("maintenance packet Qqemu.PhyMemMode:0", to_string=True)


@functools.lru_cache(maxsize=None)
def our_type(name, directories):
    """A type as these directories define it: firmware and kernel share names.

    name is `struct x` or `enum x`.
    """
    for symbol in gdb.lookup_static_symbols(name.split()[1],
                                            gdb.SYMBOL_STRUCT_DOMAIN):
        path = "/" + symbol.symtab.filename
        if any(f"/{directory}/" in path for directory in directories):
            return symbol.type
    raise gdb.GdbError(f"no symbols for {name}: run make first")


def kernel_type(name):
    return our_type(name, ("kernel", "abi"))


def read(address, type_):
    """The value of that type there; fields of it are read at once."""
    if isinstance(type_, str):
        type_ = kernel_type(type_)
    return gdb.Value(read_bytes(int(address), type_.sizeof), type_)


def variable(name):
    """A global of the kernel, and its address."""
    symbol = gdb.lookup_global_symbol(name)
    if symbol is None:
        raise gdb.GdbError(f"the kernel has no variable {name}")
    value = symbol.value()
    return read(value.address, value.type), int(value.address)


def each(head, type_name, field):
    """(value, address) of the structures in a list whose head is there."""
    type_ = kernel_type(type_name)
    offset = next(f for f in type_.fields() if f.name == field).bitpos // 8
    node = int(read(head, "struct list")["next"])
    for _ in range(LIST_MAX):
        if node == head or node == 0:
            return
        value = read(node - offset, type_)
        yield value, node - offset
        node = int(value[field]["next"])
    raise gdb.GdbError("the list does not end")


def text(value):
    """A char array up to its NUL."""
    size = value.type.sizeof
    return bytes(int(value[i]) & 255 for i in range(size)) \
        .split(b"\0")[0].decode(errors="replace")


def enum_name(value, prefix):
    """THREAD_READY -> ready, also for an integer that holds the enum."""
    names = {"THREAD_": "enum thread_state", "OBJECT_": "enum object_type",
             "IRQ_": "enum irq_mode"}
    for field in kernel_type(names[prefix]).fields():
        if field.enumval == int(value):
            return field.name[len(prefix):].lower()
    return str(int(value))


def rights(bits):
    """R_READ | R_DUP -> `read dup`."""
    return " ".join(f.name[2:].lower()
                    for f in kernel_type("enum right").fields()
                    if f.name != "R_ALL" and bits & f.enumval)


def processes():
    """{pid: (value, address)}; empty before the kernel has booted."""
    _, head = variable("all_processes")
    return {int(p["pid"]): (p, a)
            for p, a in each(head, "struct process", "of_all")}


def process_name(pointer):
    if not int(pointer):
        return "-"
    process = read(pointer, "struct process")
    return f"{int(process['pid'])} {text(process['name'])}"


def register(name):
    """A register of the selected hart, None if the stub does not have it."""
    try:
        return int(gdb.parse_and_eval(f"(unsigned long)${name}"))
    except gdb.error:
        return None


def harts():
    """(struct hart, its address, gdb thread) of each hart that is online."""
    selected = gdb.selected_thread()
    by_id = {}
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            by_id[register("mhartid")] = thread
    finally:
        if selected:
            selected.switch()
    count = int(variable("hart_count")[0])
    _, base = variable("harts")
    size = kernel_type("struct hart").sizeof
    for i in range(count):
        hart = read(base + i * size, "struct hart")
        if bool(hart["online"]):
            yield hart, base + i * size, by_id.get(int(hart["id"]))


def hart_of(address):
    """Its index, `-` for no hart."""
    return str(int(read(address, "struct hart")["index"])) \
        if int(address) else "-"


class Threads(gdb.Command):
    """Print every thread: state, priority, hart, what it waits for, saved pc.
Usage: uinta-threads"""

    def __init__(self):
        super().__init__("uinta-threads", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        if argument:
            raise gdb.GdbError("usage: uinta-threads")
        _, head = variable("all_threads")
        print(f"{'tid':>5} {'process':20} {'state':10}{'prio':>5}{'hart':>5} "
              f"{'uintr':6}{'pc':>18}  waits for")
        for thread, _ in each(head, "struct thread", "of_all"):
            uintr = "-"
            if int(thread["uintr"]):
                uintr = "on " + hart_of(thread["uhart"]) \
                    if int(thread["uhart"]) else "saved"
            print(f"{int(thread['object']['id']):>5} "
                  f"{process_name(thread['process']):20} "
                  f"{enum_name(thread['state'], 'THREAD_'):10}"
                  f"{int(thread['priority']):>5}"
                  f"{hart_of(thread['hart']):>5} {uintr:6}"
                  f"{int(thread['x'][0]):>#18x}  {self.reason(thread)}")

    @staticmethod
    def reason(thread):
        parts = []
        if int(thread["notification"]):
            object_ = read(thread["notification"], "struct notification")
            parts.append(f"notification {int(object_['object']['id'])} "
                         f"mask {int(thread['wait_mask']):#x}")
        if int(thread["server"]):
            parts.append("a reply from " + process_name(thread["server"]))
        return ", ".join(parts)


class Handles(gdb.Command):
    """Print the handles of a process: object, rights, badge.
Usage: uinta-handles PID"""

    def __init__(self):
        super().__init__("uinta-handles", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        known = processes()
        if not argument.isdigit() or int(argument) not in known:
            raise gdb.GdbError("usage: uinta-handles PID; processes: " +
                               ", ".join(f"{pid} {text(p['name'])}" for
                                         pid, (p, _) in known.items()))
        table = known[int(argument)][0]["table"]
        entry = kernel_type("struct handle")
        print(f"{'handle':>6}  {'type':13}{'object':>6}{'refs':>6}  "
              f"{'badge':>10}  rights")
        for page in range(table["page"].type.range()[1] + 1):
            base = int(table["page"][page])
            for slot in range(HANDLES_PER_PAGE if base else 0):
                handle = read(base + slot * entry.sizeof, entry)
                if not int(handle["object"]):
                    continue
                object_ = read(handle["object"], "struct object")
                print(f"{page * HANDLES_PER_PAGE + slot:>6}  "
                      f"{enum_name(object_['type'], 'OBJECT_'):13}"
                      f"{int(object_['id']):>6}{int(object_['refs']):>6}  "
                      f"{int(handle['badge']):>#10x}  "
                      f"{rights(int(handle['rights']))}")


class Uintr(gdb.Command):
    """Print user-interrupt state: of each hart, and of threads not on one.
Usage: uinta-uintr [HART]"""

    def __init__(self):
        super().__init__("uinta-uintr", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        found = list(harts())
        ids = [str(int(hart["index"])) for hart, _, _ in found]
        if argument and argument not in ids:
            raise gdb.GdbError("usage: uinta-uintr [HART]; harts online: " +
                               " ".join(ids))
        for hart, _, thread in found:
            if not argument or argument == str(int(hart["index"])):
                self.hart(hart, thread)
        if argument:
            return
        _, head = variable("all_threads")
        for thread, _ in each(head, "struct thread", "of_all"):
            if int(thread["uintr"]) and not int(thread["uhart"]):
                state = read(thread["uintr"], "struct uintr")
                print(f"thread {int(thread['object']['id'])} of "
                      f"{process_name(thread['process'])}: saved")
                self.state(state, "uip", state["uip"])
                print(f"    claimed by the kernel for it: "
                      f"{int(state['recorded'])}")
                self.sources(thread["process"])

    def hart(self, hart, thread):
        owner = "nobody's state loaded"
        if int(hart["uthread"]):
            loaded = read(hart["uthread"], "struct thread")
            owner = (f"state of thread {int(loaded['object']['id'])} of "
                     f"{process_name(loaded['process'])}")
        print(f"hart {int(hart['index'])} (id {int(hart['id'])}): {owner}, "
              f"bits posted by others {int(hart['uthread_post']):#x}, "
              f"PLIC pages S {int(hart['plic_s']['page']):#x} "
              f"U {int(hart['plic_u']['page']):#x}")
        self.registers(thread)
        if int(hart["uthread"]):
            self.sources(loaded["process"])

    def registers(self, thread):
        """What the hart, or the firmware for it, holds."""
        if thread is None:
            print("    (gdb does not see this hart)")
            return
        selected = gdb.selected_thread()
        try:
            thread.switch()
            scratch = register("mscratch")
            mip, mie = register("mip"), register("mie")
        finally:
            selected.switch()
        if scratch:
            state = read(scratch + SBI_STATE,
                         our_type("struct uintr", ("sbi",)))
            if int(state["active"]):
                self.state(state, "uip by software", state["soft"])
                print(f"    sideleg {int(state['sideleg']):#x} sedeleg "
                      f"{int(state['sedeleg']):#x} (emulated)")
        if mip is not None and mie is not None:
            print(f"    mip {mip:#x} mie {mie:#x}")

    @staticmethod
    def state(state, pending_name, pending):
        fields = " ".join(f"{name} {int(state[name]):#x}" for name in
                          ("ustatus", "uie", "utvec", "uscratch", "uepc",
                           "ucause", "utval"))
        print(f"    {fields}\n    {pending_name} {int(pending):#x}")

    @staticmethod
    def sources(process):
        head = int(process) + next(
            f for f in kernel_type("struct process").fields()
            if f.name == "irqs").bitpos // 8
        for irq, _ in each(head, "struct irq", "of_process"):
            print(f"    source {int(irq['source'])}: "
                  f"{enum_name(irq['mode'], 'IRQ_')}, enabled in context "
                  f"{int(irq['context'])}"
                  f"{', claimed by the kernel' if irq['claimed'] else ''}")


def program_file(name):
    """The ELF file with symbols of NAME or /bin/NAME."""
    name = name.lstrip("/")
    found = {}
    for directory in PROGRAM_DIRECTORIES:
        path = os.path.join("build/user", directory)
        for file in sorted(os.listdir(path)) if os.path.isdir(path) else ():
            if file.endswith(".elf"):
                found.setdefault(file[:-4], os.path.join(path, file))
                found[f"{directory}/{file[:-4]}"] = os.path.join(path, file)
    if name not in found:
        raise gdb.GdbError(f"no program '{name}'; known: " + " ".join(
            sorted(n for n in found if "/" in n)))
    return found[name]


class Program(gdb.Command):
    """Load the symbols of a user program in place of the last one's.
All programs are linked at the same address, so gdb can know one at a time.
Usage: uinta-program NAME"""

    loaded = None

    def __init__(self):
        super().__init__("uinta-program", gdb.COMMAND_FILES)

    def complete(self, text_, word):
        try:
            program_file("")
        except gdb.GdbError as error:
            names = str(error).split("known: ")[1].split()
            return [n.split("/")[1] for n in names if word in n]

    def invoke(self, argument, from_tty):
        load_program(argument.strip())


def load_program(name):
    path = program_file(name)
    if Program.loaded == path:
        return
    if Program.loaded:
        gdb.execute(f"remove-symbol-file {Program.loaded}", to_string=True)
    gdb.execute(f"add-symbol-file {path}", to_string=True)
    Program.loaded = path
    print(f"symbols of {path}")


def running_here():
    """Name of the process on the hart that gdb stopped; None if unknown."""
    hartid = register("mhartid")
    count = int(variable("hart_count")[0])
    _, base = variable("harts")
    size = kernel_type("struct hart").sizeof
    for i in range(count):
        hart = read(base + i * size, "struct hart")
        if int(hart["id"]) == hartid and int(hart["current"]):
            thread = read(hart["current"], "struct thread")
            return text(read(thread["process"], "struct process")["name"])
    return None


class ProgramBreakpoint(gdb.Breakpoint):
    """Stops only where the process is that program: addresses are shared."""

    def __init__(self, location, program):
        super().__init__(location)
        self.program = program

    def stop(self):
        return running_here() == self.program


class Break(gdb.Command):
    """Stop when a user program gets to a place; other programs pass there.
Loads the program's symbols. Usage: uinta-break NAME LOCATION
for instance: uinta-break uart ns16550_interrupt"""

    def __init__(self):
        super().__init__("uinta-break", gdb.COMMAND_BREAKPOINTS)

    def invoke(self, argument, from_tty):
        words = re.split(r"\s+", argument.strip(), maxsplit=1)
        if len(words) != 2:
            raise gdb.GdbError("usage: uinta-break NAME LOCATION")
        load_program(words[0])
        ProgramBreakpoint(words[1], os.path.basename(words[0]))


Threads()
Handles()
Uintr()
Program()
Break()
