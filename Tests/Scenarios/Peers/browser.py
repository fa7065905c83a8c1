"""Looks at images in a real browser, as a reader does: keys, wheel, drag, presets, a measurement, two fingers, cine.

browser.py PORT FOLDER CHROMIUM ADDRESS SCREENSHOTS    ADDRESS is what `huizhen web open` prints; the token is in
                                                       HUIZHEN_WEB_TOKEN; the last line is a JSON report
"""
import base64
import fcntl
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import numpy
import pydicom

import dicomweb
from dicomweb import check, problems, root, server, session

folder, program, address, screenshots = sys.argv[2:]
LIMIT = 180
counts = {"shown": 0, "compared": 0}


class Browser:
    """Chromium, driven over pipes by its own protocol."""

    def __init__(self):
        self.profile = tempfile.mkdtemp()
        pipes = [os.pipe(), os.pipe()]
        # Away from 3 and 4, which it reads from and writes to.
        child = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (pipes[0][0], pipes[1][1])]

        def wire():
            os.dup2(child[0], 3)
            os.dup2(child[1], 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
             "--window-size=1280,900", "--force-device-scale-factor=1", f"--user-data-dir={self.profile}", "about:blank"],
            preexec_fn=wire, pass_fds=(3, 4), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        for end in child + [pipes[0][0], pipes[1][1]]:
            os.close(end)
        self.input, self.output = os.fdopen(pipes[0][1], "wb"), os.fdopen(pipes[1][0], "rb", buffering=0)
        self.number, self.buffer, self.session = 0, b"", None
        target = next(one for one in self("Target.getTargets")["targetInfos"] if one["type"] == "page")
        self.session = self("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self(domain + ".enable")

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def message(self):
        while b"\0" not in self.buffer:
            piece = self.output.read(1 << 20)
            if not piece:
                raise EOFError("the browser ended")
            self.buffer += piece
        text, _, self.buffer = self.buffer.partition(b"\0")
        message = json.loads(text)
        if message.get("method") == "Runtime.exceptionThrown":
            problems.append("a script threw: " + json.dumps(message["params"])[:300])
        if message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            problems.append("the browser says: " + message["params"]["entry"]["text"][:300])
        return message

    def __call__(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.input.write(json.dumps(message).encode() + b"\0")
        self.input.flush()
        while (answer := self.message()).get("id") != self.number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def evaluate(self, expression):
        result = self("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression[:200]}: {json.dumps(result['exceptionDetails'])[:500]}")
        return result["result"].get("value")

    def until(self, expression, what):
        """Looks once for each picture that the browser draws; longest 60 seconds."""
        held = self.evaluate(
            "new Promise((done) => { const end = performance.now() + 60000; const look = () => {"
            f" let held; try {{ held = {expression}; }} catch {{}} if (held || performance.now() > end) done(Boolean(held));"
            " else requestAnimationFrame(look); }; look(); })")
        if not held:
            raise RuntimeError(f"not within a minute: {what}")

    def go(self, url):
        """Opens a page, and returns once it is another than before."""
        self.evaluate("window.former = true")
        self("Page.navigate", url=url)
        self.settle()

    def settle(self):
        """Waits for the page that comes in place of the former; scripts of that one may end on the way."""
        for _ in range(1000):
            try:
                self.until("!window.former && document.readyState === 'complete'", "a page")
                return
            except RuntimeError as error:
                if "context" not in str(error) and "navigated" not in str(error):
                    raise

    def draw(self):
        """Returns once what was asked for is drawn."""
        self.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def key(self, name, text=None, code=0):
        held = {"key": name, "windowsVirtualKeyCode": code}
        if text:
            held["text"] = text
        self("Input.dispatchKeyEvent", type="keyDown", **held)
        self("Input.dispatchKeyEvent", type="keyUp", key=name, windowsVirtualKeyCode=code)
        self.draw()

    def mouse(self, kind, x, y, **more):
        self("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def drag(self, start, end):
        self.mouse("mousePressed", *start, button="left", buttons=1, clickCount=1)
        self.mouse("mouseMoved", *end, button="left", buttons=1)
        self.mouse("mouseReleased", *end, button="left", clickCount=1)
        self.draw()

    def text(self, name):
        return self.evaluate(f"document.getElementById('{name}').textContent")

    def photograph(self, name):
        data = self("Page.captureScreenshot", format="png")["data"]
        with open(os.path.join(screenshots, name + ".png"), "wb") as file:
            file.write(base64.b64decode(data))


# What is stored, and in which order a reader sees it.
files = dicomweb.files(folder)
body = b"".join(b"--b\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n" for name, data in files.items()
                if name == "us-cine.dcm" or name[:4] in ("ct-0", "ct-1")) + b"--b--\r\n"
answer = session.post(root + "/studies", data=body,
                      headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'})
check(answer.status_code == 200, f"store: {answer.status_code}")
slices = [pydicom.dcmread(io.BytesIO(data)) for name, data in files.items() if name[:4] in ("ct-0", "ct-1")]
row, column = numpy.array(slices[0].ImageOrientationPatient).reshape(2, 3)
slices.sort(key=lambda one: float(numpy.dot(one.ImagePositionPatient, numpy.cross(row, column))))
cine = pydicom.dcmread(io.BytesIO(files["us-cine.dcm"]))
count, (rows, columns) = len(slices), slices[0].pixel_array.shape


def shaded(index, center, width, is_inverted=False):
    """Greys of a slice, what is around it black. PS3.3 §C.11.2.1.2."""
    one = slices[index]
    values = one.pixel_array.astype(float) * float(one.get("RescaleSlope", 1)) + float(one.get("RescaleIntercept", 0))
    grey = numpy.clip(numpy.floor(((values - (center - 0.5)) / (width - 1) + 0.5) * 255 + 0.5), 0, 255)
    grey = 255 - grey if is_inverted else grey
    padding = one.get("PixelPaddingValue")
    return grey if padding is None else numpy.where(one.pixel_array == padding, 0, grey)


def seen():
    """Greys of the image as it stands on the canvas in its actual size."""
    text = browser.evaluate(
        "(() => { const canvas = document.getElementById('canvas');"
        f" const [x, y] = [(canvas.width - {columns}) / 2, (canvas.height - {rows}) / 2];"
        f" const data = canvas.getContext('2d').getImageData(x, y, {columns}, {rows}).data;"
        " let text = ''; for (let at = 0; at < data.length; at += 4) text += String.fromCharCode(data[at]);"
        " return btoa(text); })()")
    return numpy.frombuffer(base64.b64decode(text), dtype="uint8").reshape(rows, columns).astype(float)


def compare(what, expected):
    counts["compared"] += 1
    difference = numpy.abs(seen() - expected)
    check(difference.max() <= 1, f"{what}: {int((difference > 1).sum())} pixels differ, by up to {difference.max()}")
    check(expected.std() > 5, f"{what}: an image of nothing")


def at(index, total):
    browser.until(f"document.getElementById('position').textContent === '{index + 1} / {total}'"
                  " && document.getElementById('progress').hidden", f"image {index + 1} of {total}")
    browser.draw()


def look():
    # The address of the token, which does not stay; then the list, in English.
    browser("Page.addScriptToEvaluateOnNewDocument", source=(
        "window.labels = []; const fill = CanvasRenderingContext2D.prototype.fillText;"
        "CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {"
        " labels.push(text); fill.call(this, text, ...place); };"))
    browser.go(address)
    for _ in range(1000):
        try:
            browser.until("document.querySelectorAll('#studies tbody tr').length > 1", "the list of studies")
            break
        except RuntimeError as error:
            # Signed in, the sign-in page goes.
            if "context" not in str(error) and "navigated" not in str(error):
                raise
    check("token" not in browser.evaluate("location.href"), "the token stays in the address")
    check("苏" in browser.text("studies") or browser.evaluate("document.documentElement.lang") == "zh-CN", "the list is not Chinese")
    browser.go(server + "/?lang=en")
    browser.until("document.querySelectorAll('#studies tbody a').length > 1", "the list of studies")
    check(browser.evaluate("document.documentElement.lang") == "en", "the list is not English")

    # A series of slices.
    browser.evaluate("window.former = true")
    browser.evaluate(f"[...document.querySelectorAll('#studies a')].find((one) => one.href.endsWith('{slices[0].StudyInstanceUID}')).click()")
    browser.settle()
    browser.until("performance.getEntriesByName('image-shown').length", "the first image")
    counts["shown"] += 1
    at(0, count)
    browser.until("[...document.querySelectorAll('#series img')].every((one) => one.naturalWidth > 0)", "previews of series")
    # An image of even size lies on whole pixels of a canvas of even size.
    width, height, *odd = browser.evaluate("(({width, height}) => [innerWidth, innerHeight, width % 2, height % 2])(document.getElementById('canvas'))")
    browser("Emulation.setDeviceMetricsOverride", width=width + odd[0], height=height + odd[1], deviceScaleFactor=1, mobile=False)
    browser.until(f"innerWidth === {width + odd[0]} && innerHeight === {height + odd[1]}"
                  " && ['width', 'height'].every((side) => document.getElementById('canvas')[side] % 2 === 0)", "a canvas of even size")
    browser.draw()
    browser.photograph("ct")
    box = browser.evaluate("(({x, y, width, height}) => [x, y, width, height])(document.getElementById('stage').getBoundingClientRect())")
    middle = (box[0] + box[2] / 2, box[1] + box[3] / 2)

    def value(name):
        found = slices[0].get(name)
        return float(found[0] if isinstance(found, pydicom.multival.MultiValue) else found)

    window = (value("WindowCenter"), value("WindowWidth"))
    browser.key("o", "o")
    compare("the first slice", shaded(0, *window))
    check("100 %" in browser.text("corner-bottom-right"), "the actual size is not told")

    # Keys and wheel.
    for name, code, index in (("ArrowDown", 40, 1), ("End", 35, count - 1), ("PageUp", 33, max(0, count - 11)), ("Home", 36, 0), ("ArrowRight", 39, 1)):
        browser.key(name, code=code)
        at(index, count)
        compare(name, shaded(index, *window))
    browser.mouse("mouseWheel", *middle, deltaX=0, deltaY=120)
    at(2, count)
    compare("the wheel", shaded(2, *window))
    browser.mouse("mouseWheel", *middle, deltaX=0, deltaY=-120)
    at(1, count)

    # Presets, and a window by hand.
    names = browser.evaluate("[...document.getElementById('preset').options].map((one) => one.textContent)")
    # The object's own come first, and have names of their own.
    bone = max(index for index, name in enumerate(names) if "bone" in name.lower())
    browser.key(str(bone), str(bone))
    check("400 / 1800" in browser.text("corner-bottom-right"), f"the preset's window is {browser.text('corner-bottom-right')!r}")
    compare("a preset", shaded(1, 400, 1800))
    # A pixel of the hand is a 250th of the width: 50 to the right, 25 down.
    browser.drag(middle, (middle[0] + 50, middle[1] + 25))
    check("580 / 2160" in browser.text("corner-bottom-right"), f"the dragged window is {browser.text('corner-bottom-right')!r}")
    compare("a dragged window", shaded(1, 580, 2160))
    browser.key("i", "i")
    compare("inverted", shaded(1, 580, 2160, True))
    browser.key("Escape", code=27)
    browser.key("o", "o")
    compare("reset", shaded(1, *window))

    # A measurement in millimetres.
    browser.key("m", "m")
    browser.evaluate("labels.length = 0")
    browser.drag((middle[0] - 40, middle[1]), (middle[0] + 60, middle[1]))
    expected = f"{100 * float(slices[1].PixelSpacing[1]):.1f} mm"
    labels = browser.evaluate("labels")
    check(labels and set(labels[-1:]) == {expected}, f"the length is {labels[-1:]}, not {expected}")
    check(numpy.abs(seen() - shaded(1, *window)).max() > 50, "no line is drawn")
    browser.photograph("measurement")
    browser.key("ArrowRight", code=39)
    browser.key("Delete", code=46)
    browser.key("w", "w")
    compare("the line is removed", shaded(1, *window))

    # Two fingers.
    browser("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
    for kind, apart in (("touchStart", 50), ("touchMove", 75), ("touchMove", 100), ("touchEnd", None)):
        points = [{"x": middle[0] + side * apart, "y": middle[1], "id": number} for number, side in enumerate((-1, 1))] if apart else []
        browser("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    browser.draw()
    check("200 %" in browser.text("corner-bottom-right"), f"two fingers zoom to {browser.text('corner-bottom-right')!r}")
    browser("Emulation.setTouchEmulationEnabled", enabled=False)

    # A loop.
    browser.go(f"{server}/viewer/{cine.StudyInstanceUID}")
    browser.until("performance.getEntriesByName('image-shown').length", "the first image of the loop")
    counts["shown"] += 1
    total = int(cine.NumberOfFrames)
    at(0, total)
    before = browser.evaluate("document.getElementById('canvas').toDataURL()")
    play = browser.text("play")
    browser.key(" ", " ", 32)
    check(browser.text("play") != play, "nothing plays")
    for index in (1, 2, 0):
        browser.until(f"document.getElementById('position').textContent === '{index + 1} / {total}'", f"frame {index + 1} of the loop")
        if index == 2:
            check(browser.evaluate("document.getElementById('canvas').toDataURL()") != before, "the loop stands still")
    browser.key(" ", " ", 32)
    check(browser.text("play") == play, "the loop does not stop")
    browser.photograph("cine")
    labels = browser.text("corner-bottom-left")
    check(f"/ {total}" in labels, f"the loop's frame is {labels!r}")


def late(*_):
    raise RuntimeError(f"not done within {LIMIT} seconds")


signal.signal(signal.SIGALRM, late)
browser = Browser()
signal.alarm(LIMIT)
try:
    look()
except (RuntimeError, EOFError) as error:
    problems.append(str(error)[:500])
finally:
    browser.close()
dicomweb.report(**counts)
