"""A database of a user's own: from the file that declares it and the folder beside it to what the loader reads."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from ecgseg.data.databases.declaration import ALL, Database
from ecgseg.data.databases.loader import RATE
from ecgseg.data.databases.own_file import MOST_LEADS, MOST_RECORDS, OwnFile, is_name, read_own_file, unknown_members
from ecgseg.data.databases.stretches import annotated_stretches
from ecgseg.data.opening import open_recording
from ecgseg.data.readers.wfdb import UNREADABLE, About, parse_waves, read_marks
from ecgseg.data.recording import Channel, Recording, Told, pieces, scale_of
from ecgseg.data.records import Record, Wave
from ecgseg.errors import ContentError, DataError, UsageError, cause
from ecgseg.files import is_file, plain

LEAST_RATE = 50
# As stored and at 500 Hz: 4.6 hours.
MOST_SAMPLES = 1 << 23
_PER_LEAD = "{lead}"
_HEADER = ".hea"
_UNSAFE = re.compile(r"[^a-z0-9_-]")
_LONGEST_LEAD = 36
_LEAST_PATIENTS = 3
_SHOWN = 5


def declared(path: Path) -> Database:
    """The database that a file declares.

    Args:
        path: of the TOML file.

    Raises:
        DataError: the file is not valid, or its folder does not hold what it says.
    """
    said = read_own_file(path)
    folder = path.parent / said.folder
    names = _names(path, said, folder)
    reader = _OwnReader(said)
    sets = _sets(path, said, names)
    leads = _leads(path, reader, folder, names)
    numbers = {name: number for number, name in enumerate(names, 1)}
    return Database(
        key=said.name,
        title=said.name,
        licence=said.licence,
        citation=said.citation,
        reader=reader,
        find=lambda option: folder,
        select=lambda text: _selected(text, names, sets),
        number=numbers.__getitem__,
        sets=lambda: sets,
        leads=leads,
        known=", ".join(leads),
        leads_of=reader.leads,
        stretches=annotated_stretches if said.annotated == "runs" else None,
        waves=said.waves,
        to_read=f"Correct its files, or take the record out of {plain(str(path))}.",
    )


def _names(path: Path, said: OwnFile, folder: Path) -> tuple[str, ...]:
    """Names of the records: those listed, or what the pattern finds, in order."""
    if not isinstance(said.records, str):
        return tuple(dict.fromkeys(said.records))
    try:
        found = sorted(islice(filter(is_file, folder.glob(said.records)), MOST_RECORDS + 1))
    except (OSError, ValueError, NotImplementedError) as error:
        raise _no_records(path, said, cause(error, "It is no pattern.")) from error
    names = [file.relative_to(folder).as_posix() for file in found]
    if said.reader == "wfdb":
        names = [name.removesuffix(_HEADER) for name in names if name.endswith(_HEADER)]
    if not 1 <= len(names) <= MOST_RECORDS:
        raise _no_records(path, said, f"There are more than {MOST_RECORDS}." if names else "There are none.")
    strange = next((name for name in names if not is_name(name)), None)
    if strange is not None:
        raise _no_records(path, said, f"'{plain(strange, 60)}' holds a comma or what cannot be printed.")
    return tuple(names)


def _leads(path: Path, reader: _OwnReader, folder: Path, names: Sequence[str]) -> tuple[str, ...]:
    """All leads that a record has. One that cannot be read is told when it is wanted, unless none can be."""
    found: dict[str, None] = {}
    first: Exception | None = None
    for name in names:
        try:
            found |= dict.fromkeys(reader.leads(folder, name))
        except (*UNREADABLE, DataError) as error:
            first = first or error
    if not found or len(found) > MOST_LEADS:
        why = (
            f"It has {len(found)} leads, more than {MOST_LEADS}."
            if found
            else plain(str(first).replace("\n", " "), 400)
        )
        raise DataError(
            f"The database {plain(str(path))} has no record that can be read."
            if not found
            else f"{plain(str(path))} has too many leads.",
            why,
            "Correct `folder`, `records` or `leads` in it.",
        )
    return tuple(found)


def _no_records(path: Path, said: OwnFile, why: str) -> DataError:
    pattern, folder = plain(str(said.records), 100), plain(str(path.parent / said.folder))
    return DataError(
        f"No records '{pattern}' were found in '{folder}' for the database {said.name}.",
        why,
        f"Correct `folder` or `records` in {plain(str(path))}.",
    )


def _sets(path: Path, said: OwnFile, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Names of records by set; nothing where the file tells no split."""
    patients = {name: said.patients.get(name, name) for name in names}
    by_set = _drawn(said.name, patients) if said.split == "patients" else said.split
    members = {f"split.{key}": (told, patients.values()) for key, told in by_set.items()}
    _check_names(path, {"patients": (said.patients, names), "rhythm": (said.rhythm, names), **members})
    return {key: tuple(name for name in names if patients[name] in set(told)) for key, told in by_set.items()}


def _check_names(path: Path, members: Mapping[str, tuple[Iterable[str], Collection[str]]]) -> None:
    """Refuses what a key names that is not there.

    Args:
        path: of the file.
        members: by key what it names, and what there is.
    """
    wrong = [
        f"{key} names '{plain(member, 60)}', which is none"
        for key, (told, known) in members.items()
        for member in unknown_members(told, known)
    ]
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        _, names = members["patients"]
        raise DataError(
            f"The database {plain(str(path))} names what it has not.",
            "; ".join(wrong[:_SHOWN]) + more + ".",
            f"Records are called {', '.join(plain(name, 40) for name in islice(names, _SHOWN))} and so on; with"
            " `patients`, `split` names these.",
        )


def _drawn(database: str, patients: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Each patient in one set: a fifth to test on, a tenth to choose on; drawn by his name, whatever else is there."""
    everyone = set(patients.values())
    if len(everyone) < _LEAST_PATIENTS:
        raise DataError(
            f"The database {database} has {len(everyone)} patients, too few to split.",
            "One is trained on, one chooses and one is tested on.",
            "Add records, or name them in [split].",
        )
    order = sorted(everyone, key=lambda name: hashlib.sha256(f"{database}/{name}".encode()).digest())
    test, val = max(1, len(order) // 5), max(1, len(order) // 10)
    return {"test": tuple(order[:test]), "val": tuple(order[test : test + val]), "train": tuple(order[test + val :])}


def _selected(text: str, names: tuple[str, ...], sets: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Records of an option such as `test`, `all` or `a1,a2`; `test` is all of a database without a split."""
    if text == ALL or (text == "test" and not sets):
        return names
    if text in sets:
        return sets[text]
    wanted = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    unknown = unknown_members(wanted, names)
    if unknown:
        known = ", ".join((*sets, ALL))
        raise UsageError(
            f"There are no records '{plain(unknown[0], 60)}'.",
            f"Known sets: {known}; or names such as {', '.join(names[:2])}.",
            "Correct the --records option, or the records that a configuration names.",
        )
    return wanted


@dataclass(frozen=True)
class _OwnReader:
    """Reads records of a user's; see `Reader`."""

    said: OwnFile

    def place(self, folder: Path, name: str) -> Path:
        return folder / name

    def leads(self, folder: Path, name: str) -> tuple[str, ...]:
        """Names of the leads of a record, safe everywhere, in the order of its channels.

        Raises:
            DataError: its header cannot be read, or a channel is missing or no voltage.
        """
        return tuple(_channels(self._opened(folder, name), self.said))

    def read(self, folder: Path, name: str, leads: Sequence[str], about: About) -> list[Record]:
        recording = self._opened(folder, name)
        channels = _channels(recording, self.said)
        base = folder / name
        if self.said.reader == "any":
            base = base.with_suffix("")
        rhythm = self.said.rhythm.get(name, "unknown")
        shared = None if self.said.annotator == _PER_LEAD else self._waves(base, self.said.annotator)
        return [
            Record(
                about.record_id,
                lead,
                _whole_rate(channels[lead]),
                np.concatenate(list(pieces(recording, channels[lead], _scale(channels[lead], self.said) or 0.0))),
                self._waves(base, lead) if shared is None else shared,
                rhythm,
                about.source,
                about.name,
            )
            for lead in leads
            if lead in channels
        ]

    def _opened(self, folder: Path, name: str) -> Recording:
        path = folder / (f"{name}{_HEADER}" if self.said.reader == "wfdb" else name)
        try:
            return open_recording(path, Told(self.said.rate, self.said.columns))
        except (DataError, UsageError) as error:
            remedy = f"{error.remedy} What an option says of one recording, the key of that name says of all here."
            raise DataError(error.what, error.why, remedy) from error

    def _waves(self, base: Path, annotator: str) -> tuple[Wave, ...]:
        samples, symbols = read_marks(base, annotator)
        meaning = self.said.symbols
        waves = parse_waves(samples, [meaning.get(symbol, symbol) for symbol in symbols])
        if any(wave.kind == "QRS" for wave in waves) and not any(wave.complete for wave in waves):
            raise ContentError(
                "its waves have a peak alone; to learn or score a wave, its onset '(' and offset ')' are needed"
            )
        return tuple(wave for wave in waves if wave.kind in (*self.said.waves, "U", "?"))


def _channels(recording: Recording, said: OwnFile) -> dict[str, Channel]:
    """The channels that are leads, by the lead's name."""
    if said.leads:
        wanted = [_channel(recording, name) for name in said.leads]
        channels = [channel for channel in wanted if channel is not None]
    else:
        channels = [channel for channel in recording.channels if _scale(channel, said) is not None]
    named: dict[str, Channel] = {}
    for channel in channels:
        _check(channel, said)
        lead = _UNSAFE.sub("_", channel.label.lower())[:_LONGEST_LEAD]
        named[lead if lead not in named else f"{lead}-{channel.number}"] = channel
    if not named:
        raise ContentError("it has no lead that is a voltage, or none of those that are wanted")
    return named


def _check(channel: Channel, said: OwnFile) -> None:
    """Refuses a channel that is no lead."""
    if _scale(channel, said) is None:
        raise ContentError(f"its channel {channel.label} is in '{channel.unit}', no voltage; `unit` says another")
    if channel.rate < LEAST_RATE:
        raise ContentError(
            f"its channel {channel.label} has {channel.rate:g} samples a second, fewer than {LEAST_RATE}"
        )
    if max(channel.samples, channel.seconds * RATE) > MOST_SAMPLES:
        raise ContentError(f"its channel {channel.label} lasts {channel.seconds:.0f} s, which is too long; cut it")


def _scale(channel: Channel, said: OwnFile) -> float | None:
    """Microvolts of its unit, or of that which the file tells; None for what is no voltage."""
    return scale_of(channel.unit if said.unit is None else said.unit)


def _channel(recording: Recording, name: str) -> Channel | None:
    """The channel of a name in any case, or of a number; None where a recording has none."""
    found = [channel for channel in recording.channels if channel.name.lower() == name.lower()]
    found += [channel for channel in recording.channels if str(channel.number) == name]
    return found[0] if found else None


def _whole_rate(channel: Channel) -> int:
    if channel.rate != int(channel.rate):
        raise ContentError(f"its rate of {channel.rate:g} Hz is no whole number")
    return int(channel.rate)
