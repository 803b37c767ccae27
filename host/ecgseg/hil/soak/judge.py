"""The judge of a window: every byte as in any test, and how long each frame took to be answered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ecgseg.hil.judge import Judge
from ecgseg.hil.soak.process import Cores
from ecgseg.hil.soak.result import AnswerTimes
from ecgseg.hil.soak.wire import ChangingWire
from ecgseg.link import FrameResult
from ecgseg.pipeline.segmenter import ExpectedFrame, Segmenter


class Remembering(Segmenter):
    """Works out once what the device must answer to a lead that is sent again and again.

    Args:
        model, input_rate: as of a Segmenter.
    """

    def __init__(self, model: bytes, input_rate: int) -> None:
        super().__init__(model, input_rate)
        self._known: dict[bytes, list[ExpectedFrame]] = {}

    def remember(self, raw: npt.NDArray[np.int16]) -> None:
        """Works out a lead, int16 [samples], that will be sent."""
        self._known[raw.tobytes()] = super().expect(raw)

    def expect(self, raw: npt.NDArray[np.int16]) -> list[ExpectedFrame]:
        """As a Segmenter's; what is not remembered is worked out, and forgotten."""
        known = self._known.get(raw.tobytes())
        return super().expect(raw) if known is None else known


@dataclass
class SoakJudge(Judge):
    """Judges a window.

    Args:
        wire: frames that are answered while it is faulty are not timed.
        cores: of this thread and the target.
    """

    wire: ChangingWire = field(default_factory=ChangingWire)
    cores: Cores = field(default_factory=Cores)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._whole: list[float] = []
        self._on_core: list[float] = []

    def answers(self, samples: npt.NDArray[np.int16]) -> Iterator[FrameResult]:
        """As the device answers them, timed."""
        frames = super().answers(samples)
        while True:
            ran, began = self.cores.ran(), time.perf_counter()
            frame = next(frames, None)
            if frame is None:
                return
            if not self.wire.faulty:
                self._whole.append(time.perf_counter() - began)
                self._on_core.append(max(self.cores.ran() - ran, 0.0))
            yield frame

    def answer_times(self) -> tuple[AnswerTimes | None, AnswerTimes | None]:
        """Of the frames so far, as a clock has it and on a core; None when none was timed."""
        return _percentiles(self._whole), _percentiles(self._on_core)


def _percentiles(seconds: list[float]) -> AnswerTimes | None:
    if not seconds:
        return None
    p10, p50, p90, p99, most = (1000 * np.percentile(seconds, (10, 50, 90, 99, 100))).round(4).tolist()
    return AnswerTimes(frames=len(seconds), p10=p10, p50=p50, p90=p90, p99=p99, most=most)
