"""What peers that talk DICOMweb share: where the service is, who asks, and what was found wrong.

The first argument is its port; the token is in HUIZHEN_WEB_TOKEN.
"""
import json
import os
import sys

import requests

token = os.environ["HUIZHEN_WEB_TOKEN"]
server = f"http://127.0.0.1:{int(sys.argv[1])}"
root = server + "/dicom-web"
session = requests.Session()
session.headers["Authorization"] = "Bearer " + token
problems = []


def check(holds, what):
    if not holds:
        problems.append(what)


def report(**more):
    """Prints the last line: what was found wrong, and `more`."""
    print(json.dumps({"problems": problems[:40], "problemCount": len(problems), **more}))


def files(folder):
    """The bytes of a folder's objects by their names."""
    result = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".dcm"):
            with open(os.path.join(folder, name), "rb") as handle:
                result[name] = handle.read()
    return result
