"""Certificates of `huizhen ca` in use: at the web door, with a revocation that takes effect while a connection is open.

authority.py TLS-PORT BINARY DIRECTORY AUTHORITY CLIENT    the last line is a JSON report
"""
import http.client
import json
import ssl
import subprocess
import sys
import urllib.parse

from browsing import Browser, Person, Trial

port, binary, directory, authority, client = sys.argv[1:]
trial = Trial(f"https://localhost:{port}", binary, directory, verify=authority + "/authority.pem")
check = trial.check


def connection(name):
    context = ssl.create_default_context(cafile=authority + "/authority.pem")
    if name:
        context.load_cert_chain(f"{authority}/{name}.pem", f"{authority}/{name}.key")
    return http.client.HTTPSConnection("localhost", int(port), context=context, timeout=20)


def token(held):
    body = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": client})
    held.request("POST", "/oauth2/token", body, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = held.getresponse()
    text = answer.read()
    return answer.status, json.loads(text).get("access_token")


def search(held, text):
    held.request("GET", "/dicom-web/studies", headers={"Authorization": f"Bearer {text}"})
    answer = held.getresponse()
    answer.read()
    return answer.status


# A person's certificate stands for the code, once it is registered.
pair = (authority + "/ris.pem", authority + "/ris.key")
person = Person(trial, "li.na", "--role", "clinician")
browser = person.enrol(Browser(trial, pair))
browser.get("/account")
browser.post("/account/certificates", 403, remove="false", code="000000")
browser.get("/account")
browser.post("/account/certificates", 303, remove="false", code=person.code())


def by_certificate(certificate, status):
    browser = Browser(trial, certificate)
    browser.get("/")
    browser.post("/sign-in", 303, name="li.na", password=person.password)
    check(("/sign-in/certificate" in browser.page.text) == (certificate is not None), "what the page offers")
    browser.ask("POST", "/sign-in/certificate", status, data={"form": browser.form("/sign-in/code")})
    return browser.session


check(by_certificate(pair, 303), "no session by the certificate")
check(not by_certificate(None, 403), "a session without it")
check(not by_certificate((authority + "/web.pem", authority + "/web.key"), 403), "a session by another")

held = connection("ris")
status, text = token(held)
check(status == 200, f"a certificate of the authority: {status}")
check(search(held, text) in (200, 204), "a token with it")
check(token(connection("web"))[0] == 401, "the server's certificate is taken for the client's")
try:
    # For servers only: no purpose of a client.
    check(token(connection("server-only"))[0] == 401, "a certificate for servers")
except (OSError, http.client.HTTPException):
    pass
trial.tool("tls", "reload")
check(search(held, text) in (200, 204), "a reload that changed nothing")
subprocess.run([binary, "ca", "revoke", "ris", "--authority", authority], check=True, capture_output=True)
trial.tool("tls", "reload")
check(search(held, text) == 401, "a certificate that was revoked, on the connection that is open")
try:
    token(connection("ris"))
    check(False, "a certificate that was revoked, on a new connection")
except (OSError, http.client.HTTPException):
    pass
try:
    Browser(trial, pair).get("/")
    check(False, "a person's certificate that was revoked")
except OSError:
    pass
print(json.dumps({"problems": trial.problems, "secrets": []}))
