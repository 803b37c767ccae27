"""The application at rates whose samples lie between those at 100 Hz: every frame on the wire is Python's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgseg.image.build import build
from ecgseg.link import BenchKind, DeviceClient
from ecgseg.pipeline import LEAD_OFF, flush_samples, frames
from support import model_double
from support.pipe_port import PipePort, ending_well

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("rate", [50, 512])
def test_every_frame_is_pythons_and_comes_with_the_sample_that_completes_it(rate: int, tmp_path: Path) -> None:
    parameters = model_double.parameters(input_rate=rate, hop=77)
    image = build("host", model_double.write_segmenter(tmp_path / "generated", parameters), out_dir=tmp_path / "image")
    rng = np.random.default_rng(rate)
    raw = np.cumsum(rng.integers(-300, 301, 13 * rate)).clip(-9000, 9000).astype(np.int16)
    raw[3 * rate : 3 * rate + rate // 4], raw[8 * rate] = LEAD_OFF, 32767
    with ending_well(PipePort(image.elf)) as port:
        client = DeviceClient(port)
        info = client.hello()
        told = (info.input_rate, info.factor, info.hop, info.delay)
        assert told == (rate, parameters.factor, 77, parameters.delay)
        # The client holds each count of frames against the samples that it sent.
        found = list(client.stream(np.concatenate([raw, flush_samples(raw, parameters)])))
        assert client.bench(BenchKind.PREPROCESS, 3) >= 0
    wanted = frames(raw, parameters)
    assert [one.index for one in found] == list(range(len(wanted)))
    for result, frame in zip(found, wanted, strict=True):
        assert (result.status, result.lead_off_samples) == (frame.status, frame.lead_off_samples)
        assert result.saturated_samples == frame.saturated_samples
        assert result.input.tobytes() == frame.data.tobytes()
