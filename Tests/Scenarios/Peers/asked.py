"""Asks for what it sees in full de-identified, in every form, and compares with what a masked grant gives of it.

asked.py ROOT TOKEN MASKED OWN STUDY FOLDER HELD ORIGINAL...    TOKEN sees the study in full, MASKED was granted it by the profile
research and sees the study OWN in full, FOLDER holds the same as `huizhen deidentify` writes it, HELD is an original of the study
that cannot be de-identified; the last line is a JSON report
"""
import io
import json
import pathlib
import re
import sys
from urllib.parse import urlsplit

import pydicom
import requests
from dicomweb_client.api import DICOMwebClient

from multiparts import parts

root, token, masked, own, study, folder, held, *originals = sys.argv[1:]
service = root + "/dicom-web"
problems = []
ASKED = "deidentify=research"
originals = [pydicom.dcmread(path) for path in originals]
held = pydicom.dcmread(held)
telling = {str(value) for one in [*originals, held] for value in (
    one.get("PatientID"), one.get("AccessionNumber"), one.SOPInstanceUID, one.SeriesInstanceUID, one.StudyInstanceUID)
    if value and len(str(value)) > 3}
telling |= {part for one in [*originals, held] for part in re.split(r"[\^=]", str(one.PatientName))
            if len(part) > 3 and part != "Phantom"}
OBJECTS = 'multipart/related; type="application/dicom"; transfer-syntax=*'
OCTETS = "application/octet-stream"


def check(holds, what):
    if not holds:
        problems.append(what)


def call(path, accept="*/*", by=token, method="GET", headers=None, **more):
    return requests.request(method, root + path, headers={
        "Authorization": "Bearer " + by, "Accept": accept} | (headers or {}), **more)


def refused(path, status, accept="*/*", by=token, method="GET", words="", **more):
    answer = call(path, accept, by, method, **more)
    check(answer.status_code == status, f"{method} {path}: {answer.status_code}, not {status}")
    check(answer.headers.get("Content-Type") == "application/problem+json", f"{path}: no problem document")
    check(words in answer.text, f"{path}: {answer.text}")
    found = sorted(text for text in telling if text.encode() in answer.content)
    check(not found, f"{path}: {len(found)} values of the originals in the refusal")


def ask(path, accept="*/*", by=token, headers=None):
    """What is given de-identified: nothing in it, nor in its header fields, is of the originals."""
    answer = call(path, accept, by, headers=headers)
    check(answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:200]}")
    fields = "\n".join(f"{name}: {value}" for name, value in answer.headers.items()).encode()
    if by == token:
        found = sorted(text for text in telling if text.encode() in answer.content + fields)
        check(not found, f"{path}: {len(found)} values of the originals")
    check("no-store" in answer.headers.get("Cache-Control", ""), f"{path}: may be kept")
    check("ETag" not in answer.headers, f"{path}: a tag")
    return answer


def bodies(answer):
    return [body for _, body in parts(answer)]


def same(path, accept, read):
    """The same as who was granted it masked gets, by the original's address and by the one that it has now."""
    asked = path + ("&" if "?" in path else "?") + ASKED
    mine = read(ask("/dicom-web/studies/" + asked, accept))
    check(mine == read(ask("/dicom-web/studies/" + path, accept, masked)), f"{path}: other than the grant gives")
    return mine


def content(answer):
    return answer.content


# The objects: those of the grant, and those that the tool writes for the same project.
written = {one.SOPInstanceUID: one for one in (
    pydicom.dcmread(path) for path in pathlib.Path(folder).rglob("*") if path.is_file())}
given = same(study, OBJECTS, lambda answer: sorted(bodies(answer)))
released = {one.SOPInstanceUID: one for one in (pydicom.dcmread(io.BytesIO(body)) for body in given)}
check(len(released) == len(originals), f"{len(released)} objects of {len(originals)}")
check(set(released) == set(written), "other UIDs than the tool gives")
for uid, one in released.items():
    check(one == written.get(uid), "another object than the tool writes")
    check(one.PatientIdentityRemoved == "YES" and len(one.DeidentificationMethodCodeSequence) > 1, "not said")
first = next(iter(released.values()))
standing, series = first.StudyInstanceUID, first.SeriesInstanceUID
uid = first.SOPInstanceUID
check(standing != study, "the study keeps its UID")
source = next(one for one in originals if call(
    f"/dicom-web/studies/{study}/series/{one.SeriesInstanceUID}/instances/{one.SOPInstanceUID}?{ASKED}",
    OBJECTS).content.find(uid.encode()) >= 0)
theirs = f"{study}/series/{source.SeriesInstanceUID}/instances/{source.SOPInstanceUID}"
mine = f"{standing}/series/{series}/instances/{uid}"


# Every resource, by the original's address and by that of the released one.
def models(answer):
    found = answer.json()
    for model in found:
        address = model["7FE00010"].pop("BulkDataURI")
        check(re.search(r"/instances/" + model["00080018"]["Value"][0] + "/bulkdata/7FE00010", address), "address")
    return found


for path in (study, f"{study}/series/{source.SeriesInstanceUID}", theirs):
    wanted = {one.SOPInstanceUID for one in released.values() if path == study or one.SeriesInstanceUID == series}
    wanted = {uid} if "instances" in path else wanted
    found = same(path + "/metadata", "application/dicom+json", models)
    check({model["00080018"]["Value"][0] for model in found} == wanted, f"{path}: other instances")
    same(path + "/thumbnail", "image/jpeg", content)
    same(path + "/rendered", "image/png", content)
    same(path, OBJECTS, lambda answer: sorted(bodies(answer)))
same(theirs, "application/dicom", content)
same(theirs + "/frames/1", f'multipart/related; type="{OCTETS}"', bodies)
same(theirs + "/frames/1/rendered", "image/jpeg", content)
same(theirs + "/rendered?annotation=patient,technique&viewport=600,600", "image/png", content)
value = same(f"{study}/instances/{source.SOPInstanceUID}/bulkdata/7FE00010", OCTETS, content)
check(value == first.PixelData, "other pixels")
for path, accept in ((standing, OBJECTS), (standing + "/metadata", "application/dicom+json"), (mine, OBJECTS),
                     (mine + "/metadata", "application/dicom+json"), (mine + "/frames/1", OCTETS),
                     (mine + "/rendered", "image/png"), (mine + "/thumbnail", "image/jpeg"),
                     (f"{standing}/series/{series}/rendered", 'multipart/related; type="image/jpeg"'),
                     # Addresses that a client makes of both.
                     (f"{study}/series/{series}/instances/{uid}/frames/1", OCTETS)):
    ask(f"/dicom-web/studies/{path}?{ASKED}", accept)
    if path.startswith(standing):
        refused(f"/dicom-web/studies/{path}", 404, accept)
shown = ask(f"/dicom-web/studies/{theirs}/rendered?{ASKED}&viewport=100,100", "image/png")
again = shown.headers["Content-Location"]
check(again.startswith(f"{service}/studies/{mine}/frames/1/rendered?"), f"where it is: {again}")
check(ask(again[len(root):], "image/png").content == shown.content, "another picture where it says it is")

# What metadata name is there, and as it is named.
for model in ask(f"/dicom-web/studies/{study}/metadata?{ASKED}").json():
    address = model["7FE00010"]["BulkDataURI"]
    check(ask(address[len(root):], OCTETS).content == released[model["00080018"]["Value"][0]].PixelData, "bulk data")
text = ask(f"/dicom-web/studies/{study}/metadata?{ASKED}", 'multipart/related; type="application/dicom+xml"').text
addresses = re.findall(r'uri="([^"]+)"', text)
check(len(addresses) == len(released), f"{len(addresses)} addresses in XML")
for address in addresses:
    ask(address[len(root):], OCTETS)

# The URI service.
names = f"/wado?requestType=WADO&studyUID={study}&seriesUID={source.SeriesInstanceUID}&objectUID={source.SOPInstanceUID}"
for how in ("anonymize=yes", ASKED):
    answer = ask(f"{names}&contentType=application/dicom&{how}")
    check(pydicom.dcmread(io.BytesIO(answer.content)) == first, "another object by WADO-URI")
    pictured = [ask(f"{names}&contentType={kind}&{how}").content for kind in ("image/jpeg", "image/png")]
    check(pictured[1] == ask(f"/dicom-web/studies/{theirs}/rendered?{ASKED}", "image/png").content, "another picture")
for how in ("", "&anonymize=yes", "&" + ASKED):
    answer = ask(f"{names}&contentType=application/dicom{how}", by=masked)
    check(pydicom.dcmread(io.BytesIO(answer.content)) == first, "another object by WADO-URI for who was granted it masked")
    check(ask(f"{names}&contentType=image/png{how}", by=masked).content == pictured[1], "another picture for that one")
refused(f"{names}&contentType=application/dicom&deidentify=consultation", 403, by=masked)
refused(f"{names}&contentType=application/dicom&anonymize=yes&transferSyntax=1.2.840.10008.1.2.4.70", 406)
refused(f"{names}&anonymize=yes&deidentify=teaching", 400)
refused(f"{names}&anonymize=no", 400)

# Nobody is told that an original is known already.
tag = call(f"/dicom-web/studies/{theirs}", "application/dicom").headers["ETag"]
for field in (tag, "*"):
    ask(f"/dicom-web/studies/{theirs}?{ASKED}", "application/dicom", headers={"If-None-Match": field})
    ask(f"/dicom-web/studies/{theirs}/rendered?{ASKED}", "image/png", headers={"If-None-Match": field})

# What cannot be de-identified is left out, or refused where nothing else is there.
alone = f"{study}/series/{held.SeriesInstanceUID}/instances/{held.SOPInstanceUID}"
for path, accept in (("", OBJECTS), ("", "application/dicom"), ("/metadata", "*/*"), ("/frames/1", "*/*"),
                     ("/rendered", "image/png"), ("/thumbnail", "image/png")):
    check(call(f"/dicom-web/studies/{alone}{path}", accept).status_code == 200, f"{path}: the original is not there")
    refused(f"/dicom-web/studies/{alone}{path}?{ASKED}", 406, accept)
refused(f"/dicom-web/studies/{study}/instances/{held.SOPInstanceUID}/bulkdata/7FE00010?{ASKED}", 406)
refused(f"{names.replace(source.SeriesInstanceUID, held.SeriesInstanceUID).replace(source.SOPInstanceUID, held.SOPInstanceUID)}"
        "&contentType=application/dicom&anonymize=yes", 406)

# What cannot be had so is refused, and never the original.
for accept in ("application/zip", "application/dicom", OBJECTS.replace("*", "1.2.840.10008.1.2.4.70")):
    refused(f"/dicom-web/studies/{study}?{ASKED}", 406, accept)
for path in (study, study + "/metadata", theirs + "/frames/1", theirs + "/rendered", study + "/thumbnail"):
    for query, status in (
            ("deidentify=everything", 400), ("deidentify=", 400), (ASKED + "&" + ASKED, 400), ("Deidentify=research", 400),
            ("anonymize=yes", 400), ("deidentify=Research", 400), ("deidentify=basic", 403)):
        refused(f"/dicom-web/studies/{path}?{query}", status)
refused(f"/dicom-web/studies/{study}?deidentify=basic", 403, words="web.deidentify-profiles")
refused(f"/dicom-web/studies/2.25.404?{ASKED}", 404)
for method, path in (("GET", "/dicom-web/studies"), ("GET", f"/dicom-web/studies/{study}/instances"),
                     ("GET", "/dicom-web/instances"), ("POST", "/dicom-web/studies"),
                     ("DELETE", "/dicom-web/studies/" + study), ("GET", "/dicom-web/events"),
                     ("GET", "/dicom-web/capabilities"), ("POST", "/dicom-web/commitment-requests/2.25.7"),
                     ("GET", "/arriving/" + "0" * 32 + "/metadata")):
    refused(f"{path}?{ASKED}", 400, method=method, data=b"" if method == "POST" else None)
check(call(f"/dicom-web/studies/{study}/metadata").status_code == 200, "the study was removed")

# Who was granted it masked is given nothing but that.
ask(f"/dicom-web/studies/{study}?{ASKED}", OBJECTS, masked)
for profile in ("consultation", "teaching"):
    for path in (study, standing, study + "/metadata", study + "/thumbnail", f"{standing}/series/{series}/instances/{uid}/frames/1"):
        answer = call(f"/dicom-web/studies/{path}?deidentify={profile}", by=masked)
        check(answer.status_code == 403, f"{path} by {profile} for who was granted it by research: {answer.status_code}")
# Nor does it learn, by objects of its own, whom the pseudonyms stand for.
check(call(f"/dicom-web/studies/{own}/metadata", by=masked).status_code == 200, "own study")
for path in (own, own + "/metadata", own + "/thumbnail"):
    for profile in ("research", "consultation"):
        answer = call(f"/dicom-web/studies/{path}?deidentify={profile}", by=masked)
        check(answer.status_code == 403, f"{path}: {answer.status_code} for who is shown something else masked")

# Another profile of those that may be asked for.
kept = [pydicom.dcmread(io.BytesIO(body)) for body in bodies(
    ask(f"/dicom-web/studies/{study}?deidentify=consultation", OBJECTS))]
check({one.SOPInstanceUID for one in kept} >= set(released), "another project's UIDs")
kept = [one for one in kept if one.SOPInstanceUID in released]
check({str(one.StudyDate) for one in kept} == {str(one.StudyDate) for one in originals}, "dates of a consultation")

# A client that others wrote.
client = DICOMwebClient(service, headers={"Authorization": "Bearer " + token})
more = {"deidentify": "research"}
fetched = client.retrieve_study(study, additional_params=more)
check({one.SOPInstanceUID for one in fetched} == set(released), "dicomweb-client: other objects")
told = client.retrieve_instance_metadata(study, source.SeriesInstanceUID, source.SOPInstanceUID, additional_params=more)
check(told["00080018"]["Value"] == [uid], "dicomweb-client: metadata")
# It names the host without its port, and so do the addresses that it is answered.
address = urlsplit(told["7FE00010"]["BulkDataURI"])
bulk = client.retrieve_bulkdata(f"{root}{address.path}?{address.query}")
check(bulk[0] == first.PixelData, "dicomweb-client: bulk data")
frame = client.retrieve_instance_frames(standing, series, uid, [1], additional_params=more)
check(frame[0] == first.PixelData[:len(frame[0])] and len(frame[0]) > 0, "dicomweb-client: frames")
check(len(client.retrieve_instance_rendered(
    study, source.SeriesInstanceUID, source.SOPInstanceUID, params=more)) > 100, "dicomweb-client: rendered")
print(json.dumps({"problems": problems, "standing": standing}))
