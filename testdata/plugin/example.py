#!/usr/bin/env python3
"""A fleet plugin to start from: fill in install() and installed_version().

It keeps what it has done in a journal, so that a key seen before gets its first
answer again, by a later process too. It does one request at a time, which is
what leaving out max_batch says. Try it with

    ringmaster fleet conform -- ./example.py
"""
import fcntl
import json
import os
import sys
from datetime import datetime

JOURNAL = os.path.join(os.environ.get("HOME", "."), ".example-fleet.jsonl")
HOSTS = {"web-1": {"heron-web": "4.2.1"}, "web-2": {"heron-web": "4.2.1"}}


class Problem(Exception):
    def __init__(self, code, message, retryable=False):
        super().__init__(message)
        self.answer = {"ok": False, "error": {"code": code, "message": message, "retryable": retryable}}


def journal():
    """Every step ever taken. A last line without its end was never answered."""
    if not os.path.exists(JOURNAL):
        return []
    with open(JOURNAL) as f:
        return [json.loads(line) for line in f if line.endswith("\n")]


def installed_version(host, package):
    """Ask the real host here. "" means that it is not installed."""
    version = HOSTS[host].get(package, "")
    for step in journal():
        for p in step["packages"]:
            if step["host"] == host and p["name"] == package:
                version = p["to"]
    return version


def install(host, packages):
    """Change the real host here, and raise Problem where that fails."""


def time(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def move(r):
    for step in journal():
        if step["op"] == r["op"] and step["key"] == r["key"]:
            return {"job": step["job"], "state": "succeeded"}
    if r["host"] not in HOSTS:
        raise Problem("unreachable", "no host " + r["host"], True)
    if "not_after" in r and time(r["now"]) > time(r["not_after"]):
        raise Problem("refused", "it is past not_after, %s" % r["not_after"])
    for p in r["packages"]:
        found = installed_version(r["host"], p["name"])
        if found != p["from"]:
            raise Problem("refused", "found %s at %r, not at %r" % (p["name"], found, p["from"]))
    step = {"op": r["op"], "key": r["key"], "host": r["host"], "packages": r["packages"], "job": "j-%d" % (len(journal()) + 1)}
    if r.get("dry_run"):
        return {"job": "dry-run", "state": "succeeded"}
    install(r["host"], r["packages"])
    with open(JOURNAL, "a") as f:
        f.write(json.dumps(step) + "\n")
        f.flush()
        os.fsync(f.fileno())
    return {"job": step["job"], "state": "succeeded"}


def status(r):
    done = {step["job"] for step in journal()}
    return {"jobs": [{"job": j, "state": "succeeded" if j in done else "unknown"} for j in r["jobs"]]}


def installed(r):
    hosts = [h for h in r["hosts"] if h in HOSTS]
    return {"hosts": [{"host": h, "packages": [{"name": p, "version": installed_version(h, p)} for p in r["packages"]]} for h in hosts]}


def hello(r):
    return {"v": 1, "plugin": "example", "caps": {"ops": ["apply", "rollback", "status", "installed"], "dry_run": True}}


OPS = {"hello": hello, "apply": move, "rollback": move, "status": status, "installed": installed}


def main():
    for line in sys.stdin:
        r = json.loads(line)
        try:
            if r["op"] not in OPS:
                raise Problem("invalid", "unknown op " + r["op"])
            with open(JOURNAL + ".lock", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                answer = dict(OPS[r["op"]](r), ok=True)
        except Problem as p:
            answer = p.answer
        answer["id"] = r["id"]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
