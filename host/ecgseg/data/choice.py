"""Which channels of a recording are sent: those that a user names, voltages at a rate that a device takes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ecgseg.data.recording import STEPS_TOLD, UNITS, Channel, Recording, scale_of
from ecgseg.errors import DataError, UsageError
from ecgseg.pipeline import RATES_TOLD, takes_rate

ALL = "all"
# Where a user names none: the lead in which all waves are upright as a rule, by its names in databases.
_PREFERRED = ("ii", "mlii", "lead ii")
_MOST_NAMED = 20


@dataclass(frozen=True)
class Chosen:
    """What is sent.

    Attributes:
        channels: in the order of sending.
        scales: microvolts of each one's unit.
        units: each one's, as the recording or the user says.
        rate: of all of them, Hz.
        passed_over: channels that were meant by "all" and are no voltage.
    """

    channels: tuple[Channel, ...]
    scales: tuple[float, ...]
    units: tuple[str, ...]
    rate: int
    passed_over: tuple[Channel, ...] = ()

    def told(self) -> list[str]:
        """What is read, a line for each channel: its unit, what it is in microvolts, its rate."""
        return [
            f"Read: channel {channel.label} in {unit} (1 is {scale:.6g} microvolts), {self.rate} Hz."
            for channel, scale, unit in zip(self.channels, self.scales, self.units, strict=True)
        ]


def choose_channels(recording: Recording, text: str | None = None, unit: str | None = None) -> Chosen:
    """The channels that an option means.

    Args:
        recording: where they are.
        text: name, number from 0, several of them with commas between, "all", or None for lead II, else the first.
        unit: of all their values, instead of what the recording says.

    Raises:
        UsageError: there is no such channel, or `unit` is none.
        DataError: a channel is no voltage, or at a rate that no device takes.
    """
    if unit is not None and scale_of(unit) is None:
        raise UsageError(
            f"'{unit}' is no unit of a voltage.", f"Known: {', '.join(UNITS)}. {STEPS_TOLD}", "Correct --unit."
        )
    named = _named(recording, text, unit)
    wanted = named if text != ALL else tuple(channel for channel in named if _scale(channel, unit) is not None)
    if not wanted:
        raise _no_voltage(recording, named[0])
    return Chosen(
        wanted,
        tuple(_voltage(recording, channel, unit) for channel in wanted),
        tuple(channel.unit if unit is None else unit for channel in wanted),
        _rate(recording, wanted),
        tuple(channel for channel in named if channel not in wanted),
    )


def _voltage(recording: Recording, channel: Channel, unit: str | None) -> float:
    scale = _scale(channel, unit)
    if scale is None:
        raise _no_voltage(recording, channel)
    return scale


def _scale(channel: Channel, unit: str | None) -> float | None:
    return scale_of(channel.unit if unit is None else unit)


def _named(recording: Recording, text: str | None, unit: str | None) -> tuple[Channel, ...]:
    channels = recording.channels
    if text == ALL:
        return channels
    if text is None:
        voltages = [channel for channel in channels if _scale(channel, unit) is not None]
        preferred = [channel for channel in voltages if _lead(channel) in _PREFERRED]
        return tuple([*preferred, *voltages, *channels][:1])
    if any(channel.name == text for channel in channels):
        return (_one(recording, text),)
    return tuple(dict.fromkeys(_one(recording, part.strip()) for part in text.split(",")))


def _lead(channel: Channel) -> str:
    """Its name in small letters, without the kind of signal that EDF+ puts in front."""
    return re.sub(r"^(ecg|ekg)[ _-]+", "", channel.name.lower())


def _one(recording: Recording, text: str) -> Channel:
    """The channel of a name, in capitals as it is or else in any, or of a number."""
    channels = recording.channels
    for found in (
        [channel for channel in channels if channel.name == text],
        [channel for channel in channels if channel.name.lower() == text.lower()],
        [channel for channel in channels if str(channel.number) == text],
    ):
        if len(found) > 1:
            raise UsageError(
                f"The recording has {len(found)} channels '{text}'.",
                f"They are the numbers {', '.join(str(channel.number) for channel in found)}, counted from 0.",
                "Name one of them by its number: --channel N.",
            )
        if found:
            return found[0]
    raise UsageError(
        f"The recording has no channel '{text}'.",
        f"It has {_list(channels)}.",
        "Name one by its name or number with --channel, several with commas between, or all.",
    )


def _list(channels: tuple[Channel, ...]) -> str:
    shown = ", ".join(f"{channel.number} {channel.name}".strip() for channel in channels[:_MOST_NAMED])
    return shown if len(channels) <= _MOST_NAMED else f"{shown} and {len(channels) - _MOST_NAMED} more"


def _no_voltage(recording: Recording, channel: Channel) -> DataError:
    if not channel.unit:
        return DataError(
            f"In what unit is channel {channel.label} of '{recording.name}'?",
            "Its file does not say.",
            f"Say it with --unit: {', '.join(UNITS)}, or adu:N. {STEPS_TOLD}",
        )
    voltages = tuple(one for one in recording.channels if scale_of(one.unit) is not None)
    others = f" The channels {_list(voltages)} are voltages: name one with --channel." if voltages else ""
    return DataError(
        f"Channel {channel.label} of '{recording.name}' is in '{channel.unit}'. Is it an ECG, and in what unit?",
        f"An ECG is a voltage, and what is one of '{channel.unit}' in microvolts is not known.",
        f"If it is one, say its unit with --unit ({', '.join(UNITS)}).{others}",
    )


def _rate(recording: Recording, channels: tuple[Channel, ...]) -> int:
    rates = {channel.rate for channel in channels}
    if len(rates) > 1:
        listed = ", ".join(f"{rate:g} Hz" for rate in sorted(rates))
        raise DataError(
            f"The channels of '{recording.name}' have several rates: {listed}.",
            "A device is built for one.",
            "Name channels of one rate with --channel.",
        )
    (rate,) = rates
    if not takes_rate(rate):
        raise DataError(
            f"The recording '{recording.name}' has {rate:g} samples a second.",
            f"The device takes {RATES_TOLD}.",
            "If that is not its rate, say the right one with --rate HZ. Else resample it, best to 500 Hz "
            "(scipy.signal.resample_poly, then wfdb.wrsamp), and name what was written.",
        )
    return int(rate)
