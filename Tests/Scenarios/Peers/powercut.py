"""Rebuilds what a disk could hold after a power cut, from a recording by strace.

The recording is a list of system calls with their data. What was written to a file and not yet synced by an fsync or
fdatasync that has returned may be on the disk or not, whole or in part; likewise names in a directory. Each cut gives a
data directory, the objects whose success had been sent before it, and how many orders to remove or to restore had been
answered. Prints JSON.
"""

import argparse
import json
import os
import random
import re
import shutil
import struct

import wire

UNFINISHED = re.compile(r"^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$", re.S)
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += +(-?\d+|\?)")
WHOLE = re.compile(r"^(\d+) +(\w+)\((.*)\) += +(-?\d+)", re.S)
# The operator's tools are told of a removal or a restoration, and not of the state of the service.
ORDER = re.compile(rb'"(?:removed|restored)":\{')
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
PATH = re.compile(r"^(\d+)<((?:\\x[0-9a-f]{2}|[^>])*)>")
SECTOR = 4096


def unhex(text):
    return bytes.fromhex(text.replace("\\x", ""))


def plain(path):
    return re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), path)


class File:
    def __init__(self, content=b""):
        self.durable = bytearray(content)
        # Operations in order, each [kind, offset, data, done].
        self.pending = []


def apply(content, kind, offset, data):
    if kind == "write":
        if len(content) < offset + len(data):
            content.extend(bytes(offset + len(data) - len(content)))
        content[offset:offset + len(data)] = data
    elif kind == "truncate":
        if offset < len(content):
            del content[offset:]
        else:
            content.extend(bytes(offset - len(content)))
    elif kind == "extend" and len(content) < offset:
        content.extend(bytes(offset - len(content)))


class Disk:
    """Files and names, both as durable and as the running service sees them."""

    def __init__(self, base, directory):
        self.directory = directory
        self.now, self.durable = {}, {}
        self.folders = {"."}
        # Names changed and not yet synced: [folder, action], in order.
        self.changes = []
        self.positions = {}
        for place, folders, names in os.walk(base):
            inside = os.path.relpath(place, base)
            for name in folders:
                self.folders.add(os.path.normpath(os.path.join(inside, name)))
            for name in names:
                path = os.path.normpath(os.path.join(inside, name))
                if name.endswith("-shm") or not os.path.isfile(os.path.join(place, name)):
                    continue
                with open(os.path.join(place, name), "rb") as file:
                    self.now[path] = self.durable[path] = File(file.read())

    def inside(self, path):
        path = plain(path)
        if not path.startswith(self.directory + "/") and path != self.directory:
            return None
        path = os.path.relpath(path, self.directory)
        return None if path.endswith("-shm") or path.endswith(".socket") else path

    def name(self, path, file, old=None):
        """A name appears (a file) or goes (None); with `old` it takes that one's place at once."""
        self.changes.append([os.path.dirname(path) or ".", path, file, old])
        self.settle(self.now, self.changes[-1])

    def sync_folder(self, folder):
        left = []
        for change in self.changes:
            if change[0] == folder:
                self.settle(self.durable, change)
            else:
                left.append(change)
        self.changes = left

    @staticmethod
    def settle(names, change):
        names.pop(change[3], None)
        if change[2] is None:
            names.pop(change[1], None)
        else:
            names[change[1]] = change[2]

    def build(self, into, variant, chooser):
        names = dict(self.durable)
        keep = {"dropped": 0, "kept": len(self.changes)}.get(variant)
        if keep is None:
            keep = chooser.randint(0, len(self.changes))
        for change in self.changes[:keep]:
            self.settle(names, change)
        for folder in self.folders:
            os.makedirs(os.path.join(into, folder), mode=0o700, exist_ok=True)
        os.chmod(into, 0o700)
        for path, file in names.items():
            content = bytearray(file.durable)
            for kind, offset, data, _ in file.pending:
                if variant == "kept" or (variant == "random" and chooser.random() < 0.5):
                    apply(content, kind, offset, data)
                elif variant == "torn" and kind == "write":
                    # Any sectors of any write.
                    for start in range(0, len(data), SECTOR):
                        if chooser.random() < 0.5:
                            apply(content, kind, offset + start, data[start:start + SECTOR])
                elif variant == "torn" and chooser.random() < 0.5:
                    apply(content, kind, offset, data)
            place = os.path.join(into, path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "wb") as out:
                out.write(content)
            os.chmod(place, 0o600)

    def unsynced(self, suffix):
        """Bytes other than zeros that a cut could take from files with such names. Not those of an object that is durable
        already: when its key has been moved, its header is written anew, whoever is answered meanwhile."""
        return sum(
            len(op[2]) for path, file in self.now.items() if path.endswith(suffix)
            for op in file.pending
            if op[0] == "write" and any(op[2]) and not any(file.durable[op[1]:op[1] + len(op[2])]))


class Recording:
    """Reads the calls in order and calls back at each cut."""

    def __init__(self, disk):
        self.disk = disk
        self.open = {}
        self.syncing = {}
        self.acknowledged = []
        # Orders to remove or to restore whose answer has left.
        self.orders = 0
        self.early = []
        self.syncs = 0
        # How often what is on the disk for certain has changed.
        self.settled = 0
        # Answers that a cut was made after.
        self.seen = 0

    def file(self, arguments):
        match = PATH.match(arguments)
        path = match and self.disk.inside(match[2])
        return (path, self.disk.now.get(path)) if path else (None, None)

    def data(self, call, arguments):
        return b"".join(unhex(part) for part in STRING.findall(arguments))

    def begin(self, thread, call, arguments):
        """Gives what `end` needs."""
        disk = self.disk
        if call in ("sendto", "sendmsg", "write", "writev") and self.is_answer(arguments):
            return None
        path, file = self.file(arguments)
        if call in ("pwrite64", "pwritev", "pwritev2", "write", "writev") and file:
            data = self.data(call, arguments)
            if call == "pwrite64":
                offset = int(arguments.rsplit(", ", 1)[1])
            elif call.startswith("pwritev"):
                offset = int(re.search(r"\], \d+, (\d+)", arguments)[1])
            else:
                descriptor = PATH.match(arguments)[1] + path
                offset = disk.positions.get(descriptor, 0)
                disk.positions[descriptor] = offset + len(data)
            file.pending.append(["write", offset, data, False])
            return file.pending[-1]
        if call == "ftruncate" and file:
            file.pending.append(["truncate", int(arguments.rsplit(", ", 1)[1]), b"", False])
            return file.pending[-1]
        if call == "fallocate" and file:
            fields = arguments.rsplit(", ", 3)
            if fields[1] == "0":
                file.pending.append(["extend", int(fields[2]) + int(fields[3]), b"", False])
                return file.pending[-1]
        if call in ("fsync", "fdatasync") and path:
            return [op for op in file.pending if op[3]] if file else None
        return None

    def end(self, thread, call, arguments, begun, result):
        disk = self.disk
        if result < 0:
            return
        path, file = self.file(arguments)
        if call == "openat":
            match = re.search(r'"((?:\\x[0-9a-f]{2})*)", ([A-Z_|]+)', arguments)
            path = match and disk.inside(match[1])
            if not path or "O_DIRECTORY" in match[2]:
                return
            if "O_CREAT" in match[2] and path not in disk.now:
                disk.name(path, File())
            if "O_TRUNC" in match[2] and path in disk.now:
                disk.now[path].pending.append(["truncate", 0, b"", True])
            disk.positions.pop(f"{result}{path}", None)
        elif call in ("mkdir", "mkdirat"):
            path = disk.inside(STRING.search(arguments)[1])
            if path:
                disk.folders.add(path)
        elif call in ("rename", "renameat", "renameat2"):
            old, new = (disk.inside(part) for part in STRING.findall(arguments)[:2])
            if old in disk.now:
                disk.name(new, disk.now[old], old)
        elif call in ("unlink", "unlinkat"):
            path = disk.inside(STRING.search(arguments)[1])
            if path in disk.now:
                disk.name(path, None)
        elif call in ("fsync", "fdatasync") and path:
            self.syncs += 1
            if file is None:
                self.settled += any(change[0] == path for change in disk.changes)
                disk.sync_folder(path)
            else:
                self.settled += bool(begun)
                for op in begun or []:
                    # Of two syncs of a file at a time the other one may have ended first.
                    place = next((i for i, one in enumerate(file.pending) if one is op), None)
                    if place is not None:
                        apply(file.durable, *op[:3])
                        del file.pending[place]
        elif begun is not None:
            begun[3] = True

    def is_answer(self, arguments):
        """A C-STORE-RSP with success that is about to leave."""
        match = PATH.match(arguments)
        if not match or not plain(match[2]).startswith(("socket", "TCP")):
            return False
        data = self.data("", arguments)
        found = ORDER.search(data) is not None
        self.orders += found
        place = data.find(b"\0\0\0\0\x04\0\0\0")
        while place >= 0:
            command = wire.parse_command(data[place:])
            if command.get(0x00000100) == 0x8001 and command.get(0x00000900) == 0:
                found = True
                self.acknowledged.append(int(command[0x00001000].split(".")[-1]))
                unsynced = self.disk.unsynced(".hzp") + self.disk.unsynced("studies.keys")
                if unsynced:
                    self.early.append({"object": self.acknowledged[-1], "unsynced": unsynced})
            place = data.find(b"\0\0\0\0\x04\0\0\0", place + 8)
        return found

    def play(self, path, cut):
        """Reads the recording; `cut(why)` is called wherever a power cut is of interest."""
        waiting = {}
        with open(path, encoding="ascii", errors="replace") as lines:
            for line in lines:
                line = line.rstrip("\n")
                match = UNFINISHED.match(line)
                if match:
                    thread, call, arguments = match.groups()
                    self.watch(call, arguments, cut)
                    waiting[thread] = (call, arguments, self.begin(thread, call, arguments))
                    continue
                match = RESUMED.match(line)
                if match and match[1] in waiting:
                    call, arguments, begun = waiting.pop(match[1])
                    result = -1 if match[4] == "?" else int(match[4])
                    self.end(match[1], call, arguments + match[3], begun, result)
                    continue
                match = WHOLE.match(line)
                if match:
                    thread, call, arguments, result = match.groups()
                    self.watch(call, arguments, cut)
                    self.end(thread, call, arguments, self.begin(thread, call, arguments), int(result))
                    if call in ("sendto", "sendmsg", "write", "writev"):
                        self.watch("sent", arguments, cut)
        cut("end")

    def watch(self, call, arguments, cut):
        path, _ = self.file(arguments)
        if path and call in ("fsync", "fdatasync", "pwrite64", "pwritev", "ftruncate"):
            cut("before " + call)
        elif call == "sent" and len(self.acknowledged) + self.orders > self.seen:
            self.seen = len(self.acknowledged) + self.orders
            cut("acknowledged")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--trace", required=True)
    parser.add_argument("--base", required=True, help="the data directory before the recording")
    parser.add_argument("--directory", required=True, help="the path of the data directory in the recording")
    parser.add_argument("--into", required=True)
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--every-sync", action="store_true",
                        help="a cut at every change of what is certainly on the disk, with all else dropped")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chooser = random.Random(options.seed)
    points = []
    first = Recording(Disk(options.base, options.directory))
    first.play(options.trace, lambda why: points.append(why))
    # Right after an acknowledgement nothing may be missing; before a sync most may be.
    after = [n for n, why in enumerate(points) if why == "acknowledged"]
    others = [n for n, why in enumerate(points) if why != "acknowledged"]
    chosen = set(chooser.sample(after, min(len(after), options.cuts // 2)))
    chosen |= set(chooser.sample(others, min(len(others), options.cuts - len(chosen))))
    cuts = []
    disk = Disk(options.base, options.directory)
    second = Recording(disk)
    count = 0
    variants = ("dropped",) if options.every_sync else ("dropped", "kept", None)
    state = None

    def cut(why):
        nonlocal count, state
        now = (second.settled, len(second.acknowledged), second.orders)
        if now != state if options.every_sync else count in chosen:
            for variant in variants:
                variant = variant or chooser.choice(["random", "torn"])
                into = os.path.join(options.into, f"cut-{count}-{variant}")
                shutil.rmtree(into, ignore_errors=True)
                disk.build(into, variant, chooser)
                cuts.append({"directory": into, "why": why, "variant": variant,
                             "acknowledged": sorted(set(second.acknowledged)), "orders": second.orders})
        count += 1
        state = now

    second.play(options.trace, cut)
    print(json.dumps({"cuts": cuts, "early": first.early, "acknowledged": sorted(set(first.acknowledged)),
                      "orders": first.orders, "points": len(points), "syncs": first.syncs}))


main()
