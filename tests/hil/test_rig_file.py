"""The file of a rig: what is wrong in it is told by file, target and key, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecgseg.errors import DataError
from ecgseg.hil.rig.file import DEFAULT_SECONDS, read_rig_file
from ecgseg.hil.rig.jobs import jobs_of

GOOD = """
[[target]]
name = "pc"
target = "host"
models = ["seg-4-tcn-sm", "stream-4-tcn-sm"]
records = "1,2"
leads = "ii"
inject = "flip=1e-3"

[[target]]
name = "board-1"
target = "apollo4p"
port = "/dev/ttyACM0"
serial = "001"
baud = 921600
flash = true
models = ["seg-2-tcn-sm"]
seconds = 60

[[target]]
name = "far"
target = "qemu"
port = "rfc2217://10.0.0.7:4000"
models = ["stream-4-tcn-sm"]
stream = true
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "rig.toml"
    path.write_text(text)
    return path


def told(folder: Path, text: str) -> str:
    with pytest.raises(DataError) as caught:
        read_rig_file(written(folder, text))
    assert "rig.toml" in caught.value.what
    assert caught.value.exit_code == 3
    return caught.value.why


def test_each_model_of_each_target_is_a_test_with_the_words_of_its_keys(tmp_path: Path) -> None:
    rig = read_rig_file(written(tmp_path, GOOD))
    first, second, board, far = jobs_of(rig, tmp_path, ("invoke",), ("--ludb", "/ludb"), resume=True)
    assert [job.stem for job in (first, board)] == ["01-pc-seg-4-tcn-sm", "03-board-1-seg-2-tcn-sm"]
    (words,) = second.commands
    places = ("--json", str(second.json), "--html", str(second.html))
    model = "--model stream-4-tcn-sm --inject flip=1e-3 --records 1,2 --leads ii --ludb /ludb"
    assert words == ("invoke", "hil-test", "--target", "host", *model.split(), *places)
    flash, test = board.commands
    place = ("--port", "/dev/ttyACM0", "--serial", "001")
    assert flash == ("invoke", "flash", "--model", "seg-2-tcn-sm", *place)
    assert test[10:15] == ("--baud", "921600", "--ludb", "/ludb", "--resume")
    assert (board.seconds, far.seconds) == (60, DEFAULT_SECONDS)
    assert "--stream" in far.commands[0]
    assert "rfc2217://10.0.0.7:4000" in far.commands[0]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('leads = "ii"', 'laeds = "ii"', "pc, laeds: there is no such key. Did you mean 'leads'?"),
        ("[[target]]", "[[targets]]", "targets: there is no such key. Did you mean 'target'?"),
        ('target = "host"', "", "pc, target: it is missing"),
        ('name = "pc"', "", "[[target]] number 1, name: it is missing"),
        ('name = "pc"', 'name = "p/c"', "p/c, name: String should match pattern"),
        ('target = "host"', 'target = "hots"', "pc, target: there is no such target. Did you mean 'host'?"),
        ('records = "1,2"', "records = 1", "pc, records: Input should be a valid string (found 1)"),
        ("baud = 921600", 'baud = "921600"', "board-1, baud: Input should be a valid integer (found '921600')"),
        ("flash = true", 'flash = "yes"', "board-1, flash: Input should be a valid boolean"),
        ('models = ["seg-2-tcn-sm"]', "models = []", "board-1, models: Tuple should have at least 1 item"),
        ('models = ["seg-2-tcn-sm"]', 'models = "seg-2-tcn-sm"', "board-1, models: Input should be a valid tuple"),
        ('name = "far"', 'name = "pc"', "name: 2 targets have 'pc'; each needs its own"),
        ('"rfc2217://10.0.0.7:4000"', '"rfc2217://10.0.0.7"', "far, port: The address rfc2217://10.0.0.7 is none"),
        ('"rfc2217://10.0.0.7:4000"', '"/dev/ttyACM1"', "far, port: qemu is started here and brings its own"),
        ('inject = "flip=1e-3"', 'inject = "flap=1"', "pc, inject: --inject does not know 'flap=1'"),
        ('leads = "ii"', "baud = 9600", "pc, baud: it is about a board, and host is none"),
        ('models = ["seg-2-tcn-sm"]', 'models = ["a", "a"]', "board-1, models: one of them is named twice"),
        (
            'port = "rfc2217://10.0.0.7:4000"\nmodels = ["stream-4-tcn-sm"]',
            'port = "rfc2217://10.0.0.7:4000"\nmodels = ["a", "b"]',
            "far, models: what stands behind a port runs one model",
        ),
        ('name = "pc"', "name = ", "It is no TOML"),
    ],
)
def test_what_is_wrong_is_told_by_target_and_key(tmp_path: Path, old: str, new: str, why: str) -> None:
    assert old in GOOD
    assert told(tmp_path, GOOD.replace(old, new, 1)).startswith(why)


def test_a_file_without_targets_or_no_file_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, "") == "target: it is missing"
    with pytest.raises(DataError, match="cannot be read") as caught:
        read_rig_file(tmp_path / "none.toml")
    assert caught.value.why == "No such file or directory."
