"""Reads a study while a transfer brings it, as those who may and as those who may not.

arriving.py BINARY A-PORT A-DIRECTORY B-PORT B-WEB-PORT B-DIRECTORY    site A pushes slowly to site B; the last line is a JSON report
"""
import collections
import concurrent.futures
import json
import os
import random
import re
import subprocess
import sys
import time

import requests

import wire
from signedin import Browser, Service

binary, a_port, a_directory, b_port, b_web, b_directory = sys.argv[1:]
b = Service(b_web, binary, b_directory)
a = Service(b_web, binary, a_directory)
study = "2.25.4711"
count = 60
problems = []


def check(holds, what):
    if not holds:
        problems.append(what)


def pixels(number):
    return random.Random(number).randbytes(2 * 128 * 128)


def store():
    """A series of noise, which nobody compresses."""
    association = wire.Association(int(a_port), [(wire.CT, [wire.EXPLICIT])], calling="SCANNER")
    for number in range(count):
        words = {
            0x00280002: 1, 0x00280010: 128, 0x00280011: 128, 0x00280100: 16, 0x00280101: 16, 0x00280102: 15, 0x00280103: 0}
        more = {tag: wire.explicit(tag, "US", value) for tag, value in words.items()}
        more[0x00280004] = wire.explicit(0x00280004, "CS", "MONOCHROME2")
        more[0x00200013] = wire.explicit(0x00200013, "IS", str(number + 1))
        more[0x7FE00010] = wire.explicit(0x7FE00010, "OW", pixels(number))
        instance = f"{study}.9.{number}"
        data = wire.tiny(wire.CT, study, study + ".1", instance, more=more, name="ZHANG^SAN")
        assert association.store(1, wire.CT, instance, data) == 0
    association.release()


def wait(what, holds):
    end = time.monotonic() + 60
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.05)


def transfer():
    return next(one for one in json.loads(a.tool("transfer", "status", "--json")) if one["record"]["id"] == name)


with concurrent.futures.ThreadPoolExecutor(4) as pool:
    people = [("ann", "A", "clinician"), ("bob", "B", "clinician"), ("tom", "B", "technician"), ("tim", "C", "technician"),
              ("li", "C", "expert"), ("boss", "HOME", "operator"), ("zhao", "B", "auditor")]
    ann, bob, tom, tim, li, boss, zhao = signed = list(pool.map(lambda one: b.person(*one), people))

class Bearer:
    """Who shows a token."""

    def __init__(self, token):
        self.headers = {"Authorization": "Bearer " + token}

    def get(self, path):
        return requests.get(b.root + path, headers=self.headers, timeout=20)


def program(called, institution, verbs, *more, scope=""):
    made = json.loads(b.tool("token", "client", "add", called, "--institution", institution, "--verbs", verbs, "--days", "5",
                             "--json", *more))
    answer = requests.post(
        b.root + "/oauth2/token", auth=(made["id"], made["secret"]),
        data={"grant_type": "client_credentials", "scope": scope}, timeout=20)
    return Bearer(answer.json()["access_token"])


def guest():
    """Who came by a link to another study of A."""
    other = "2.25.4712"
    association = wire.Association(int(b_port), [(wire.CT, [wire.EXPLICIT])], calling="STORM")
    assert association.store(1, wire.CT, other + ".1.1", wire.tiny(wire.CT, other, other + ".1", other + ".1.1")) == 0
    association.release()
    ann.get("/shares")
    ann.post("/shares", study=other, purpose="opinion of Dr. Wang", days="7")
    code, secret = re.search(
        r'<code id="address">[^<]+#([^<]+)</code>.*<code id="secret">([^<]+)</code>', ann.text, re.S).groups()
    browser = Browser(b.root)
    browser.get("/share")
    assert browser.post("/share", code=code, secret=secret).status_code == 303
    assert browser.get(f"/dicom-web/studies/{other}/metadata").status_code == 200
    return browser, "share " + json.loads(b.tool("share", "list", "--json"))[0]["id"]


def rows():
    path = os.path.join(os.path.dirname(__file__), "..", "access-arriving.tsv")
    lines = [line.rstrip("\n").split("\t") for line in open(path) if not line.startswith("#")]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def refusals():
    found = collections.Counter()
    for line in b.tool("audit", "search", "--event", "callerRefused", "--limit", "100000", "--json").splitlines():
        found[json.loads(line)["actor"]["name"]] += 1
    return found


def matrix(image):
    """Everybody at every address, as the table says; everything that is kept from them is on the record."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        more = [("ted", "A", "technician"), ("eve", "A", "expert"), ("ada", "A", "institution-administrator"),
                ("amy", "A", "auditor"), ("pat", "A", "patient"), ("reg", "BOARD", "regulator")]
        ted, eve, ada, amy, pat, reg = pool.map(lambda one: b.person(*one), more)
    listed = b_directory + ".studies"
    with open(listed, "w") as file:
        file.write("2.25.4712\n")
    visitor, link = guest()
    everybody = {
        "clinician-of-a": (ann, "ann"), "technician-of-a": (ted, "ted"), "expert-of-a": (eve, "eve"),
        "administrator-of-a": (ada, "ada"), "auditor-of-a": (amy, "amy"), "patient-of-a": (pat, "pat"),
        "clinician-of-b": (bob, "bob"), "technician-of-b": (tom, "tom"), "technician-of-c": (tim, "tim"),
        "expert-of-c": (li, "li"), "operator": (boss, "boss"), "regulator": (reg, "reg"),
        "program-of-a": (program("pa", "A", "search,read,retrieve"), "pa"),
        "program-of-a-reading": (program("pr", "A", "search,read"), "pr"),
        "program-of-a-searching": (program("ps", "A", "search,read,retrieve", scope="search"), "ps"),
        "program-of-a-elsewhere": (program("pe", "A", "search,read,retrieve", "--studies", listed), "pe"),
        "program-of-a-revoked": (program("px", "A", "search,read,retrieve"), "px"),
        "program-of-c": (program("pc", "C", "search,read,retrieve"), "pc"),
        "guest-of-a": (visitor, link), "nobody": (Browser(b.root), ""),
        "local-operator": (Bearer(b.tool("web", "token")), "root")}
    b.tool("token", "client", "revoke", "px")
    ways = {"read": ("", "/metadata", image + "/metadata"),
            "retrieve": (image + "/frames/1", image + "/rendered", image + "/frames/1/rendered", image + "/thumbnail",
                         image + "/bulkdata/7FE00010")}
    before, expected = refusals(), collections.Counter()
    table = rows()
    check({row["actor"] for row in table} == set(everybody), "the table is of others")
    for row in table:
        browser, called = everybody[row["actor"]]
        for verb, paths in ways.items():
            for path in paths:
                status = browser.get(here + path).status_code
                found = {200: "shown", 404: "absent", 401: "unknown"}.get(status, str(status))
                check(found == row[verb], f"{row['actor']} {path}: {found}, not {row[verb]}")
                expected[called] += found == "absent"
    told = refusals()
    for called, number in expected.items():
        if called:
            check(told[called] - before[called] == number,
                  f"{called}: {told[called] - before[called]} refusals on the record, {number} were given")


store()
name = a.tool("transfer", "push", "--study", study, "B", "--background")
here = f"/arriving/{name}"
# The first images are there long before the last: the transfer is stopped among them.
wait("the first image", lambda: ann.get(here).status_code == 200)
a.tool("transfer", "pause", name)
wait("the pause", lambda: transfer()["job"]["state"] == "waiting")
progress = ann.get(here).json()
check(0 < progress["there"] < count, f"{progress['there']} images are there")
check(progress["site"] == "A" and progress["announced"] == count, f"another state: {progress}")

# Who will see the study sees what is there of it.
metadata = ann.get(here + "/metadata").json()
check(len(metadata) == progress["there"], f"metadata of {len(metadata)} images")
check(ann.get(here + f"/metadata?from={len(metadata) - 1}").json() == metadata[-1:], "not what came last")
check(ann.get(here + f"/metadata?from={len(metadata)}").json() == [], "more than there is")
check(ann.get(here + "/metadata?from=-1").status_code == 400, "a number below 0")
uid = metadata[0]["00080018"]["Value"][0]
image = f"{here}/instances/{uid}"
check(ann.get(image + "/metadata").json() == metadata[:1], "other metadata of one image")
native = {"Accept": 'multipart/related; type="application/octet-stream"'}
answer = ann.get(image + "/frames/1", headers=native)
check(answer.status_code == 200 and pixels(int(uid.split(".")[-1])) in answer.content, "other pixels")
answer = ann.get(image + "/frames/1/rendered", headers={"Accept": "image/png"})
check(answer.status_code == 200 and answer.content.startswith(b"\x89PNG"), f"no picture: {answer.status_code}")
check(ann.get(image + "/thumbnail").status_code == 200, "no thumbnail")
check(ann.get(image + "/frames/2").status_code == 404, "a frame that is none")
check(ann.get(image + "/bulkdata/7FE00010").content == pixels(int(uid.split(".")[-1])), "another value")
last = f"{here}/instances/{study}.9.{count}"
check(ann.get(last + "/frames/1").status_code == 404, "an image that nobody has")

# Nobody else does, and nobody can tell that from a transfer that is none.
for person, browser in zip(people[1:], signed[1:]):
    for path in ("", "/metadata", f"/instances/{uid}/metadata", f"/instances/{uid}/frames/1",
                 f"/instances/{uid}/frames/1/rendered", f"/instances/{uid}/thumbnail", f"/instances/{uid}/bulkdata/7FE00010"):
        answer, none = browser.get(here + path), browser.get(f"/arriving/{'0' * 32}" + path)
        check((answer.status_code, answer.text) == (404, none.text), f"{person[0]}: {path} {answer.status_code}")
check(requests.get(b.root + here, timeout=20).status_code == 401, "somebody who is not signed in")
for path in ("/arriving/x", "/arriving/" + "g" * 32):
    check(ann.get(path).status_code == 404, f"{path} is a transfer")

# No query knows of it, and nothing is given out, whoever asks.
operator = {"Authorization": "Bearer " + b.tool("web", "token")}
check(requests.get(b.root + here, headers=operator, timeout=20).json() == progress, "the local operator sees another state")
for level in ("studies", "series", "instances"):
    found = requests.get(f"{b.root}/dicom-web/{level}", headers=operator, timeout=20)
    check(found.status_code in (200, 204) and not (found.content and found.json()), f"QIDO-RS shows {level}")
for path in (f"/studies/{study}", f"/studies/{study}/metadata", f"/studies/{study}/rendered",
             f"/studies/{study}/series/{study}.1/instances/{uid}",
             f"/studies/{study}/series/{study}.1/instances/{uid}/frames/1"):
    status = requests.get(f"{b.root}/dicom-web{path}", headers=operator, timeout=20).status_code
    check(status == 404, f"WADO-RS gives {path}: {status}")
wado = f"/wado?requestType=WADO&studyUID={study}&seriesUID={study}.1&objectUID={uid}"
check(requests.get(b.root + wado, headers=operator, timeout=20).status_code == 404, "WADO-URI gives it")
find = wire.Association(int(b_port), [(wire.STUDY_FIND, [wire.EXPLICIT])], calling="STORM")
for level in ("STUDY", "SERIES", "IMAGE"):
    check(find.find(1, wire.identifier(level, study=study)) == ([], 0), f"C-FIND shows a {level}")
find.release()
got = []
get = wire.Association(
    int(b_port), [(wire.STUDY_GET, [wire.EXPLICIT]), (wire.CT, [wire.EXPLICIT])], roles=[wire.CT], calling="STORM")
get.get(1, wire.identifier("STUDY", study=study), lambda *one: got.append(one) or 0)
get.release()
check(not got, "C-GET gives it")

# The page: to each what concerns him, and the study to who may read it.
link = f"/viewer/{study}?arriving={name}"
check(ann.get("/transfers").status_code == 200 and link in ann.text, "no link")
check(link in ann.text and "来自" in ann.text and "ZHANG" not in ann.text, "another page")
check('href="/transfers"' in ann.text, "no way to the page")
check("is arriving" not in ann.text and ann.get("/transfers?lang=en").status_code == 200, "no English page")
check("Open what is there" in ann.text and f"of {count}<" in ann.text, "the English page says something else")
check('id="arriving"' in ann.get(link).text, "no viewer")
check(bob.get("/transfers").status_code == 200 and name not in bob.text and study not in bob.text, "bob sees a transfer")
check(li.get("/transfers").status_code == 200 and name not in li.text, "li sees a transfer")
check(tim.get("/transfers").status_code == 200 and name not in tim.text, "tim sees a transfer of others")
for who, browser in (("tom", tom), ("boss", boss)):
    page = browser.get("/transfers")
    check(page.status_code == 200 and name in browser.text, f"{who} sees no transfer")
    check(study not in browser.text and "/viewer/" not in browser.text, f"{who} sees a study")
check(zhao.get("/transfers").status_code == 403, "a page for an auditor")
check(requests.get(b.root + "/transfers", allow_redirects=False, timeout=20).status_code == 303, "a page for nobody")

matrix(f"/instances/{uid}")

# What is granted, and while it is.
grant = b.tool("grant", "add", "--to-person", "li", "--owner", "A", "--study", study, "--verbs", "read", "--because",
               "consultation 9").split()[0]
check(len(li.get(here + "/metadata").json()) == progress["there"], "not what was granted")
check(li.get(image + "/frames/1").status_code == 404, "a verb that was not granted")
check(li.get("/transfers").status_code == 200 and link in li.text, "no link for who was granted it")
b.tool("grant", "revoke", grant, "--because", "a test")
check(li.get(here).status_code == 404, "what was granted until now")

# Every opening is on the record, and who was refused.
records = b.tool("audit", "search", "--event", "accessed", "--limit", "1000", "--json").splitlines()
mine = [one for one in records if "\"ann\"" in one and f"arriving by transfer {name}" in one]
check(len(mine) >= 7, f"{len(mine)} openings are on the record")
refused = b.tool("audit", "search", "--event", "callerRefused", "--limit", "1000", "--json")
check("nothing of what is arriving is reached" in refused, "no refusal is on the record")

# Once all of it is there, it is there for everybody who may see it, and arrives no more.
a.tool("transfer", "resume", name)
wait("the end", lambda: transfer()["record"]["state"] == "complete")
found = ann.get(f"/dicom-web/studies/{study}/metadata")
check(found.status_code == 200 and len(found.json()) == count, "the study is not whole")
for path in ("", "/metadata", f"/instances/{uid}/frames/1"):
    check(ann.get(here + path).status_code == 404, f"it still arrives: {path}")
check(ann.get("/transfers").status_code == 200 and name not in ann.text, "a link to what is there")
check(tom.get("/transfers").status_code == 200 and "已完成" in tom.text, "no transfer that is complete")
print(json.dumps({"problems": problems}))
