"""Builds the image for a recording's rate, starts the target, and sends one channel after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg import interruption
from ecgseg.codegen.render_delineator import delineates
from ecgseg.data.choice import Chosen
from ecgseg.data.recording import Channel, Recording, pieces
from ecgseg.errors import EcgsegError, LinkError, ModelError
from ecgseg.image.backends import render_and_build
from ecgseg.interruption import Stopped
from ecgseg.link.stream import Results, delineate
from ecgseg.link.transport import OnWait
from ecgseg.models import ModelFile
from ecgseg.segment.check import Comparison
from ecgseg.segment.result import Done, Segmented
from ecgseg.segment.spool import Spool
from ecgseg.targets import TargetOptions, open_target, target_of

# Sent at a time: how often progress is told, and how much is lost of what a device had found when it is stopped.
_SECONDS_AT_ONCE = 2

Samples = npt.NDArray[np.int16]
Stream = Callable[[Iterable[Samples]], Iterator[Results]]


@dataclass(frozen=True)
class SegmentOptions:
    """How a recording is segmented.

    Attributes:
        target: name of the target.
        model: a network of a stream.
        out: folder of the results.
        check: compare every byte with Python.
        after_bazett: QTc after Bazett in place of Fridericia.
        target_options: port, baud rate and the like.
    """

    target: str
    model: ModelFile
    out: Path
    check: bool = False
    after_bazett: bool = False
    target_options: TargetOptions = field(default_factory=TargetOptions)


@dataclass(frozen=True)
class Step:
    """How far it is.

    Attributes:
        channel: that runs.
        index: its place among those that are sent, from 0.
        done, total: seconds of its signal.
        equal: no byte differed so far.
    """

    channel: Channel
    index: int
    done: float
    total: float
    equal: bool


OnStep = Callable[[Step], None]


def require_stream(model: ModelFile) -> None:
    """Refuses a model that finds no beats.

    Raises:
        ModelError: it is none of a stream of four classes, or damaged.
    """
    if not delineates(model.data):
        raise ModelError(
            f"The model {model.name} finds no beats.",
            "Beats come of a stream of samples into NONE, P, QRS and T; this network takes frames, or something else.",
            "Choose a model whose name begins with stream- (`invoke zoo` lists them).",
        )


def run(
    recording: Recording,
    chosen: Chosen,
    options: SegmentOptions,
    kept: ExitStack,
    on_step: OnStep,
    on_wait: OnWait | None = None,
) -> Segmented:
    """Sends the channels. A signal, or a device that fails on the way, loses nothing of what was found until then.

    Args:
        recording: where the channels are.
        chosen: which they are.
        options: where they are sent, and with what.
        kept: holds events on disk as long as they are needed.
        on_step: is told how far it is.
        on_wait: is told what is waited for while a device is silent.

    Raises:
        EcgsegError: it failed before the first sample: the firmware does not build or start, or is another one.
    """
    found = Segmented()
    try:
        with opened(options, chosen.rate, on_wait) as stream:
            for index, (channel, scale) in enumerate(zip(chosen.channels, chosen.scales, strict=True)):
                spool = kept.enter_context(Spool(options.out))
                compared = _comparison(options, chosen.rate)
                sending = _Sending(recording, channel, scale, spool, compared, index, on_step)
                try:
                    sending.run(stream)
                finally:
                    found.done.append(sending.done)
    except (EcgsegError, KeyboardInterrupt) as caught:
        # Errors leave the target's context first: it knows whether its process died, and of what.
        ended_by = interruption.ended_by(caught)
        if not any(done.samples for done in found.done):
            raise
        assert isinstance(ended_by, (EcgsegError, Stopped))
        found.error = ended_by
    return found


def _comparison(options: SegmentOptions, rate: int) -> Comparison | None:
    return Comparison(options.model.data, rate, after_bazett=options.after_bazett) if options.check else None


@contextmanager
def opened(options: SegmentOptions, rate: int, on_wait: OnWait | None) -> Iterator[Stream]:
    """A target that runs the model at a rate, as a function from raw samples to what it finds.

    Raises:
        EcgsegError: the firmware does not build or start.
        LinkError: on the device is another model, or one for another rate.
    """
    model, target = options.model, target_of(options.target)
    image = render_and_build(target.board, model, input_rate=rate)
    running_image = open_target(options.target, image, options.target_options)
    with running_image as running, running.connect(on_wait) as device:
        device.require_model(model.sha256)
        if device.info.input_rate != rate:
            named = f"--model {model.name}" if model.from_zoo else f"--tflite {model.path}"
            raise LinkError(
                f"The device takes {device.info.input_rate} samples a second, the recording has {rate}.",
                "Its firmware was built for another rate.",
                f"Run: invoke flash {named} --rate {rate}",
            )
        yield lambda samples: delineate(device, samples, classes=options.check, after_bazett=options.after_bazett)


class _Sending:
    """A channel on its way."""

    def __init__(
        self,
        recording: Recording,
        channel: Channel,
        scale: float,
        spool: Spool,
        comparison: Comparison | None,
        index: int,
        on_step: OnStep,
    ) -> None:
        self._recording, self._channel, self._scale = recording, channel, scale
        self._spool, self._comparison = spool, comparison
        self._index, self._on_step = index, on_step
        self._samples = 0

    @property
    def done(self) -> Done:
        """What was found until now."""
        compared = self._comparison
        return Done(
            self._channel,
            self._scale,
            self._spool,
            self._samples,
            compared.compared_bytes if compared else 0,
            compared.difference if compared else None,
        )

    def run(self, stream: Stream) -> None:
        """Sends it, and tells how far it is."""
        self._tell()
        for results in stream(self._parts()):
            self._spool.add(results.events)
            if self._comparison:
                self._comparison.answered(results)
        if self._comparison:
            self._comparison.ended()
        self._tell()

    def _parts(self) -> Iterator[Samples]:
        """The channel in small parts; one counts as sent when the next is asked for."""
        length = round(_SECONDS_AT_ONCE * self._channel.rate)
        for piece in pieces(self._recording, self._channel, self._scale):
            for first in range(0, piece.size, length):
                part = piece[first : first + length]
                if self._comparison:
                    self._comparison.sent(part)
                yield part
                self._samples += part.size
                self._tell()
                interruption.check()

    def _tell(self) -> None:
        channel, compared = self._channel, self._comparison
        equal = compared is None or compared.difference is None
        self._on_step(Step(channel, self._index, self._samples / channel.rate, channel.seconds, equal))
