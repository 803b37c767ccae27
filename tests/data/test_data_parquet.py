"""One Parquet file for many recordings: rows of the tables, typed; those of other recordings stay."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecgseg import paths
from ecgseg.data.writers import parquet
from ecgseg.data.writers.parquet import COLUMNS, Origin, check_parquet, put_parquet
from ecgseg.data.writers.tables import ChannelEvents, beat_table, signal_table
from ecgseg.errors import DataError
from ecgseg.pipeline.events import Event, EventKind
from support.lazily import Lazily, needs_pyarrow
from support.metronome import beat

needs_pyarrow()
pa, pq = Lazily("pyarrow"), Lazily("pyarrow.parquet")

ORIGIN = Origin("/ward/day", "day", 360, "host", "stream-4-tcn-lg", "ab" * 32)
LONE_P = Event(700, 0, 0, EventKind.LONE_P)


def channel(count: int = 7, name: str = "II", complete: bool = True) -> ChannelEvents:
    off = [Event(900, 0, 0, EventKind.LEAD_OFF_BEGIN), Event(1300, 0, 400, EventKind.LEAD_OFF_END)]
    return ChannelEvents(name, [beat(0, flags=0), *map(beat, range(1, count)), LONE_P, *off], 9.5, complete)


def rows(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


def is_same(value: object, text: str) -> bool:
    """A value as the field of a table that tells it."""
    return value == (text if isinstance(value, str) else float(text) if text else None)


def test_rows_are_those_of_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "new" / "all.parquet"
    put_parquet(path, ORIGIN, [(3, channel())])
    beats = [row for row in rows(path) if row["what"] == "beat"]
    for told, row in zip(csv.DictReader(beat_table([channel()])), beats, strict=True):
        assert [name for name, text in told.items() if not is_same(row[name], text)] == []
    others = [row for row in rows(path) if row["what"] != "beat"]
    for told, row in zip(csv.DictReader(signal_table([channel()])), others, strict=True):
        assert [name for name in ("channel", "what", "begin_s", "end_s") if not is_same(row[name], told[name])] == []
        assert row["r_s"] is None


def test_values_have_the_types_of_their_columns(tmp_path: Path) -> None:
    path = tmp_path / "all.parquet"
    put_parquet(path, ORIGIN, [(3, channel())])
    first, second, *_ = found = rows(path)
    assert {tuple(row) for row in found} == {tuple(COLUMNS)}
    assert {(row["file"], row["rate_hz"], row["channel_number"]) for row in found} == {("/ward/day", 360, 3)}
    assert (first["p_onset_s"], first["rr_ms"], first["p_absent"]) == (None, None, True)
    assert (second["r_s"], second["rr_ms"], second["p_absent"], second["r_mv"]) == (1.5, 1000, False, 0.0)


def test_rows_of_a_recording_take_the_place_of_those_that_it_had(tmp_path: Path) -> None:
    path = tmp_path / "all.parquet"
    night = replace(ORIGIN, file="/ward/night", recording="night")
    put_parquet(path, ORIGIN, [(0, channel(3, complete=False))])
    put_parquet(path, night, [(0, channel(4)), (1, channel(5, "V1"))])
    put_parquet(path, ORIGIN, [(0, channel(6))])
    beats = [(row["recording"], row["channel"]) for row in rows(path) if row["what"] == "beat"]
    assert beats == [("night", "II")] * 4 + [("night", "V1")] * 5 + [("day", "II")] * 6
    assert [row["what"] for row in rows(path) if row["what"] in ("complete", "stopped")] == ["complete"] * 3
    assert [place.name for place in tmp_path.iterdir()] == ["all.parquet"]


def test_many_rows_are_written_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_ROWS_A_GROUP", 100)
    path = tmp_path / "all.parquet"
    for file in ("a", "b"):
        put_parquet(path, replace(ORIGIN, file=file), [(0, channel(250))])
    metadata = pq.ParquetFile(path).metadata
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [100, 100, 53] * 2
    assert len(rows(path)) == 506


def other_columns(path: Path) -> None:
    pq.write_table(pa.table({"file": ["a"], "r_s": [1.0]}), path)


def other_types(path: Path) -> None:
    put_parquet(path, ORIGIN, [(0, channel())])
    table = pq.read_table(path)
    pq.write_table(table.set_column(4, "rate_hz", table["rate_hz"].cast(pa.int64())), path)


def too_many_rows(path: Path) -> None:
    put_parquet(path, ORIGIN, [(0, channel())])
    pq.write_table(pq.read_table(path).take([0] * 16_385), path)


def no_table(path: Path) -> None:
    path.write_bytes(b"PAR1 and nothing else PAR1")


@pytest.mark.parametrize("make", [other_columns, other_types, too_many_rows, no_table])
def test_what_else_is_there_is_refused_and_stays(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "all.parquet"
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(DataError, match="cannot be kept"):
        check_parquet(path)
    with pytest.raises(DataError, match="cannot be kept"):
        put_parquet(path, ORIGIN, [(0, channel())])
    assert before == (path.read_bytes() if path.is_file() else b"")
    assert [place.name for place in tmp_path.iterdir()] == ["all.parquet"]


def test_the_page_of_formats_tells_every_column() -> None:
    page = (paths.ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \| (string|int32|double|bool) \|", page, re.MULTILINE)
    assert dict(told) == COLUMNS
