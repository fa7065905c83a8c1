"""Signs in by Glewlwyd, a provider of others.

glewlwyd.py ROOT PROVIDER-PORT BINARY DIRECTORY CERTIFICATES    the last line is a JSON report
"""
import gzip
import json
import os
import re
import secrets
import sqlite3
import subprocess
import sys
import time
import urllib.parse

import requests
from authlib.jose import JsonWebKey

from browsing import Browser, Person, Trial

root, port, binary, directory, certificates = sys.argv[1:]
authority = certificates + "/ca.pem"
server = f"https://localhost:{port}"
issuer = server + "/api/oidc"
trial = Trial(root, binary, directory, verify=authority)
check = trial.check
client_secret = open(directory + ".secret").read().strip()
home = directory + ".glewlwyd"
os.makedirs(home, mode=0o700)
database = home + "/database"
script = gzip.open("/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz", "rt").read()
sqlite3.connect(database).executescript(script)
modules = "/usr/lib/glewlwyd"
open(home + "/conf", "w").write(f"""
port={port}
bind_address="127.0.0.1"
external_url="{server}"
login_url="login.html"
api_prefix="api"
log_mode="file"
log_level="ERROR"
log_file="{home}/log"
session_expiration=3600
session_key="GLEWLWYD2_SESSION_ID"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="{modules}/user"
client_module_path="{modules}/client"
user_auth_scheme_module_path="{modules}/scheme"
plugin_module_path="{modules}/plugin"
use_secure_connection=true
secure_connection_key_file="{certificates}/server.key"
secure_connection_pem_file="{certificates}/server.pem"
secure_connection_ca_file="{authority}"
hash_algorithm="SHA512"
database = {{ type = "sqlite3" path = "{database}" }};
""")
process = subprocess.Popen(["/usr/bin/glewlwyd", "--config-file=" + home + "/conf"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def api(session, method, path, **more):
    answer = session.request(method, f"{server}/api/{path}", verify=authority, **more)
    if answer.status_code >= 300:
        raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text} {open(home + '/log').read()}")
    return answer


try:
    admin = requests.Session()
    for _ in range(200):
        try:
            api(admin, "POST", "auth/", json={"username": "admin", "password": "password"})
            break
        except requests.exceptions.ConnectionError:
            time.sleep(0.05)
    key = JsonWebKey.generate_key("RSA", 2048, is_private=True)
    off = {name: False for name in [
        "auth-type-token-enabled", "auth-type-id-token-enabled", "auth-type-none-enabled", "auth-type-password-enabled",
        "auth-type-client-enabled", "auth-type-device-enabled", "auth-type-refresh-enabled", "allow-non-oidc",
        "request-parameter-allow", "encrypt-out-token-allow", "introspection-revocation-allowed",
        "register-client-allowed", "session-management-allowed"]}
    api(admin, "POST", "mod/plugin/", json={
        "module": "oidc", "name": "oidc", "display_name": "OIDC", "parameters": {
            **off, "iss": issuer, "subject-type": "public", "jwt-type": "rsa", "jwt-key-size": "256",
            "key": key.as_pem(is_private=True).decode(), "cert": key.as_pem(is_private=False).decode(),
            "access-token-duration": 600, "refresh-token-duration": 600, "code-duration": 60,
            "auth-type-code-enabled": True, "auth-type-code-revoke-replayed": True, "jwks-show": True,
            "pkce-allowed": True, "pkce-method-plain-allowed": False, "pkce-required": True,
            "claims": [{"name": "preferred_username", "user-property": "username", "type": "string", "mandatory": True,
                        "on-demand": False, "scope": []}],
            "name-claim": "no", "email-claim": "no", "scope-claim": "no", "oauth-dpop-allowed": False}})
    api(admin, "POST", "client/", json={
        "client_id": "huizhen", "name": "Huizhen", "confidential": True, "enabled": True,
        "client_secret": client_secret, "redirect_uri": [root + "/openid/callback"], "authorization_type": ["code"],
        "token_endpoint_auth_method": ["client_secret_basic"], "scope": []})
    password = secrets.token_urlsafe(12)
    api(admin, "POST", "user/", json={
        "username": "li.na", "name": "Li Na", "password": password, "scope": ["openid", "g_profile"], "enabled": True})

    person = Person(trial, "li.na", "--role", "clinician", "--institution", "NORTH")
    browser = Browser(trial)
    browser.get("/")
    there = browser.ask("GET", "/openid/sign-in", 303, headers={}).headers["Location"]
    check(there.startswith(issuer + "/auth?"), there[:60])
    # What the pages of the provider do when li.na signs in and agrees.
    visitor = requests.Session()
    first = visitor.get(there, verify=authority, allow_redirects=False)
    check("login.html" in first.headers.get("Location", ""), f"{first.status_code} {first.headers}")
    api(visitor, "POST", "auth/", json={"username": "li.na", "password": password})
    api(visitor, "PUT", "auth/grant/huizhen", json={"scope": "openid"})
    again = urllib.parse.parse_qs(urllib.parse.urlparse(first.headers["Location"]).query)["callback_url"][0]
    back = visitor.get(again + "&g_continue", verify=authority, allow_redirects=False).headers["Location"]
    check(back.startswith(root + "/openid/callback?"), back[:60])
    cross = {"Sec-Fetch-Site": "cross-site"}
    browser.page = browser.ask("GET", back, 200, headers=cross)
    browser.get("/sign-in")
    person.take(browser)
    browser.post("/sign-in/factor", 200, code=person.code())
    check(browser.session and browser.get("/account").status_code == 200, "no session")
    # The provider's code is good once as well.
    other = Browser(trial)
    other.ask("GET", back, 403, headers=cross)
    check(other.session is None, "the same answer is good twice")
finally:
    process.terminate()
    process.wait(20)
print(json.dumps({"problems": trial.problems, "secrets": trial.secrets}))
