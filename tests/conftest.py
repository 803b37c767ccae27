"""Puts this folder on the import path: tests share what is in `support`. Orders the files, the longest first. Runs of
tests are kept where they are not among those of users.

Hypothesis draws the same examples in every run, so that a verdict about a change does not hang on chance;
`--hypothesis-profile=default` draws new ones. Nor does it hang on how busy the computer is: an example has no deadline.
"""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")

# What a shell runs in the background ignores SIGINT, and all that it starts does, which tests then interrupt in vain.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ("support.chromium",)

# Whole files go to a worker each (--dist loadfile), so one that takes long must not be the last to begin.
LONGEST_FIRST = (
    "commands/test_cli_messages.py",
    "zoo/test_zoo_train.py",
    "firmware/test_stream_tflm.py",
    "firmware/test_app_bad_line.py",
    "firmware/test_engine_tflm.py",
    "monitor/test_monitor_browser.py",
    "report/test_report_in_chromium.py",
    "unit/test_site.py",
    "hil/test_hil_qemu.py",
    "firmware/test_delineator_c.py",
    "hil/test_hil_inject_targets.py",
    "hil/test_hil_host.py",
    "firmware/test_profile_peers.py",
    "unit/test_walls.py",
    "commands/test_segment_task.py",
    "targets/test_apollo4p_sim_mutations.py",
    "commands/test_signals.py",
    "firmware/test_preprocess_c.py",
    "firmware/test_segmenter_c.py",
    "data/test_data_synthetic.py",
    "firmware/test_app_wire.py",
    "hil/test_apollo4p_sim_hil.py",
    "targets/test_targets_processes.py",
)


@pytest.fixture(scope="session", autouse=True)
def runs_of_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Also of the programs that tests start."""
    os.environ["ECGSEG_RUNS"] = str(tmp_path_factory.mktemp("runs"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sorts what was collected; files of one length stay in their order."""

    def place(item: pytest.Item) -> int:
        return next(
            (n for n, file in enumerate(LONGEST_FIRST) if item.path.as_posix().endswith(file)), len(LONGEST_FIRST)
        )

    items.sort(key=place)
