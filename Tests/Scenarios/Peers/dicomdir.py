"""Writes DICOMDIRs that no honest system writes."""

import argparse
import os
import struct



def element(group, number, vr, value):
    if len(value) % 2:
        value += b" "
    if vr in (b"OB", b"SQ"):
        return struct.pack("<HH2sHI", group, number, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def record(file_id, following=0, lower=0):
    body = element(4, 0x1400, b"UL", struct.pack("<I", following))
    body += element(4, 0x1410, b"US", b"\xff\xff") + element(4, 0x1420, b"UL", struct.pack("<I", lower))
    body += element(4, 0x1430, b"CS", b"IMAGE") + element(4, 0x1500, b"CS", file_id.encode())
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(body)) + body


def whole(records):
    meta = element(2, 1, b"OB", b"\0\1") + element(2, 2, b"UI", b"1.2.840.10008.1.3.10")
    meta += element(2, 3, b"UI", b"2.25.1") + element(2, 16, b"UI", b"1.2.840.10008.1.2.1\0")
    meta = bytes(128) + b"DICM" + element(2, 0, b"UL", struct.pack("<I", len(meta))) + meta
    first = len(meta) + 12 + 12
    return meta + element(4, 0x1200, b"UL", struct.pack("<I", first)) + element(4, 0x1220, b"SQ", b"".join(records)), first


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--outside")
    parser.add_argument("--fault")
    options = parser.parse_args()
    if options.outside:
        climb = ["..", os.path.basename(os.path.dirname(options.outside)), os.path.basename(options.outside)]
        content, _ = whole([record("\\".join(climb)), record(options.outside), record("LINK")])
    elif options.fault == "cycle":
        _, first = whole([])
        content, _ = whole([record("INSIDE", first, first)])
    elif options.fault == "cut":
        content, _ = whole([record("INSIDE"), record("OTHER")])
        content = content[:-20]
    elif options.fault == "many":
        content, _ = whole([record("INSIDE", 7)] * 100_000)
    else:
        content = b"\xa5" * 5000
    with open(os.path.join(options.folder, "DICOMDIR"), "wb") as file:
        file.write(content)


main()
