"""The menu: `invoke --list`. Every task is a few lines that call into host/ecgseg."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from invoke.collection import Collection
from invoke.tasks import task

from ecgseg.commands.command_line import check_command_line
from ecgseg.commands.guard import guard
from ecgseg.errors import UsageError
from ecgseg.output import check_outputs

# Options by their full names only: letters would be dealt out by chance, and -h for --html is no help.
entry = partial(task, auto_shortflags=False)

MODEL = "Model of the zoo (`invoke zoo` lists them); default seg-4-tcn-sm."
TFLITE = "Any other int8 .tflite file, instead of --model."
JSON = "Also write the result to this file, for machines."
LUDB = "Folder of LUDB; default ECGSEG_LUDB, data/ludb or ../shared/ludb, else synthetic ECG."
RECORDS = "Records: test, train, val, test_heartkit, all, or numbers such as 4,14,181-200; default test."
BACKEND = "What runs the model on the device: aot (generated C) or tflm (TensorFlow Lite Micro); default aot."
TFLM_DIR = "Your TensorFlow Lite Micro tree for --backend tflm (docs/tflm.md); default TFLM_DIR."
PORT = "Serial port of a real board, e.g. /dev/ttyACM0; needed when there are several."
SERIAL = "Serial number of the J-Link; needed when there are several."
LEADS = "Leads: all, or names such as ii or i,v2; default all."


@entry(
    help={
        "folder": "Where to; default data/ludb.",
        "verify": "Only verify the copy that is there, file by file.",
        "json": JSON,
    }
)
@guard()
def data(c: Any, folder: str | None = None, verify: bool = False, json: str | None = None) -> None:
    """Download LUDB from PhysioNet (or --verify the copy that is there)."""
    from ecgseg.commands import everything as commands

    check_outputs(json)
    commands.data(folder, verify, json)


@entry(
    help={
        "model": MODEL,
        "tflite": TFLITE,
        "out": "Where to; default build/generated/NAME.",
        "report": "Also show the memory over time, as a table and as a picture in the folder's memory.html.",
        "json": JSON,
    }
)
@guard()
def render(
    c: Any,
    model: str | None = None,
    tflite: str | None = None,
    out: str | None = None,
    report: bool = False,
    json: str | None = None,
) -> None:
    """Render a model and its preprocessor into C."""
    from ecgseg.commands import everything as commands

    commands.single("--model", model, "--tflite", tflite)
    check_outputs(json, folder=out)
    commands.render(model, tflite, out, json, report=report)


@entry(
    help={
        "board": "host (native, sanitizers), mps2_an386 (QEMU) or apollo4p_evb; default mps2_an386.",
        "model": MODEL,
        "tflite": TFLITE,
        "backend": BACKEND,
        "tflm-dir": TFLM_DIR,
        "json": JSON,
    }
)
@guard()
def build(
    c: Any,
    board: str = "mps2_an386",
    model: str | None = None,
    tflite: str | None = None,
    backend: str = "aot",
    tflm_dir: str | None = None,
    json: str | None = None,
) -> None:
    """Build the firmware of a board with a model in it."""
    from ecgseg.commands import everything as commands

    commands.single("--model", model, "--tflite", tflite)
    check_outputs(json)
    commands.build(board, model, tflite, backend, json, tflm_dir)


@entry(
    name="hil-test",
    help={
        "target": "Where it runs: host (sanitizers), qemu, apollo4p-sim or apollo4p (the board); default qemu.",
        "model": MODEL,
        "tflite": TFLITE,
        "records": RECORDS,
        "leads": LEADS,
        "ludb": LUDB,
        "backend": BACKEND,
        "tflm-dir": TFLM_DIR,
        "port": PORT,
        "serial": SERIAL,
        "baud": "Its baud rate; default 115200.",
        "replay": "Run a kept vector (.npz) again instead.",
        "json": JSON,
        "html": "Where the HTML report goes; default build/reports/.",
    },
)
@guard()
def hil_test(
    c: Any,
    target: str = "qemu",
    model: str | None = None,
    tflite: str | None = None,
    records: str = "test",
    leads: str = "all",
    ludb: str | None = None,
    backend: str = "aot",
    tflm_dir: str | None = None,
    port: str | None = None,
    serial: str | None = None,
    baud: int = 115200,
    replay: str | None = None,
    json: str | None = None,
    html: str | None = None,
) -> None:
    """Stream ECG over serial and compare every byte with Python."""
    from ecgseg.commands import everything as commands
    from ecgseg.commands import hil_test as command

    commands.single("--model", model, "--tflite", tflite)
    commands.single("--replay", replay, "--model", model)
    commands.single("--replay", replay, "--tflite", tflite)
    check_outputs(json, html)
    typed = command.Typed(
        target=target,
        model=model,
        tflite=tflite,
        records=records,
        leads=leads,
        ludb=ludb,
        backend=backend,
        tflm_dir=tflm_dir,
        port=port,
        serial=serial,
        baud=baud,
        replay=replay,
        json=json,
        html=html,
    )
    command.leave(command.hil_test(*typed.parse()))


@entry(
    help={
        "model": MODEL,
        "tflite": TFLITE,
        "backend": BACKEND,
        "tflm-dir": TFLM_DIR,
        "port": PORT,
        "serial": SERIAL,
        "dry-run": "Only build, and print the J-Link script that would run; needs neither J-Link nor board.",
        "json": JSON,
    }
)
@guard()
def flash(
    c: Any,
    model: str | None = None,
    tflite: str | None = None,
    backend: str = "aot",
    tflm_dir: str | None = None,
    port: str | None = None,
    serial: str | None = None,
    dry_run: bool = False,
    json: str | None = None,
) -> None:
    """Put firmware and model on the board through J-Link, check it runs."""
    from ecgseg.commands import everything as commands
    from ecgseg.commands.flash import flash_command

    commands.single("--model", model, "--tflite", tflite)
    check_outputs(json)
    flash_command(
        model,
        tflite,
        backend,
        tflm_dir=tflm_dir,
        port=port,
        serial_number=serial,
        dry_run=dry_run,
        json_path=json,
    )


@entry(help={"all": "Ask every serial port, not only those of a J-Link.", "json": JSON})
@guard()
def devices(c: Any, all: bool = False, json: str | None = None) -> None:
    """List debug probes and serial ports, and what answers on them."""
    from ecgseg.commands.devices import devices_command

    check_outputs(json)
    devices_command(ask_all=all, json_path=json)


@entry(help={"ludb": LUDB, "picture": "Also draw a lead and its masks into this PNG file."})
@guard()
def demo(c: Any, ludb: str | None = None, picture: str | None = None) -> None:
    """See the whole chain: firmware in QEMU, 160 ECG frames, a report."""
    from ecgseg.commands import hil_test as command

    check_outputs(picture)
    command.leave(command.demo(ludb, picture))


@entry(
    help={
        "model": MODEL + " `smoke` trains a tiny one in seconds.",
        "ludb": LUDB,
        "out": "Folder for the result; default models/NAME.",
        "fresh": "Start anew instead of going on from a checkpoint.",
    }
)
@guard()
def train(
    c: Any, model: str | None = None, ludb: str | None = None, out: str | None = None, fresh: bool = False
) -> None:
    """Train a model and quantise it to int8 (needs TensorFlow)."""
    from ecgseg.commands import everything as commands

    check_outputs(folder=out)
    commands.train(model, ludb, out, fresh)


@entry(
    help={
        "model": MODEL,
        "tflite": TFLITE,
        "records": RECORDS,
        "leads": LEADS,
        "ludb": LUDB,
        "noise": "Also score under noise of three kinds, 24 to -6 dB (takes 18 times as long).",
        "peers": "Also score NeuroKit2's and PhysioKit's delineators (needs the extra `peers`).",
        "float": "Also score the float model (needs TensorFlow).",
        "cv": "Train and test this many patient-wise folds instead; takes that many trainings.",
        "steps": "With --cv: steps of each training; default those of the configuration.",
        "json": JSON,
        "html": "Also write a report to this file.",
    }
)
@guard()
def evaluate(
    c: Any,
    model: str | None = None,
    tflite: str | None = None,
    records: str = "test",
    leads: str = "all",
    ludb: str | None = None,
    noise: bool = False,
    peers: bool = False,
    float: bool = False,
    cv: int = 0,
    steps: int = 0,
    json: str | None = None,
    html: str | None = None,
) -> None:
    """Score a model, as the device runs it, against the annotation."""
    from ecgseg.commands import evaluate as command
    from ecgseg.commands import everything as commands

    commands.single("--model", model, "--tflite", tflite)
    check_outputs(json, html)
    command.evaluate(
        command.EvaluateOptions(
            model=model,
            tflite=tflite,
            records=records,
            leads=leads,
            ludb=ludb,
            noise=noise,
            peers=peers,
            against_float=float,
            folds=cv,
            steps=steps,
            json_path=json,
            html_path=html,
        )
    )


@entry(
    help={
        "measure": "Measure --model (or all) on LUDB's test patients; writes metrics.json, card and confusion matrix.",
        "docs": "Write docs/zoo.md from the committed figures.",
        "train": "Train every model again from its configuration (needs TensorFlow).",
        "model": MODEL + " With --train or --measure: default all.",
        "ludb": LUDB,
    }
)
@guard()
def zoo(
    c: Any,
    train: bool = False,
    measure: bool = False,
    docs: bool = False,
    model: str | None = None,
    ludb: str | None = None,
) -> None:
    """List the models of the zoo, or train, measure and document them."""
    from ecgseg.commands import evaluate as command
    from ecgseg.commands import everything as commands

    if model and not (train or measure):
        raise UsageError(
            "--model goes with --train or --measure.", "Without them every model is listed.", "Leave it out."
        )
    if train:
        commands.train_zoo(model, ludb)
    if measure:
        command.measure_zoo(model, ludb)
    if docs:
        command.document_zoo()
    if not (train or measure or docs):
        commands.zoo()


@entry(
    help={
        "target": "qemu (instructions, counted), apollo4p-sim (cycles, modelled) or apollo4p (measured); default qemu.",
        "model": MODEL,
        "tflite": TFLITE,
        "backend": "aot (generated C) or tflm (TensorFlow Lite Micro beside it, qemu only); default aot.",
        "tflm-dir": TFLM_DIR,
        "layers": "Also per layer, on apollo4p-sim and apollo4p (qemu always does).",
        "port": PORT,
        "serial": SERIAL,
        "json": JSON,
        "picture": "Also draw the layers as bars into this PNG file (qemu).",
        "page": "Also write docs/hardware.md, with --backend tflm docs/performance.md; all models unless one is named.",
    }
)
@guard()
def profile(
    c: Any,
    target: str = "qemu",
    model: str | None = None,
    tflite: str | None = None,
    backend: str = "aot",
    tflm_dir: str | None = None,
    layers: bool = False,
    port: str | None = None,
    serial: str | None = None,
    json: str | None = None,
    picture: str | None = None,
    page: str | None = None,
) -> None:
    """Tell what a model costs: time, memory, flash, energy, by layer."""
    from ecgseg.commands import everything as commands

    commands.single("--model", model, "--tflite", tflite)
    check_outputs(json, picture, page)
    commands.profile(
        commands.ProfileOptions(
            target=target,
            model=model,
            tflite=tflite,
            backend=backend,
            tflm_dir=tflm_dir,
            layers=layers,
            port=port,
            serial=serial,
            json_path=json,
            picture=picture,
            page=page,
        )
    )


@entry(
    help={
        "target": "apollo4p, or apollo4p-sim to see what it looks like; default apollo4p.",
        "port": PORT,
        "serial": SERIAL,
        "measure": "Hold busy, sleep and deep sleep in turn, to read currents off a meter.",
        "json": JSON,
    }
)
@guard()
def bringup(
    c: Any,
    target: str = "apollo4p",
    port: str | None = None,
    serial: str | None = None,
    measure: bool = False,
    json: str | None = None,
) -> None:
    """Settle on a board what the facts sheet leaves open (docs/bring-up.md)."""
    from ecgseg.commands.bringup import bringup_command

    check_outputs(json)
    bringup_command(target, port=port, serial_number=serial, measure=measure, json_path=json)


@entry(help={"all": "Also remove downloaded data."})
@guard()
def clean(c: Any, all: bool = False) -> None:
    """Remove what was built (build/)."""
    from ecgseg.commands import everything as commands

    commands.clean(all)


with guard():
    check_command_line(Collection.from_module(sys.modules[__name__]), sys.argv)
