"""Sends every file of some folders as it is, finds it, and fetches it back by C-GET, C-MOVE and WADO-RS.

Sent by C-STORE, or by STOW-RS with --stow. The web door's token is in HUIZHEN_WEB_TOKEN.
One JSON object on the last line of the output: what was sent, refused and skipped, and what came back otherwise.
"""

import argparse
import collections
import hashlib
import json
import os
import struct
import threading

import requests

import part10
import wire


class Receiver(threading.Thread):
    """A storage SCP that takes everything and remembers digests; one thread an association."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = wire.socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.digests = collections.defaultdict(set)

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        association = wire.Association.__new__(wire.Association)
        association.socket, association.peer_maximum = connection, 16384
        connection.setsockopt(wire.socket.IPPROTO_TCP, wire.socket.TCP_NODELAY, 1)
        try:
            _, body = association.read_pdu()
            answer, offset = body[:68], 68
            while offset + 4 <= len(body):
                kind, length = struct.unpack_from(">BxH", body, offset)
                inner = body[offset + 4:offset + 4 + length]
                if kind == 0x10:
                    answer += wire.item(0x10, inner)
                elif kind == 0x20:
                    size = struct.unpack_from(">H", inner, 6)[0]
                    first = inner[8 + size:]
                    syntax = first[:4 + struct.unpack_from(">H", first, 2)[0]]
                    answer += wire.item(0x21, bytes([inner[0], 0, 0, 0]) + syntax)
                offset += 4 + length
            user = wire.item(0x51, struct.pack(">I", 131072)) + wire.item(0x52, b"2.25.8")
            connection.sendall(wire.pdu(2, answer + wire.item(0x50, user)))
            while True:
                command, number, data = association.read_message()
                self.digests[command[0x00001000]].add(hashlib.sha256(data).hexdigest())
                done = {0x00000002: command[0x00000002], 0x00000900: 0, 0x00001000: command[0x00001000],
                        0x00000120: command[0x00000110]}
                association.send(number, wire.command_set(0x8001, 0, done, False), True)
        except wire.Ended as ended:
            if ended.how == "release asked":
                connection.sendall(wire.pdu(6, bytes(4)))
        except OSError:
            pass
        connection.close()


def batches(objects):
    """Groups that fit into the 128 contexts of one association."""
    group, pairs = [], set()
    for one in objects:
        pair = (one.sop_class, one.syntax)
        if len(pairs | {pair}) > 120:
            yield group, pairs
            group, pairs = [], set()
        group.append(one)
        pairs.add(pair)
    if group:
        yield group, pairs


def ground(one, held, status):
    """Why a refusal is right, from the files alone; empty when it is not."""
    # Said by the association's negotiation, or by Failure Reason 0x0122.
    if status in (-1, 0x0122) and one.sop_class.startswith("2.25."):
        return "not accepted: a made-up SOP class under 2.25"
    first = held.get(one.instance)
    if status == 0x0111 and first and first.digest != one.digest:
        return f"0x0111: other content than {first.path}"
    return ""


def send_all(port, objects, report):
    """Stores everything; gives what was taken by instance."""
    held = {}
    for group, pairs in batches(objects):
        contexts = [(sop_class, [syntax]) for sop_class, syntax in sorted(pairs)]
        association = wire.Association(port, contexts, maximum=131072)
        for one in group:
            status, how = -1, ""
            try:
                number = association.context(one.sop_class, one.syntax)
                status = association.store(number, one.sop_class, one.instance, one.data)
            except wire.Ended as ended:
                how = str(ended)
                if ended.how != "not accepted":
                    association = wire.Association(port, contexts, maximum=131072)
            if status == 0:
                # A second sending of the same object: the first stays.
                held.setdefault(one.instance, one)
            else:
                report["refused"].append(
                    {"path": one.path, "status": status, "how": how, "ground": ground(one, held, status)})
        association.release()
    return held


class Web:
    """The web door."""

    def __init__(self, port):
        self.root = f"http://127.0.0.1:{port}/dicom-web"
        self.session = requests.Session()
        self.session.headers["Authorization"] = "Bearer " + os.environ["HUIZHEN_WEB_TOKEN"]

    def send_all(self, objects, report):
        """Stores each file by a request of its own; gives what was taken by instance."""
        held = {}
        for one in objects:
            with open(one.source, "rb") as file:
                answer = self.session.post(
                    self.root + "/studies", data=file, headers={"Content-Type": "application/dicom"})
            if answer.status_code == 200:
                held.setdefault(one.instance, one)
                continue
            items = answer.json() if answer.headers["Content-Type"] == "application/dicom+json" else {}
            failures = [item for tag in ("00081198", "0008119A") for item in items.get(tag, {}).get("Value", [])]
            status = failures[0]["00081197"]["Value"][0] if failures else answer.status_code
            report["refused"].append(
                {"path": one.path, "status": status, "how": str(answer.status_code), "ground": ground(one, held, status)})
        return held

    def fetch(self, study):
        """The objects of a study as they are stored: transfer syntaxes and digests of datasets by instance."""
        answer = self.session.get(
            f"{self.root}/studies/{study}",
            headers={"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'})
        got = collections.defaultdict(set)
        if answer.status_code == 200:
            boundary = b"\r\n--" + answer.headers["Content-Type"].partition("boundary=")[2].strip('"').encode()
            for part in (b"\r\n" + answer.content).split(boundary)[1:-1]:
                one = part10.Part10(None, part.partition(b"\r\n\r\n")[2])
                got[one.instance].add((one.syntax, one.digest))
        return answer.status_code, got


def fetch_back(port, web, objects, held, report, receiver):
    find = wire.Association(port, [(wire.STUDY_FIND, [wire.EXPLICIT])])
    studies = collections.defaultdict(list)
    for instance, one in held.items():
        found, status = find.find(1, wire.identifier("IMAGE", instance=instance, study="", series="", number=""))
        if status != 0 or len(found) != 1:
            report["unfound"].append({"path": one.path, "matches": len(found), "status": status})
            continue
        studies[wire.read_values(found[0])[0x0020000D]].append(one)
    find.release()
    got = collections.defaultdict(set)

    def receive(command, syntax, data):
        got[command[0x00001000]].add((syntax, hashlib.sha256(data).hexdigest()))
        return 0

    for study, members in sorted(studies.items()):
        # Also of those that share a UID with another file: one of them is held.
        pairs = sorted({(one.sop_class, one.syntax) for one in objects if one.study == study or one in members})
        contexts = [(wire.STUDY_GET, [wire.EXPLICIT]), (wire.STUDY_MOVE, [wire.EXPLICIT])]
        contexts += [(sop_class, [syntax]) for sop_class, syntax in pairs]
        association = wire.Association(
            port, contexts, maximum=131072, roles=sorted({sop_class for sop_class, _ in pairs}))
        command, _ = association.get(1, wire.identifier("STUDY", study=study), receive)
        if command[0x00000900] != 0:
            report["retrieve"].append({"path": members[0].path, "verb": "get", "status": command[0x00000900]})
        command, _ = association.move(3, wire.identifier("STUDY", study=study), "RECEIVER")
        if command[0x00000900] != 0:
            report["retrieve"].append({"path": members[0].path, "verb": "move", "status": command[0x00000900]})
        association.release()
        status, fetched = web.fetch(study)
        if status != 200:
            report["retrieve"].append({"path": members[0].path, "verb": "WADO-RS", "status": status})
        for one in members:
            if fetched[one.instance] != {(one.syntax, one.digest)}:
                report["different"].append({"path": one.path, "verb": "WADO-RS"})
    for instance, one in held.items():
        if got[instance] != {(one.syntax, one.digest)}:
            report["different"].append({"path": one.path, "verb": "get"})
        if receiver.digests[instance] != {one.digest}:
            report["different"].append({"path": one.path, "verb": "move"})
    return len(studies)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--web-port", type=int, required=True)
    parser.add_argument("--stow", action="store_true", help="store by the web door")
    parser.add_argument("--tool", required=True, help="the binary, to add the receiver as a peer")
    parser.add_argument("--data", required=True)
    parser.add_argument("--held-somehow", action="store_true", help="objects were sent before, in any order")
    parser.add_argument("--only", help="a JSON list of the files to send, as a report names them; else all")
    parser.add_argument("folders", nargs="+")
    options = parser.parse_args()
    report = {"sent": 0, "held": 0, "studies": 0, "refused": [], "skipped": [], "unfound": [], "retrieve": [],
              "different": []}
    objects = []
    only = None
    if options.only:
        with open(options.only, encoding="utf-8") as file:
            only = set(json.load(file))
    for folder in options.folders:
        for path in part10.files_under(folder):
            if only is not None and os.path.relpath(path, folder) not in only:
                continue
            try:
                objects.append(part10.Part10(path))
                objects[-1].source, objects[-1].path = path, os.path.relpath(path, folder)
            except part10.Unsendable as reason:
                report["skipped"].append({"path": os.path.relpath(path, folder), "reason": str(reason)})
    web = Web(options.web_port)
    receiver = Receiver()
    receiver.start()
    part10.add_peer(options.tool, options.data, "RECEIVER", receiver.port)
    report["sent"] = len(objects)
    if options.held_somehow:
        # Of files that share a UID nobody knows which one came first.
        counts = collections.Counter(one.instance for one in objects)
        held = {one.instance: one for one in objects if counts[one.instance] == 1}
    elif options.stow:
        held = web.send_all(objects, report)
    else:
        held = send_all(options.port, objects, report)
    report["held"] = len(held)
    report["studies"] = fetch_back(options.port, web, objects, held, report, receiver)
    print(json.dumps(report))


main()
