"""A whole HIL test: render, build, start the target, stream, judge. Its caller is told how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg import interruption
from ecgseg.codegen.optimise import CYCLES
from ecgseg.data.databases.ludb import LEADS, split
from ecgseg.data.inputs import Inputs, choose_inputs
from ecgseg.data.records import Record
from ecgseg.errors import DataError, DeviceError, EcgsegError, LinkError, ModelError
from ecgseg.hil import vectors
from ecgseg.hil.common import ImageFacts
from ecgseg.hil.identity import Known, WrongHello, identify, judge_of
from ecgseg.hil.inject import Faults, FaultyWire
from ecgseg.hil.journal import Head, Journal
from ecgseg.hil.judge import Judge, Subject
from ecgseg.hil.replay import replay_words
from ecgseg.hil.result import HilRun, Planned, Source
from ecgseg.hil.shown import MOST_BYTES, ShownLeads
from ecgseg.hil.start import explained
from ecgseg.hil.vectors import VECTORS, Vector
from ecgseg.image.backends import build_image, generate
from ecgseg.image.build import Image
from ecgseg.interruption import Stopped
from ecgseg.link import DeviceClient, DeviceInfo
from ecgseg.link.transport import OnWait
from ecgseg.models import ModelFile, find_model
from ecgseg.pipeline import DEFAULT_INPUT_RATE
from ecgseg.pipeline.segmenter import Segmenter
from ecgseg.targets import TargetOptions, open_target, target_of

RANDOM_INPUTS = 64
_RANDOM_SEED = 2026


@dataclass(frozen=True)
class Step:
    """How far a test is.

    Attributes:
        done: leads, or inputs of a model that does not segment, that are compared.
        total: how many there are.
        equal: no byte differed so far.
    """

    done: int
    total: int
    equal: bool


# Called when the device is ready, with nothing done, and after every lead.
OnStep = Callable[[Step], None]


@dataclass(frozen=True)
class HilOptions:
    """Options of `invoke hil-test`.

    Attributes:
        target: name of the target.
        model: name of a zoo model; None for the default one.
        tflite: any other .tflite file.
        records, leads: what to stream.
        ludb: folder of LUDB; None for the usual places.
        replay: a kept vector; it replaces model, records and leads.
        backend: backend of the firmware.
        tflm_dir: TensorFlow Lite Micro's tree for the backend "tflm"; None: the environment variable TFLM_DIR.
        optimise: what kernels are chosen by, one of PICKS of `ecgseg.codegen.optimise`.
        inject: faults that are put into the line; None for none.
        target_options: port, baud rate and the like.
        generated: folder with C that is already rendered; None renders it.
        vectors: folder for differing frames.
        shown_bytes: of signals that are kept to be shown; 0 keeps none.
        peers: score classical delineators beside the device; of a stream alone.
        journal: keeps which leads were equal, so that the test can be resumed.
    """

    target: str
    model: str | None = None
    tflite: Path | None = None
    records: tuple[int, ...] = field(default_factory=lambda: split()["test"])
    leads: tuple[str, ...] = LEADS
    ludb: Path | None = None
    replay: Path | None = None
    backend: str = "aot"
    tflm_dir: Path | None = None
    optimise: str = CYCLES
    inject: Faults | None = None
    target_options: TargetOptions = field(default_factory=TargetOptions)
    generated: Path | None = None
    vectors: Path = VECTORS
    shown_bytes: int = MOST_BYTES
    peers: bool = False
    journal: Journal = field(default_factory=Journal, repr=False, compare=False)


def run(
    options: HilOptions,
    on_step: OnStep | None = None,
    on_wait: OnWait | None = None,
    *,
    reference: Segmenter | None = None,
    inputs: Inputs | None = None,
) -> HilRun:
    """Runs the test from the model to the verdict.

    A signal (`ecgseg.interruption`) and a link or target that fails on the way do not lose what was compared: the run
    returned then says "incomplete" and why. Whatever fails before the first sample is raised. Several runs may go on at
    once, each in a thread of its own.

    Args:
        options: what is tested and where.
        on_step: is told how far it is.
        on_wait: is told what is waited for while a device is silent.
        reference: the options' model on the host, when a caller with many runs has it already.
        inputs: what is sent, in the place of the options' records and leads.

    Raises:
        EcgsegError: no such target, model or record; a tool is missing; the firmware does not build or start.
    """
    target_of(options.target)  # Whether there is one, before anything takes time.
    vector = vectors.load(options.replay) if options.replay else None
    model = replayed_model(vector, options) if vector else find_model(options.model, options.tflite)
    rate = rate_of(vector, inputs)
    reference = reference or Segmenter(model.data, rate)
    inputs = inputs or _inputs(options, vector, reference)
    generated = generate(model, options.generated, optimise=options.optimise, input_rate=rate)
    image = built(options, model, generated, inputs, rate)
    wire = FaultyWire(options.inject) if options.inject else None
    judge: Judge | None = None
    error: EcgsegError | Stopped | None = None
    test = _Test(options, model, image, reference, generated, inputs, vector)
    try:
        with connected(options, image, wire, on_wait) as device:
            judge = test.judge(device)
            _stream(judge, inputs, vector, on_step or (lambda step: None))
    except (EcgsegError, KeyboardInterrupt) as caught:
        # Errors leave the target's context first: it knows whether its process died, and of what.
        ended_by = interruption.ended_by(caught)
        if judge is None and isinstance(ended_by, WrongHello):
            judge, ended_by = test.judge_hello(ended_by)
        if judge is None:
            raise
        assert isinstance(ended_by, (EcgsegError, Stopped))
        error = ended_by
    return _finished(judge, wire, error)


def built(options: HilOptions, model: ModelFile, generated: Path, inputs: Inputs, rate: int) -> Image:
    """The image, whose build id is what a test that is resumed must have in common with the one that was stopped.

    Raises:
        EcgsegError: a tool is missing, it does not build, or the journal is one of another test.
    """
    board = target_of(options.target).board
    image = build_image(board, generated, model.data, backend=options.backend, tflm_dir=options.tflm_dir)
    options.journal.begin(
        Head(
            target=options.target,
            backend=options.backend,
            model_sha256=model.sha256,
            build_id=image.build_id,
            source=inputs.source,
            records=inputs.records,
            leads=inputs.leads,
            rate=rate,
        )
    )
    return image


def rate_of(vector: Vector | None, inputs: Inputs | None) -> int:
    """Samples a second of what is sent."""
    if vector is not None:
        return vector.rate or DEFAULT_INPUT_RATE
    return inputs.rate if inputs is not None else DEFAULT_INPUT_RATE


def _finished(judge: Judge, wire: FaultyWire | None, error: EcgsegError | Stopped | None) -> HilRun:
    why = error.what if isinstance(error, EcgsegError) else str(error) if error else None
    try:
        with interruption.held():
            result = judge.result(why)
            if wire:
                result = result.model_copy(update={"injected": wire.told()})
    except Stopped as late:
        # Everything was compared: the result says so, and the caller who stopped it.
        error = error or late
    return HilRun(result, judge.shown.leads, error, judge.times())


@contextmanager
def connected(
    options: HilOptions, image: Image, wire: FaultyWire | None, on_wait: OnWait | None
) -> Iterator[DeviceClient]:
    """The device of a target that was started, behind a wire if there is one."""
    target_options = options.target_options
    if wire:
        target_options = replace(target_options, wire=wire)
    with open_target(options.target, image, target_options) as running, running.connect(on_wait) as device:
        yield device


@dataclass(frozen=True)
class _Test:
    """What is tested, and with what."""

    options: HilOptions
    model: ModelFile
    image: Image
    reference: Segmenter
    generated: Path
    inputs: Inputs
    vector: Vector | None

    def judge(self, device: DeviceClient) -> Judge:
        """The judge of a device that has told who it is.

        Raises:
            LinkError: as `identify`.
        """
        subject = self._subject(device)
        return self._judge_of(subject, identify(device, self.reference, subject.known))

    def judge_hello(self, error: WrongHello) -> tuple[Judge, LinkError]:
        """The judge of a device that was not let in, and why (`judge_of`)."""
        subject = self._subject(None)
        return judge_of(error, self.reference, subject.known, lambda info: self._judge_of(subject, info))

    def _judge_of(self, subject: Subject, info: DeviceInfo) -> Judge:
        direct = self.reference.parameters is None
        return Judge(
            subject,
            info,
            source=_source(self.inputs, self.vector, direct=direct),
            planned=_planned(self.inputs, self.vector, direct=direct),
            shown=ShownLeads(self.options.shown_bytes),
        )

    def _subject(self, device: DeviceClient | None) -> Subject:
        image, options, model = self.image, self.options, self.model
        facts = ImageFacts.of(image)
        return Subject(
            target=options.target,
            model=vectors.name_of(model),
            device=device,
            reference=self.reference,
            flash_bytes=facts.flash_bytes,
            ram_bytes=facts.ram_bytes,
            image_sha256=facts.sha256,
            elf_sha256=facts.elf_sha256,
            journal=options.journal,
            vectors=options.vectors,
            replay_words=replay_words(options),
            known=Known.of(self.generated, board=image.board, build_id=image.build_id, backend=options.backend),
        )


def _source(inputs: Inputs, vector: Vector | None, *, direct: bool) -> Source:
    if direct:
        return "replay" if vector else "random"
    return inputs.source


def _planned(inputs: Inputs, vector: Vector | None, *, direct: bool) -> Planned:
    if vector is not None:
        return Planned(1, 1)
    return Planned(RANDOM_INPUTS, RANDOM_INPUTS) if direct else Planned(len(inputs.records), inputs.count)


def _stream(judge: Judge, inputs: Inputs, vector: Vector | None, on_step: OnStep) -> None:
    direct = judge.subject.reference.parameters is None

    def on_lead(done: int, equal: bool) -> None:
        on_step(Step(done, judge.planned.leads, equal))

    on_lead(0, True)
    try:
        if direct:
            judge.run_direct(_direct_inputs(judge.subject.reference, vector), on_lead)
        else:
            judge.run(inputs, on_lead)
    except DeviceError as caught:
        # While the device is there to be asked.
        assert judge.subject.device is not None
        raise explained(caught, judge.subject.device) from caught


def _inputs(options: HilOptions, vector: Vector | None, reference: Segmenter) -> Inputs:
    if vector is None:
        return choose_inputs(options.records, options.leads, options.ludb)
    _check_fits(vector, reference)
    return replayed_inputs(vector)


def replayed_inputs(vector: Vector) -> Inputs:
    """The one lead of a vector; none when it holds an int8 input."""
    ready: tuple[Record, ...] = (vector.as_record(),) if vector.rate else ()
    return Inputs("replay", (vector.record,), (vector.lead,), ready=ready)


def replayed_model(vector: Vector, options: HilOptions) -> ModelFile:
    """The model that a vector was kept of.

    Raises:
        ModelError, UsageError: it is not where it was, or has changed since.
    """
    named = Path(vector.model)
    model = (
        find_model(None, options.tflite or named) if named.is_absolute() else find_model(vector.model, options.tflite)
    )
    if model.sha256 != vector.model_sha256:
        raise ModelError(
            f"The model {model.name} has changed since the vector was kept.",
            f"The vector belongs to SHA-256 {vector.model_sha256[:16]}..., the file has {model.sha256[:16]}...",
            "Name the matching file with --tflite, or run the whole test again.",
        )
    return model


def _check_fits(vector: Vector, reference: Segmenter) -> None:
    """Raises DataError when the model does not take what the vector holds."""
    parameters = reference.parameters
    if parameters is None:
        fits = vector.rate == 0 and vector.samples.size == reference.input_bytes
        takes = f"{reference.input_bytes} int8 values"
    else:
        fits = vector.rate == parameters.input_rate
        takes = f"raw samples at {parameters.input_rate} Hz"
    if not fits:
        raise misfit(vector, takes)


def misfit(vector: Vector, takes: str) -> DataError:
    """The error of a vector whose model takes something else."""
    held = f"raw samples at {vector.rate} Hz" if vector.rate else f"{vector.samples.size} int8 values"
    return DataError(
        "The kept vector does not fit its model.",
        f"It holds {held}, the model takes {takes}.",
        "Run the whole test again; it keeps what differs anew.",
    )


def _direct_inputs(reference: Segmenter, vector: Vector | None) -> list[npt.NDArray[np.int8]]:
    """The kept input, or seeded random ones with both extremes among them."""
    if vector is not None:
        return [vector.samples.astype(np.int8)]
    rng = np.random.default_rng(_RANDOM_SEED)
    size = reference.input_bytes
    extremes = [np.full(size, value, dtype=np.int8) for value in (-128, 0, 127)]
    drawn = [rng.integers(-128, 128, size, dtype=np.int8) for _ in range(RANDOM_INPUTS - len(extremes))]
    return [*extremes, *drawn]
