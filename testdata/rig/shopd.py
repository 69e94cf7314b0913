#!/usr/bin/python3
"""shopd, the rig's service. GET / is its business, /healthz says that it lives (always 200), and
/metrics is for Prometheus. `shopd running` prints the version that answers, which is not always the
one on disk."""
import json
import random
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = "@VERSION@"
if sys.argv[1:] == ["running"]:
    try:
        answer = urllib.request.urlopen("http://127.0.0.1:8080/", timeout=5)
    except urllib.error.HTTPError as e:
        answer = e  # a page that says 500 has its version, too
    print(json.load(answer)["version"])
    sys.exit()

sys.path.insert(0, "/usr/lib/libfoo")
import libfoo  # read once: a newer one counts after a restart

ERRORS = @ERRORS@  # share of / that is answered 500
DELAY = @DELAY@  # seconds that / takes
AFTER = @AFTER@  # seconds after the start from which on these two hold
EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, float("inf"))
started, lock = time.time(), threading.Lock()
codes, buckets, total = {200: 0, 500: 0}, [0] * len(EDGES), 0.0


def business():
    global total
    began, bad = time.perf_counter(), time.time() - started >= AFTER
    time.sleep(DELAY if bad else 0.005)
    code = 500 if bad and random.random() < ERRORS else 200
    spent = time.perf_counter() - began
    with lock:
        codes[code] += 1
        total += spent
        buckets[next(i for i, edge in enumerate(EDGES) if spent <= edge)] += 1
    return code, json.dumps({"version": VERSION, "libfoo": libfoo.VERSION}) + "\n"


def metrics():
    with lock:
        out = [f'shopd_build_info{{version="{VERSION}",libfoo="{libfoo.VERSION}"}} 1', f"process_start_time_seconds {started:.3f}"]
        out += [f'http_requests_total{{code="{c}"}} {n}' for c, n in codes.items()]
        for i, edge in enumerate(EDGES):
            out.append(f'http_request_duration_seconds_bucket{{le="{"+Inf" if i == len(EDGES) - 1 else edge}"}} {sum(buckets[:i + 1])}')
        out += [f"http_request_duration_seconds_sum {total:.6f}", f"http_request_duration_seconds_count {sum(buckets)}"]
    return 200, "\n".join(out) + "\n"


PAGES = {"/": business, "/metrics": metrics, "/healthz": lambda: (200, "ok\n")}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        code, body = PAGES.get(self.path, lambda: (404, "no such page\n"))()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


ThreadingHTTPServer.daemon_threads = True
ThreadingHTTPServer(("", 8080), Handler).serve_forever()
