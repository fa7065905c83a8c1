"""pynetdicom over TLS, and TLS that goes wrong; one scenario a run, prints JSON."""

import argparse
import base64
import hashlib
import hmac
import json
import socket
import ssl
import struct
import time

import lean  # before pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pynetdicom import AE, build_context
from pynetdicom.pdu_primitives import (
    AsynchronousOperationsWindowNegotiation, SOPClassCommonExtendedNegotiation, SOPClassExtendedNegotiation,
    UserIdentityNegotiation)
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind, Verification

import requestor
import wire


def context(options):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(options.certificates + "/ca.pem")
    if options.name:
        made.load_cert_chain(f"{options.certificates}/{options.name}.pem", f"{options.certificates}/{options.name}.key")
    if options.maximum == "1.2":
        made.maximum_version = ssl.TLSVersion.TLSv1_2
    return made


def tiny(sop_class, study, series, instance):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = wire.EXPLICIT
    data.file_meta.MediaStorageSOPClassUID, data.file_meta.MediaStorageSOPInstanceUID = sop_class, instance
    data.SOPClassUID, data.SOPInstanceUID = sop_class, instance
    data.StudyInstanceUID, data.SeriesInstanceUID = study, series
    data.PatientID, data.PatientName, data.Modality = "P1", "Secure^Peer", "OT"
    return data


def token(claims, secret):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")
    message = part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()) + b"." + part(json.dumps(claims).encode())
    return message + b"." + part(hmac.new(secret, message, hashlib.sha256).digest())


def identity(options):
    if options.user is None and options.secret is None:
        return []
    item = UserIdentityNegotiation()
    item.positive_response_requested = True
    if options.secret is not None:
        item.user_identity_type = 5
        with open(options.secret, "rb") as file:
            claims = {"sub": "doctor", "aud": "HUIZHEN", "exp": int(time.time()) + 3600}
            item.primary_field = token(claims, file.read().strip())
    else:
        item.user_identity_type = 2
        item.primary_field, item.secondary_field = options.user.encode(), options.password.encode()
    return [item]


def associate(options, contexts, items):
    ae = AE(ae_title=options.calling)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 20
    tls = None if options.plain else (context(options), "localhost")
    return requestor.alone(ae.associate(
        "127.0.0.1", options.port, contexts=contexts, ae_title="HUIZHEN", ext_neg=items, tls_args=tls))


def exchange(options):
    """An association with everything that can be negotiated, an echo, and an object of an unknown SOP class."""
    unknown = "1.2.826.0.1.3680043.8.498.99.1"
    window = AsynchronousOperationsWindowNegotiation()
    window.maximum_number_operations_invoked = 3
    window.maximum_number_operations_performed = 4
    relational = SOPClassExtendedNegotiation()
    relational.sop_class_uid = StudyRootQueryRetrieveInformationModelFind
    relational.service_class_application_information = b"\x01\x01\x01\x01"
    storage = SOPClassExtendedNegotiation()
    storage.sop_class_uid = wire.CT
    storage.service_class_application_information = b"\x02\x00\x00\x00\x00\x00"
    common = SOPClassCommonExtendedNegotiation()
    common.sop_class_uid = unknown
    common.service_class_uid = "1.2.840.10008.4.2"
    common.related_general_sop_class_identification = [wire.CT]
    contexts = [
        build_context(Verification), build_context(StudyRootQueryRetrieveInformationModelFind),
        build_context(wire.CT), build_context(unknown, wire.EXPLICIT), build_context(unknown + ".2", wire.EXPLICIT)]
    # Once in many times pynetdicom takes a rejection whose connection ends at once for an abort: asked again.
    for _ in range(5):
        association = associate(options, contexts, [window, relational, storage, common] + identity(options))
        if not association.is_aborted:
            break
    answer = {"established": association.is_established}
    if association.is_rejected:
        primitive = association.acceptor.primitive
        answer["rejected"] = [primitive.result, primitive.result_source, primitive.diagnostic]
    if association.is_established:
        if not options.plain:
            answer["version"] = association.dul.socket.socket.version()
        acceptor = association.acceptor
        answer["window"] = list(acceptor.asynchronous_operations)
        answer["extensions"] = {str(k): list(v) for k, v in acceptor.sop_class_extended.items()}
        answer["identityAnswered"] = acceptor.user_identity is not None
        answer["accepted"] = sorted(str(c.abstract_syntax) for c in association.accepted_contexts)
        answer["echo"] = association.send_c_echo().Status
        data = tiny(unknown, "2.25.61", "2.25.62", "2.25.63")
        answer["store"] = association.send_c_store(data).Status
        association.release()
    return answer


def slow(options):
    """A handshake of one byte a third of a second, far longer than any timer allows."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = context(options).wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        hello.do_handshake()
    except ssl.SSLWantReadError:
        pass
    data = outgoing.read()
    peer = socket.create_connection(("127.0.0.1", options.port), 20)
    print("ready", flush=True)
    sent = 0
    try:
        for byte in data:
            peer.sendall(bytes([byte]))
            sent += 1
            peer.settimeout(0.3)
            try:
                if peer.recv(1) == b"":
                    break
            except TimeoutError:
                pass
    except OSError:
        pass
    return {"sent": sent, "length": len(data)}


def cut(options):
    """An object whose connection ends in its middle, without TLS saying that it does."""
    plain = socket.create_connection
    made = context(options)

    def secure(*arguments, **more):
        return made.wrap_socket(plain(*arguments, **more), server_hostname="localhost")
    wire.socket.create_connection = secure
    association = wire.Association(options.port, [(wire.CT, [wire.EXPLICIT])], calling=options.calling)
    command = wire.command_set(1, 1, {0x00000002: wire.CT, 0x00000700: 0, 0x00001000: "2.25.71"}, True)
    data = wire.element(0, b"")[:0] + struct.pack("<HH2sH", 0x0020, 0x000D, b"UI", 8) + b"2.25.70\0"
    data += struct.pack("<HH2sxxI", 0x7FE0, 0x0010, b"OW", 1 << 20) + bytes(1 << 19)
    for flags, payload in ((3, command), (0, data[:60000]), (0, data[60000:120000])):
        association.socket.sendall(wire.pdu(4, struct.pack(">IBB", len(payload) + 2, 1, flags) + payload))
    # No close_notify: the descriptor alone is closed.
    raw = socket.socket(fileno=association.socket.detach())
    raw.shutdown(socket.SHUT_RDWR)
    raw.close()
    return {}


parser = argparse.ArgumentParser()
parser.add_argument("verb")
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--certificates", required=True)
parser.add_argument("--name")
parser.add_argument("--calling", default="SECURE")
parser.add_argument("--maximum", default="1.3")
parser.add_argument("--user")
parser.add_argument("--password", default="")
parser.add_argument("--secret")
parser.add_argument("--plain", action="store_true")
parsed = parser.parse_args()
print(json.dumps({"exchange": exchange, "slow": slow, "cut": cut}[parsed.verb](parsed)))
