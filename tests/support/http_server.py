"""The server of tests/support/http_server.hpp: prints its port, serves until its standard input ends.

/MODE/…/NAME serves NAME's bytes: as many as the number in it says, byte i being (31 i + i // 251) mod 256. The modes:
ok (ranges too), norange, cut (half of it unless a range is asked for), norange416, elsewhere (a range that begins
wrongly), chunked (no length), stall (the first bytes, then nothing), 404, page500 (an error with a page).
/to/MODE/…, /to-file and /to-self redirect. /log tells the requests so far, a line each: the path, and the range asked for.
"""

import functools
import http.server
import re
import sys
import threading

log = []


@functools.cache
def content(count):
    return bytes((31 * i + i // 251) & 255 for i in range(count))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def start(self, status, length, *headers):
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in (*headers, ("Connection", "close")):
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True

    def text(self, status, body, *headers):
        self.start(status, len(body), *headers)
        self.wfile.write(body)

    def do_GET(self):
        mode = self.path.split("/")[1]
        if mode == "log":
            return self.text(200, "\n".join(log).encode())
        log.append(f"{self.path} {self.headers.get('Range', '-')}")
        if mode in ("404", "page500"):
            return self.text(int(mode[-3:]), b"an explanation that is not the file")
        if mode.startswith("to"):
            target = {"to": self.path[3:], "to-file": "file:///etc/passwd", "to-self": self.path}[mode]
            return self.text(302, b"elsewhere", ("Location", target))
        self.serve(mode, content(int(re.search(r"\d+", self.path.split("/")[-1])[0])))

    def serve(self, mode, body):
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and mode == "norange416" or asked and mode == "ok" and int(asked[1]) >= len(body):
            return self.text(416, b"no such range", ("Content-Range", f"bytes */{len(body)}"))
        if asked and mode in ("ok", "cut", "elsewhere"):
            first = int(asked[1]) + (7 if mode == "elsewhere" else 0)
            return self.text(206, body[first:], ("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}"))
        self.start(200, None if mode == "chunked" else len(body))
        self.wfile.write(body[: len(body) // 2] if mode in ("cut", "stall") else body)
        if mode == "stall":
            self.wfile.flush()
            stop.wait(60)


stop = threading.Event()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
