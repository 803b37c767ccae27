"""Builds the image for a recording's rate, starts the target, and sends one channel after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ecgseg import interruption
from ecgseg.codegen.render_delineator import delineates
from ecgseg.data.choice import Chosen
from ecgseg.data.recording import Recording
from ecgseg.errors import EcgsegError, LinkError, ModelError
from ecgseg.image.backends import render_and_build
from ecgseg.image.build import Image
from ecgseg.interruption import Stopped
from ecgseg.link import DeviceClient
from ecgseg.link.stream import delineate
from ecgseg.link.transport import OnWait
from ecgseg.models import ModelFile
from ecgseg.segment.check import Comparison
from ecgseg.segment.progress import Progress, Run, SentChannel
from ecgseg.segment.result import Segmented
from ecgseg.segment.sending import OnStep, Outgoing, Sending, Stream
from ecgseg.segment.spool import Spool
from ecgseg.targets import TargetOptions, open_target, target_of


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
    progress: Progress | None = None,
) -> Segmented:
    """Sends the channels. A signal, or a device that fails on the way, loses nothing of what was found until then.

    Args:
        recording: where the channels are.
        chosen: which they are.
        options: where they are sent, and with what.
        kept: holds events on disk as long as they are needed.
        on_step: is told how far it is.
        on_wait: is told what is waited for while a device is silent.
        progress: holds what is finished, from an earlier run and for a later one.

    Raises:
        EcgsegError: it failed before the first sample: the firmware does not build or start, or is another one.
        DataError: the recording is not what it was in the earlier run.
    """
    found = Segmented()
    sendings = []
    for index, (channel, scale) in enumerate(zip(chosen.channels, chosen.scales, strict=True)):
        outgoing = Outgoing(recording, channel, scale, index, chosen.rate)
        spool = kept.enter_context(Spool(options.out))
        sendings.append(Sending(outgoing, spool, options.out, _comparison(options, chosen.rate), progress, on_step))
        sendings[-1].take(progress.earlier if progress else ())
    try:
        with ExitStack() as device:
            stream: Stream | None = None
            for sending in sendings:
                try:
                    if not sending.is_done:
                        stream = stream or device.enter_context(opened(options, chosen.rate, on_wait))
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


def progress_of(recording: Recording, chosen: Chosen, options: SegmentOptions, *, resumes: bool) -> Progress:
    """Where a run keeps what it has finished: beside its results.

    Args:
        recording, chosen, options: what is run.
        resumes: go on with what is there.

    Raises:
        UsageError: what is there is of another run.
        DataError: it cannot be read.
    """
    channels = [
        SentChannel(number=channel.number, name=channel.name, samples=channel.samples, microvolts=scale)
        for channel, scale in zip(chosen.channels, chosen.scales, strict=True)
    ]
    run = Run(
        recording=recording.name,
        rate=chosen.rate,
        channels=channels,
        target=options.target,
        model_sha256=options.model.sha256,
        bazett=options.after_bazett,
        check=options.check,
    )
    return Progress(options.out / f"{recording.name}.progress", run, resumes=resumes)


def _comparison(options: SegmentOptions, rate: int) -> Callable[[], Comparison] | None:
    if not options.check:
        return None
    return lambda: Comparison(options.model.data, rate, after_bazett=options.after_bazett)


@contextmanager
def opened(options: SegmentOptions, rate: int, on_wait: OnWait | None) -> Iterator[Stream]:
    """A target that runs the model at a rate, as a function from raw samples to what it finds.

    Raises:
        EcgsegError: the firmware does not build or start.
        LinkError: on the device is another model, or one for another rate.
    """
    image = image_of(options.target, options.model, rate)
    with connected(options.target, options.target_options, image, options.model, rate, on_wait) as device:
        yield lambda samples: delineate(device, samples, classes=options.check, after_bazett=options.after_bazett)


def image_of(target: str, model: ModelFile, rate: int) -> Image:
    """The firmware of a target that takes samples at a rate.

    Raises:
        EcgsegError: it does not build.
    """
    return render_and_build(target_of(target).board, model, input_rate=rate)


@contextmanager
def connected(
    target: str, options: TargetOptions, image: Image, model: ModelFile, rate: int, on_wait: OnWait | None
) -> Iterator[DeviceClient]:
    """A device of a target that was started with an image, and is what it should be.

    Raises:
        EcgsegError: it does not start.
        LinkError: on it is another model, or one for another rate.
    """
    with ExitStack() as kept:
        running = kept.enter_context(open_target(target, image, options))

        def waits(what: str) -> None:
            # The port of a process that was killed stays open, and says nothing.
            running.check()
            if on_wait:
                on_wait(what)

        device = kept.enter_context(running.connect(waits))
        device.require_model(model.sha256)
        if device.info.input_rate != rate:
            named = f"--model {model.name}" if model.from_zoo else f"--tflite {model.path}"
            raise LinkError(
                f"The device takes {device.info.input_rate} samples a second, the recording has {rate}.",
                "Its firmware was built for another rate.",
                f"Run: invoke flash {named} --rate {rate}",
            )
        yield device
