#!/usr/bin/python3
"""load.py SECONDS RATE NAME=ADDRESS...: asks each host's service for / RATE times a second, and prints
what it got as JSON. It ends by itself: SECONDS is at most 1200, RATE at most 50."""
import http.client
import json
import sys
import threading
import time

seconds, rate = min(float(sys.argv[1]), 1200), min(float(sys.argv[2]), 50)
began, tally = time.monotonic(), {}


def drive(name, address):
    page, n, got = None, 0, {}
    while (at := began + n / rate) < began + seconds:
        time.sleep(max(0, at - time.monotonic()))
        try:
            page = page or http.client.HTTPConnection(address, 8080, timeout=1)
            page.request("GET", "/")
            answer = page.getresponse()
            answer.read()
            what = str(answer.status)
        except (OSError, http.client.HTTPException):
            what, page = "failed", None
        got[what] = got.get(what, 0) + 1
        n = max(n + 1, int((time.monotonic() - began) * rate))  # what was missed is not made up for
    tally[name] = got


threads = [threading.Thread(target=drive, args=host.split("=")) for host in sys.argv[3:]]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(json.dumps(tally, sort_keys=True))
