"""A study fetched by C-MOVE and by C-GET from a slow receiver that refuses some objects: what is answered on the way and
at the end. Prints JSON.

The receiver of the move answers no object before all associations that it was told to expect are there.
"""

import argparse
import json
import threading
import time

import lean  # before pydicom
from pynetdicom import AE, StoragePresentationContexts, evt

import wire

COUNT = 48
STUDY = "2.25.48"


def number(uid):
    return int(str(uid).split(".")[-1])


def answer(uid):
    """Refused, with a warning, or taken."""
    return {0: 0xA700, 1: 0xB007}.get(number(uid) % 8, 0)


def fill(port):
    association = wire.Association(port, [(wire.CT, [wire.EXPLICIT])], calling="FILLER")
    for one in range(COUNT):
        instance = f"{STUDY}.1.{one}"
        status = association.store(1, wire.CT, instance, wire.tiny(wire.CT, STUDY, STUDY + ".1", instance))
        assert status == 0, hex(status)
    association.release()


def counts(command):
    """Remaining, completed, failed, warning; PS3.4 Table C.4-2. -1: not there."""
    return [command.get(tag, -1) for tag in (0x00001020, 0x00001021, 0x00001022, 0x00001023)]


def conclude(command, data, pending):
    failed = wire.read_values(data).get(0x00080058, "") if data else ""
    return {"pending": pending, "final": counts(command), "status": command[0x00000900],
            "failed": sorted(number(uid) for uid in failed.split("\\") if uid)}


def move(options):
    state = threading.Condition()
    seen = {"accepted": 0, "taken": 0}

    def accepted(event):
        with state:
            seen["accepted"] += 1
            state.notify_all()

    def take(event):
        with state:
            state.wait_for(lambda: seen["accepted"] >= options.associations, timeout=30)
            seen["taken"] += 1
        return answer(event.request.AffectedSOPInstanceUID)

    receiver = AE(ae_title="TARGET")
    receiver.supported_contexts = StoragePresentationContexts
    server = receiver.start_server(
        ("127.0.0.1", options.target), block=False,
        evt_handlers=[(evt.EVT_ACCEPTED, accepted), (evt.EVT_C_STORE, take)])
    association = wire.Association(options.port, [(wire.STUDY_MOVE, [wire.EXPLICIT])], calling="MOVER")
    association.query(1, 0x0021, wire.identifier("STUDY", study=STUDY), {0x00000600: "TARGET"})
    pending = []
    while True:
        command, _, data = association.read_message()
        if command[0x00000900] != 0xFF00:
            break
        pending.append(counts(command))
    association.release()
    server.shutdown()
    return {**conclude(command, data, pending), "associations": seen["accepted"], "taken": seen["taken"]}


def get(options):
    association = wire.Association(
        options.port, [(wire.STUDY_GET, [wire.EXPLICIT]), (wire.CT, [wire.EXPLICIT])], roles=[wire.CT],
        calling="GETTER")
    association.query(1, 0x0010, wire.identifier("STUDY", study=STUDY))
    pending, taken = [], 0
    while True:
        command, context, data = association.read_message()
        if command[0x00000100] == 0x0001:
            taken += 1
            # A slow receiver: pending responses are due in between.
            time.sleep(0.02)
            reply = {0x00000002: command[0x00000002], 0x00000900: answer(command[0x00001000]),
                     0x00001000: command[0x00001000]}
            association.send(context, wire.command_set(0x8001, command[0x00000110], reply, False), True)
        elif command[0x00000900] == 0xFF00:
            pending.append(counts(command))
        else:
            break
    association.release()
    return {**conclude(command, data, pending), "associations": 1, "taken": taken}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--target", type=int, required=True, help="port of the move's receiver")
    parser.add_argument("--associations", type=int, required=True)
    options = parser.parse_args()
    fill(options.port)
    print(json.dumps({"move": move(options), "get": get(options)}))


main()
