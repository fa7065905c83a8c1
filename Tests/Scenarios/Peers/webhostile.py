"""Sends what no client should over raw sockets, and reports what is answered that should not be.

webhostile.py requests PORT PROCESS    broken requests, paths and bodies
webhostile.py limits PORT PROCESS TLS  a service started with small limits (see WebHostileTests), and its TLS port
webhostile.py broken PORT PROCESS FOLDER  bodies that break off behind good objects, of the CT series in the folder; with
                                       the same limits
webhostile.py slow PORT PROCESS COUNT  so many clients that take one byte of a large answer and no more
webhostile.py share PORT PROCESS       a service that takes eight requests, four of them of one; HUIZHEN_OTHER_TOKENS has
                                       another token of the same caller, and one of another caller
webhostile.py many PORT PROCESS COUNT  so many connections
The token is in HUIZHEN_WEB_TOKEN; the last line is a JSON report.
"""
import http.client
import io
import json
import os
import resource
import select
import socket
import sys
import time

mode, port, process = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
auth = b"Authorization: Bearer " + os.environ["HUIZHEN_WEB_TOKEN"].encode() + b"\r\n"
host = b"Host: localhost\r\n"
problems, counts = [], {"cases": 0, "growth": 0, "served": 0}


def connect(buffer=None):
    one = socket.socket()
    if buffer:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    one.settimeout(30)
    one.connect(("127.0.0.1", port))
    return one


def read_all(one):
    """Until the service closes the connection."""
    result = b""
    try:
        while piece := one.recv(65536):
            result += piece
    except ConnectionResetError:
        pass
    except TimeoutError:
        return result + b"\nNOT CLOSED"
    return result


def answers(data):
    """Status and media type of every answer."""
    result = []
    for part in data.split(b"HTTP/1.1 ")[1:]:
        head = part.split(b"\r\n\r\n")[0].decode("latin1").lower()
        kind = [line.split(":", 1)[1].strip() for line in head.split("\r\n") if line.startswith("content-type:")]
        result.append((int(head[:3]), kind[0] if kind else None))
    return result


def check(name, sent, allowed, count=1):
    counts["cases"] += 1
    with connect() as one:
        try:
            one.sendall(sent)
        except OSError:
            pass
        data = read_all(one)
    got = answers(data)
    if data.endswith(b"NOT CLOSED"):
        problems.append(f"{name}: the connection stays open")
    if len(got) > count or not got or any(status not in allowed for status, _ in got):
        problems.append(f"{name}: {got or data[:60]}")
    for status, kind in got:
        # A refused object is told in the store's own answer. PS3.18 §10.5.3.
        if status >= 400 and kind != "application/problem+json" and (status, kind) != (409, "application/dicom+json"):
            problems.append(f"{name}: {status} without a problem document")


def get(path, fields=b"", method=b"GET"):
    return method + b" " + path + b" HTTP/1.1\r\n" + host + auth + b"Connection: close\r\n" + fields + b"\r\n"


def post(fields, body=b"", kind=b"application/dicom"):
    return (b"POST /dicom-web/studies HTTP/1.1\r\n" + host + auth + b"Connection: close\r\nContent-Type: " + kind
            + b"\r\n" + fields + b"\r\n" + body)


def resident():
    with open(f"/proc/{process}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def settled():
    """Resident bytes once they no longer change."""
    last, same = resident(), 0
    for _ in range(600):
        time.sleep(0.1)
        now = resident()
        same = same + 1 if abs(now - last) < 65536 else 0
        last = now
        if same == 10:
            break
    return last


def requests():
    inner = b"GET /dicom-web/studies HTTP/1.1\r\n" + host + auth + b"\r\n"
    chunked = b"Transfer-Encoding: chunked\r\n"
    bad = {400}
    check("length and chunks", post(b"Content-Length: 5\r\n" + chunked, b"0\r\n\r\n" + inner), bad)
    check("chunks and length", post(chunked + b"Content-Length: 5\r\n", b"0\r\n\r\n" + inner), bad)
    check("two lengths", post(b"Content-Length: 0\r\nContent-Length: 5\r\n", inner), bad)
    for length in (b"5, 6", b"+5", b"-1", b"0x10", b"5 5", b"99999999999999999999", b""):
        check(f"length {length}", post(b"Content-Length: " + length + b"\r\n", inner), bad)
    for coding in (b"xchunked", b"chunked, identity", b"chunked, chunked, x", b"\x0bchunked"):
        check(f"coding {coding}", post(b"Transfer-Encoding: " + coding + b"\r\n", b"0\r\n\r\n" + inner), bad | {501})
    for size in (b"zz", b"-1", b"0x1", b"+1", b"FFFFFFFFFFFFFFFFF", b" 5", b"", b"1\n", b"5 ;a\x00"):
        check(f"chunk {size}", post(chunked, size + b"\r\nhello\r\n0\r\n\r\n" + inner), bad)
    check("chunk without its end", post(chunked, b"5\r\nhelloXX0\r\n\r\n" + inner), bad)
    check("space before a colon", get(b"/dicom-web/studies", b"X-A : b\r\n"), bad)
    check("length with a space", post(b"Content-Length : 5\r\n", inner), bad)
    check("folded field", get(b"/dicom-web/studies", b"X-A: b\r\n c\r\n"), bad)
    check("field without a colon", get(b"/dicom-web/studies", b"nonsense\r\n"), bad)
    check("NUL in a field", get(b"/dicom-web/studies", b"X-A: b\x00c\r\n"), bad)
    check("CR in a field", get(b"/dicom-web/studies", b"X-A: b\rc\r\n"), bad)
    check("no version", b"GET /dicom-web/studies\r\n\r\n", bad)
    check("another version", b"GET / HTTP/9.9\r\n" + host + b"\r\n", bad | {505})
    check("no HTTP", b"\x00\x01\x02\x03" * 100, bad)
    check("TLS in the clear", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200, bad)
    check("no host", b"GET /dicom-web/studies HTTP/1.1\r\nConnection: close\r\n" + auth + b"\r\n", {400, 421})
    # The field Host counts, which the service checks; nothing is passed on to anybody.
    check("another host", get(b"http://elsewhere.example/dicom-web/studies", b""), {200, 400, 404, 421})
    check("large field", get(b"/dicom-web/studies", b"X-A: " + b"a" * 1_000_000 + b"\r\n"), {431})
    check("many fields", get(b"/dicom-web/studies", b"X-A: b\r\n" * 20_000), {431})
    check("long address", get(b"/dicom-web/studies?PatientID=" + b"a" * 8200), {414})
    check("longer address", get(b"/dicom-web/studies?PatientID=" + b"a" * 1_000_000), {414, 431})
    check("pipelined nonsense", get(b"/dicom-web/studies").replace(b"Connection: close\r\n", b"") + b"no HTTP\r\n\r\n",
          {200, 400}, count=2)
    for path in (b"/dicom-web/%2e%2e/studies", b"/dicom-web/../../etc/passwd", b"//dicom-web//%2e/studies",
                 b"/dicom-web/studies%00", b"/dicom-web/studies/%ff%fe", b"/dicom-web/studies/1.2%2f3",
                 b"/dicom-web/studies/..%3b/", b"/dicom-web/studies/1.2/%2e%2e", b"/dicom-web/studies/\xff",
                 b"/dicom-web/studies/1.2/series/1.2/instances/1.2/bulkdata/../../../keys", b"dicom-web/studies", b"*"):
        check(f"path {path}", get(path), {400, 404, 406, 421})
    for query in (b"limit=-1", b"limit=99999999999999999999", b"offset=x", b"%00=1", b"PatientName=%ff%fe",
                  b"includefield=" + b"0," * 3000, b"Nonsense=1", b"00100020.00100020=1"):
        check(f"query {query[:30]}", get(b"/dicom-web/studies?" + query), {200, 400})
    # Bodies.
    multipart = b'multipart/related; type="application/dicom"; boundary=b'

    def body(data, kind=multipart, fields=b""):
        return post(fields + b"Content-Length: %d\r\n" % len(data), data, kind)

    check("another boundary", body(b"--c\r\n\r\nx\r\n--c--\r\n"), {400})
    check("no boundary", body(b"--c\r\n\r\nx\r\n--c--\r\n", b'multipart/related; type="application/dicom"'), {400})
    check("long boundary", body(b"x", multipart + b"b" * 70), {400})
    check("a part's endless head", body(b"--b\r\n" + b"X: " + b"a" * 100_000), {400})
    nested = b"--b\r\nContent-Type: multipart/related; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n\r\n--b--\r\n"
    check("nested parts", body(nested), {409})
    check("parts of another type", body(nested, b'multipart/related; type="image/jpeg"; boundary=b'), {415})
    check("text", body(b"x", b"text/plain"), {415})
    check("a packed body", body(b"\x1f\x8b" + b"\0" * 50, multipart, b"Content-Encoding: gzip\r\n"), {415})
    check("nothing", body(b""), {400})
    check("a body cut short", body(b"--b\r\n\r\nx"), {400})
    check("another method", get(b"/dicom-web/studies", b"", b"BREW"), {400, 404, 405})
    check("after all that", get(b"/dicom-web/studies"), {200, 204})


def limits():
    start = post(b"Transfer-Encoding: chunked\r\n", b"", b'multipart/related; type="application/dicom"; boundary=b')
    check("a length past the limit", post(b"Content-Length: 33554433\r\n"), {413})
    check("a body past the limit", start + b"10000\r\n" + (b"x" * 65536 + b"\r\n10000\r\n") * 513, {413})
    check("a silent body", start + b"5\r\nhel", {408})
    with connect() as one:
        one.sendall(start)
        try:
            while not select.select([one], [], [], 0.2)[0]:
                one.sendall(b"1\r\nx\r\n")
        except OSError:
            pass
        got = answers(read_all(one))
        if [status for status, _ in got] != [408]:
            problems.append(f"a slow body: {got}")
    # A head that never ends.
    with connect() as one:
        one.sendall(b"GET / HTTP/1.1\r\n")
        try:
            while not select.select([one], [], [], 0.2)[0]:
                one.sendall(b"X-A: b\r\n")
        except OSError:
            pass
        if [status for status, _ in answers(read_all(one))] not in ([], [408]):
            problems.append("a slow head is answered")
    # A handshake that never comes.
    with socket.create_connection(("127.0.0.1", int(sys.argv[4])), timeout=30) as one:
        if read_all(one):
            problems.append("a silent connection stays open on the TLS port")
    # More requests than are taken.
    path = large()
    busy = [stalled(path) for _ in range(4)]
    check("one too many", get(b"/dicom-web/studies"), {503})
    leave(busy)


def leave(busy):
    """Ends connections that are busy: their places are free again."""
    for one in busy:
        one.close()
    for _ in range(600):
        with connect() as one:
            one.sendall(get(b"/dicom-web/studies"))
            if answers(read_all(one))[0][0] == 200:
                return
        time.sleep(0.05)
    problems.append("places of clients that left are not free again")


def share():
    same, other = os.environ["HUIZHEN_OTHER_TOKENS"].split()
    path = large()
    busy = [stalled(path) for _ in range(4)]

    def ask(token):
        return get(b"/dicom-web/studies").replace(auth, b"Authorization: Bearer " + token.encode() + b"\r\n")
    check("one too many of the caller", get(b"/dicom-web/studies"), {429})
    check("the same caller by another token", ask(same), {429})
    check("another caller", ask(other), {200})
    leave(busy)


def large():
    """Stores an object larger than the system's buffers; its path."""
    import numpy
    import pydicom
    from pydicom.dataset import FileMetaDataset
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7.3"
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    one = pydicom.Dataset()
    one.file_meta = meta
    one.SOPClassUID, one.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    one.StudyInstanceUID, one.SeriesInstanceUID = pydicom.uid.generate_uid(), pydicom.uid.generate_uid()
    one.PatientID, one.PatientName, one.Modality = "LARGE", "Large^One", "OT"
    one.Rows, one.Columns, one.NumberOfFrames, one.SamplesPerPixel = 1024, 1024, 24, 1
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 8, 8, 7, 0
    one.PhotometricInterpretation = "MONOCHROME2"
    one.PixelData = numpy.random.default_rng(1).bytes(24 << 20)
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, one, enforce_file_format=True)
    import requests as client
    answer = client.post(f"http://127.0.0.1:{port}/dicom-web/studies", data=(stream.getvalue()[i:i + 65536] for i in range(0, stream.tell(), 65536)), headers={
        "Authorization": "Bearer " + os.environ["HUIZHEN_WEB_TOKEN"], "Content-Type": "application/dicom"})
    if answer.status_code != 200:
        problems.append(f"the large object: {answer.status_code} {answer.text[:200]}")
    return f"/dicom-web/studies/{one.StudyInstanceUID}".encode()


def stalled(path):
    """A client that has taken one byte of its answer."""
    one = connect(buffer=4096)
    one.sendall(get(path))
    one.recv(1)
    return one


def whole(path):
    """Bytes of the body, however it was cut into chunks."""
    one = http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]), timeout=60)
    one.request("GET", path.decode(), headers={"Authorization": "Bearer " + os.environ["HUIZHEN_WEB_TOKEN"]})
    answer, count = one.getresponse(), 0
    while data := answer.read(1 << 20):
        count += len(data)
    one.close()
    return count


def broken(folder):
    """Every object of a body that broke off is told as stored, or is not stored."""
    import pydicom
    names = iter(sorted(name for name in os.listdir(folder) if name.startswith("ct-0")))
    multipart = b'multipart/related; type="application/dicom"; boundary=b'

    def good():
        path = os.path.join(folder, next(names))
        with open(path, "rb") as file:
            return file.read(), pydicom.dcmread(path, stop_before_pixels=True)

    def part(data):
        return b"--b\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n"

    def send(data, kind, length=None):
        """Status and dataset of the answer to a body of so many bytes; of one of no told length if that is None."""
        if length is None:
            framed = b"".join(b"%x\r\n%b\r\n" % (len(data[i:i + 65536]), data[i:i + 65536])
                              for i in range(0, len(data), 65536))
            sent = post(b"Transfer-Encoding: chunked\r\n", framed, kind)
        else:
            sent = post(b"Content-Length: %d\r\n" % length, data, kind)
        with connect() as one:
            try:
                one.sendall(sent)
            except OSError:
                pass
            answer = read_all(one)
        head, _, rest = answer.partition(b"\r\n\r\n")
        return int(head[9:12]), head.lower(), json.loads(rest[:rest.rindex(b"}") + 1] if b"}" in rest else b"{}")

    def expect(name, got, stored, failed, other, reason):
        counts["cases"] += 1
        status, head, model = got

        def items(tag):
            return model.get(tag, {}).get("Value", [])

        named = [[item["00081155"]["Value"][0] for item in items(tag)] for tag in ("00081199", "00081198")]
        reasons = {item["00081197"]["Value"][0] for item in items("00081198") + items("0008119A")}
        if status != 202 or named != [stored, failed] or len(items("0008119A")) != other or reasons != {reason}:
            problems.append(f"{name}: {status} {json.dumps(model)[:300]}")

    data, whole = good()
    cut, lost = good()
    body = part(data) + part(cut)[:-1000]
    expect("a cut part", send(body, multipart, len(body)), [whole.SOPInstanceUID], [lost.SOPInstanceUID], 0, 0xC000)
    data, whole = good()
    body = part(data) + b"--b\r\nno field\r\n\r\nx\r\n--b--\r\n"
    expect("a broken head", send(body, multipart, len(body)), [whole.SOPInstanceUID], [], 1, 0xC000)
    data, whole = good()
    stream, large = io.BytesIO(), pydicom.dcmread(io.BytesIO(cut))
    large.PixelData = bytes(34 << 20)
    large.save_as(stream)
    got = send(part(data) + part(stream.getvalue()), multipart)
    expect("past the limit", got, [whole.SOPInstanceUID], [lost.SOPInstanceUID], 0, 0xA700)
    if b"\r\nwarning: 299 huizhen" not in got[1]:
        problems.append("past the limit: nothing says so")
    data, whole = good()
    expect("silence", send(part(data) + part(cut)[:5000], multipart, 1 << 20), [whole.SOPInstanceUID],
           [lost.SOPInstanceUID], 0, 0xC000)
    # Metadata alone are an object; what waits for its bulk data is none.
    _, whole = good()
    del whole[0x7FE00010:]
    alone = json.dumps([whole.to_json_dict()]).encode()
    lost.add_new(0x7FE00010, "OW", b"")
    waiting = lost.to_json_dict()
    waiting["7FE00010"] = {"vr": "OW", "BulkDataURI": "pixels"}
    kind = b'multipart/related; type="application/dicom+json"; boundary=b'
    body = b"".join(b"--b\r\nContent-Type: application/dicom+json\r\n\r\n" + text + b"\r\n"
                    for text in (alone, json.dumps([waiting]).encode()))
    body += b"--b\r\nContent-Type: application/octet-stream\r\nContent-Location: pixels\r\n\r\n" + bytes(500)
    expect("cut bulk data", send(body, kind, len(body)), [whole.SOPInstanceUID], [lost.SOPInstanceUID], 0, 0xC000)
    # Nobody hears the answer: the record alone can tell.
    data, whole = good()
    with connect() as one:
        one.sendall(post(b"Content-Length: 20000000\r\n", part(data) + part(cut)[:5000], multipart))
        path = f"/dicom-web/studies/{whole.StudyInstanceUID}/series/{whole.SeriesInstanceUID}/instances"
        found = f"{path}/{whole.SOPInstanceUID}/metadata".encode()
        for _ in range(600):
            with connect() as other:
                other.sendall(get(found))
                if answers(read_all(other))[0][0] == 200:
                    break
            time.sleep(0.05)
        else:
            problems.append("a part that ended is not stored before the body ends")
    counts["served"] = 6


def slow(count):
    path = large()
    size = whole(path)
    before = settled()
    clients = [stalled(path) for _ in range(count)]
    counts["growth"] = settled() - before
    # One byte after another, as slowly as they like.
    for one in clients:
        one.recv(1)
    counts["served"] = whole(path)
    if counts["served"] != size or size < 24 << 20:
        problems.append(f"another client got {counts['served']} bytes, before {size}")
    for one in clients:
        one.close()


def many(count):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    before = settled()
    clients = [connect() for _ in range(count)]
    # Every second one has begun a head.
    for one in clients[::2]:
        one.sendall(b"GET /dicom-web/studies HTTP/1.1\r\nX-A: ")
    counts["growth"] = settled() - before
    check("beside many connections", get(b"/dicom-web/studies"), {200})
    counts["served"] = len(clients)
    for one in clients:
        one.close()


if mode == "requests":
    requests()
elif mode == "limits":
    limits()
elif mode == "share":
    share()
elif mode == "broken":
    broken(sys.argv[4])
elif mode == "slow":
    slow(int(sys.argv[4]))
else:
    many(int(sys.argv[4]))
print(json.dumps({"problems": problems[:60], **counts}))
