"""An interrupt source that nobody owns is masked and counted when it arrives.
The kernel leaves no such source enabled; here the debugger does it."""
import os
import subprocess

from harness.machine import TOP, Machine

SOURCE = 11  # the RTC, which no service drives when run= is given
PRIORITY = 0xc000000 + 4 * SOURCE             # [plic 4]
ENABLE = 0xc002000 + 0x80 * 1 + 4 * (SOURCE // 32)  # [plic 6] hart 0's S context
POKE = f"""
set confirm off
target remote SOCKET
python
def poke(address, value):
    gdb.selected_inferior().write_memory(address, value.to_bytes(4, "little"))
gdb.execute("maintenance packet Qqemu.PhyMemMode:1", to_string=True)
enabled = bytes(gdb.selected_inferior().read_memory({ENABLE}, 4))
poke({PRIORITY}, 1)
poke({ENABLE}, int.from_bytes(enabled, "little") | 1 << {SOURCE})
end
detach
"""


def test_unowned_source_is_masked_and_counted(tmp_path):
    socket, script = tmp_path / "gdb.sock", tmp_path / "poke.gdb"
    script.write_text(POKE.replace("SOCKET", str(socket)))
    with Machine(append="run=/test/unowned", extra=[
            "-gdb", f"unix:{socket},server=on,wait=off"]) as m:
        m.expect("masked 0 times\r")
        done = subprocess.run(
            ["gdb-multiarch", "-q", "-nx", "-batch", "-x", str(script),
             os.path.join(TOP, "build/kernel/kernel.elf")],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=60, check=False)
        assert "rror" not in done.stderr, done.stderr
        m.expect("masked 1 times after it was enabled\r", 40)
        m.expect("owned: bind 0, event 1\r")
        m.expect("run: /test/unowned: exited 0")
        assert m.status() == 0
