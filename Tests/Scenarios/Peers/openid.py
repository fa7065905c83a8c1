"""An OpenID Connect provider that is right, and one that tries everything; both are this one, by its mode.

openid.py ROOT PROVIDER-PORT BINARY DIRECTORY CERTIFICATES LIMIT    the last line is a JSON report
"""
import base64
import hashlib
import json
import re
import secrets
import ssl
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
from authlib.jose import JsonWebKey, JsonWebSignature, JsonWebToken

from browsing import Browser, Person, Trial

root, provider_port, binary, directory, certificates, limit = sys.argv[1:]
authority = certificates + "/ca.pem"
issuer = f"https://localhost:{provider_port}"
callback = root + "/openid/callback"
trial = Trial(root, binary, directory, verify=authority)
check, tool = trial.check, trial.tool
client_secret = open(directory + ".secret").read().strip()
trial.secrets.append(client_secret)
mode = "right"
user = "li.na"
person_claims = {}
codes = {}
asked = []
left = []
key = JsonWebKey.generate_key("RSA", 2048, {"kid": "one", "use": "sig", "alg": "RS256"}, is_private=True)
curve = JsonWebKey.generate_key("EC", "P-256", {"kid": "two", "use": "sig"}, is_private=True)
other = JsonWebKey.generate_key("RSA", 2048, {"kid": "one"}, is_private=True)


def encoded(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def id_token(nonce, access_token):
    """What the mode makes of it."""
    now = int(time.time())
    claims = {
        "iss": issuer, "aud": "huizhen", "sub": "sub-" + user, "nonce": nonce, "iat": now, "exp": now + 300,
        "preferred_username": user, "at_hash": encoded(hashlib.sha256(access_token.encode()).digest()[:16]),
        **person_claims}
    header = {"alg": "RS256", "kid": "one"}
    signer = key
    match mode:
        case "nonce": claims["nonce"] = secrets.token_hex(32)
        case "no nonce": del claims["nonce"]
        case "aud": claims["aud"] = "somebody"
        case "aud list": claims["aud"] = ["huizhen", "somebody"]
        case "azp": claims["azp"] = "somebody"
        case "iss": claims["iss"] = "https://evil.example"
        case "iss slash": claims["iss"] = issuer + "/"
        case "expired": claims["exp"] = now - 61
        case "old": claims["iat"] = now - 700
        case "future": claims["iat"] = now + 600
        case "at_hash": claims["at_hash"] = "x" * 22
        case "no sub": del claims["sub"]
        case "no name": del claims["preferred_username"]
        case "odd name": claims["preferred_username"] = "../../li.na"
        case "nobody": claims["preferred_username"] = "nobody"
        case "another sub": claims["sub"] = "somebody-else"
        case "other key": signer = other
        case "unknown kid": header["kid"] = "three"
        case "no kid": del header["kid"]
        case "curve": header, signer = {"alg": "ES256", "kid": "two"}, curve
        case "alg of another key": header, signer = {"alg": "ES256", "kid": "one"}, curve
        case "jku": header, signer = {**header, "jku": issuer + "/evil-jwks"}, other
        case "jwk": header, signer = {**header, "jwk": other.as_dict()}, other
        case "crit": header["crit"] = ["b64"]
    if mode == "none":
        return ".".join([encoded(json.dumps({"alg": "none"}).encode()), encoded(json.dumps(claims).encode()), ""])
    if mode in ("HS256 secret", "HS256 public"):
        secret = client_secret.encode() if mode == "HS256 secret" else key.as_pem(is_private=False)
        signed = encoded(json.dumps({"alg": "HS256", "kid": "one"}).encode()) + "." + encoded(json.dumps(claims).encode())
        import hmac
        return signed + "." + encoded(hmac.new(secret, signed.encode(), "sha256").digest())
    if mode == "crit":
        text = JsonWebSignature().serialize_compact({"alg": "RS256", "kid": "one"}, json.dumps(claims), key).decode()
        return encoded(json.dumps(header).encode()) + text[text.index("."):]
    # Without its own name: Authlib would put that into the header.
    nameless = {name: value for name, value in signer.as_dict(is_private=True).items() if name != "kid"}
    token = JsonWebToken(["RS256", "ES256"]).encode(header, claims, JsonWebKey.import_key(nameless)).decode()
    if mode == "altered":
        head, body, signature = token.split(".")
        claims["preferred_username"] = "operator"
        return ".".join([head, encoded(json.dumps(claims).encode()), signature])
    return token


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, status, body=b"", type="application/json", **fields):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def endless(self):
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(4096):
                self.wfile.write(b"[" * 65536)
        except OSError:
            pass
        self.close_connection = True

    def slow(self):
        """A byte now and then, for longer than anybody waits."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        try:
            for _ in range(300):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            pass
        self.close_connection = True

    def trick(self, where):
        """Whether the mode did what it does at this endpoint."""
        if not mode.startswith(where + " "):
            return False
        match mode.removeprefix(where + " "):
            case "endless": self.endless()
            case "slow": self.slow()
            case "redirect": self.send(302, Location=issuer + "/elsewhere")
            case "html": self.send(200, b"<html>", "text/html")
            case "empty": self.send(200)
            case "list": self.send(200, [])
            case "deep": self.send(200, b"[" * 200_000)
            case "500": self.send(500, {})
            case "hang up": self.close_connection = True
            case "none": self.send(200, {"keys": []})
            case _: return False
        return True

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/.well-known/openid-configuration":
            if self.trick("metadata"):
                return
            about = {
                "issuer": issuer, "authorization_endpoint": issuer + "/authorize", "token_endpoint": issuer + "/token",
                "jwks_uri": issuer + "/jwks", "authorization_response_iss_parameter_supported": True,
                "code_challenge_methods_supported": ["S256"], "end_session_endpoint": issuer + "/sign-out?all=1"}
            match mode:
                case "metadata issuer": about["issuer"] = "https://evil.example"
                case "metadata plain": about["token_endpoint"] = "http://localhost:1/token"
                case "metadata plain sign-out": about["end_session_endpoint"] = "http://localhost:1/sign-out"
                case "metadata no PKCE": about["code_challenge_methods_supported"] = ["plain"]
            self.send(200, about)
        elif path == "/authorize":
            fields = dict(urllib.parse.parse_qsl(query))
            asked.append(fields)
            code = secrets.token_hex(16)
            codes[code] = fields
            back = {"code": code, "state": fields["state"], "iss": issuer}
            self.send(302, Location=fields["redirect_uri"] + "?" + urllib.parse.urlencode(back))
        elif path == "/sign-out":
            left.append(dict(urllib.parse.parse_qsl(query)))
            self.send(302, Location=left[-1]["post_logout_redirect_uri"])
        elif path == "/jwks":
            if not self.trick("jwks"):
                self.send(200, {"keys": [key.as_dict(), curve.as_dict()]})
        elif path == "/evil-jwks":
            asked.append("evil")
            self.send(200, {"keys": [other.as_dict()]})
        else:
            asked.append("elsewhere")
            self.send(200, {"keys": [key.as_dict()]})

    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if self.trick("token"):
            return
        basic = "Basic " + base64.b64encode(f"huizhen:{client_secret}".encode()).decode()
        step = codes.pop(form.get("code"), None)
        challenge = encoded(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (step is None or self.headers["Authorization"] != basic or challenge != step["code_challenge"]
                or form["redirect_uri"] != step["redirect_uri"] or form["grant_type"] != "authorization_code"):
            return self.send(400, {"error": "invalid_grant"})
        access_token = secrets.token_hex(16)
        trial.secrets.append(access_token)
        answer = {"access_token": access_token, "token_type": "Bearer", "id_token": id_token(step["nonce"], access_token)}
        match mode:
            case "token no id": del answer["id_token"]
            case "token type": answer["token_type"] = "mac"
            case "token number": answer["id_token"] = 7
        self.send(200, answer)


server = ThreadingHTTPServer(("127.0.0.1", int(provider_port)), Provider)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificates + "/server.pem", certificates + "/server.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
cross = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def begin(browser, status=303):
    """To the provider and back, up to the address the provider sends the browser to."""
    answer = browser.ask("GET", "/openid/sign-in", status, headers={})
    if answer.status_code != 303:
        return None
    there = answer.headers["Location"]
    check(there.startswith(issuer + "/authorize?"), there[:40])
    back = requests.get(there, verify=authority, allow_redirects=False).headers["Location"]
    check(back.startswith(callback + "?"), back[:40])
    return back


def finish(browser, back, status):
    start = time.monotonic()
    browser.page = browser.ask("GET", back, status, headers=cross)
    took = time.monotonic() - start
    check(took < float(limit) + 3, f"{mode}: took {took:.1f} s")
    check("huizhen-openid" not in browser.cookies, f"{mode}: the cookie stays")
    return browser


def login(new_mode, status=200, browser=None, **tampered):
    global mode
    mode = new_mode
    browser = browser or Browser(trial)
    back = begin(browser)
    if tampered:
        head, _, query = back.partition("?")
        fields = {**dict(urllib.parse.parse_qsl(query)), **tampered}
        back = head + "?" + urllib.parse.urlencode({name: value for name, value in fields.items() if value is not None})
    return finish(browser, back, status)


refusals = 0


def refused(new_mode, **tampered):
    global refusals
    browser = login(new_mode, 403, **tampered)
    refusals += 1
    check(browser.session is None, f"{new_mode}: a session")
    check('action="/sign-in"' in browser.page.text, f"{new_mode}: no page to begin again")


# The provider's word about itself, before any of it is known.
for one in ["endless", "slow", "redirect", "html", "empty", "list", "deep", "500", "hang up", "issuer", "plain", "no PKCE",
            "plain sign-out"]:
    mode = "metadata " + one
    start = time.monotonic()
    answer = Browser(trial).ask("GET", "/openid/sign-in", 403, headers={})
    refusals += 1
    check(time.monotonic() - start < float(limit) + 3, f"{mode}: took {time.monotonic() - start:.1f} s")
    time.sleep(1.05)

li = Person(trial, "li.na", "--role", "clinician", "--institution", "NORTH")
wang = Person(trial, "wang.wu", "--role", "clinician", "--institution", "NORTH")
li.enrol()
page = Browser(trial).get("/")
check('href="/openid/sign-in"' in page.text and "区域认证" in page.text, "no way to the provider on the page")

# Its keys, before any is known.
for one in ["endless", "slow", "redirect", "html", "deep", "500", "hang up"]:
    refused("jwks " + one)
    time.sleep(1.05)

# What is right: our own second factor follows, unless the provider says in the agreed way that it asked for one.
browser = login("right")
check(browser.session is None, "a session by one factor")
check('id="on" href="/sign-in"' in browser.page.text, "no way on")
browser.get("/sign-in")
browser.post("/sign-in/code", 303, code=li.code())
check(browser.session and browser.get("/account").status_code == 200, "no session after both factors")
check(all(name.startswith("__Host-") for name in browser.cookies if "session" in name), "a cookie that is not bound")
browser = login("curve")
browser.get("/sign-in")
browser.post("/sign-in/code", 403, code="000000")
check(browser.session is None, "a wrong code opens a session")
for claims in [{"acr": "loa2"}, {"amr": ["pwd"]}, {"amr": "mfa"}, {"acr": "LOA3"}, {"amr": [["mfa"]]}]:
    person_claims = claims
    check(login("right").session is None, f"{claims} stands for two factors")
for claims in [{"acr": "loa3"}, {"amr": ["pwd", "mfa"]}]:
    person_claims = claims
    browser = login("right")
    check(browser.session, f"{claims}: no session")
    check('id="on" href="/"' in browser.page.text, "no way on")
    check(browser.get("/account").status_code == 200, "the session is none")
# Signing out: here at once, and there by a link, for who came from there.
browser = login("right")
browser.get("/account")
there = browser.ask("POST", "/session/end", 200, data={"form": browser.form("/session/end")})
check(browser.session is None, "still signed in")
link = re.search(r'id="out" href="([^"]+)"', there.text)
link = link.group(1).replace("&amp;", "&") if link else issuer
back = requests.get(link, verify=authority, allow_redirects=False).headers.get("Location")
check(left == [{"all": "1", "client_id": "huizhen", "post_logout_redirect_uri": root + "/"}] and back == root + "/", f"{left}")
own = li.sign_in()
own.get("/account")
own.post("/session/end", 303)
check(own.session is None and "sign-out" not in own.page.text, "led to the provider without having come from there")
for fields in asked:
    check(fields["code_challenge_method"] == "S256" and len(fields["code_challenge"]) == 43, f"{fields}")
    check(fields["redirect_uri"] == callback and fields["scope"] == "openid profile", f"{fields}")
    check(len(fields["state"]) == 64 and len(fields["nonce"]) == 64 and fields["client_id"] == "huizhen", f"{fields}")
check(len({fields["state"] for fields in asked}) == len(asked), "a state twice")

# The provider's person is bound to the account; names may move, subjects may not.
refused("another sub")
# Who was invited needs no password here, and a one-time one ends.
user, person_claims = "wang.wu", {}
browser = login("right")
browser.get("/sign-in")
wang.take(browser)
browser.post("/sign-in/factor", 200, code=wang.code())
check(browser.session, "no session after setting up an authenticator")
browser = Browser(trial)
browser.get("/")
browser.post("/sign-in", 303, name="wang.wu", password=wang.one_time)
browser.post("/sign-in/code", 403, code=wang.code())
user, person_claims = "li.na", {"acr": "loa3"}

# Tokens that are not right.
for one in [
        "nonce", "no nonce", "aud", "aud list", "azp", "iss", "iss slash", "expired", "old", "future", "at_hash", "no sub",
        "no name", "odd name", "nobody", "other key", "unknown kid", "no kid", "alg of another key", "jku", "jwk", "crit",
        "none", "HS256 secret", "HS256 public", "altered", "token no id", "token type", "token number", "token redirect",
        "token html", "token empty", "token list", "token 500", "token endless", "token slow", "token deep",
        "token hang up"]:
    if one == "no kid":
        # Of two keys one is for this algorithm: which it is, is known.
        check(login(one).session, "a token without kid")
    else:
        refused(one)

# What the browser brings back.
mode = "right"
refused("right", state="0" * 64)
refused("right", state=None)
refused("right", iss="https://evil.example")
refused("right", iss=None)
refused("right", code="0" * 32)
refused("right", code=None)
refused("right", error="access_denied")
refused("right", code="x" * 3000)
browser = Browser(trial)
back = begin(browser)
cookie = browser.cookies["huizhen-openid"]
check(finish(Browser(trial), back, 403).session is None, "another browser finishes")
browser.cookies["huizhen-openid"] = cookie
check(finish(browser, back, 403).session is None, "a state is good after somebody else tried it")
browser = Browser(trial)
back = begin(browser)
cookie = browser.cookies["huizhen-openid"]
check(finish(browser, back, 200).session, "no session")
again = Browser(trial)
again.cookies["huizhen-openid"] = cookie
check(finish(again, back, 403).session is None, "the same answer is good twice")
# A code of one sign-in in another.
mine, victim = Browser(trial), Browser(trial)
code = re.search("code=([0-9a-f]+)", begin(mine)).group(1)
back = re.sub("code=[0-9a-f]+", "code=" + code, begin(victim))
check(finish(victim, back, 403).session is None, "somebody else's code")
browser = Browser(trial)
back = begin(browser)
check(finish(browser, back + "&code=x", 403).session is None, "a parameter twice")
refusals += 5
# Nobody fills the record by knocking.
knocks = 200
browser = Browser(trial)
for _ in range(knocks):
    browser.ask("GET", "/openid/callback?state=" + secrets.token_hex(32), 403, headers=cross)
refusals += knocks
# A session that somebody plants is not taken over.
browser = Browser(trial)
browser.cookies["__Host-huizhen-session"] = "f" * 64
login("right", browser=browser)
check(browser.session not in (None, "f" * 64), "a planted session is taken")
tool("user", "disable", "li.na")
refused("right")
check("evil" not in asked and "elsewhere" not in asked, "keys or answers of others were asked for")
print(json.dumps({"problems": trial.problems, "secrets": trial.secrets, "refusals": refusals, "knocks": knocks}))
