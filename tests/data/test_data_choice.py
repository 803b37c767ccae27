"""Which channels a user means, and in what words others are refused."""

from __future__ import annotations

import numpy as np
import pytest

from ecgseg.data.choice import choose_channels
from ecgseg.data.recording import Channel, Signal
from ecgseg.errors import DataError, UsageError


class Listed:
    """A recording of channels without samples: name, unit and rate of each."""

    name = "listed"

    def __init__(self, *channels: tuple[str, str, float]) -> None:
        self.channels = tuple(
            Channel(number, name, unit, rate, 1000) for number, (name, unit, rate) in enumerate(channels)
        )

    def read(self, channel: Channel, first: int, end: int) -> Signal:
        return Signal(np.zeros(end - first), np.zeros(end - first, np.bool_))


CLINIC = Listed(("I", "mV", 500), ("II", "uV", 500), ("Resp", "NU", 500), ("1", "mV", 500))
WARD = Listed(("PLETH", "NU", 500), ("V", "mV", 500), ("V", "mV", 500), ("", "mV", 500), ("CO2", "mmHg", 125))


@pytest.mark.parametrize(
    ("recording", "text", "numbers"),
    [
        (CLINIC, None, [1]),
        (WARD, None, [1]),
        (CLINIC, "I", [0]),
        (CLINIC, "ii", [1]),
        (CLINIC, "0", [0]),
        (CLINIC, "1", [3]),
        (CLINIC, "II,I, 0", [1, 0]),
        (CLINIC, "all", [0, 1, 3]),
        (WARD, "1,3", [1, 3]),
        (WARD, "all", [1, 2, 3]),
        (Listed(("II", "mmHg", 500), ("MLII", "mV", 500)), None, [1]),
        (Listed(("a,b", "mV", 100), ("a", "mV", 100)), "a,b", [0]),
    ],
)
def test_what_a_user_types_is_a_channel(recording: Listed, text: str | None, numbers: list[int]) -> None:
    assert [channel.number for channel in choose_channels(recording, text).channels] == numbers


def test_units_become_scales_and_others_are_passed_over() -> None:
    chosen = choose_channels(CLINIC, "all")
    assert (chosen.scales, chosen.rate) == ((1000.0, 1.0, 1000.0), 500)
    assert [channel.name for channel in chosen.passed_over] == ["Resp"]
    assert choose_channels(CLINIC, "Resp", "uV").scales == (1.0,)
    assert choose_channels(CLINIC, "all", "V").scales == (1e6,) * 4


@pytest.mark.parametrize(
    ("recording", "text", "unit", "error", "said"),
    [
        (CLINIC, "V9", None, UsageError, "no channel 'V9'"),
        (CLINIC, "9", None, UsageError, "It has 0 I, 1 II, 2 Resp, 3 1."),
        (CLINIC, "", None, UsageError, "no channel ''"),
        (CLINIC, "-1", None, UsageError, "no channel '-1'"),
        (WARD, "V", None, UsageError, "They are the numbers 1, 2, counted from 0."),
        (CLINIC, "Resp", None, DataError, "Is it an ECG, and in what unit?"),
        (CLINIC, "Resp", None, DataError, "say its unit with --unit"),
        (CLINIC, "I", "kV", UsageError, "Known: mV, uV, V, nV."),
        (Listed(("PLETH", "NU", 125)), "all", None, DataError, "Channel PLETH of 'listed' is in 'NU'."),
        (Listed(("PLETH", "NU", 125)), None, None, DataError, "Channel PLETH of 'listed' is in 'NU'."),
        (Listed(("I", "mV", 49)), None, None, DataError, "has 49 samples a second"),
        (Listed(("I", "mV", 2001)), None, None, DataError, "takes any whole number of Hz from 50 to 2000"),
        (Listed(("I", "mV", 499.5)), None, None, DataError, "has 499.5 samples a second"),
        (Listed(("I", "mV", 500), ("V", "mV", 1000)), "all", None, DataError, "several rates: 500 Hz, 1000 Hz"),
        (Listed(*(("x" * 60, "mV", 500) for _ in range(64))), "y", None, UsageError, "and 44 more"),
    ],
)
def test_what_cannot_be_sent_is_one_clear_question(
    recording: Listed, text: str | None, unit: str | None, error: type[Exception], said: str
) -> None:
    with pytest.raises(error) as caught:
        choose_channels(recording, text, unit)
    assert said in str(caught.value)
    assert caught.value.remedy  # type: ignore[attr-defined]
