"""Writes what was found in many recordings as one Parquet file: a row for each beat and stretch of the signal.

The rows are those of the tables (`ecgseg.data.writers.tables`), with numbers as numbers and null for what is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ecgseg.data.writers.tables import BEAT_COLUMNS, SIGNAL_COLUMNS, ChannelEvents, beat_fields, signal_fields
from ecgseg.errors import ContentError, DataError, cause
from ecgseg.files import checked_size
from ecgseg.output import replacing
from ecgseg.pipeline.events import EventKind
from ecgseg.printable import printable

COLUMNS = {
    "file": "string",
    "recording": "string",
    "channel_number": "int32",
    "channel": "string",
    "rate_hz": "int32",
    "target": "string",
    "model": "string",
    "model_sha256": "string",
    "what": "string",
    "begin_s": "double",
    "end_s": "double",
    "r_s": "double",
    "p_onset_s": "double",
    "p_offset_s": "double",
    "qrs_onset_s": "double",
    "qrs_offset_s": "double",
    "t_onset_s": "double",
    "t_offset_s": "double",
    "rr_ms": "int32",
    "heart_rate_bpm": "double",
    "pr_ms": "int32",
    "qrs_ms": "int32",
    "qt_ms": "int32",
    "qtc_ms": "int32",
    "qtc_formula": "string",
    "p_absent": "bool",
    "r_mv": "double",
    "quality_percent": "int32",
}
"""Name and type of each column (docs/formats.md)."""
BEAT = "beat"
"""What a row of a beat is; others are as in the table of the signal."""

_FROM_TEXT: dict[str, Any] = {"string": str, "int32": int, "double": float, "bool": lambda text: text == "1"}
_ROWS_A_GROUP = 1 << 14
_MOST_BYTES = 1 << 36
_REMEDY = "Name another file with --parquet, or move this one away."


@dataclass(frozen=True)
class Origin:
    """What all rows of a recording tell.

    Attributes:
        file: path of the recording, absolute; rows of the same file take each other's place.
        recording: its name.
        rate_hz: samples a second.
        target, model, model_sha256: what ran, and where.
    """

    file: str
    recording: str
    rate_hz: int
    target: str
    model: str
    model_sha256: str


Row = dict[str, Any]


def check_parquet(path: Path) -> None:
    """Refuses a place that holds something else, before the work whose results go there.

    Raises:
        DataError: there is a file with other columns, or one that cannot be read.
    """
    for _ in _groups(path):
        return


def put_parquet(path: Path, origin: Origin, channels: Sequence[tuple[int, ChannelEvents]]) -> None:
    """Puts the rows of a recording in the place of those that it had; those of others stay.

    Args:
        path: of the file; made where it is missing.
        origin: of the rows.
        channels: number in the recording, and what was found.

    Raises:
        DataError: there is a file with other columns, or one that cannot be read.
        OutputError: it cannot be written; the older one is still there.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    schema = _schema()
    rows = _rows(origin, channels)
    with replacing(path) as (partial,), pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        for group in _groups(path):
            writer.write_table(group.filter(pc.not_equal(group["file"], origin.file)))
        while some := list(islice(rows, _ROWS_A_GROUP)):
            writer.write_table(pa.Table.from_pylist(some, schema=schema))


def _schema() -> Any:
    import pyarrow as pa

    kinds = {"string": pa.string(), "int32": pa.int32(), "double": pa.float64(), "bool": pa.bool_()}
    return pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])


def _groups(path: Path) -> Iterator[Any]:
    """The groups of rows of a file, one at a time; none where there is no file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.exists():
        return
    try:
        checked_size(path, _MOST_BYTES)
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(_schema()):
                raise ContentError("it has other columns")
            told = file.metadata
            if any(told.row_group(n).num_rows > _ROWS_A_GROUP for n in range(told.num_row_groups)):
                raise ContentError(f"it has more than {_ROWS_A_GROUP} rows in a group, as no file of this task")
            for number in range(told.num_row_groups):
                yield file.read_row_group(number)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(
            f"The rows of '{path}' cannot be kept.", cause(error, "It is no Parquet file, or damaged."), _REMEDY
        ) from error


def _rows(origin: Origin, channels: Iterable[tuple[int, ChannelEvents]]) -> Iterator[Row]:
    for number, channel in channels:
        same = asdict(origin) | {"channel_number": number, "channel": printable(channel.name)}
        for event in channel.events:
            if event.kind == EventKind.BEAT:
                yield same | {"what": BEAT} | _typed(BEAT_COLUMNS[1:], beat_fields(event))
        for fields in signal_fields(channel):
            yield same | _typed(SIGNAL_COLUMNS[1:-1], fields[:-1])


def _typed(names: Iterable[str], fields: Iterable[str]) -> Row:
    """Fields of a table as values of their columns' types."""
    return {name: _FROM_TEXT[COLUMNS[name]](text) if text else None for name, text in zip(names, fields, strict=True)}
