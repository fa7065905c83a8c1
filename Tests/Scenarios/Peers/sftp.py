"""A bare client of SFTP 3 that speaks to `huizhen sftp-server` over pipes, and does what well-behaved ones do not.

Prints one line of JSON at the end."""

import argparse
import json
import random
import struct
import subprocess
import time

INIT, OPEN, CLOSE, READ, WRITE, STAT, OPENDIR, READDIR, REALPATH = 1, 3, 4, 5, 6, 17, 11, 12, 16
STATUS, HANDLE, DATA, NAME, ATTRS = 101, 102, 103, 104, 105
PUT = 2 | 8 | 16


def string(value):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack(">I", len(value)) + value


class Ended(Exception):
    pass


class Client:
    def __init__(self, options):
        command = [options.binary, "sftp-server", "--socket", options.socket]
        if options.subject:
            command += ["--subject", options.subject]
        whose = {"user": options.user, "group": options.user, "extra_groups": []} if options.user else {}
        self.program = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **whose)
        self.number = 0

    def send(self, raw):
        try:
            self.program.stdin.write(raw)
            self.program.stdin.flush()
        except BrokenPipeError:
            raise Ended from None

    def exactly(self, count):
        data = self.program.stdout.read(count)
        if len(data) < count:
            raise Ended
        return data

    def packet(self):
        length = struct.unpack(">I", self.exactly(4))[0]
        return self.exactly(length)

    def begin(self):
        self.send(struct.pack(">IBI", 5, INIT, 3))
        answer = self.packet()
        assert answer[0] == 2 and struct.unpack(">I", answer[1:5])[0] == 3
        return self

    def request(self, kind, body):
        self.number += 1
        payload = struct.pack(">BI", kind, self.number) + body
        self.send(struct.pack(">I", len(payload)) + payload)
        return self.number

    def answer(self):
        """Kind, number and the rest of the next packet."""
        packet = self.packet()
        return packet[0], struct.unpack(">I", packet[1:5])[0], packet[5:]

    def ask(self, kind, body):
        number = self.request(kind, body)
        answered, of, rest = self.answer()
        assert of == number, "an answer to another request"
        return answered, rest

    def open(self, path, flags):
        kind, rest = self.ask(OPEN, string(path) + struct.pack(">II", flags, 0))
        return rest[4:] if kind == HANDLE else None, status(kind, rest)

    def write(self, handle, offset, data):
        return status(*self.ask(WRITE, string(handle) + struct.pack(">Q", offset) + string(data)))

    def close(self, handle):
        return status(*self.ask(CLOSE, string(handle)))

    def names(self, path):
        """What is in a directory; or the status that kept it from being listed."""
        kind, rest = self.ask(OPENDIR, string(path))
        if kind != HANDLE:
            return status(kind, rest)[0]
        handle, found = rest[4:], []
        while True:
            kind, rest = self.ask(READDIR, string(handle))
            if kind != NAME:
                self.close(handle)
                return found
            count, rest = struct.unpack(">I", rest[:4])[0], rest[4:]
            for _ in range(count):
                texts = []
                for _ in range(2):
                    length = struct.unpack(">I", rest[:4])[0]
                    texts.append(rest[4:4 + length].decode())
                    rest = rest[4 + length:]
                flags = struct.unpack(">I", rest[:4])[0]
                rest = rest[4 + (8 if flags & 1 else 0) + (4 if flags & 4 else 0):]
                found.append(texts[0])

    def fetch(self, path):
        """The bytes of a file; or the status that kept it from being read."""
        handle, refused = self.open(path, 1)
        if not handle:
            return refused[0]
        data = b""
        while True:
            kind, rest = self.ask(READ, string(handle) + struct.pack(">QI", len(data), 100000))
            if kind != DATA:
                self.close(handle)
                return data
            data += rest[4:]

    def put(self, path, data):
        handle, refused = self.open(path, PUT)
        if not handle:
            return refused[0]
        written = self.write(handle, 0, data)
        return max(written[0], self.close(handle)[0])

    def end(self):
        """Ends, and gives what the program said to people."""
        try:
            self.program.stdin.close()
        except BrokenPipeError:
            pass
        self.program.wait(30)
        return self.program.stderr.read().decode().strip()


def status(kind, rest):
    """Code and words; nothing for other answers."""
    if kind != STATUS:
        return None
    count = struct.unpack(">I", rest[4:8])[0]
    return [struct.unpack(">I", rest[:4])[0], rest[8:8 + count].decode()]


def connect(options):
    client = Client(options)
    try:
        client.begin()
    except Ended:
        return {"isIn": False, "words": client.end()}
    client.end()
    return {"isIn": True, "words": ""}


def silent(options):
    """Says nothing any more, and waits for the end."""
    client = Client(options).begin()
    handle, refused = client.open("/incoming/silent", PUT)
    assert handle, refused
    begin = time.monotonic()
    try:
        client.packet()
    except Ended:
        return {"isIn": time.monotonic() - begin < 60, "words": client.end()}
    return {"isIn": False, "words": "a packet nobody asked for"}


def shuffled(options):
    """Puts a file in pieces that come out of order."""
    data = open(options.file, "rb").read()
    pieces = [(start, data[start:start + 5000]) for start in range(0, len(data), 5000)]
    generator = random.Random(7)
    parts = [pieces[start:start + 20] for start in range(0, len(pieces), 20)]
    for part in parts:
        generator.shuffle(part)
    client = Client(options).begin()
    handle, refused = client.open("/incoming/shuffled", PUT)
    assert handle, refused
    for part in parts:
        for offset, piece in part:
            answered = client.write(handle, offset, piece)
            assert answered[0] == 0, answered
    result = client.close(handle)
    client.end()
    return {"status": result[0], "words": result[1]}


def killed(options):
    """Writes half of a file, and is killed."""
    data = open(options.file, "rb").read()
    client = Client(options).begin()
    handle, refused = client.open("/incoming/half", PUT)
    assert handle, refused
    result = client.write(handle, 0, data[:len(data) // 2])
    client.program.kill()
    client.program.wait()
    return {"status": result[0], "words": result[1]}


def dripping(options):
    """Writes a file byte by byte until something happens, then closes it."""
    data = open(options.file, "rb").read()
    client = Client(options).begin()
    handle, refused = client.open("/incoming/dripping", PUT)
    assert handle, refused
    half = len(data) // 2
    assert client.write(handle, 0, data[:half])[0] == 0
    print("ready", flush=True)
    end = time.monotonic() + 60
    try:
        while time.monotonic() < end:
            result = client.write(handle, half, data[half:half + 1])
            half += 1
            if result[0]:
                closed = client.close(handle)
                return {"status": result[0], "words": result[1], "closed": closed[0]}
            time.sleep(0.005)
    except Ended:
        return {"status": -1, "words": client.end()}
    return {"status": 0, "words": "nothing happened"}


def reading(options):
    """Reads a file again and again until it may not."""
    client = Client(options).begin()
    handle, refused = client.open(options.path, 1)
    assert handle, refused
    end = time.monotonic() + 60
    isReady = False
    while time.monotonic() < end:
        kind, rest = client.ask(READ, string(handle) + struct.pack(">QI", 0, 1000))
        if kind != DATA:
            answered = status(kind, rest)
            reopened = client.open(options.path, 1)[1]
            client.end()
            return {"status": answered[0], "words": answered[1], "reopened": reopened[0]}
        if not isReady:
            print("ready", flush=True)
            isReady = True
        time.sleep(0.005)
    return {"status": 0, "words": "nothing happened"}


def crowd(options):
    """Connects as often as it may."""
    clients = []
    words = ""
    for _ in range(options.count):
        client = Client(options)
        try:
            client.begin()
            clients.append(client)
        except Ended:
            words = client.end()
            break
    for client in clients:
        client.end()
    return {"count": len(clients), "words": words}


def malformed(options):
    """Sends what is no SFTP, each on a connection of its own; whether it was answered or the connection ended."""
    begin = struct.pack(">IBI", 5, INIT, 3)
    handle = string(struct.pack(">Q", 1))

    def packet(kind, body):
        return struct.pack(">IBI", len(body) + 5, kind, 1) + body

    opened = packet(OPEN, string("/incoming/x") + struct.pack(">II", PUT, 0))
    streams = {
        "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "old": struct.pack(">IBI", 5, INIT, 2),
        "early": packet(REALPATH, string(".")),
        "twice": begin + begin,
        "empty": begin + bytes(4),
        "huge": begin + struct.pack(">I", (256 << 10) + 1),
        "largest": begin + struct.pack(">I", 256 << 10) + bytes(256 << 10),
        "cut": begin + packet(REALPATH, string("."))[:-1],
        "length": begin + packet(REALPATH, struct.pack(">I", 0xFFFFFFFF)),
        "path": begin + packet(STAT, string("/" + "a/" * 3000)),
        "nul": begin + packet(OPEN, string("/incoming/a\0b") + struct.pack(">II", PUT, 0)),
        "gap": begin + opened + packet(WRITE, handle + struct.pack(">Q", 1 << 40) + string(b"x")),
        "end": begin + opened + packet(WRITE, handle + struct.pack(">Q", (1 << 64) - 1) + string(b"xy")),
        "handle": begin + packet(READ, string(b"\xff" * 300) + struct.pack(">QI", 0, 10)),
        "climb": begin + packet(OPEN, string("/incoming/../../etc/passwd") + struct.pack(">II", 1, 0)),
        "noise": begin + random.Random(3).randbytes(5000),
    }
    report = {}
    for label, stream in streams.items():
        client = Client(options)
        answers = []
        try:
            client.send(stream)
            client.program.stdin.close()
            while True:
                kind, _, rest = client.answer()
                if kind == STATUS:
                    answers.append(status(kind, rest)[0])
        except Ended:
            pass
        client.program.wait(30)
        report[label] = answers
    return report


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=[
        "connect", "silent", "shuffled", "killed", "dripping", "reading", "crowd", "malformed"])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--socket", required=True)
    parser.add_argument("--subject", default="")
    parser.add_argument("--user", type=int, default=0, help="number of the account that the client has")
    parser.add_argument("--file", default="")
    parser.add_argument("--path", default="")
    parser.add_argument("--count", type=int, default=0)
    options = parser.parse_args()
    print(json.dumps(globals()[options.what](options)))


if __name__ == "__main__":
    main()
