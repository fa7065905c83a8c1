"""Stores, finds and fetches single tiny objects under any AE title; prints the statuses as JSON."""

import argparse
import hashlib
import json

import wire


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["store", "find", "get", "move", "write"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--calling", default="TINY")
    parser.add_argument("--called", default="HUIZHEN")
    parser.add_argument("--source")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--study", default="")
    parser.add_argument("--series", default="")
    parser.add_argument("--instance", action="append", default=[])
    parser.add_argument("--patient", default="")
    parser.add_argument("--name", default="")
    parser.add_argument("--issuer", default="")
    parser.add_argument("--accession", default="")
    parser.add_argument("--birth-date", default="")
    parser.add_argument("--modality", default="")
    parser.add_argument("--description", default="", help="of the study")
    parser.add_argument("--station", default="")
    parser.add_argument("--level", default="STUDY")
    parser.add_argument("--content", default="", help="text that makes the object another one")
    parser.add_argument("--to", default="", help="move: the destination")
    parser.add_argument("--into", help="write: the file")
    options = parser.parse_args()
    try:
        print(json.dumps(run(options)))
    except wire.Ended as ended:
        print(json.dumps({"ended": ended.how, "detail": list(ended.detail)}))


def make(options, instance):
    more = {0x00104000: wire.explicit(0x00104000, "LT", options.content)} if options.content else {}
    if options.issuer:
        more[0x00100021] = wire.explicit(0x00100021, "LO", options.issuer)
    if options.accession:
        more[0x00080050] = wire.explicit(0x00080050, "SH", options.accession)
    for tag, vr, value in (
            (0x00080060, "CS", options.modality), (0x00081030, "LO", options.description),
            (0x00081010, "SH", options.station), (0x00100030, "DA", options.birth_date)):
        if value:
            more[tag] = wire.explicit(tag, vr, value)
    more[0x00080005] = wire.explicit(0x00080005, "CS", "ISO_IR 192")
    return wire.tiny(
        wire.CT, options.study, options.series or options.study + ".1", instance, patient=options.patient or "P1",
        name=options.name or "Probe^Test", more=more)


def write(options):
    """A Part 10 file."""
    data = make(options, options.instance[0])
    meta = wire.explicit(0x00020001, "OB", b"\0\1") + wire.explicit(0x00020002, "UI", wire.CT)
    meta += wire.explicit(0x00020003, "UI", options.instance[0]) + wire.explicit(0x00020010, "UI", wire.EXPLICIT)
    meta += wire.explicit(0x00020012, "UI", "2.25.7")
    length = wire.struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta))
    with open(options.into, "wb") as file:
        file.write(bytes(128) + b"DICM" + length + meta + data)
    return {"statuses": []}


def run(options):
    if options.verb == "write":
        return write(options)
    contexts = {"store": [(wire.CT, [wire.EXPLICIT])], "find": [(wire.STUDY_FIND, [wire.EXPLICIT])],
                "move": [(wire.STUDY_MOVE, [wire.EXPLICIT])],
                "get": [(wire.STUDY_GET, [wire.EXPLICIT]), (wire.CT, [wire.EXPLICIT])]}[options.verb]
    association = wire.Association(
        options.port, contexts, calling=options.calling, called=options.called, source=options.source,
        host=options.host, roles=[wire.CT] if options.verb == "get" else ())
    if 1 not in association.accepted:
        association.release()
        return {"refused": association.results}
    if options.verb == "store":
        answer = {"statuses": [
            association.store(1, wire.CT, instance, make(options, instance)) for instance in options.instance]}
    elif options.verb == "move":
        command, data = association.move(1, wire.identifier(options.level, study=options.study), options.to)
        failed = wire.read_values(data).get(0x00080058, "")
        answer = {"statuses": [command[0x00000900]], "instances": failed.split("\\") if failed else [],
                  "counts": [command.get(tag, -1) for tag in (0x00001021, 0x00001022, 0x00001023)]}
    else:
        keys = {"study": options.study, "patient": options.patient, "issuer": "", "name": options.name}
        if options.level in ("SERIES", "IMAGE"):
            keys["series"] = options.series
        if options.level == "IMAGE":
            keys["instance"] = "\\".join(options.instance)
        if options.verb == "find":
            found, status = association.find(1, wire.identifier(options.level, **keys))
            rows = [{f"{tag:08x}": text for tag, text in wire.read_values(row).items()} for row in found]
            answer = {"statuses": [status], "matches": rows}
        else:
            digests = {}

            def receive(command, syntax, data):
                digests[command[0x00001000]] = hashlib.sha256(data).hexdigest()
                return 0

            command, _ = association.get(1, wire.identifier(options.level, study=options.study), receive)
            answer = {"statuses": [command[0x00000900]], "instances": sorted(digests)}
    association.release()
    return answer


main()
