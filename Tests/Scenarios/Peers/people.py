"""Signs people in as their browsers do, with authenticators of others, and tries what nobody may get away with.

people.py PORT BINARY DIRECTORY    the last line is a JSON report
"""
import html
import json
import re
import subprocess
import sys
import time

import numpy
import pyotp
import requests
import zxingcpp

port, binary, directory = sys.argv[1:]
root = f"http://127.0.0.1:{port}"
own = {"Origin": root}
problems = []
secrets = []


def check(holds, what):
    if not holds:
        problems.append(what)


def tool(*arguments):
    return subprocess.run(
        [binary, *arguments, "--data", directory], check=True, capture_output=True, text=True).stdout.strip()


class Browser:
    """Keeps cookies and follows nothing by itself."""

    def __init__(self, agent="Mozilla/5.0 (test)"):
        self.cookies = {}
        self.agent = agent
        self.page = None

    def ask(self, method, path, status, headers=own, **more):
        fields = {**headers, "User-Agent": self.agent}
        answer = requests.request(
            method, root + path, headers=fields, cookies=self.cookies, allow_redirects=False, **more)
        check(answer.status_code == status, f"{method} {path}: {answer.status_code}, not {status}")
        for field in answer.raw.headers.getlist("Set-Cookie"):
            name, value = field.split(";")[0].split("=", 1)
            check("HttpOnly" in field and "SameSite=Strict" in field, f"a loose cookie: {name}")
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return answer

    def get(self, path, status=200):
        self.page = self.ask("GET", path, status)
        return self.page

    def form(self, action):
        """The token of the form with this action on the page that is open."""
        found = re.search(
            r'<form method="post" action="' + re.escape(action) + r'"[^>]*>.*?name="form" value="([0-9a-f]+)"',
            self.page.text, re.S)
        check(found, f"no form for {action}")
        return found.group(1) if found else ""

    def post(self, action, status, token=None, headers=own, **fields):
        data = {"form": self.form(action) if token is None else token, **fields}
        answer = self.ask("POST", action, status, headers, data=data)
        if answer.status_code == 303:
            self.get(answer.headers["Location"])
        elif "html" in answer.headers.get("Content-Type", ""):
            self.page = answer
        return answer

    @property
    def session(self):
        return self.cookies.get("huizhen-session")

    def begin(self, name, password):
        self.get("/")
        self.post("/sign-in", 303, name=name, password=password)

    def sign_in(self, person, code=None, password=None, status=303):
        self.begin(person.name, password or person.password)
        return self.post("/sign-in/code", status, code=code or person.code())


class Person:
    """Somebody with an authenticator."""

    def __init__(self, name, password):
        self.name = name
        self.password = password
        self.totp = None
        self.used = None
        self.codes = []

    def code(self):
        # A code is good once: with the step after this one the next one begins early enough.
        now = int(time.time())
        step = now // 30
        while step in (self.used, None) or (self.used is not None and step <= self.used):
            step = self.used + 1
            wait = (step - 1) * 30 - time.time()
            if wait > 0:
                time.sleep(wait + 0.1)
        self.used = step
        return self.totp.at(step * 30)

    def enrol(self, browser):
        """From the page with the QR code to the page with the recovery codes."""
        page = browser.page.text
        address = qr(page)
        shown = re.search(r'<code id="secret">([A-Z2-7 ]+)</code>', page).group(1).replace(" ", "")
        self.totp = pyotp.parse_uri(address)
        check(self.totp.secret == shown, "QR code and text differ")
        check(self.totp.name == self.name and self.totp.issuer == "Huizhen", f"the authenticator is told {address}")
        secrets.append(shown)
        browser.post("/sign-in/factor", 403, code="000000")
        browser.post("/sign-in/factor", 200, code=self.code())
        self.codes = re.findall(r"<li><code>([a-z0-9-]+)</code></li>", browser.page.text)
        check(len(set(self.codes)) == 10, "no ten recovery codes")
        secrets.extend(self.codes)


def qr(page):
    """What a camera reads of the page's QR code."""
    size = int(re.search(r'viewBox="0 0 (\d+) \d+"', page).group(1))
    picture = numpy.full((size, size), 255, numpy.uint8)
    path = re.search(r'<path d="([^"]+)"', page).group(1)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path):
        picture[int(y), int(x):int(x) + int(width)] = 0
    found = zxingcpp.read_barcodes(numpy.kron(picture, numpy.ones((4, 4), numpy.uint8)),
                                   formats=zxingcpp.BarcodeFormat.QRCode)
    check(len(found) == 1, "no QR code can be read")
    return found[0].text if found else ""


def invited(name, one_time, password):
    """From a one-time password to a session."""
    person, browser = Person(name, password), Browser()
    browser.begin(name, one_time)
    check('action="/sign-in/password"' in browser.page.text, f"{name}: no new password is asked for")
    before = browser.cookies["huizhen-sign-in"]
    browser.post("/sign-in/password", 403, new="short", again="short")
    browser.post("/sign-in/password", 403, new=password, again=password + "x")
    browser.post("/sign-in/password", 403, new=one_time, again=one_time)
    browser.post("/sign-in/password", 303, new=password, again=password)
    check(browser.cookies["huizhen-sign-in"] != before, "a step keeps its identifier")
    check(browser.session is None, "a session before the second factor")
    person.enrol(browser)
    check(browser.session is not None, f"{name}: no session")
    secrets.extend([one_time, password])
    return person, browser


# The first start left one account, whose password goes with its first use.
path = directory + "/first-password"
mode = subprocess.run(["stat", "-c", "%a", path], capture_output=True, text=True).stdout.strip()
check(mode == "600", f"the first password has mode {mode}")
first = open(path).read().strip()
boss, boss_browser = invited("operator", first, "quiet mountains at dawn")
check(subprocess.run(["test", "-e", path]).returncode == 1, "the first password is still there")

# The operator sees no patient, but looks after accounts.
boss_browser.get("/", 303)
boss_browser.ask("GET", "/dicom-web/studies", 403)
boss_browser.get("/users")
boss_browser.post(
    "/users", 200, name="li.na", **{"display-name": "李娜 <b>", "institution": "North", "role": ["institution-administrator"]})
check("<b>" not in boss_browser.page.text, "a name is read as markup")
one_time = re.search(r'<code id="one-time">([^<]+)</code>', boss_browser.page.text).group(1)
admin, admin_browser = invited("li.na", one_time, "slow river under ice")

# The administrator looks after her own people only.
admin_browser.get("/users")
check("operator" not in admin_browser.page.text.replace("institution-administrator", ""), "an administrator sees others")
token = admin_browser.form("/users")
fields = {"name": "x1", "institution": "South", "role": ["clinician"]}
admin_browser.post("/users", 403, token, **fields)
admin_browser.post("/users", 403, token, **{**fields, "institution": "North", "role": ["operator"]})
admin_browser.post("/users", 403, token, **{**fields, "institution": "North", "role": []})
admin_browser.post("/users", 400, token, **{**fields, "institution": "North", "role": ["king"]})
admin_browser.get("/users/1", 404)
admin_browser.post("/users/1/state", 404, token, disabled="true")
admin_browser.post("/users", 200, token, name="wang", institution="North", role=["clinician"])
one_time = re.search(r'<code id="one-time">([^<]+)</code>', admin_browser.page.text).group(1)
wang, browser = invited("wang", one_time, "seven paper lanterns")

# A clinician may look, and may not look after accounts; what the policy says, the door does.
browser.ask("GET", "/dicom-web/studies", 200)
browser.get("/")
check('id="studies"' in browser.page.text, "a clinician has no list")
browser.get("/users", 403)
browser.ask("POST", "/users", 403, data={"form": "0" * 64, "name": "evil", "institution": "North", "role": "operator"})
browser.get("/account")
check("Mozilla/5.0 (test)" in browser.page.text, "the own session is not listed")

# Cross-site requests: another origin, none, a page of another port, a token of another session, none.
token = browser.form("/account/sessions/end")
for headers in ({"Origin": "http://elsewhere.example"}, {}, {**own, "Sec-Fetch-Site": "same-site"}):
    browser.post("/account/sessions/end", 403, token, headers)
for wrong in ("", "0" * 64, admin_browser.page and token[:-1] + ("0" if token[-1] != "0" else "1")):
    browser.post("/account/sessions/end", 403, wrong)
    browser.ask("POST", "/session/end", 403, data={"form": wrong})
stranger = Browser()
stranger.get("/")
good = stranger.form("/sign-in")
other = Browser()
other.get("/")
other.post("/sign-in", 403, good, name="wang", password="x")
other.post("/sign-in", 403, "", name="wang", password="x")
other.post("/account/password", 401, token, present="x", new="y", again="y")
other.get("/account", 303)
other.get("/users", 303)
other.ask("POST", "/account/password", 415, json={"form": token})

# Signing in again: a new identifier, whatever the browser had before.
second = Browser("Second")
second.cookies["huizhen-session"] = "a" * 64
second.cookies["huizhen-sign-in"] = "b" * 64
second.sign_in(wang)
check(second.session not in (None, "a" * 64), "the session's identifier was fixed")
second.ask("GET", "/dicom-web/studies", 200)
check(requests.get(root + "/dicom-web/studies", cookies={"huizhen-session": "a" * 64}).status_code == 401, "fixation")

# A code is good once, a recovery code too.
replay = Browser()
replay.sign_in(wang, code=wang.totp.at(wang.used * 30), status=403)
check(replay.session is None, "a code was taken twice")
replay.sign_in(wang, code=wang.codes[0])
check(replay.session is not None, "a recovery code was refused")
again = Browser()
again.sign_in(wang, code=wang.codes[0], status=403)

# The list of sessions, and ending the others.
second.get("/account")
check(second.page.text.count('name="number"') == 2, "not all own sessions are listed")
number = re.search(r'name="number" value="(\d+)"', second.page.text).group(1)
second.post("/account/sessions/end", 303, number=number)
check(second.page.text.count('name="number"') == 1, "one session did not end")
second.post("/account/sessions/end", 303, second.form("/account/sessions/end"))
browser.ask("GET", "/dicom-web/studies", 401)

# Another password: the session gets a new identifier.
before = second.session
second.get("/account")
second.post("/account/password", 403, present="wrong", new="eight paper lanterns", again="eight paper lanterns")
second.post("/account/password", 403, present=wang.password, new=wang.password, again=wang.password)
second.post("/account/password", 303, present=wang.password, new="eight paper lanterns", again="eight paper lanterns")
check(second.session != before, "the session's identifier stayed")
wang.password = "eight paper lanterns"
check(
    requests.get(root + "/dicom-web/studies", cookies={"huizhen-session": before}).status_code == 401,
    "the former session lives")
second.ask("GET", "/dicom-web/studies", 200)

# Disabled: at once. The page and the tool do the same.
admin_browser.get("/users")
path = re.search(r'href="(/users/\d+)">wang<', admin_browser.page.text).group(1)
admin_browser.get(path)
admin_browser.post(path + "/state", 303, disabled="true")
second.ask("GET", "/dicom-web/studies", 401)
tool("user", "enable", "wang")
tool("user", "change", "wang", "--role", "expert")
accounts = json.loads(tool("user", "list", "--json"))
check([a["name"] for a in accounts] == ["li.na", "operator", "wang"], f"accounts: {accounts}")
check(accounts[2]["description"]["roles"] == ["expert"] and accounts[2]["state"] == "active", f"wang: {accounts[2]}")
changes = json.loads(tool("user", "history", "wang", "--json"))
check([c["kind"] for c in changes[-3:]] == ["disabled", "enabled", "described"], "the history is not whole")
check(changes[-1]["before"]["description"]["roles"] == ["clinician"], "the history has no version before")

# Nothing to learn from a refusal: status, headers and body are the same whatever was wrong. The last ones lock the
# account and this address out, which looks the same again.
answers = []
wrong = [("nobody", "x" * 12), ("<no name>", "x"), ("wang", "wrong password"), ("wang", wang.password), ("wang", "")]
for name, password in wrong * 2:
    probe = Browser()
    probe.get("/")
    first = probe.ask("POST", "/sign-in", 303, data={"form": probe.form("/sign-in"), "name": name, "password": password})
    probe.get(first.headers["Location"])
    asked = probe.page
    last = probe.ask("POST", "/sign-in/code", 403, data={"form": probe.form("/sign-in/code"), "code": "000000"})

    def plain(answer):
        fields = {k: v for k, v in answer.headers.items() if k not in ("Date", "Set-Cookie")}
        return fields, re.sub(r"[0-9a-f]{64}", "-", answer.text)

    answers.append((plain(first), plain(asked), plain(last)))
    check(probe.session is None, "a session without proof")
check(all(answer == answers[0] for answer in answers), "refusals differ")
locked = Browser()
locked.sign_in(boss, status=403)
check(html.escape("登录失败") in locked.page.text, "no reason is shown")

# What is locked out is the door for strangers, not for who is in; the operator's tool still lets in.
boss_browser.get("/account")
token = tool("web", "token")
local = Browser()
local.get("/")
local.ask("POST", "/session", 303, data={"token": token})
local.ask("GET", "/dicom-web/studies", 200)
local.get("/")
local.post("/session/end", 303)
local.ask("GET", "/dicom-web/studies", 401)

print(json.dumps({"problems": problems, "secrets": secrets, "session": boss_browser.session}))
