"""Writes what was found in a recording: annotations and tables, all whole before the first takes its place."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from pathlib import Path

from ecgseg.data.writers.marks import Mark, in_order, marks_of
from ecgseg.data.writers.tables import beat_table, signal_table
from ecgseg.data.writers.wfdb_annotations import annotation_file
from ecgseg.files import safe_name
from ecgseg.output import replacing
from ecgseg.segment.result import Done

ANNOTATOR = "ecgseg"


def result_files(folder: Path, name: str) -> dict[str, Path]:
    """Where the results of a recording go, by kind."""
    return {
        "annotations": folder / f"{name}.{ANNOTATOR}",
        "beats": folder / f"{name}.events.csv",
        "signal": folder / f"{name}.signal.csv",
    }


def picture_names(name: str, done: list[Done]) -> list[str]:
    """File names of the pictures of channels, each another one, whatever the channels are called."""
    names: list[str] = []
    for one in done:
        called = safe_name(one.channel.label)
        wanted = f"{name}.{called}.png"
        names.append(wanted if wanted not in names else f"{name}.{called}-{one.channel.number}.png")
    return names


def write_results(files: dict[str, Path], done: list[Done], rate: int) -> None:
    """Writes annotations and tables of the channels that were sent.

    Args:
        files: as from `result_files`.
        done: the channels.
        rate: of the recording's samples, Hz.

    Raises:
        OutputError: they cannot be written; those that were there before are still.
    """
    tables = {"beats": beat_table, "signal": signal_table}
    with replacing(*files.values()) as places:
        for kind, place in zip(files, places, strict=True):
            if kind in tables:
                with place.open("w", encoding="utf-8", newline="") as table:
                    table.writelines(tables[kind](one.told for one in done))
            else:
                marks = heapq.merge(*(_marks(one, rate) for one in done))
                with place.open("wb") as annotations:
                    annotations.writelines(annotation_file(marks, rate))


def _marks(done: Done, rate: int) -> Iterable[Mark]:
    channel = done.channel
    marks = (mark for event in done.spool for mark in marks_of(event, channel.number, rate, channel.samples))
    return in_order(marks, rate)
