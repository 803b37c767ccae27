"""Options that several tasks share: each with its help, its default and its rules, once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecgseg.commands.rules import AppliesTo, Excludes, NotWith, Rule
from ecgseg.commands.task import Output, option
from ecgseg.models import DEFAULT_MODEL

MODEL = (
    f"Model of the zoo (`invoke zoo` lists them), or a folder or .tflite of your own by path; default {DEFAULT_MODEL}."
)
BACKEND = "What runs the model on the device: aot (generated C) or tflm (TensorFlow Lite Micro); default aot."


def backends() -> Collection[str]:
    """Names of the backends."""
    from ecgseg.image.backends import BACKENDS

    return BACKENDS


def default_backend() -> str:
    """What runs the model when the user says nothing."""
    from ecgseg.image.programs import AOT

    return AOT.name


def all_targets() -> Collection[str]:
    """Names of everything that firmware runs on."""
    from ecgseg.targets import targets

    return sorted(targets())


def default_target() -> str:
    """Where a model runs when the user says nothing."""
    from ecgseg.targets.names import DEFAULT_TARGET

    return DEFAULT_TARGET


def default_baud() -> int:
    """Baud rate of a board."""
    from ecgseg.link import DEFAULT_BAUD

    return DEFAULT_BAUD


def default_rate() -> int:
    """Rate of raw samples when the user says nothing."""
    from ecgseg.pipeline import DEFAULT_INPUT_RATE

    return DEFAULT_INPUT_RATE


def boards() -> tuple[str, ...]:
    """Targets that have a port and a probe of this computer."""
    from ecgseg.targets import targets

    return tuple(sorted(name for name, target in targets().items() if target.real_port))


def on_a_board(why: str, when: Callable[[Any], bool] | None = None) -> AppliesTo:
    """The rule of an option that says something about the board on the desk; a task without --target is about one."""
    return AppliesTo({"target": boards}, why=why, when=when)


def optimisations() -> Collection[str]:
    """What kernels may be chosen by."""
    from ecgseg.codegen.optimise import PICKS

    return tuple(PICKS)


def default_optimisation() -> str:
    """What kernels are chosen by when the user says nothing."""
    from ecgseg.codegen.optimise import CYCLES

    return CYCLES


def backend_option(help: str = BACKEND, *rules: Rule) -> Any:
    """The option --backend; `profile` explains it in its own words."""
    return option(help, *rules, default=default_backend, known=backends)


def target_option() -> Any:
    """The option --target of a task that runs a model on any of them."""
    return option(
        "Where the model runs: host (sanitizers), qemu, apollo4p-sim or apollo4p (the board); default qemu.",
        default=default_target,
        known=all_targets,
    )


def baud_option() -> Any:
    """The option --baud."""
    return option(
        "Baud rate of the board's serial port; default 115200.",
        on_a_board("Nothing is sent over a wire there."),
        default=default_baud,
    )


def ludb_option(*rules: Rule) -> Any:
    """The option --ludb."""
    return option("Folder of LUDB; default ECGSEG_LUDB, data/ludb or ../shared/ludb, else synthetic ECG.", *rules)


def database_option(help: str, *rules: Rule) -> Any:
    """The option --database of a task that reads records."""
    own = NotWith(
        ("ludb",), why="A database of your own names its folder itself.", when=lambda word: word.endswith(".toml")
    )
    return option(help, own, *rules)


def tflite_option(*rules: Rule) -> Any:
    """The option --tflite."""
    return option("Any other int8 .tflite file, instead of --model.", *rules)


def on_option(*rules: Rule) -> Any:
    """The option --on of a task that trains several models at once."""
    return option(
        "Where training runs: local (the cores of this computer) or tcp://HOST:PORT, a Dask scheduler; default local.",
        *rules,
        default="local",
    )


def model_option(*rules: Rule) -> Any:
    """The option --model."""
    return option(MODEL, Excludes(("tflite",), why="Both name a model."), *rules)


def recording_rate_option(*rules: Rule) -> Any:
    """The option --rate of a recording of a user's own."""
    return option(
        "Samples a second of the recording, where its file does not say it, or says it wrongly.", *rules, name="rate"
    )


def unit_option(*rules: Rule) -> Any:
    """The option --unit."""
    return option(
        "Unit of the recording's values, where its file does not say it, or says it wrongly: mV, uV, V, nV, or adu:N "
        "for N steps of the converter in a millivolt.",
        *rules,
    )


def channel_option(*rules: Rule) -> Any:
    """The option --channel."""
    return option(
        "Name or number (from 0) of a channel, several with commas between, or all; default lead II, else the first.",
        *rules,
    )


def columns_option(*rules: Rule) -> Any:
    """The option --columns."""
    return option(
        "What the columns of a table are, in the place of its header: names with commas between, a unit behind _, and "
        "- for one that is passed over; for example time_s,ecg_mV,-.",
        *rules,
    )


@dataclass(frozen=True)
class ModelOptions:
    """Which model."""

    model: str | None = model_option()
    tflite: Path | None = tflite_option()


@dataclass(frozen=True)
class LudbOption:
    """Where ECG comes from."""

    ludb: Path | None = ludb_option()


@dataclass(frozen=True)
class RecordOptions(LudbOption):
    """Which ECG."""

    records: str = option(
        "Records: test, train, val, test_heartkit, all, or numbers such as 4,14,181-200; default test.",
        default="test",
    )
    leads: str = option("Leads: all, or names such as ii or i,v2; default all.", default="all")


@dataclass(frozen=True)
class BackendOptions:
    """What runs the model in the firmware."""

    backend: str = backend_option()
    tflm_dir: Path | None = option(
        "Your TensorFlow Lite Micro tree for --backend tflm (docs/tflm.md); default TFLM_DIR.",
        AppliesTo({"backend": ("tflm",)}, why="Generated C needs no TensorFlow Lite Micro."),
    )


@dataclass(frozen=True)
class OptimiseOption:
    """What the generator chooses kernels by."""

    optimise: str = option(
        "Choose the kernels by cycles (the fastest) or by size (the least flash); default cycles.",
        AppliesTo({"backend": ("aot",)}, why="TensorFlow Lite Micro brings its own kernels."),
        default=default_optimisation,
        known=optimisations,
    )


@dataclass(frozen=True)
class RateOption:
    """What the device is given."""

    rate: int = option(
        "Rate of the raw samples in Hz that the device is built for: a whole number from 50 to 2000; default 500.",
        default=default_rate,
    )


@dataclass(frozen=True)
class PortOptions:
    """Which board, when several are plugged in."""

    port: str | None = option(
        "Serial port of a real board, e.g. /dev/ttyACM0; needed when there are several.",
        on_a_board("A process is started there, which brings its own port."),
    )
    serial: str | None = option(
        "Serial number of the J-Link; needed when there are several.",
        on_a_board("A process is started there, without a J-Link."),
    )


@dataclass(frozen=True)
class JsonOption:
    """A result for machines."""

    json: Path | None = option(
        "Also write the result to this file, for machines; - is standard output.", output=Output.RESULT
    )
