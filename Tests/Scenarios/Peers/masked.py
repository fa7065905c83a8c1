"""Reads a study that was granted masked, in every form, and compares with the objects that are released of it.

masked.py ROOT TOKEN STUDY OBJECTS ORIGINAL...    OBJECTS is a multipart body with the released objects; the last line is a JSON
report
"""
import io
import json
import re
import sys

import av
import numpy
import pydicom
import requests
from PIL import Image

from lettering import likeness
from multiparts import parts

root, token, study, objects, *originals = sys.argv[1:]
service = root + "/dicom-web"
problems = []
paths = []
originals = [pydicom.dcmread(path) for path in originals]
telling = {str(value) for one in originals for value in (
    one.get("PatientID"), one.get("AccessionNumber"), one.SOPInstanceUID, one.SeriesInstanceUID, one.StudyInstanceUID)
    if value and len(str(value)) > 3}
telling |= {part for one in originals for part in re.split(r"[\^=]", str(one.PatientName))
            if len(part) > 3 and part != "Phantom"}
named = {study}


def check(holds, what):
    if not holds:
        problems.append(what)


def leaks(data, but=frozenset()):
    return sorted(text for text in telling - but if text.encode() in data)


def ask(path, accept, status=200):
    answer = requests.get(f"{service}/studies/{path}", headers={"Authorization": "Bearer " + token, "Accept": accept})
    check(answer.status_code == status, f"{path}: {answer.status_code}, not {status}")
    fields = "\n".join(f"{name}: {value}" for name, value in answer.headers.items()).encode()
    # Addresses repeat the study as it was asked for, and nothing else of the originals.
    asked = {part for part in path.split("/") if part in named}
    found = leaks(answer.content + fields, asked)
    check(not found, f"{path}: {len(found)} values of the originals")
    check("no-store" in answer.headers.get("Cache-Control", ""), f"{path}: may be kept")
    check("ETag" not in answer.headers, f"{path}: a tag")
    if status == 200:
        paths.append(path)
    return answer


# The objects, by the UIDs they have now.
released = {}
body = open(objects, "rb").read()
boundary = body.split(b"\r\n", 1)[0]
for part in body.split(boundary)[1:-1]:
    one = pydicom.dcmread(io.BytesIO(part.split(b"\r\n\r\n", 1)[1][:-2]))
    released[one.SOPInstanceUID] = one
check(len(released) == len(originals), f"{len(released)} objects")
first = next(iter(released.values()))
standing, series = first.StudyInstanceUID, first.SeriesInstanceUID
check(standing != study, "the study keeps its UID")

for path in (study, standing, f"{study}/series/{series}", f"{standing}/series/{series}"):
    answer = ask(path + "/metadata", "application/dicom+json")
    models = answer.json() if answer.status_code == 200 else []
    wanted = {uid for uid, one in released.items() if "series" not in path or one.SeriesInstanceUID == series}
    check({one["00080018"]["Value"][0] for one in models} == wanted, f"{path}: other instances")
    for model in models:
        one = released.get(model["00080018"]["Value"][0])
        if one is None:
            continue
        for tag in ("0020000D", "0020000E", "00100020", "00100010", "00080020", "00280010"):
            value = one.get(int(tag, 16))
            told = model.get(tag, {}).get("Value", [""])[0]
            told = told.get("Alphabetic", "") if isinstance(told, dict) else told
            check(str(told) == str(value.value if value is not None else ""), f"{tag} is not that of the object")
        check(model["00120062"]["Value"] == ["YES"], "not said to be de-identified")
        address = model["7FE00010"]["BulkDataURI"]
        check(address.startswith(f"{service}/studies/{path.split('/')[0]}/instances/{one.SOPInstanceUID}/"), "address")
answer = ask(study + "/metadata", 'multipart/related; type="application/dicom+xml"')
check(answer.content.count(b"<NativeDicomModel") == len(released), "XML")

# Pixels and pictures.
for uid, one in list(released.items())[:2]:
    for head in (study, standing):
        path = f"{head}/series/{one.SeriesInstanceUID}/instances/{uid}"
        check(len(ask(path + "/metadata", "application/dicom+json").json()) == 1, "one instance")
        answer = ask(path + "/frames/1", 'multipart/related; type="application/octet-stream"')
        check([bytes(data) for _, data in parts(answer)] == [one.PixelData[:one.Rows * one.Columns * one.BitsAllocated // 8]],
              "other pixels")
        answer = ask(f"{head}/instances/{uid}/bulkdata/7FE00010", "application/octet-stream")
        check(answer.content == one.PixelData, "other bulk data")
        answer = ask(path + "/rendered", "image/png")
        picture = numpy.asarray(Image.open(io.BytesIO(answer.content)).convert("L"))
        check(picture.shape == (one.Rows, one.Columns), "another size")
        answer = ask(path + "/rendered", "video/mp4")
        with av.open(io.BytesIO(answer.content)) as container:
            frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
        check(len(frames) == 1 and frames[0].shape == picture.shape, "another video")
        # What is written into pictures is the released object's, and never the original's.
        answer = ask(path + "/rendered?annotation=patient,technique&viewport=1600,1600", "image/png")
        written = numpy.asarray(Image.open(io.BytesIO(answer.content)).convert("L"))
        check(likeness(written, str(one.PatientID)) > 0.75, f"no pseudonym: {likeness(written, str(one.PatientID)):.2f}")
        for original in originals:
            for value in (str(original.PatientID), *re.split(r"[\^=]", str(original.PatientName))):
                if len(value) > 3 and value not in str(one.PatientName) + str(one.PatientID):
                    likely = likeness(written, value)
                    check(likely < 0.7, f"a value of the original is written: {likely:.2f}")
        ask(path + "/frames/1/rendered", "image/jpeg")
        ask(path + "/thumbnail", "image/jpeg")
        answer = ask(path, 'multipart/related; type="application/dicom"; transfer-syntax=*')
        check([pydicom.dcmread(io.BytesIO(data)).SOPInstanceUID for _, data in parts(answer)] == [uid], "another object")
        ask(path + "/frames/2", 'multipart/related; type="application/octet-stream"', 404)
for head in (study, standing):
    for path in (head, f"{head}/series/{series}"):
        ask(path + "/thumbnail", "image/jpeg")
        ask(path + "/rendered", "image/png")
    answer = ask(f"{head}/series/{series}/rendered", "multipart/related; type=\"image/jpeg\"")
    check(len(list(parts(answer))) == sum(one.SeriesInstanceUID == series for one in released.values()), "pictures")


# Searches show and match what is released, and nothing of the originals.
def search(path, status=200):
    answer = requests.get(f"{service}/{path}", headers={"Authorization": "Bearer " + token})
    check(answer.status_code in (status, 204), f"{path}: {answer.status_code}")
    found = leaks(answer.content, {study} if study in path else frozenset())
    check(not found, f"{path}: {len(found)} values of the originals")
    check(study.encode() not in answer.content, f"{path}: the study's own UID")
    return answer, answer.json() if answer.status_code == 200 and answer.content else []


def value(model, tag):
    told = model.get(tag, {}).get("Value", [""])[0]
    return str(told.get("Alphabetic", "") if isinstance(told, dict) else told)


def held(one, tag):
    element = one.get(int(tag, 16))
    return str(element.value if element is not None and element.value is not None else "")


everything = ("0020000D", "00100010", "00100020", "00100040", "00080020", "00080050")
for path in ("studies", f"studies?StudyInstanceUID={standing}", f"studies?StudyInstanceUID={study}",
             f"studies?PatientID={first.PatientID}", f"studies?PatientName={str(first.PatientName)[:4]}*",
             f"studies?StudyDate={held(first, '00080020')}", "studies?ModalitiesInStudy=CT", "studies?includefield=all"):
    answer, models = search(path)
    check(len(models) == 1, f"{path}: {len(models)} studies")
    for model in models:
        for tag in everything:
            check(value(model, tag) == held(first, tag), f"{path}: {tag} is not that of the objects")
        check(value(model, "00201208") == str(len(originals)), f"{path}: {value(model, '00201208')} instances")
        check(value(model, "00081190") == f"{service}/studies/{standing}", f"{path}: another address")
original = originals[0]
guesses = [f"PatientID={original.PatientID}", f"PatientName={str(original.PatientName).split('=')[0]}",
           f"AccessionNumber={original.get('AccessionNumber') or 'none'}", "ModalitiesInStudy=MR"]
if held(original, "00080020") != held(first, "00080020"):
    guesses.append(f"StudyDate={original.StudyDate}")
for guess in guesses:
    check(not search("studies?" + guess)[1], f"{guess.split('=')[0]} of the original matches")
check(not search("studies?limit=5&offset=1")[1], "a second page")
check(search("studies?limit=1&totalcount=true")[0].headers.get("X-Total-Count") == "1", "total")
by_series = {}
for one in released.values():
    by_series.setdefault(one.SeriesInstanceUID, []).append(one)
for path in ("series", f"studies/{standing}/series", f"studies/{study}/series"):
    models = search(path)[1]
    check({value(model, "0020000E") for model in models} == set(by_series), f"{path}: other series")
    for model in models:
        check(value(model, "00201209") == str(len(by_series.get(value(model, "0020000E"), []))), f"{path}: counts")
for path in ("instances", f"studies/{standing}/instances"):
    check({value(model, "00080018") for model in search(path)[1]} == set(released), f"{path}: other instances")
for uid, ones in by_series.items():
    models = search(f"studies/{standing}/series/{uid}/instances?includefield=all")[1]
    check({value(model, "00080018") for model in models} == {one.SOPInstanceUID for one in ones}, "of another series")
    for model in models:
        one = released[value(model, "00080018")]
        for tag in ("00280010", "00280011", "00200013", "00080016", "00080023"):
            check(value(model, tag) == held(one, tag), f"{tag} is not that of the object")
# The order is that of what is shown, and tells nothing of what is not.
shown = [value(model, "00080018") for model in search(f"studies/{standing}/instances")[1]]
check(len(shown) > 2 and shown == sorted(shown), "instances in another order than that of their pseudonyms")
told = [value(model, "0020000E") for model in search(f"studies/{standing}/series")[1]]
check(told == sorted(told), "series in another order than that of their pseudonyms")
some = next(iter(released))
check(len(search(f"instances?SOPInstanceUID={some}")[1]) == 1, "an instance by its UID")
check(not search(f"instances?SOPInstanceUID={original.SOPInstanceUID}&StudyInstanceUID={standing}1")[1], "no such study")
check(not search(f"studies/{standing}/series?Modality=MR")[1], "a series of another modality")
print(json.dumps({"study": standing, "problems": problems, "paths": paths}))
