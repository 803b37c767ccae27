"""The generated C equals TFLM on every tensor: natively under sanitizers, and on a Cortex-M4 in QEMU."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.errors import BuildError
from ecgseg.models import model_names
from support import engine_harness as harness
from support.drivers import HAS_QEMU
from support.random_network import RandomNetwork

HEARTKIT_STYLE = Path(__file__).parents[1] / "vectors" / "heartkit-style.tflite"
MODELS = sorted(model_names())
needs_qemu = pytest.mark.skipif(not HAS_QEMU, reason="needs qemu-system-arm and arm-none-eabi-gcc")


def committed(name: str, folder: Path) -> harness.Rendered:
    return harness.rendered((paths.ROOT / "models" / name / "model.tflite").read_bytes(), folder)


@pytest.mark.parametrize("name", MODELS)
def test_committed_models_equal_tflm_natively(name: str, tmp_path: Path) -> None:
    model = committed(name, tmp_path)
    inputs = harness.draw_inputs(model, 12)
    assert harness.differences(model, harness.run_native(model, inputs), harness.truth(model, inputs)) == []


@needs_qemu
@pytest.mark.qemu
@pytest.mark.parametrize("name", MODELS)
def test_committed_models_equal_tflm_on_a_cortex_m4(name: str, tmp_path: Path) -> None:
    model = committed(name, tmp_path)
    inputs = harness.draw_inputs(model, 4)
    assert harness.differences(model, harness.run_m4(model, inputs), harness.truth(model, inputs)) == []


@pytest.mark.slow
def test_a_separable_squeeze_excite_network_equals_tflm_natively(tmp_path: Path) -> None:
    model = harness.rendered(HEARTKIT_STYLE.read_bytes(), tmp_path)
    inputs = harness.draw_inputs(model, 4)
    assert harness.differences(model, harness.run_native(model, inputs), harness.truth(model, inputs)) == []


@pytest.mark.slow
@needs_qemu
@pytest.mark.qemu
def test_a_separable_squeeze_excite_network_equals_tflm_on_a_cortex_m4(tmp_path: Path) -> None:
    model = harness.rendered(HEARTKIT_STYLE.read_bytes(), tmp_path)
    inputs = harness.draw_inputs(model, 3)
    assert harness.differences(model, harness.run_m4(model, inputs), harness.truth(model, inputs)) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_layers_streamed_at_random_equal_tflm_natively(seed: int, tmp_path: Path) -> None:
    model = harness.rendered(HEARTKIT_STYLE.read_bytes(), tmp_path, harness.any_groups(seed))
    assert sum(layer.streamed for layer in model.manifest.layers) >= 8
    inputs = harness.draw_inputs(model, 3)
    assert harness.differences(model, harness.run_native(model, inputs), harness.truth(model, inputs)) == []


@pytest.mark.slow
@needs_qemu
@pytest.mark.qemu
@pytest.mark.parametrize("seed", [6, 7])
def test_layers_streamed_at_random_equal_tflm_on_a_cortex_m4(seed: int, tmp_path: Path) -> None:
    model = harness.rendered(HEARTKIT_STYLE.read_bytes(), tmp_path, harness.any_groups(seed))
    inputs = harness.draw_inputs(model, 2)
    assert harness.differences(model, harness.run_m4(model, inputs), harness.truth(model, inputs)) == []


def test_a_gain_per_channel_streamed_into_its_input_equals_tflm(tmp_path: Path) -> None:
    """A draw in which the result was put a few bytes below an input that is read channel by channel."""
    names = ["CONV_2D", "ADD", "MUL", "EXTREME", "MUL", "ADD", "DEPTHWISE_CONV_2D", "POOL", "RELU"]
    content = RandomNetwork(971, operators=10, names=names).content
    model = harness.rendered(content, tmp_path, harness.any_groups(971 * 7))
    inputs = harness.draw_inputs(model, 4)
    assert harness.differences(model, harness.run_native(model, inputs), harness.truth(model, inputs)) == []


@pytest.mark.parametrize("seed", [*range(12), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(12, 24))])
def test_random_networks_equal_tflm_natively(seed: int, tmp_path: Path) -> None:
    model = harness.random_model(seed, tmp_path)
    inputs = harness.draw_inputs(model, 4, seed)
    expected = harness.truth(model, inputs)
    assert harness.interpreter_differences(model, inputs, expected) == []
    assert harness.differences(model, harness.run_native(model, inputs), expected) == []


@needs_qemu
@pytest.mark.qemu
@pytest.mark.parametrize(
    "seed", [*range(100, 108), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(108, 116))]
)
def test_random_networks_equal_tflm_on_a_cortex_m4(seed: int, tmp_path: Path) -> None:
    model = harness.random_model(seed, tmp_path)
    inputs = harness.draw_inputs(model, 3, seed)
    assert harness.differences(model, harness.run_m4(model, inputs), harness.truth(model, inputs)) == []


def test_one_changed_weight_is_seen(tmp_path: Path) -> None:
    model = committed("seg-4-tcn-sm", tmp_path)
    source = tmp_path / "ecgseg_model.c"
    text = source.read_text()
    # Behind six words of initial values. A word holds two weights, the first of them from bit 21 on.
    weight = r"(layer3_stream\[\d+\][^{]*\{\s*(?:\w+,\s*){6})(\w+)"
    changed = re.sub(weight, r"\1\2 + (64u << 21)", text, count=1)
    assert changed != text
    source.write_text(changed)
    inputs = harness.draw_inputs(model, 6)
    found = harness.differences(model, harness.run_native(model, inputs), harness.truth(model, inputs))
    assert found
    assert not any("layer 2 " in line for line in found)
    assert any("layer 3 " in line for line in found)


def test_another_engine_version_does_not_compile(tmp_path: Path) -> None:
    model = committed("seg-4-tcn-sm", tmp_path)
    header = tmp_path / "ecgseg_model.h"
    header.write_text(header.read_text().replace("ECGSEG_ENGINE_VERSION != ", "ECGSEG_ENGINE_VERSION != 9"))
    with pytest.raises(BuildError, match="rendered for engine"):
        harness.build_native(model)


def test_rendering_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = committed("seg-4-tcn-sm", tmp_path / "a"), committed("seg-4-tcn-sm", tmp_path / "b")
    files = sorted(path.name for path in first.folder.iterdir())
    assert files == ["ecgseg_model.c", "ecgseg_model.h", "ecgseg_preprocess_params.h", "manifest.json"]
    for name in files:
        content = (first.folder / name).read_bytes()
        assert content == (second.folder / name).read_bytes()
        assert str(paths.ROOT).encode() not in content
        assert str(tmp_path).encode() not in content
