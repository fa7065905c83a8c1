"""Says what a service shows of the only study of a patient, by each way of the web.

webshown.py PORT PATIENT    the token is in HUIZHEN_WEB_TOKEN; the last line is a JSON report
"""
import io
import json
import sys

import lean  # before pydicom
import pydicom

from dicomweb import root, session

found = session.get(root + "/instances", params={"PatientID": sys.argv[2], "includefield": "all"}).json()
report = {"count": len(found)}
if found:
    first = found[0]
    address = first["00081190"]["Value"][0]
    metadata = session.get(address + "/metadata")
    file = session.get(address, headers={"Accept": "application/dicom"})
    dataset = pydicom.dcmread(io.BytesIO(file.content))
    multipart = session.get(address)
    report |= {
        "searched": first["00100010"]["Value"][0]["Alphabetic"],
        "metadata": metadata.json()[0]["00100010"]["Value"][0]["Alphabetic"],
        "original": metadata.json()[0].get("04000561", {}).get("Value", [{}])[0]
        .get("04000550", {}).get("Value", [{}])[0].get("00100010", {}).get("Value", [{}])[0].get("Alphabetic", ""),
        "file": str(dataset.PatientName), "inMultipart": str(dataset.PatientName).encode() in multipart.content,
        "tag": metadata.headers["ETag"], "patients": len({one["00100020"]["Value"][0] for one in found}),
    }
print(json.dumps(report))
