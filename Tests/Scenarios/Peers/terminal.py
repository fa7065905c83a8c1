"""Starts the service from a terminal, reads what it says there until it serves, and stops it.

terminal.py BINARY ARGUMENTS...    the last line is a JSON report
"""
import json
import os
import pty
import subprocess
import sys

ours, theirs = pty.openpty()
service = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
os.close(theirs)
text = ""
while "] serving" not in text:
    piece = os.read(ours, 4096).decode()
    if not piece:
        break
    text += piece
service.terminate()
print(json.dumps({"text": text, "code": service.wait(60)}))
