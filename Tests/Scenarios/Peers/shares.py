"""Links to one study, and those who would like to see more by them.

shares.py PORT BINARY DIRECTORY NORTH OTHER SOUTH    the last line is a JSON report
"""
import json
import re
import sys
import threading
import time

import requests

from browsing import Browser, Person, Trial

port, binary, directory, north, other, south = sys.argv[1:]
trial = Trial(f"http://127.0.0.1:{port}", binary, directory)
check, tool = trial.check, trial.tool


def make(browser, study, purpose="opinion of Dr. Wang", days="7", status=200):
    browser.get("/shares?study=" + study)
    browser.post("/shares", status, study=study, purpose=purpose, days=days)
    found = re.search(r'<code id="address">([^<]+)</code>.*<code id="secret">([^<]+)</code>', browser.page.text, re.S)
    if not found:
        return None, None
    address, secret = found.groups()
    check(address.startswith(trial.root + "/share#"), address[:30])
    code = address.split("#")[1]
    trial.secrets.extend([code, secret])
    return code, secret


def open_link(code, secret, status=303):
    browser = Browser(trial)
    page = browser.get("/share")
    check("script-src 'self'" in page.headers["Content-Security-Policy"], "CSP")
    browser.post("/share", status, code=code, secret=secret)
    return browser


def listed():
    return {link["id"]: link for link in json.loads(tool("share", "list", "--json"))}


def found(browser):
    answer = browser.ask("GET", "/dicom-web/studies", 200)
    return sorted(one["0020000D"]["Value"][0] for one in answer.json()) if answer.text else []


clinician = Person(trial, "li.na", "--role", "clinician", "--institution", "NORTH")
doctor = clinician.enrol()
doctor.get("/viewer/" + north)
check(f"/shares?study={north}" in doctor.page.text, "the viewer offers no link")
code, secret = make(doctor, north)
check(len(code) == 64 and len(secret) == 14, f"{len(code)} {len(secret)}")

# What another institution sent is not one's own to share, nor is what is not there.
for study, purpose, days in [(south, "x" * 9, "7"), ("1.2.3", "x" * 9, "7"), (north, "x", "7"), (north, "x" * 9, "31")]:
    check(make(doctor, study, purpose, days, 403) == (None, None), f"a link to {study} {purpose} {days}")

# The guest sees this one study, and nothing but it.
guest = open_link(code, secret)
check(guest.session, "no session")
check(guest.page.status_code == 200 and 'id="stage"' in guest.page.text, "no viewer")
check("/users" not in guest.page.text and "/shares" not in guest.page.text, "a guest is shown more")
check(found(guest) == [north], "a guest sees other studies")
guest.ask("GET", f"/dicom-web/studies/{north}/metadata", 200)
guest.ask("GET", f"/dicom-web/studies/{north}", 200)
for path in [f"/dicom-web/studies/{other}", f"/dicom-web/studies/{south}/metadata", f"/dicom-web/studies/{other}/rendered"]:
    guest.ask("GET", path, 404)
guest.ask("DELETE", f"/dicom-web/studies/{north}", 403)
guest.ask("POST", "/dicom-web/studies", 403, data=b"", headers={**guest.own, "Content-Type": "application/dicom"})
guest.ask("POST", "/dicom-web/commitment-requests/1.2", None, data=b"{}", headers={
    **guest.own, "Content-Type": "application/dicom+json"})
for path, status in [("/", 303), ("/users", 403), ("/account", 303), ("/shares", 303), ("/users/1", 403)]:
    guest.ask("GET", path, status)
token = re.search(r'name="form" value="([0-9a-f]+)"', guest.page.text).group(1)
for action in ["/users", "/users/1/reset", "/shares", "/shares/x/revoke", "/users/1/state"]:
    answer = guest.ask("POST", action, 403, data={"form": token, "study": north, "purpose": "more", "days": "7"})
guest.ask("POST", "/account/password", None, data={"form": token, "present": "", "new": "a" * 20, "again": "a" * 20})
guest.ask("POST", "/account/sessions/end", None, data={"form": token})

# Neither half is enough, and both halves of different links are not.
second_code, second_secret = make(doctor, other)
for pair in [(code, ""), (code, second_secret), (second_code, secret), ("0" * 64, secret)]:
    check(open_link(*pair, status=403).session is None, "half a link opens it")
check(open_link(second_code, second_secret.upper()).session, "the secret is typed in capitals")

# A form is needed that was made for this browser.
stranger = Browser(trial)
stranger.ask("POST", "/share", 403, data={"form": "0" * 64, "code": code, "secret": secret})
stranger.get("/share")
stranger.post("/share", 403, headers={"Origin": "https://evil.example"}, code=code, secret=secret)

# What was made, and how often it was used.
links = listed()
mine = next(link for link in links.values() if link["study"] == north)
check(mine["useCount"] == 1 and mine["failureCount"] == 2 and mine["madeBy"] == "li.na", f"{mine}")
colleague = Person(trial, "wang.wu", "--role", "clinician", "--institution", "NORTH").enrol()
check(mine["id"] not in colleague.get("/shares").text, "a colleague sees the link")
colleague.ask("POST", f"/shares/{mine['id']}/revoke", 404, data={"form": colleague.form("/shares")})
outsider = Person(trial, "zhao.liu", "--role", "expert", "--institution", "NORTH").enrol()
outsider.get("/account")
check("/shares" not in outsider.page.text, "an expert is offered links")
check(make(outsider, north, status=403) == (None, None), "an expert shares")

# A stream that is open ends with its link.
lines = []


def follow():
    try:
        answer = requests.get(trial.root + "/dicom-web/events", cookies=guest.cookies, stream=True, timeout=60)
        for line in answer.iter_lines():
            lines.append(line)
    except requests.exceptions.RequestException:
        pass
    lines.append(b"ended")


stream = threading.Thread(target=follow)
stream.start()
while not lines:
    time.sleep(0.02)
doctor.get("/shares")
doctor.post(f"/shares/{mine['id']}/revoke", 303)
guest.ask("GET", f"/dicom-web/studies/{north}/metadata", 401)
stream.join(30)
check(lines[-1] == b"ended", "a stream goes on after its link was revoked")
check(open_link(code, secret, status=403).session is None, "a revoked link opens")

# By command, and over a restart; a disabled maker's links open nothing.
made = json.loads(tool("share", "add", "--study", south, "--institution", "SOUTH", "--purpose", "second opinion", "--json"))
command_code, command_secret = made["address"].split("#")[1], made["secret"]
trial.secrets.extend([command_code, command_secret])
visitor = open_link(command_code, command_secret)
check(found(visitor) == [south], "a link by command shows something else")
tool("share", "add", "--study", south, "--purpose", "second opinion", status=1)
tool("share", "add", "--study", north, "--institution", "NORTH", "--purpose", "x", status=1)
guest = open_link(second_code, second_secret)
check(found(guest) == [other], "the second link")
tool("user", "disable", "li.na")
guest.ask("GET", f"/dicom-web/studies/{other}/metadata", 401)
open_link(second_code, second_secret, status=403)
tool("user", "enable", "li.na")
guest = open_link(second_code, second_secret)
check(found(guest) == [other], "the link of somebody who is back")
guest.get("/viewer/" + other)
guest.post("/session/end", 303)
guest.ask("GET", f"/dicom-web/studies/{other}/metadata", 401)

# Who guesses is locked out, and the right secret with him.
for _ in range(9):
    open_link(second_code, "aaaa-bbbb-cccc", status=403)
check(open_link(second_code, second_secret, status=403).session is None, "a guesser gets in")

print(json.dumps({"problems": trial.problems, "secrets": trial.secrets}))
