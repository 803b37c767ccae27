"""`invoke train`: trains one model of the zoo, or the smoke model."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from ecgseg.commands.options import MODEL, ludb_option
from ecgseg.commands.rules import AppliesTo
from ecgseg.commands.task import Output, option
from ecgseg.errors import UsageError
from ecgseg.extras import require_tensorflow
from ecgseg.models import DEFAULT_MODEL, STREAM_PREFIX, configured_names
from ecgseg.terminal import console, data, messages

_SMOKE = "smoke"


def _models() -> Collection[str]:
    return (*configured_names(), *configured_names(streams=True), _SMOKE)


def _patients() -> tuple[str | None, ...]:
    """Models that are trained on ECG of patients; None is the default one."""
    return (None, *configured_names(), *configured_names(streams=True))


@dataclass(frozen=True)
class Options:
    """What `invoke train` takes."""

    model: str | None = option(f"{MODEL} `smoke` trains a tiny one in seconds.", known=_models)
    ludb: Path | None = ludb_option(
        AppliesTo(
            {"model": _patients},
            why="It is trained on synthetic ECG alone.",
            remedy="Leave out --ludb, or name a model of the zoo.",
        )
    )
    out: Path | None = option("Folder for the result; default models/NAME.", output=Output.FOLDER)
    fresh: bool = option("Start anew instead of going on from a checkpoint.", default=False)


def run(options: Options) -> None:
    """Train a model and quantise it to int8 (needs TensorFlow).

    Raises:
        ToolMissingError: TensorFlow is not installed.
        UsageError: no such model, or --out names the folder of another one.
    """
    name = options.model or DEFAULT_MODEL
    if name.startswith(STREAM_PREFIX):
        # Before numpy is imported, which reads it once.
        from ecgseg.zoo import instruction_set

        if not instruction_set.hold_still():
            raise UsageError(
                f"{name} is trained in a process of its own.",
                "Its instruction set is held still, which has to be said before numpy is imported.",
                f"Run `invoke train --model {name}`.",
            )
    from ecgseg.data.databases.ludb import find_ludb
    from ecgseg.zoo.configuration import require_own_folder

    if options.out is not None:
        require_own_folder(options.out, name)
    find_ludb(options.ludb)  # Told before TensorFlow takes its time.
    require_tensorflow()
    from ecgseg.report.history import history_picture
    from ecgseg.zoo import train as training

    report = training.train(
        name, messages, history_picture, ludb_option=options.ludb, out=options.out, resume=not options.fresh
    )
    per = "a second" if name.startswith(STREAM_PREFIX) else "a frame"
    console.print(
        f"{name}: {report.parameters:,} parameters, {report.macs:,} MACs {per}, "
        f"int8 weighted F1 {report.int8_weighted_f1:.4f} on the validation patients ({data(report.source)})."
    )
    console.print(data(report.folder), highlight=False, soft_wrap=True)
