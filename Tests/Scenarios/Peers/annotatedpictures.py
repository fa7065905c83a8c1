"""Pictures that are written into: where, with what, and that nothing else of them changes.

annotatedpictures.py PORT FOLDER PROGRAM DATA    the token is in HUIZHEN_WEB_TOKEN; the last line is a JSON report
"""
import copy
import io
import re
import subprocess
import sys

import numpy
import pydicom
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

import dicomweb
from dicomweb import check, problems, root, server, session
from lettering import likeness

program, data = sys.argv[3:5]
phantoms = {name: pydicom.dcmread(io.BytesIO(bytes)) for name, bytes in dicomweb.files(sys.argv[2]).items()}
counts = {"written": 0, "read": 0, "refused": 0}
names = {"ct-01.dcm", "us-cine.dcm", "xa-cine.dcm"} & set(phantoms)


def address(dataset):
    return (f"{root}/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
            f"/instances/{dataset.SOPInstanceUID}")


def image(bits=8, samples=1, rows=512, columns=512, background=0, **values):
    """An image of one shade, with values of its own."""
    result = copy.deepcopy(phantoms["ct-01.dcm"])
    result.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(result, name, generate_uid(None))
    result.file_meta.MediaStorageSOPInstanceUID = result.SOPInstanceUID
    result.SpecificCharacterSet = "ISO_IR 192"
    result.Rows, result.Columns, result.SamplesPerPixel = rows, columns, samples
    result.BitsAllocated = result.BitsStored = bits
    result.HighBit = bits - 1
    result.PixelRepresentation = 0
    result.PhotometricInterpretation = "RGB" if samples == 3 else "MONOCHROME2"
    if samples == 3:
        result.PlanarConfiguration = 0
    result.RescaleSlope, result.RescaleIntercept = 1, 0
    result.WindowCenter, result.WindowWidth = (128, 256) if bits == 8 else (600, 1000)
    for name in ("PixelPaddingValue", "VOILUTSequence", "PatientName", "PixelData"):
        if name in result:
            delattr(result, name)
    values = {"PatientName": "Zhang^Sanfeng=张^三丰=", "PatientID": "0012345678", "PatientBirthDate": "19850321",
              "PatientSex": "M", "Modality": "CT", "StudyDate": "20261121", "SeriesNumber": 3, "InstanceNumber": 120,
              "KVP": "120.0", "XRayTubeCurrent": 200, "ExposureTime": 500, "Exposure": 100, "SliceThickness": "5.00",
              "SliceLocation": "-120.50"} | values
    for name, value in values.items():
        setattr(result, name, value)
    shades = numpy.full((rows, columns, samples), background, "<u2" if bits == 16 else "u1")
    result.add_new("PixelData", "OW" if bits == 16 else "OB", shades.tobytes() + b"\0" * (shades.nbytes % 2))
    return result


def store(dataset):
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    answer = session.post(root + "/studies", data=stream.getvalue(), headers={"Content-Type": "application/dicom"})
    check(answer.status_code == 200, f"store: {answer.status_code} {answer.text[:200]}")
    return address(dataset)


def shown(path, annotation=None, accept="image/png", query="", at="/rendered"):
    query = "&".join(filter(None, [query, annotation and "annotation=" + annotation]))
    answer = session.get(path + at + (query and "?" + query), headers={"Accept": accept})
    check(answer.status_code == 200, f"{annotation} {query}: {answer.status_code} {answer.text[:100]}")
    return answer


def pixels(answer):
    return numpy.array(Image.open(io.BytesIO(answer.content)))


def reads(name, picture, *texts):
    """Every text stands in the picture, as another writer of the same font would have it."""
    for text in texts:
        found = likeness(picture, text)
        check(found > 0.8, f"{name}: {text} is not there: {found:.2f}")
        counts["read"] += 1


def corners(name, path, query=""):
    """What is written of patient and technique stands in its corners, and nowhere else is anything changed."""
    plain, patient, technique, both = [
        pixels(shown(path, annotation, query=query))
        for annotation in (None, "patient", "technique", "technique,patient")]
    rows, columns = plain.shape[:2]
    changed = [(picture != plain).reshape(rows, columns, -1).any(axis=2) for picture in (patient, technique, both)]
    half_row, half_column = rows // 2, columns // 2
    check(changed[0][:half_row, :half_column].any(), f"{name}: no patient")
    elsewhere = changed[0].copy()
    elsewhere[:half_row, :half_column] = False
    check(not elsewhere.any(), f"{name}: the patient stands elsewhere")
    check(not changed[1][:half_row, :half_column].any(), f"{name}: technique stands where the patient does")
    check(changed[1][:half_row, half_column:].any(), f"{name}: no technique")
    check((changed[2] == (changed[0] | changed[1])).all(), f"{name}: both are not the two together")
    middle = changed[2][rows * 3 // 10:rows * 7 // 10]
    check(not middle.any(), f"{name}: the middle is written into")
    counts["written"] += 1
    return patient, technique, both


# Grey of 8 and 16 bits and colours, on black and on white.
for bits, samples, background in [(8, 1, 0), (8, 1, 255), (16, 1, 100), (16, 1, 60000), (8, 3, 0), (8, 3, 200)]:
    name = f"{bits} bits, {samples} samples, {background}"
    dataset = image(bits, samples, background=background)
    path = store(dataset)
    before = session.get(path, headers={"Accept": "application/dicom"}).content
    corners(name, path)
    both = corners(name, path, "viewport=1200,1200")[2]
    if background in (0, 100):
        reads(name, both, "张三丰", "Zhang Sanfeng", "ID 0012345678", "1985-03-21  M", "CT  2026-11-21", "Se 3  Im 120",
              "120 kV  200 mA  500 ms  100 mAs", "ST 5 mm  SL -120.5 mm")
        if samples == 1:
            reads(name, both, "C 128  W 256" if bits == 8 else "C 600  W 1000")
    bright = both.reshape(1200, 1200, -1)
    check(bright.max() == 255 and bright.min() == 0, f"{name}: letters are light with a dark border")
    check(session.get(path, headers={"Accept": "application/dicom"}).content == before, f"{name}: the object is another one")
    check(pydicom.dcmread(io.BytesIO(before)).PixelData == dataset.PixelData, f"{name}: other pixels are stored")

# Names of people in their scripts; each in a picture of its own.
people = {
    "Li^Si=李^四=": ("李四", "Li Si"), "欧阳^娜娜": ("欧阳娜娜",), "䶮^某": ("某",),
    "Yamada^Tarou=山田^太郎=やまだ^たろう": ("山田太郎  (やまだ たろう)", "Yamada Tarou"),
    "Hong^Gildong=洪^吉洞=홍^길동": ("洪吉洞  (홍 길동)", "Hong Gildong"), "Müller^Jürgen": ("Müller Jürgen",),
    "Łukasz^Żyła": ("Łukasz Żyła",), "Иванов^Иван": ("Иванов Иван",), "Αθηνά^Παπ": ("Αθηνά Παπ",),
    "Nguye\u0302\u0303n^An": ("Nguyễn An",),
}
pictures = {}
for person, texts in people.items():
    path = store(image(PatientName=person))
    pictures[person] = pixels(shown(path, "patient", query="viewport=1200,1200"))
    reads(person, pictures[person], *texts)
    technique = pixels(shown(path, "technique", query="viewport=1200,1200"))
    pictures.setdefault(None, technique)
    check((technique == pictures[None]).all(), f"{person}: the name changes the technique")
for one, other in [("Li^Si=李^四=", "欧阳娜娜"), ("欧阳^娜娜", "李四"), ("Müller^Jürgen", "Łukasz Żyła")]:
    check(likeness(pictures[one], other) < 0.7, f"{one}: {other} stands there: {likeness(pictures[one], other):.2f}")
check(len({picture.tobytes() for picture in pictures.values()}) == len(pictures), "two people look the same")

# In another character set, and with what would break a line or end a text.
reads("GB18030", pixels(shown(store(image(SpecificCharacterSet="GB18030", PatientName="王^小明")), "patient",
                              query="viewport=1200,1200")), "王小明")
for value in ("A\u202eB", "\u0001\u0002", "x" * 64, "\u200b", "🙂^𠮷", "\ufeff", "a\u0300" * 20):
    path = store(image(PatientName=value, PatientID="\u0007\u0085"))
    check(shown(path, "patient,technique").status_code == 200, f"{value!r}")
    counts["written"] += 1

# Small and large pictures, and such as have no room at all.
for rows, columns, query in [(64, 64, ""), (32, 200, ""), (512, 512, "viewport=64,64"), (512, 512, "viewport=4096,4096"),
                             (300, 40, ""), (8000, 6000, "")]:
    path = store(image(rows=rows, columns=columns))
    plain, written = (pixels(shown(path, annotation, query=query)) for annotation in (None, "patient"))
    check(plain.shape == written.shape and (plain != written).any(), f"{rows} x {columns}: nothing is written")
    if min(plain.shape) >= 64:
        fitting = likeness(written, "张三丰")
        check(fitting > 0.7, f"{rows} x {columns} {query}: the name is not there: {fitting:.2f}")
    counts["written"] += 1
for rows, columns in [(1, 1), (9, 9), (1, 500), (500, 1)]:
    path = store(image(rows=rows, columns=columns))
    check(pixels(shown(path, "patient,technique")).shape == (rows, columns), f"{rows} x {columns}")

# Real layouts, every kind of picture, and each frame with its own number.
for name in sorted(names):
    path = store(phantoms[name])
    corners(name, path, "viewport=900,900")
cine = phantoms["us-cine.dcm"]
cine_path = address(cine)
count = int(cine.NumberOfFrames)
frames = [pixels(shown(cine_path, "technique", at=f"/frames/{number}/rendered", query="viewport=1200,1200"))
          for number in (1, count)]
reads("frames", frames[0], f"Fr 1/{count}")
reads("frames", frames[1], f"Fr {count}/{count}")
moving = Image.open(io.BytesIO(shown(cine_path, "patient", "image/gif").content))
check(moving.n_frames == count, "a GIF that moves")
dataset = image()
path = store(dataset)
wanted = pixels(shown(path, "patient,technique")).astype("i4")
for accept in ("image/jpeg", "image/gif"):
    answer = shown(path, "patient,technique", accept)
    found = numpy.array(Image.open(io.BytesIO(answer.content)).convert("L")).astype("i4")
    check(numpy.abs(found - wanted).mean() < 2, f"{accept}: {numpy.abs(found - wanted).mean():.1f}")
for accept, kind in [("image/jpeg;q=0.1, image/png;q=0.2", "image/png"), ("image/gif, image/png;q=0.9", "image/gif"),
                     ("image/bmp, image/*;q=0.1", "image/jpeg")]:
    for annotation in (None, "patient"):
        check(shown(path, annotation, accept).headers["Content-Type"] == kind, f"{accept} with {annotation}")
for at in (f"{root}/studies/{dataset.StudyInstanceUID}",
           f"{root}/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}", path + "/frames/1"):
    check((pixels(shown(at, "patient,technique")) == wanted).all(), f"{at[len(root):][:20]}: another picture")
answer = shown(path, "patient")
check("annotation=patient" in answer.headers["Content-Location"], "where it is by itself")
check("private" in answer.headers["Cache-Control"], "may be kept by others")
tags = {annotation: shown(path, annotation).headers["ETag"] for annotation in (None, "patient", "technique")}
check(len(set(tags.values())) == 3, "pictures share a tag")
known = session.get(path + "/rendered?annotation=patient",
                    headers={"Accept": "image/png", "If-None-Match": tags["patient"]})
check(known.status_code == 304, f"unchanged: {known.status_code}")
# A region is mirrored, and the letters are not.
mirrored = pixels(shown(path, "patient", query="viewport=512,512,0,0,-512,-512"))
check((mirrored == pixels(shown(path, "patient"))).all(), "letters are mirrored")

# The URI service writes the same.
wado = {"requestType": "WADO", "studyUID": dataset.StudyInstanceUID, "seriesUID": dataset.SeriesInstanceUID,
        "objectUID": dataset.SOPInstanceUID, "contentType": "image/png"}
answer = session.get(server + "/wado", params=wado | {"annotation": "technique,patient"})
check(answer.status_code == 200 and (pixels(answer) == wanted).all(), "the URI service")


def refused(what, answer, status=400):
    check(answer.status_code == status, f"{what}: {answer.status_code}")
    check(answer.headers.get("Content-Type") == "application/problem+json", f"{what}: no problem document")
    counts["refused"] += 1


for value in ("", "x", "patient,", ",patient", "patient;technique", "Patient", "patient,x", "patient technique"):
    refused(value, session.get(path + "/rendered", params={"annotation": value}))
    refused(value, session.get(server + "/wado", params=wado | {"annotation": value}))
refused("twice", session.get(path + "/rendered?annotation=patient&annotation=technique"))
refused("a thumbnail", session.get(path + "/thumbnail?annotation=patient"))
refused("an object", session.get(server + "/wado", params=wado | {"contentType": "application/dicom", "annotation": "patient"}))

# Corrections are written, not what was sent.
made = subprocess.run([program, "correct", "set", "--study", dataset.StudyInstanceUID, "--reason", "typing error",
                       "StudyDate=20200229", "--data", data], capture_output=True, text=True)
check(made.returncode == 0, f"correct: {made.stderr}")
corrected = image(PatientID="corrected-1", PatientName="Wrong^Name")
corrected_path = store(corrected)
made = subprocess.run([program, "correct", "set", "--patient", "corrected-1", "--reason", "typing error",
                       "PatientName=Ma^Right=马^对", "PatientSex=F", "--data", data], capture_output=True, text=True)
check(made.returncode == 0, f"correct: {made.stderr}")
reads("corrected", pixels(shown(corrected_path, "patient", query="viewport=1200,1200")), "马对", "Ma Right", "1985-03-21  F")
reads("corrected", pixels(shown(path, "technique", query="viewport=1200,1200")), "CT  2020-02-29")
check(shown(path, "technique").headers["ETag"] != tags["technique"], "the tag of before the correction")

# What OpenAPI says of it.
document = session.get(root + "/openapi.json").json()
described = [route for route, methods in document["paths"].items() for parameter in methods.get("get", {}).get("parameters", [])
             if parameter.get("name") == "annotation"]
check(len(described) >= 4 and all(re.search("rendered$|wado", route) for route in described), f"OpenAPI: {described}")

dicomweb.report(**counts)
