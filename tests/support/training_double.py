"""Stands for `ecgseg.zoo.training_process`: takes an order and does what its label says, without training.

The outcome's versions are the environment, and its source the folder for checkpoints.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys

ORDER = json.loads(sys.stdin.readline())
JOB = ORDER["job"]


def say(**line: object) -> None:
    print(json.dumps(line), flush=True)


def report(step: int, **look: float) -> None:
    say(report={"name": JOB["configuration"]["name"], "step": step, "steps": 10, **look})


def outcome() -> None:
    say(
        outcome={
            "tflite": base64.urlsafe_b64encode(JOB["label"].encode()).decode(),
            "digest": JOB["work"],
            "with_ludb": JOB["with_ludb"],
            "best": {"step": 10, "loss": 0.5, "weighted_f1": 0.9},
            "int8_weighted_f1": 0.8,
            "source": ORDER["work"],
            "versions": dict(os.environ),
        }
    )


kind = JOB["label"].replace("-", " ").split()[0]
report(0)
if kind == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if kind == "mistaken":
    sys.exit("something is wrong")
if kind == "refusing":
    say(failure={"kind": "ModelError", "what": "It diverged.", "why": "So it is.", "remedy": "Go slower."})
    sys.exit(0)
report(5, loss=0.5, weighted_f1=0.8)
report(7)
if kind == "waiting":
    sys.stdin.read()
    sys.exit(1)
report(10, loss=0.4, weighted_f1=0.9)
outcome()
