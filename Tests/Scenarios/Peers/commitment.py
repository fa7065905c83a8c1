"""pynetdicom as a requester of storage commitment; one scenario a run, prints JSON."""

import argparse
import json
import threading

import lean  # before pydicom
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, build_context, evt
from pynetdicom.sop_class import StorageCommitmentPushModel

import requestor
from polite import CT, tiny

WELL_KNOWN = "1.2.840.10008.1.20.1.1"


class Reports:
    """What was reported, and who is told when something is."""

    def __init__(self):
        self.arrived = threading.Event()
        self.events = []

    def take(self, event):
        information = event.event_information
        self.events.append({
            "type": event.event_type,
            "transaction": information.TransactionUID,
            "retrieve": information.get("RetrieveAETitle", ""),
            "committed": sorted(item.ReferencedSOPInstanceUID for item in information.get("ReferencedSOPSequence", [])),
            "elsewhere": {
                item.ReferencedSOPInstanceUID: item.RetrieveAETitle
                for item in information.get("ReferencedSOPSequence", []) if "RetrieveAETitle" in item},
            "failed": {
                item.ReferencedSOPInstanceUID: int(item.FailureReason)
                for item in information.get("FailedSOPSequence", [])},
        })
        self.arrived.set()
        return 0x0000, None


def references(uids):
    action = Dataset()
    action.TransactionUID = generate_uid()
    action.ReferencedSOPSequence = []
    for uid in uids:
        item = Dataset()
        sop_class, _, instance = uid.rpartition("/")
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class or CT, instance
        action.ReferencedSOPSequence.append(item)
    return action


def listen(options, reports):
    ae = AE(ae_title=options.aet)
    ae.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
    return ae.start_server(
        ("127.0.0.1", options.listen), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, reports.take)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--aet", default="MODALITY")
    parser.add_argument("--store", type=int, default=0, help="objects to store first")
    parser.add_argument("--commit", default="", help="UIDs, or class/UID, separated by commas")
    parser.add_argument("--listen", type=int, default=0, help="take the report on this port")
    parser.add_argument("--release-at-once", action="store_true")
    parser.add_argument("--type", type=int, default=1)
    parser.add_argument("--instance", default=WELL_KNOWN)
    parser.add_argument("--bare", action="store_true", help="no references at all")
    parser.add_argument("--wait", type=float, default=60)
    options = parser.parse_args()

    reports = Reports()
    result = {"stored": [], "action": None, "transaction": ""}
    server = listen(options, reports) if options.listen else None
    if options.store or options.commit or options.bare:
        ae = AE(ae_title=options.aet)
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 30
        association = requestor.alone(ae.associate(
            "127.0.0.1", options.port, ae_title="HUIZHEN",
            contexts=[build_context(CT, "1.2.840.10008.1.2.1"), build_context(StorageCommitmentPushModel)],
            # Who releases at once may still be overtaken by the report: it does not take it here.
            evt_handlers=[(
                evt.EVT_N_EVENT_REPORT, (lambda _: (0x0110, None)) if options.release_at_once else reports.take)]))
        assert association.is_established
        for number in range(1, options.store + 1):
            data = tiny(CT, "2.25.41", "2.25.41.1", f"2.25.42.{number}", size=200_000)
            result["stored"].append(int(association.send_c_store(data).Status))
        if options.commit or options.bare:
            action = references([uid for uid in options.commit.split(",") if uid])
            if options.bare:
                del action.ReferencedSOPSequence
            result["transaction"] = action.TransactionUID
            status, _ = association.send_n_action(action, options.type, StorageCommitmentPushModel, options.instance)
            result["action"] = int(status.Status) if status else None
        if options.commit and not options.release_at_once:
            reports.arrived.wait(options.wait)
        association.release()
    if server:
        print("listening", flush=True)
        reports.arrived.wait(options.wait)
        server.shutdown()
    result["events"] = reports.events
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
