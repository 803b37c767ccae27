"""Kept vectors come back as they were; what is none is refused."""

from __future__ import annotations

import contextlib
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from ecgseg.data.databases.ludb import LEADS, parse_records
from ecgseg.data.inputs import choose_inputs
from ecgseg.errors import DataError, GraphError
from ecgseg.hil import vectors
from ecgseg.hil.runner import HilOptions, replayed_model, run
from ecgseg.models import find_model
from support import small_models

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


CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as kept:
        return dict(kept)


WRONG: dict[str, dict[str, np.ndarray]] = {
    "samples as text": {"samples": np.array(["1", "2"])},
    "one sample without a row": {"samples": np.array(5, np.int16)},
    "samples in two rows": {"samples": np.zeros((2, 2), np.int16)},
    "no samples": {"samples": np.zeros(0, np.int16)},
    "struct samples": {"samples": np.zeros(3, [("a", np.int16), ("b", np.int8)])},
    "float samples": {"samples": np.full(3, np.nan)},
    "int8 samples at a rate": {"samples": np.zeros(3, np.int8)},
    "complex samples": {"samples": np.zeros(3, np.complex64)},
    "a rate that no preprocessor takes": {"numbers": np.array([14, 2, 7])},
    "a negative rate": {"numbers": np.array([14, 2, -500])},
    "a record below zero": {"numbers": np.array([-1, 2, 500])},
    "two numbers": {"numbers": np.array([14, 2])},
    "numbers as floats": {"numbers": np.array([14.0, 2.0, 500.0])},
    "a model with escape sequences": {"about": np.array(["host", "\x1b[2Jseg", "ab" * 32, "ii"])},
    "a model in two lines": {"about": np.array(["host", "seg\nPASS", "ab" * 32, "ii"])},
    "no model": {"about": np.array(["host", "", "ab" * 32, "ii"])},
    "a lead that is a path": {"about": np.array(["host", "seg", "ab" * 32, "../ii"])},
    "no digest": {"about": np.array(["host", "seg", "xyz", "ii"])},
    "about as bytes": {"about": np.array([b"host", b"seg", b"ab", b"ii"])},
    "results as text": {"expected_input": np.array(["a"])},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=list(WRONG))
def test_a_well_formed_archive_that_is_no_vector_is_one_printable_error(
    tmp_path: Path, change: dict[str, np.ndarray]
) -> None:
    path = tmp_path / "vector.npz"
    np.savez(path, allow_pickle=False, **(arrays_of(vectors.save(VECTOR, tmp_path)) | change))
    with pytest.raises(DataError, match="not a vector") as caught:
        vectors.load(path)
    assert str(caught.value).replace("\n", "").isprintable()
    assert caught.value.exit_code == 3


def test_a_damaged_archive_is_a_vector_or_one_error(tmp_path: Path) -> None:
    whole = vectors.save(VECTOR, tmp_path).read_bytes()
    path, rng, refused = tmp_path / "damaged.npz", np.random.default_rng(11), 0
    for _ in range(600):
        damaged = bytearray(whole)
        for position in rng.integers(0, len(whole), rng.integers(1, 4)):
            damaged[position] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged[: int(rng.choice([len(whole), rng.integers(1, len(whole))], p=[0.9, 0.1]))])
        with contextlib.suppress(DataError):
            vectors.load(path)
            continue
        refused += 1
    assert refused > 300


@pytest.mark.parametrize("path", sorted(CASES.glob("replay-*.npz")), ids=lambda path: path.stem)
def test_a_kept_archive_that_once_failed_is_one_error(path: Path) -> None:
    with pytest.raises(DataError, match="not a vector"):
        vectors.load(path)


def test_a_vector_that_its_model_does_not_take_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    model, takes_no_ecg = find_model(), tmp_path / "long.tflite"
    takes_no_ecg.write_bytes(small_models.segmenter(2, length=300))  # longer than a segmenter's frames
    fitting = replace(VECTOR, model=model.name, model_sha256=model.sha256)
    for wrong in (
        replace(VECTOR, model=str(takes_no_ecg), model_sha256=find_model(tflite=takes_no_ecg).sha256),
        replace(fitting, rate=0, samples=np.zeros(250, np.int8)),
    ):
        with pytest.raises(DataError, match="does not fit its model"):
            run(HilOptions("host", replay=vectors.save(wrong, tmp_path)))


@pytest.mark.parametrize("name", ["a\nb\x1b[2J", "a\udcff"])
def test_a_vector_of_a_model_with_an_odd_name_is_run_again_with_its_file_named(tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.tflite"
    file.write_bytes(find_model("seg-2-tcn-sm").data)
    model = find_model(tflite=file)
    path = vectors.save(replace(VECTOR, model=vectors.name_of(model), model_sha256=model.sha256), tmp_path)
    kept = vectors.load(path)
    with pytest.raises(GraphError, match="--tflite"):
        replayed_model(kept, HilOptions("host", replay=path))
    assert replayed_model(kept, HilOptions("host", replay=path, tflite=file)).sha256 == model.sha256


def test_a_vector_whose_model_is_a_device_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = vectors.save(replace(VECTOR, model="/dev/zero"), tmp_path)
    with pytest.raises(GraphError, match="a device, not a file"):
        run(HilOptions("host", replay=path))


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
