#!/usr/bin/python3
"""Make the boot archive: newc cpio whose file data begins on page boundaries.

    mkcpio.py --out FILE LIST

LIST has a line PATH=SOURCE for each file; directories follow from the paths.
Programs are mapped in place from the archive, hence the pages. cpio has no
padding of its own before data: the name field may carry NULs behind the name,
which every reader ignores (`cpio -it < build/boot.cpio` works). The same input
gives the same bytes: sorted, no times, no owners.

Layout of an entry: 6 bytes magic, 13 fields of 8 hex digits, the name with
its NULs up to the data's boundary, the data up to the next multiple of 4.
"""
import argparse
import os
import sys

PAGE = 4096
HEADER = 110  # bytes before the name
DIRECTORY, FILE = 0o040755, 0o100644
EXECUTABLE = 0o100755


def entry(archive, number, name, mode, data):
    """Append one entry; the data of a file that has some is page-aligned."""
    name = name.encode() + b"\0"
    end = len(archive) + HEADER + len(name)
    name += b"\0" * (-end % (PAGE if data else 4))
    fields = (number, mode, 0, 0, 2 if mode == DIRECTORY else 1, 0,
              len(data), 0, 0, 0, 0, len(name), 0)
    archive += b"070701" + b"".join(b"%08x" % f for f in fields) + name + data
    archive += b"\0" * (-len(archive) % 4)


def build(files):
    """The archive, bytes, of files: {path: content}; paths as `bin/ls`."""
    entries = {}
    for path, data in files.items():
        if not path or path.startswith("/") or ".." in path.split("/"):
            raise ValueError(f"not a path for the archive: {path!r}")
        mode = EXECUTABLE if data.startswith(b"\x7fELF") else FILE
        entries[path] = (mode, data)
        folder = os.path.dirname(path)
        while folder:
            entries[folder] = (DIRECTORY, b"")
            folder = os.path.dirname(folder)
    for path in files:
        if entries[path][0] == DIRECTORY:
            raise ValueError(f"{path} is a file and a directory")
    archive = bytearray()
    for number, path in enumerate(sorted(entries), 1):
        entry(archive, number, path, *entries[path])
    entry(archive, 0, "TRAILER!!!", 0, b"")
    return bytes(archive) + b"\0" * (-len(archive) % PAGE)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--out", required=True, metavar="FILE")
    options.add_argument("list", metavar="LIST")
    options = options.parse_args()
    try:
        files = {}
        with open(options.list, encoding="utf-8") as lines:
            for line in lines.read().split("\n"):
                if not line:
                    continue
                path, separator, source = line.partition("=")
                if not separator or path in files:
                    raise ValueError(f"{options.list}: bad line: {line}")
                with open(source, "rb") as file:
                    files[path] = file.read()
        archive = build(files)
        with open(options.out + ".new", "wb") as out:
            out.write(archive)
        os.replace(options.out + ".new", options.out)
    except (OSError, ValueError) as error:
        print(f"mkcpio: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
