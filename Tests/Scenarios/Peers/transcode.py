"""pynetdicom gets a service's studies in one transfer syntax after the other, and compares pixels; prints JSON."""

import argparse
import json
import pathlib

import numpy
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels import pixel_array
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet as GET

import requestor

# What the standard lets differ between an object and its lossless rewriting.
FREE = {
    0x00280004, 0x00280006, 0x7FE00010, 0x7FE00001, 0x7FE00002, 0x00282110, 0x00282112, 0x00282114, 0x00880200,
    0x00080001,
}


def held(folder):
    """The originals by SOP Instance UID."""
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.is_file() and path.read_bytes()[128:132] == b"DICM":
            data = dcmread(path, force=True)
            found[data.SOPInstanceUID] = data
    return found


def get(options, study, classes, syntax):
    received = {}

    def take(event):
        data = event.dataset
        data.file_meta = event.file_meta
        received[data.SOPInstanceUID] = data
        return 0x0000

    ae = AE(ae_title="GETTER")
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 60
    ae.add_requested_context(GET)
    for uid in classes:
        ae.add_requested_context(uid, syntax)
    association = requestor.alone(ae.associate(
        "127.0.0.1", options.port, ae_title="HUIZHEN", ext_neg=[build_role(uid, scp_role=True) for uid in classes],
        evt_handlers=[(evt.EVT_C_STORE, take)]))
    assert association.is_established
    keys = Dataset()
    keys.QueryRetrieveLevel, keys.StudyInstanceUID = "STUDY", study
    status, failed = None, []
    for status, identifier in association.send_c_get(keys, GET):
        if identifier is not None and "FailedSOPInstanceUIDList" in identifier:
            uids = identifier.FailedSOPInstanceUIDList
            failed = [uids] if isinstance(uids, str) else list(uids)
    association.release()
    return received, failed, int(status.Status)


def pixels(data):
    if data.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1.98":
        # Encapsulated uncompressed, which pydicom does not read; ours has one frame of 16 bits.
        frame = get_frame(data.PixelData, 0, number_of_frames=1)
        return numpy.frombuffer(frame, "<i2" if data.PixelRepresentation else "<u2").reshape(data.Rows, data.Columns)
    return pixel_array(data, raw=True)


def difference(original, copy, syntax):
    """What is wrong with a copy; empty when nothing is."""
    if copy.file_meta.TransferSyntaxUID != syntax:
        return "syntax"
    ours = {element.tag for element in copy if element.tag.element} - FREE
    theirs = {element.tag for element in original if element.tag.element} - FREE
    if ours ^ theirs:
        return "attributes " + " ".join(sorted(str(tag) for tag in ours ^ theirs))
    for element in original:
        if element.tag in FREE or not element.tag.element or element.VR in ("SQ", "UN", "OB", "OW", "OB or OW"):
            continue
        if copy[element.tag].value != element.value:
            return "value of " + str(element.tag)
    if "PixelData" not in original:
        return ""
    before, after = pixels(original), pixels(copy)
    if before.shape != after.shape:
        return f"shape {before.shape} {after.shape}"
    return "" if numpy.array_equal(before, after) else "pixels"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("folder")
    parser.add_argument("syntaxes", help="separated by commas")
    options = parser.parse_args()
    originals = held(options.folder)
    studies = {}
    for data in originals.values():
        studies.setdefault(data.StudyInstanceUID, []).append(data)
    report = {}
    for syntax in options.syntaxes.split(","):
        wrong, failed, count = {}, [], 0
        for study, objects in studies.items():
            classes = sorted({data.SOPClassUID for data in objects})[:120]
            received, refused, _ = get(options, study, classes, syntax)
            failed += refused
            for uid, copy in received.items():
                count += 1
                try:
                    fault = difference(originals[uid], copy, syntax)
                except Exception as error:  # a decoder that gives up is a finding, not the end
                    fault = f"{type(error).__name__}: {error}"
                if fault:
                    wrong[uid] = fault
        names = {data.SOPInstanceUID: pathlib.Path(data.filename).name for data in originals.values()}
        report[syntax] = {
            "received": count,
            "wrong": {names.get(uid, uid): fault for uid, fault in wrong.items()},
            "failed": sorted(names.get(uid, uid) for uid in failed),
        }
    print(json.dumps(report))


main()
