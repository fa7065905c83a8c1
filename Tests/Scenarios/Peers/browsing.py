"""A browser of a person with an authenticator, for peers that try the pages."""
import hashlib
import re
import subprocess
import time

import pyotp
import requests


class Trial:
    """The service that is tried, and what was wrong with it."""

    def __init__(self, root, binary, directory, verify=True):
        self.root, self.binary, self.directory, self.verify = root, binary, directory, verify
        self.problems = []
        self.secrets = []

    def check(self, holds, what):
        if not holds:
            self.problems.append(what)

    def tool(self, *arguments, status=0, text=None):
        done = subprocess.run(
            [self.binary, *arguments, "--data", self.directory], capture_output=True, text=True, input=text)
        self.check(done.returncode == status, f"{arguments}: {done.returncode} {done.stderr}")
        return done.stdout.strip()


class Browser:
    """Keeps cookies and follows nothing by itself, but what it is told to."""

    def __init__(self, trial, certificate=None):
        self.trial = trial
        self.certificate = certificate
        self.own = {"Origin": trial.root}
        self.cookies = {}
        self.page = None

    def ask(self, method, path, status=None, headers=None, **more):
        answer = requests.request(
            method, path if "://" in path else self.trial.root + path, headers=self.own if headers is None else headers,
            cookies=self.cookies, allow_redirects=False, verify=self.trial.verify,
            cert=self.certificate, **more)
        if status:
            self.trial.check(answer.status_code == status, f"{method} {path[:40]}: {answer.status_code}, not {status}")
        for field in answer.raw.headers.getlist("Set-Cookie"):
            name, value = field.split(";")[0].split("=", 1)
            self.trial.check("HttpOnly" in field and "SameSite=" in field, f"a loose cookie: {name}")
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return answer

    def get(self, path, status=200):
        self.page = self.ask("GET", path, status)
        return self.page

    def form(self, action):
        found = re.search(
            r'<form method="post" action="' + re.escape(action) + r'"[^>]*>.*?name="form" value="([0-9a-f]+)"',
            self.page.text, re.S)
        return found.group(1) if found else ""

    def post(self, action, status=None, token=None, headers=None, **fields):
        data = {"form": self.form(action) if token is None else token, **fields}
        answer = self.ask("POST", action, status, headers, data=data)
        if answer.status_code == 303:
            self.get(answer.headers["Location"], None)
        elif "html" in answer.headers.get("Content-Type", ""):
            self.page = answer
        return answer

    @property
    def session(self):
        return next((value for name, value in self.cookies.items() if name.endswith("huizhen-session")), None)


class Person:
    def __init__(self, trial, name, *arguments):
        self.trial, self.name = trial, name
        self.password = "Vq7-" + hashlib.sha256(name.encode()).hexdigest()[:14]
        self.step = 0
        self.one_time = trial.tool("user", "add", name, *arguments)
        trial.secrets += [self.one_time, self.password]

    def code(self):
        """A code that was not used; the one of the next step is good a step early."""
        now = int(time.time()) // 30
        self.step = max(self.step + 1, now - 1)
        while self.step > int(time.time()) // 30 + 1:
            time.sleep(0.5)
        return self.totp.at(self.step * 30)

    def enrol(self, browser=None):
        browser = browser or Browser(self.trial)
        browser.get("/")
        browser.post("/sign-in", 303, name=self.name, password=self.one_time)
        browser.post("/sign-in/password", 303, new=self.password, again=self.password)
        self.take(browser)
        browser.post("/sign-in/factor", 200, code=self.code())
        return browser

    def take(self, browser):
        """The key of the page that is open."""
        shown = re.search(r'<code id="secret">([A-Z2-7 ]+)</code>', browser.page.text).group(1).replace(" ", "")
        self.trial.secrets.append(shown)
        self.totp = pyotp.TOTP(shown)

    def sign_in(self, browser=None):
        browser = browser or Browser(self.trial)
        browser.get("/")
        browser.post("/sign-in", 303, name=self.name, password=self.password)
        browser.post("/sign-in/code", 303, code=self.code())
        return browser
