"""Peers that break the rules, one scenario a run; prints what the service answered as JSON.

Every scenario plants CANARY values and UIDs in what it sends, so that the log can be searched for them.
"""

import argparse
import json
import socket
import struct
import threading
import time

import wire

CANARY = "Canary^Zwitscher"
CANARY_ID = "KANARI4711"
CANARY_UID = "2.25.4711471147114711"
CONTEXTS = [(wire.CT, [wire.EXPLICIT]), (wire.VERIFICATION, [wire.EXPLICIT]), (wire.STUDY_FIND, [wire.EXPLICIT])]


def data_set(number=1, **more):
    return wire.tiny(
        wire.CT, CANARY_UID + ".1", CANARY_UID + ".2", f"{CANARY_UID}.{number}", patient=CANARY_ID, name=CANARY, **more)


def outcome(association):
    """How the service ends or answers: bounded, since the socket has a timeout."""
    try:
        command, _, _ = association.read_message()
        return {"status": command[0x00000900]}
    except wire.Ended as ended:
        return {"ended": ended.how, "detail": list(ended.detail)}
    except ConnectionError:
        return {"ended": "closed", "detail": []}
    except (socket.timeout, TimeoutError):
        return {"ended": "silence", "detail": []}


def raw(port, data, half_close=True):
    """Sends bytes on a fresh connection, and says what came back until the end."""
    connection = socket.create_connection(("127.0.0.1", port), 60)
    try:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while len(answer) < 100_000:
            part = connection.recv(65536)
            if not part:
                break
            answer += part
        return {"ended": "closed", "bytes": list(answer[:10])}
    except ConnectionError:
        return {"ended": "reset", "bytes": []}
    except (socket.timeout, TimeoutError):
        return {"ended": "silence", "bytes": []}
    finally:
        connection.close()


def open_association(options, **more):
    return wire.Association(options.port, CONTEXTS, calling="HOSTILE", timeout=60, **more)


def truncated_request(options):
    whole = wire.associate_request(CONTEXTS, calling="HOSTILE")
    return [raw(options.port, whole[:length]) for length in (1, 5, 6, 7, 40, 74, len(whole) - 1)]


def wrong_lengths(options):
    """Items that claim more than their PDU holds, and PDUs that claim less."""
    whole = wire.associate_request(CONTEXTS, calling="HOSTILE")
    results = []
    for place in (76, 80, 100, 104, len(whole) - 10):
        broken = bytearray(whole)
        broken[place:place + 2] = b"\xff\xff"
        results.append(raw(options.port, bytes(broken)))
    short = bytearray(whole)
    short[2:6] = struct.pack(">I", 70)
    results.append(raw(options.port, bytes(short)))
    return results


def huge_pdu(options):
    results = []
    for kind in (1, 4, 5, 7):
        results.append(raw(options.port, struct.pack(">BxI", kind, 0xFFFFFFFF) + bytes(1000)))
    association = open_association(options)
    association.socket.sendall(struct.pack(">BxI", 4, 0xFFFFFFFF) + bytes(1000))
    results.append(outcome(association))
    return results


def pdv_lengths(options):
    """PDVs of length 0 and 1, beyond their PDU, and 0xFFFFFFFF."""
    results = []
    for length in (0, 1, 100, 0x7FFFFFFF, 0xFFFFFFFF):
        association = open_association(options)
        association.socket.sendall(wire.pdu(4, struct.pack(">IBB", length, 1, 3) + bytes(20)))
        association.socket.shutdown(socket.SHUT_WR)
        results.append(outcome(association))
    return results


def garbage(options):
    results = [raw(options.port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), raw(options.port, bytes(range(256)) * 40),
               raw(options.port, b""), raw(options.port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500))]
    association = open_association(options)
    association.socket.sendall(b"\xde\xad\xbe\xef" * 200)
    results.append(outcome(association))
    association = open_association(options)
    association.send(1, b"\xff" * 3000, True)
    results.append(outcome(association))
    return results


def unknown_context(options):
    association = open_association(options)
    association.send(99, wire.command_set(0x0030, 1, {2: wire.VERIFICATION}, False), True)
    first = outcome(association)
    association = open_association(options)
    association.begin_store(1, wire.CT, CANARY_UID + ".1")
    association.send(3, data_set(), False)
    return [first, outcome(association)]


def wrong_command(options):
    """A command nobody knows, a response out of the blue, a data set first, N-CREATE, a store on Verification."""
    results = []
    for field in (0x7777, 0x8030, 0x0140, 0x8001):
        association = open_association(options)
        association.send(3, wire.command_set(field, 5, {2: wire.VERIFICATION}, False), True)
        results.append(outcome(association))
    association = open_association(options)
    association.send(1, data_set(), False)
    results.append(outcome(association))
    association = open_association(options)
    association.begin_store(3, wire.CT, CANARY_UID + ".1")
    association.send(3, data_set(), False)
    results.append(outcome(association))
    return results


def nested(options):
    """Sequences in sequences: at the declared bound, and far beyond."""
    results = []
    for depth, defined in ((60, False), (100_000, False), (100_000, True)):
        inner = b""
        if defined:
            # Lengths from the inside out, as 32 bits allow.
            parts, size = [], 0
            for _ in range(depth):
                head = struct.pack("<HH2sxxI", 0x0040, 0xA730, b"SQ", size + 8) + struct.pack(
                    "<HHI", 0xFFFE, 0xE000, size)
                parts.append(head)
                size += len(head)
            inner = b"".join(reversed(parts))
        else:
            inner = (struct.pack("<HH2sxxI", 0x0040, 0xA730, b"SQ", 0xFFFFFFFF)
                     + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)) * depth
            inner += (struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)) * depth
        association = open_association(options)
        association.begin_store(1, wire.CT, f"{CANARY_UID}.{depth}")
        association.send(1, data_set(depth, more={0x0040A730: inner}), False)
        answer = outcome(association)
        # The association goes on.
        answer["echo"] = association.echo() if "status" in answer else -1
        association.release()
        results.append(answer)
    return results


def contradicting(options):
    """A data set that names another class and instance than the command: the data set counts."""
    association = open_association(options)
    association.begin_store(1, wire.SECONDARY_CAPTURE, CANARY_UID + ".77")
    association.send(1, data_set(42), False)
    first = outcome(association)
    found = [len(association.find(5, wire.identifier("IMAGE", instance=f"{CANARY_UID}.{n}"))[0]) for n in (42, 77)]
    first["found"] = found
    association.release()
    return [first]


def wrong_syntax(options):
    """Implicit bytes announced as explicit, explicit as implicit, nonsense as deflated and as JPEG."""
    def implicit(number):
        elements = [(0x00080016, wire.CT), (0x00080018, f"{CANARY_UID}.{number}"), (0x00100010, CANARY),
                    (0x00100020, CANARY_ID), (0x0020000D, CANARY_UID + ".1"), (0x0020000E, CANARY_UID + ".2")]
        return b"".join(wire.element(tag, value) for tag, value in elements)

    cases = [(wire.EXPLICIT, implicit(201)), (wire.IMPLICIT, data_set(202)),
             ("1.2.840.10008.1.2.1.99", data_set(203)), ("1.2.840.10008.1.2.2", data_set(204)),
             ("1.2.840.10008.1.2.4.50", implicit(205)), (wire.EXPLICIT, b"\xff" * 5000), (wire.EXPLICIT, b""),
             (wire.EXPLICIT, data_set(208)[:-3])]
    results = []
    for number, (syntax, data) in enumerate(cases):
        association = wire.Association(
            options.port, [(wire.CT, [syntax]), (wire.VERIFICATION, [wire.EXPLICIT])], calling="HOSTILE")
        association.begin_store(1, wire.CT, f"{CANARY_UID}.{201 + number}")
        association.send(1, data, False)
        answer = outcome(association)
        answer["echo"] = association.echo() if "status" in answer else -1
        association.release()
        if answer.get("status") == 0:
            get = wire.Association(
                options.port,
                [(wire.STUDY_GET, [wire.EXPLICIT]), (wire.CT, [syntax]), (wire.STUDY_FIND, [wire.EXPLICIT])],
                calling="HOSTILE", roles=[wire.CT])
            back = []
            key = f"{CANARY_UID}.{201 + number}"
            matches, _ = get.find(5, wire.identifier("IMAGE", instance=key, study="", series=""))
            found = wire.read_values(matches[0]) if matches else {}
            get.get(1, wire.identifier("IMAGE", instance=key, study=found.get(0x0020000D, ""),
                                       series=found.get(0x0020000E, "")), lambda c, s, d: back.append(d) or 0)
            get.release()
            answer["same"] = back == [data]
        results.append(answer)
    return results


def bomb(options):
    """Claims of what is not there: 65535 x 65535 pixels, a value of 4 GB, a value deflated to a thousandth."""
    import zlib
    results = []
    more = {0x00280010: wire.explicit(0x00280010, "US", 65535), 0x00280011: wire.explicit(0x00280011, "US", 65535),
            0x00280100: wire.explicit(0x00280100, "US", 16), 0x7FE00010: wire.explicit(0x7FE00010, "OW", bytes(32))}
    claims = {0x7FE00010: struct.pack("<HH2sxxI", 0x7FE0, 0x0010, b"OW", 0xFFFFFFF0) + bytes(100)}
    text = {0x00081030: struct.pack("<HH2sH", 0x0008, 0x1030, b"LO", 0xFFFE) + b"x" * 10}
    for number, extra in enumerate((more, claims, text)):
        association = open_association(options)
        association.begin_store(1, wire.CT, f"{CANARY_UID}.{300 + number}")
        association.send(1, data_set(300 + number, more=extra), False)
        results.append(outcome(association))
        association.release()
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    squeezed = compressor.compress(data_set(310))
    squeezed += compressor.compress(struct.pack("<HH2sxxI", 0x7FE0, 0x0010, b"OB", options.count << 20))
    for _ in range(options.count):
        squeezed += compressor.compress(bytes(1 << 20))
    squeezed += compressor.flush()
    deflated = [(wire.CT, ["1.2.840.10008.1.2.1.99"])]
    association = wire.Association(options.port, deflated, calling="HOSTILE", timeout=200)
    association.begin_store(1, wire.CT, f"{CANARY_UID}.310")
    association.send(1, squeezed, False)
    results.append(outcome(association))
    return results


def vanish(options):
    """Leaves in the middle of an object, politely, by reset, and by abort; nothing of it may be found."""
    for number in range(3):
        association = open_association(options)
        association.begin_store(1, wire.CT, f"{CANARY_UID}.{400 + number}")
        association.send(1, data_set(400 + number, pixels=bytes(500_000))[:300_000], False, is_last=False)
        if number == 0:
            association.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif number == 1:
            association.socket.sendall(wire.pdu(7, bytes(4)))
        association.close()
    time.sleep(0.3)
    association = open_association(options)
    instances = [f"{CANARY_UID}.{400 + number}" for number in range(3)]
    found = [len(association.find(5, wire.identifier("IMAGE", instance=one))[0]) for one in instances]
    association.release()
    return [{"found": found}]


def slow(options):
    """One byte a second: into the negotiation, and into a PDU of an association. The service has short timers."""
    def drip(connection, data):
        started = time.monotonic()
        try:
            for byte in data:
                connection.sendall(bytes([byte]))
                time.sleep(1)
                connection.setblocking(False)
                try:
                    if connection.recv(1000) in (b"",) or True:
                        return {"ended": "ended", "seconds": time.monotonic() - started}
                except BlockingIOError:
                    pass
                finally:
                    connection.setblocking(True)
                if time.monotonic() - started > 40:
                    break
        except OSError:
            return {"ended": "ended", "seconds": time.monotonic() - started}
        return {"ended": "silence", "seconds": time.monotonic() - started}

    results = []

    def one(index):
        if index == 0:
            connection = socket.create_connection(("127.0.0.1", options.port), 60)
            results.append(drip(connection, wire.associate_request(CONTEXTS, calling="HOSTILE")))
        else:
            association = open_association(options)
            association.begin_store(1, wire.CT, f"{CANARY_UID}.500")
            results.append(drip(association.socket, struct.pack(">BxIIBB", 4, 10_006, 10_002, 1, 2) + bytes(10_000)))

    threads = [threading.Thread(target=one, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def crowd(options):
    """1,000 connections from 127.0.0.2, most silent; 127.0.0.1 works beside them."""
    held, rejected = [], 0
    for _ in range(options.count):
        connection = socket.create_connection(("127.0.0.1", options.port), 30, ("127.0.0.2", 0))
        held.append(connection)
    time.sleep(0.5)
    for connection in held:
        connection.setblocking(False)
        try:
            if connection.recv(10)[:1] == b"\x03":
                rejected += 1
        except (BlockingIOError, ConnectionError):
            pass
    statuses = []
    for number in range(5):
        association = open_association(options)
        statuses.append(association.store(1, wire.CT, f"{CANARY_UID}.{600 + number}", data_set(600 + number)))
        statuses.append(association.echo())
        association.release()
    for connection in held:
        connection.close()
    return [{"statuses": statuses, "rejected": rejected}]


def silent(options):
    """Many peers that connect and say nothing, and many that associate and say nothing."""
    quiet = [socket.create_connection(("127.0.0.1", options.port), 30) for _ in range(options.count)]
    idle = [open_association(options) for _ in range(options.count)]
    association = open_association(options)
    statuses = [association.echo() for _ in range(20)]
    association.release()
    for one in quiet + idle:
        one.close()
    return [{"statuses": statuses}]


def limit(options):
    """One association more than allowed, then one again when another has ended."""
    held = [open_association(options) for _ in range(options.count)]
    quiet = [socket.create_connection(("127.0.0.1", options.port), 30) for _ in range(20)]
    try:
        open_association(options)
        refusal = []
    except wire.Ended as ended:
        refusal = list(ended.detail)
    held.pop().release()
    time.sleep(0.3)
    again = open_association(options).echo()
    for one in held + quiet:
        one.close()
    return [{"detail": refusal, "status": again}]


def connection_limit(options):
    """One connection more than one address may have."""
    held = [socket.create_connection(("127.0.0.1", options.port), 30) for _ in range(options.count)]
    time.sleep(0.3)
    result = raw(options.port, b"", half_close=False)
    other = wire.Association(options.port, CONTEXTS, calling="HOSTILE", source="127.0.0.3").echo()
    for one in held:
        one.close()
    return [{**result, "status": other}]


def big_identifier(options):
    results = []
    for size in (100_000, 3_000_000):
        association = open_association(options)
        key = wire.explicit(0x0020000D, "UI", "2.25.1")
        blob = wire.explicit(0x00420011, "OB", bytes(size))
        association.query(5, 0x0020, wire.identifier("STUDY") + key + blob)
        results.append(outcome(association))
    association = open_association(options)
    association.send(3, wire.command_set(0x0030, 1, {2: wire.VERIFICATION, 0x00000902: "x" * 60_000}, False), True)
    results.append(outcome(association))
    association = open_association(options)
    association.send(3, wire.element(0x00000000, bytes(4)) + bytes(200_000), True)
    results.append(outcome(association))
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, default=50)
    options = parser.parse_args()
    print(json.dumps(globals()[options.scenario](options)))


main()
