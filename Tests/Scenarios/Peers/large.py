"""Large objects on several associations at once, sent piece by piece; prints the statuses as JSON."""

import argparse
import json
import struct
import threading

import wire


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--associations", type=int, default=4)
    options = parser.parse_args()
    statuses = []

    def lane(number):
        association = wire.Association(options.port, [(wire.CT, [wire.EXPLICIT])], calling="LARGE", timeout=240)
        instance = f"2.25.81.{number}"
        association.begin_store(1, wire.CT, instance)
        head = wire.tiny(wire.CT, "2.25.81", "2.25.81.1", instance)
        head += struct.pack("<HH2sxxI", 0x0042, 0x0011, b"OB", options.megabytes << 20)
        association.send(1, head, False, is_last=False)
        piece = bytes(range(256)) * 4096
        for index in range(options.megabytes):
            association.send(1, piece, False, is_last=index + 1 == options.megabytes)
        statuses.append(association.read_message()[0][0x00000900])
        association.release()

    lanes = [threading.Thread(target=lane, args=(number,)) for number in range(options.associations)]
    for one in lanes:
        one.start()
    for one in lanes:
        one.join()
    print(json.dumps({"statuses": statuses}))


main()
