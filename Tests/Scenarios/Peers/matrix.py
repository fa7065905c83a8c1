"""Goes through every door as everybody, and compares what happens with tables that were written by hand.

matrix.py PORT WEB_PORT BINARY DIRECTORY SOCKET OBJECTS.tsv ACTS.tsv    the last line is a JSON report
"""
import collections
import concurrent.futures
import io
import itertools
import json
import os
import re
import struct
import subprocess
import sys
import threading
import types

import lean  # before pydicom
import pydicom
import requests
from pynetdicom import AE, evt
from pynetdicom.sop_class import CTImageStorage, StorageCommitmentPushModel

import commitment
import requestor
import sftp
import wire
from signedin import Browser, Service

port, web_port, binary, directory, socket, objects_path, acts_path = sys.argv[1:]
port = int(port)
service = Service(web_port, binary, directory)
tool = service.tool
web = service.root + "/dicom-web"
problems = []
checks = 0
# Refusals that the record must name, by who was refused.
refusals = collections.Counter()


def check(holds, what):
    global checks
    checks += 1
    if not holds:
        problems.append(what)


def rows(path):
    lines = [line.rstrip("\n").split("\t") for line in open(path) if not line.startswith("#")]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


# What is held. Everything but `own` is SOUTH's.
NAMES = ("granted", "personal", "search-only", "series", "masked", "over", "withdrawn", "foreign", "emergency",
         "emergency-over", "patients-own")
STUDIES = {"own": "2.25.1001", **{name: f"2.25.{2001 + index}" for index, name in enumerate(NAMES)}}
STUDIES["other-series"] = STUDIES["series"]


def place(resource):
    """Study, series and instance."""
    study = STUDIES[resource]
    series = study + (".2" if resource == "other-series" else ".1")
    return study, series, series + ".1"


def image(study, series, instance, patient):
    more = {0x00280002: wire.explicit(0x00280002, "US", 1), 0x00280004: wire.explicit(0x00280004, "CS", "MONOCHROME2"),
            0x00280010: wire.explicit(0x00280010, "US", 8), 0x00280011: wire.explicit(0x00280011, "US", 8), 0x00280100: wire.explicit(0x00280100, "US", 8),
            0x00280101: wire.explicit(0x00280101, "US", 8), 0x00280102: wire.explicit(0x00280102, "US", 7), 0x00280103: wire.explicit(0x00280103, "US", 0),
            0x00080060: wire.explicit(0x00080060, "CS", "SR" if series.endswith(".2") else "CT"),
            0x7FE00010: wire.explicit(0x7FE00010, "OW", bytes(range(64)))}
    return wire.tiny(wire.CT, study, series, instance, patient=patient, more=more)


def store(calling, study, series, instance, patient="P1"):
    association = wire.Association(port, [(wire.CT, [wire.EXPLICIT])], calling=calling)
    status = association.store(1, wire.CT, instance, image(study, series, instance, patient))
    association.release()
    return status


class Receiver:
    """Takes what C-MOVE sends to a peer."""

    def __init__(self):
        self.taken = []
        ae = AE()
        ae.add_supported_context(CTImageStorage, wire.EXPLICIT)
        self.server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, self.take)])
        self.port = self.server.socket.getsockname()[1]

    def take(self, event):
        self.taken.append(event.request.AffectedSOPInstanceUID)
        return 0


receiver = Receiver()


def prepare():
    for name, institution, more in (
            ("NORTH", "NORTH", ()), ("NORTHALL", "NORTH", ()), ("NORTHCT", "NORTH", ("--services", "echo,store")),
            ("NORTHWS", "NORTH", ("--services", "find")), ("SOUTH", "SOUTH", ()),
            ("EAST", "EAST", ("--port", "1")), ("WEST", "WEST", ("--port", str(receiver.port))),
            ("NORTHRX", "NORTH", ("--port", str(receiver.port))), ("SOUTHRX", "SOUTH", ("--port", str(receiver.port)))):
        tool("peer", "add", name, "--address", "127.0.0.1", "--institution", institution, "--issuer", "CITY", *more)
    tool("peer", "add", "FARAWAY", "--address", "10.9.9.9", "--institution", "NORTH", "--issuer", "CITY",
         "--allow-plain")
    tool("destination", "approve", "WEST", "--because", "contract 7")
    patients = {"emergency": "E1", "emergency-over": "E2"}
    for resource in STUDIES:
        study, series, instance = place(resource)
        sender = "NORTH" if resource == "own" else "SOUTH"
        check(store(sender, study, series, instance, patients.get(resource, "P1")) == 0, f"{resource} is not stored")

    def grant(*more, to=("--to-institution", "NORTH")):
        return tool("grant", "add", *to, "--owner", "SOUTH", "--because", "consultation 7", *more)

    grant("--study", STUDIES["granted"])
    grant("--study", STUDIES["personal"], to=("--to-person", "clinician"))
    grant("--study", STUDIES["search-only"], "--verbs", "search")
    # Whatever is granted to a patient's account: the role may nothing.
    grant("--study", STUDIES["patients-own"], to=("--to-person", "patient"))
    grant("--series", "/".join(place("series")[:2]))
    grant("--study", STUDIES["masked"], "--masking", "clinical")
    over = grant("--study", STUDIES["over"])
    tool("grant", "revoke", over, "--because", "over")
    record = tool(
        "consent", "add", "--purpose", "second opinion", "--owner", "SOUTH", "--study", STUDIES["withdrawn"],
        "--to-institution", "NORTH", "--evidence", "form 7")
    grant("--study", STUDIES["withdrawn"], "--consent", record)
    tool("consent", "withdraw", record, "--because", "the patient says no")


class Token:
    """The local operator, by a token."""

    def __init__(self):
        self.headers = {"Authorization": "Bearer " + tool("web", "token")}

    def ask(self, method, path, **more):
        headers = {**self.headers, **more.pop("headers", {})}
        return requests.request(method, service.root + path, headers=headers, allow_redirects=False, **more)


class Program:
    """A program of NORTH, by the token that its secret gave it."""

    def __init__(self, name, verbs, *more, scope=""):
        made = json.loads(tool("token", "client", "add", name, "--institution", "NORTH", "--verbs", verbs, "--days", "5",
                               "--json", *more))
        answer = requests.post(
            service.root + "/oauth2/token", auth=(made["id"], made["secret"]),
            data={"grant_type": "client_credentials", "scope": scope})
        self.token = answer.json()["access_token"]
        self.headers = {"Authorization": "Bearer " + self.token}

    ask = Token.ask


# Of whom the name is no role's: the first start made an account of that name.
account = {"operator": "boss"}
GUESTS = ("guest",)
PROGRAMS = ("program", "program-search", "program-store", "program-studies")
PEOPLE = ("regulator", "institution-administrator", "operator", "auditor", "patient", "expert", "clinician",
          "technician")


def actors():
    """Browsers by what their people are; accounts are called like their roles."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        signed_in = pool.map(lambda name: service.person(account.get(name, name), "NORTH", name), PEOPLE)
        found = dict(zip(PEOPLE, signed_in))
    found["nobody"] = Browser(service.root)
    service.invite("half", "NORTH", "clinician")
    found["half-signed-in"] = service.begun("half")
    found["signed-out"] = service.person("gone", "NORTH", "clinician")
    held = dict(found["signed-out"].cookies)
    found["signed-out"].get("/account")
    found["signed-out"].post("/session/end")
    found["signed-out"].cookies = held
    found["disabled"] = service.person("former", "NORTH", "clinician")
    tool("user", "disable", "former")
    found["local-operator"] = Token()
    found["guest"] = guest(found["clinician"], "guest")
    found["guest-revoked"] = guest(found["clinician"], "guest-revoked")
    tool("share", "revoke", account["guest-revoked"].removeprefix("share "))
    listed = directory + ".studies"
    with open(listed, "w") as file:
        file.write(STUDIES["granted"] + "\n" + STUDIES["foreign"] + "\n")
    found["program"] = Program("program", "search,read,retrieve")
    found["program-search"] = Program("program-search", "search,read,retrieve", scope="search")
    found["program-store"] = Program("program-store", "store,commit")
    found["program-studies"] = Program("program-studies", "search,read,retrieve", "--studies", listed)
    found["program-revoked"] = Program("program-revoked", "search,read,retrieve")
    tool("token", "client", "revoke", "program-revoked")
    for name in ("expert", "clinician"):
        browser = found[name]
        for patient in ("E1", "E2"):
            browser.get("/emergencies")
            answer = browser.post(
                "/emergencies", patient=patient, issuer="CITY", study="", reason="unconscious, aneurysm suspected")
            check(answer.status_code == 303, f"{name}: no emergency access: {answer.status_code}")
            if patient == "E2":
                # The latest stands first.
                action = browser.text.split('action="/emergencies/')[1].split('"')[0]
                check(browser.post("/emergencies/" + action).status_code == 303, f"{name}: it does not end")
    return found


def guest(maker, name):
    """Who came by a link that `maker` made to the study `own`."""
    known = {one["id"] for one in json.loads(tool("share", "list", "--json"))}
    maker.get("/shares")
    maker.post("/shares", study=STUDIES["own"], purpose="opinion of Dr. Wang", days="7")
    code, secret = re.search(
        r'<code id="address">[^<]+#([^<]+)</code>.*<code id="secret">([^<]+)</code>', maker.text, re.S).groups()
    account[name] = "share " + next(
        one["id"] for one in json.loads(tool("share", "list", "--json")) if one["id"] not in known)
    browser = Browser(service.root)
    browser.get("/share")
    answer = browser.post("/share", code=code, secret=secret)
    check(answer.status_code == 303, f"no guest: {answer.status_code}")
    return browser


def outcome(status, shown=(200,)):
    return {**{one: "shown" for one in shown}, 204: "absent", 404: "absent", 403: "refused", 401: "unknown"}.get(
        status, str(status))


def ask(name, browser, method, path, **more):
    answer = browser.ask(method, path, **more)
    if name in PEOPLE + GUESTS + PROGRAMS and answer.status_code in (403, 404):
        refusals[account.get(name, name)] += 1
    return answer


def searched(name, browser, resource):
    study, series, instance = place(resource)
    for path in (f"/studies?StudyInstanceUID={study}" if resource != "other-series" else None,
                 f"/series?SeriesInstanceUID={series}", f"/studies/{study}/series?SeriesInstanceUID={series}",
                 f"/instances?SOPInstanceUID={instance}", f"/studies/{study}/instances?SOPInstanceUID={instance}"):
        if path is None:
            continue
        answer = ask(name, browser, "GET", "/dicom-web" + path)
        found = outcome(answer.status_code)
        if found == "shown" and not answer.json():
            found = "absent"
        yield path, found


MULTIPART = 'multipart/related; type="application/dicom"; transfer-syntax=*'


def read(name, browser, resource):
    study, series, instance = place(resource)
    paths = [f"/studies/{study}/series/{series}", f"/studies/{study}/series/{series}/instances/{instance}"]
    if not resource.endswith("series"):
        paths.append(f"/studies/{study}")
    for path in paths:
        yield path, outcome(ask(name, browser, "GET", "/dicom-web" + path + "/metadata").status_code)


def retrieved(name, browser, resource):
    study, series, instance = place(resource)
    whole = f"/studies/{study}"
    part = f"{whole}/series/{series}"
    one = f"{part}/instances/{instance}"
    levels = (part, one) if resource.endswith("series") else (whole, part, one)
    asked = [(path, {"Accept": MULTIPART}) for path in levels]
    asked += [(path, {"Accept": "application/zip"}) for path in levels]
    asked += [(path + "/rendered", {"Accept": "multipart/related; type=\"image/jpeg\""}) for path in levels[:-1]]
    asked += [(path + "/thumbnail", {}) for path in levels]
    asked += [(one + "/rendered", {}), (one + "/frames/1", {}), (one + "/frames/1/rendered", {}),
              (f"{whole}/instances/{instance}/bulkdata/7FE00010", {})]
    for path, headers in asked:
        yield path, outcome(ask(name, browser, "GET", "/dicom-web" + path, headers=headers).status_code)
    for kind in ("application/dicom", "image/jpeg"):
        path = f"/wado?requestType=WADO&studyUID={study}&seriesUID={series}&objectUID={instance}&contentType={kind}"
        yield path, outcome(ask(name, browser, "GET", path).status_code)


PEERS = {"peer": "NORTHALL", "peer-of-owner": "SOUTH", "peer-store": "NORTHCT", "peer-find": "NORTHWS",
         "peer-approved": "NORTHALL", "stranger": "STRANGER", "peer-elsewhere": "FARAWAY"}


def associate(calling, contexts, roles=()):
    """None where it is refused."""
    try:
        association = wire.Association(port, contexts, calling=calling, roles=roles)
    except wire.Ended:
        return None
    if 1 not in association.accepted:
        association.release()
        return None
    return association


def named(resource):
    study, series, instance = place(resource)
    if not resource.endswith("series"):
        yield "STUDY", {"study": study}
    yield "SERIES", {"study": study, "series": series}
    yield "IMAGE", {"study": study, "series": series, "instance": instance}


def dimse_searched(calling, resource):
    for level, keys in named(resource):
        association = associate(calling, [(wire.STUDY_FIND, [wire.EXPLICIT])])
        found, status = association.find(1, wire.identifier(level, **keys))
        association.release()
        refusals[calling] += status == 0x0124
        yield "C-FIND " + level, "refused" if status == 0x0124 else "shown" if found else "absent"


def dimse_retrieved(calling, resource):
    for level, keys in named(resource):
        association = associate(
            calling, [(wire.STUDY_GET, [wire.EXPLICIT]), (wire.CT, [wire.EXPLICIT])], roles=[wire.CT])
        got = []
        command, _ = association.get(
            1, wire.identifier(level, **keys), lambda command, syntax, data: got.append(data) or 0)
        association.release()
        status = command[0x00000900]
        # What is out of reach is answered like what is not there, and recorded like what is refused.
        refusals[calling] += status == 0x0124 or not got
        yield "C-GET " + level, "refused" if status == 0x0124 else "shown" if got else "absent"


def dimse_moved(calling, resource):
    """C-MOVE to a peer of the own institution is a retrieval."""
    for level, keys in named(resource):
        association = associate(calling, [(wire.STUDY_MOVE, [wire.EXPLICIT])])
        if association is None:
            continue
        receiver.taken.clear()
        command, _ = association.move(
            1, wire.identifier(level, **keys), "SOUTHRX" if calling == "SOUTH" else "NORTHRX")
        association.release()
        status = command[0x00000900]
        isThere = place(resource)[2] in receiver.taken
        check(len(receiver.taken) == isThere, f"{calling} {resource} C-MOVE {level}: others arrived")
        refusals[calling] += status == 0x0124 or not isThere
        yield "C-MOVE " + level, "refused" if status == 0x0124 else "shown" if isThere else "absent"


def objects(browsers):
    for row in rows(objects_path):
        name, resource = row["actor"], row["resource"]
        if name in PEERS:
            ways = {"search": dimse_searched(PEERS[name], resource), "read": (),
                    "retrieve": itertools.chain(
                        dimse_retrieved(PEERS[name], resource), dimse_moved(PEERS[name], resource))}
        else:
            browser = browsers[name]
            ways = {"search": searched(name, browser, resource), "read": read(name, browser, resource),
                    "retrieve": retrieved(name, browser, resource)}
        for verb, way in ways.items():
            for what, found in way:
                check(found == row[verb], f"{name} {resource} {verb} {what}: {found}, not {row[verb]}")


def counted(browsers):
    """Lists, totals and related counts name nothing that is not shown."""
    table = rows(objects_path)
    # Who sees one study alone has nothing else to count.
    for name in {row["actor"] for row in table if row["search"] == "shown"} - {"local-operator", "guest"}:
        expected = {STUDIES[row["resource"]] for row in table if row["actor"] == name and row["search"] == "shown"}
        if name in PEERS:
            if name == "peer-of-owner":
                continue
            association = associate(PEERS[name], [(wire.STUDY_FIND, [wire.EXPLICIT])])
            found, _ = association.find(1, wire.identifier("STUDY", study=""))
            association.release()
            check({wire.read_values(one)[0x0020000D] for one in found} == expected, f"{name}: another list")
            continue
        answer = browsers[name].ask("GET", "/dicom-web/studies?includefield=all")
        found = {one["0020000D"]["Value"][0]: one for one in answer.json()}
        check(set(found) == expected, f"{name}: another list")
        if STUDIES["series"] not in expected:
            continue
        part = found[STUDIES["series"]]
        check(part["00201206"]["Value"] == [1] and part["00201208"]["Value"] == [1], f"{name}: counts of what is hidden")
        check(part["00080061"]["Value"] == ["CT"], f"{name}: modalities of what is hidden")
        answer = browsers[name].ask("GET", "/dicom-web/studies?ModalitiesInStudy=SR")
        check(answer.status_code == 204 or answer.json() == [], f"{name}: a search tells of what is hidden")


# MARK: Acts

def part10(study):
    meta = wire.explicit(0x00020001, "OB", b"\0\1") + wire.explicit(0x00020002, "UI", wire.CT)
    meta += wire.explicit(0x00020003, "UI", study + ".1.1") + wire.explicit(0x00020010, "UI", wire.EXPLICIT)
    meta += wire.explicit(0x00020012, "UI", "2.25.7")
    file = bytes(128) + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta)) + meta
    return file + image(study, study + ".1", study + ".1.1", "P1")


def stow(name, browser):
    body = b"--x\r\nContent-Type: application/dicom\r\n\r\n" + part10("2.25.3001") + b"\r\n--x--\r\n"
    headers = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=x'}
    return ask(name, browser, "POST", "/dicom-web/studies", data=body, headers=headers).status_code


def web_commit(name, browser):
    """Own objects and those of others, in one request."""
    references = [{"00081150": {"vr": "UI", "Value": [wire.CT]}, "00081155": {"vr": "UI", "Value": [uid]}}
                  for uid in (place("own")[2], place("granted")[2], place("foreign")[2])]
    answer = ask(
        name, browser, "POST", f"/dicom-web/commitment-requests/2.25.{9000 + len(name)}",
        json={"00081199": {"vr": "SQ", "Value": references}}, headers={"Content-Type": "application/dicom+json"})
    if answer.status_code == 200:
        result = answer.json()
        result = result[0] if isinstance(result, list) else result
        def uids(tag):
            return {one["00081155"]["Value"][0] for one in result.get(tag, {}).get("Value", [])}
        check(uids("00081199") == {place("own")[2]}, f"{name}: commits to what is not theirs, or not to what is")
        check(uids("00081198") == {place("granted")[2], place("foreign")[2]}, f"{name}: other failures")
    return answer.status_code


def events(name, browser):
    answer = ask(name, browser, "GET", "/dicom-web/events", stream=True)
    answer.close()
    return answer.status_code


def control():
    """Whoever is not the service's user does not reach the socket."""
    if os.geteuid() != 0:
        return "refused"
    found = subprocess.run(
        [binary, "status", "--data", directory], user=65534, group=65534, extra_groups=[], capture_output=True,
        check=False)
    return "refused" if found.returncode != 0 else "ok"


WEB_ACTS = {
    "store": stow, "commit": web_commit, "events": events,
    "remove": lambda name, browser: ask(name, browser, "DELETE", "/dicom-web/studies/" + STUDIES["own"]).status_code,
}
WORDS = {200: "ok", 202: "ok", 204: "ok", 303: "start", 401: "unknown", 403: "refused"}


def dimse_commit(calling):
    ae = AE(ae_title=calling)
    ae.add_requested_context(StorageCommitmentPushModel)
    reports = commitment.Reports()
    association = requestor.alone(ae.associate("127.0.0.1", port, ae_title="HUIZHEN", evt_handlers=[
        (evt.EVT_N_EVENT_REPORT, reports.take)]))
    if not association.is_established or not association.accepted_contexts:
        if association.is_established:
            association.release()
        return "refused"
    own, foreign = place("own")[2], place("foreign")[2]
    status, _ = association.send_n_action(
        commitment.references([own, foreign]), 1, StorageCommitmentPushModel, commitment.WELL_KNOWN)
    if status.Status == 0:
        check(reports.arrived.wait(30), f"{calling}: no report")
        told = reports.events[0] if reports.events else {"committed": [], "failed": {}}
        check(told["committed"] == [own] and told["failed"] == {foreign: 0x0112}, f"{calling}: another report")
    association.release()
    refusals[calling] += status.Status == 0x0124
    return "ok" if status.Status == 0 else "refused"


def dimse_send(calling, destination, resource="own"):
    """C-MOVE to a peer of another institution is sending."""
    association = associate(calling, [(wire.STUDY_MOVE, [wire.EXPLICIT])])
    if association is None:
        return "refused"
    receiver.taken.clear()
    command, _ = association.move(1, wire.identifier("STUDY", study=STUDIES[resource]), destination)
    association.release()
    isRefused = command[0x00000900] == 0x0124
    isThere = place(resource)[2] in receiver.taken
    refusals[calling] += isRefused or not isThere and destination == "WEST"
    # Nobody listens at EAST: that it was tried is what counts.
    return "refused" if isRefused else "ok" if isThere or destination == "EAST" else "absent"


def dimse_store(calling):
    association = associate(calling, [(wire.CT, [wire.EXPLICIT])])
    if association is None:
        return "refused"
    study = "2.25.3002"
    status = association.store(1, wire.CT, study + ".1.1", image(study, study + ".1", study + ".1.1", "P1"))
    association.release()
    return "ok" if status == 0 else "refused"


def acts(browsers):
    for row in rows(acts_path):
        name = row["actor"]
        if name in PEERS:
            calling = PEERS[name]
            found = {"store": dimse_store(calling), "commit": dimse_commit(calling),
                     "send": dimse_send(calling, "WEST" if name == "peer-approved" else "EAST"),
                     "pass-on": dimse_send(calling, "WEST", "granted")}
        else:
            found = {"control": control()}
            for act, way in WEB_ACTS.items():
                found[act] = WORDS.get(way(name, browsers[name]), "else")
            found["viewer"] = WORDS.get(browsers[name].ask("GET", "/viewer/" + STUDIES["own"]).status_code, "else")
            for page in ("users", "emergencies", "grants", "consents", "review", "audit", "alerts", "statistics"):
                found[page] = WORDS.get(ask(name, browsers[name], "GET", "/" + page).status_code, "else")
        for act, expected in row.items():
            if act == "actor" or expected == "-":
                continue
            check(found.get(act) == expected, f"{name} {act}: {found.get(act)}, not {expected}")


def files():
    """By SFTP everybody fetches and puts what the same tables say, and what is refused is on the record."""
    stores = {row["actor"]: row["store"] for row in rows(acts_path)}
    refused = 0
    tool("sftp", "allow", "peer", "--key", "--as-institution", "NORTH", "--days", "3")
    for name in PEOPLE:
        tool("sftp", "allow", name, "--key", "--as-person", account.get(name, name), "--days", "3",
             "--second-factor", "sshd asks for a code")
    tool("sftp", "allow", "former", "--key", "--as-person", "former", "--days", "3", "--second-factor", "as above")
    for name in ("peer",) + PEOPLE:
        client = sftp.Client(types.SimpleNamespace(binary=binary, socket=socket, subject=name, user=0)).begin()
        studies = client.names("/studies")
        fetched = set()
        if studies == 3:
            refused += 1
            studies = []
        for study in studies:
            if study == "index.csv":
                lines = client.fetch("/studies/index.csv").decode().splitlines()[1:]
                told = {line.split(",")[0] for line in lines}
                check(told == set(studies) - {"index.csv"}, f"{name} files: the index is of other studies")
                continue
            for series in client.names("/studies/" + study):
                for file in client.names(f"/studies/{study}/{series}"):
                    data = client.fetch(f"/studies/{study}/{series}/{file}")
                    fetched.add(pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True).SOPInstanceUID)
        for row in rows(objects_path):
            if row["actor"] == name:
                isShown = place(row["resource"])[2] in fetched
                check(isShown == (row["retrieve"] == "shown"), f"{name} {row['resource']} files: {isShown}")
        put = client.put("/incoming/a.dcm", part10("2.25.3003"))
        refused += put == 3
        check({0: "ok", 3: "refused"}.get(put) == stores[name], f"{name} files: put {put}, not {stores[name]}")
        client.end()
    try:
        sftp.Client(types.SimpleNamespace(binary=binary, socket=socket, subject="former", user=0)).begin()
        check(False, "a disabled account is let in for files")
    except sftp.Ended:
        pass
    lines = tool("audit", "search", "--event", "callerRefused", "--door", "sftp", "--limit", "100000", "--json")
    found = len(lines.splitlines())
    check(found == refused + 1, f"{found} refusals of files on the record, {refused + 1} were given")


def followed(browser):
    """Events of what is not shown are told to nobody; nothing is told any more once nothing may be searched."""
    answer = browser.ask("GET", "/dicom-web/events", stream=True)
    lines = answer.iter_lines(decode_unicode=True)
    next(lines)
    for study, calling in (("2.25.5001", "SOUTH"), ("2.25.5002", "NORTH")):
        check(store(calling, study, study + ".1", study + ".1.1") == 0, "not stored")
    told = []
    for line in lines:
        told.append(line)
        if "2.25.5002" in line:
            break
    check(not any("2.25.5001" in line for line in told), "an event tells of what is not shown")
    tool("user", "disable", "clinician")
    ended = threading.Event()

    def drain():
        for _ in lines:
            pass
        ended.set()

    try:
        drain()
    except requests.exceptions.RequestException:
        ended.set()
    check(ended.is_set(), "events go on for who may do nothing any more")


def recorded():
    """Every refusal is on the record of acts, of whoever was refused."""
    found = collections.Counter()
    lines = tool("audit", "search", "--event", "callerRefused", "--limit", "100000", "--json").splitlines()
    for line in lines:
        entry = json.loads(line)
        found[entry["actor"]["name"]] += 1
    for name, count in sorted(refusals.items()):
        check(found[name] == count, f"{name}: {found[name]} refusals on the record, {count} were given")
    # Of those from one address within a minute the first is named, and the others are counted.
    check(found["STRANGER"] == 1, "a stranger is not on the record")
    check(any("127.0.0.1" in line and '"unknown"' in line for line in lines), "nobody knocked")
    return sum(refusals.values())


prepare()
browsers = actors()
counted(browsers)
objects(browsers)
acts(browsers)
count = recorded()
files()
followed(browsers["clinician"])
print(json.dumps({"problems": problems[:60], "problemCount": len(problems), "checks": checks, "refusals": count}))
