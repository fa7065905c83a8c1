"""DICOM upper layer and DIMSE on a plain socket, so that a test can say exactly which bytes go out.

PS3.8 for the PDUs, PS3.7 for the messages.
"""

import socket
import struct

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
VERIFICATION = "1.2.840.10008.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_GET = "1.2.840.10008.5.1.4.1.2.2.3"


class Ended(Exception):
    """The other side rejected, aborted or closed."""

    def __init__(self, how, detail=()):
        super().__init__(f"{how} {tuple(detail)}")
        self.how, self.detail = how, tuple(detail)


def pdu(kind, body):
    return struct.pack(">BxI", kind, len(body)) + body


def item(kind, body):
    return struct.pack(">BxH", kind, len(body)) + body


def uid(text):
    return text.encode("ascii")


def associate_request(contexts, calling="WIRE", called="HUIZHEN", maximum=65536, roles=()):
    body = struct.pack(">HH", 1, 0) + called.ljust(16).encode() + calling.ljust(16).encode() + bytes(32)
    body += item(0x10, uid("1.2.840.10008.3.1.1.1"))
    for number, (abstract, syntaxes) in enumerate(contexts):
        inner = item(0x30, uid(abstract)) + b"".join(item(0x40, uid(s)) for s in syntaxes)
        body += item(0x20, bytes([2 * number + 1, 0, 0, 0]) + inner)
    user = item(0x51, struct.pack(">I", maximum)) + item(0x52, uid("2.25.7")) + item(0x55, b"WIRE")
    for abstract in roles:
        user += item(0x54, struct.pack(">H", len(abstract)) + uid(abstract) + bytes([0, 1]))
    return pdu(1, body + item(0x50, user))


def element(tag, value):
    if isinstance(value, int):
        value = struct.pack("<H", value)
    elif isinstance(value, str):
        value = value.encode("utf-8")
        if len(value) % 2:
            value += b"\0"
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value


def command_set(field, message, elements, has_data):
    """Elements other than the three that every command has; PS3.7 §6.3.1: implicit little endian."""
    all_elements = dict(elements)
    all_elements[0x00000100] = field
    all_elements.setdefault(0x00000120 if field & 0x8000 else 0x00000110, message)
    all_elements[0x00000800] = 1 if has_data else 0x0101
    body = b"".join(element(tag, all_elements[tag]) for tag in sorted(all_elements))
    return element(0x00000000, struct.pack("<I", len(body))) + body


def parse_command(data):
    found, offset = {}, 0
    while offset + 8 <= len(data):
        group, number, length = struct.unpack_from("<HHI", data, offset)
        value = data[offset + 8:offset + 8 + length]
        tag = group << 16 | number
        texts = (0x00000002, 0x00000003, 0x00000902, 0x00001000, 0x00001001, 0x00000600)
        if tag in texts:
            value = value.rstrip(b"\0 ").decode("ascii", "replace")
        elif length == 2:
            value = struct.unpack("<H", value)[0]
        found[tag] = value
        offset += 8 + length
    return found


class Association:
    """Opens an association; `accepted` maps context ids to transfer syntaxes."""

    def __init__(self, port, contexts, calling="WIRE", called="HUIZHEN", maximum=65536, roles=(), source=None,
                 host="127.0.0.1", timeout=60):
        self.contexts = {2 * n + 1: c for n, c in enumerate(contexts)}
        self.message = 0
        self.socket = socket.create_connection((host, port), timeout, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(associate_request(contexts, calling, called, maximum, roles))
        kind, body = self.read_pdu()
        if kind != 2:
            raise Ended("rejected" if kind == 3 else f"pdu {kind}", body[1:4])
        self.accepted, self.results, self.peer_maximum = {}, {}, 16384
        offset = 68
        while offset + 4 <= len(body):
            kind, length = struct.unpack_from(">BxH", body, offset)
            inner = body[offset + 4:offset + 4 + length]
            if kind == 0x21:
                self.results[inner[0]] = inner[2]
                if inner[2] == 0:
                    size = struct.unpack_from(">H", inner, 6)[0]
                    self.accepted[inner[0]] = inner[8:8 + size].decode("ascii")
            elif kind == 0x50:
                place = 0
                while place + 4 <= len(inner):
                    sub, size = struct.unpack_from(">BxH", inner, place)
                    if sub == 0x51:
                        self.peer_maximum = struct.unpack_from(">I", inner, place + 4)[0] or 131072
                    place += 4 + size
            offset += 4 + length

    def context(self, abstract, syntax=None):
        for number, (name, _) in self.contexts.items():
            if name == abstract and number in self.accepted and syntax in (None, self.accepted[number]):
                return number
        raise Ended("not accepted")

    def receive(self, count):
        parts = bytearray()
        while len(parts) < count:
            part = self.socket.recv(min(count - len(parts), 1 << 20))
            if not part:
                raise Ended("closed")
            parts += part
        return bytes(parts)

    def read_pdu(self):
        kind, length = struct.unpack(">BxI", self.receive(6))
        body = self.receive(length)
        if kind == 7:
            raise Ended("aborted", body[2:4])
        return kind, body

    def send(self, number, data, is_command, is_last=True):
        """Data in as many PDUs as the other side's maximum asks for."""
        step = min(self.peer_maximum, 131072) - 6
        out = bytearray()
        offset = 0
        while True:
            part = data[offset:offset + step]
            offset += len(part)
            last = is_last and offset >= len(data)
            header = struct.pack(">IBB", len(part) + 2, number, (1 if is_command else 0) | (2 if last else 0))
            out += pdu(4, header + part)
            if offset >= len(data):
                break
        self.socket.sendall(out)

    def read_message(self):
        """The next command, its context, and its data set."""
        command, data, number = bytearray(), bytearray(), 0
        found = None
        queue = getattr(self, "_queue", [])
        while True:
            if not queue:
                kind, body = self.read_pdu()
                if kind == 6:
                    raise Ended("released")
                if kind == 5:
                    raise Ended("release asked")
                offset = 0
                while offset < len(body):
                    length, context, flags = struct.unpack_from(">IBB", body, offset)
                    queue.append((context, flags, body[offset + 6:offset + 4 + length]))
                    offset += 4 + length
            number, flags, part = queue.pop(0)
            self._queue = queue
            if flags & 1:
                command += part
                if flags & 2:
                    found = parse_command(command)
                    if found.get(0x00000800) == 0x0101:
                        return found, number, b""
            else:
                data += part
                if flags & 2:
                    return found, number, bytes(data)

    def next_message(self):
        self.message = self.message % 65535 + 1
        return self.message

    def begin_store(self, number, sop_class, instance, more=()):
        elements = {0x00000002: sop_class, 0x00000700: 0, 0x00001000: instance, **dict(more)}
        self.send(number, command_set(0x0001, self.next_message(), elements, True), True)

    def store(self, number, sop_class, instance, data):
        """The status of the response."""
        self.begin_store(number, sop_class, instance)
        self.send(number, data, False)
        return self.read_message()[0][0x00000900]

    def echo(self):
        number = self.context(VERIFICATION)
        self.send(number, command_set(0x0030, self.next_message(), {0x00000002: VERIFICATION}, False), True)
        return self.read_message()[0][0x00000900]

    def query(self, number, field, identifier, more=()):
        elements = {0x00000002: self.contexts[number][0], 0x00000700: 0, **dict(more)}
        message = self.next_message()
        self.send(number, command_set(field, message, elements, True), True)
        self.send(number, identifier, False)
        return message

    def find(self, number, identifier):
        """The identifiers found, and the last status."""
        self.query(number, 0x0020, identifier)
        found = []
        while True:
            command, _, data = self.read_message()
            if command[0x00000900] not in (0xFF00, 0xFF01):
                return found, command[0x00000900]
            found.append(data)

    def get(self, number, identifier, receive):
        """C-GET; `receive(command, syntax, data)` gives each C-STORE's status. The last response."""
        self.query(number, 0x0010, identifier)
        while True:
            command, context, data = self.read_message()
            if command[0x00000100] == 0x0001:
                status = receive(command, self.accepted[context], data)
                answer = {0x00000002: command[0x00000002], 0x00000900: status, 0x00001000: command[0x00001000]}
                self.send(context, command_set(0x8001, command[0x00000110], answer, False), True)
            elif command[0x00000900] != 0xFF00:
                return command, data

    def move(self, number, identifier, destination):
        """The last response."""
        self.query(number, 0x0021, identifier, {0x00000600: destination})
        while True:
            command, _, data = self.read_message()
            if command[0x00000900] != 0xFF00:
                return command, data

    def cancel(self, number, message):
        body = {0x00000120: message}
        self.send(number, command_set(0x0FFF, message, body, False), True)

    def release(self):
        try:
            self.socket.sendall(pdu(5, bytes(4)))
            while self.read_pdu()[0] != 6:
                pass
        except (OSError, Ended):
            pass
        self.close()

    def close(self):
        self.socket.close()


LONG = ("OB", "OW", "OF", "OD", "OL", "SQ", "UN", "UT", "UC", "UR")


def explicit(tag, vr, value):
    """One element in explicit VR little endian, padded to even length."""
    if isinstance(value, int):
        value = struct.pack("<H", value)
    elif isinstance(value, str):
        value = value.encode("utf-8")
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB") else b" "
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    return head + (struct.pack("<xxI", len(value)) if vr in LONG else struct.pack("<H", len(value))) + value


def identifier(level, **keys):
    """Keys of a query in explicit VR little endian; names as in `KEYS`."""
    elements = {0x00080052: explicit(0x00080052, "CS", level), 0x00080005: explicit(0x00080005, "CS", "ISO_IR 192")}
    for name, value in keys.items():
        tag, vr = KEYS[name]
        elements[tag] = explicit(tag, vr, value)
    return b"".join(elements[tag] for tag in sorted(elements))


KEYS = {
    "instance": (0x00080018, "UI"), "accession": (0x00080050, "SH"), "name": (0x00100010, "PN"),
    "patient": (0x00100020, "LO"), "issuer": (0x00100021, "LO"), "study": (0x0020000D, "UI"),
    "series": (0x0020000E, "UI"), "number": (0x00200013, "IS"),
}


def read_values(data):
    """Text of the elements of an explicit VR little endian data set without sequences."""
    found, offset = {}, 0
    while offset + 8 <= len(data):
        group, number = struct.unpack_from("<HH", data, offset)
        vr = data[offset + 4:offset + 6].decode("ascii", "replace")
        if vr in LONG:
            length, start = struct.unpack_from("<I", data, offset + 8)[0], offset + 12
        else:
            length, start = struct.unpack_from("<H", data, offset + 6)[0], offset + 8
        found[group << 16 | number] = data[start:start + length].rstrip(b"\0 ").decode("utf-8", "replace")
        offset = start + length
    return found


def tiny(sop_class, study, series, instance, patient="P1", name="Probe^Test", pixels=b"", more=(), sop_instance=True):
    """A small data set in explicit VR little endian; `more` holds encoded elements by tag."""
    elements = {
        0x00080016: explicit(0x00080016, "UI", sop_class),
        0x00080020: explicit(0x00080020, "DA", "20240102"),
        0x00080050: explicit(0x00080050, "SH", "ACC1"),
        0x00080060: explicit(0x00080060, "CS", "OT"),
        0x00100010: explicit(0x00100010, "PN", name),
        0x00100020: explicit(0x00100020, "LO", patient),
        0x0020000D: explicit(0x0020000D, "UI", study),
        0x0020000E: explicit(0x0020000E, "UI", series),
        0x00200013: explicit(0x00200013, "IS", "1"),
    }
    if sop_instance:
        elements[0x00080018] = explicit(0x00080018, "UI", instance)
    if pixels:
        # Another VR of 8-bit data than pixel data itself, so that any length is a lawful object.
        elements[0x00420011] = explicit(0x00420011, "OB", pixels)
    elements.update(dict(more))
    return b"".join(elements[tag] for tag in sorted(elements))
