"""Reads a file-set with pydicom as any other system would, and compares it with the files it was made from.

One JSON object on the last line of the output.
"""

import argparse
import collections
import hashlib
import json
import os

import lean  # before pydicom
import pydicom
import pydicom.fileset

import part10

# Record types of the standard that this pydicom has no prefix for.
for kind in ("ANNOTATION", "INVENTORY"):
    pydicom.fileset._PREFIXES.setdefault(kind, kind[:2])


def digest(path):
    return hashlib.sha256(part10.Part10(path).data).hexdigest()


def text(dataset, keyword):
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip()


def originals(folders):
    found = set()
    for folder in folders:
        for here, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(here, name)
                try:
                    found.add(digest(path))
                except (part10.Unsendable, OSError, ValueError, KeyError, IndexError):
                    # A data set without file meta information is the whole file.
                    with open(path, "rb") as file:
                        found.add(hashlib.sha256(file.read()).hexdigest())
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("medium")
    parser.add_argument("--originals", nargs="*", default=[])
    options = parser.parse_args()
    directory = pydicom.dcmread(os.path.join(options.medium, "DICOMDIR"))
    report = {"faults": [], "changed": 0, "objects": {}, "syntaxes": {}, "types": {}}
    known = originals(options.originals)
    listed, syntaxes = set(), collections.Counter()
    for instance in pydicom.fileset.FileSet(directory):
        path = os.path.realpath(instance.path)
        listed.add(path)
        name = os.path.relpath(path, options.medium)
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        if instance.ReferencedSOPInstanceUIDInFile != dataset.file_meta.MediaStorageSOPInstanceUID:
            report["faults"].append(f"{name}: another instance than its record says")
        if instance.ReferencedSOPClassUIDInFile != dataset.file_meta.MediaStorageSOPClassUID:
            report["faults"].append(f"{name}: another class than its record says")
        if instance.ReferencedTransferSyntaxUIDInFile != dataset.file_meta.TransferSyntaxUID:
            report["faults"].append(f"{name}: another transfer syntax than its record says")
        nodes = [node._record for node in instance.node.reverse()]
        for record in nodes:
            if record.DirectoryRecordType == "PATIENT":
                if text(dataset, "PatientID") and text(dataset, "PatientID") != text(record, "PatientID"):
                    report["faults"].append(f"{name}: under another patient")
            if record.DirectoryRecordType == "SERIES":
                if text(dataset, "SeriesInstanceUID") not in ("", text(record, "SeriesInstanceUID")):
                    report["faults"].append(f"{name}: under another series")
        syntaxes[str(dataset.file_meta.TransferSyntaxUID)] += 1
        found = digest(path)
        report["objects"][str(dataset.file_meta.MediaStorageSOPInstanceUID)] = found
        if options.originals and found not in known:
            report["changed"] += 1
        components = os.path.relpath(path, options.medium).split(os.sep)
        if len(components) > 8 or any(len(c) > 8 or not c.replace("_", "A").isalnum() or c != c.upper() for c in components):
            report["faults"].append(f"{name}: no File ID of the standard")
    for here, _, names in os.walk(options.medium):
        for name in names:
            path = os.path.realpath(os.path.join(here, name))
            if name != "DICOMDIR" and path not in listed:
                report["faults"].append(f"{path}: not listed")
    report["syntaxes"] = dict(syntaxes)
    report["types"] = dict(collections.Counter(r.DirectoryRecordType for r in directory.DirectoryRecordSequence))
    print(json.dumps(report))


main()
