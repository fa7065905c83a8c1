"""Asks the web door in all the ways that the standard has, and compares answers with what was stored.

webrequests.py PORT    the token is in HUIZHEN_WEB_TOKEN; the last line is a JSON report. The service has a web.search-limit
                       of 8.
"""
import gzip
import io
import json
import re
import subprocess
import sys
import zipfile

import numpy
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit, JPEGLSLossless, generate_uid

import dicomweb
from dicomweb import check, root, session
from multiparts import parts

VIDEO = "1.2.840.10008.1.2.4.102"
UNCOMPRESSED = "1.2.840.10008.1.2.1.98"
OBJECTS = 'multipart/related; type="application/dicom"'
counts = {"searches": 0, "retrievals": 0}


def made(study, series, number, syntax=ExplicitVRLittleEndian, **more):
    """An object with an image of 16 bits unless `more` says otherwise."""
    one = Dataset()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = UID(syntax)
    one.SOPClassUID, one.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", generate_uid()
    one.file_meta.MediaStorageSOPClassUID, one.file_meta.MediaStorageSOPInstanceUID = one.SOPClassUID, one.SOPInstanceUID
    one.SpecificCharacterSet = "ISO_IR 192"
    one.StudyInstanceUID, one.SeriesInstanceUID = study, series
    one.SeriesNumber, one.InstanceNumber, one.Modality, one.PatientID = 1, number, "OT", "W1"
    one.Rows, one.Columns, one.SamplesPerPixel, one.PhotometricInterpretation = 16, 16, 1, "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 0
    for name, value in more.items():
        setattr(one, name, value)
    if "PixelData" not in one:
        one.PixelData = numpy.random.default_rng(number).bytes(512)
    one["PixelData"].VR = "OB" if one.file_meta.TransferSyntaxUID.is_encapsulated else "OW"
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, one, enforce_file_format=True)
    return one, stream.getvalue()


def store(files):
    body = b"".join(b"--b\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n" for data in files) + b"--b--\r\n"
    answer = session.post(root + "/studies", data=body, headers={"Content-Type": OBJECTS + "; boundary=b"})
    check(answer.status_code == 200, f"store: {answer.status_code} {answer.text[:200]}")


def address(one):
    return f"{root}/studies/{one.StudyInstanceUID}/series/{one.SeriesInstanceUID}/instances/{one.SOPInstanceUID}"


# MARK: Searches

NAMES = ["Su^Ming=苏^明", "Su^Mingming=苏^明明", "Li^Lei=李^雷", "Han^Mei=韩^梅", "Doe^John", "Doe^Jane"]
held = []
for number in range(12):
    referenced = Dataset()
    referenced.ScheduledProcedureStepID = f"STEP{number % 4}"
    held.append(made(
        generate_uid(), generate_uid(), 1, PatientName=NAMES[number % 6], PatientID=f"W{number:02}",
        StudyDate=f"202601{10 + number:02}", AccessionNumber="" if number % 3 else f"A{number}",
        StudyDescription="Head" if number % 2 else "Chest", RequestAttributesSequence=Sequence([referenced])))
store([data for _, data in held])
by_study = {one.StudyInstanceUID: one for one, _ in held}


def find(path="/studies", status=200, **query):
    counts["searches"] += 1
    answer = session.get(root + path, params={name.replace("__", "."): value for name, value in query.items()})
    check(answer.status_code == status, f"{path} {query}: {answer.status_code} {answer.text[:100]}")
    return answer


def studies(answer):
    return [one["0020000D"]["Value"][0] for one in answer.json()]


def expect(name, answer, holds):
    expected = {uid for uid, one in by_study.items() if holds(one)}
    got = studies(answer)
    check(len(got) == len(set(got)) and set(got) == expected, f"{name}: {len(got)} studies, not {len(expected)}")
    check(0 < len(expected) <= 8, f"{name}: nothing that could be told apart")


def cut(answer):
    return "additional results" in answer.headers.get("Warning", "")


# Pages follow each other without gaps, and say whether there are more.
pages = [find(limit=5, offset=offset, totalcount="true") for offset in (0, 5, 10, 12)]
check([len(page.json()) for page in pages] == [5, 5, 2, 0], f"pages of {[len(page.json()) for page in pages]}")
check(sorted(uid for page in pages for uid in studies(page)) == sorted(by_study), "pages have gaps or overlap")
check([cut(page) for page in pages] == [True, True, False, False], f"pages warn {[cut(page) for page in pages]}")
check({page.headers.get("X-Total-Count") for page in pages} == {"12"}, "the total count is another on a page")
everything = find()
check(len(everything.json()) == 8 and cut(everything), "the service's own limit is not kept or not told")
check(len(find(limit=12).json()) == 8, "a request raises the service's limit")
check(studies(find(limit=8)) + studies(find(offset=8)) == studies(find(limit=5)) + studies(find(offset=5, limit=7)),
      "the order changes")
ignored = find(**{"00091001": "x", "PatientID": "W03"})
check("ignored" in ignored.headers.get("Warning", "") and studies(ignored) == [held[3][0].StudyInstanceUID],
      "an ignored key is not told, or matches nothing")
check("Warning" not in find(PatientID="W03").headers, "a warning of nothing")

expect("wildcard", find(PatientName="Doe*"), lambda one: str(one.PatientName).startswith("Doe"))
expect("one character", find(PatientID="W1?"), lambda one: one.PatientID in ("W10", "W11"))
expect("ideographs", find(PatientName="苏*"), lambda one: "苏" in str(one.PatientName))
expect("Pinyin", find(PatientName="su ming", fuzzymatching="true"), lambda one: "苏" in str(one.PatientName))
expect("Pinyin in one word", find(PatientName="hanmei", fuzzymatching="true"), lambda one: "韩" in str(one.PatientName))
expect("words in any order", find(PatientName="john doe", fuzzymatching="true"), lambda one: "John" in str(one.PatientName))
check(studies(find(PatientName="john doe")) == [], "names match fuzzily unasked")
for text, low, high in (("20260112-20260115", "20260112", "20260115"), ("-20260113", "0", "20260113"),
                        ("20260118-", "20260118", "9"), ("20260114", "20260114", "20260114")):
    expect(text, find(StudyDate=text), lambda one: low <= one.StudyDate <= high)
some = list(by_study)[2:5]
expect("UIDs by commas", find(StudyInstanceUID=",".join(some)), lambda one: one.StudyInstanceUID in some)
expect("UIDs by backslashes", find(**{"0020000D": "\\".join(some)}), lambda one: one.StudyInstanceUID in some)
step = "RequestAttributesSequence__ScheduledProcedureStepID"
answer = find("/series", **{step: "STEP1"})
expect("a dotted path", answer, lambda one: one.RequestAttributesSequence[0].ScheduledProcedureStepID == "STEP1")
check(all(one["00400275"]["Value"][0]["00400009"]["Value"] == ["STEP1"] for one in answer.json()), "the sequence is not answered")
expect("a dotted path of tags", find("/series", **{"00400275__00400009": "STEP2"}),
       lambda one: one.RequestAttributesSequence[0].ScheduledProcedureStepID == "STEP2")
expect("an empty value", find(AccessionNumber='""', emptyvaluematching="true"), lambda one: not one.AccessionNumber)
check(studies(find(AccessionNumber='""')) == [], "quotation marks match unasked")
expect("two keys", find(StudyDescription="Head", PatientName="*Mei*"),
       lambda one: one.StudyDescription == "Head" and "Mei" in str(one.PatientName))
field = find(PatientID="W01", includefield="StudyDescription").json()[0]
check(field.get("00081030", {}).get("Value") == ["Head"], "includefield adds nothing")
check("00081030" not in find(PatientID="W01").json()[0], "a field unasked")
check(len(find(PatientID="W01", includefield="all").json()[0]) > len(field), "all is not everything")
for query in ({"limit": "-1"}, {"fuzzymatching": "yes"}, {"StudyInstanceUID": "1.x"}, {"PatientName.PatientID": "x"}):
    find(status=400, **query)

# MARK: Retrievals

study, series, other = generate_uid(), generate_uid(), generate_uid()
images = [made(study, series, number) for number in (1, 2, 3)]
packed = made(study, other, 4, SeriesNumber=2, NumberOfFrames=3, PixelData=numpy.random.default_rng(4).bytes(1536))
film = made(study, other, 5, SeriesNumber=2, syntax=VIDEO, NumberOfFrames=1, BitsAllocated=8, BitsStored=8, HighBit=7,
            PixelData=encapsulate([b"no film, but nobody looks"]))
store([data for _, data in images + [packed, film]])
whole, part = f"{root}/studies/{study}", f"{root}/studies/{study}/series/{series}"
one = images[0][0]
file = {"Accept": "application/dicom; transfer-syntax=*"}
names = [item.SOPInstanceUID for item, _ in images]


def get(path, accept=None, method="GET", **headers):
    counts["retrievals"] += 1
    if accept:
        headers["Accept"] = accept
    return session.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def named(syntax, quality=None):
    return f"{OBJECTS}; transfer-syntax={syntax}" + (f"; q={quality}" if quality else "")


def syntaxes(answer):
    return [re.search(r"transfer-syntax=([0-9.]+)", head)[1] for head, _ in parts(answer)]


check([item["00080018"]["Value"][0] for item in get(part + "/instances").json()] == names, "instances of a series")
check(get(f"{whole}/series/1.2.3/instances").json() == [], "instances of no series")

# Named transfer syntaxes at every level, one after another.
for path, number in ((whole + f"/series/{series}", 3), (address(one), 1)):
    answer = get(path, named(JPEGLSLossless))
    check(answer.status_code == 200 and syntaxes(answer) == [JPEGLSLossless] * number, f"JPEG-LS: {answer.status_code}")
    frame = pydicom.dcmread(io.BytesIO(parts(answer)[0][1]))
    check(frame.file_meta.TransferSyntaxUID == JPEGLSLossless and frame.pixel_array.tobytes() == one.PixelData,
          "other pixels in JPEG-LS")
    answer = get(path, f"{named(VIDEO)}, {named(ImplicitVRLittleEndian)}")
    check(answer.status_code == 200 and syntaxes(answer) == [ImplicitVRLittleEndian] * number, "the second of two is not tried")
    answer = get(path, f"{named(JPEGLSLossless, 0.5)}, {named(ImplicitVRLittleEndian, 0.9)}, */*;q=0.1")
    check(syntaxes(answer) == [ImplicitVRLittleEndian] * number, "qualities are not followed")
    answer = get(path, f"{named(JPEGLSLossless, 0.5)}, {OBJECTS}")
    check(syntaxes(answer) == [ExplicitVRLittleEndian] * number, "what is stored has no rank")
answer = get(address(one), f"application/dicom, {OBJECTS};q=0.5")
check(answer.headers["Content-Type"].startswith("application/dicom;"), f"one file: {answer.headers['Content-Type']}")
answer = get(address(one), f"application/dicom; transfer-syntax={VIDEO}, {OBJECTS};q=0.5")
check(answer.status_code == 200 and syntaxes(answer) == [ExplicitVRLittleEndian], "a file that cannot be had is not passed over")
answer = get(part, f"application/dicom, {OBJECTS};q=0.5")
check(answer.status_code == 200 and len(parts(answer)) == 3, "several objects as a file are not passed over")

# Some of a study: 206, and the others are there as they are stored.
answer = get(whole, named(ExplicitVRLittleEndian))
check(answer.status_code == 206 and len(parts(answer)) == 4, f"some of a study: {answer.status_code}")
answer = get(whole, f"{named(ExplicitVRLittleEndian)}, {OBJECTS}; transfer-syntax=*; q=0.1")
check(answer.status_code == 200 and sorted(syntaxes(answer)) == [ExplicitVRLittleEndian] * 4 + [VIDEO], "all of a study")
check(len(parts(get(whole))) == 5 and get(whole).status_code == 200, "a study as it is stored")


# Nothing of it: 406, and what there is.
def refused(name, answer, *expected):
    check(answer.status_code == 406 and answer.headers["Content-Type"] == "application/problem+json",
          f"{name}: {answer.status_code}")
    available = answer.json().get("available", []) if answer.status_code == 406 else []
    for text in expected:
        check(text in available, f"{name}: {text} is not offered: {available}")
    return available


refused("a picture of a study as objects", get(whole, "image/png"), named("*"), "application/zip")
for path in (part, address(one)):
    available = refused("objects in JPEG baseline", get(path, named(JPEGBaseline8Bit)), named("*"), named(ExplicitVRLittleEndian),
                        named(JPEGLSLossless), "application/zip")
    check(named(VIDEO) not in available and named(JPEGBaseline8Bit) not in available, "what cannot be had is offered")
    # What is offered can be had.
    for text in available:
        check(get(path, text).status_code == 200, f"{text} is offered and not to be had")
    # Not compressed, and in fragments.
    answer = get(path, named(UNCOMPRESSED))
    frame = pydicom.dcmread(io.BytesIO(parts(answer)[0][1])) if answer.status_code == 200 else None
    check(frame and list(generate_frames(frame.PixelData, number_of_frames=1)) == [one.PixelData], "other pixels in fragments")
refused("several as one file", get(part, "application/dicom"), named("*"), "application/zip")
refused("frames", get(address(one) + "/frames/1", "image/png"),
        'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1',
        f'multipart/related; type="image/jls"; transfer-syntax={JPEGLSLossless}')
refused("a film's frames", get(address(film[0]) + "/frames/1", 'multipart/related; type="application/octet-stream"'),
        f'multipart/related; type="video/mp4"; transfer-syntax={VIDEO}')
refused("metadata", get(whole + "/metadata", "text/html"), "application/dicom+json")
refused("a search", get(root + "/studies", "text/html"), "application/dicom+json",
        'multipart/related; type="application/dicom+xml"')
refused("a picture", get(address(one) + "/rendered", "image/tiff"), "image/jpeg", "image/png", "image/gif", "video/mp4")
refused("a value", get(address(one) + "/bulkdata/7FE00010", "image/png"), "application/octet-stream")
refused("events", get(root + "/events", "text/plain"), "text/event-stream")
refused("capabilities", get(root + "/capabilities", "image/png"), "application/json")

# Zip files of less than a study.
for path, expected in ((part, names), (address(one), names[:1])):
    answer = get(path, "application/zip")
    check(answer.status_code == 200 and answer.headers["Content-Type"] == "application/zip", f"zip: {answer.status_code}")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        listing = pydicom.dcmread(io.BytesIO(archive.read("DICOMDIR")))
        records = [record for record in listing.DirectoryRecordSequence if "ReferencedFileID" in record]
        found = [pydicom.dcmread(io.BytesIO(archive.read("/".join(record.ReferencedFileID)))).SOPInstanceUID for record in records]
        check(sorted(found) == sorted(expected), "a zip file has other objects")

# HEAD says what GET says.
for path, accept in ((root + "/studies", None), (whole, None), (part, None), (address(one), file["Accept"]),
                     (whole + "/metadata", None), (address(one) + "/frames/1", "application/octet-stream"),
                     (address(one) + "/rendered", "image/png"), (address(one) + "/bulkdata/7FE00010", None),
                     (root + "/openapi.json", None)):
    head, answer = (get(path, accept, method, Accept_Encoding="identity") for method in ("HEAD", "GET"))
    check(head.status_code == answer.status_code == 200 and head.content == b"", f"HEAD {path[-20:]}: {head.status_code}")
    for field in ("Content-Type", "ETag", "Content-Length"):
        kind = [re.sub(r"boundary=\S+", "", message.headers.get(field, "")) for message in (head, answer)]
        # Of a body that is made while it is sent nobody knows the length.
        check(field == "Content-Length" and not kind[1] or kind[0] == kind[1], f"HEAD {path[-20:]}: {field} {kind}")
check(get(root + "/studies/1.2.3", method="HEAD").status_code == 404, "HEAD of nothing")

# Parts of bodies that are one part.
frames = address(packed[0]) + "/frames/2"
second = packed[0].PixelData[512:1024]
for path, accept, expected in ((frames, "application/octet-stream", second),
                               (address(packed[0]) + "/bulkdata/7FE00010", "application/octet-stream", packed[0].PixelData)):
    whole_body = get(path, accept)
    check(whole_body.content == expected and whole_body.headers.get("Accept-Ranges") == "bytes", f"{path[-20:]}: no ranges")
    tag = whole_body.headers["ETag"]
    for field, low, high in (("bytes=0-99", 0, 100), ("bytes=100-", 100, len(expected)), ("bytes=-7", len(expected) - 7, len(expected)),
                             (f"bytes=500-{len(expected) + 9}", 500, len(expected))):
        answer = get(path, accept, Range=field)
        check(answer.status_code == 206 and answer.content == expected[low:high], f"{path[-20:]} {field}: {answer.status_code}")
        check(answer.headers.get("Content-Range") == f"bytes {low}-{high - 1}/{len(expected)}", f"{field}: {answer.headers.get('Content-Range')}")
    check(get(path, accept, Range=f"bytes={len(expected)}-").status_code == 416, f"{path[-20:]}: a range behind the end")
    check(get(path, accept, Range="bytes=0-9", If_Range=tag).status_code == 206, f"{path[-20:]}: If-Range of the same")
    check(get(path, accept, Range="bytes=0-9", If_Range='"other"').status_code == 200, f"{path[-20:]}: If-Range of another")

# Coded answers.
plain = get(root + "/studies", Accept_Encoding="identity")
check("Content-Encoding" not in plain.headers, "coded unasked")
for coding in ("gzip", "zstd"):
    answer = session.get(root + "/studies", headers={"Accept-Encoding": coding}, stream=True)
    check(answer.headers.get("Content-Encoding") == coding and "Accept-Encoding" in answer.headers.get("Vary", ""), f"{coding}: {answer.headers}")
    raw = answer.raw.read(decode_content=False)
    if coding == "gzip":
        decoded = gzip.decompress(raw)
    else:
        decoded = subprocess.run(["zstd", "-dc"], input=raw, stdout=subprocess.PIPE, check=True).stdout
    check(decoded == plain.content and len(raw) < len(decoded), f"{coding}: another answer")
check("Content-Encoding" not in get(root + "/studies", Accept_Encoding="gzip;q=0").headers, "gzip against its quality")

# MARK: Removal

check(get(part, method="DELETE").status_code == 204, "a series is not removed")
check(get(part).status_code == 404 and get(address(one)).status_code == 404, "a removed series is there")
check(get(part, method="DELETE").status_code == 404, "a series removed twice")
left = [item["0020000E"]["Value"][0] for item in get(whole + "/series").json()]
check(left == [other] and get(whole).status_code == 200, "more than the series is gone")

dicomweb.report(**counts)
