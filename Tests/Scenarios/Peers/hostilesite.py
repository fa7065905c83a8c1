"""A site with a certificate that is known, and which keeps to nothing. `Docs/TRANSFER.md` says what it should do.

hostilesite.py receive --port P --certificate F        takes what is pushed to it, and gives what is pulled, each study in its own way
hostilesite.py send --port P --certificate F           sends to a site what no site sends; prints the answers as JSON
"""

import argparse
import base64
import hashlib
import http.server
import json
import os
import ssl
import threading
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import wire
from sitewire import CHUNK, MESSAGE, certificate, chunk, packed, unpacked

# What becomes of the study 2.25.SEED.N that is pushed here, or pulled from here.
PUSHED = {
    "2.25.51.0": "lacks the same again and again", "2.25.51.1": "lacks what was never offered",
    "2.25.51.2": "is never content", "2.25.51.3": "signs for another transfer", "2.25.51.4": "signs with another key",
    "2.25.52.0": "never answers", "2.25.52.1": "answers by drops", "2.25.52.2": "answers with a flood",
    "2.25.52.3": "answers with a bomb", "2.25.52.4": "answers with depths", "2.25.53.0": "has always forgotten",
    "2.25.53.1": "sends elsewhere", "2.25.53.2": "lacks ranges of one byte",
}
PULLED = {
    "2.25.54.0": "begins again and again", "2.25.54.1": "counts as it likes", "2.25.54.2": "gives what nobody asked for",
    "2.25.54.3": "gives other bytes", "2.25.54.4": "gives a bomb", "2.25.54.5": "gives nothing",
    "2.25.54.6": "announces without end", "2.25.54.7": "announces another study in between",
}


def offer(number, data, study, **more):
    return {"n": number, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "instance": f"{study}.9.{number}",
            "class": wire.CT, "syntax": wire.EXPLICIT, **more}


def image(study, number):
    return wire.tiny(wire.CT, study, study + ".1", f"{study}.9.{number}")


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    key = None
    studies = {}
    asked = {}

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", kind="application/json", **more):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def json(self, value, status=200):
        self.answer(status, json.dumps(value).encode())

    def do_GET(self):
        # Who it is, without an end.
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(1 << 20))
        except OSError:
            pass

    def do_DELETE(self):
        self.answer(204)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        _, _, _, way, name, *rest = self.path.split("/")
        try:
            if way == "sources":
                self.source(name, rest, body)
            elif rest == ["offers"]:
                self.offers(name, json.loads(unpacked(body)))
            elif rest == ["chunks"]:
                self.answer(204)
            else:
                self.complete(name)
        except OSError:
            self.close_connection = True

    def offers(self, name, message):
        study, objects = message["study"], message["objects"]
        offered = self.studies.setdefault(name, (study, {}))[1]
        for one in objects:
            offered[one["n"]] = one
        what = PUSHED.get(study)
        everything = {"whole": [[objects[0]["n"], objects[-1]["n"]]], "parts": []}
        if what == "lacks the same again and again":
            self.json({"whole": [[0, 0]] * 90_000, "parts": []})
        elif what == "lacks what was never offered":
            self.json({"whole": [[0, 90_000]], "parts": []})
        elif what == "lacks ranges of one byte":
            self.json({"whole": [], "parts": [{"n": 0, "ranges": [[0, 1]] * 500_000}]})
        elif what == "never answers":
            time.sleep(60)
        elif what == "answers by drops":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            for _ in range(200):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(1)
        elif what == "answers with a flood":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(1 << 32))
            self.end_headers()
            for _ in range(4096):
                self.wfile.write(bytes(1 << 20))
        elif what == "answers with a bomb":
            self.answer(200, packed(bytes(64 << 20)), MESSAGE)
        elif what == "answers with depths":
            self.answer(200, packed(b'{"whole":' + b"[" * (8 << 20)), MESSAGE)
        elif what == "has always forgotten":
            self.json({"detail": "no\r\nsuch\x1b[31m transfer" + "x" * 100_000}, 404)
        elif what == "sends elsewhere":
            self.answer(307, b"", Location="https://127.0.0.1:1/")
        else:
            self.json(everything)

    def complete(self, name):
        study, offered = self.studies[name]
        what = PUSHED.get(study)
        if what == "is never content":
            return self.json({"whole": [[0, 0]], "parts": []}, 409)
        receipt = {
            "transfer": "0" * 32 if what == "signs for another transfer" else name, "receiver": "X", "certificate": "",
            "sender": "", "study": study, "completedAt": "2026-01-01T00:00:00Z",
            "objects": [{"instance": one["instance"], "sha256": one["sha256"], "size": one["size"], "outcome": "stored"}
                        for one in offered.values()]}
        data = json.dumps(receipt).encode()
        key = ec.generate_private_key(ec.SECP256R1()) if what == "signs with another key" else self.key
        signature = key.sign(data, ec.ECDSA(hashes.SHA256()))
        self.json({"receipt": base64.b64encode(data).decode(), "signature": base64.b64encode(signature).decode()})

    def source(self, name, rest, body):
        message = json.loads(unpacked(body))
        if rest == ["receipt"]:
            return self.answer(204)
        if rest == ["chunks"]:
            study = self.studies[name][0]
            return self.pieces(study, PULLED.get(study), message["pieces"])
        study, start = message["study"], message["from"]
        self.studies[name] = (study, {})
        what = PULLED.get(study)
        objects = [offer(start + n, image(study, start + n), study) for n in range(5)]
        more = start == 0
        if what == "begins again and again":
            objects, more = [offer(n, image(study, n), study) for n in range(5)], True
        elif what == "counts as it likes":
            objects = [offer(7, image(study, 7), study), offer(7, image(study, 7), study), offer(-1, image(study, 1), study)]
        elif what == "announces without end":
            objects = [offer(start + n, b"%d" % (start + n), study, size=10 << 20) for n in range(5000)]
            more = True
        elif what == "announces another study in between":
            study = study + (".5" if start else "")
        self.answer(200, packed(json.dumps(
            {"study": study, "objects": objects, "more": more, "left-out": -5}).encode()), MESSAGE)

    def pieces(self, study, what, pieces):
        none = bytes(32)
        made = []
        for number, offset, count in pieces:
            data = image(study, number)
            made.append((number, 0, 0, len(data), data, none))
        if what == "gives what nobody asked for":
            data = image(study, 99)
            made = [(99, 0, 0, len(data), data, none)]
        elif what == "gives other bytes":
            made = [(one[0], 0, 0, len(one[4]), one[4][:-1] + b"!", none) for one in made]
        elif what == "gives a bomb":
            made = [(one[0], 1, 0, one[3], packed(bytes(256 << 20)), none) for one in made[:1]]
        elif what == "gives nothing":
            made = [(made[0][0], 0, 0, 0, b"", none)]
        self.answer(200, chunk(made), CHUNK)


def receive(options):
    Receiver.key = certificate(options.certificate, "hostile")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Receiver)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.certificate + ".key")
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(f"ready {server.server_address[1]}", flush=True)
    server.serve_forever()


class Line:
    """A connection to a site's door."""

    def __init__(self, options):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(options.certificate, options.certificate + ".key")
        import socket
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", options.port), 60))

    def begin(self, path, length, kind):
        self.socket.sendall(
            f"POST /transfer/v1/{path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode())

    def end(self):
        """Status and body of the answer."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.socket.recv(65536)
            if not more:
                return 0, b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
        while len(body) < int(fields.get(b"content-length", b"0")):
            body += self.socket.recv(65536)
        return int(head.split()[1]), body


def post(options, path, body, kind=MESSAGE):
    line = Line(options)
    try:
        line.begin(path, len(body), kind)
        line.socket.sendall(body)
    except OSError:
        pass
    try:
        return line.end()[0]
    except OSError:
        return 0


def send(options):
    study, answers = "2.25.56.0", {}

    def offers(name, objects, named=study):
        return post(options, f"arrivals/{name}/offers", packed(json.dumps({"study": named, "objects": objects}).encode()))

    def begin(objects):
        name = os.urandom(16).hex()
        assert offers(name, objects) == 200, "a good offer is not taken"
        return name

    def put(name, *pieces):
        return post(options, f"arrivals/{name}/chunks", chunk(pieces), CHUNK)

    def raw(body):
        return post(options, f"arrivals/{os.urandom(16).hex()}/offers", body)

    one, none = image(study, 0), bytes(32)
    good = offer(0, one, study)
    answers["no frame"] = raw(b"{}")
    answers["a frame that is cut"] = raw(packed(b"{}" * 1000)[:-4])
    answers["a bomb"] = raw(packed(bytes(1 << 30)))
    answers["a message of zeros"] = raw(packed(bytes(16 << 20)))
    answers["depths"] = raw(packed(b'{"objects":' + b"[" * (15 << 20)))
    answers["millions of nothing"] = raw(packed(b'{"objects":[' + b"{}," * (5 << 20) + b"{}]}"))
    answers["too many objects"] = offers(os.urandom(16).hex(), [offer(n, b"x", study) for n in range(5001)])
    answers["a study that is no UID"] = offers(os.urandom(16).hex(), [], "../" * 100_000)
    answers["no study"] = offers(os.urandom(16).hex(), [], "")
    name = begin([good])
    answers["an object of another size"] = put(name, (0, 0, 0, len(one) - 1, one[:-1], none))
    answers["a piece that is a bomb"] = put(name, (0, 1, 0, len(one), packed(bytes(64 << 20)), none))
    answers["a piece that says too much"] = put(name, (0, 1, 0, 0xFFFFFFFF, packed(one), none))
    answers["a piece of nothing"] = put(name, (0, 0, 0, 0, b"", none))
    answers["a piece beyond all ends"] = put(name, (0, 0, (1 << 62) - 1, len(one), one, none))
    answers["more pieces than there are"] = post(options, f"arrivals/{name}/chunks", b"HZCHUNK1\xff\xff\xff\xff", CHUNK)
    answers["other bytes"] = put(name, (0, 0, 0, len(one), one[:-1] + b"!", none))
    answers["an object that was not offered"] = put(name, (5, 0, 0, len(one), one, none))
    answers["another transfer"] = put(os.urandom(16).hex(), (0, 0, 0, len(one), one, none))
    answers["an end too early"] = post(options, f"arrivals/{name}/complete", packed(b'{"objects":1}'))
    answers["an end of more"] = post(options, f"arrivals/{name}/complete", packed(b'{"objects":7}'))
    answers["an end of less than nothing"] = post(options, f"arrivals/{name}/complete", packed(b'{"objects":-1}'))
    answers["a receipt of nothing"] = post(
        options, f"sources/{name}/receipt", packed(b'{"receipt":"e30=","signature":"AAAA"}'))
    # Every piece is what it says, and the whole is not what was announced.
    large = wire.tiny(wire.CT, study, study + ".1", study + ".9.1", pixels=os.urandom(6 << 20))
    name = begin([offer(0, large, study, instance=study + ".9.1", sha256="ab" * 32)])
    pieces = [(0, 0, at, len(large[at:at + (2 << 20)]), large[at:at + (2 << 20)],
               hashlib.sha256(large[at:at + (2 << 20)]).digest()) for at in range(0, len(large), 2 << 20)]
    answers["pieces of another whole"] = [put(name, piece) for piece in pieces][-1]
    # Pieces over each other, in any order and again: nothing is wrong with that.
    name = begin([offer(0, large, study, instance=study + ".9.1")])
    over = [(0, 0, at, len(large[at:at + (3 << 20)]), large[at:at + (3 << 20)],
             hashlib.sha256(large[at:at + (3 << 20)]).digest()) for at in range(0, len(large), 1 << 20)]
    answers["pieces over each other"] = [put(name, piece) for piece in over[::-1] + over + over[-1:]][-1]
    # Bodies that come by drops, on as many connections as are taken.
    slow = []
    for _ in range(options.slow):
        line = Line(options)
        line.begin(f"arrivals/{name}/chunks", 1 << 20, CHUNK)
        slow.append(line)
    end = threading.Event()

    def drip():
        while not end.wait(0.5):
            for line in slow:
                try:
                    line.socket.sendall(b"H")
                except OSError:
                    pass

    threading.Thread(target=drip, daemon=True).start()
    print(f"slow {len(slow)}", flush=True)
    while not os.path.exists(options.certificate + ".end"):
        time.sleep(0.05)
    end.set()
    print("answers " + json.dumps(answers), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["certificate", "receive", "send"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--slow", type=int, default=40)
    options = parser.parse_args()
    if options.verb == "certificate":
        certificate(options.certificate, "hostile")
    else:
        {"receive": receive, "send": send}[options.verb](options)


main()
