"""Programs that ask by tokens, and those who would like to be them.

tokens.py PORT TLS-PORT BINARY DIRECTORY CERTIFICATES NORTH SOUTH    the last line is a JSON report
"""
import base64
import http.client
import io
import json
import select
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

import jwt
import lean  # before pydicom
import pydicom
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

port, tls_port, binary, directory, certificates, north, south = sys.argv[1:]
root = f"http://127.0.0.1:{port}"
problems = []
secrets = []


def check(holds, what):
    if not holds:
        problems.append(what)


def tool(*arguments, status=0, text=None):
    done = subprocess.run([binary, *arguments, "--data", directory], capture_output=True, text=True, input=text)
    check(done.returncode == status, f"{arguments}: {done.returncode} {done.stderr}")
    return done.stdout.strip()


def add(name, *arguments):
    made = json.loads(tool("token", "client", "add", name, "--days", "5", "--json", *arguments))
    if made.get("secret"):
        secrets.append(made["secret"])
    return made["id"], made.get("secret")


def ask(client, status=200, **fields):
    answer = requests.post(root + "/oauth2/token", auth=client, data={"grant_type": "client_credentials", **fields})
    check(answer.status_code == status, f"token: {answer.status_code} {answer.text}, not {status}")
    check(answer.headers.get("Cache-Control") == "no-store", "an answer with a token may be kept")
    return answer.json()


def studies(token, status=200):
    answer = requests.get(root + "/dicom-web/studies", headers={"Authorization": f"Bearer {token}"})
    check(answer.status_code == status, f"search: {answer.status_code}, not {status}")
    return sorted(one["0020000D"]["Value"][0] for one in answer.json()) if answer.status_code == 200 else []


def act(token, method, path, status, **more):
    answer = requests.request(
        method, root + "/dicom-web" + path, headers={"Authorization": f"Bearer {token}", **more.pop("headers", {})},
        **more)
    check(answer.status_code == status, f"{method} {path}: {answer.status_code}, not {status}")
    return answer


# A program of an institution sees that institution's studies and no others.
whole = add("north-pacs", "--institution", "NORTH", "--verbs", "search,read,retrieve")
answer = ask(whole)
check(answer["token_type"] == "Bearer" and answer["expires_in"] == 600, f"{answer}")
check(answer["scope"] == "search read retrieve", answer["scope"])
token = answer["access_token"]
secrets.append(token)
check(studies(token) == [north], "a client sees what it should not, or not what it should")
act(token, "GET", f"/studies/{north}", 200)
act(token, "GET", f"/studies/{south}", 404)
act(token, "DELETE", f"/studies/{north}", 403)
act(token, "POST", "/studies", 403, data=b"", headers={"Content-Type": "application/dicom"})

# Others can check the token by the keys that are published.
keys = jwt.PyJWKSet.from_dict(requests.get(root + "/oauth2/jwks").json())
head = jwt.get_unverified_header(token)
check(head["alg"] == "EdDSA" and head["typ"] == "at+jwt", f"{head}")
claims = jwt.decode(token, keys[head["kid"]].key, algorithms=["EdDSA"], audience="huizhen web", issuer="huizhen")
check(claims["client_id"] == whole[0] and claims["exp"] - claims["iat"] <= 600, f"{claims}")
check(not any(uid in json.dumps(claims) for uid in (north, south)), "a token names a study")

# The scope that is asked for narrows.
narrow = ask(whole, scope="search")["access_token"]
check(studies(narrow) == [north], "a narrow token searches")
act(narrow, "GET", f"/studies/{north}", 403)
check(ask(whole, 400, scope="search store")["error"] == "invalid_scope", "a wider scope")

# A program for named studies sees these alone, whatever its institution holds.
listed = directory + ".studies"
open(listed, "w").write("2.25.999\n")
named = add("named", "--institution", "NORTH", "--studies", listed)
check(studies(ask(named)["access_token"]) == [], "a program for other studies sees this one")
tool("token", "client", "add", "bad", "--days", "5", "--studies", listed, "--verbs", "store", status=1)
tool("token", "client", "add", "bad", "--days", "367", status=64)
tool("token", "client", "add", "bad", "--days", "5", "--verbs", "remove", status=64)

# What is no client, no form, no grant.
for client in [(whole[0], "0" * 64), ("0" * 24, whole[1]), (whole[0], ""), ("north-pacs", whole[1])]:
    check(ask(client, 401)["error"] == "invalid_client", f"{client}")
check(ask(whole, 400, grant_type="password")["error"] == "unsupported_grant_type", "another grant type")
check(requests.post(root + "/oauth2/token", data={"grant_type": "client_credentials"}).status_code == 400, "nobody")
twice = f"grant_type=client_credentials&scope=search&scope=read&client_id={whole[0]}&client_secret={whole[1]}"
check(requests.post(root + "/oauth2/token", data=twice, headers={
    "Content-Type": "application/x-www-form-urlencoded"}).status_code == 400, "a field twice")
check(requests.get(root + "/oauth2/token", params={"client_id": whole[0]}).status_code in (401, 404, 405), "GET")
check(requests.post(root + "/oauth2/token", json={"grant_type": "client_credentials"}).status_code == 415, "JSON")
check(requests.post(root + "/oauth2/token", data={"x": "y" * 70_000}).status_code == 413, "a large form")

# Tokens that somebody else made.
stranger = Ed25519PrivateKey.generate()
raw = keys[head["kid"]].key.public_bytes_raw()
now = int(time.time())
forged = [
    jwt.encode(claims, stranger, algorithm="EdDSA", headers=head),
    jwt.encode({**claims, "kind": "operator", "sub": "root"}, stranger, algorithm="EdDSA", headers=head),
    jwt.encode(claims, raw, algorithm="HS256", headers={**head, "alg": "HS256"}),
    jwt.encode(claims, None, algorithm="none", headers={**head, "alg": "none"}),
    jwt.encode(claims, stranger, algorithm="EdDSA", headers={**head, "kid": "0" * 16}),
    jwt.encode(claims, stranger, algorithm="EdDSA", headers={**head, "jku": root + "/evil"}),
    token[:-4] + "AAAA", token + ".", "." + token, token.replace(".", "..", 1), token.upper(), "a.b.c", "x" * 9000,
]
for one in forged:
    studies(one, 401)
parts = token.split(".")
more = base64.urlsafe_b64encode(json.dumps({**claims, "exp": now + 99999}).encode()).decode().rstrip("=")
studies(".".join([parts[0], more, parts[2]]), 401)

# A stream that is open ends when its token is revoked.
def follow(token, lines):
    answer = requests.get(
        root + "/dicom-web/events", headers={"Authorization": f"Bearer {token}"}, stream=True, timeout=60)
    try:
        for line in answer.iter_lines():
            lines.append(line)
    except requests.exceptions.RequestException:
        pass
    lines.append(b"ended")


lines = []
stream = threading.Thread(target=follow, args=(narrow, lines))
stream.start()
while not lines:
    time.sleep(0.02)
tool("token", "revoke", text=narrow + "\n")
studies(narrow, 401)
studies(token)
stream.join(30)
check(lines[-1] == b"ended", "a stream goes on after its token was revoked")
tool("token", "revoke", text=narrow + "\n", status=1)
mine = ask(whole)["access_token"]
check(requests.post(root + "/oauth2/revoke", auth=named, data={"token": mine}).status_code == 200, "revoke")
studies(mine)
check(requests.post(root + "/oauth2/revoke", auth=whole, data={"token": mine}).status_code == 200, "revoke")
studies(mine, 401)

# What is under way ends with what it rests on: a body with its program, an answer with the grant.
def image(study, number, size):
    one = pydicom.Dataset()
    one.SOPClassUID, one.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", f"{study}.{number}"
    one.StudyInstanceUID, one.SeriesInstanceUID = study, study + ".9"
    one.PatientID, one.Modality = "P9", "OT"
    one.EncapsulatedDocument = bytes(size)
    one.file_meta = pydicom.dataset.FileMetaDataset()
    one.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    held = io.BytesIO()
    pydicom.dcmwrite(held, one, enforce_file_format=True)
    return b"--b\r\nContent-Type: application/dicom\r\n\r\n" + held.getvalue() + b"\r\n"


def begin(token, method, path, *fields):
    link = socket.create_connection(("127.0.0.1", int(port)), timeout=120)
    head = [f"{method} /dicom-web{path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", *fields]
    link.sendall("\r\n".join([*head, "", ""]).encode())
    return link


def chunk(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


senders = add("senders", "--institution", "NORTH", "--verbs", "store,search,read,retrieve")
sender = ask(senders)["access_token"]
large = "2.25.301"
stow = ("Content-Type: multipart/related; type=\"application/dicom\"; boundary=b", "Transfer-Encoding: chunked")
link = begin(sender, "POST", "/studies", *stow)
link.sendall(chunk(image(large, 1, 48 << 20)))
rest = image(large, 2, 8 << 20)
link.sendall(chunk(rest[:4096]))
while len(act(token, "GET", f"/studies/{large}/instances", 200).content) < 10:
    time.sleep(0.02)
tool("token", "client", "revoke", "senders")
# The rest comes slowly, and would come to its end if nobody asked.
for start in range(4096, len(rest), 65536):
    if select.select([link], [], [], 0.1)[0]:
        break
    link.sendall(chunk(rest[start:start + 65536]))
else:
    check(False, "a body goes on after its program was revoked")
answer = link.recv(65536)
check(answer.startswith(b"HTTP/1.1 202") and b"not let in any more" in answer, f"{answer[:300]}")
link.close()
found = act(token, "GET", f"/studies/{large}/instances", 200).json()
check([one["00080018"]["Value"][0] for one in found] == [large + ".1"], f"stored: {found}")

grant = tool("grant", "add", "--to-institution", "SOUTH", "--owner", "NORTH", "--study", large, "--because", "a test",
             "--verbs", "search,read,retrieve")
reader = add("south-reader", "--institution", "SOUTH", "--verbs", "search,read,retrieve")
granted = ask(reader)["access_token"]
for ends in (False, True):
    link = begin(granted, "GET", f"/studies/{large}", "Accept: multipart/related; type=\"application/dicom\"")
    got = link.recv(65536)
    check(got.startswith(b"HTTP/1.1 200"), f"{got[:100]}")
    # Another grant changes nothing for this one.
    tool("grant", "add", "--to-institution", "SOUTH", "--owner", "NORTH", "--study", f"2.25.{901 + ends}",
         "--because", "a test")
    if ends:
        numbers = [one["id"] for one in json.loads(tool("grant", "list", "--json")) if one.get("studies") == [large]]
        tool("grant", "revoke", numbers[0], "--because", "a test")
    # It is asked once a second.
    time.sleep(1.5)
    size = len(got)
    try:
        while size < 48 << 20:
            got = link.recv(1 << 20)
            if not got:
                break
            size += len(got)
    except OSError:
        pass
    check((size < 48 << 20) == ends, f"{size} bytes of an answer whose grant {'ended' if ends else 'stands'}")
    link.close()

# Secrets and keys are changed while both are good.
fresh = tool("token", "client", "rotate", "north-pacs")
secrets.append(fresh)
ask(whole)
ask((whole[0], fresh))
tool("token", "keys", "--roll")
studies(token)
check(len(requests.get(root + "/oauth2/jwks").json()["keys"]) == 2, "two keys after a roll-over")
last = tool("token", "client", "rotate", "north-pacs", "--overlap-hours", "0")
secrets.append(last)
studies(token, 401)
ask(whole, 401)
ask((whole[0], fresh), 401)
kept = ask((whole[0], last))["access_token"]
studies(kept)
tool("token", "keys", "--roll", "--end-others")
studies(kept, 401)
kept = ask((whole[0], last))["access_token"]
tool("token", "client", "revoke", "north-pacs")
studies(kept, 401)
ask((whole[0], last), 401)


# A program with a certificate shows it at the exchange and with every request.
def secure(name):
    context = ssl.create_default_context(cafile=certificates + "/ca.pem")
    context.check_hostname = False
    if name:
        context.load_cert_chain(f"{certificates}/{name}.pem", f"{certificates}/{name}.key")
    return http.client.HTTPSConnection("127.0.0.1", int(tls_port), context=context, timeout=20)


def bound(name, id, status):
    """A token by certificate alone."""
    connection = secure(name)
    body = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": id})
    try:
        connection.request(
            "POST", "/oauth2/token", body, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        text = answer.read()
    except (ssl.SSLError, OSError, http.client.HTTPException):
        check(status is None, f"the handshake with {name} failed")
        return None
    check(answer.status == status, f"token by {name}: {answer.status} {text}, not {status}")
    return json.loads(text).get("access_token")


def searched(name, token, status):
    connection = secure(name)
    connection.request("GET", "/dicom-web/studies", headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    answer.read()
    check(answer.status == status, f"search with {name}: {answer.status}, not {status}")


client, secret = add("mutual", "--institution", "NORTH", "--certificate", certificates + "/client.pem")
check(secret is None, "a client with a certificate has a secret, too")
token = bound("client", client, 200)
secrets.append(token)
thumbprint = jwt.decode(token, options={"verify_signature": False})["cnf"]["x5t#S256"]
check(len(thumbprint) == 43, "the token is not bound")
searched("client", token, 200)
searched("second", token, 401)
searched(None, token, 401)
studies(token, 401)
bound("second", client, 401)
bound(None, client, 401)
ask((client, ""), 401)
# Known by its fingerprint, whoever vouches for it; but not what has ended or was revoked.
other, _ = add("stranger", "--institution", "NORTH", "--certificate", certificates + "/stranger.pem")
bound("stranger", other, 200)
for name in ("expired", "revoked"):
    gone, _ = add("gone-" + name, "--institution", "NORTH", "--certificate", f"{certificates}/{name}.pem")
    bound(name, gone, None)
# Known by a name in it, if a known authority wrote it.
by_name, _ = add("by-name", "--institution", "NORTH", "--certificate-name", "ct1.example")
searched("client", bound("client", by_name, 200), 200)
bound("stranger", by_name, 401)
bound("second", by_name, 401)

print(json.dumps({"problems": problems, "secrets": secrets}))
