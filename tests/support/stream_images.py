"""Images with a delineator around a small network, built once, and what they have to answer."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ecgseg import paths
from ecgseg.codegen.render_delineator import render_delineator
from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.hil.stream_reference import StreamReference
from ecgseg.image.build import Image, build
from ecgseg.image.programs import STREAM_APP
from support.delineator_model import delineator_model

NAME = "test-delineator"


def stream_image(board: str = "host") -> Image:
    """The application for a board, with the network of `support.delineator_model`."""
    generated = paths.BUILD / "generated" / NAME
    render_delineator(delineator_model(), generated, name=NAME)
    return build(board, generated, program=STREAM_APP)


@lru_cache(maxsize=1)
def reference() -> StreamReference:
    """Its twin."""
    return StreamReference(delineator_model())


@lru_cache(maxsize=1)
def ecg() -> npt.NDArray[np.int16]:
    """int16 at 500 Hz, 10 s, in which the network finds beats."""
    return synthetic_records(3, ("ii",), seed=5)[2].samples


def noisy_ecg(seconds: float, seed: int = 1) -> npt.NDArray[np.int16]:
    """int16 at 500 Hz in which something happens all the time: ECG with steps in level, gaps of contact, and rails."""
    rng = np.random.default_rng(seed)
    raw = np.resize(ecg(), round(500 * seconds)).astype(np.int32)
    raw += np.repeat(rng.integers(-400, 400, raw.size // 250 + 1), 250)[: raw.size]
    raw = np.clip(raw, -32767, 32767)
    for start in rng.integers(0, raw.size, raw.size // 2500):
        raw[start : start + int(rng.integers(1, 300))] = -32768
    return raw.astype(np.int16)
