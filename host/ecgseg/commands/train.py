"""`invoke train`: trains one model of the zoo, one of the user's own, or the smoke model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecgseg.choices import choose
from ecgseg.commands.options import MODEL, ludb_option
from ecgseg.commands.rules import Excludes, NothingFor
from ecgseg.commands.task import Output, option
from ecgseg.errors import UsageError
from ecgseg.extras import require_micro, require_tensorflow
from ecgseg.models import DEFAULT_MODEL, configured_names, named_place, streams_by_configuration
from ecgseg.terminal import console, data, messages

_SMOKE = "smoke"


@dataclass(frozen=True)
class Options:
    """What `invoke train` takes."""

    model: str | None = option(f"{MODEL} `smoke` trains a tiny one in seconds.")
    config: Path | None = option(
        "A configuration of your own (docs/own-model.md): any .json file, instead of --model.",
        Excludes(("model",), why="Both name a configuration."),
    )
    ludb: Path | None = ludb_option(NothingFor({"model": (_SMOKE,)}, why="It is trained on synthetic ECG alone."))
    out: Path | None = option(
        "Folder for the result; default models/NAME, of your own that of configuration.json, else NAME beside FILE.",
        output=Output.FOLDER,
    )
    fresh: bool = option("Start anew instead of going on from a checkpoint.", default=False)


def run(options: Options) -> None:
    """Train a model and quantise it to int8 (needs TensorFlow).

    Raises:
        ToolMissingError: TensorFlow is not installed.
        UsageError: no such model, or --out names the folder of another one.
        ModelError: a configuration is not valid.
    """
    name = _named(options)
    streams = streams_by_configuration(name)
    if streams:
        # Before numpy is imported, which reads it once.
        from ecgseg.zoo import instruction_set

        if not instruction_set.hold_still():
            raise UsageError(
                f"{name} is trained in a process of its own.",
                "Its instruction set is held still, which has to be said before numpy is imported.",
                f"Run `invoke train --{'model' if options.config is None else 'config'} {name}`.",
            )
    from ecgseg.data.databases.ludb import find_ludb
    from ecgseg.zoo import configuration as zoo
    from ecgseg.zoo.named_databases import wanted_databases

    configuration = zoo.load(name)
    if options.out is not None or named_place(name) is not None:
        zoo.require_own_folder(options.out or zoo.result_folder(name, configuration), configuration.name)
    # Told before TensorFlow takes its time.
    find_ludb(options.ludb)
    list(wanted_databases(configuration))
    require_tensorflow()
    require_micro()
    from ecgseg.report.history import history_picture
    from ecgseg.zoo import train as training

    report = training.train(
        name, messages, history_picture, ludb_option=options.ludb, out=options.out, resume=not options.fresh
    )
    per = "a second" if streams else "a frame"
    console.print(
        f"{configuration.name}: {report.parameters:,} parameters, {report.macs:,} MACs {per}, "
        f"int8 weighted F1 {report.int8_weighted_f1:.4f} on the validation patients ({data(report.source)})."
    )
    console.print(data(report.folder), highlight=False, soft_wrap=True)


def _named(options: Options) -> str:
    """The name or path of what is trained, known to be of the zoo or a path."""
    if options.config is not None:
        # A file of any name: only its path tells that it is no model of the zoo.
        return str(options.config.absolute())
    name = options.model or DEFAULT_MODEL
    if named_place(name) is not None:
        return name
    return choose("model", name, (*configured_names(), *configured_names(streams=True), _SMOKE), "--model")
