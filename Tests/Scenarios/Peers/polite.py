"""pynetdicom as a polite peer; one scenario a run, prints JSON."""

import argparse
import io
import json
import struct
import threading
import time

import lean  # before pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID
from pynetdicom import AE, StoragePresentationContexts, build_context, build_role, evt
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelFind, PatientRootQueryRetrieveInformationModelGet,
    PatientRootQueryRetrieveInformationModelMove, StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet, StudyRootQueryRetrieveInformationModelMove, Verification)
from pynetdicom import sop_class as sop_classes

import part10
import requestor
import wire

CT = "1.2.840.10008.5.1.4.1.1.2"


def tiny(sop_class, study, series, instance, patient="P1", name="Polite^Peer", modality="OT", size=0):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    data.file_meta.MediaStorageSOPClassUID = sop_class
    data.file_meta.MediaStorageSOPInstanceUID = instance
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID, data.SOPInstanceUID = sop_class, instance
    data.StudyInstanceUID, data.SeriesInstanceUID = study, series
    data.StudyDate, data.StudyTime, data.AccessionNumber = "20240102", "101112", "ACC" + study[-1]
    data.PatientID, data.PatientName, data.Modality = patient, name, modality
    data.StudyID, data.SeriesNumber, data.InstanceNumber = "1", 1, int(instance.split(".")[-1]) % 1000
    if size:
        data.add_new(0x00420011, "OB", bytes(size))
    return data


def associate(options, contexts, calling="POLITE", **more):
    ae = AE(ae_title=calling)
    # Longer than a disk that is busy with other tests keeps one store waiting.
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 60
    return requestor.alone(ae.associate("127.0.0.1", options.port, contexts=contexts, ae_title="HUIZHEN", **more))


def fill(options, count=4, size=0):
    """Two patients, two studies each, two series each, `count` objects each."""
    association = associate(options, [build_context(CT, "1.2.840.10008.1.2.1")])
    number, statuses = 0, []
    for patient in (1, 2):
        for study in (1, 2):
            for series in (1, 2):
                for _ in range(count):
                    number += 1
                    uid = f"2.25.{patient}{study}"
                    data = tiny(
                        CT, uid, f"{uid}.{series}", f"2.25.7.{number}", patient=f"P{patient}",
                        name=f"Name{patient}^Given", modality="CT" if series == 1 else "SR", size=size)
                    statuses.append(association.send_c_store(data).Status)
    association.release()
    return statuses


def query(association, model, level, cancel_after=None, **keys):
    identifier = Dataset()
    identifier.QueryRetrieveLevel = level
    for name, value in keys.items():
        setattr(identifier, name, value)
    statuses, found = [], []
    for status, match in association.send_c_find(identifier, model, msg_id=7):
        statuses.append(status.Status if status else -1)
        if match is not None:
            found.append(match)
        if cancel_after == len(found):
            association.send_c_cancel(7, None, model)
    return statuses, found


def find_levels(options):
    """Every level of both models; what is found by unique keys, wildcards, ranges, lists, and the counts."""
    report = {"stored": fill(options), "levels": {}, "keys": {}}
    models = {"patient": PatientRootQueryRetrieveInformationModelFind,
              "study": StudyRootQueryRetrieveInformationModelFind}
    for model_name, model in models.items():
        for syntax in ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"):
            association = associate(options, [build_context(model, syntax)])
            cases = {
                "STUDY": {"PatientID": "P1", "StudyInstanceUID": ""},
                "SERIES": {"PatientID": "P1", "StudyInstanceUID": "2.25.11", "SeriesInstanceUID": ""},
                "IMAGE": {"PatientID": "P1", "StudyInstanceUID": "2.25.11", "SeriesInstanceUID": "2.25.11.1",
                          "SOPInstanceUID": ""},
            }
            if model_name == "patient":
                cases["PATIENT"] = {"PatientID": "", "PatientName": ""}
            for level, keys in cases.items():
                statuses, found = query(association, model, level, **keys)
                report["levels"][f"{model_name} {level} {syntax}"] = [len(found), statuses[-1]]
            association.release()
    association = associate(options, [build_context(models["study"], "1.2.840.10008.1.2.1")])
    every = {"StudyInstanceUID": "", "PatientName": "", "ModalitiesInStudy": "", "NumberOfStudyRelatedSeries": "",
             "NumberOfStudyRelatedInstances": ""}
    keys = {
        "universal": {}, "wildcard": {"PatientName": "Name1*"}, "question mark": {"PatientName": "Name?^Given"},
        "case": {"PatientName": "NAME2*"}, "list of UID": {"StudyInstanceUID": ["2.25.11", "2.25.22"]},
        "range": {"StudyDate": "20240101-20240103"}, "open range": {"StudyDate": "20240103-"},
        "modality": {"ModalitiesInStudy": "SR"}, "no modality": {"ModalitiesInStudy": "MR"},
        "accession": {"AccessionNumber": "ACC2"}, "nothing": {"PatientID": "NOBODY"},
    }
    for name, more in keys.items():
        _, found = query(association, models["study"], "STUDY", **{**every, **more})
        report["keys"][name] = len(found)
    _, found = query(association, models["study"], "STUDY", **{**every, "StudyInstanceUID": "2.25.11"})
    report["keys"]["series"] = int(found[0].NumberOfStudyRelatedSeries)
    report["keys"]["instances"] = int(found[0].NumberOfStudyRelatedInstances)
    report["keys"]["modalities"] = len(found[0].ModalitiesInStudy)
    association.release()
    return report


def find_limit(options):
    """The service has a small limit: 0xA700 after the matches sent."""
    fill(options)
    model = StudyRootQueryRetrieveInformationModelFind
    association = associate(options, [build_context(model, "1.2.840.10008.1.2.1")])
    results = []
    for study in ("2.25.11", ""):
        statuses, found = query(association, model, "IMAGE", StudyInstanceUID=study, SOPInstanceUID="")
        results.append([len(found), statuses[-1]])
    association.release()
    return results


def cancel(options):
    """C-CANCEL on FIND, MOVE and GET; the association goes on after each."""
    fill(options, count=options.count, size=200_000)
    report = {}
    receiver = AE(ae_title="RECEIVER")
    receiver.add_supported_context(CT, ["1.2.840.10008.1.2.1"])
    slow = [(evt.EVT_C_STORE, lambda event: time.sleep(0.05) or 0)]
    server = receiver.start_server(("127.0.0.1", 0), block=False, evt_handlers=slow)
    part10.add_peer(options.tool, options.data, "RECEIVER", server.server_address[1], "--associations", "1")

    model = StudyRootQueryRetrieveInformationModelFind
    association = associate(options, [build_context(model), build_context(Verification)])
    statuses, found = query(association, model, "IMAGE", cancel_after=1, StudyInstanceUID="", SOPInstanceUID="")
    report["find"] = [statuses[-1], association.send_c_echo().Status]
    association.release()

    identifier = Dataset()
    identifier.QueryRetrieveLevel, identifier.StudyInstanceUID = "STUDY", ["2.25.11", "2.25.12", "2.25.21", "2.25.22"]
    model = StudyRootQueryRetrieveInformationModelMove
    association = associate(options, [build_context(model), build_context(Verification)])
    statuses, last = [], None
    for status, _ in association.send_c_move(identifier, "RECEIVER", model, msg_id=9):
        statuses.append(status.Status if status else -1)
        last = status
        if len(statuses) == 1:
            association.send_c_cancel(9, None, model)
    report["move"] = [statuses[-1], association.send_c_echo().Status]
    report["moveLeft"] = [getattr(last, "NumberOfCompletedSuboperations", -1) or 0,
                          getattr(last, "NumberOfRemainingSuboperations", -1) or 0]
    association.release()

    model = StudyRootQueryRetrieveInformationModelGet
    received = []

    def take(event):
        received.append(1)
        if len(received) == 1:
            event.assoc.send_c_cancel(11, None, model)
        time.sleep(0.02)
        return 0

    association = associate(
        options, [build_context(model), build_context(Verification), build_context(CT, "1.2.840.10008.1.2.1")],
        ext_neg=[build_role(CT, scp_role=True)], evt_handlers=[(evt.EVT_C_STORE, take)])
    statuses = [
        status.Status if status else -1 for status, _ in association.send_c_get(identifier, model, msg_id=11)]
    report["get"] = [statuses[-1], association.send_c_echo().Status]
    report["received"] = len(received)
    association.release()
    server.shutdown()
    return report


def get(options):
    """C-GET of objects in two syntaxes of one class: with both, and with a context for one of them only."""
    association = associate(options, [
        build_context(CT, "1.2.840.10008.1.2.1"), build_context(CT, "1.2.840.10008.1.2.4.70")])
    for number, context in enumerate(association.accepted_contexts):
        data = wire.tiny(CT, "2.25.31", "2.25.31.1", f"2.25.31.1.{number}")
        raw_store(association, context, CT, f"2.25.31.1.{number}", data)
    association.release()
    report = {}
    for name, syntaxes in (
            ("both", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70"]), ("one", ["1.2.840.10008.1.2.1"])):
        model = PatientRootQueryRetrieveInformationModelGet
        received = []
        association = associate(
            options, [build_context(model)] + [build_context(CT, syntax) for syntax in syntaxes],
            ext_neg=[build_role(CT, scp_role=True)],
            evt_handlers=[(evt.EVT_C_STORE, lambda event: received.append(str(event.context.transfer_syntax)) or 0)])
        identifier = Dataset()
        identifier.QueryRetrieveLevel, identifier.PatientID, identifier.StudyInstanceUID = "STUDY", "P1", "2.25.31"
        last, failed = None, []
        for status, answer in association.send_c_get(identifier, model):
            last = status
            if answer is not None and "FailedSOPInstanceUIDList" in answer:
                value = answer.FailedSOPInstanceUIDList
                failed = [value] if isinstance(value, str) else list(value)
        report[name] = {
            "received": sorted(received), "status": last.Status, "failed": failed,
            "completed": last.NumberOfCompletedSuboperations or 0, "failures": last.NumberOfFailedSuboperations or 0}
        association.release()
    return report


def raw_store(association, context, sop_class, instance, data):
    """C-STORE of bytes as they are."""
    request = C_STORE()
    request.MessageID, request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = 1, sop_class, instance
    request.Priority, request.DataSet = 2, io.BytesIO(data)
    association._reactor_checkpoint.clear()
    association.dimse.send_msg(request, context.context_id)
    _, response = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    if response is None:
        raise SystemExit(f"no answer to an object of {sop_class}, {association.is_aborted=}")
    return response.Status if response is not None and response.is_valid_response else -1


def parallel(options):
    """Many associations at once, each storing its own objects."""
    statuses, lock = [], threading.Lock()

    def store(number):
        association = associate(options, [build_context(CT, "1.2.840.10008.1.2.1")], calling=f"LANE{number}")
        for index in range(10):
            data = tiny(CT, "2.25.41", f"2.25.41.{number}", f"2.25.41.{number}.{index}", size=5000)
            status = association.send_c_store(data).Status
            with lock:
                statuses.append(status)
        association.release()

    lanes = [threading.Thread(target=store, args=(number,)) for number in range(options.count)]
    for one in lanes:
        one.start()
    for one in lanes:
        one.join()
    model = StudyRootQueryRetrieveInformationModelFind
    association = associate(options, [build_context(model)])
    _, found = query(association, model, "IMAGE", StudyInstanceUID="2.25.41", SOPInstanceUID="")
    association.release()
    return {"statuses": statuses, "found": len(found)}


def every_class(options):
    """One tiny object of every storage SOP class pynetdicom knows."""
    known = sorted({str(context.abstract_syntax) for context in StoragePresentationContexts}
                   | {str(uid) for uid in sop_classes._STORAGE_CLASSES.values()})
    refused, statuses = [], {}
    for start in range(0, len(known), 100):
        contexts = [build_context(uid, "1.2.840.10008.1.2.1") for uid in known[start:start + 100]]
        association = associate(options, contexts)
        accepted = {str(context.abstract_syntax): context for context in association.accepted_contexts}
        for number, uid in enumerate(known[start:start + 100]):
            if uid not in accepted:
                refused.append(uid)
                continue
            instance = f"2.25.51.{start + number + 1}"
            statuses[uid] = raw_store(
                association, accepted[uid], uid, instance, wire.tiny(uid, "2.25.51", "2.25.51.1", instance))
        association.release()
    return {"known": len(known), "refused": refused, "failed": [uid for uid, status in statuses.items() if status]}


def unknown_class(options):
    """A private storage class."""
    private = "1.3.6.1.4.1.99999.5.1.4.1.1.1"
    association = associate(options, [build_context(private, "1.2.840.10008.1.2.1"), build_context(CT)])
    accepted = {str(context.abstract_syntax): context for context in association.accepted_contexts}
    status = -1
    if private in accepted:
        status = raw_store(
            association, accepted[private], private, "2.25.61.1",
            wire.tiny(private, "2.25.61", "2.25.61.2", "2.25.61.1"))
    association.release()
    return {"accepted": private in accepted, "status": status}


def every_syntax(options):
    """Every transfer syntax of PS3.6, retired ones and one nobody knows: accepted, kept, and given back bit for bit."""
    from pydicom.uid import UID_dictionary
    syntaxes = sorted(uid for uid, entry in UID_dictionary.items() if entry[1] == "Transfer Syntax")
    # Rendering over RTP, and the two XML and packaging ones, are no encodings of stored objects.
    syntaxes = [uid for uid in syntaxes if not uid.startswith(("1.2.840.10008.1.2.7", "1.2.840.10008.1.2.6"))
                and uid not in ("1.2.840.10008.1.20",)]
    syntaxes.append("1.3.6.1.4.1.99999.1.2.3")
    association = associate(options, [build_context(CT, uid) for uid in syntaxes])
    accepted = {str(context.transfer_syntax[0]) for context in association.accepted_contexts}
    association.release()
    kept = [uid for uid in syntaxes if uid in accepted]
    sent = {f"2.25.8.{number}": (uid, in_syntax(uid, number)) for number, uid in enumerate(kept)}
    contexts = [(CT, [uid]) for uid in kept]
    writer = wire.Association(options.port, contexts, calling="POLITE")
    failed = {}
    for instance, (uid, data) in sent.items():
        status = writer.store(writer.context(CT, uid), CT, instance, data)
        if status != 0:
            failed[uid] = status
    writer.release()
    reader = wire.Association(
        options.port, [(wire.STUDY_GET, [wire.EXPLICIT])] + contexts, calling="POLITE", roles=[CT])
    back = {}

    def receive(command, syntax, data):
        back[command[0x00001000]] = (syntax, data)
        return 0

    last, _ = reader.get(1, wire.identifier("STUDY", study="2.25.8"), receive)
    reader.release()
    return {"known": len(syntaxes), "refused": [uid for uid in syntaxes if uid not in accepted], "failed": failed,
            "kept": len(kept), "getStatus": last[0x00000900],
            "different": [uid for instance, (uid, data) in sent.items() if back.get(instance) != (uid, data)]}


def in_syntax(uid, number):
    """A tiny image's data set in a transfer syntax; what codecs would make of its fragment is nobody's concern here."""
    data = tiny(CT, "2.25.8", "2.25.8.1", f"2.25.8.{number}")
    data.Rows = data.Columns = 2
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    native = {"1.2.840.10008.1.2": (True, True, False), "1.2.840.10008.1.2.1": (False, True, False),
              "1.2.840.10008.1.2.2": (False, False, False), "1.2.840.10008.1.2.1.99": (False, True, True)}
    if uid in native:
        data.add_new(0x7FE00010, "OW", bytes(range(8)))
        return encode(data, *native[uid])
    fragment = bytes([number]) + b"fragment" + uid.encode() + b"\0" * (len(uid) % 2 + 1)
    fragment += b"\0" * (len(fragment) % 2)
    pixels = struct.pack("<HH2sxxI", 0x7FE0, 0x0010, b"OB", 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    pixels += struct.pack("<HHI", 0xFFFE, 0xE000, len(fragment)) + fragment + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return encode(data, False, True) + pixels


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tool", default="")
    parser.add_argument("--data", default="")
    parser.add_argument("--count", type=int, default=8)
    options = parser.parse_args()
    print(json.dumps(globals()[options.scenario](options)))


if __name__ == "__main__":
    main()
