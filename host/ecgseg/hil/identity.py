"""Compares what a device tells about itself in HELLO; whoever has something else than is tested is sent nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from ecgseg.codegen.manifest import StreamManifest, read_manifest, read_stream_manifest
from ecgseg.errors import LinkError
from ecgseg.hil.stream_reference import StreamReference
from ecgseg.image.backends import BACKENDS, is_delineator
from ecgseg.link import DeviceClient, DeviceInfo, LayerInfo, TimeBase
from ecgseg.link.answers import ContradictionError, OtherFirmwareError, require_same_model
from ecgseg.link.messages import WrongAnswerError, wrong_answer
from ecgseg.link.numbers import PAYLOAD_MAX, PROTOCOL_VERSION
from ecgseg.pipeline.segmenter import Segmenter
from ecgseg.printable import printable

Told = tuple[str, object, object]
"""A field of HELLO, what the host knows, what the device tells."""

WrongHello = WrongAnswerError | OtherFirmwareError
"""What is raised of a HELLO that came whole: the device differs, before anything was sent to it."""

_OF_THE_IMAGE = ("model_sha256", "backend", "board", "build_id", "model_name")
"""What explains everything else that differs."""
_OF_FRAMES = frozenset(
    ("engine_status", "input_bytes", "output_bytes", "frame_length", "class_count", "input_rate", "factor", "hop")
)
"""What frames are made of: a device that tells it differently is asked for none."""
_REMEDY = (
    "What the device tells about itself is not what was built here. Build and flash the firmware again; if it stays "
    "so, its HELLO is wrong."
)
_OF_ONE_START = frozenset(("reset_cause", "fault"))
"""What may change from one HELLO to the next."""


@dataclass(frozen=True)
class Known:
    """What the host knows of the image beside what the model's file says.

    Attributes:
        told: fields of HELLO and their values.
        layers: as LAYER has to describe them.
    """

    told: dict[str, object] = field(default_factory=dict)
    layers: tuple[LayerInfo, ...] = ()

    @staticmethod
    def of(generated: Path, *, board: str, build_id: str, backend: str) -> Known:
        """What is known of an image that was built here.

        Args:
            generated: the rendered C, with its manifest.
            board, build_id: of the image.
            backend: what runs the model in it.

        Raises:
            ModelError: the manifest is missing or damaged.
        """
        # Of a network that runs as a stream no layer can be asked for.
        manifest = read_stream_manifest(generated) if is_delineator(generated) else read_manifest(generated)
        layers = () if isinstance(manifest, StreamManifest) else manifest.layers
        told: dict[str, object] = {
            "board": board,
            "backend": backend,
            "build_id": build_id,
            "model_name": printable(manifest.model),
            "engine_version": manifest.engine_version,
            "payload_max": PAYLOAD_MAX,
            "layer_count": len(layers),
            "macs": manifest.macs,
        }
        if backend == "aot":
            told["arena_bytes"] = manifest.arena_bytes
        infos = (
            LayerInfo(index, layer.name, layer.operator, layer.tensor, layer.bytes, layer.macs)
            for index, layer in enumerate(layers)
        )
        return Known(told, tuple(infos))


Reference = Segmenter | StreamReference
"""The same model on the host, of frames or of a stream."""


def identify(device: DeviceClient, reference: Reference, known: Known | None = None) -> DeviceInfo:
    """Says HELLO, which begins a session, and checks who answers.

    Args:
        device: an open client.
        reference: the model on the host.
        known: of the image.

    Returns:
        What the device tells about itself; what in it is wrong is for `differences`.

    Raises:
        LinkError: no answer.
        OtherFirmwareError: it has another model or backend.
        WrongAnswerError: no right device answers so: another protocol version or layout, contradicting itself, or not
            as before.
    """
    before, info = device.info, device.hello()
    require_same(info, reference, known)
    for name in (part.name for part in fields(DeviceInfo) if part.name not in _OF_ONE_START):
        first, second = getattr(before, name), getattr(info, name)
        if repr(first) != repr(second):
            raise wrong_answer("HELLO", f"its {name} is {second}, and was {first} in the answer before")
    return info


def differences(info: DeviceInfo, reference: Reference, known: Known) -> list[Told]:
    """Every field of HELLO that is not what the host knows, those of the image and of frames first."""
    wanted = _of_model(reference) | known.told
    found = [(name, value, getattr(info, name)) for name, value in wanted.items() if value != getattr(info, name)]
    return sorted(found, key=lambda told: (told[0] not in _OF_THE_IMAGE, told[0] not in _OF_FRAMES))


def compare(info: DeviceInfo, reference: Reference, known: Known, add: Callable[[str], None]) -> list[str]:
    """Compares HELLO, of a test of frames or of a stream.

    Args:
        info: what the device told.
        reference: the model on the host.
        known: of the image.
        add: counts a field that differs; it gets the words for it.

    Returns:
        Notes for the result: what to do about it.

    Raises:
        LinkError: with what differs nothing that is sent would be answered as the host expects (`require_frames`).
    """
    found = differences(info, reference, known)
    for name, value, told in found:
        add(f"{name} is {told}, known is {value}")
    require_frames(found)
    return [_REMEDY] if found else []


class HelloJudge(Protocol):
    """Counts what HELLO tells; both kinds of judges are one."""

    def add_hello(self, what: str) -> None: ...
    def compare_hello(self) -> None: ...


J = TypeVar("J", bound=HelloJudge)


def judge_of(
    error: WrongHello, reference: Reference, known: Known, make: Callable[[DeviceInfo], J]
) -> tuple[J, LinkError]:
    """The judge of a device whose HELLO came whole and is not the one of what is tested: that is what differs.

    Args:
        error: what was raised of it.
        reference: the model on the host.
        known: of the image.
        make: makes a judge of what the device told about itself.

    Returns:
        The judge, which has counted every field that differs, and the error that explains the most.
    """
    info = _told(error, reference, known)
    explained: LinkError = error
    if isinstance(error, ContradictionError):
        try:
            require_same(info, reference, known)
        except OtherFirmwareError as other:
            explained = other
    judge = make(info)
    if not isinstance(error, OtherFirmwareError):
        judge.add_hello(f"{error.what} {error.why}")
    with suppress(LinkError):  # What comes of it is told already.
        judge.compare_hello()
    return judge, explained


def _told(error: WrongHello, reference: Reference, known: Known) -> DeviceInfo:
    """What to take for the HELLO of a device that is not let in: its own, when it can be read."""
    if isinstance(error, (ContradictionError, OtherFirmwareError)):
        return error.told
    return expected_info(reference, known)


def require_frames(told: list[Told]) -> None:
    """Refuses a device whose frames are made otherwise; one that could not be believed in any size.

    Args:
        told: what differs.

    Raises:
        LinkError: it tells other sizes, or that its model's code has not started.
    """
    for name, wanted, found in told:
        if name == "engine_status":
            raise LinkError(
                "The model's code on the device failed to start.",
                f"Engine status {found}.",
                "Build and flash the firmware again; with an interpreting backend check its arena size and operators.",
            )
        if name in _OF_FRAMES:
            raise LinkError(
                f"The device tells another {name}: {found}. The model has {wanted}.",
                "Nothing was sent: with it the frames would be others.",
                "Render, build and flash the firmware again; if it stays so, HELLO of this device is wrong.",
            )


def expected_info(reference: Reference, known: Known) -> DeviceInfo:
    """HELLO as far as the host knows it, in place of one that cannot be read."""
    plain: dict[str, object] = {
        "time_base": TimeBase.TICKS,
        "fault": None,
        "protocol_version": PROTOCOL_VERSION,
    }
    texts = dict.fromkeys(("board", "build_id", "model_name", "backend"), "")
    numbers: dict[str, object] = dict.fromkeys((part.name for part in fields(DeviceInfo)), 0)
    values: dict[str, Any] = numbers | texts | plain | _of_model(reference) | known.told
    return DeviceInfo(**values)


def _of_model(reference: Reference) -> dict[str, object]:
    """Fields of HELLO that follow from the model's file."""
    parameters = reference.parameters
    of_stream = {
        name: getattr(parameters, name) if parameters else 0
        for name in ("input_rate", "factor", "hop", "delay", "flat_uv")
    }
    if isinstance(reference, StreamReference):
        source, result = reference.ends
        sizes = (reference.block, reference.block * reference.class_count, 0, reference.class_count)
        of_stream["hop"] = 0
    else:
        source, result = reference.ends.input, reference.ends.output
        sizes = (source.size, result.size, *reference.ends.segmenter_shape)
    return {
        "model_sha256": reference.sha256,
        "engine_status": 0,
        **dict(zip(("input_bytes", "output_bytes", "frame_length", "class_count"), sizes, strict=True)),
        "input_scale": float(np.float32(source.scale)),
        "input_zero_point": source.zero_point,
        "output_scale": float(np.float32(result.scale)),
        "output_zero_point": result.zero_point,
    } | of_stream


def require_same(info: DeviceInfo, reference: Reference, known: Known | None) -> None:
    """Lets no device in with another model, or the same behind another backend: good ones, but not what is tested.

    Raises:
        OtherFirmwareError: it is one of those; it tells what to flash.
    """
    require_same_model(info, reference.sha256)
    backend = known.told.get("backend", info.backend) if known else info.backend
    if info.backend != backend and info.backend in BACKENDS:
        raise OtherFirmwareError(
            info,
            f"The device runs the model with another backend: {info.backend}.",
            f"This test is of the backend {backend}.",
            f"Flash it (`invoke flash --backend {backend}`), or test what is there with --backend {info.backend}.",
        )
