"""Decodes compressed images with pydicom's plug-ins, as a reference.

Usage: pixels.py IMAGES OUTPUT
For each file with compressed pixel data one line of JSON: path, and either the frames' dtype, shape and the file in
OUTPUT that holds their samples one after another (colours not converted), or what the plug-ins said.
"""

import json
import os
import sys
import warnings
import zlib

import numpy
import pydicom
from pydicom.encaps import generate_frames
from pydicom.pixels import get_decoder
from pydicom.uid import UID

warnings.simplefilter("ignore")
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"
PREFERENCE = ("pyjpegls", "pylibjpeg", "pydicom", "gdcm", "pillow")
# Retired processes whose streams pylibjpeg decodes all the same.
RETIRED_JPEG = {f"1.2.840.10008.1.2.4.{number}" for number in (52, 53, 54, 55, 56, 58)}


def deflated(dataset):
    for frame in generate_frames(dataset.PixelData, number_of_frames=int(dataset.get("NumberOfFrames", 1))):
        yield numpy.frombuffer(zlib.decompressobj(-15).decompress(frame), dtype="u1")


def retired(dataset):
    from libjpeg import decode

    for frame in generate_frames(dataset.PixelData, number_of_frames=int(dataset.get("NumberOfFrames", 1))):
        yield decode(frame)


def frames(dataset, uid):
    if uid == DEFLATED_FRAME:
        return list(deflated(dataset)), "zlib"
    if uid in RETIRED_JPEG:
        return list(retired(dataset)), "libjpeg"
    decoder = get_decoder(UID(uid))
    said = []
    for plugin in PREFERENCE:
        if plugin not in decoder.available_plugins:
            continue
        try:
            return [array for array, _ in decoder.iter_array(dataset, raw=True, decoding_plugin=plugin)], plugin
        except Exception as error:
            said.append(f"{plugin}: {error}")
    raise RuntimeError("; ".join(said) or "no plug-in")


def main(images, output):
    number = 0
    for folder, folders, files in os.walk(images):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            try:
                dataset = pydicom.dcmread(path, force=True)
                uid = dataset.file_meta.TransferSyntaxUID
                if "PixelData" not in dataset or uid != DEFLATED_FRAME and not UID(uid).is_encapsulated:
                    continue
            except Exception:
                continue
            line = {"path": os.path.relpath(path, images), "syntax": str(uid)}
            try:
                arrays, plugin = frames(dataset, str(uid))
                line["plugin"] = plugin
                line["frames"] = len(arrays)
                line["bytesPerSample"] = int(arrays[0].dtype.itemsize)
                line["shape"] = [int(size) for size in arrays[0].shape]
                line["file"] = f"{number}.raw"
                number += 1
                with open(os.path.join(output, line["file"]), "wb") as file:
                    for array in arrays:
                        file.write(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
            except Exception as error:
                line["error"] = " ".join(str(error).split())[:300]
            print(json.dumps(line), flush=True)


main(*sys.argv[1:])
