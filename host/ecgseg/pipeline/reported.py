"""Waves as a stream reports them: those of its events. What a score of a stream counts comes from here."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ecgseg.pipeline.beats import BeatFinder
from ecgseg.pipeline.events import Event, EventFlag, EventKind
from ecgseg.pipeline.parameters import LEAD_OFF
from ecgseg.pipeline.preprocess import Decimated
from ecgseg.pipeline.segments import Segment
from ecgseg.pipeline.times import TICKS_A_SAMPLE

# NONE, P, QRS and T.
CLASSES_OF_BEATS = 4
_P, _QRS, _T = 1, 2, 3


def samples_with_gaps(signal: Decimated) -> list[int]:
    """The samples of a signal, LEAD_OFF where there is no contact."""
    samples: list[int] = np.where(signal.valid, signal.samples, LEAD_OFF).tolist()
    return samples


def reported_waves(labels: npt.NDArray[np.uint8], signal: Decimated) -> list[Segment]:
    """Waves of the events that a whole record brings.

    Args:
        labels: uint8 [n], 0 none, 1 P, 2 QRS, 3 T, 4 nearly P (`ecgseg.pipeline.faint`), 0 where there is no contact.
        signal: the record at 100 Hz, n samples.

    Returns:
        In samples of the record, in order of their onsets.
    """
    finder = BeatFinder()
    events: list[Event] = []
    for label, sample in zip(labels.tolist(), samples_with_gaps(signal), strict=True):
        finder.push(label, sample)
        events += iter(finder.next, None)
    finder.end()
    events += iter(finder.next, None)
    return waves_of(events, labels.size)


def waves_of(events: Iterable[Event], length: int) -> list[Segment]:
    """Waves of the events of a stream that began at tick 0 and has `length` samples at 100 Hz, in order of onsets."""
    waves = [wave for event in events for wave in event_segments(event, length)]
    return sorted(waves, key=lambda wave: (wave.onset, wave.label))


def event_segments(event: Event, length: int) -> list[Segment]:
    """Waves of an event of which both ends are known, in samples at 100 Hz of a record of `length` of them."""
    if event.kind not in (EventKind.BEAT, EventKind.LONE_P):
        return []
    found = []
    if event.has(EventFlag.P_ON | EventFlag.P_OFF):
        found.append((_P, event.p_on, event.p_off))
    if event.kind == EventKind.BEAT:
        found.append((_QRS, event.qrs_on, event.qrs_off))
    if event.has(EventFlag.T_ON | EventFlag.T_OFF):
        found.append((_T, event.t_on, event.t_off))
    waves = []
    for label, onset, offset in found:
        # Half a sample before the first sample, half a sample behind the last one.
        first, last = (event.tick + onset + 1) // TICKS_A_SAMPLE, (event.tick + offset - 1) // TICKS_A_SAMPLE
        if 0 <= first <= last < length:
            waves.append(Segment(label, first, last))
    return waves
