"""Kept vectors come back as they were; what is none is refused."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from ecgseg.data.databases.ludb import LEADS, parse_records
from ecgseg.data.inputs import choose_inputs
from ecgseg.errors import DataError
from ecgseg.hil import vectors

VECTOR = vectors.Vector(
    target="host",
    model="seg-4-tcn-sm",
    model_sha256="ab" * 32,
    record=14,
    lead="avr",
    frame=2,
    rate=500,
    samples=np.array([1, -32768, 32767], dtype=np.int16),
    expected={"input": b"\x00\xff", "segments": b""},
    actual={"input": b"\x01\xff", "segments": b"\x01\x02\x00\x03\x00"},
)


def test_a_vector_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    path = vectors.save(VECTOR, tmp_path / "deep" / "folder")
    again = vectors.load(path)
    for field in fields(VECTOR):
        before, after = getattr(VECTOR, field.name), getattr(again, field.name)
        assert np.array_equal(before, after) if field.name == "samples" else before == after
    assert again.as_record().samples.dtype == np.int16
    assert again.as_record().source == "replay"


@pytest.mark.parametrize("content", [b"", b"not a vector", b"PK\x03\x04 half a zip", None])
def test_what_is_no_vector_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "vector.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="not a vector"):
        vectors.load(path)


def test_a_file_with_objects_inside_is_not_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "objects.npz"
    np.savez(path, about=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match="not a vector"):
        vectors.load(path)


def test_without_ludb_the_same_number_of_synthetic_records_stands_in_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ECGSEG_LUDB", raising=False)
    monkeypatch.setattr("ecgseg.paths.LOCAL_LUDB", tmp_path / "none")
    monkeypatch.setattr("ecgseg.paths.SHARED_LUDB", tmp_path / "neither")
    inputs = choose_inputs((181, 182, 190), ("ii", "v1"))
    assert (inputs.source, inputs.records, inputs.count) == ("synthetic", (1, 2, 3), 6)
    assert "not of patients" in inputs.statement
    records = list(inputs)
    assert [(record.record_id, record.lead) for record in records] == [
        (number, lead) for number in (1, 2, 3) for lead in ("ii", "v1")
    ]
    assert all(record.source == "synthetic" and record.span is not None for record in records)


def test_a_named_folder_without_ludb_is_an_error_and_not_synthetic(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no LUDB"):
        choose_inputs(parse_records("test"), LEADS, tmp_path)
