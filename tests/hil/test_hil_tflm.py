"""The firmware over TensorFlow Lite Micro answers what the generated C answers, when a tree is there (TFLM_DIR)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ecgseg.codegen.render import render
from ecgseg.errors import DeviceError, LinkError
from ecgseg.hil.compare import first_differing_layer
from ecgseg.hil.runner import HilOptions, run
from ecgseg.image.tflm import build_tflm, find_tree
from ecgseg.image.tflm.arena import find_arena
from ecgseg.image.tflm.render import render_tflm
from ecgseg.models import find_model
from ecgseg.pipeline.segmenter import Segmenter
from ecgseg.targets import TargetOptions, open_target

pytestmark = pytest.mark.skipif(
    not os.environ.get("TFLM_DIR"), reason="needs a TensorFlow Lite Micro tree (TFLM_DIR; docs/tflm.md)"
)


@pytest.mark.parametrize("target", ["host", pytest.param("qemu", marks=pytest.mark.qemu)])
def test_every_byte_is_equal_over_tensorflow_lite_micro(target: str) -> None:
    result = run(HilOptions(target, records=(1,), leads=("ii",), backend="tflm")).result
    assert result.backend == "tflm"
    assert result.verdict == "pass"


def test_an_arena_that_is_too_small_is_reported_over_the_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = find_model()
    manifest = render(model.path, tmp_path, name=model.name)
    tree = find_tree(None)
    enough = find_arena("host", render_tflm(model.data, manifest, tmp_path), tree)
    monkeypatch.setattr("ecgseg.image.tflm.image.find_arena", lambda *_: enough - 64)
    image = build_tflm("host", tmp_path, model.data, tree, out_dir=tmp_path / "image")
    with open_target("host", image, TargetOptions()) as running, running.connect() as device:
        assert device.hello().engine_status != 0
        with pytest.raises(LinkError, match="failed to start"):
            device.require_model(model.sha256)
        with pytest.raises(DeviceError):
            device.infer(np.zeros(device.info.input_bytes, dtype=np.int8))
        assert device.hello().model_sha256 == model.sha256


def test_every_layer_is_equal_to_the_reference(tmp_path: Path) -> None:
    model = find_model()
    render(model.path, tmp_path, name=model.name)
    image = build_tflm("host", tmp_path, model.data, find_tree(None), out_dir=tmp_path / "image")
    reference = Segmenter(model.data, 500)
    data = np.random.default_rng(7).integers(-128, 128, reference.input_bytes, dtype=np.int8)
    with open_target("host", image, TargetOptions()) as running, running.connect() as device:
        device.hello()
        assert np.array_equal(device.infer(data), reference.run(data).reshape(-1))
        assert first_differing_layer(device, reference, data) is None
        assert np.array_equal(device.infer(data), reference.run(data).reshape(-1))
