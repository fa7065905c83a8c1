"""Stores copies of real images under identifiers of their own, or compares what came back with what was stored.

Every copy can be made again from its file, the seed and its numbers, so that nothing has to be remembered.
"""

import argparse
import hashlib
import io
import json
import threading

import lean  # before pydicom
import pydicom
import pydicom.uid

import wire


def make(file, seed, study, number):
    """SOP class, instance, transfer syntax and data set of a copy."""
    data = pydicom.dcmread(file)
    data.StudyInstanceUID = f"2.25.{seed}.{study}"
    data.SeriesInstanceUID = f"2.25.{seed}.{study}.1"
    data.SOPInstanceUID = f"2.25.{seed}.{study}.9.{number}"
    data.InstanceNumber = number + 1
    # Of one patient, as a study is.
    data.PatientID, data.PatientName = "COPY", "Copy^Of"
    out = io.BytesIO()
    target = pydicom.filebase.DicomFileLike(out)
    target.is_little_endian, target.is_implicit_VR = True, False
    pydicom.filewriter.write_dataset(target, data)
    return data.SOPClassUID, data.SOPInstanceUID, out.getvalue()


def store(options, lane, failed):
    classes = sorted({pydicom.dcmread(file, stop_before_pixels=True).SOPClassUID for file in options.file})
    association = wire.Association(options.port, [(one, [wire.EXPLICIT]) for one in classes], calling="COPIES")
    for study in range(lane, options.studies, 4):
        for number in range(options.images):
            sop_class, instance, data = make(options.file[number % len(options.file)], options.seed, study, number)
            if association.store(2 * classes.index(sop_class) + 1, sop_class, instance, data) != 0:
                failed.append((study, number))
    association.release()


def check(options):
    """Copies that are not found, and those that are not as they were stored."""
    classes = sorted({pydicom.dcmread(file, stop_before_pixels=True).SOPClassUID for file in options.file})
    association = wire.Association(
        options.port, [(wire.STUDY_GET, [wire.EXPLICIT])] + [(one, [wire.EXPLICIT]) for one in classes], roles=classes,
        calling=options.calling, maximum=131072)
    lost, different = [], []
    for study in range(options.studies):
        digests = {}

        def receive(command, syntax, data):
            digests[command[0x00001000]] = hashlib.sha256(data).digest()
            return 0

        association.get(1, wire.identifier("STUDY", study=f"2.25.{options.seed}.{study}"), receive)
        for number in range(options.images):
            _, instance, data = make(options.file[number % len(options.file)], options.seed, study, number)
            if instance not in digests:
                lost.append([study, number])
            elif digests[instance] != hashlib.sha256(data).digest():
                different.append([study, number])
    association.release()
    return {"lost": lost, "different": different}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["store", "check"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--calling", default="COPIES")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--studies", type=int, required=True)
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("file", nargs="+")
    options = parser.parse_args()
    if options.verb == "check":
        print(json.dumps(check(options)))
        return
    failed = []
    lanes = [threading.Thread(target=store, args=(options, lane, failed)) for lane in range(4)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    print(json.dumps({"failed": failed}))


main()
