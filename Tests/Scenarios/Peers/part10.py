"""Reads Part 10 files without changing a byte of their data sets."""

import hashlib
import io
import os
import struct
import subprocess
import warnings

import lean  # before pydicom
import pydicom

warnings.simplefilter("ignore")
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE


class Unsendable(Exception):
    """Why a file is no object that could be sent."""


class Part10:
    def __init__(self, path, whole=None):
        """Of a file, or of the bytes of one."""
        self.path = path
        if whole is None:
            with open(path, "rb") as file:
                whole = file.read()
        self.whole = io.BytesIO(whole)
        if whole[128:132] != b"DICM":
            raise Unsendable("no DICM at byte 128")
        offset, self.meta = 132, {}
        while offset + 8 <= len(whole) and whole[offset:offset + 2] == b"\2\0":
            number, vr = struct.unpack_from("<H2s", whole, offset + 2)
            if vr in (b"OB", b"UN", b"OW", b"UT", b"SQ"):
                length, start = struct.unpack_from("<I", whole, offset + 8)[0], offset + 12
            else:
                length, start = struct.unpack_from("<H", whole, offset + 6)[0], offset + 8
            self.meta[number] = whole[start:start + length]
            offset = start + length
        self.data = whole[offset:]
        self.syntax = self.text(0x0010)
        if not self.syntax:
            raise Unsendable("no transfer syntax in the file meta")
        if self.text(0x0002) == "1.2.840.10008.1.3.10":
            raise Unsendable("a DICOMDIR")
        self.sop_class, self.instance = self.text(0x0002), self.text(0x0003)
        self.digest = hashlib.sha256(self.data).hexdigest()
        self.study = ""
        self.read_header()
        del self.whole
        if not self.sop_class or not self.instance:
            raise Unsendable("neither file meta nor data set name class and instance")

    def text(self, number):
        return self.meta.get(number, b"").rstrip(b"\0 ").decode("ascii", "replace")

    def read_header(self):
        """The data set's own UIDs count."""
        try:
            data = pydicom.dcmread(
                self.whole, stop_before_pixels=True,
                specific_tags=["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
            self.sop_class = str(data.get("SOPClassUID") or self.sop_class).strip("\0 ")
            self.instance = str(data.get("SOPInstanceUID") or self.instance).strip("\0 ")
            self.study = str(data.get("StudyInstanceUID") or "").strip("\0 ")
        except Exception:
            pass


def files_under(folder):
    for base, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield os.path.join(base, name)


def is_dicom(path):
    with open(path, "rb") as file:
        return file.read(132)[128:] == b"DICM"


def add_peer(tool, data, title, port, *more):
    subprocess.run(
        [tool, "peer", "add", title, "--address", "127.0.0.1", "--port", str(port), "--data", data, *more],
        check=True, stdout=subprocess.DEVNULL)
