"""Every input that is kept, those of mended findings (`found-...`) among them, ends in a result or an EcgsegError."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from ecgseg.fuzz.child import reader
from ecgseg.fuzz.kinds import CORPORA, DEVICE, KINDS
from ecgseg.fuzz.mutate import change_json
from ecgseg.fuzz.records import pack, records
from ecgseg.fuzz.run import fuzzer_command, run_again

READ = [path for kind in KINDS.values() if kind.name != DEVICE for path in sorted(kind.corpus.iterdir())]


@pytest.mark.parametrize("path", READ, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_reader_ends_in_a_result_or_an_error_of_three_parts(path: Path) -> None:
    reader(path.parent.name)(path.read_bytes())


@pytest.mark.skipif(shutil.which("clang") is None, reason="needs clang and libclang-rt")
@pytest.mark.parametrize("path", sorted(KINDS[DEVICE].corpus.iterdir()), ids=lambda path: path.name)
def test_the_device_takes_it_without_a_sanitizers_report(path: Path) -> None:
    good, said = run_again(KINDS[DEVICE], path)
    assert good, said


@pytest.mark.skipif(shutil.which("clang") is None, reason="needs clang and libclang-rt")
def test_the_devices_mutator_keeps_to_the_largest_input(tmp_path: Path) -> None:
    """An input as large as may be whose last record is empty leaves no byte to change in it."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "full").write_bytes(pack([(0, b"\0\1"), (1, b"")]))
    arguments = ["-max_len=8", "-len_control=0", "-runs=5000", "-seed=1", f"-artifact_prefix={tmp_path}/", str(corpus)]
    ended = subprocess.run([*fuzzer_command(KINDS[DEVICE]), *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert max(path.stat().st_size for path in corpus.iterdir()) <= 8


def test_every_kind_has_inputs_to_start_from_and_no_folder_is_without_a_kind() -> None:
    assert {path.name for path in CORPORA.iterdir()} == set(KINDS)
    assert all(any(kind.corpus.iterdir()) for kind in KINDS.values())
    too_large = [p for kind in KINDS.values() for p in kind.corpus.iterdir() if p.stat().st_size > kind.largest]
    assert too_large == []


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (b"", []),
        (b"\1\2", []),
        (b"\1\2\0ab", [(1, b"ab")]),
        (b"\1\2\0ab\7\0\0", [(1, b"ab"), (7, b"")]),
        (b"\1\xff\xffab", [(1, b"ab")]),
        (b"\1\1\0ab\0", [(1, b"a")]),
    ],
)
def test_any_bytes_are_records(data: bytes, read: list[tuple[int, bytes]]) -> None:
    assert list(records(data)) == read
    assert list(records(pack(read))) == read


def test_most_changes_of_a_configuration_leave_json_and_the_others_keep_to_the_limit() -> None:
    whole = (KINDS["config"].corpus / "configuration").read_bytes()
    changed = {change_json(whole, 1 << 13, seed) for seed in range(200)} - {whole}
    parsed = [data for data in changed if _is_json(data[1:])]
    assert len(parsed) > 100
    assert len(parsed) < len(changed)
    for odd in (whole, b"", b"x{", b"x[]", b"x" + b"[" * 100_000):
        assert all(len(change_json(odd, 10, seed)) <= 10 for seed in range(50))


def _is_json(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict)
    except ValueError:
        return False
