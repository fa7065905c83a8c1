"""Stores numbered objects on several associations until told or cut off; says which were acknowledged.

Every object can be made again from its number and the seed, so that what comes back is compared byte for byte.
"""

import argparse
import hashlib
import json
import random
import threading

import wire


def make(seed, number):
    """SOP class, instance and data set of an object: from 300 bytes to 600 KB."""
    chooser = random.Random(seed * 1_000_003 + number)
    size = chooser.choice([0, 10, 1000, 10_000, 65_536, 65_537, 150_000, 600_000])
    pixels = chooser.randbytes(size)
    study = f"2.25.{seed}.{number % 5}"
    instance = f"2.25.{seed}.9.{number}"
    return wire.CT, instance, wire.tiny(wire.CT, study, study + ".1", instance, patient=f"S{number % 5}", pixels=pixels)


def store(options, results, lane):
    acknowledged, attempted = results
    number = options.first + lane
    try:
        association = wire.Association(options.port, [(wire.CT, [wire.EXPLICIT])], calling=options.calling)
        while number < options.first + options.count:
            sop_class, instance, data = make(options.seed, number)
            attempted.append(number)
            status = association.store(1, sop_class, instance, data)
            if status == 0:
                acknowledged.append(number)
            number += options.associations
        association.release()
    except (OSError, wire.Ended):
        pass


def check(options):
    """Which of the objects are found, and which do not come back as they were sent."""
    find = wire.Association(options.port, [(wire.STUDY_FIND, [wire.EXPLICIT])], calling=options.calling)
    found = set()
    for study in range(5):
        matches, status = find.find(1, wire.identifier("IMAGE", study=f"2.25.{options.seed}.{study}", instance=""))
        if status != 0:
            return {"found": [], "different": [], "findStatus": status, "getStatus": 0}
        found |= {int(wire.read_values(m)[0x00080018].split(".")[-1]) for m in matches}
    find.release()
    digests = {}

    def receive(command, syntax, data):
        digests[int(command[0x00001000].split(".")[-1])] = hashlib.sha256(data).hexdigest()
        return 0

    worst = 0
    for study in range(5):
        get = wire.Association(
            options.port, [(wire.STUDY_GET, [wire.EXPLICIT]), (wire.CT, [wire.EXPLICIT])], roles=[wire.CT],
            calling=options.calling, maximum=131072)
        command, _ = get.get(1, wire.identifier("STUDY", study=f"2.25.{options.seed}.{study}"), receive)
        worst = max(worst, command[0x00000900])
        get.release()
    different = [
        number for number in sorted(found | set(digests))
        if digests.get(number) != hashlib.sha256(make(options.seed, number)[2]).hexdigest() or number not in found]
    return {"found": sorted(found), "different": different, "findStatus": 0, "getStatus": worst}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["store", "check"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--associations", type=int, default=3)
    parser.add_argument("--calling", default="STORM")
    options = parser.parse_args()
    if options.verb == "check":
        print(json.dumps(check(options)))
        return
    acknowledged, attempted = [], []
    print("ready", flush=True)
    lanes = [
        threading.Thread(target=store, args=(options, (acknowledged, attempted), lane))
        for lane in range(options.associations)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    print("stored " + json.dumps({"acknowledged": sorted(acknowledged), "attempted": sorted(attempted)}), flush=True)


main()
