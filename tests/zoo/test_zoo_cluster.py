"""Trainings on Dask: what a process says arrives, and whatever is lost ends in three parts; nothing keeps running."""

from __future__ import annotations

import io
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from ecgseg import paths
from ecgseg.errors import EcgsegError, ModelError, TargetError, UsageError
from ecgseg.zoo import apart, cluster, instruction_set
from ecgseg.zoo import configuration as zoo
from ecgseg.zoo.jobs import Outcome, in_turn, train_all
from ecgseg.zoo.sweep import Sweep
from support.jobs import job, pretend_processes
from support.lazily import needs_dask, needs_tensorflow

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
from stop_at_random import left_behind

needs_dask()

QUIET = Console(quiet=True)


@pytest.fixture
def pretended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Processes that do what their label says; the folder for checkpoints."""
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    pretend_processes(monkeypatch)
    return tmp_path / "build" / "zoo"


@contextmanager
def started(workers: int, folder: Path) -> Iterator[str]:
    """The address of a cluster that is reached over TCP."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=workers,
        threads_per_worker=2,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=logging.CRITICAL + 1,
        local_directory=str(folder),
    ) as running:
        yield running.scheduler_address


class Heard(io.StringIO):
    """What was told; can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._more = threading.Condition()
        self.console = Console(file=self, width=200)

    def write(self, text: str) -> int:
        with self._more:
            self._more.notify_all()
            return super().write(text)

    def wait_for(self, text: str) -> None:
        """Waits until something was told."""
        with self._more:
            assert self._more.wait_for(lambda: text in self.getvalue(), timeout=60), self.getvalue()


@pytest.mark.parametrize("on", ["local", "tcp://10.0.0.5:8786", "tcp://scheduler.lab-2:1", "tcp://[::1]:65535"])
def test_a_place_to_train_is_taken(on: str) -> None:
    cluster.check_place(on)


NO_PLACES = (
    "",
    "Local",
    "localhost",
    "8786",
    "tcp://",
    "tcp://host",
    "tcp://host:0",
    "tcp://host:65536",
    "tls://host:1",
)
NO_PLACES += ("tcp://host:1/x", "tcp://host:1 ", "tcp://ho st:1", "tcp://host:\u0661", "ssh://host:1", "\x1b[1m")


@pytest.mark.parametrize("on", NO_PLACES)
def test_any_other_is_refused(on: str) -> None:
    with pytest.raises(UsageError) as caught:
        cluster.check_place(on)
    assert "local" in caught.value.why
    assert "tcp://HOST:PORT" in caught.value.why
    assert "\x1b" not in str(caught.value)


def test_there_is_a_worker_a_core_and_never_more_than_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dask.system.CPU_COUNT", 3)
    assert [cluster.worker_count(jobs) for jobs in (1, 2, 3, 4, 1000)] == [1, 2, 3, 3, 3]


def test_what_processes_say_arrives_in_any_order(pretended: Path) -> None:
    said = Heard()
    wanted = [job("good a"), job("refusing b"), job("good c")]
    found = dict(cluster.on_dask("local", said.console)(wanted))
    assert sorted(found) == [0, 1, 2]
    assert [getattr(found[index], "tflite", b"") for index in (0, 2)] == [b"good a", b"good c"]
    assert getattr(found[0], "source", "") == str(pretended / "jobs" / "good-a")
    assert isinstance(found[1], ModelError)
    assert (found[1].why, found[1].remedy) == ("So it is.", "Go slower.")
    assert "good a step 5: loss 0.5000, validation F1 80.00 %" in said.getvalue()
    assert "stopped" not in said.getvalue()


@pytest.mark.parametrize(
    ("label", "told"), [("killed x", "SIGKILL"), ("mistaken x", "It said last: something is wrong")]
)
def test_a_process_that_dies_is_told(pretended: Path, label: str, told: str) -> None:
    (found,) = dict(cluster.on_dask("local", QUIET)([job(label)])).values()
    assert isinstance(found, TargetError)
    assert told in found.why
    assert "goes on" in found.remedy


def test_who_stops_is_told_where_and_leaves_no_process(pretended: Path) -> None:
    said = Heard()
    results = cluster.on_dask("local", said.console)([job("good a"), job("waiting b")])
    assert next(results)[0] == 0
    said.wait_for("waiting b step 5")
    with pytest.raises(KeyboardInterrupt):
        results.throw(KeyboardInterrupt())
    assert "waiting b: stopped at step" in said.getvalue()
    assert "of 10, goes on from 5" in said.getvalue()
    assert "good a: stopped" not in said.getvalue()
    assert not any(apart._RUNS._processes.values())


def test_a_cluster_trains_for_who_knows_its_address(pretended: Path) -> None:
    said = Heard()
    wanted = [job("good a"), job("refusing b"), job("good c")]
    with started(1, pretended.parent) as address:
        found = dict(cluster.on_dask(address, said.console)(wanted))
    assert [type(found[index]) for index in range(3)] == [Outcome, ModelError, Outcome]
    assert "good c step 10: loss 0.4000, validation F1 90.00 %" in said.getvalue()


def test_a_cluster_without_workers_is_told(pretended: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_WORKERS_S", 0.2)
    monkeypatch.setattr(cluster, "_LOOK_S", 0.1)
    with started(0, pretended.parent) as address, pytest.raises(TargetError, match="no workers") as caught:
        list(cluster.on_dask(address, QUIET)([job("good a")]))
    assert "dask worker" in caught.value.remedy


CLUSTER = """
import sys
from distributed import LocalCluster
with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, protocol="tcp", host="127.0.0.1",
                  dashboard_address=None, local_directory=sys.argv[1]) as cluster:
    import ecgseg.zoo.apart, ecgseg.paths, pathlib
    ecgseg.zoo.apart._MODULE = "support.training_double"
    ecgseg.paths.BUILD = pathlib.Path(sys.argv[1])
    print(cluster.scheduler_address, flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
def test_a_cluster_that_ends_is_told_and_leaves_no_process(
    pretended: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cluster, "_ANSWER_S", 5.0)
    said = Heard()
    mark = f"MARK_OF_A_TEST={tmp_path}"
    command = ["env", mark, sys.executable, "-c", CLUSTER, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout is not None
        address = running.stdout.readline().strip()
        results = cluster.on_dask(address, said.console)([job("good a"), job("waiting b")])
        assert next(results)[0] == 0
        said.wait_for("waiting b step 5")
        running.kill()
        with pytest.raises(TargetError, match="The Dask cluster is gone"):
            next(results)
    assert "waiting b: stopped at step" in said.getvalue()
    assert left_behind(mark) == []
    assert "distributed" not in capfd.readouterr().err


def test_nobody_and_somebody_else_at_the_address_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_ANSWER_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        silent = deaf.getsockname()[1]
        for port in (silent, 1):
            with pytest.raises(TargetError, match="does not answer") as caught:
                list(cluster.on_dask(f"tcp://127.0.0.1:{port}", QUIET)([job("good a")]))
            assert "--on local" in caught.value.remedy


def test_what_a_cluster_loses_is_told() -> None:
    from distributed.scheduler import KilledWorker

    lost: list[tuple[BaseException, str]] = [
        (KilledWorker("key", None, 3), "lost"),
        (ModuleNotFoundError("ecgseg"), "make setup"),
        (ValueError("x"), "its log"),
    ]
    for error, told in lost:
        found = cluster._lost(job("one"), error)
        assert isinstance(found, EcgsegError)
        assert told in str(found)
        assert found.remedy


def test_a_process_has_the_environment_of_who_ordered_it(pretended: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the worker's own says; what is not named is not there."""
    wanted = job("good a")
    for held in (False, True):
        with monkeypatch.context() as ordering:
            ordering.setenv("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
            environment = instruction_set.environment(held=held)
        with monkeypatch.context() as working:
            for name in instruction_set.DECISIVE:
                working.setenv(name, "other")
            order = apart.Order(job=wanted, work=pretended, environment=environment)
            found = apart.train_apart(order, lambda report: None, "a run").versions
        assert {name: found[name] for name in instruction_set.DECISIVE if name in found} == environment
        assert ("xla_cpu_max_isa=AVX2" in found["XLA_FLAGS"]) == held
        assert found["XLA_FLAGS"].startswith("--xla_cpu_multi_thread_eigen=false")


@pytest.mark.parametrize("held", [False, True])
def test_another_package_source_or_cpu_is_refused_on_a_cluster(held: bool) -> None:
    here = apart.identity(held=held)
    assert ("instruction set" in here) != held
    order = apart.Order(job=job("one"), work=Path("work"), environment={}, identity=here)
    apart.require_same(order)
    apart.require_same(order.model_copy(update={"identity": {}}))
    for name in here:
        with pytest.raises(UsageError, match=f"another {name} than"):
            apart.require_same(order.model_copy(update={"identity": here | {name: "other"}}))


TASK = """
import pathlib, sys
from ecgseg import interruption, paths
interruption.install()
from ecgseg.commands import sweep
from ecgseg.commands.guard import guard
from ecgseg.commands.task import start
from ecgseg.zoo import apart
apart._MODULE = "support.training_double"
paths.BUILD = pathlib.Path(sys.argv[1])
sweep.require_tensorflow = lambda: None
with guard():
    start(sweep.run, file=sys.argv[2])
"""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_task_that_is_stopped_says_where_and_keeps_what_it_has(
    pretended: Path, tmp_path: Path, number: int, code: int
) -> None:
    for seed, name in enumerate(("good-a", "waiting-b")):
        zoo.write(zoo.smoke().model_copy(update={"seed": seed}), tmp_path / "two" / f"{name}.json")
    mark = f"MARK_OF_A_TEST={tmp_path}"
    command = ["env", mark, sys.executable, "-c", TASK, str(tmp_path), str(tmp_path / "two")]
    told = ""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        while "waiting-b step 5" not in told:
            line = running.stderr.readline()
            assert line, told
            told += line
        deadline = time.monotonic() + 60
        while not (tmp_path / "zoo" / "sweep" / "two" / "table.csv").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        running.send_signal(number)
        told += running.stderr.read()
    assert running.returncode == code
    assert "waiting-b: stopped at step" in told
    assert "goes on from 5" in told
    assert "Traceback" not in told
    assert left_behind(mark) == []
    (row,) = Sweep.model_validate_json((tmp_path / "zoo" / "sweep" / "two" / "table.json").read_text()).rows
    assert row.name == "good-a"


@pytest.mark.slow
@pytest.mark.train
def test_a_training_gives_the_same_bytes_here_and_on_dask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_tensorflow()
    smoke = zoo.smoke()
    schedule = smoke.schedule.model_copy(update={"steps": 4, "warmup_steps": 1, "batch": 8, "evaluate_every": 2})
    architecture = smoke.architecture.model_copy(update={"channels": 2, "blocks": smoke.architecture.blocks[:1]})
    tiny = smoke.model_copy(update={"schedule": schedule, "architecture": architecture})
    wanted = [job("tiny", configuration=tiny)]
    found = []
    for place, trainings in (("here", in_turn(QUIET)), ("dask", cluster.on_dask("local", QUIET))):
        monkeypatch.setattr(paths, "BUILD", tmp_path / place)
        found.append(dict(train_all(wanted, trainings, QUIET)))
    assert found[0] == found[1]
