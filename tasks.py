"""The menu: `invoke --list`. What each task takes and does stands in its file of host/ecgseg/commands."""

from __future__ import annotations

import sys

from ecgseg import beginning

# First of all: what follows takes a second to import, and Ctrl-C may come while it does.
if beginning.is_invoke(sys.argv):
    beginning.begin(sys.argv)

from invoke.collection import Collection

from ecgseg.commands import (
    bringup,
    build,
    clean,
    compare,
    data,
    demo,
    devices,
    doctor,
    evaluate,
    export,
    flash,
    fuzz,
    hil_test,
    monitor,
    profile,
    render,
    runs,
    segment,
    soak,
    sweep,
    train,
    version,
    zoo,
)
from ecgseg.commands.command_line import check_command_line
from ecgseg.commands.guard import guard
from ecgseg.commands.task import task_of

TASKS = (
    data,
    render,
    export,
    build,
    hil_test,
    soak,
    runs,
    compare,
    segment,
    monitor,
    flash,
    devices,
    demo,
    train,
    sweep,
    evaluate,
    zoo,
    profile,
    bringup,
    fuzz,
    doctor,
    version,
    clean,
)

namespace = Collection(*(task_of(module.run) for module in TASKS))

with guard():
    check_command_line(namespace, sys.argv)
