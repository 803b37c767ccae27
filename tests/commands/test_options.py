"""What the tasks take: every option explained, shared ones the same everywhere, and none silently dropped."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from invoke.loader import FilesystemLoader

from ecgseg import paths
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
    options,
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
from ecgseg.commands.rules import AppliesTo, Rule, Typed
from ecgseg.commands.task import Declared, declared, options_of, start
from ecgseg.errors import UsageError
from ecgseg.targets import targets
from support.random_network import RandomNetwork

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
GROUPS = [kind for kind in vars(options).values() if getattr(kind, "__module__", "") == options.__name__]
GROUPS = [kind for kind in GROUPS if dataclasses.is_dataclass(kind)]
SHARED = {field.field: field for group in GROUPS for field in declared(group)}
OWN_WORDS = {
    ("train", "model"),
    ("zoo", "model"),
    ("segment", "model"),
    ("monitor", "model"),
    ("profile", "backend"),
    ("hil_test", "port"),
}
"""Shared options that a task explains in words of its own."""

Place = Callable[[dict[str, Any]], dict[str, Any]]

KEPT = "kept.npz"
OTHER = "other.tflite"
NO_SEGMENTER = "no-segmenter.tflite"
"""Stands for a file that the tests write (`place`)."""
SEGMENTER = str(paths.MODELS / "seg-2-tcn-sm" / "model.tflite")
REFUSED: list[tuple[ModuleType, dict[str, Any], str]] = [
    (render, {"model": "seg-2-tcn-sm", "tflite": OTHER}, "--model and --tflite exclude each other."),
    (render, {"block": 8}, "--block goes with --stream."),
    (render, {"stream": True, "optimise": "size"}, "--stream does not go with --optimise."),
    (export, {"model": "seg-2-tcn-sm", "tflite": OTHER}, "--model and --tflite exclude each other."),
    (build, {"model": "seg-2-tcn-sm", "tflite": OTHER}, "--model and --tflite exclude each other."),
    (build, {"tflm_dir": "tree"}, "--tflm-dir does not apply to backend aot."),
    (build, {"backend": "tflm", "optimise": "size"}, "--optimise does not apply to backend tflm."),
    (hil_test, {"model": "seg-2-tcn-sm", "tflite": OTHER}, "--model and --tflite exclude each other."),
    (hil_test, {"replay": KEPT, "model": "seg-2-tcn-sm"}, "--replay and --model exclude each other."),
    (hil_test, {"replay": KEPT, "records": "test"}, "--replay does not go with --records."),
    (hil_test, {"replay": KEPT, "input": ["a.csv"]}, "--replay does not go with --input."),
    (hil_test, {"input": ["a.csv"], "records": "test"}, "--input does not go with --records."),
    (hil_test, {"input": ["a.csv"], "database": "ludb"}, "--input does not go with --database."),
    (hil_test, {"input": ["a.csv"], "peers": True}, "--input does not go with --peers."),
    (hil_test, {"unit": "mV"}, "--unit goes with --input."),
    (hil_test, {"recording_rate": 500}, "--rate goes with --input."),
    (hil_test, {"columns": "ecg"}, "--columns goes with --input."),
    (hil_test, {"channel": "ii"}, "--channel goes with --input."),
    (hil_test, {"replay": KEPT, "leads": "ii"}, "--replay does not go with --leads."),
    (hil_test, {"replay": KEPT, "ludb": "ludb"}, "--replay does not go with --ludb."),
    (hil_test, {"replay": KEPT, "database": "qtdb"}, "--replay does not go with --database."),
    (hil_test, {"replay": KEPT, "stream": True}, "--stream does not go with --replay."),
    (hil_test, {"replay": KEPT, "peers": True}, "--peers does not go with --replay."),
    (hil_test, {"replay": KEPT, "records": "1", "leads": "ii"}, "--replay does not go with --records, --leads."),
    (hil_test, {"tflite": NO_SEGMENTER, "records": "181", "ludb": "x"}, "--tflite does not go with --records, --ludb."),
    (hil_test, {"model": NO_SEGMENTER, "records": "181"}, "--model does not go with --records."),
    (hil_test, {"database": "ward.toml", "ludb": "ludb"}, "--database does not go with --ludb."),
    (hil_test, {"port": "/dev/ttyACM0"}, "--port does not apply to target qemu."),
    (hil_test, {"target": "host", "port": "/dev/ttyACM0"}, "--port does not apply to target host."),
    (hil_test, {"target": "apollo4p-sim", "serial": "1"}, "--serial does not apply to target apollo4p-sim."),
    (hil_test, {"baud": 115200}, "--baud does not apply to target qemu."),
    (hil_test, {"target": "apollo4p-sim", "baud": 9600}, "--baud does not apply to target apollo4p-sim."),
    (hil_test, {"target": "host", "tflm_dir": "tree"}, "--tflm-dir does not apply to backend aot."),
    (hil_test, {"backend": "tflm", "optimise": "size"}, "--optimise does not apply to backend tflm."),
    (hil_test, {"target": "host", "seed": 4}, "--seed goes with --inject."),
    (hil_test, {"inject": "drop=1e-3", "resume": True}, "--resume does not go with --inject."),
    (hil_test, {"replay": KEPT, "resume": True}, "--resume does not go with --replay."),
    (hil_test, {"rig": "rig.toml", "target": "host"}, "--rig does not go with --target."),
    (soak, {"model": "seg-2-tcn-sm", "tflite": OTHER}, "--model and --tflite exclude each other."),
    (soak, {"tflm_dir": "tree"}, "--tflm-dir does not apply to backend aot."),
    (soak, {"backend": "tflm", "optimise": "size"}, "--optimise does not apply to backend tflm."),
    (soak, {"target": "qemu", "baud": 9600}, "--baud does not apply to target qemu."),
    (soak, {"target": "qemu", "port": "/dev/ttyACM0"}, "--port does not apply to target qemu."),
    (soak, {"target": "qemu", "serial": "1"}, "--serial does not apply to target qemu."),
    (monitor, {"model": "stream-4-tcn-sm", "tflite": OTHER}, "--model and --tflite exclude each other."),
    (monitor, {"unit": "mV"}, "--unit goes with --record."),
    (monitor, {"recording_rate": 500}, "--rate goes with --record."),
    (monitor, {"columns": "ecg"}, "--columns goes with --record."),
    (monitor, {"text": True, "page_port": 8000}, "--page-port does not go with --text."),
    (monitor, {"port": "/dev/ttyACM0"}, "--port does not apply to target qemu."),
    (monitor, {"serial": "1"}, "--serial does not apply to target qemu."),
    (monitor, {"baud": 9600}, "--baud does not apply to target qemu."),
    (segment, {"model": "stream-4-tcn-sm", "tflite": OTHER}, "--model and --tflite exclude each other."),
    (segment, {"port": "/dev/ttyACM0"}, "--port does not apply to target qemu."),
    (segment, {"target": "apollo4p-sim", "serial": "1"}, "--serial does not apply to target apollo4p-sim."),
    (segment, {"target": "host", "baud": 9600}, "--baud does not apply to target host."),
    (flash, {"model": "seg-2-tcn-sm", "tflite": OTHER}, "--model and --tflite exclude each other."),
    (flash, {"tflm_dir": "tree"}, "--tflm-dir does not apply to backend aot."),
    (flash, {"backend": "tflm", "optimise": "size"}, "--optimise does not apply to backend tflm."),
    (flash, {"dry_run": True, "port": "/dev/ttyACM0"}, "--dry-run does not go with --port."),
    (train, {"model": "smoke", "ludb": "ludb"}, "--ludb does not apply to model smoke."),
    (train, {"model": "smoke", "config": "mine.json"}, "--config and --model exclude each other."),
    (fuzz, {"what": "npz", "input": KEPT, "minutes": 1.0}, "--input does not go with --minutes."),
    (fuzz, {"what": "npz", "input": KEPT, "seed": 1}, "--input does not go with --seed."),
    (evaluate, {"model": "seg-2-tcn-sm", "tflite": OTHER}, "--model and --tflite exclude each other."),
    (evaluate, {"against_float": True, "tflite": OTHER}, "--float needs a model of the zoo."),
    (evaluate, {"cv": 5, "tflite": OTHER}, "--cv needs a model of the zoo."),
    (evaluate, {"cv": 5, "records": "test"}, "--cv does not go with --records."),
    (evaluate, {"cv": 5, "leads": "all"}, "--cv does not go with --leads."),
    (evaluate, {"cv": 5, "noise": True}, "--cv does not go with --noise."),
    (evaluate, {"cv": 5, "peers": True, "against_float": True}, "--cv does not go with --peers, --float."),
    (evaluate, {"cv": 5, "html": "new/x.html"}, "--cv does not go with --html."),
    (evaluate, {"steps": 100}, "--steps goes with --cv."),
    (evaluate, {"on": "local"}, "--on goes with --cv."),
    (evaluate, {"database": "ward.toml", "ludb": "ludb"}, "--database does not go with --ludb."),
    (zoo, {"model": "seg-2-tcn-sm"}, "--model goes with --train or --measure."),
    (zoo, {"docs": True, "ludb": "ludb"}, "--ludb goes with --train or --measure."),
    (zoo, {"models": "mine", "train": True}, "--models does not go with --train."),
    (profile, {"model": "seg-2-tcn-sm", "tflite": OTHER}, "--model and --tflite exclude each other."),
    (profile, {"tflm_dir": "tree"}, "--tflm-dir does not apply to backend aot."),
    (profile, {"backend": "tflm", "optimise": "size"}, "--optimise does not apply to backend tflm."),
    (profile, {"cmsis_nn_dir": "tree"}, "--cmsis-nn-dir does not apply to backend aot."),
    (profile, {"tinyengine_dir": "tree"}, "--tinyengine-dir does not apply to backend aot."),
    (profile, {"port": "/dev/ttyACM0"}, "--port does not apply to target qemu."),
    (profile, {"target": "apollo4p-sim", "serial": "1"}, "--serial does not apply to target apollo4p-sim."),
    (profile, {"backend": "tflm", "target": "apollo4p-sim"}, "--backend tflm is profiled in QEMU alone."),
    (
        profile,
        {"backend": "tflm", "layers": True},
        "--layers shows layers, which are profiled of generated C alone.",
    ),
    (profile, {"target": "apollo4p", "picture": "x.png"}, "--picture shows instructions by layer."),
    (profile, {"backend": "tflm", "html": "x.html"}, "--html shows what generated C costs."),
    (
        profile,
        {"backend": "tflm", "picture": "x.png"},
        "--picture shows layers, which are profiled of generated C alone.",
    ),
    (profile, {"page": "x.md"}, "--page shows times, which QEMU does not know, or a comparison."),
    (bringup, {"target": "apollo4p-sim", "port": "/dev/ttyACM0"}, "--port does not apply to target apollo4p-sim."),
    (bringup, {"target": "apollo4p-sim", "serial": "1"}, "--serial does not apply to target apollo4p-sim."),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Puts the path of a real model that is no segmenter where a row names one."""
    path = tmp_path_factory.mktemp("models") / NO_SEGMENTER
    path.write_bytes(RandomNetwork(14, 4, ("CONV_2D", "DEPTHWISE_CONV_2D")).content)
    return lambda typed: {name: str(path) if word == NO_SEGMENTER else word for name, word in typed.items()}


def name_of(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def fields_of(module: ModuleType) -> tuple[Declared, ...]:
    return declared(options_of(module.run))


def test_tasks_py_lists_every_file_of_a_task_and_no_more() -> None:
    module, _ = FilesystemLoader(start=str(paths.ROOT)).load("tasks")
    assert module.TASKS == TASKS
    with_options = {
        path.stem
        for path in Path(str(options.__file__)).parent.glob("*.py")
        if re.search(r"^class Options\b", path.read_text(), re.M)
    }
    assert with_options == {name_of(task) for task in TASKS}
    assert len((paths.ROOT / "tasks.py").read_text().splitlines()) <= 120


@pytest.mark.parametrize("module", TASKS, ids=name_of)
def test_every_option_is_explained_and_its_default_is_the_one_it_tells(module: ModuleType) -> None:
    built = options_of(module.run)()
    for field in fields_of(module):
        assert field.help.endswith((".", ").")), field
        default = getattr(built, field.field)
        told = re.search(r"default ([\w-]+)(?:\.$|\.? )", field.help)
        if isinstance(default, bool):
            assert default is False
        elif default not in (None, 0):
            assert told is not None, field
            assert told.group(1) == str(default), field
        if field.known is not None and default is not None:
            assert default in field.known()


@pytest.mark.parametrize("module", TASKS, ids=name_of)
def test_the_help_of_an_option_speaks_of_nothing_that_it_does_not_name(module: ModuleType) -> None:
    for field in fields_of(module):
        assert not re.match(r"(?:Its|Their|Where it|That|Of the)\b", field.help), field


@pytest.mark.parametrize("module", TASKS, ids=name_of)
def test_an_option_that_may_be_typed_several_times_names_its_value_itself(module: ModuleType) -> None:
    # `--help` shows =STRING and =INT, but nothing behind an option of several words.
    for field in fields_of(module):
        if field.several:
            assert re.match(r"[A-Z]+: ", field.help), field


@pytest.mark.parametrize("module", TASKS, ids=name_of)
def test_a_shared_option_is_the_same_in_every_task(module: ModuleType) -> None:
    built = options_of(module.run)()
    for field in fields_of(module):
        if field.field not in SHARED:
            continue
        shared = SHARED[field.field]
        assert (field.flag, field.kind, field.output) == (shared.flag, shared.kind, shared.output)
        if (name_of(module), field.field) not in OWN_WORDS:
            assert field.help == shared.help
        (group,) = (
            group for group in GROUPS if field.field in group.__annotations__ and group.__module__ == options.__name__
        )
        assert getattr(built, field.field) == getattr(group(), field.field)


def test_a_result_for_machines_is_always_a_file_that_is_tried_first() -> None:
    places = {field.field: field.output for module in TASKS for field in fields_of(module) if field.output}
    assert set(places) == {"json", "html", "picture", "page", "out", "parquet", "junit"}


def test_rules_name_options_and_words_that_exist() -> None:
    everywhere = {field.field for module in TASKS for field in fields_of(module)}
    for module in TASKS:
        known = {field.field: field.known for field in fields_of(module)}
        for field in fields_of(module):
            for rule in field.rules:
                assert set(rule.others()) <= everywhere
                if isinstance(rule, AppliesTo):
                    assert_words_are_known(rule, known)


def assert_words_are_known(rule: AppliesTo, known: dict[str, Any]) -> None:
    for name, wanted in rule.values.items():
        words = known.get(name)
        if words is not None:
            assert {word for word in (wanted() if callable(wanted) else wanted) if word} <= set(words())


def test_port_and_serial_number_belong_to_the_targets_that_have_them() -> None:
    assert options.boards() == tuple(sorted(name for name, target in targets().items() if target.real_port))
    assert "apollo4p" in options.boards()


@pytest.mark.parametrize(
    ("module", "typed", "what"), REFUSED, ids=[f"{name_of(row[0])}-{'-'.join(row[1])}" for row in REFUSED]
)
def test_an_option_that_does_not_apply_is_refused_before_any_work(
    module: ModuleType,
    typed: dict[str, Any],
    what: str,
    place: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        start(module.run, **place(typed))
    assert caught.value.what == what
    assert caught.value.why
    assert caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_every_rule_of_every_task_has_its_row(place: Place) -> None:
    wanted = {
        (name_of(module), field.field, index)
        for module in TASKS
        for field in fields_of(module)
        for index, rule in enumerate(field.rules)
        if set(rule.others()) & {other.field for other in fields_of(module)}
    }
    assert {row for module, typed, _ in REFUSED for row in broken(module, place(typed))} == wanted


def broken(module: ModuleType, words: dict[str, Any]) -> set[tuple[str, str, int]]:
    """Task, field and number of the rules that what was typed breaks."""
    fields = {field.field: field for field in fields_of(module)}
    values = {name: fields[name].value(word) for name, word in words.items()}
    flags = {name: field.flag for name, field in fields.items()}
    typed = Typed(vars(options_of(module.run)(**values)), frozenset(values), flags)
    return {
        (name_of(module), name, index)
        for name in values
        for index, rule in enumerate(fields[name].rules)
        if is_broken(rule, name, typed)
    }


def is_broken(rule: Rule, field: str, typed: Typed) -> bool:
    try:
        rule.check(field, typed)
    except UsageError:
        return True
    return False


@pytest.mark.parametrize(
    ("module", "typed"),
    [
        (build, {"backend": "tflm", "tflm_dir": "tree"}),
        (hil_test, {"target": "apollo4p", "port": "/dev/ttyACM0", "serial": "1", "baud": 230400}),
        (hil_test, {"replay": KEPT, "tflite": OTHER}),
        (hil_test, {"tflite": SEGMENTER, "records": "181", "leads": "ii"}),
        (hil_test, {"tflite": NO_SEGMENTER, "target": "host"}),
        (hil_test, {"model": NO_SEGMENTER, "target": "host"}),
        (hil_test, {"model": SEGMENTER, "records": "181", "leads": "ii"}),
        (segment, {"file": "day.hea", "target": "apollo4p", "port": "/dev/ttyACM0", "serial": "1", "baud": 230400}),
        (segment, {"file": "day", "channel": "all", "unit": "mV", "check": True, "bazett": True}),
        (flash, {"port": "/dev/ttyACM0", "serial": "1"}),
        (flash, {"dry_run": True, "serial": "1"}),
        (train, {"ludb": "ludb"}),
        (train, {"model": "seg-2-tcn-sm", "ludb": "ludb"}),
        (train, {"config": "mine.json", "ludb": "ludb"}),
        (sweep, {"file": "grid.toml", "on": "tcp://10.0.0.5:8786", "ludb": "ludb", "json": "x.json"}),
        (evaluate, {"cv": 5, "steps": 100, "ludb": "ludb", "json": "x.json"}),
        (evaluate, {"cv": 0, "records": "1"}),
        (evaluate, {"cv": 3, "database": "qtdb", "ludb": "ludb", "on": "tcp://10.0.0.5:8786"}),
        (zoo, {"measure": True, "model": "seg-2-tcn-sm", "ludb": "ludb"}),
        (zoo, {"models": "mine"}),
        (profile, {"layers": True, "picture": "x.png"}),
        (profile, {"backend": "tflm", "page": "x.md", "tflm_dir": "tree"}),
        (profile, {"backend": "tflm", "cmsis_nn_dir": "tree", "tinyengine_dir": "tree"}),
        (profile, {"target": "apollo4p", "page": "x.md", "layers": True, "port": "/dev/ttyACM0"}),
        (bringup, {"port": "/dev/ttyACM0", "serial": "1"}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else name_of(value),
)
def test_an_option_that_applies_reaches_the_work(module: ModuleType, typed: dict[str, Any], place: Place) -> None:
    reached: list[Any] = []

    def work(options: Any) -> None:
        reached.append(options)

    work.__annotations__["options"] = options_of(module.run)
    start(work, **place(typed))
    assert len(reached) == 1
