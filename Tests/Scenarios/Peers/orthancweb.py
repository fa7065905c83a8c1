"""Orthanc's DICOMweb plugin as client of the service, and as server beside it.

Arguments: the service's port, a folder of objects, a folder for Orthanc, Orthanc's two ports. Runs Orthanc itself.
"""
import io
import json
import subprocess
import sys
import time

import lean  # before pydicom
import pydicom
import requests

import dicomweb
from multiparts import parts

objects, folder, http, dicom = dicomweb.files(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
orthanc = f"http://127.0.0.1:{http}"
PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"


def configure():
    configuration = {
        "Name": "Peer", "StorageDirectory": folder + "/storage", "IndexDirectory": folder + "/storage",
        "HttpPort": http, "DicomPort": dicom, "DicomAet": "ORTHANC", "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False, "Plugins": [PLUGIN], "StorageCompression": False,
        "DicomWeb": {
            "Enable": True, "Root": "/dicom-web/", "StudiesMetadata": "Full", "SeriesMetadata": "Full",
            "Servers": {"huizhen": {
                "Url": dicomweb.root + "/", "HttpHeaders": {"Authorization": "Bearer " + dicomweb.token},
                "HasDelete": True, "ChunkedTransfers": True}}},
    }
    with open(folder + "/orthanc.json", "w") as file:
        json.dump(configuration, file)


def post(path, body):
    answer = requests.post(f"{orthanc}/{path}", json=body, timeout=120)
    dicomweb.check(answer.ok, f"Orthanc's {path} answers {answer.status_code}")
    return answer.json() if answer.ok else []


def instances():
    """SOP Instance UIDs that Orthanc holds, with its own names for them."""
    found = requests.get(orthanc + "/instances?expand", timeout=60).json()
    return {item["MainDicomTags"]["SOPInstanceUID"]: item["ID"] for item in found}


def empty():
    for study in requests.get(orthanc + "/studies", timeout=60).json():
        requests.delete(f"{orthanc}/studies/{study}", timeout=60)
    dicomweb.check(not instances(), "Orthanc still holds something")


def dataset(data):
    """An object's bytes behind preamble and file meta information; its group length comes first. PS3.10 §7.1."""
    length = int.from_bytes(data[140:144], "little")
    return data[144 + length:]


def header(data):
    return pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)


def check_all(there, sent, where):
    dicomweb.check(set(there) == set(sent), f"{where}: {len(there)} of {len(sent)} objects")
    for uid in set(there) & set(sent):
        dicomweb.check(dataset(there[uid]) == dataset(sent[uid]), f"{where}: an object differs")


def held_here():
    """Every object that the service holds, as its WADO-RS gives it."""
    result = {}
    for study in dicomweb.session.get(dicomweb.root + "/studies").json():
        uid = study["0020000D"]["Value"][0]
        answer = dicomweb.session.get(
            f"{dicomweb.root}/studies/{uid}",
            headers={"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'})
        for _, data in parts(answer):
            result[str(header(data).SOPInstanceUID)] = data
    return result


def held_there():
    return {uid: requests.get(f"{orthanc}/instances/{name}/file", timeout=60).content
            for uid, name in instances().items()}


def main():
    sent = {str(header(data).SOPInstanceUID): data for data in objects.values()}
    for data in objects.values():
        requests.post(orthanc + "/instances", data=data, timeout=60)
    check_all(held_there(), sent, "uploaded to Orthanc")
    study_of = {uid: str(header(data).StudyInstanceUID) for uid, data in sent.items()}
    studies = sorted(set(study_of.values()))

    # The plugin as client: it stores,
    post("dicom-web/servers/huizhen/stow", {"Resources": list(instances().values()), "Synchronous": True})
    check_all(held_here(), sent, "stored by Orthanc's STOW-RS")
    # searches,
    found = post("dicom-web/servers/huizhen/qido", {"Uri": "/studies", "Arguments": {"StudyInstanceUID": studies[0]}})
    dicomweb.check(len(found) == 1 and studies[0] in json.dumps(found), "Orthanc's QIDO-RS")
    metadata = post("dicom-web/servers/huizhen/get", {"Uri": f"studies/{studies[0]}/metadata"})
    dicomweb.check(
        {item["00080018"]["Value"][0] for item in metadata}
        == {uid for uid in sent if study_of[uid] == studies[0]}, "metadata through Orthanc")
    # and fetches.
    empty()
    post("dicom-web/servers/huizhen/retrieve",
         {"Resources": [{"Study": study} for study in studies], "Synchronous": True})
    check_all(held_there(), sent, "fetched by Orthanc's WADO-RS")

    # The plugin as server: what it gives goes to the service as it is, and what the service gives to it.
    for study in studies:
        dicomweb.check(
            dicomweb.session.delete(f"{dicomweb.root}/studies/{study}").status_code in (200, 204), "a study stays")
    dicomweb.check(not held_here(), "the service still shows something")
    for study in studies:
        given = requests.get(
            f"{orthanc}/dicom-web/studies/{study}",
            headers={"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}, timeout=120)
        dicomweb.check(given.ok, f"Orthanc's WADO-RS answers {given.status_code}")
        if not given.ok:
            continue
        stored = dicomweb.session.post(
            dicomweb.root + "/studies", data=given.content, headers={"Content-Type": given.headers["Content-Type"]})
        dicomweb.check(stored.status_code == 200, f"what Orthanc gives is answered {stored.status_code}")
    check_all(held_here(), sent, "Orthanc's WADO-RS into our STOW-RS")
    empty()
    for study in studies:
        given = dicomweb.session.get(
            f"{dicomweb.root}/studies/{study}",
            headers={"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'})
        # Orthanc takes no part that names its transfer syntax, which PS3.18 §8.7.3.6.1 wants; so that goes.
        body = b"".join(
            b"--part\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n" for _, data in parts(given))
        stored = requests.post(
            orthanc + "/dicom-web/studies", data=body + b"--part--", timeout=120,
            headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=part',
                     "Accept": "application/dicom+json"})
        dicomweb.check(stored.status_code == 200, f"Orthanc answers {stored.status_code} to what the service gives")
    check_all(held_there(), sent, "our WADO-RS into Orthanc's STOW-RS")
    dicomweb.report(objects=len(sent))


configure()
with open(folder + "/log", "w") as log:
    process = subprocess.Popen(["/usr/sbin/Orthanc", folder + "/orthanc.json"], stdout=log, stderr=log)
try:
    for _ in range(300):
        try:
            requests.get(orthanc + "/system", timeout=5)
            break
        except requests.ConnectionError:
            if process.poll() is not None:
                raise SystemExit("Orthanc does not start")
            time.sleep(0.1)
    main()
finally:
    process.terminate()
    process.wait(30)
