"""Makes sure that device and host have the same model before anything is compared, and finds what HELLO tells wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from ecgseg.codegen.manifest import StreamManifest, read_manifest, read_stream_manifest
from ecgseg.errors import LinkError
from ecgseg.hil.stream_reference import StreamReference
from ecgseg.image.backends import BACKENDS, is_delineator
from ecgseg.link import DeviceClient, DeviceInfo, LayerInfo, TimeBase
from ecgseg.link.answers import ContradictionError, require_same_model
from ecgseg.link.messages import WrongAnswerError, wrong_answer
from ecgseg.link.numbers import PAYLOAD_MAX, PROTOCOL_VERSION
from ecgseg.pipeline.segmenter import Segmenter
from ecgseg.printable import printable

Told = tuple[str, object, object]
"""A field of HELLO, what the host knows, what the device tells."""

_OF_FRAMES = frozenset(
    ("engine_status", "input_bytes", "output_bytes", "frame_length", "class_count", "input_rate", "factor", "hop")
)
"""What frames are made of: a device that tells it differently is asked for none."""
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
        LinkError: no answer, or another protocol version, model or backend.
        WrongAnswerError: no right device answers so: of another layout, contradicting itself, or not as before.
    """
    before, info = device.info, device.hello()
    require_same(info, reference, known)
    for name in (part.name for part in fields(DeviceInfo) if part.name not in _OF_ONE_START):
        first, second = getattr(before, name), getattr(info, name)
        if repr(first) != repr(second):
            raise wrong_answer("HELLO", f"its {name} is {second}, and was {first} in the answer before")
    return info


def differences(info: DeviceInfo, reference: Reference, known: Known) -> list[Told]:
    """Every field of HELLO that is not what the host knows, those of frames first."""
    wanted = _of_model(reference) | known.told
    found = [(name, value, getattr(info, name)) for name, value in wanted.items() if value != getattr(info, name)]
    return sorted(found, key=lambda told: told[0] not in _OF_FRAMES)


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
        "model_sha256": reference.sha256,
    }
    texts = dict.fromkeys(("board", "build_id", "model_name", "backend"), "")
    numbers: dict[str, object] = dict.fromkeys((part.name for part in fields(DeviceInfo)), 0)
    values: dict[str, Any] = numbers | texts | plain | _of_model(reference) | known.told
    return DeviceInfo(**values)


def info_behind(error: WrongAnswerError, reference: Reference, known: Known) -> DeviceInfo:
    """What to take for the HELLO of a device whose own came whole and cannot be right.

    Raises:
        LinkError: it is another model or backend, which explains it.
    """
    if not isinstance(error, ContradictionError):
        return expected_info(reference, known)
    require_same(error.told, reference, known)
    return error.told


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
        "engine_status": 0,
        **dict(zip(("input_bytes", "output_bytes", "frame_length", "class_count"), sizes, strict=True)),
        "input_scale": float(np.float32(source.scale)),
        "input_zero_point": source.zero_point,
        "output_scale": float(np.float32(result.scale)),
        "output_zero_point": result.zero_point,
    } | of_stream


def require_same(info: DeviceInfo, reference: Reference, known: Known | None) -> None:
    """Refuses a device with another model, or the same behind another backend: good ones, but not what is tested.

    Raises:
        LinkError: it is one of those; it tells what to flash.
    """
    require_same_model(info, reference.sha256)
    backend = known.told.get("backend", info.backend) if known else info.backend
    if info.backend != backend and info.backend in BACKENDS:
        raise LinkError(
            f"The device runs the model with another backend: {info.backend}.",
            f"This test is of the backend {backend}.",
            f"Flash it (`invoke flash --backend {backend}`), or test what is there with --backend {info.backend}.",
        )
