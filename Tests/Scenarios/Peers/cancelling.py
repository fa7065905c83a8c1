"""Cancels FIND, MOVE and GET while other associations store and retrieve; counts what still comes. Prints JSON.

Nothing here waits for a time to pass: each part knows by what it reads that the service has, or has not, got the
cancellation.
"""

import argparse
import json
import socket
import threading

import lean  # before pydicom
from pynetdicom import AE, evt

import part10
import wire

STUDY, COUNT = "2.25.8", 160
COMMENT_BYTES = 60_000
COMMENTS = 0x00204000
MOVE_ASSOCIATIONS = 2
RECEIVE_BYTES = 65_536


def fill(options):
    """Objects whose comments alone are more than the buffers of a connection hold."""
    association = wire.Association(options.port, [(wire.CT, [wire.EXPLICIT])], calling="CANCELLER")
    comments = {COMMENTS: wire.explicit(COMMENTS, "LT", "c" * COMMENT_BYTES)}
    for number in range(COUNT):
        instance = f"{STUDY}.1.{number + 1}"
        data = wire.tiny(wire.CT, STUDY, STUDY + ".1", instance, more=comments)
        assert association.store(1, wire.CT, instance, data) == 0
    association.release()


class Load:
    """Associations that store and retrieve until told."""

    def __init__(self, options):
        self.options, self.done, self.stored, self.got, self.bad = options, threading.Event(), 0, 0, 0
        self.threads = [threading.Thread(target=self.store, args=(lane,)) for lane in range(2)]
        self.threads += [threading.Thread(target=self.get) for _ in range(2)]
        for thread in self.threads:
            thread.start()

    def store(self, lane):
        association = wire.Association(self.options.port, [(wire.CT, [wire.EXPLICIT])], calling=f"STORE{lane}")
        number = 0
        while not self.done.is_set():
            number += 1
            instance = f"2.25.9.{lane + 1}.{number}"
            data = wire.tiny(wire.CT, "2.25.9", "2.25.9.1", instance, pixels=bytes(100_000))
            self.bad += association.store(1, wire.CT, instance, data) != 0
            self.stored += 1
        association.release()

    def get(self):
        association = wire.Association(
            self.options.port, [(wire.STUDY_GET, [wire.EXPLICIT]), (wire.CT, [wire.EXPLICIT])], calling="GETTER",
            roles=[wire.CT])
        keys = wire.identifier("STUDY", study=STUDY)
        while not self.done.is_set():
            command, _ = association.get(association.context(wire.STUDY_GET), keys, lambda *_: 0)
            self.bad += command[0x00000900] != 0
            self.got += 1
        association.release()

    def end(self):
        self.done.set()
        for thread in self.threads:
            thread.join()
        return {"stored": self.stored, "got": self.got, "bad": self.bad}


def find(options):
    """One response is read, then the cancellation is sent, then the rest is read."""
    association = wire.Association(options.port, [(wire.STUDY_FIND, [wire.EXPLICIT])], calling="CANCELLER")
    # A size of our own, which does not grow: what the service has sent beyond it lies in its own buffer.
    association.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    keys = wire.identifier("IMAGE", study=STUDY, series=STUDY + ".1", instance="") \
        + wire.explicit(COMMENTS, "LT", "")
    message = association.query(1, 0x0020, keys)
    before = later = 0
    while True:
        command, _, _ = association.read_message()
        if command[0x00000900] not in (0xFF00, 0xFF01):
            break
        if before == 0:
            before = 1
            association.cancel(1, message)
        else:
            later += 1
    association.release()
    return {"status": command[0x00000900], "later": later}


def move(options):
    """The third object waits with its answer until pending responses show that the cancellation was read."""
    pending, begun, confirmed = threading.Condition(), [], threading.Event()
    state = {"pending": 0, "later": 0, "cancelled": False}
    association = wire.Association(options.port, [(wire.STUDY_MOVE, [wire.EXPLICIT])], calling="CANCELLER")

    def take(_):
        with pending:
            if confirmed.is_set():
                state["later"] += 1
                return 0
            begun.append(1)
            if len(begun) == 3:
                association.cancel(1, state["message"])
                state["cancelled"], state["pending"] = True, 0
            # One pending response may have been on its way, and one been decided on, before the cancellation came.
            if state["cancelled"]:
                pending.wait_for(lambda: state["pending"] >= 3, timeout=60)
                confirmed.set()
        return 0

    receiver = AE(ae_title="CANCELTO")
    receiver.add_supported_context(wire.CT, [wire.EXPLICIT])
    server = receiver.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, take)])
    part10.add_peer(
        options.tool, options.data, "CANCELTO", server.server_address[1], "--associations", str(MOVE_ASSOCIATIONS))
    with pending:
        state["message"] = association.query(
            1, 0x0021, wire.identifier("STUDY", study=STUDY), {0x00000600: "CANCELTO"}.items())
    while True:
        command, _, _ = association.read_message()
        if command[0x00000900] != 0xFF00:
            break
        with pending:
            state["pending"] += 1
            pending.notify_all()
    association.release()
    server.shutdown()
    return {"status": command[0x00000900], "later": state["later"], "confirmed": confirmed.is_set(),
            "remaining": command.get(0x00001020, 0)}


def get(options):
    """The cancellation goes out before the third object is answered."""
    association = wire.Association(
        options.port, [(wire.STUDY_GET, [wire.EXPLICIT]), (wire.CT, [wire.EXPLICIT])], calling="CANCELLER",
        roles=[wire.CT])
    number = association.context(wire.STUDY_GET)
    received = []

    def take(*_):
        received.append(1)
        if len(received) == 3:
            association.cancel(number, association.message)
        return 0

    command, _ = association.get(number, wire.identifier("STUDY", study=STUDY), take)
    association.release()
    return {"status": command[0x00000900], "later": len(received) - 3, "remaining": command.get(0x00001020, 0)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--data", required=True)
    options = parser.parse_args()
    fill(options)
    load = Load(options)
    report = {"find": find(options), "move": move(options), "get": get(options)}
    report["load"] = load.end()
    print(json.dumps(report))


if __name__ == "__main__":
    main()
