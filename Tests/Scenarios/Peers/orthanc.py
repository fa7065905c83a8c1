"""Writes Orthanc's configuration for a test."""

import argparse
import json

parser = argparse.ArgumentParser()
parser.add_argument("--folder", required=True)
parser.add_argument("--http", type=int, required=True)
parser.add_argument("--dicom", type=int, required=True)
parser.add_argument("--huizhen", type=int, required=True)
parser.add_argument("--certificates")
parser.add_argument("--name")
options = parser.parse_args()
configuration = {
    "Name": "Peer", "StorageDirectory": options.folder + "/storage", "IndexDirectory": options.folder + "/storage",
    "HttpPort": options.http, "DicomPort": options.dicom, "DicomAet": "ORTHANC", "RemoteAccessAllowed": False,
    "AuthenticationEnabled": False, "Plugins": [], "ConcurrentJobs": 2, "HttpsVerifyPeers": False,
    "DicomModalities": {"huizhen": {
        "AET": "HUIZHEN", "Host": "127.0.0.1", "Port": options.huizhen, "AllowEcho": True, "AllowStore": True,
        "AllowFind": True, "AllowMove": True, "AllowGet": True}},
}
if options.certificates:
    configuration.update({
        "DicomTlsEnabled": True, "DicomTlsCertificate": f"{options.certificates}/{options.name}.pem",
        "DicomTlsPrivateKey": f"{options.certificates}/{options.name}.key",
        "DicomTlsTrustedCertificates": options.certificates + "/ca.pem"})
    configuration["DicomModalities"]["huizhen"]["UseDicomTls"] = True
with open(options.folder + "/orthanc.json", "w") as file:
    json.dump(configuration, file)
print("{}")
