"""Compares files with what was made of them, element by element, as pydicom reads both.

Takes the path of a list: a line each with an original and the path of what was made of it, a tab between them.
Says as JSON how many were compared and what differs; of values only where they are.
"""

import json
import sys
import warnings

import lean  # before pydicom
import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement

warnings.simplefilter("ignore")
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
# An unknown value stays one, so that both sides are compared as bytes.
pydicom.config.replace_un_with_known_vr = False

UNITS = {"US": 2, "SS": 2, "OW": 2, "AT": 2, "UL": 4, "SL": 4, "FL": 4, "OF": 4, "OL": 4, "FD": 8, "OD": 8, "SV": 8,
         "UV": 8, "OV": 8}


def swapped(value, unit):
    whole = len(value) - len(value) % unit
    parts = [value[start:start + unit][::-1] for start in range(0, whole, unit)]
    return b"".join(parts) + value[whole:]


def value_of(dataset, tag):
    """The items of a sequence, else bytes in little endian."""
    item = dataset.get_item(tag)
    is_sequence = item.VR == "SQ" or (item.VR is None and dictionary_has_tag(tag) and dictionary_VR(tag) == "SQ")
    if isinstance(item, RawDataElement) and not is_sequence:
        value = item.value or b""
        # Read without a value, a text is one already.
        value = value.encode() if isinstance(value, str) else value
        return value if item.is_little_endian else swapped(value, UNITS.get(item.VR, 1))
    element = dataset[tag]
    if element.VR == "SQ":
        return list(element.value)
    if not element.value and element.value != 0:
        return b""
    # Looked at while reading: the character set, and what decides how numbers are read.
    if isinstance(element.value, int):
        return element.value.to_bytes(2, "little")
    return element.value if isinstance(element.value, bytes) else repr(element.value).encode()


def same_bytes(left, right):
    if left == right:
        return True
    # Odd lengths are padded.
    return len(left) % 2 == 1 and len(right) == len(left) + 1 and right[:-1] == left and right[-1:] in b"\0 "


def compare(original, made, path, differences):
    tags = [{tag for tag in dataset.keys() if tag.element != 0 and tag.group != 2} for dataset in (original, made)]
    for tag in sorted(tags[0] ^ tags[1]):
        differences.append(f"{path}{tag} is on one side only")
    for tag in sorted(tags[0] & tags[1]):
        left, right = value_of(original, tag), value_of(made, tag)
        if not left and not right:
            continue
        if isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                differences.append(f"{path}{tag} has {len(right)} items for {len(left)}")
                continue
            for index, (inner, other) in enumerate(zip(left, right)):
                compare(inner, other, f"{path}{tag}[{index}]", differences)
        elif isinstance(left, list) or isinstance(right, list) or not same_bytes(left, right):
            differences.append(f"{path}{tag} differs")


compared, different, unreadable = 0, [], []
with open(sys.argv[1], encoding="utf-8") as lines:
    for line in lines:
        original_path, made_path = line.rstrip("\n").split("\t")
        try:
            original = pydicom.dcmread(original_path, force=True)
            # Reads every sequence, so that what cannot be read is known before.
            list(original.iterall())
            original = pydicom.dcmread(original_path, force=True)
        except Exception:
            unreadable.append(original_path)
            continue
        differences = []
        try:
            compare(original, pydicom.dcmread(made_path), "", differences)
        except Exception as error:
            differences.append(f"not read: {type(error).__name__}")
        compared += 1
        if differences:
            different.append({"path": original_path, "made": made_path, "how": "; ".join(differences[:5])})
print(json.dumps({"compared": compared, "unreadable": len(unreadable), "different": different}))
