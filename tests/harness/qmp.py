"""QEMU's machine monitor (QMP) on a socket: properties of its devices while the
machine runs."""
import json

from .qtest import connect


class Monitor:
    """The monitor that QEMU offers at `path` (-qmp unix:PATH,server=on,wait=off)."""

    def __init__(self, path):
        self.lines = connect(path).makefile("rw")
        self.lines.readline()
        self.ask("qmp_capabilities")

    def ask(self, execute, **arguments):
        """One command; its answer, or an AssertionError with the reason."""
        self.lines.write(json.dumps({"execute": execute,
                                     "arguments": arguments}) + "\n")
        self.lines.flush()
        while True:
            answer = json.loads(self.lines.readline())
            assert "error" not in answer, answer["error"]["desc"]
            if "return" in answer:
                return answer["return"]

    def set(self, device, name, value):
        """Set a property of /machine/DEVICE."""
        self.ask("qom-set", path=f"/machine/{device}", property=name,
                 value=value)

    def get(self, device, name):
        """A property of /machine/DEVICE."""
        return self.ask("qom-get", path=f"/machine/{device}", property=name)
