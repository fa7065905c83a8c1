"""Signs in as a browser does, and tries what a browser must not get away with.

viewer.py PORT    the token is in HUIZHEN_WEB_TOKEN; the last line is a JSON report
"""
import json
import re

import requests

from dicomweb import check, problems, server, token

own = {"Origin": server}


def ask(method, path, status, headers=None, cookies=None, **more):
    answer = requests.request(method, server + path, headers=headers, cookies=cookies, allow_redirects=False, **more)
    check(answer.status_code == status, f"{method} {path}: {answer.status_code}, not {status}")
    return answer


def studies(status, headers=None, cookie=None, method="GET", **more):
    return ask(method, "/dicom-web/studies", status, headers, {"huizhen-session": cookie} if cookie else None, **more)


# Without a session: the sign-in page, no study, no list.
page = ask("GET", "/", 200)
check('action="/session"' in page.text and 'id="studies"' not in page.text, "no sign-in page")
check('<html lang="zh-CN">' in page.text, "the page is not Chinese")
check('<html lang="en">' in ask("GET", "/?lang=en", 200).text, "the page is not English")
check('<html lang="en">' in ask("GET", "/", 200, cookies={"huizhen-lang": "en"}).text, "the language is not kept")
policy = page.headers.get("Content-Security-Policy", "")
check("default-src 'none'" in policy and "unsafe" not in policy, "no strict policy")
check(page.headers.get("Cache-Control") == "no-store", "pages are kept")
check(ask("GET", "/viewer/1.2.3", 303).headers.get("Location") == "/", "a study's page without a session")
studies(401)
studies(401, cookie="0" * 64)
studies(401, cookie=token)
for name in re.findall(r"/assets/[\w.-]+", page.text):
    asset = ask("GET", name, 200)
    check(asset.headers.get("X-Content-Type-Options") == "nosniff", f"{name}: may be sniffed")
    ask("GET", name, 304, {"If-None-Match": asset.headers["ETag"]})
ask("GET", "/assets/nothing.js", 404)

# Signing in.
form = {"token": token}
ask("POST", "/session", 403, own, data={"token": "wrong"})
ask("POST", "/session", 403, data=form)
ask("POST", "/session", 403, {"Origin": "http://elsewhere.example"}, data=form)
ask("POST", "/session", 403, {**own, "Sec-Fetch-Site": "same-site"}, data=form)
ask("POST", "/session", 415, own, json=form)
ask("POST", "/session", 413, own, data={"token": "x" * 70000})
answer = ask("POST", "/session", 303, own, data=form)
cookie = answer.headers.get("Set-Cookie", "")
for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="):
    check(part in cookie, f"the cookie lacks {part}")
check("Secure" not in cookie, "a cookie for a plain connection is secure")
check(token not in cookie, "the cookie is the token")
session = answer.cookies["huizhen-session"]

# With the session.
page = ask("GET", "/", 200, cookies={"huizhen-session": session})
check('id="studies"' in page.text, "no list of studies")
search = "/?name=%3Cscript%3Ealert(1)%3C%2Fscript%3E"
check("<script>alert" not in ask("GET", search, 200, cookies={"huizhen-session": session}).text, "a value is markup")
check('id="stage"' in ask("GET", "/viewer/1.2.3", 200, cookies={"huizhen-session": session}).text, "no stage")
studies(200, cookie=session)
studies(200, own, session)
studies(200, {"Sec-Fetch-Site": "same-origin"}, session)
# Pages of other ports of this machine send the cookie, too.
studies(401, {"Sec-Fetch-Site": "same-site"}, session)
studies(401, {"Sec-Fetch-Site": "cross-site"}, session)
kind = {"Content-Type": "application/dicom"}
studies(401, kind, session, "POST", data=b"x")
studies(401, {**kind, **own, "Sec-Fetch-Site": "cross-site"}, session, "POST", data=b"x")
studies(401, {**kind, "Sec-Fetch-Site": "none"}, session, "POST", data=b"x")
check(studies(409, {**kind, **own}, session, "POST", data=b"x").status_code != 401, "own pages may not store")
# A token that is wrong is not made good by a session.
studies(401, {"Authorization": "Bearer wrong"}, session)

# Signing out.
cookie = {"huizhen-session": session}
markup = ask("GET", "/", 200, cookies=cookie).text
leave = {"form": re.search(r'action="/session/end"><input type="hidden" name="form" value="([0-9a-f]{64})"', markup).group(1)}
ask("POST", "/session/end", 403, cookies=cookie, data=leave)
ask("POST", "/session/end", 403, own, cookie, data={"form": "0" * 64})
ask("POST", "/session/end", 403, own, cookie, data={"x": "y"})
studies(200, cookie=session)
answer = ask("POST", "/session/end", 303, own, cookie, data=leave)
check("Max-Age=0" in answer.headers.get("Set-Cookie", ""), "the cookie stays")
studies(401, cookie=session)
second = ask("POST", "/session", 303, own, data=form).cookies["huizhen-session"]
check(second != session, "a session comes back")
ask("DELETE", "/session", 204, own, {"huizhen-session": second})
studies(401, cookie=second)

print(json.dumps({"problems": problems, "session": session}))
