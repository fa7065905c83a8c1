"""Browsers of people who are signed in with two factors, for peers that need somebody's session."""
import re
import subprocess
import time

import pyotp
import requests


class Browser:
    """Keeps cookies and follows nothing by itself."""

    def __init__(self, root):
        self.root = root
        self.cookies = {}
        self.text = ""

    def ask(self, method, path, **more):
        headers = {"Origin": self.root, **more.pop("headers", {})}
        answer = requests.request(
            method, self.root + path, headers=headers, cookies=self.cookies, allow_redirects=False, **more)
        for field in answer.raw.headers.getlist("Set-Cookie"):
            name, value = field.split(";")[0].split("=", 1)
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return answer

    def get(self, path, **more):
        answer = self.ask("GET", path, **more)
        self.text = answer.text
        return answer

    def form(self, action):
        """The token of the form with this action on the page that is open."""
        found = re.search(
            r'<form method="post" action="' + re.escape(action) + r'"[^>]*>.*?name="form" value="([0-9a-f]+)"',
            self.text, re.S)
        return found.group(1) if found else "0" * 64

    def post(self, action, token=None, **fields):
        answer = self.ask("POST", action, data={"form": token or self.form(action), **fields})
        if answer.status_code == 303:
            self.get(answer.headers["Location"])
        elif "html" in answer.headers.get("Content-Type", ""):
            self.text = answer.text
        return answer


class Service:
    """The service, its tool, and how people come in."""

    def __init__(self, port, binary, directory):
        self.root = f"http://127.0.0.1:{port}"
        self.binary = binary
        self.directory = directory

    def tool(self, *arguments, code=0):
        found = subprocess.run(
            [self.binary, *arguments, "--data", self.directory], capture_output=True, text=True, check=False)
        if found.returncode != code:
            raise AssertionError(f"{arguments}: {found.returncode}\n{found.stdout}\n{found.stderr}")
        return found.stdout.strip()

    def begun(self, name, password="quiet mountains at dawn"):
        """Invites somebody who then has shown a password and no second factor."""
        browser = Browser(self.root)
        one_time = self.one_time[name]
        browser.get("/")
        browser.post("/sign-in", name=name, password=one_time)
        browser.post("/sign-in/password", new=password, again=password)
        return browser

    one_time = {}

    def invite(self, name, institution, *roles):
        given = [part for role in roles for part in ("--role", role)]
        self.one_time[name] = self.tool("user", "add", name, "--institution", institution, *given)

    def person(self, name, institution, *roles):
        """Invites somebody and signs them in, second factor and all."""
        self.invite(name, institution, *roles)
        browser = self.begun(name)
        shown = re.search(r'<code id="secret">([A-Z2-7 ]+)</code>', browser.text).group(1).replace(" ", "")
        browser.post("/sign-in/factor", code=pyotp.TOTP(shown).at(int(time.time())))
        assert "huizhen-session" in browser.cookies, f"{name} is not signed in"
        return browser
