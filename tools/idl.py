#!/usr/bin/python3
"""Turn abi/uinta.idl into C headers: one description, no drift.

    idl.py --out DIR FILE.idl

writes DIR/gen/:
  syscall_table.h    kernel: SYSCALL_COUNT, prototypes, SYSCALL_TABLE, SYSCALL_NAMES
  syscalls.h         user: one inline stub per system call (ipc_* are in uinta/ipc.h)
  NAME_client.h      user: one inline stub per method of interface NAME
  NAME_server.h      user: struct NAME_server of function pointers and NAME_dispatch()

The language, a line at a time ('#' starts a comment):
  syscall NUMBER NAME(arg, ...)
  interface NAME
    method NUMBER NAME(word, ... | handle, ...) -> (word, ... | handle, ...)
A word may be an array, `path[6]`. A message carries the method number and
seven words each way (the reply's first word is the result) and four handles.
Method numbers are unique over all interfaces, so that a server can serve
several on one endpoint. Errors: `file:line: what`, exit status 1.
"""
import argparse
import os
import re
import sys

SYSCALL_ARGS_MAX = 6
SYSCALL_NUMBER_MAX = 255
METHOD_WORDS_MAX = 7
METHOD_HANDLES_MAX = 4
C_KEYWORDS = set("""auto break case char const continue default do double else
enum extern float for goto if inline int long register restrict return short
signed sizeof static struct switch typedef union unsigned void volatile
while""".split())
# Names that the generated functions use themselves.
OUR_NAMES = {"endpoint", "message", "call", "context", "server", "result"}


class IdlError(Exception):
    """A mistake in the description; str() is `file:line: what`."""


class Word:
    """One argument: `count` 64-bit words, an array if written with [n]."""

    def __init__(self, name, count=None):
        self.name = name
        self.array = count is not None
        self.count = count if self.array else 1


class Method:
    def __init__(self, number, name, words, handles, out_words, out_handles):
        self.number, self.name = number, name
        self.words, self.handles = words, handles
        self.out_words, self.out_handles = out_words, out_handles


class Interface:
    def __init__(self, name):
        self.name, self.methods = name, []


class Idl:
    def __init__(self):
        self.syscalls = []    # (number, name, [argument names])
        self.interfaces = []


class Parser:
    def __init__(self, path, text):
        self.path, self.text, self.line = path, text, 0
        self.idl = Idl()
        self.seen = {}        # (kind, key) -> line of first use

    def fail(self, what):
        raise IdlError(f"{self.path}:{self.line}: {what}")

    def once(self, kind, key):
        """Refuse the second use of a name or number."""
        if (kind, key) in self.seen:
            self.fail(f"duplicate {kind} {key},"
                      f" first on line {self.seen[kind, key]}")
        self.seen[kind, key] = self.line

    def identifier(self, name):
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in C_KEYWORDS:
            self.fail(f"'{name}' is not a usable name"
                      " (lower case, digits, '_', not a word of C)")
        return name

    def parse(self):
        for self.line, raw in enumerate(self.text.splitlines(), 1):
            line = raw.split("#", 1)[0].strip()
            if not line:
                continue
            keyword = line.split(None, 1)[0]
            parse = {"syscall": self.syscall, "interface": self.interface,
                     "method": self.method}.get(keyword)
            if not parse:
                self.fail(f"unknown keyword '{keyword}'"
                          " (syscall, interface or method)")
            parse(line)
        return self.idl

    def syscall(self, line):
        m = re.fullmatch(r"syscall\s+(\d+)\s+(\w+)\s*\(([^()|]*)\)", line)
        if not m:
            self.fail("expected: syscall NUMBER NAME(arg, ...)")
        number, name = int(m[1]), self.identifier(m[2])
        if number > SYSCALL_NUMBER_MAX:
            self.fail(f"system call number {number} is over"
                      f" {SYSCALL_NUMBER_MAX}")
        args = [w.name for w in self.words(m[3], arrays=False)]
        if len(args) > SYSCALL_ARGS_MAX:
            self.fail(f"{name} has {len(args)} arguments,"
                      f" {SYSCALL_ARGS_MAX} fit in registers")
        self.once("system call number", number)
        self.once("system call", name)
        self.idl.syscalls.append((number, name, args))

    def interface(self, line):
        m = re.fullmatch(r"interface\s+(\w+)", line)
        if not m:
            self.fail("expected: interface NAME")
        self.once("interface", self.identifier(m[1]))
        self.idl.interfaces.append(Interface(m[1]))

    def method(self, line):
        if not self.idl.interfaces:
            self.fail("method before any interface")
        m = re.fullmatch(r"method\s+(\d+)\s+(\w+)\s*\(([^()]*)\)"
                         r"(?:\s*->\s*\(([^()]*)\))?", line)
        if not m:
            self.fail("expected: method NUMBER NAME(word, ... | handle, ...)"
                      " -> (word, ... | handle, ...)")
        interface = self.idl.interfaces[-1]
        number, name = int(m[1]), self.identifier(m[2])
        words, handles = self.side(name, "takes", m[3])
        out_words, out_handles = self.side(name, "returns", m[4] or "")
        names = [w.name for w in words + out_words] + handles + out_handles
        for each in names:
            if names.count(each) > 1:
                self.fail(f"{name} names '{each}' twice")
            if each in OUR_NAMES:
                self.fail(f"'{each}' is a name the generated code uses")
        self.once("method number", number)
        self.once(f"method of {interface.name}", name)
        interface.methods.append(Method(number, name, words, handles,
                                        out_words, out_handles))

    def side(self, name, verb, text):
        """`word, ... | handle, ...` as ([Word], [handle name])."""
        words, bar, handles = text.partition("|")
        words = self.words(words, arrays=True)
        handles = [w.name for w in self.words(handles, arrays=False)]
        if bar and not handles:
            self.fail(f"{name}: nothing after '|'")
        total = sum(w.count for w in words)
        if total > METHOD_WORDS_MAX:
            self.fail(f"{name} {verb} {total} words, a message carries"
                      f" {METHOD_WORDS_MAX}")
        if len(handles) > METHOD_HANDLES_MAX:
            self.fail(f"{name} {verb} {len(handles)} handles, a message"
                      f" carries {METHOD_HANDLES_MAX}")
        return words, handles

    def words(self, text, arrays):
        if not text.strip():
            return []
        out = []
        for part in text.split(","):
            part = part.strip()
            m = re.fullmatch(r"(\w+)(?:\[(\d+)\])?", part)
            if not m:
                self.fail(f"expected an argument name, found '{part}'")
            self.identifier(m[1])
            if m[2] is not None and not arrays:
                self.fail(f"'{part}': an array is not possible here")
            if m[2] is not None and int(m[2]) < 1:
                self.fail(f"'{part}': an array has at least one word")
            if m[1] in [w.name for w in out]:
                self.fail(f"argument '{m[1]}' twice")
            out.append(Word(m[1], None if m[2] is None else int(m[2])))
        return out


def header(guard, source, body):
    return (f"/* Generated by tools/idl.py from {source}: do not edit. */\n"
            f"#ifndef {guard}\n#define {guard}\n\n{body}\n#endif\n")


# Kernel


def syscall_table(idl, source):
    calls = sorted(idl.syscalls)
    out = ["#include <stdint.h>", "",
           f"enum {{ SYSCALL_COUNT = {calls[-1][0] + 1 if calls else 0} }};",
           ""]
    out += [f"enum {{ SYS_{name} = {number} }};" for number, name, _ in calls]
    out += ["", "typedef int64_t (*syscall_fn)(uint64_t, uint64_t, uint64_t,",
            "                              uint64_t, uint64_t, uint64_t);", ""]
    for _, name, args in calls:
        parameters = ", ".join(f"uint64_t {a}" for a in args) or "void"
        out.append(f"int64_t sys_{name}({parameters});")
    # A function that takes fewer arguments finds them in the same registers;
    # the cast through void (*)(void) says to the compiler that this is meant.
    out += ["", "#define SYSCALL_TABLE \\"]
    out += [f"    [{number}] = (syscall_fn)(void (*)(void))sys_{name}, \\"
            for number, name, _ in calls]
    out += ["", "#define SYSCALL_NAMES \\"]
    out += [f'    [{number}] = "{name}", \\' for number, name, _ in calls]
    return header("GEN_SYSCALL_TABLE_H", source, "\n".join(out) + "\n")


# User: system calls


def syscall_stub(number, name, args):
    """The registers of docs/abi.md; what comes back cleared is clobbered."""
    parameters = ", ".join(f"uint64_t {a}" for a in args) or "void"
    lines = [f"static inline int64_t sys_{name}({parameters})", "{"]
    for i in range(max(len(args), 1)):
        value = f" = {args[i]}" if i < len(args) else ""
        lines.append(f'    register uint64_t r{i} __asm__("a{i}"){value};')
    lines.append(f'    register uint64_t r7 __asm__("a7") = {number};')
    first = '"+r"(r0)' if args else '"=r"(r0)'
    outputs = [first] + [f'"+r"(r{i})' for i in range(1, len(args))]
    outputs.append('"+r"(r7)')
    clobbers = [f"a{i}" for i in range(max(len(args), 1), 7)]
    clobbers += [f"t{i}" for i in range(7)] + ["memory"]
    clobbers = ", ".join(f'"{c}"' for c in clobbers)
    lines += ['    __asm__ volatile("ecall"',
              f"                     : {', '.join(outputs)}",
              f"                     :\n                     : {clobbers});",
              "    return (int64_t)r0;", "}"]
    return "\n".join(lines)


def syscalls(idl, source):
    calls = sorted(idl.syscalls)
    # The numbers are for assembly, too.
    out = [f"#define SYS_{name} {number}" for number, name, _ in calls]
    out += ["", "#ifndef __ASSEMBLER__", "#include <stdint.h>", ""]
    out += [syscall_stub(*call) + "\n" for call in calls
            if not call[1].startswith("ipc_")]
    out += ["#endif"]
    return header("GEN_SYSCALLS_H", source, "\n".join(out))


# User: interfaces


def in_parameters(method):
    return ([f"const uint64_t {w.name}[{w.count}]" if w.array
             else f"uint64_t {w.name}" for w in method.words]
            + [f"handle_t {h}" for h in method.handles])


def out_parameters(method):
    return ([f"uint64_t {w.name}[{w.count}]" if w.array
             else f"uint64_t *{w.name}" for w in method.out_words]
            + [f"handle_t *{h}" for h in method.out_handles])


def offsets(words):
    """(Word, index of its first message word); word 0 is method or result."""
    at = 1
    for word in words:
        yield word, at
        at += word.count


def client_stub(interface, method):
    name = f"{interface.name}_{method.name}"
    parameters = ["handle_t endpoint"] + in_parameters(method)
    parameters += out_parameters(method)
    lines = [f"static inline int64_t {name}({', '.join(parameters)})", "{",
             f"    struct message message = {{.word = {{{method.number}}}}};"]
    for word, at in offsets(method.words):
        if word.array:
            lines += [f"    for (int i = 0; i < {word.count}; i++)",
                      f"        message.word[{at} + i] = {word.name}[i];"]
        else:
            lines.append(f"    message.word[{at}] = {word.name};")
    for i, handle in enumerate(method.handles):
        lines.append(f"    message.handle[{i}] = {handle};")
    lines += ["    int64_t result = ipc_call(endpoint, &message);",
              "    if (result < 0)", "        return result;",
              "    result = (int64_t)message.word[0];"]
    # A failed call returns no handles, and no call more than it declares:
    # whatever a confused server sent beyond that is closed, not leaked.
    keep = len(method.out_handles)
    keep = f"result < 0 ? 0 : {keep}" if keep else "0"
    lines.append(f"    message_close(&message, {keep});")
    for word, at in offsets(method.out_words):
        if word.array:
            lines += [f"    for (int i = 0; i < {word.count}; i++)",
                      f"        {word.name}[i] = message.word[{at} + i];"]
        else:
            lines.append(f"    *{word.name} = message.word[{at}];")
    for i, handle in enumerate(method.out_handles):
        lines.append(f"    *{handle} = message.handle[{i}];")
    return "\n".join(lines + ["    return result;", "}"])


def client(interface, source):
    out = ["#include <uinta/ipc.h>", ""]
    out += [f"#define {interface.name.upper()}_{m.name.upper()} {m.number}"
            for m in interface.methods]
    out += [""] + [client_stub(interface, m) + "\n" for m in interface.methods]
    return header(f"GEN_{interface.name.upper()}_CLIENT_H", source,
                  "\n".join(out))


def server_case(method):
    lines = [f"    case {method.number}: {{"]
    if method.words:
        lines.append("        uint64_t in[7];")
        lines.append("        for (int i = 0; i < 7; i++)")
        lines.append("            in[i] = message->word[1 + i];")
    lines += [f"        handle_t h{i} = message->handle[{i}];"
              for i in range(len(method.handles))]
    for i in range(len(method.out_handles)):
        lines.append(f"        handle_t o{i} = 0;")
    arguments = ["context", "message"]
    arguments += [f"&in[{at - 1}]" if word.array else f"in[{at - 1}]"
                  for word, at in offsets(method.words)]
    arguments += [f"h{i}" for i in range(len(method.handles))]
    outputs = [f"&out[{at - 1}]" for _, at in offsets(method.out_words)]
    outputs += [f"&o{i}" for i in range(len(method.out_handles))]
    lines += [f"        message_close(message, {len(method.handles)});",
              f"        if (server->{method.name})",
              f"            result = server->{method.name}"
              f"({', '.join(arguments + outputs)});"]
    # Nobody to take them: what came with the call is closed again.
    if method.handles:
        lines += ["        else", "            message_close(message, 0);"]
    lines.append("        for (int i = 0; i < MESSAGE_HANDLES; i++)")
    lines.append("            message->handle[i] = 0;")
    for i in range(len(method.out_handles)):
        lines += [f"        message->handle[{i}] = o{i};"]
    return "\n".join(lines + ["        break;", "    }"])


def server(interface, source):
    name = interface.name
    out = ["#include <stdbool.h>", "#include <uinta/ipc.h>",
           '#include "abi/errors.h"', "",
           "/*",
           " * One function a method; `call` has the caller's token and badge."
           "\n * Handles passed in belong to the function. A result < 0 sends"
           " no handles.\n * IPC_LATER: the function keeps call->token and"
           " replies itself.",
           " */", f"struct {name}_server {{"]
    for m in interface.methods:
        parameters = ["void *context", "struct message *call"]
        parameters += in_parameters(m) + out_parameters(m)
        out.append(f"    int64_t (*{m.name})({', '.join(parameters)});")
    out += ["};", "",
            "/*", " * Turns a received message into its reply. False if the"
            " method is of another\n * interface: the message is untouched.",
            " */",
            f"static inline bool {name}_dispatch(const struct {name}_server"
            " *server, void *context, struct message *message)", "{",
            "    int64_t result = E_NOSYS;",
            "    uint64_t out[7] = {0};", "    switch (message->word[0]) {"]
    out += [server_case(m) for m in interface.methods]
    out += ["    default:", "        return false;", "    }",
            "    message_finish(message, result, out);",
            "    return true;", "}", ""]
    return header(f"GEN_{name.upper()}_SERVER_H", source, "\n".join(out))


def generate(idl, source):
    """File name -> text of every header."""
    files = {"syscall_table.h": syscall_table(idl, source),
             "syscalls.h": syscalls(idl, source)}
    for interface in idl.interfaces:
        files[f"{interface.name}_client.h"] = client(interface, source)
        files[f"{interface.name}_server.h"] = server(interface, source)
    return files


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--out", required=True, metavar="DIR")
    options.add_argument("idl", metavar="FILE.idl")
    options = options.parse_args()
    try:
        with open(options.idl, encoding="utf-8") as file:
            idl = Parser(options.idl, file.read()).parse()
        folder = os.path.join(options.out, "gen")
        os.makedirs(folder, exist_ok=True)
        for name, text in generate(idl, options.idl).items():
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
    except (IdlError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
