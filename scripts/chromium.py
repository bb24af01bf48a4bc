"""Headless Chromium by its DevTools protocol, over a pipe: nothing but Python's own library and the browser.

    with chromium.Browser() as browser:
        page = browser.open("runs/mlp/report.html", width=380, dark=True)
        page.evaluate("document.documentElement.scrollWidth")
        page.screenshot("phone.png")
"""
import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 60  # seconds for an answer; a hang is a failure


def installed():
    """The program, or None. VAETL_CHROMIUM names another."""
    named = os.environ.get("VAETL_CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="vaetl-chromium-")
        self.last, self.events = 0, []
        read, self.out = os.pipe()
        self.inn, write = os.pipe()
        self.process = self._start(read, write)
        os.close(read), os.close(write)
        self.unread = b""

    def _start(self, read, write):
        # The browser reads commands from descriptor 3 and answers on 4. Both are moved out of the way first: either may
        # be 3 or 4 already.
        def place():
            high_read, high_write = os.dup(read), os.dup(write)
            while high_read < 5:
                high_read = os.dup(high_read)
            while high_write < 5:
                high_write = os.dup(high_write)
            os.dup2(high_read, 3), os.dup2(high_write, 4)
        # No sandbox: as root and in containers there is none to be had, and the pages are our own.
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                 "--no-first-run", "--disable-extensions", "--disable-background-networking", "--force-color-profile=srgb",
                 f"--user-data-dir={self.profile}", "--remote-debugging-pipe"]
        return subprocess.Popen([installed(), *flags, "about:blank"], preexec_fn=place, close_fds=False,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        try:
            self.call("Browser.close")
            self.process.wait(10)
        except (OSError, RuntimeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.out), os.close(self.inn)
        shutil.rmtree(self.profile, ignore_errors=True)

    def receive(self):
        watch = threading.Timer(PATIENCE, self.process.kill)  # then the pipe ends
        watch.start()
        try:
            while b"\0" not in self.unread:
                part = os.read(self.inn, 1 << 20)
                if not part:
                    raise RuntimeError("Chromium ended, or gave no answer in time")
                self.unread += part
        finally:
            watch.cancel()
        message, self.unread = self.unread.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, method, session):
        """The next event of that name; those before stay in `events`."""
        seen = 0
        while True:
            for event in self.events[seen:]:
                if event.get("method") == method and event.get("sessionId") == session:
                    self.events.remove(event)
                    return event["params"]
            seen = len(self.events)
            self.events.append(self.receive())

    def open(self, file, width=1280, height=900, dark=False, scale=1):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, target, session)
        for domain in ("Page", "Runtime", "Log"):
            page.call(domain + ".enable")
        page.show(width, height, dark, scale)
        page.call("Page.navigate", url=pathlib.Path(file).resolve().as_uri())
        self.wait_for("Page.loadEventFired", session)
        return page


class Page:
    def __init__(self, browser, target, session):
        self.browser, self.target, self.session = browser, target, session

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def show(self, width, height=900, dark=False, scale=1):
        """A narrow page is a phone's."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                  mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def press(self, key):
        codes = {"Tab": 9, "Enter": 13}
        common = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def complaints(self):
        """What the console would show in red or yellow."""
        self.evaluate("0")  # what was said before this answer has arrived
        said = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            method, about = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                said.append(about["exceptionDetails"]["text"])
            if method == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
                said.append(about["entry"]["text"])
            if method == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning", "assert"):
                said.append(str(about["args"]))
        return said

    def screenshot(self, file, clip=None):
        """The window, or {"x", "y", "width", "height"} of the page."""
        more = {"clip": {**clip, "scale": 1}, "captureBeyondViewport": True} if clip else {}
        data = self.call("Page.captureScreenshot", format="png", **more)["data"]
        pathlib.Path(file).write_bytes(base64.b64decode(data))

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
