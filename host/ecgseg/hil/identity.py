"""Makes sure, before anything is compared, that device and host have the same model behind the same preprocessor."""

from __future__ import annotations

import numpy as np

from ecgseg.errors import LinkError
from ecgseg.link import DeviceClient, DeviceInfo
from ecgseg.pipeline.segmenter import Segmenter


def identify(device: DeviceClient, reference: Segmenter) -> DeviceInfo:
    """Says HELLO, which begins a session, and checks who answers.

    Args:
        device: an open client.
        reference: the model on the host.

    Returns:
        What the device tells about itself.

    Raises:
        LinkError: no answer, another model, or a preprocessor that was rendered with other numbers.
    """
    info = device.hello()
    device.require_model(reference.sha256)
    _require_parameters(info, reference)
    return info


def _require_parameters(info: DeviceInfo, reference: Segmenter) -> None:
    parameters = reference.parameters
    if parameters is None or not info.has_stream:
        if (parameters is None) != (not info.has_stream):
            raise _other_parameters("stream", parameters is not None, info.has_stream)
        return
    pairs = {
        "input rate": (parameters.input_rate, info.input_rate),
        "hop": (parameters.hop, info.hop),
        "filter delay": (parameters.delay, info.delay),
        "flat limit": (parameters.flat_uv, info.flat_uv),
        "frame length": (parameters.frame_length, info.frame_length),
        "classes": (reference.class_count, info.class_count),
        "input scale": (float(np.float32(parameters.scale)), float(np.float32(info.input_scale))),
        "input zero point": (parameters.zero_point, info.input_zero_point),
    }
    for name, (wanted, found) in pairs.items():
        if wanted != found:
            raise _other_parameters(name, wanted, found)


def _other_parameters(name: str, wanted: object, found: object) -> LinkError:
    return LinkError(
        f"The device's preprocessor was rendered with another {name}.",
        f"The device has {found}, the reference {wanted}.",
        "Render and build the firmware again with the same options as the test.",
    )
