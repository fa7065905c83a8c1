"""A site by another vendor: the protocol between sites as `Docs/TRANSFER.md` says it, and nothing else.

othersite.py certificate --certificate F                       makes one, and its key in F.key
othersite.py serve --certificate F --site S                    takes what is pushed, gives what is pulled
othersite.py push --certificate F --site S --port P --study U  begins, is cut off, goes on; and sends all of it once more
othersite.py pull --certificate F --site S --port P --study U  fetches a study and signs for it

S is the other site's certificate. Studies are made from their UIDs, so that each side can tell whether bytes are right.
"""

import argparse
import base64
import collections
import datetime
import hashlib
import http.client
import http.server
import json
import os
import random
import ssl
import threading

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import wire
from sitewire import CHUNK, MESSAGE, certificate, chunk, packed, pieces, unpacked

NAME = "X"
# Of the same study with another large object.
SALT = ""
WHOLE = 4 << 20
RANGE = 2 << 20


def objects(study):
    """The bytes of a study's objects: 40 small ones, one that only goes in ranges, and one that compresses."""
    def image(number, pixels=b""):
        return wire.tiny(wire.CT, study, study + ".1", f"{study}.9.{number}", pixels=pixels)

    noise = random.Random(study + SALT)
    return [image(n) for n in range(40)] + [image(40, noise.randbytes(9 << 20)), image(41, b"tissue, " * (3 << 17))]


def announced(study, start=0, end=None):
    return [{"n": number, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data),
             "instance": f"{study}.9.{number}", "class": wire.CT, "syntax": wire.EXPLICIT}
            for number, data in enumerate(objects(study))][start:end]


def piece(number, offset, data, whole, compressed=False):
    """One of a chunk; the digest of a whole object was announced."""
    digest = bytes(32) if whole else hashlib.sha256(data).digest()
    return number, int(compressed), offset, len(data), packed(data) if compressed else data, digest


class Site:
    """This site, and what it knows of the other."""

    def __init__(self, options):
        self.own, self.port = options.certificate, options.port
        self.other = open(options.site, "rb").read()
        self.cafile = options.site

    def fingerprint(self, pem):
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode())).hexdigest()

    def context(self, side):
        context = ssl.SSLContext(side)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.own, self.own + ".key")
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(self.cafile)
        return context

    def sign(self, receipt):
        key = serialization.load_pem_private_key(open(self.own + ".key", "rb").read(), None)
        data = json.dumps(receipt).encode()
        return {"receipt": base64.b64encode(data).decode(),
                "signature": base64.b64encode(key.sign(data, ec.ECDSA(hashes.SHA256()))).decode()}

    def receipt(self, name, study, outcomes):
        """Signed; of (what was announced, outcome)."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return self.sign({
            "transfer": name, "receiver": NAME, "certificate": self.fingerprint(open(self.own, "rb").read()),
            "sender": self.fingerprint(self.other), "study": study, "completedAt": now,
            "objects": [{"instance": one["instance"], "sha256": one["sha256"], "size": one["size"], "outcome": outcome}
                        for one, outcome in outcomes]})

    def verified(self, signed, name, study):
        """What the other side signed for, by SOP Instance UID."""
        data = base64.b64decode(signed["receipt"])
        key = x509.load_pem_x509_certificate(self.other).public_key()
        try:
            key.verify(base64.b64decode(signed["signature"]), data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise AssertionError("a receipt that the other site did not sign")
        receipt = json.loads(data)
        datetime.datetime.fromisoformat(receipt["completedAt"].replace("Z", "+00:00"))
        assert receipt["transfer"] == name and receipt["study"] == study, "a receipt of something else"
        assert receipt["certificate"] == self.fingerprint(self.other), "signed for by another certificate"
        assert receipt["sender"] == self.fingerprint(open(self.own, "rb").read()), "a receipt for somebody else"
        return {one["instance"]: one for one in receipt["objects"]}

    def ask(self, path, message=None, body=None, method="POST", connection=None):
        """Status and what the answer holds: parsed where it is a message or JSON."""
        connection = connection or self.connect()
        if message is not None:
            body = packed(json.dumps(message).encode())
        kind = CHUNK if path.endswith("chunks") and message is None else MESSAGE
        connection.request(method, "/transfer/v1/" + path, body, {"Content-Type": kind} if body else {})
        answer = connection.getresponse()
        data, kind = answer.read(), answer.headers.get_content_type()
        if kind == MESSAGE:
            data = json.loads(unpacked(data))
        elif kind.endswith("json"):
            data = json.loads(data)
        return answer.status, data

    def connect(self):
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=self.context(ssl.PROTOCOL_TLS_CLIENT), timeout=60)


def lacking(answer, study):
    """What an answer to an offer names, as pieces (object, offset, count) of at most `RANGE`."""
    sizes = [one["size"] for one in announced(study)]
    found = [(n, 0, sizes[n]) for first, last in answer["whole"] for n in range(first, last + 1)]
    for part in answer["parts"]:
        found += [(part["n"], offset, count) for offset, count in part["ranges"]]
    assert len({(n, at) for n, at, _ in found}) == len(found), "something is named twice"
    cut = []
    for n, start, count in found:
        if sizes[n] <= WHOLE and count == sizes[n]:
            cut.append((n, start, count))
        else:
            cut += [(n, at, min(RANGE, start + count - at)) for at in range(start, start + count, RANGE)]
    return cut


def push(options):
    """Cut off after the half, on three connections and out of order."""
    site, study, data = Site(options), options.study, objects(options.study)
    name, report = os.urandom(16).hex(), {}
    status, there = site.ask("site", method="GET")
    assert status == 200 and there["transfer"] == 1, there
    report["site"] = there["site"]

    def offer(name):
        lacks = {"whole": [], "parts": []}
        for start, end in ((0, 12), (12, len(data))):
            status, answer = site.ask(
                f"arrivals/{name}/offers", {"study": study, "objects": announced(study, start, end)})
            assert status == 200, (status, answer)
            lacks = {way: lacks[way] + answer[way] for way in lacks}
        return lacking(lacks, study)

    def send(name, wanted):
        """Chunks of a few, the last first, dealt to three connections."""
        made = [piece(n, at, data[n][at:at + count], count == len(data[n]), n == 41 or n % 3 == 0)
                for n, at, count in wanted]
        chunks = collections.deque([made[at:at + 4] for at in range(0, len(made), 4)][::-1])
        refused = []

        def carry():
            connection = site.connect()
            while True:
                try:
                    one = chunks.popleft()
                except IndexError:
                    return
                status, answer = site.ask(f"arrivals/{name}/chunks", body=chunk(one), connection=connection)
                if status != 204:
                    refused.append((status, answer))

        threads = [threading.Thread(target=carry) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not refused, refused

    def end(name):
        status, answer = site.ask(f"arrivals/{name}/complete", {"objects": len(data), "wait": 5000})
        assert status == 200, (status, answer)
        signed = site.verified(answer, name, study)
        assert signed.keys() == {one["instance"] for one in announced(study)}, "not of all that was sent"
        assert all(signed[one["instance"]]["sha256"] == one["sha256"] for one in announced(study)), "of other bytes"
        return collections.Counter(one["outcome"] for one in signed.values())

    wanted = offer(name)
    report["lacked"] = len(wanted)
    half = sorted(wanted, key=lambda one: one[0] % 2)[: len(wanted) // 2]
    send(name, half)
    status, answer = site.ask(f"arrivals/{name}/complete", {"objects": len(data)})
    assert status == 409, (status, answer)
    rest = offer(name)
    assert sorted(half + rest) == sorted(wanted) and lacking(answer, study) == rest, "not what is lacking"
    report["lackedAfterHalf"] = len(rest)
    send(name, rest)
    report["outcomes"] = end(name)
    # The same again is only announced.
    name = os.urandom(16).hex()
    report["lackedAgain"] = len(offer(name))
    report["outcomesAgain"] = end(name)
    # And what came is not for giving up any more.
    report["givenUp"] = site.ask(f"arrivals/{name}", method="DELETE")[0]
    print(json.dumps(report))


def pull(options):
    site, study, data = Site(options), options.study, objects(options.study)
    name, manifest, more = os.urandom(16).hex(), [], True
    came, compressed = {}, 0
    while more:
        status, part = site.ask(f"sources/{name}", {"study": study, "from": len(manifest)})
        assert status == 200, (status, part)
        assert part["study"] == study and part["left-out"] == 0, part
        assert [one["n"] for one in part["objects"]] == list(range(len(manifest), len(manifest) + len(part["objects"])))
        manifest, more = manifest + part["objects"], part["more"]
        wanted = [(one["n"], at, min(RANGE, one["size"] - at) if one["size"] > WHOLE else one["size"])
                  for one in part["objects"] for at in range(0, one["size"], RANGE if one["size"] > WHOLE else one["size"])]
        while wanted:
            asked = []
            while wanted and len(asked) < 16 and sum(count for _, _, count in asked + wanted[:1]) <= 8 << 20:
                asked.append(wanted.pop(0))
            status, body = site.ask(f"sources/{name}/chunks", {"pieces": asked, "zstd": True})
            assert status == 200, (status, body)
            found = pieces(body)
            assert [(n, at, len(plain)) for n, at, plain, _, _ in found] == asked, "not what was asked for"
            for n, at, plain, coded, digest in found:
                whole = len(plain) == manifest[n]["size"]
                right = manifest[n]["sha256"] if whole else digest.hex()
                assert hashlib.sha256(plain).hexdigest() == right, "another digest"
                came.setdefault(n, {})[at] = plain
                compressed += coded
    assert sorted(one["instance"] for one in manifest) == sorted(one["instance"] for one in announced(study)), "others"
    for one in manifest:
        plain = b"".join(part for _, part in sorted(came[one["n"]].items()))
        assert plain == data[int(one["instance"].rpartition(".")[2])], "other bytes than were sent"
    assert site.ask(f"sources/{name}/receipt", site.receipt(name, study, [(one, "stored") for one in manifest[1:]]))[0] \
        not in (200, 204), "a receipt of less is taken"
    status, answer = site.ask(
        f"sources/{name}/receipt", site.receipt(name, study, [(one, "stored") for one in manifest]))
    print(json.dumps({"objects": len(manifest), "compressed": compressed, "receipt": status}))


class Door(http.server.BaseHTTPRequestHandler):
    """Takes and gives. What was offered is forgotten once, as by a start, while what came is kept."""
    protocol_version = "HTTP/1.1"
    site = None
    lock = threading.Lock()
    # By the names of transfers what was offered; by digest what came whole, and what came of the rest by its offsets; transfers
    # that were forgotten; the studies that others fetch.
    arrivals, held, cuts, forgotten, given = {}, {}, {}, set(), {}

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def message(self, value, status=200):
        body = json.dumps(value).encode()
        if len(body) > 16 << 10:
            self.answer(status, packed(body), MESSAGE)
        else:
            self.answer(status, body)

    def do_GET(self):
        self.message({"site": NAME, "version": "1", "transfer": 1})

    def do_DELETE(self):
        self.answer(204)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path, _, query = self.path.partition("?")
        _, _, _, way, name, *rest = path.split("/")
        kind = self.headers.get_content_type()
        message = json.loads(unpacked(body)) if kind == MESSAGE else None
        with self.lock:
            try:
                if way == "sources":
                    self.source(name, rest, message)
                elif rest == ["offers"]:
                    self.offers(name, message)
                elif rest == ["chunks"]:
                    self.chunks(name, body)
                else:
                    self.complete(name, message)
            except AssertionError as error:
                print(f"wrong {error}", flush=True)
                self.answer(422, json.dumps({"detail": str(error)}).encode(), "application/problem+json")

    def lacking(self, offered):
        whole, parts = [], []
        for n, one in sorted(offered.items()):
            if one["sha256"] in self.held:
                continue
            came = self.came(one)
            if one["size"] > WHOLE and came:
                free, at = [], 0
                for start, data in sorted(came.items()):
                    if start > at:
                        free.append([at, start - at])
                    at = max(at, start + len(data))
                if at < one["size"]:
                    free.append([at, one["size"] - at])
                parts.append({"n": n, "ranges": free})
            else:
                whole.append([n, n])
        return {"whole": whole, "parts": parts, "cut": 65536}

    def came(self, one):
        return self.cuts.setdefault(one["sha256"], {})

    def offers(self, name, message):
        study, offered = self.arrivals.setdefault(name, (message["study"], {}))
        assert study == message["study"], "another study"
        for one in message["objects"]:
            offered[one["n"]] = one
        self.message(self.lacking({one["n"]: one for one in message["objects"]}))

    def chunks(self, name, body):
        # Early ones too: the sender sends them again behind the offer's answer.
        if name not in self.arrivals:
            return self.answer(404, b'{"detail":"no such transfer"}', "application/problem+json")
        offered = self.arrivals[name][1]
        found = pieces(body)
        if any(n not in offered for n, *_ in found):
            return self.answer(404, b'{"detail":"not offered"}', "application/problem+json")
        for n, at, data, _, digest in found:
            one = offered[n]
            whole = len(data) == one["size"]
            assert hashlib.sha256(data).hexdigest() == (one["sha256"] if whole else digest.hex()), "another digest"
            assert whole or at % 65536 == 0, "a range that nobody asked for"
            came = self.came(one)
            came[at] = data
            # Ranges may lie over each other at the end of a transfer.
            plain, end = bytearray(one["size"]), 0
            for start, part in sorted(came.items()):
                if start > end:
                    break
                plain[start:start + len(part)] = part
                end = max(end, start + len(part))
            if end == one["size"]:
                assert hashlib.sha256(plain).hexdigest() == one["sha256"], "another object than was announced"
                self.held[one["sha256"]] = bytes(plain)
        self.answer(204)

    def complete(self, name, message):
        if name not in self.arrivals or name not in self.forgotten:
            self.forgotten.add(name)
            self.arrivals.pop(name, None)
            return self.answer(404, b'{"detail":"no such transfer"}', "application/problem+json")
        study, offered = self.arrivals[name]
        assert message["objects"] == len(offered), "not all was offered"
        lacks = self.lacking(offered)
        if lacks["whole"] or lacks["parts"]:
            return self.message(lacks, 409)
        data = objects(study)
        right = sum(self.held[one["sha256"]] == data[int(one["instance"].rpartition(".")[2])] for one in offered.values())
        print("took " + json.dumps({"study": study, "objects": len(offered), "right": right}), flush=True)
        self.message(self.site.receipt(name, study, [(one, "stored") for one in offered.values()]))

    def source(self, name, rest, message):
        if rest == ["chunks"]:
            data, made = objects(self.given[name]), []
            for n, at, count in message["pieces"]:
                assert at + count <= len(data[n]), "more than was announced"
                made.append(piece(n, at, data[n][at:at + count], count == len(data[n]), message["zstd"] and n == 41))
            return self.answer(200, chunk(made), CHUNK)
        if rest == ["receipt"]:
            study = self.given[name]
            signed = self.site.verified(message, name, study)
            right = sum(signed[one["instance"]]["sha256"] == one["sha256"] for one in announced(study))
            print("signed " + json.dumps({"study": study, "objects": len(signed), "right": right}), flush=True)
            return self.answer(204)
        study, start = self.given.setdefault(name, message["study"]), message["from"]
        part = announced(study, start, start + 16)
        self.message({"study": study, "objects": part, "more": start + 16 < len(objects(study)), "left-out": 3})


def serve(options):
    Door.site = Site(options)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Door)
    server.daemon_threads = True
    server.socket = Door.site.context(ssl.PROTOCOL_TLS_SERVER).wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False)
    print(f"ready {server.server_address[1]}", flush=True)
    server.serve_forever()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["certificate", "serve", "push", "pull"])
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--site")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--study")
    parser.add_argument("--salt", default="")
    options = parser.parse_args()
    global SALT
    SALT = options.salt
    if options.verb == "certificate":
        certificate(options.certificate, NAME)
    else:
        {"serve": serve, "push": push, "pull": pull}[options.verb](options)


main()
