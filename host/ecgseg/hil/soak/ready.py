"""What a soak is asked for, and what is there of it before the target starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ecgseg import interruption
from ecgseg.codegen.render_delineator import delineates
from ecgseg.data.databases.loader import at_rate
from ecgseg.data.inputs import Inputs, choose_inputs
from ecgseg.data.records import Record
from ecgseg.errors import ModelError
from ecgseg.graph.ends import ends_of
from ecgseg.graph.load import load_tflite
from ecgseg.hil import vectors
from ecgseg.hil.common import ImageFacts
from ecgseg.hil.identity import Known
from ecgseg.hil.judge import Subject
from ecgseg.hil.replay import replay_words
from ecgseg.hil.runner import HilOptions
from ecgseg.hil.soak.journal import SoakHead
from ecgseg.hil.soak.judge import Remembering
from ecgseg.hil.soak.plan import Plan
from ecgseg.image.backends import build_image, generate
from ecgseg.image.build import Image
from ecgseg.link import DeviceClient
from ecgseg.models import ModelFile, find_model, model_names
from ecgseg.pipeline import DEFAULT_INPUT_RATE
from ecgseg.targets import target_of

_FRAMES_OF_A_LEAD = 4  # of 10 s
_RESTARTS_PER_FRAME = 1e-5


@dataclass(frozen=True)
class SoakOptions:
    """Options of `invoke soak`.

    Attributes:
        tested: what is tested, where, and which leads are drawn from.
        hours, frames: how long; the first that is reached ends it, None is never reached.
        window: leads after which memory and answer times are noted.
        faulty: leads in 1,000 that are sent over a faulty line.
        restarts: restarts in 100,000 frames, on average.
        seed: draws all of it.
        rate: samples a second that are sent; records are brought to it.
    """

    tested: HilOptions
    hours: float | None
    frames: int | None
    window: int
    faulty: int
    restarts: int
    seed: int
    rate: int = DEFAULT_INPUT_RATE


def require_frames(model: ModelFile) -> None:
    """Refuses a model that takes no frames of ECG.

    Raises:
        ModelError: it is one of a stream, or segments nothing.
        GraphError: the file is damaged.
    """
    if any(ends_of(load_tflite(model.data, model.name)).segmenter_shape):
        return
    named = f"--model {model.name}" if model.from_zoo else f"--tflite {model.path}"
    is_stream = delineates(model.data)
    raise ModelError(
        f"A soak takes a model of frames, and {model.name} is {'one of a stream' if is_stream else 'none'}.",
        "Every frame of ECG that is sent is compared with Python.",
        f"Choose one that segments frames, such as {', '.join(model_names())}. "
        f"`invoke hil-test {named}` compares this one.",
    )


@dataclass(frozen=True)
class Ready:
    """What is there before the target starts."""

    options: SoakOptions
    model: ModelFile
    reference: Remembering
    inputs: Inputs
    leads: list[Record]
    generated: Path
    image: Image

    @staticmethod
    def of(options: SoakOptions) -> Ready:
        """Builds the image, reads the leads, has the reference answer them."""
        tested = options.tested
        target = target_of(tested.target)
        model = find_model(tested.model, tested.tflite)
        reference = Remembering(model.data, options.rate)
        reference.require_parameters()
        # Before the leads, whose answers take their time.
        generated = generate(model, tested.generated, optimise=tested.optimise, input_rate=options.rate)
        image = build_image(target.board, generated, model.data, backend=tested.backend, tflm_dir=tested.tflm_dir)
        inputs = choose_inputs(tested.records, tested.leads, tested.ludb)
        # Without their waves: nothing is scored here.
        leads = [replace(at_rate(record, options.rate), waves=(), annotated=()) for record in inputs]
        for lead in leads:
            interruption.check()
            reference.remember(lead.samples)
        return Ready(options, model, reference, inputs, leads, generated, image)

    def head(self) -> SoakHead:
        """What a soak that goes on must have in common with the one that was stopped."""
        options, inputs = self.options, self.inputs
        return SoakHead(
            target=options.tested.target,
            backend=options.tested.backend,
            model_sha256=self.model.sha256,
            build_id=self.image.build_id,
            source=inputs.source,
            records=inputs.records,
            leads=inputs.leads,
            rate=options.rate,
            seed=options.seed,
            window=options.window,
            faulty=options.faulty,
            restarts=options.restarts,
        )

    def plan(self) -> Plan:
        """What is sent when."""
        options = self.options
        place = options.tested.target_options.port
        return Plan(
            seed=options.seed,
            sizes=[lead.samples.size for lead in self.leads],
            leads=options.window,
            faulty=options.faulty / 1000,
            restarts=options.restarts * _RESTARTS_PER_FRAME * _FRAMES_OF_A_LEAD,
            power=not target_of(options.tested.target).real_port and place is None,
        )

    def known(self) -> Known:
        """What is known of the image."""
        image, backend = self.image, self.options.tested.backend
        return Known.of(self.generated, board=image.board, build_id=image.build_id, backend=backend)

    def subject(self, device: DeviceClient | None, known: Known) -> Subject:
        """What is tested, for a judge."""
        tested, facts = self.options.tested, ImageFacts.of(self.image)
        return Subject(
            target=tested.target,
            model=vectors.name_of(self.model),
            device=device,
            reference=self.reference,
            flash_bytes=facts.flash_bytes,
            ram_bytes=facts.ram_bytes,
            image_sha256=facts.sha256,
            elf_sha256=facts.elf_sha256,
            vectors=tested.vectors,
            replay_words=replay_words(tested),
            known=known,
        )
