"""What ringmaster is told of a run: one JSON line for each task of each host."""
import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: ringmaster
type: stdout
short_description: one JSON line for each task of each host
description: Written to the file that the environment variable RINGMASTER_RESULTS names.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "ringmaster"

    def __init__(self):
        super().__init__()
        self.out = open(os.environ["RINGMASTER_RESULTS"], "a", encoding="utf-8")

    def tell(self, result, event):
        r, task = result._result, result._task
        json.dump({"host": result._host.get_name(), "task": task.get_name(), "tags": list(task.tags), "event": event,
                   "stdout": r.get("stdout") or "\n".join(str(line) for line in r.get("output") or []), "stderr": r.get("stderr") or r.get("module_stderr") or "",
                   "message": str(r.get("msg", ""))}, self.out)
        self.out.write("\n")
        self.out.flush()

    def v2_runner_on_ok(self, result):
        self.tell(result, "ok")

    def v2_runner_on_skipped(self, result):
        pass

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.tell(result, "passed over" if ignore_errors else "failed")

    def v2_runner_on_unreachable(self, result):
        self.tell(result, "unreachable")
