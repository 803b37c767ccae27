"""The target of a session: built once for each rate, started as often as it must be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ecgseg.hil.result import unit_of
from ecgseg.image.build import Image
from ecgseg.link import DeviceClient
from ecgseg.link.stream import DeviceStream, Results
from ecgseg.link.transport import OnWait
from ecgseg.models import ModelFile
from ecgseg.monitor.state import Load, Phase
from ecgseg.segment.runner import connected, image_of
from ecgseg.targets import TargetOptions, TimeQuality, target_of

OnPhase = Callable[[Phase], None]


class Stream(Protocol):
    """A stream through a device; `DeviceStream` is one."""

    ticks: int

    def push(self, samples: npt.NDArray[np.int16]) -> Iterator[Results]:
        """Gives samples and yields what comes of them."""
        ...


class Desk(Protocol):
    """A device that runs."""

    def begin(self) -> Stream:
        """Begins a stream; the one before is over."""
        ...

    def load(self, ticks: int, seconds: float) -> Load:
        """What so many ticks for so many seconds of signal mean."""
        ...


class Bench(Protocol):
    """Where devices are started."""

    def opened(self, rate: int, on_phase: OnPhase) -> AbstractContextManager[Desk]:
        """Starts one that takes samples at a rate; leaving the context stops it.

        Raises:
            EcgsegError: it cannot be built or started, or ended while it was needed.
        """
        ...


@dataclass(frozen=True)
class _Desk:
    device: DeviceClient
    quality: TimeQuality
    after_bazett: bool

    def begin(self) -> Stream:
        return DeviceStream(self.device, classes=True, after_bazett=self.after_bazett)

    def load(self, ticks: int, seconds: float) -> Load:
        info = self.device.info
        unit, size = unit_of(info)
        share = None if self.quality is TimeQuality.COUNTED else info.seconds(ticks) / seconds
        return Load(a_second=ticks * size / seconds, unit=unit, share=share, quality=self.quality.value)


class TargetBench:
    """Targets of this computer.

    Args:
        target: name of it.
        model: a network of a stream.
        options: port, baud rate and the like.
        after_bazett: QTc after Bazett in place of Fridericia.
        on_wait: is told what is waited for while a device is silent.
    """

    def __init__(
        self,
        target: str,
        model: ModelFile,
        options: TargetOptions,
        *,
        after_bazett: bool = False,
        on_wait: OnWait | None = None,
    ) -> None:
        self._target, self._model, self._options = target, model, options
        self._after_bazett, self._on_wait = after_bazett, on_wait
        self._images: dict[int, Image] = {}

    @contextmanager
    def opened(self, rate: int, on_phase: OnPhase) -> Iterator[Desk]:
        """See `Bench`."""
        # Somebody may have cleaned up in the meantime.
        if rate not in self._images or not self._images[rate].elf.is_file():
            on_phase(Phase.BUILDING)
            self._images[rate] = image_of(self._target, self._model, rate)
        on_phase(Phase.STARTING)
        image = self._images[rate]
        with connected(self._target, self._options, image, self._model, rate, self._on_wait) as device:
            yield _Desk(device, target_of(self._target).time_quality, self._after_bazett)
