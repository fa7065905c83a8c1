"""Searches by private attributes as somebody to whom studies are granted masked.

privatemasked.py PORT DIMSEPORT SHOWN    the token is in HUIZHEN_WEB_TOKEN; SHOWN is whether the project's rules keep the
attribute; the last line is a JSON report
"""
import sys

import lean  # before pydicom
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as Find

import dicomweb
import requestor
from dicomweb import check, root, session

port, isShown = int(sys.argv[2]), sys.argv[3] == "shown"


def find(element, value):
    ae = AE(ae_title="SOUTH")
    ae.add_requested_context(Find, ExplicitVRLittleEndian)
    association = requestor.alone(ae.associate("127.0.0.1", port, ae_title="HUIZHEN"))
    keys = Dataset()
    keys.QueryRetrieveLevel = "STUDY"
    keys.StudyInstanceUID = ""
    keys.add_new((0x0009, 0x0010), "LO", "ACME 1.1")
    keys.add_new((0x0009, 0x1000 | element), "LO", value)
    answers = [answer for _, answer in association.send_c_find(keys, Find) if answer is not None]
    association.release()
    return [str(answer.get((0x0009, 0x1000 | element)).value or "") for answer in answers]


def search(query):
    answer = session.get(f"{root}/studies?{query}")
    check(answer.status_code in (200, 204), f"{query}: {answer.status_code}")
    check("NORTHNAME" not in answer.text, f"{query}: an original value")
    return answer.json() if answer.content else []


# (0009,xx01) is kept by the project's rules when shown; (0009,xx04) names a patient and never is.
check(sorted(find(1, "")) == (["alpha", "alphabet", "beta", "delta"] if isShown else [""] * 4), "find: all")
check(len(find(1, "alpha*")) == (2 if isShown else 0), "find: one that is kept")
check(find(4, "NORTHNAME*") == [], "find: matched by an original value")
check(find(4, "") == [""] * 4, "find: answered with an original value")
check(len(search("")) == 4, "search: all")
check(len(search("00090010=ACME+1.1&00091001=alpha*")) == (2 if isShown else 0), "search: one that is kept")
check(search("00090010=ACME+1.1&00091004=NORTHNAME*") == [], "search: matched by an original value")
for query in ("includefield=all", "00090010=ACME+1.1&includefield=00091004", "00090010=ACME+1.1&00091004=*"):
    models = search(query)
    check(len(models) == 4, f"{query}: {len(models)}")
    check(all("00091004" not in model for model in models), f"{query}: answered")
if isShown:
    words = sorted(model["00091001"]["Value"][0] for model in search("00090010=ACME+1.1&includefield=00091001"))
    check(words == ["alpha", "alphabet", "beta", "delta"], "search: what is kept")
dicomweb.report()
