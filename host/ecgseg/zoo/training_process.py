"""One training in the process that this module is started in: its order comes on standard input, lines go out.

    python -m ecgseg.zoo.training_process

`ecgseg.zoo.apart` starts it. Standard input stays open as long as somebody wants the training; when it ends, so does
the process, at once: what was reached at the last look is kept.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import IO

from ecgseg.errors import DataError, EcgsegError
from ecgseg.zoo.apart import Failure, Line, Order, require_same
from ecgseg.zoo.jobs import Job, Outcome
from ecgseg.zoo.progress import Report, Tell

_REPORT_S = 0.5


def train_job(job: Job, work: Path, tell: Tell) -> Outcome:
    """Trains and quantises what a job says.

    Args:
        job: what to train.
        work: folder for its checkpoints; a killed training goes on from there.
        tell: is told every step.

    Raises:
        DataError, ModelError, OutputError: as from training, or LUDB is not here.
    """
    from ecgseg.zoo.corpus import calibration_frames, load_corpus, ludb_for, work_with
    from ecgseg.zoo.model_folder import int8_weighted_f1, versions
    from ecgseg.zoo.quantise import quantise
    from ecgseg.zoo.train import fit_telling

    configuration = job.configuration
    if (ludb_for(configuration, job.ludb) is not None) != job.with_ludb:
        raise DataError(
            f"{job.label} is to learn from LUDB, which is not where it would be trained."
            if job.with_ludb
            else f"{job.label} is to learn without LUDB, which is where it would be trained.",
            "On every computer it has to learn from the same data.",
            "Run `invoke data` there, or name a folder with --ludb that every worker has.",
        )
    corpus = load_corpus(configuration, job.ludb)
    trained = fit_telling(configuration, corpus, work_with(work, configuration, corpus), tell)
    calibration = calibration_frames(configuration, corpus)
    content = quantise(trained.model, calibration, configuration.preprocess(), configuration.quantisation.class_bias)
    return Outcome(
        tflite=content,
        digest=configuration.digest(),
        with_ludb=job.with_ludb,
        best=trained.best,
        int8_weighted_f1=int8_weighted_f1(content, configuration, corpus.validation) if job.judge else None,
        source=corpus.source,
        versions=versions(),
    )


class _Telling:
    """Passes on every look, and of the steps between them two a second."""

    def __init__(self, channel: IO[str]) -> None:
        self._channel = channel
        self._next = 0.0

    def __call__(self, report: Report) -> None:
        now = time.monotonic()
        if report.note or now >= self._next:
            self._next = now + _REPORT_S
            self.send(Line(report=report))

    def send(self, line: Line) -> None:
        """One line; nobody reads half of one."""
        self._channel.write(line.model_dump_json(exclude_none=True) + "\n")
        self._channel.flush()


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


def main() -> None:
    """Trains what the first line of standard input says."""
    # Whatever a library prints does not stand between the lines.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    told = _Telling(channel)
    order = Order.model_validate_json(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        require_same(order)
        told.send(Line(outcome=train_job(order.job, order.work, told)))
    except EcgsegError as error:
        told.send(Line(failure=Failure.of(error)))


if __name__ == "__main__":
    main()
