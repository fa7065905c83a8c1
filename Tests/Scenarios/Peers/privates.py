"""Stores objects with private attributes in several forms, and searches for them by C-FIND and QIDO-RS.

privates.py PORT store DIMSEPORT     sends the objects as NORTH
privates.py PORT search DIMSEPORT kept|ignored    the token is in HUIZHEN_WEB_TOKEN; the last line is a JSON report
"""
import sys

import pydicom
from dicomweb_client.api import DICOMwebClient
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.sop_class import CTImageStorage, StudyRootQueryRetrieveInformationModelFind as Find

import dicomweb
import requestor
from dicomweb import check, root, session, token

what, port = sys.argv[2], int(sys.argv[3])
STUDY = "1.2.826.0.1.3680043.9.7.{}"

# number: syntax, block of ACME, block of OTHER, whether the VRs are written as UN, word, count, other word
OBJECTS = {
    1: (ExplicitVRLittleEndian, 0x10, 0x11, False, "alpha", 7, "one"),
    2: (ExplicitVRLittleEndian, 0x11, 0x10, False, "beta", 12, "two"),
    3: (ImplicitVRLittleEndian, 0x10, 0x11, False, "alphabet", 7, "three"),
    4: (ExplicitVRLittleEndian, 0x12, 0x10, True, "delta", 40, "four"),
}


def made(number):
    syntax, block, other, unknown, word, count, second = OBJECTS[number]
    one = Dataset()
    one.SpecificCharacterSet = "ISO_IR 192"
    one.SOPClassUID = CTImageStorage
    one.StudyInstanceUID = STUDY.format(number)
    one.SeriesInstanceUID = one.StudyInstanceUID + ".1"
    one.SOPInstanceUID = one.StudyInstanceUID + ".1.1"
    one.PatientID, one.PatientName, one.Modality = f"P{number}", f"Private^Nr{number}", "CT"
    one.StudyDate, one.StudyTime, one.AccessionNumber = "20260101", "120000", f"A{number}"
    one.InstanceNumber = 1

    def put(group, block, creator, values):
        one.add_new((group, block), "LO", creator)
        for element, vr, value in values:
            data = pydicom.dataelem.DataElement((group, block << 8 | element), vr, value)
            if unknown:
                raw = value.encode() if isinstance(value, str) else str(value).encode()
                data = pydicom.dataelem.DataElement(
                    (group, block << 8 | element), "UN", raw + b" " * (len(raw) % 2))
            one.add(data)

    put(0x0009, block, "ACME 1.1", [(0x01, "LO", word), (0x03, "LO", f"SECRET{number}"),
                                    (0x04, "LO", f"NORTHNAME{number}")])
    put(0x0019, block, "ACME 1.1", [(0x0C, "IS", count)])
    put(0x0019, other, "OTHER, Inc.", [(0x0C, "LO", second)])
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = syntax
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    return one


def associate(title, context, syntaxes):
    ae = AE(ae_title=title)
    for syntax in syntaxes:
        ae.add_requested_context(context, syntax)
    return requestor.alone(ae.associate("127.0.0.1", port, ae_title="HUIZHEN"))


if what == "store":
    association = associate("NORTH", CTImageStorage, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
    check(association.is_established, "no association")
    for number in OBJECTS:
        check(association.send_c_store(made(number)).Status == 0, f"object {number} is not stored")
    association.release()
    dicomweb.report()
    sys.exit()

found = {}


def find(name, level, syntax, block, group, element, vr, value, creator="ACME 1.1", title="NORTH"):
    """The studies that C-FIND gives, and what it says of the attribute."""
    association = associate(title, Find, [syntax])
    keys = Dataset()
    keys.QueryRetrieveLevel = level
    keys.StudyInstanceUID = ""
    if level != "STUDY":
        keys.SeriesInstanceUID = ""
    tag = (group, block << 8 | element)
    if creator is not None:
        keys.add_new((group, block), "LO", creator)
    keys.add_new(tag, vr, value)
    result, statuses = {}, set()
    for status, answer in association.send_c_find(keys, Find):
        if answer is None:
            continue
        statuses.add(status.Status)
        held = answer.get(tag)
        said = answer.get((group, block))
        value = "" if held is None or held.value is None else held.value
        value = value.decode().strip() if isinstance(value, bytes) else str(value)
        result[answer.StudyInstanceUID] = [value, None if said is None else str(
            said.value.decode() if isinstance(said.value, bytes) else said.value).strip()]
    association.release()
    found["find " + name] = {"studies": result, "warned": 0xFF01 in statuses}


def uids(name):
    return {uid: said[0] for uid, said in found[name]["studies"].items()}


kept = sys.argv[4] == "kept"
for syntax, label in ((ExplicitVRLittleEndian, "explicit"), (ImplicitVRLittleEndian, "implicit")):
    for block in (0x10, 0x11, 0x77):
        name = f"{label} {block:x}"
        find(name, "STUDY", syntax, block, 0x0009, 1, "LO", "alpha*")
        if kept:
            check(uids("find " + name) == {STUDY.format(1): "alpha", STUDY.format(3): "alphabet"}, name + " finds others")
            check(all(said[1] == "ACME 1.1" for said in found["find " + name]["studies"].values()), name + ": no creator")
            check(not found["find " + name]["warned"], name + ": warned")
        else:
            check(len(uids("find " + name)) == 4 and not any(uids("find " + name).values()), name + ": not ignored")
            check(found["find " + name]["warned"], name + ": no 0xFF01")
        if not kept:
            continue
        find("unknown " + name, "STUDY", syntax, block, 0x0009, 1, "LO", "delta")
        check(list(uids("find unknown " + name)) == [STUDY.format(4)], name + ": UN is not found")
        find("count " + name, "SERIES", syntax, block, 0x0019, 0x0C, "IS", "7")
        check(set(uids("find count " + name)) == {STUDY.format(1), STUDY.format(3)}, name + ": counts")
        find("other " + name, "SERIES", syntax, block, 0x0019, 0x0C, "LO", "t*", "OTHER, Inc.")
        check(uids("find other " + name) == {STUDY.format(2): "two", STUDY.format(3): "three"}, name + ": other creator")
for name, creator, element in (("alone", None, 1), ("nobody", "NOBODY", 1), ("secret", "ACME 1.1", 3)):
    find(name, "STUDY", ExplicitVRLittleEndian, 0x10, 0x0009, element, "LO", "alpha*", creator)
    check(len(uids("find " + name)) == 4 and not any(uids("find " + name).values()), name + ": not ignored")
    check(found["find " + name]["warned"], name + ": no 0xFF01")

client = DICOMwebClient(root, headers={"Authorization": "Bearer " + token})


def search(level, **filters):
    ask = {"studies": client.search_for_studies, "series": client.search_for_series}[level]
    fields = filters.pop("fields", None)
    return ask(search_filters={key.lstrip("_"): value for key, value in filters.items()}, fields=fields)


def studies(models):
    return {model["0020000D"]["Value"][0] for model in models}


def plain(query, level="studies"):
    answer = session.get(f"{root}/{level}?{query}")
    return answer.headers.get("Warning", ""), answer.json() if answer.content else []


if kept:
    for block in (0x10, 0x12, 0xA0):
        models = search("studies", **{f"_0009{block:02X}01": "alpha*", f"_000900{block:02X}": "ACME 1.1"})
        check(studies(models) == {STUDY.format(1), STUDY.format(3)}, f"QIDO {block:x} finds others")
        for model in models:
            check(model[f"000900{block:02X}"] == {"vr": "LO", "Value": ["ACME 1.1"]}, f"QIDO {block:x}: no creator")
            check(model[f"0009{block:02X}01"]["Value"][0].startswith("alpha"), f"QIDO {block:x}: no value")
            read = pydicom.Dataset.from_json(model)
            check(str(read.private_block(0x0009, "ACME 1.1")[0x01].value).startswith("alpha"), "no private block")
    models = search("series", _00190010="OTHER, Inc.", _0019100C="four")
    check(studies(models) == {STUDY.format(4)}, "QIDO: the other creator's")
    models = search("studies", _00090010="ACME 1.1", fields=["00091001"])
    check({model["00091001"]["Value"][0] for model in models} == {"alpha", "beta", "alphabet", "delta"}, "includefield")
    warning, models = plain("includefield=all", "series")
    check(len(models) == 4 and not warning, "all")
    for model in models:
        read = pydicom.Dataset.from_json(model)
        number = int(read.StudyInstanceUID.split(".")[-1])
        _, _, _, _, word, count, second = OBJECTS[number]
        check(read.private_block(0x0009, "ACME 1.1")[0x01].value == word, "all: word")
        check(read.private_block(0x0019, "ACME 1.1")[0x0C].value == count, "all: count")
        check(read.private_block(0x0019, "OTHER, Inc.")[0x0C].value == second, "all: the other creator's")
        check("SECRET" not in read.to_json(), "all: something that is not kept")
    answer = session.get(root + "/series?00190010=ACME+1.1&0019100C=12&totalcount=true",
                         headers={"Accept": 'multipart/related; type="application/dicom+xml"'})
    check(answer.headers["X-Total-Count"] == "1", "total")
    check(b'privateCreator="ACME 1.1"' in answer.content, "XML")
    check(all(not warning for warning in [plain("00090010=ACME+1.1&00091001=alpha")[0]]), "warned")
ignored = ["00091001=alpha", "00091001=alpha&00090010=NOBODY", "00091003=SECRET1&00090010=ACME+1.1"]
for query in ignored + ([] if kept else ["00091001=alpha&00090010=ACME+1.1"]):
    warning, models = plain(query)
    check(len(models) == 4 and "ignored" in warning, f"{query}: not ignored with a warning")
    check("SECRET" not in str(models) and "alpha" not in str(models), f"{query}: answered")
if not kept:
    check("alpha" not in str(plain("includefield=all")[1]), "all answers what is not kept")
dicomweb.report()
