"""What ringmaster is told of a run: one JSON line for each task of each host.

It also sees to it that a run ends. A worker of Ansible's that is killed answers for
its host no more, and the strategy free, which does not look for it, waits without
end; others look, and then wait without end for the lock of the workers' queue, if
the worker held that.
"""
import ctypes
import json
import multiprocessing.process
import os
import signal
import sys
import threading
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: ringmaster
type: stdout
short_description: one JSON line for each task of each host
description: Written to the file that the environment variable RINGMASTER_RESULTS names.
"""

PATIENCE = 20  # seconds without a word that a run goes on for after a worker was killed


def tie_workers():
    """Has the system end workers with the main process, for no one waits for them then."""
    main, prctl, parent = os.getpid(), ctypes.CDLL(None).prctl, [0]

    def in_child():
        if parent[0] == main:  # what a worker starts is the worker's
            prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
            if os.getppid() != main:
                os._exit(1)

    os.register_at_fork(before=lambda: parent.__setitem__(0, os.getpid()), after_in_child=in_child)


def exit_code(worker):
    """None of one that lives, and 0 of one that Ansible has done with."""
    try:
        return worker.exitcode
    except ValueError:
        return 0


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "ringmaster"

    def __init__(self):
        super().__init__()
        self.out = open(os.environ["RINGMASTER_RESULTS"], "a", encoding="utf-8")
        self.words = self.pending = 0  # tasks that began or ended, and those that only began
        self.workers = set()
        if sys.platform == "linux":
            tie_workers()
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        """Ends a run that was left by a worker, and cannot end by itself."""
        waited = words = 0
        while waited < PATIENCE:
            time.sleep(1)
            self.workers |= multiprocessing.process._children
            codes = {w: exit_code(w) for w in set(self.workers)}
            self.workers -= {w for w, code in codes.items() if code == 0}
            left = any(codes.values()) or self.pending > 0 and None not in codes.values()
            waited = waited + 1 if left and words == self.words else 0
            words = self.words
        os.write(2, b"ERROR! A worker of Ansible's was killed, and the run would not end without it\n")
        os._exit(250)

    def v2_runner_on_start(self, host, task):
        self.workers |= multiprocessing.process._children  # which forgets those that ended when another starts
        self.words += 1
        self.pending += 1

    def ended(self):
        self.words += 1
        self.pending -= 1

    def tell(self, result, event):
        r, task = result._result, result._task
        json.dump({"host": result._host.get_name(), "task": task.get_name(), "tags": list(task.tags), "event": event,
                   "stdout": r.get("stdout") or "\n".join(str(line) for line in r.get("output") or []), "stderr": r.get("stderr") or r.get("module_stderr") or "",
                   "message": str(r.get("msg", ""))}, self.out)
        self.out.write("\n")
        self.out.flush()
        self.ended()

    def v2_runner_on_ok(self, result):
        self.tell(result, "ok")

    def v2_runner_on_skipped(self, result):
        self.ended()

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.tell(result, "passed over" if ignore_errors else "failed")

    def v2_runner_on_unreachable(self, result):
        self.tell(result, "unreachable")
