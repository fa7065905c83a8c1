"""Talks DICOMweb to a service in its other forms: metadata with bulk data, XML, zip files, removal, commitment, events.

webmodels.py PORT FOLDER    the token is in HUIZHEN_WEB_TOKEN; the last line is a JSON report
"""
import base64
import io
import json
import re
import sys
import zipfile
from xml.etree import ElementTree

import lean  # before pydicom
import pydicom
from pydicom.uid import generate_uid

import dicomweb
from dicomweb import check, problems, root, session
from multiparts import parts

counts = {"json": 0, "xml": 0, "models": 0, "zipped": 0, "events": 0}
NATIVE = "{http://dicom.nema.org/PS3.19/models/NativeDICOM}"
XML = 'multipart/related; type="application/dicom+xml"'


def multipart(kind, pieces):
    """A multipart body of (head fields, bytes)."""
    body = b"".join(
        b"--xyz\r\n" + "".join(f"{name}: {value}\r\n" for name, value in head.items()).encode() + b"\r\n" + data + b"\r\n"
        for head, data in pieces) + b"--xyz--\r\n"
    return session.post(
        root + "/studies", data=body, headers={"Content-Type": f'multipart/related; type="{kind}"; boundary=xyz'})


def model_of(document):
    """The JSON model of a native model."""

    def dataset(element):
        result = {}
        for attribute in element.findall(NATIVE + "DicomAttribute"):
            vr = attribute.get("vr")
            held = {"vr": vr}
            values = []
            for child in attribute:
                name = child.tag.replace(NATIVE, "")
                if name == "InlineBinary":
                    held["InlineBinary"] = child.text
                    continue
                if name == "BulkData":
                    held["BulkDataURI"] = child.get("uri")
                    continue
                while len(values) < int(child.get("number")) - 1:
                    values.append(None)
                if name == "Item":
                    values.append(dataset(child))
                elif name == "PersonName":
                    groups = {}
                    for group in child:
                        texts = ["", "", "", "", ""]
                        for component in group:
                            index = ["FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"].index(
                                component.tag.replace(NATIVE, ""))
                            texts[index] = component.text or ""
                        groups[group.tag.replace(NATIVE, "")] = "^".join(texts).rstrip("^")
                    values.append(groups)
                elif vr in ("US", "SS", "UL", "SL", "UV", "SV"):
                    values.append(int(child.text))
                elif vr in ("FL", "FD"):
                    values.append(float(child.text))
                else:
                    values.append(child.text)
            if values:
                held["Value"] = values
            result[attribute.get("tag")] = held
        return result

    return dataset(ElementTree.fromstring(document))


def comparable(model, without=()):
    result = {}
    for tag, element in model.items():
        if tag in without or "BulkDataURI" in element:
            continue
        vr, values = element["vr"], element.get("Value")
        if vr == "SQ":
            values = [comparable(item or {}, without) for item in values or []]
        elif values and vr in ("DS", "IS"):
            values = [None if one is None else float(one) if re.fullmatch(r"[ +\-0-9.eE]+", str(one)) else one
                      for one in values]
        elif values and vr == "PN":
            values = [{name: text.rstrip("^") for name, text in (one or {}).items()} or None for one in values]
        elif values and vr in ("FL", "FD"):
            values = [None if one is None or one != one else float(one) for one in values]
        while values and values[-1] is None:
            values = values[:-1]
        binary = base64.b64decode(element.get("InlineBinary") or "")
        result[tag] = (vr, values or None, binary)
    return result


def renamed(model, new):
    model = dict(model)
    for tag in ("0020000D", "0020000E", "00080018"):
        model[tag] = {"vr": "UI", "Value": [new(model[tag]["Value"][0])]}
    return model


def xml_of(model):
    """A native model of a JSON model, as another writer makes it."""

    def write(parent, dataset):
        for tag, element in sorted(dataset.items()):
            node = ElementTree.SubElement(parent, "DicomAttribute", tag=tag, vr=element["vr"])
            if "InlineBinary" in element:
                ElementTree.SubElement(node, "InlineBinary").text = element["InlineBinary"]
            if "BulkDataURI" in element:
                ElementTree.SubElement(node, "BulkData", uri=element["BulkDataURI"])
            for index, value in enumerate(element.get("Value", [])):
                number = str(index + 1)
                if element["vr"] == "SQ":
                    write(ElementTree.SubElement(node, "Item", number=number), value)
                elif value is None:
                    continue
                elif element["vr"] == "PN":
                    name = ElementTree.SubElement(node, "PersonName", number=number)
                    for group, text in value.items():
                        child = ElementTree.SubElement(name, group)
                        for component, part in zip(
                                ["FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"],
                                text.split("^", 4)):
                            ElementTree.SubElement(child, component).text = part
                else:
                    ElementTree.SubElement(node, "Value", number=number).text = str(value)

    top = ElementTree.Element("NativeDicomModel", xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM")
    write(top, model)
    # A bare carriage return would be read as a line feed.
    return ElementTree.tostring(top, encoding="utf-8", xml_declaration=True).replace(b"\r", b"&#13;")


UIDS = ("0020000D", "0020000E", "00080018", "00080005")


def bulk_parts(model, address, syntax):
    """Everything that the metadata leave out, under the addresses they name."""
    result = []

    def walk(dataset):
        for tag, element in dataset.items():
            if "BulkDataURI" in element:
                uri = element["BulkDataURI"]
                if tag == "7FE00010" and dataset is model:
                    number = int(model.get("00280008", {}).get("Value", [1])[0] or 1)
                    if syntax.is_encapsulated:
                        answer = session.get(
                            f"{address}/frames/" + ",".join(str(index + 1) for index in range(number)),
                            headers={"Accept": 'multipart/related; type="*/*"; transfer-syntax=*'})
                        if answer.status_code != 200:
                            return False
                        for head, data in parts(answer):
                            kind = re.search(r"Content-Type: (.*)", head)[1].strip()
                            if "transfer-syntax" not in kind:
                                kind += f"; transfer-syntax={syntax}"
                            result.append(({"Content-Type": kind, "Content-Location": uri}, data))
                        continue
                answer = session.get(uri)
                if answer.status_code != 200:
                    return False
                result.append(({"Content-Type": "application/octet-stream", "Content-Location": uri}, answer.content))
            for item in element.get("Value", []) if element["vr"] == "SQ" else []:
                if not walk(item or {}):
                    return False
        return True

    return result if walk(model) else None


files = dicomweb.files(sys.argv[2])
answer = multipart("application/dicom", [({"Content-Type": "application/dicom"}, data) for data in files.values()])
check(answer.status_code == 200, f"store: {answer.status_code}")
left_out = []

for name, data in files.items():
    dataset = pydicom.dcmread(io.BytesIO(data), force=True)
    syntax = dataset.file_meta.TransferSyntaxUID
    study, series, instance = dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID
    address = f"{root}/studies/{study}/series/{series}/instances/{instance}"
    model = session.get(address + "/metadata").json()[0]

    # The same metadata as XML.
    answer = session.get(address + "/metadata", headers={"Accept": XML})
    if answer.status_code != 200:
        problems.append(f"{name}: XML metadata: {answer.status_code}")
        continue
    found = parts(answer)
    check(len(found) == 1 and "application/dicom+xml" in found[0][0], f"{name}: {len(found)} parts of XML")
    expected, got = comparable(model), comparable(model_of(found[0][1]))
    for tag in expected.keys() | got.keys():
        if expected.get(tag) != got.get(tag):
            problems.append(f"{name}: XML {tag}: {str(got.get(tag))[:60]}, not {str(expected.get(tag))[:60]}")
    counts["models"] += 1

    # Back again under other names, by both models.
    bulk = bulk_parts(model, address, syntax)
    if bulk is None or syntax.is_deflated:
        left_out.append(name)
        continue
    for kind, text in (("json", lambda held: json.dumps([held]).encode()), ("xml", xml_of)):
        new = {}
        held = renamed(model, lambda uid: new.setdefault(uid, generate_uid()))
        answer = multipart(f"application/dicom+{kind}", [({"Content-Type": f"application/dicom+{kind}"}, text(held))] + bulk)
        if answer.status_code not in (200, 202):
            problems.append(f"{name}: {kind}: {answer.status_code} {answer.text[:200]}")
            continue
        uids = [held[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018")]
        copy = f"{root}/studies/{uids[0]}/series/{uids[1]}/instances/{uids[2]}"
        again = session.get(copy + "/metadata").json()[0]
        expected, got = comparable(model, UIDS), comparable(again, UIDS)
        for tag in expected.keys() | got.keys():
            if expected.get(tag) != got.get(tag):
                one, two = str(got.get(tag)), str(expected.get(tag))
                start = max(0, next((i for i, (a, b) in enumerate(zip(one, two)) if a != b), 0) - 20)
                problems.append(f"{name}: {kind} {tag}: {one[start:start + 60]}, not {two[start:start + 60]}")
        back = pydicom.dcmread(io.BytesIO(session.get(copy, headers={"Accept": "application/dicom; transfer-syntax=*"}).content))
        if "PixelData" in dataset:
            if syntax.is_encapsulated:
                number = int(dataset.get("NumberOfFrames", 1) or 1)
                one = list(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=number))
                two = list(pydicom.encaps.generate_frames(back.PixelData, number_of_frames=number))
                same = [frame.rstrip(b"\0") for frame in one] == [frame.rstrip(b"\0") for frame in two]
                check(back.file_meta.TransferSyntaxUID == syntax, f"{name}: {kind}: another transfer syntax")
                check(same, f"{name}: {kind}: other frames")
            elif not syntax.is_implicit_VR and syntax.is_little_endian:
                check(back.PixelData == dataset.PixelData, f"{name}: {kind}: other pixel data")
        counts[kind] += 1

# Searches in XML, and how many there are.
answer = session.get(root + "/studies", params={"limit": 3, "totalcount": "true"}, headers={"Accept": XML})
check(answer.status_code == 200 and len(parts(answer)) == 3, f"searched XML: {answer.status_code}")
everything = session.get(root + "/studies").json()
check(answer.headers.get("X-Total-Count") == str(len(everything)), "the total count is another")
by_xml = sorted(str(comparable(model_of(data))) for _, data in parts(session.get(root + "/studies", headers={"Accept": XML})))
check(by_xml == sorted(str(comparable(one)) for one in everything), "a search in XML says something else")

# Zip files.
ct = pydicom.dcmread(io.BytesIO(files["ct-01.dcm"]))
address = f"{root}/studies/{ct.StudyInstanceUID}"
answer = session.get(address, headers={"Accept": "application/zip"})
check(answer.status_code == 200 and answer.headers["Content-Type"] == "application/zip", f"zip: {answer.status_code}")
with zipfile.ZipFile(io.BytesIO(answer.content)) as held:
    check(held.testzip() is None, "the zip file is broken")
    listing = pydicom.dcmread(io.BytesIO(held.read("DICOMDIR")))
    for record in listing.DirectoryRecordSequence:
        if "ReferencedFileID" not in record:
            continue
        one = pydicom.dcmread(io.BytesIO(held.read("/".join(record.ReferencedFileID))))
        check(one.SOPInstanceUID == record.ReferencedSOPInstanceUIDInFile, "the zip file has another object there")
        check(one.StudyInstanceUID == ct.StudyInstanceUID, "the zip file has an object of another study")
        counts["zipped"] += 1
check(counts["zipped"] == len(session.get(address + "/instances").json()), "the zip file has not every object")

# Commitment.
item = {"00081150": {"vr": "UI", "Value": [ct.SOPClassUID]}, "00081155": {"vr": "UI", "Value": [ct.SOPInstanceUID]}}
lost = {"00081150": {"vr": "UI", "Value": [ct.SOPClassUID]}, "00081155": {"vr": "UI", "Value": ["1.2.3.4"]}}
other = {"00081150": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.7"]}, "00081155": item["00081155"]}
request = {"00081199": {"vr": "SQ", "Value": [item, lost, other]}}
kind = {"Content-Type": "application/dicom+json"}
place = root + "/commitment-requests/1.2.3"
check(session.get(place).status_code == 404, "a result before the request")
answer = session.post(place, data=json.dumps(request), headers=kind)
check(answer.status_code == 200, f"commitment: {answer.status_code} {answer.text[:100]}")
result = answer.json()
check([one["00081155"]["Value"][0] for one in result["00081199"]["Value"]] == [ct.SOPInstanceUID], "committed to another")
check([one["00081197"]["Value"][0] for one in result["00081198"]["Value"]] == [0x0112, 0x0119], "not committed to for other reasons")
check(session.get(place).json() == result, "the result is another when asked for again")
check(session.post(place, data=json.dumps(request), headers=kind).status_code == 409, "a transaction twice")
many = {"00081199": {"vr": "SQ", "Value": [item] * 65}}
place = root + "/commitment-requests/1.2.4"
answer = session.post(place, data=json.dumps(many), headers=kind)
check(answer.status_code == 202 and not answer.content, f"a long commitment: {answer.status_code}")
for _ in range(100000):
    answer = session.get(place)
    if answer.status_code != 202:
        break
check(len(answer.json()["00081199"]["Value"]) == 65, "a long commitment has another result")
for body, expected in [(b"", 400), (b"{}", 400), (b"[", 400), (json.dumps({"00081199": {"vr": "SQ"}}).encode(), 400)]:
    check(session.post(root + "/commitment-requests/1.2.5", data=body, headers=kind).status_code == expected, f"commitment to {body}")
check(session.post(root + "/commitment-requests/1.2.5", data=b"x", headers={"Content-Type": "text/plain"}).status_code == 415, "commitment to text")


# Events, and those that were missed.
def events(number, last=None):
    result, held = [], {}
    headers = {"Accept": "text/event-stream"}
    if last:
        headers["Last-Event-ID"] = last
    with session.get(root + "/events", headers=headers, stream=True) as answer:
        check(answer.headers["Content-Type"] == "text/event-stream", "events of another type")
        lines = answer.iter_lines(chunk_size=1)
        next(lines)
        yield None
        for line in lines:
            name, _, value = line.decode().partition(": ")
            if name in ("id", "event", "data"):
                held[name] = value
            elif held and "data" in held:
                # Studies become complete whenever they have been quiet.
                if held["event"] in ("removed", "reset"):
                    result.append(held)
                held = {}
                if len(result) == number:
                    break
    yield result


session.delete(root + "/studies/1.2.3")
stream = events(1)
next(stream)
study = f"{root}/studies/{ct.StudyInstanceUID}"
check(session.delete(f"{study}/series/{ct.SeriesInstanceUID}/instances/{ct.SOPInstanceUID}").status_code == 204, "an instance is not removed")
first = next(stream)
check(first[0]["event"] == "removed" and f"/studies/{ct.StudyInstanceUID}/" in json.loads(first[0]["data"])["resource"], f"event {first}")
check(session.get(f"{study}/series/{ct.SeriesInstanceUID}/instances/{ct.SOPInstanceUID}").status_code == 404, "what was removed is there")
check(session.delete(f"{study}/series/{ct.SeriesInstanceUID}/instances/{ct.SOPInstanceUID}").status_code == 404, "removed twice")
check(session.delete(study).status_code == 204, "a study is not removed")
check(session.get(study).status_code == 404, "a removed study is there")
check(session.delete(root + "/studies/1.2.3.4.5").status_code == 404, "nothing is removed")
missed = events(1, first[0]["id"])
next(missed)
second = next(missed)
check(second[0]["event"] == "removed" and second[0]["id"] != first[0]["id"], f"missed {second}")
other = events(1, "1-1")
next(other)
check(next(other)[0]["event"] == "reset", "no reset for an identifier of another catalogue")
counts["events"] = 3

# What it says of itself.
document = session.get(root + "/openapi.json").json()
check("/studies/{study}" in document["paths"], "OpenAPI without studies")
for method, path in (("GET", "/capabilities"), ("OPTIONS", "")):
    answer = session.request(method, root + path)
    check(answer.headers["Content-Type"] == "application/vnd.sun.wadl+xml", f"{method} {path}: {answer.status_code}")
    check(ElementTree.fromstring(answer.content) is not None, "WADL that is no XML")

# Models that are wrong.
kept = next(one for one in everything if one["0020000D"]["Value"][0] != ct.StudyInstanceUID)
good = renamed(session.get(root + f"/studies/{kept['0020000D']['Value'][0]}/metadata").json()[0], lambda uid: generate_uid())
good = {tag: element for tag, element in good.items() if "BulkDataURI" not in element}
bad = {**good, "00280010": {"vr": "US", "Value": ["many"]}}


def stored(*pieces):
    return multipart("application/dicom+json", [({"Content-Type": kind, "Content-Location": place} if place else {"Content-Type": kind}, text) for kind, place, text in pieces])


JSON = "application/dicom+json"
check(stored((JSON, None, b"[{")).status_code == 400, "broken JSON")
check(stored((JSON, None, b"[" * 100000)).status_code == 400, "deep JSON")
check(stored(("application/dicom+xml", None, b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')).status_code == 400, "a document type")
limit = 32 << 20
for count, expected in ((limit, 400), (limit + 1, 413)):
    answer = session.post(root + "/studies", data=b"[" + b" " * (count - 2) + b"]", headers={"Content-Type": JSON})
    check(answer.status_code == expected, f"{count} bytes of metadata: {answer.status_code}, not {expected}")
check(stored((JSON, None, json.dumps([bad]).encode())).status_code == 409, "a bad value")
pixels = {**good, "7FE00010": {"vr": "OW", "BulkDataURI": "here"}, "00280010": {"vr": "US", "Value": [4]}, "00280011": {"vr": "US", "Value": [4]},
          "00280100": {"vr": "US", "Value": [16]}, "00280101": {"vr": "US", "Value": [16]}, "00280102": {"vr": "US", "Value": [15]},
          "00280103": {"vr": "US", "Value": [0]}, "00280002": {"vr": "US", "Value": [1]}, "00280004": {"vr": "CS", "Value": ["MONOCHROME2"]}}
pixels.pop("00280008", None)
check(stored((JSON, None, json.dumps([pixels]).encode())).status_code == 409, "an object without its pixel data")
check(stored((JSON, None, json.dumps([pixels]).encode()), ("image/jpeg", "here", b"no image")).status_code == 409, "no JPEG")
answer = stored((JSON, None, json.dumps([pixels]).encode()), ("application/octet-stream", "here", bytes(30)))
check(answer.status_code == 202, f"short pixel data: {answer.status_code}")
check(answer.json()["00081199"]["Value"][0]["00081196"]["Value"] == [0xB007], "short pixel data without a warning")
fresh = {**pixels, "00080018": {"vr": "UI", "Value": [generate_uid()]}}
answer = stored((JSON, None, json.dumps([fresh]).encode()), ("application/octet-stream", "elsewhere", b"x"), ("application/octet-stream", "here", bytes(32)))
check(answer.status_code == 200, f"pixel data: {answer.status_code} {answer.text[:100]}")

dicomweb.report(leftOut=left_out, **counts)
