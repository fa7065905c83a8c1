"""Tries what attackers try at the web door: paths, heads, origins, sessions, credentials in wrong places.

attacks.py PORT DIMSE-PORT BINARY DIRECTORY NORTH SOUTH    the last line is a JSON report
"""
import json
import re
import socket
import sys

import requests
import lean  # before pydicom
from pynetdicom import AE
from pynetdicom.sop_class import Verification

from browsing import Browser, Person, Trial

port, dimse_port, binary, directory, north, south = sys.argv[1:]
trial = Trial(f"http://127.0.0.1:{port}", binary, directory)
check, tool = trial.check, trial.tool
made = json.loads(tool("token", "client", "add", "north", "--institution", "NORTH", "--days", "1", "--json"))
client = (made["id"], made["secret"])
token = requests.post(
    trial.root + "/oauth2/token", auth=client, data={"grant_type": "client_credentials"}).json()["access_token"]
bearer = f"Authorization: Bearer {token}\r\n"
host = f"Host: 127.0.0.1:{port}\r\n"


def raw(text, limit=65536):
    """The answer to bytes as they are; empty where there is none."""
    with socket.create_connection(("127.0.0.1", int(port)), timeout=20) as connection:
        connection.sendall(text if isinstance(text, bytes) else text.encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while len(answer) < limit and (piece := connection.recv(65536)):
                answer += piece
        except OSError:
            pass
        return answer


def status(answer):
    found = re.match(rb"HTTP/1\.1 (\d{3})", answer)
    return int(found.group(1)) if found else 0


def refused(what, text, allowed=()):
    """Nothing that only somebody else may see, and no success."""
    answer = raw(text)
    code = status(answer)
    check(code == 0 or code >= 400 or code in allowed, f"{what}: {code}")
    check(code < 500 or code == 501, f"{what}: {code}")
    check(south.encode() not in answer, f"{what}: shows what is another's")
    return answer


def ask(path, fields="", method="GET", version="HTTP/1.1"):
    return f"{method} {path} {version}\r\n{fields}Connection: close\r\n\r\n"


studies = "/dicom-web/studies"
check(status(raw(ask(studies, host + bearer))) == 200, "the right request")

# A target in absolute form, hosts that are two, none, or another's. RFC 9112 §3.2.
# A target in absolute form is the path for who answers; the host is that of the field, and its own answers say so.
answer = refused("absolute form of another host", ask("http://evil.example" + studies, host + bearer), (200,))
check(b"evil.example" not in answer, "a host of the target is taken over")
refused("absolute form and another host", ask(f"http://127.0.0.1:{port}{studies}", "Host: evil.example\r\n" + bearer), (200,))
refused("another host", ask(studies, "Host: evil.example\r\n" + bearer))
refused("no host", ask(studies, bearer))
refused("an empty host", ask(studies, "Host: \r\n" + bearer))
refused("two hosts", ask(studies, host + "Host: evil.example\r\n" + bearer))
refused("two hosts, the other way", ask(studies, "Host: evil.example\r\n" + host + bearer))
for name in ["127.0.0.1@evil.example", "evil.example:80@127.0.0.1", "127.0.0.1.evil.example", "localhost.evil.example",
             "127.0.0.1 evil.example", "127.0.0.1,evil.example", "[::1].evil.example", "2130706433", "0x7f.1", "127.1"]:
    refused("host " + name, ask(studies, f"Host: {name}\r\n" + bearer))

# What only a proxy may say.
for field in ["X-Forwarded-Host: evil.example", "Forwarded: host=evil.example;proto=https;for=10.9.9.9",
              "X-Forwarded-For: 10.9.9.9", "X-Real-IP: 10.9.9.9", "X-Forwarded-Proto: https",
              "X-Original-URL: /users", "X-Rewrite-URL: /users", "X-HTTP-Method-Override: DELETE",
              "X-Client-Cert: MIIB", "X-SSL-Client-Verify: SUCCESS", "Client-Cert: :AAAA:", "X-Remote-User: operator"]:
    answer = raw(ask(f"{studies}/{north}/metadata", host + bearer + field + "\r\n"))
    check(status(answer) == 200, f"{field}: {status(answer)}")
    check(b"evil.example" not in answer and b"https://" not in answer, f"{field} is believed")
    refused("nobody with " + field, ask(studies, host + field + "\r\n"))
requests.get(trial.root + studies, headers={"X-Forwarded-For": "10.9.9.9", "Forwarded": "for=10.8.8.8"})
check("10.9.9.9" not in tool("audit", "search", "--json") and "10.8.8.8" not in tool("audit", "search", "--json"),
      "an address that a client made up is on record")

# Paths that mean another one to somebody, with and without leave.
for path in ["/dicom-web/../dicom-web/studies", "/dicom-web/%2e%2e/dicom-web/studies", "/assets/..%2f..%2fetc/passwd",
             "/assets/%2e%2e/%2e%2e/etc/passwd", "/assets/..%5c..%5cetc", "/assets/%c0%ae%c0%ae/etc/passwd", "/assets//etc/passwd",
             "/dicom-web//studies", "//dicom-web/studies", "/dicom-web/studies;x=1", "/DICOM-WEB/studies",
             "/dicom-web%2fstudies", "/dicom-web/studies%00", "/dicom-web/studies%0d%0aX:%20y", "/./dicom-web/studies",
             "/dicom-web/studies/..;/studies", "/wado/../dicom-web/studies", "/\u0064icom-web/%73tudies", "/users/..%2f1",
             "*", "dicom-web/studies", "/%", "/%zz", "/" + "a" * 9000, "/" + "../" * 2000]:
    refused("nobody at " + path[:40], ask(path, host), (303,))
for study in [south, south + "%00", "%32.25" + south[4:], south + "/", "./" + south, f"{north}/../{south}", f"{north}%2f..%2f{south}",
              south.replace(".", "%2e"), south + "?x", "*", "%25", south + "%20", "0" + south]:
    for rest in ["", "/metadata", "/series", "/rendered", "/instances", "/thumbnail"]:
        answer = raw(ask(f"{studies}/{study}{rest}", host + bearer))
        check(status(answer) not in (0, 500) and south.encode() not in answer.split(b"\r\n\r\n", 1)[-1],
              f"{study}{rest}: {status(answer)}")
        check(status(answer) >= 400 or answer.split(b"\r\n\r\n", 1)[-1].strip() in (b"", b"[]") or north in study,
              f"{study}{rest}: something is there")
for query in [f"StudyInstanceUID={south}", f"0020000D={south}", f"StudyInstanceUID={north}%5C{south}", "includefield=all",
              "PatientName=*", f"StudyInstanceUID={north}'%20OR%201=1--", "offset=-1", "limit=999999999999999999999", "limit=-1",
              "fuzzymatching=true&PatientName=%27", "PatientName=%FF", "x" * 8000]:
    answer = raw(ask(f"{studies}?{query}", host + bearer))
    check(status(answer) in (200, 204, 400, 414), f"{query[:40]}: {status(answer)}")
    check(south.encode() not in answer.split(b"\r\n\r\n", 1)[-1], f"{query[:40]} shows another's")

# Methods that do something else, and heads that hide something.
for method in ["TRACE", "CONNECT", "PUT", "PATCH", "get", "GET\t", "PROPFIND", "DEBUG", "X" * 300]:
    refused(method[:10], ask(studies, host, method), ())
for fields in [f"Authorization: Bearer {token}\r\nAuthorization: Bearer x\r\n", f"Authorization : Bearer {token}\r\n",
               f"Authorization:\r\n Bearer {token}\r\n", f"Authorization: Basic {token}\r\n", f"Authorization: {token}\r\n",
               f"Authorization: Bearer\t{token}\r\n", f"Authorization: Bearer {token} x\r\n",
               f"Authorization: Bearer {token},x\r\n", f"Proxy-Authorization: Bearer {token}\r\n", f"X-Token: {token}\r\n",
               f"Cookie: huizhen-session={token}\r\n", f"Cookie: access_token={token}\r\n", "Authorization: Bearer \r\n",
               "Authorization: Bearer " + "a" * 20000 + "\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"]:
    refused("head " + fields[:30], ask(studies, host + fields))
for place in [f"?access_token={token}", f"?token={token}", f"/{token}", f"#token={token}"]:
    refused("a token in the address", ask(studies + place, host))
smuggled = f"POST /oauth2/token HTTP/1.1\r\n{host}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET {studies} HTTP/1.1\r\n{host}{bearer}\r\n"
answer = raw(smuggled)
check(b"HTTP/1.1 200" not in answer and north.encode() not in answer, "a request within a request")
check(status(raw(ask("/share", host + "Cookie: x=" + "y" * 20000 + "\r\n"))) in (400, 431), "a large cookie")
check(b"alert(1)" not in raw(ask("/?name=%3Cscript%3Ealert(1)%3C/script%3E&lang=%22%3E%3Cscript%3E", host)), "markup in a page")

# Sessions that somebody else chose, shows or keeps.
person = Person(trial, "li.na", "--role", "clinician", "--institution", "NORTH")
browser = person.enrol()
first = browser.session
browser.get("/account")
browser.post("/session/end", 303)
for planted in ["f" * 64, first, "", "x" * 5000]:
    stranger = Browser(trial)
    stranger.cookies["huizhen-session"] = planted
    stranger.cookies["huizhen-sign-in"] = "0" * 64
    stranger.get("/")
    chosen = stranger.cookies.get("huizhen-sign-in")
    stranger.post("/sign-in", 303, name="li.na", password=person.password)
    check(stranger.cookies["huizhen-sign-in"] != chosen, "a sign-in goes on under a number from before")
    stranger.post("/sign-in/code", 303, code=person.code())
    check(stranger.session and stranger.session != planted, "a session that was planted")
    stranger.get("/account")
    stranger.post("/session/end", 303)
    check(stranger.session is None, "signed out, and the cookie stays")
browser = person.sign_in()
kept = dict(browser.cookies)
for cookie in [f"huizhen-session={'0' * 64}; huizhen-session={browser.session}", f"huizhen-session=\"{browser.session}\"",
               f"HUIZHEN-SESSION={browser.session}", f"huizhen-session={browser.session.upper()}",
               f"huizhen-session={browser.session} ", f"huizhen-session=%66{browser.session[1:]}"]:
    refused("cookie " + cookie[:24], ask(studies, host + f"Cookie: {cookie}\r\n"), (200,) if cookie.endswith(" ") else ())
browser.get("/account")
browser.post("/session/end", 303)
browser.cookies = kept
browser.ask("GET", studies, 401)

# Pages of other sites that use a browser which is signed in.
browser = person.sign_in()
browser.get("/account")
form = browser.form("/account/password")
fields = {"form": form, "present": person.password, "new": "Another-1-secret", "again": "Another-1-secret"}
for headers in [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
                {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}, {}, {"Referer": trial.root + "/account"},
                {"Origin": trial.root + ".evil.example"}, {"Origin": trial.root + "@evil.example"},
                {"Origin": trial.root.replace("http", "ftp")}, {**browser.own, "Sec-Fetch-Site": "cross-site"}]:
    answer = browser.ask("POST", "/account/password", None, headers, data=fields)
    check(answer.status_code == 403, f"a form with {headers}: {answer.status_code}")
    answer = browser.ask("DELETE", f"{studies}/{north}", None, headers)
    check(answer.status_code in (401, 403), f"a removal with {headers}: {answer.status_code}")
for body, kind in [(json.dumps(fields), "application/json"), ("&".join(f"{a}={b}" for a, b in fields.items()), "text/plain"),
                   ("x", "multipart/form-data; boundary=y")]:
    answer = browser.ask("POST", "/account/password", None, {**browser.own, "Content-Type": kind}, data=body)
    check(answer.status_code == 415, f"a form as {kind}: {answer.status_code}")
for token_of in ["", "0" * 64, form[:-1], form + "0"]:
    browser.ask("POST", "/account/password", 403, data={**fields, "form": token_of})
for path in ["/account/password", "/session/end", "/users", "/account/sessions/end", "/account/recovery-codes"]:
    answer = browser.ask("GET", path + "?form=" + form, None)
    check(browser.ask("GET", "/account", None).status_code == 200, f"GET {path} did something")
check(browser.get("/account").status_code == 200, "the session outlived it")
page = browser.page.headers
for name, text in [("Content-Security-Policy", "frame-ancestors 'none'"), ("X-Content-Type-Options", "nosniff"),
                   ("Cache-Control", "no-store"), ("Referrer-Policy", "same-origin")]:
    check(text in page.get(name, ""), f"{name}: {page.get(name)}")
check(not any(name.lower().startswith("access-control") for name in page), "CORS on a page")

# One kind of secret in the place of another.
for one in [form, browser.session, client[1], person.one_time, browser.cookies.get("huizhen-sign-in", "x")]:
    refused("another secret as a token", ask(studies, host + f"Authorization: Bearer {one}\r\n"))
for one in [token, form, client[1]]:
    refused("another secret as a session", ask(studies, host + f"Cookie: huizhen-session={one}\r\n"))
# A client's token opens no page, and signs nobody in.
refused("a client's token on a page", ask("/users", host + bearer), (303,))
stranger = Browser(trial)
answer = stranger.ask("POST", "/session", 403, data={"token": token})
check(stranger.session is None, "a client's token signs a browser in")
for path in ["/account", "/users", "/shares", "/viewer/" + north]:
    check(Browser(trial).ask("GET", path).status_code in (303, 401, 403), f"{path} for nobody")


def calls(title, called="HUIZHEN", address="127.0.0.1"):
    entity = AE(ae_title=title)
    entity.add_requested_context(Verification)
    association = entity.associate(
        "127.0.0.1", int(dimse_port), ae_title=called, bind_address=(address, 0))
    taken = association.is_established
    if taken:
        association.release()
    return taken


# AE titles of others.
check(calls("NORTH"), "the peer itself")
for attempt in [("NORTH", "HUIZHEN", "127.0.0.2"), ("north",), ("NORTH2",), ("NORT",), ("HUIZHEN",), ("STRANGER",), ("SECURE",),
                ("NORTH", "OTHER"), ("NORTH", "huizhen"), ("*",), ("NORTH%",)]:
    check(not calls(*attempt), f"an association as {attempt}")
print(json.dumps({"problems": trial.problems, "secrets": [token, *trial.secrets]}))
