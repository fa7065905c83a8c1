"""Zips of one object of 3 MB: as it should be, with a byte changed near its end, and cut off there."""

import argparse
import json
import pathlib
import zipfile

import lean  # before pydicom
from pydicom import dcmread


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--image", required=True)
    parser.add_argument("--into", required=True)
    options = parser.parse_args()
    folder = pathlib.Path(options.into)
    image = dcmread(options.image)
    image.Rows, image.Columns, image.BitsAllocated, image.BitsStored, image.HighBit = 1024, 1536, 16, 16, 15
    image.PixelData = bytes(range(256)) * (2 * 1024 * 1536 // 256)
    image.save_as(folder / "image.dcm")
    with zipfile.ZipFile(folder / "good.zip", "w", zipfile.ZIP_STORED) as archive:
        archive.write(folder / "image.dcm", "image.dcm")
    good = (folder / "good.zip").read_bytes()
    flipped = bytearray(good)
    flipped[3_000_000] ^= 1
    (folder / "flipped.zip").write_bytes(flipped)
    (folder / "cut.zip").write_bytes(good[:3_000_000])
    print(json.dumps({name: str(folder / (name + ".zip")) for name in ["good", "flipped", "cut"]}))


main()
