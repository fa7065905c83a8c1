"""What sites speak with each other (`Docs/TRANSFER.md`): messages, chunks, and a certificate to be known by."""

import ctypes
import datetime
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

zstd = ctypes.CDLL("libzstd.so.1")
zstd.ZSTD_compressBound.restype = zstd.ZSTD_compress.restype = ctypes.c_size_t
zstd.ZSTD_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
zstd.ZSTD_compressBound.argtypes = [ctypes.c_size_t]
zstd.ZSTD_decompress.restype = ctypes.c_size_t
zstd.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
MESSAGE = "application/vnd.huizhen.message+zstd"
CHUNK = "application/vnd.huizhen.chunk"


def packed(data):
    room = ctypes.create_string_buffer(zstd.ZSTD_compressBound(len(data)))
    count = zstd.ZSTD_compress(room, len(room), data, len(data), 3)
    return room.raw[:count]


def unpacked(data):
    room = ctypes.create_string_buffer(16 << 20)
    count = zstd.ZSTD_decompress(room, len(room), data, len(data))
    return room.raw[:count]


def chunk(pieces):
    """Of (object, coding, offset, plain count, bytes, digest)."""
    head = b"HZCHUNK1" + struct.pack("<I", len(pieces))
    for number, coding, offset, count, data, digest in pieces:
        head += struct.pack("<IB3xQII", number, coding, offset, count, len(data)) + digest
    return head + b"".join(one[4] for one in pieces)


def certificate(path, name):
    """A key and its certificate, in two files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2)).sign(key, hashes.SHA256()))
    pem = made.public_bytes(serialization.Encoding.PEM)
    with open(path + ".key", "wb") as file:
        file.write(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    with open(path, "wb") as file:
        file.write(pem)
    return key


def pieces(body):
    """Of a chunk, each as (object, offset, plain bytes, whether it came compressed, digest); what is not as
    `Docs/TRANSFER.md` §4 says is an error."""
    assert body[:8] == b"HZCHUNK1", "no chunk"
    count, = struct.unpack_from("<I", body, 8)
    assert 1 <= count <= 4096, f"{count} pieces"
    at, found = 12 + 56 * count, []
    for index in range(count):
        number, coding, zeros, offset, size, stored, digest = struct.unpack_from("<IB3sQII32s", body, 12 + 56 * index)
        assert zeros == bytes(3) and coding in (0, 1), "another head"
        data = body[at:at + stored]
        assert len(data) == stored, "a chunk that is cut"
        at += stored
        if coding:
            data = unpacked(data)
        assert len(data) == size, "another size"
        found.append((number, offset, data, coding == 1, digest))
    assert at == len(body), "more bytes than pieces"
    return found
