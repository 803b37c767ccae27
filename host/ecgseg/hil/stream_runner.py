"""A whole HIL test of a stream: render, build, start the target, stream whole records, judge."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from ecgseg import interruption
from ecgseg.codegen.manifest import read_stream_manifest
from ecgseg.codegen.render_delineator import delineates
from ecgseg.data.inputs import Inputs, choose_inputs
from ecgseg.errors import DeviceError, EcgsegError, LinkError, ModelError
from ecgseg.hil import vectors
from ecgseg.hil.common import ImageFacts
from ecgseg.hil.identity import Known, WrongHello, identify, judge_of
from ecgseg.hil.inject import FaultyWire
from ecgseg.hil.replay import replay_words
from ecgseg.hil.result import Planned
from ecgseg.hil.runner import (
    HilOptions,
    OnStep,
    Step,
    built,
    connected,
    misfit,
    rate_of,
    replayed_inputs,
    replayed_model,
)
from ecgseg.hil.shown import ShownLeads
from ecgseg.hil.start import explained
from ecgseg.hil.stream_judge import StreamJudge, StreamSubject
from ecgseg.hil.stream_reference import StreamReference
from ecgseg.hil.stream_result import StreamRun
from ecgseg.hil.stream_scores import Peer, classical_peers
from ecgseg.hil.vectors import Vector
from ecgseg.image.backends import generate
from ecgseg.image.build import Image
from ecgseg.interruption import Stopped
from ecgseg.link import DeviceClient, DeviceInfo
from ecgseg.link.transport import OnWait
from ecgseg.models import ModelFile, find_model
from ecgseg.targets import target_of


def run(
    options: HilOptions,
    on_step: OnStep | None = None,
    on_wait: OnWait | None = None,
    *,
    inputs: Inputs | None = None,
) -> StreamRun:
    """Runs the test from the model to the verdict; what ends it early takes nothing away, as with frames.

    Args:
        options: what is tested and where.
        on_step: is told how far it is.
        on_wait: is told what is waited for while a device is silent.
        inputs: what is sent, in the place of the options' records and leads.

    Raises:
        EcgsegError: no such target, model or record; the model is none of a stream; a tool is missing; the firmware
            does not build or start.
    """
    target_of(options.target)  # Whether there is one, before anything takes time.
    vector = vectors.load(options.replay) if options.replay else None
    model = replayed_model(vector, options) if vector else find_model(options.model, options.tflite)
    require_stream(model)
    rate = rate_of(vector, inputs)
    reference = StreamReference(model.data, rate)
    if vector is not None:
        inputs = _replayed(vector, reference)
    inputs = inputs or choose_inputs(options.records, options.leads, options.ludb)
    peers = classical_peers() if options.peers else {}
    generated = generate(model, options.generated, input_rate=rate)
    image = built(options, model, generated, inputs, rate)
    test = _Test(options, model, image, reference, generated, inputs, peers)
    wire = FaultyWire(options.inject) if options.inject else None
    judge: StreamJudge | None = None
    error: EcgsegError | Stopped | None = None
    try:
        with connected(options, image, wire, on_wait) as device:
            judge = test.judge(device)
            _stream(judge, inputs, on_step or (lambda step: None))
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


def _replayed(vector: Vector, reference: StreamReference) -> Inputs:
    """The lead of a kept vector.

    Raises:
        DataError: the model takes something else than it holds.
    """
    rate = reference.parameters.input_rate
    if vector.rate != rate:
        raise misfit(vector, f"raw samples at {rate} Hz")
    return replayed_inputs(vector)


def is_stream(model: ModelFile) -> bool:
    """True for a model that a delineator runs.

    Raises:
        GraphError: the file is damaged.
    """
    return delineates(model.data)


def require_stream(model: ModelFile) -> None:
    """Refuses a model that no delineator runs.

    Raises:
        ModelError: it is one of frames, or no segmenter.
        GraphError: the file is damaged.
    """
    if not is_stream(model):
        raise ModelError(
            f"The model {model.name} is none of a stream.",
            "A stream takes one int8 value a sample at 100 Hz, answers four classes for each and looks a bounded time "
            "back and ahead; a model of frames answers each 2.5 s on their own.",
            "Leave out --stream, or choose a model of a stream (`invoke zoo` lists them).",
        )


def _stream(judge: StreamJudge, inputs: Inputs, on_step: OnStep) -> None:
    def on_lead(done: int, equal: bool) -> None:
        on_step(Step(done, judge.planned.leads, equal))

    on_lead(0, True)
    try:
        judge.run(inputs, on_lead)
    except DeviceError as caught:
        # While the device is there to be asked.
        assert judge.subject.device is not None
        raise explained(caught, judge.subject.device) from caught


def _finished(judge: StreamJudge, wire: FaultyWire | None, error: EcgsegError | Stopped | None) -> StreamRun:
    why = error.what if isinstance(error, EcgsegError) else str(error) if error else None
    try:
        with interruption.held():
            result = judge.result(why)
            if wire:
                result = result.model_copy(update={"injected": wire.told()})
    except Stopped as late:
        error = error or late
    return StreamRun(result, judge.shown.leads, error, judge.times())


@dataclass(frozen=True)
class _Test:
    """What is tested, and with what."""

    options: HilOptions
    model: ModelFile
    image: Image
    reference: StreamReference
    generated: Path
    inputs: Inputs
    peers: dict[str, Peer]

    def judge(self, device: DeviceClient) -> StreamJudge:
        """The judge of a device that has told who it is.

        Raises:
            LinkError: as `identify`.
        """
        subject = self._subject(device)
        return self._judge_of(subject, identify(device, self.reference, subject.known))

    def judge_hello(self, error: WrongHello) -> tuple[StreamJudge, LinkError]:
        """The judge of a device that was not let in, and why (`judge_of`)."""
        subject = self._subject(None)
        return judge_of(error, self.reference, subject.known, lambda info: self._judge_of(subject, info))

    def _judge_of(self, subject: StreamSubject, info: DeviceInfo) -> StreamJudge:
        return StreamJudge(
            subject,
            info,
            source=self.inputs.source,
            planned=Planned(len(self.inputs.records), self.inputs.count),
            shown=ShownLeads(self.options.shown_bytes),
        )

    def _subject(self, device: DeviceClient | None) -> StreamSubject:
        image, options = self.image, self.options
        facts = ImageFacts.of(image)
        return StreamSubject(
            target=options.target,
            device=device,
            reference=self.reference,
            manifest=read_stream_manifest(self.generated),
            known=Known.of(self.generated, board=image.board, build_id=image.build_id, backend=options.backend),
            flash_bytes=facts.flash_bytes,
            ram_bytes=facts.ram_bytes,
            image_sha256=facts.sha256,
            elf_sha256=facts.elf_sha256,
            journal=options.journal,
            again=self._again(),
            model=vectors.name_of(self.model),
            vectors=options.vectors,
            replay_words=replay_words(options),
            peers=self.peers,
        )

    def _again(self) -> str:
        if self.inputs.source in ("replay", "file"):
            return ""
        words = ["invoke", "hil-test", *replay_words(self.options)]
        words += ["--model", self.model.name] if self.model.from_zoo else ["--tflite", str(self.model.path)]
        database = self.inputs.named or (self.inputs.source if self.inputs.source == "synthetic" else "")
        if database:
            words += ["--database", database]
        if self.options.ludb is not None:
            words += ["--ludb", str(self.options.ludb)]
        return shlex.join(words)
