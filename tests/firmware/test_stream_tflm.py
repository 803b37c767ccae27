"""The rendered stream equals TFLM on the record in one piece: natively under sanitizers, and on a Cortex-M4 in QEMU."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ecgseg.codegen.render_stream import render_stream
from ecgseg.errors import BuildError
from ecgseg.image.boards import HOST
from ecgseg.models import find_model, stream_names
from support import drivers, engine_harness
from support import stream_harness as harness
from support.drivers import HAS_QEMU
from support.random_network.streamable import StreamableNetwork
from support.stream_models import SAME, TimeModel

CAUSAL_STYLE = Path(__file__).parents[1] / "vectors" / "causal-style.tflite"
needs_qemu = pytest.mark.skipif(not HAS_QEMU, reason="needs qemu-system-arm and arm-none-eabi-gcc")


def random_stream(seed: int, folder: Path) -> harness.RenderedStream:
    network = StreamableNetwork(seed, operators=9)
    return harness.rendered_stream(network.content, folder, network.stream.block)


def tcn() -> bytes:
    """Causal, strided, dilated further than a block, with a look-ahead and two answers for each position."""
    model = TimeModel(channels=1).pad(4).conv(5, stride=2, channels=8)
    for dilation in (1, 2, 4, 8, 16):
        skip = model.current
        model.causal(3, dilation, channels=8).join(skip)
    model.conv(5, padding=SAME, channels=8)
    shape = [1, 1, 2 * model.shape[2], 4]
    return model.apply("RESHAPE", shape, "ReshapeOptions", constant=shape, newShape=shape).finish()


def plain(channels: int) -> bytes:
    """Without skips: rows of the large dilations lie in rings, the others are carried."""
    model = TimeModel(channels=1, seed=4).pad(6).conv(7, stride=2, channels=channels)
    for dilation, ahead in ((1, 0), (2, 0), (4, 1), (16, 5), (8, 0), (9, 0)):
        model.pad(2 * dilation - ahead, ahead).conv(3, dilation=dilation, channels=channels)
    model.conv(1, channels=8)
    shape = [1, 1, 2 * model.shape[2], 4]
    return model.apply("RESHAPE", shape, "ReshapeOptions", constant=shape, newShape=shape).finish()


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 6))])
def test_random_streams_equal_tflm_natively(seed: int, tmp_path: Path) -> None:
    model = random_stream(seed, tmp_path)
    records = harness.draw_records(model, harness.lengths_of(model), seed)
    assert harness.differences(model, records, harness.run_native(model, records)) == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 1050, 5))
def test_more_random_streams_equal_tflm_natively(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + 5):
        model = random_stream(seed, tmp_path / str(seed))
        records = harness.draw_records(model, harness.lengths_of(model), seed)
        assert harness.differences(model, records, harness.run_native(model, records)) == [], f"seed {seed}"


@pytest.mark.parametrize("block", [*(pytest.param(block, marks=pytest.mark.slow) for block in (2, 8)), 16])
def test_a_dilated_network_equals_tflm_natively(block: int, tmp_path: Path) -> None:
    model = harness.rendered_stream(tcn(), tmp_path, block)
    assert (model.manifest.block, model.manifest.granule) == (block, 1)
    records = harness.draw_records(model, [model.manifest.least, 33, 250, 251], block)
    assert harness.differences(model, records, harness.run_native(model, records)) == []


@pytest.mark.slow
@pytest.mark.parametrize(("block", "rings"), [(12, 3), (16, 3), (6, 4)])
def test_rows_in_rings_equal_tflm_natively(block: int, rings: int, tmp_path: Path) -> None:
    model = harness.rendered_stream(plain(8), tmp_path, block)
    assert len(re.findall(r"record->turn \* ", (tmp_path / "ecgseg_stream_model.c").read_text())) == rings
    records = harness.draw_records(model, [model.manifest.least, 33, 250, 777], block)
    assert harness.differences(model, records, harness.run_native(model, records)) == []


@pytest.mark.slow
def test_what_keras_makes_of_causal_layers_equals_tflm(tmp_path: Path) -> None:
    model = harness.rendered_stream(CAUSAL_STYLE.read_bytes(), tmp_path, 16)
    # A sample of the strided signal is two, and the two symmetric layers look 2 + 4 of them ahead.
    assert (model.manifest.lag, model.manifest.granule, model.manifest.least) == (12, 1, 1)
    records = harness.draw_records(model, [1, 2, 249, 250, 1001])
    assert harness.differences(model, records, harness.run_native(model, records)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", stream_names())
def test_the_streams_of_the_zoo_equal_tflm_natively(name: str, tmp_path: Path) -> None:
    model = harness.rendered_stream(find_model(name).data, tmp_path, 16)
    records = harness.draw_records(model, [1, 51, 999, 1500], 3)
    assert harness.differences(model, records, harness.run_native(model, records)) == []


@pytest.mark.slow
@needs_qemu
@pytest.mark.qemu
@pytest.mark.parametrize("name", stream_names())
def test_the_streams_of_the_zoo_equal_tflm_on_a_cortex_m4(name: str, tmp_path: Path) -> None:
    model = harness.rendered_stream(find_model(name).data, tmp_path, 16)
    records = harness.draw_records(model, [51, 700], 4)
    assert harness.differences(model, records, harness.run_m4(model, records)) == []


@needs_qemu
@pytest.mark.qemu
@pytest.mark.parametrize("block", [pytest.param(6, marks=pytest.mark.slow), 16])
def test_a_dilated_network_equals_tflm_on_a_cortex_m4(block: int, tmp_path: Path) -> None:
    model = harness.rendered_stream(tcn(), tmp_path, block)
    records = harness.draw_records(model, [model.manifest.least, 151], block)
    assert harness.differences(model, records, harness.run_m4(model, records)) == []


@needs_qemu
@pytest.mark.qemu
@pytest.mark.parametrize(
    ("channels", "block"),
    [(20, 6), *(pytest.param(*case, marks=pytest.mark.slow) for case in ((8, 12), (12, 10)))],
)
def test_rows_in_rings_equal_tflm_on_a_cortex_m4(channels: int, block: int, tmp_path: Path) -> None:
    model = harness.rendered_stream(plain(channels), tmp_path, block)
    records = harness.draw_records(model, [model.manifest.least, 151, 400], block)
    assert harness.differences(model, records, harness.run_m4(model, records)) == []


@pytest.mark.slow
@needs_qemu
@pytest.mark.qemu
@pytest.mark.parametrize("seed", range(40, 44))
def test_random_streams_equal_tflm_on_a_cortex_m4(seed: int, tmp_path: Path) -> None:
    model = random_stream(seed, tmp_path)
    records = harness.draw_records(model, harness.lengths_of(model, (0, 3, 50)), seed)
    assert harness.differences(model, records, harness.run_m4(model, records)) == []


def test_one_changed_bias_is_seen_and_its_layer_named(tmp_path: Path) -> None:
    model = harness.rendered_stream(tcn(), tmp_path, 8)
    number = next(n for n, layer in enumerate(model.manifest.layers) if layer.kernel == "conv" and n > 2)
    source = tmp_path / "ecgseg_stream_model.c"
    text = source.read_text()
    # The bias of the first channel.
    changed = re.sub(rf"(layer{number}_stream\[\d+\][^{{]*\{{\s*)(\w+)", r"\1\2 + 20000u", text, count=1)
    assert changed != text
    source.write_text(changed)
    records = harness.draw_records(model, [100], 1)
    found = harness.differences(model, records, harness.run_native(model, records))
    assert len(found) == 1
    assert f"layer {number} CONV_2D" in found[0]


def even() -> bytes:
    """Four rows and more, an even number of them: a skip over a stride."""
    model = TimeModel(channels=2).conv(4).pad(3)
    skip = model.current
    model.conv(2, stride=2)
    shape = [1, 1, 2 * model.shape[2], 4]
    model.apply(
        "RESIZE_NEAREST_NEIGHBOR",
        shape,
        "ResizeNearestNeighborOptions",
        constant=shape[1:3],
        alignCorners=False,
        halfPixelCenters=True,
    )
    return model.join(skip).conv(5, padding=SAME).finish()


def test_a_caller_who_errs_is_told_and_nothing_counts_the_record(tmp_path: Path) -> None:
    harness.rendered_stream(even(), tmp_path, 8)
    sources = [drivers.FOLDER / "stream_misuse_driver.c", tmp_path / "ecgseg_stream_model.c"]
    program = engine_harness.build_program(tmp_path, sources, HOST, tmp_path / "misuse")
    done = subprocess.run([str(program)], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, f"line {done.returncode} (modulo 256)\n{done.stderr.decode()}"


@pytest.mark.skipif(shutil.which("nm") is None, reason="needs nm")
def test_a_stream_has_nothing_but_constants_of_its_own(tmp_path: Path) -> None:
    harness.rendered_stream(tcn(), tmp_path, 8)
    compiler = engine_harness.compiler_of(HOST, tmp_path)
    plain = drivers.Compiler(compiler.board, compiler.include_dirs, ("-fno-sanitize=all", "-fno-pie"))
    result = plain.compile(tmp_path / "ecgseg_stream_model.c", tmp_path / "model.o")
    symbols = subprocess.run(["nm", str(result)], capture_output=True, text=True, check=True).stdout
    assert " T ecgseg_stream_push" in symbols
    # Where lines are counted, the counters are data.
    held = [line for line in symbols.splitlines() if re.search(r" [bBdDC] (?!__gcov)", line)]
    assert held == []


@pytest.mark.slow
def test_streams_of_two_prefixes_go_into_one_program(tmp_path: Path) -> None:
    sources = [tmp_path / "main.c"]
    for prefix in ("left", "right"):
        render_stream(tcn(), tmp_path, prefix=prefix)
        sources.append(tmp_path / f"{prefix}_stream_model.c")
    sources[0].write_text(
        """#include "left_stream_model.h"
#include "right_stream_model.h"
int main(void)
{
    static left_stream_t left;
    static right_stream_t right;
    return left_stream_init(&left) != ECGSEG_STREAM_OK || right_stream_init(&right) != ECGSEG_STREAM_OK;
}
"""
    )
    program = engine_harness.build_program(tmp_path, sources, HOST, tmp_path / "both")
    assert engine_harness.run_program([str(program)]) == b""


def test_another_engine_version_does_not_compile(tmp_path: Path) -> None:
    model = harness.rendered_stream(tcn(), tmp_path, 8)
    header = tmp_path / "ecgseg_stream_model.h"
    header.write_text(header.read_text().replace("ECGSEG_ENGINE_VERSION != ", "ECGSEG_ENGINE_VERSION != 9"))
    with pytest.raises(BuildError, match="rendered for engine"):
        harness.build_native(model)
