"""Trainings on Dask: on the cores of this computer, or on the workers of a cluster.

A worker starts a process for each training (`ecgseg.zoo.apart`) and passes on what it says. The workers of this
computer are threads of this process, for they only wait; their trainings are processes, one a core.
"""

from __future__ import annotations

import logging
import re
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress

from ecgseg.errors import EcgsegError, TargetError, UsageError
from ecgseg.files import plain
from ecgseg.terminal import data
from ecgseg.zoo import instruction_set
from ecgseg.zoo.apart import Failure, Line, Order, end_run, identity, train_apart
from ecgseg.zoo.jobs import Job, Outcome, Results, Trainings
from ecgseg.zoo.progress import Report, Shown, bars

LOCAL = "local"
_SCHEDULER = re.compile(r"tcp://(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})", re.ASCII)
_ANSWER_S = 10.0
_LOOK_S = 1.0
# A cluster that grows by itself takes a while to have its first worker.
_WORKERS_S = 60.0


def check_place(on: str) -> None:
    """Refuses what --on cannot name; nothing is asked of it yet.

    Raises:
        UsageError: it is neither `local` nor `tcp://host:port`.
    """
    found = _SCHEDULER.fullmatch(on)
    if on != LOCAL and not (found and 0 < int(found[1]) < 1 << 16):
        raise UsageError(
            f"'{plain(on)}' is no place to train.",
            "Known are local, the cores of this computer, and tcp://HOST:PORT, the scheduler of a Dask cluster.",
            "Correct the --on option; a scheduler says its address when it starts, usually with port 8786.",
        )


def worker_count(jobs: int) -> int:
    """Workers on this computer: one a core that this process may use, and never more than there are trainings."""
    from dask import system

    return max(1, min(jobs, int(system.CPU_COUNT)))


def on_dask(on: str, console: Console) -> Trainings:
    """Trains on Dask, as many at once as there are workers.

    Args:
        on: as :func:`check_place` knows it.
        console: where progress goes, a line for each training.
    """

    def run(jobs: Sequence[Job]) -> Results:
        if jobs:
            with _connected(on, len(jobs)) as client, bars(console, many=True) as progress:
                run = _Run(client, jobs, progress, local=on == LOCAL)
                try:
                    yield from run.results()
                finally:
                    run.end()

    return run


@contextmanager
def _connected(on: str, jobs: int) -> Iterator[Any]:
    """A client of a cluster, which is made for the time where it is this computer."""
    from distributed import Client, LocalCluster

    _silence()
    if on != LOCAL:
        with _reached(Client, on) as client:
            yield client
        return
    with (
        tempfile.TemporaryDirectory(prefix="ecgseg-dask-") as folder,
        LocalCluster(
            n_workers=worker_count(jobs),
            threads_per_worker=1,
            processes=False,
            dashboard_address=None,
            memory_limit=0,
            local_directory=folder,
            silence_logs=logging.CRITICAL + 1,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


def _silence() -> None:
    """Loggers of Dask tell of what is gone in words of their own; it is told here."""
    for name in ("distributed", *logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@contextmanager
def _reached(connect: Callable[..., Any], on: str) -> Iterator[Any]:
    try:
        # Its own limit is for the connection alone: who takes one and says nothing would be waited for.
        client = _within(lambda: connect(on, timeout=_ANSWER_S, set_as_default=False), 2 * _ANSWER_S)
    except Exception as error:
        # Whatever answers there: no scheduler, one of another version, or nobody.
        raise TargetError(
            f"The Dask cluster at {on} does not answer.",
            f"No scheduler of a version that is known here said anything within {_ANSWER_S:.0f} s.",
            "Check the address, start it with `dask scheduler`, or train with --on local.",
        ) from error
    try:
        yield client
    finally:
        with suppress(Exception):
            _within(client.close, _ANSWER_S)


def _within(ask: Callable[[], Any], seconds: float) -> Any:
    """What is answered within so many seconds.

    Raises:
        TimeoutError: nothing is.
        Exception: what asking raises.
    """
    answers: SimpleQueue[tuple[Any, Exception | None]] = SimpleQueue()

    def asking() -> None:
        try:
            answers.put((ask(), None))
        except Exception as error:
            answers.put((None, error))

    threading.Thread(target=asking, daemon=True).start()
    try:
        answer, error = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return answer


def _train(order: str, topic: str, number: int) -> str:
    """What a worker does: an order and an answer as JSON, reports as events on the way."""
    from distributed import get_worker

    worker = get_worker()

    def tell(report: Report) -> None:
        worker.log_event(topic, [number, report.model_dump_json()])

    try:
        wanted = Order.model_validate_json(order)
        here = wanted.model_copy(update={"work": wanted.job.folder})
        line = Line(outcome=train_apart(here, tell, topic))
    except EcgsegError as error:
        line = Line(failure=Failure.of(error))
    return line.model_dump_json(exclude_none=True)


class _Run:
    """Trainings on a cluster, from the first to the last.

    Args:
        client: of distributed.
        jobs: what is trained.
        progress: holds the bars.
        local: the workers are threads of this process.
    """

    def __init__(self, client: Any, jobs: Sequence[Job], progress: Progress, *, local: bool) -> None:
        self._client = client
        self._jobs = jobs
        self._progress = progress
        self._local = local
        self._topic = f"ecgseg-{secrets.token_hex(8)}"
        self._shown = [Shown(progress, job.label) for job in jobs]
        self._last: dict[int, Report] = {}
        self._kept: dict[int, Report] = {}
        self._left = set(range(len(jobs)))
        self._lonely_s = 0.0

    def results(self) -> Results:
        """What comes of each training, as it comes.

        Raises:
            TargetError: the cluster is gone.
        """
        self._client.subscribe_topic(self._topic, self._hear)
        ended: SimpleQueue[int] = SimpleQueue()
        futures = []
        for number, job in enumerate(self._jobs):
            arguments = (self._order(job), self._topic, number)
            key = f"{self._topic}-{number}"
            future = self._client.submit(_train, *arguments, key=key, pure=False, priority=-number)
            future.add_done_callback(partial(_put, ended, number))
            futures.append(future)
        while self._left:
            try:
                number = ended.get(timeout=_LOOK_S)
            except Empty:
                self._check()
                continue
            outcome = self._outcome(futures[number], self._jobs[number])
            self._left.discard(number)
            yield number, outcome

    def _order(self, job: Job) -> str:
        held = job.configuration.streams
        environment = instruction_set.environment(held=held)
        same = {} if self._local else identity(held=held)
        # Which folder it is says the worker, on its own disk.
        return Order(job=job, work=job.folder, environment=environment, identity=same).model_dump_json()

    def _hear(self, event: tuple[float, Any]) -> None:
        """A report of a training; what is none is passed over."""
        try:
            number, text = event[1]
            report = Report.model_validate_json(text)
        except (TypeError, ValueError, ValidationError):
            return
        if number not in self._left:
            return
        before = self._last.get(number)
        self._last[number] = report
        if report.note or before is None or before.name != report.name:
            self._kept[number] = report
        self._shown[number](report)

    def _outcome(self, future: Any, job: Job) -> Outcome | EcgsegError:
        if future.status == "cancelled":
            raise _gone()
        error = future.exception(timeout=_ANSWER_S)
        if error is not None:
            raise error if self._local else _lost(job, error) from error
        line = Line.model_validate_json(future.result(timeout=_ANSWER_S))
        if line.outcome is None:
            assert line.failure is not None
            return line.failure.error()
        return line.outcome

    def _check(self) -> None:
        """Looks whether there is still somebody who trains."""
        if self._local:
            return
        if self._client.status != "running":
            raise _gone()
        try:
            workers = self._client.sync(self._client.scheduler.ncores, callback_timeout=_ANSWER_S)
        except Exception as error:
            raise _gone() from error
        self._lonely_s = 0.0 if workers else self._lonely_s + _LOOK_S
        if self._lonely_s >= _WORKERS_S:
            raise TargetError(
                "The Dask cluster has no workers.",
                f"There was none for {_WORKERS_S:.0f} s.",
                "Start some with `dask worker` and the scheduler's address; then the same command goes on.",
            )

    def end(self) -> None:
        """Ends what still runs, and says where it was."""
        if not self._left:
            return
        end_run(self._topic)
        if not self._local:
            with suppress(Exception):
                _within(lambda: self._client.run(end_run, self._topic, on_error="ignore"), _ANSWER_S)
        for number in sorted(self._left & set(self._last)):
            last, kept = self._last[number], self._kept[number].step
            told = f"{self._jobs[number].label}: stopped at step {last.step:,} of {last.steps:,}, goes on from {kept:,}"
            self._progress.console.print(data(told), highlight=False, soft_wrap=True)


def _put(ended: SimpleQueue[int], number: int, future: Any) -> None:
    ended.put(number)


def _gone() -> TargetError:
    return TargetError(
        "The Dask cluster is gone.",
        "Its scheduler does not answer any more, or has given up the trainings.",
        "Start it again, or train with --on local; what was finished has been kept, and the same command goes on.",
    )


def _lost(job: Job, error: BaseException) -> EcgsegError:
    """What to say of a training that a cluster could not bring to an end; a mistake of this program stays one."""
    from distributed.scheduler import KilledWorker

    if isinstance(error, KilledWorker):
        return TargetError(
            f"The Dask workers that trained {job.label} were lost.",
            "Each of those that took it ended or stopped answering; lack of memory is the usual reason.",
            "Look at the workers; then run the same command again, which goes on.",
        )
    if isinstance(error, ImportError | AttributeError):
        return TargetError(
            "The workers of the Dask cluster cannot train.",
            "They have no ecgseg, or another one, or lack the extra `train`.",
            "Install the same there (`make setup EXTRAS=train`), and start the workers with its Python.",
        )
    return TargetError(
        f"The training of {job.label} ended without a result.",
        "A worker of the Dask cluster failed at it; its log says how.",
        "Look at the workers; then run the same command again, which goes on.",
    )
