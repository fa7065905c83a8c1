"""Looks after who may do what on the pages, as those whom it concerns, and as those whom it does not.

oversight.py PORT BINARY DIRECTORY    NORTH sent 2.25.101 of patient P1 of CITY, and 6 CT and 1 MR of another; the last line is a
JSON report
"""
import concurrent.futures
import json
import re
import sys
import time

from signedin import Service

service = Service(*sys.argv[1:])
tool = service.tool
problems = []


def check(holds, what):
    if not holds:
        problems.append(what)


def sent(browser, page, action, status, **fields):
    browser.get(page)
    answer = browser.post(action, **fields)
    check(answer.status_code == status, f"POST {action}: {answer.status_code}, not {status}")
    return answer


def studies(browser):
    answer = browser.ask("GET", "/dicom-web/studies")
    return sorted(one["0020000D"]["Value"][0] for one in (answer.json() if answer.status_code == 200 else []))


with concurrent.futures.ThreadPoolExecutor(4) as pool:
    people = [
        ("li.na", "SOUTH", "clinician"), ("wang", "NORTH", "institution-administrator"), ("zhao", "NORTH", "auditor"),
        ("sun", "SOUTH", "institution-administrator"), ("reg", "BOARD", "regulator"), ("boss", "HOME", "operator"), ("qian", "LOCAL", "auditor"),
        ("sima", "EAST", "auditor")]
    li, wang, zhao, sun, reg, boss, qian, sima = pool.map(lambda one: service.person(*one), people)

# A grant on the page: seen at once, ended at once; of the own institution's studies alone.
fields = {"to": "institution", "name": "SOUTH", "studies": "2.25.101\r\n", "series": "", "verb": ["search", "read"],
          "masking": "full", "days": "30", "consent": "", "because": "consultation <7>"}
check(studies(li) == [], "a study before its grant")
sent(wang, "/grants", "/grants", 303, owner="NORTH", **fields)
check("consultation &lt;7&gt;" in wang.text and "<7>" not in wang.text, "a reason is read as markup")
check(studies(li) == ["2.25.101"], "no study after its grant")
check(li.ask("GET", "/dicom-web/studies/2.25.101/metadata").status_code == 200, "no metadata")
check(li.ask("GET", "/dicom-web/studies/2.25.101").status_code == 404, "a verb that was not granted")
revoke = re.search(r'action="(/grants/[^"]+/revoke)"', wang.text).group(1)
sent(sun, "/grants", "/grants", 403, owner="NORTH", **fields)
check(sun.post(revoke).status_code == 403, "another institution ends a grant")
for bad in ({"days": "0"}, {"days": "x"}, {"studies": ""}, {"series": "2.25.101"}, {"because": "x"}, {"verb": []}):
    sent(wang, "/grants", "/grants", 403, owner="NORTH", **{**fields, **bad})
sent(wang, "/grants", "/grants", 400, owner="NORTH", **{**fields, "masking": "none"})
sent(wang, "/grants", revoke, 303)
check(studies(li) == [], "a study after its grant")

# Consent on the page, and the grant that rests on it.
consent = {"kind": "consent", "purpose": "second opinion", "owner": "NORTH", "patient": "P1", "issuer": "CITY",
           "studies": "", "institutions": "SOUTH", "people": "", "verb": ["search", "read", "retrieve"], "days": "90",
           "evidence": "form 7, ward 3"}
sent(wang, "/consents", "/consents", 303, **consent)
record = re.search(r'action="/consents/([^"]+)/withdraw"', wang.text).group(1)
sent(wang, "/consents", "/consents", 403, **{**consent, "patient": ""})
sent(wang, "/consents", "/consents", 403, **{**consent, "owner": "SOUTH"})
sent(wang, "/grants", "/grants", 303, owner="NORTH", **{**fields, "consent": record})
check(studies(li) == ["2.25.101"], "no study by consent")
zhao.get("/consents")
check("second opinion" in zhao.text and 'action="/consents' not in zhao.text, "an auditor keeps records")
sun.get("/consents")
check("second opinion" not in sun.text, "another institution reads a record")
check(sun.post(f"/consents/{record}/withdraw", because="not mine").status_code == 403, "another institution withdraws")
sent(wang, "/consents", f"/consents/{record}/withdraw", 303, because="the patient says no")
check(studies(li) == [], "a study after its consent was withdrawn")

# Emergency access.
emergency = {"patient": "P1", "issuer": "CITY", "study": "", "reason": "unconscious, aneurysm suspected"}
for bad in ({"reason": "short"}, {"patient": ""}, {"study": "2.25.101"}, {"patient": "NOBODY"}):
    sent(li, "/emergencies", "/emergencies", 403, **{**emergency, **bad})
sent(li, "/emergencies", "/emergencies", 303, **emergency)
check(studies(li) == ["2.25.101"], "emergency access shows another list")
check(li.ask("GET", "/dicom-web/studies/2.25.101").status_code == 200, "emergency access gives no images")
one = re.search(r'action="/emergencies/([^"]+)/end"', li.text).group(1)
for other in (sun, reg, boss):
    answer = other.ask("POST", f"/emergencies/{one}/review", data={
        "form": "0" * 64, "justified": "true", "note": "was an emergency"})
    check(answer.status_code == 403, "a review without a form")
check(sun.get("/emergencies").status_code == 200 and one not in sun.text, "another institution sees it")
check(sun.post(f"/emergencies/{one}/review", form="", justified="true", note="looks fine to me").status_code == 403,
      "another institution reviews it")
for _ in range(100):
    boss.get("/alerts")
    if "紧急访问" in boss.text.split("<h1>")[1]:
        break
    time.sleep(0.1)
check("紧急访问" in boss.text.split("<h1>")[1], "no alert")
check("P1" not in boss.text, "an alert names a patient")
number = re.search(r'name="alert" value="(\d+)" aria-label="[^"]*紧急访问', boss.text).group(1)
seen = {"alert": number, "because": "asked <the ward>: aneurysm"}
answer = boss.ask("POST", "/alerts/acknowledge", data={"form": "0" * 64, **seen})
check(answer.status_code == 403, "an alert is acknowledged without a form")
for other in (zhao, wang, li):
    check(other.post("/alerts/acknowledge", **seen).status_code == 403, "an alert is acknowledged by somebody else")
for bad in ({"because": "short"}, {"alert": "0"}, {"alert": ""}, {"alert": "x"}, {"alert": [number, "999999"]}):
    sent(boss, "/alerts", "/alerts/acknowledge", 403, **{**seen, **bad})
check(f'value="{number}"' in boss.text, "an alert is gone though it was not acknowledged")
sent(boss, "/alerts", "/alerts/acknowledge", 303, **seen)
check(f'value="{number}"' not in boss.text, "an acknowledged alert is open")
check("asked &lt;the ward&gt;: aneurysm" in boss.text.split('id="h-seen"')[1], "an acknowledgement is not shown")
found = [json.loads(line) for line in tool("audit", "search", "--event", "alertAcknowledged", "--json").splitlines()]
check([one["actor"]["name"] for one in found] == ["boss"] and "aneurysm" in found[0]["reason"], "not on the record")
sent(li, "/emergencies", f"/emergencies/{one}/end", 303)
check(studies(li) == [], "emergency access goes on")
sent(zhao, "/emergencies", f"/emergencies/{one}/review", 303, justified="false", note="no such patient there")
check("不合理" in zhao.text and "no such patient there" in zhao.text, "the review is not shown")

# Audit search within the own institution; that it was searched is on the record too.
zhao.get("/audit?event=roleChanged")
check("wang" in zhao.text and "audit on the page" not in zhao.text, "another list of records")
zhao.get("/audit?actor=li.na")
check("unconscious" not in zhao.text, "an auditor reads what others did")
zhao.get("/audit?event=auditRead")
check("audit on the page" in zhao.text, "an audit search is not recorded")

# What anybody did with a study, its own institution's auditor reads; of all else what the own people did.
zhao.get("/audit?object=2.25.101")
rows = zhao.text.split("<tbody>")[1].split("<tr>")
check(any("li.na" in row and "调阅" in row for row in rows), "an auditor is not told who read the own study")
check(all("账号" not in row and "P1" not in row for row in rows if "SOUTH" in row), "more is told than what was named")
for query in ("object=P1", "object=li.na", "object=2.25.999", "actor=li.na"):
    zhao.get("/audit?" + query)
    check("SOUTH" not in zhao.text.split("<h1>")[1], f"an auditor reads what others did: {query}")
sima.get("/audit?object=2.25.101")
check("li.na" not in sima.text and "NORTH" not in sima.text.split("<h1>")[1], "a stranger's auditor reads of the study")
# The auditor of the institution that runs the service reads all of it.
qian.get("/audit?actor=li.na")
check("unconscious" in qian.text, "the service's auditor reads less")
qian.get("/audit?event=alerted")
check("告警" in qian.text.split("<tbody>")[1], "the service's auditor reads no alerts")

# So is that lists of what others may do were read.
for who, name in (("wang", "grants"), ("wang", "consents"), ("zhao", "emergencies")):
    zhao.get(f"/audit?event=searched&object={name}")
    check(f"查询 {name}<" in zhao.text and who in zhao.text.split("<h1>")[1], f"reading {name} is not recorded")

# The permission review.
wang.get("/review")
check("zhao" in wang.text and "sun" not in wang.text, "an administrator reviews others")
for kind, name, status in (("account", "zhao", 303), ("account", "wang", 403), ("account", "sun", 403),
                           ("peer", "NORTH", 403), ("king", "zhao", 403)):
    answer = wang.ask("POST", "/review/confirm", data={
        "form": wang.form("/review/confirm"), "kind": kind, "id": name})
    check(answer.status_code == status, f"{kind} {name}: {answer.status_code}")
sent(boss, "/review", "/review/confirm", 303, kind="peer", id="NORTH")

# Counts.
reg.get("/statistics")
table = reg.text.split("<tbody>")[1]
check("2024-01" in table and "NORTH" in table, "no counts")
check("P1" not in reg.text and "2.25" not in reg.text, "counts name a patient")
check(table.count("<tr>") == 2 and ">7<" in table and "少于" in table, f"other counts: {table[:300]}")
sun.get("/statistics")
check("NORTH" not in sun.text.split("<h1>")[1], "an administrator sees others' counts")

# Institutions and roles.
boss.get("/institutions?lang=en")
rows = {re.sub(r"<[^>]+>", "|", row).strip("|").split("||")[0]: row for row in boss.text.split("<tr>")[2:]}
for name in ("NORTH", "Expert", "Operator"):
    check(name in rows, f"no row of {name}")
check("granted" in rows["Expert"] and "own" not in rows["Expert"], "an expert's rights")
check("granted" not in rows["Operator"] and "Everything" not in rows["Operator"], "an operator's rights")
wang.get("/institutions?lang=en")
names = [re.sub(r"<[^>]+>", "|", row).strip("|").split("||")[0] for row in wang.text.split("<tbody>")[1].split("</tbody>")[0].split("<tr>")[1:]]
check(len(names) == 1, f"an administrator sees other institutions: {len(names)}")
check(li.ask("GET", "/institutions").status_code == 403, "a clinician sees the institutions")

# Every page says what it is in both languages, and each of its fields has a name.
for browser, pages in ((li, ["emergencies"]), (wang, ["emergencies", "grants", "consents", "institutions", "review", "statistics"]),
                       (zhao, ["audit", "consents"]), (boss, ["review", "alerts"])):
    for page in pages:
        for language in ("en", "zh"):
            browser.get(f"/{page}?lang={language}")
            text = browser.text
            check(text.count("<h1>") == 1 and 'aria-current="page"' in text, f"{page} has no head")
            check(" style=" not in text and " onclick=" not in text, f"{page} has styles or scripts of its own")
            for field in re.findall(r"<(?:input|select|textarea)([^>]*)>", text):
                if 'type="hidden"' in field or 'type="checkbox"' in field:
                    continue
                named = re.search(r' id="([^"]+)"', field)
                check(named and f'for="{named.group(1)}"' in text, f"{page}: a field without a name: {field[:80]}")
print(json.dumps({"problems": problems}))
