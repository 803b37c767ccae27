"""What a model costs on the Apollo4 Plus: time at 96 and 192 MHz, memory, energy; on the board or in its simulator."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel

from ecgseg import paths
from ecgseg.codegen.manifest import read_manifest
from ecgseg.codegen.optimise import CYCLES
from ecgseg.errors import LinkError, ModelError, TargetError, cause
from ecgseg.files import read_text
from ecgseg.image.backends import generate
from ecgseg.image.build import Image, build
from ecgseg.link import BenchKind, DeviceClient, TimeBase
from ecgseg.link.answers import is_too_long
from ecgseg.link.messages import wrong_answer
from ecgseg.models import ModelFile
from ecgseg.pipeline import MODEL_RATE
from ecgseg.targets import TargetOptions, TimeQuality, TimingCase, open_target, target_of
from ecgseg.targets.calibration import calibration
from ecgseg.targets.names import APOLLO4P_SIM

CORE_HZ = (96_000_000, 192_000_000)
FRAME_SECONDS = 2.5
INFERENCE_MILLIWATTS = (9.4, 18.6)
"""Mean power of int8 TCN inference on this part at 192 MHz: lowest and highest of the published measurements in
docs/apollo4p-facts.md, section 8.2 (two tables of sleepkit, Apollo4 Plus EVB). Nothing is published for 96 MHz."""
_MILLIWATTS_HZ = 192_000_000
_MAX_FIGURES_BYTES = 1 << 20
_REPETITIONS = 4
_ANSWER_SECONDS = 60.0


class ClockFigures(BaseModel):
    """Figures at one core clock.

    Attributes:
        core_hz: core clock.
        inference_cycles, preprocess_cycles: core cycles a frame; of the timing model as it says them, not calibrated.
        inference_range: cycles in the best and the worst case of the timing model; None when measured.
        inference_ms, preprocess_ms: as time; of modelled cycles the calibrated expectation.
        frame_ms_range: time of both, lowest and highest by the calibration; None when measured.
        energy_uj: microjoule a frame (preprocessor and inference), lowest and highest; None where no power is known.
        duty: share of the time that the core works at one frame every 2.5 s.
        duty_range: lowest and highest by the calibration; None when measured.
        average_uw: energy over 2.5 s in microwatt, lowest and highest, without what sleep takes.
        layer_cycles: per layer; empty when not asked for.
    """

    core_hz: int
    inference_cycles: int
    preprocess_cycles: int
    inference_range: tuple[int, int] | None
    inference_ms: float
    preprocess_ms: float
    frame_ms_range: tuple[float, float] | None
    energy_uj: tuple[float, float] | None
    duty: float
    duty_range: tuple[float, float] | None
    average_uw: tuple[float, float] | None
    layer_cycles: list[int]


class BoardProfile(BaseModel):
    """What a model costs on the board.

    Attributes:
        quality: "measured" on a board, "modelled" by the simulator.
        time_base: what the device counted with.
        fs: input rate of the model, Hz.
        duration: length of a frame, s.
        parameters: weights and biases; None without metrics.json.
        flops: two a multiply-accumulate.
        weighted_f1: of metrics.json; None when there is none for this .tflite.
        bin_sha256: of the image, the file that is flashed.
        calibration: cycles of silicon for each modelled cycle: lowest, expected, highest; None when measured.
        last_start: why the device last started, as far as it knows ("" when not); a fault before it is told here.
    """

    target: str
    quality: TimeQuality
    time_base: str
    model: str
    tflite_sha256: str
    bin_sha256: str
    build_id: str
    fs: int
    duration: float
    parameters: int | None
    macs: int
    flops: int
    weighted_f1: float | None
    arena_bytes: int
    stack_bytes: int
    flash_bytes: int
    last_start: str = ""
    layers: list[str]
    clocks: list[ClockFigures]
    calibration: tuple[float, float, float] | None


def profile_board(
    model: ModelFile,
    target: str = APOLLO4P_SIM,
    options: TargetOptions | None = None,
    *,
    layers: bool = False,
    optimise: str = CYCLES,
) -> BoardProfile:
    """Profiles a model on the board or its simulator.

    Args:
        model: what to profile.
        target: one that runs the image of the Apollo4 Plus EVB.
        options: port and the like.
        layers: also per layer.
        optimise: what kernels are chosen by, one of PICKS of `ecgseg.codegen.optimise`.

    Raises:
        GraphError, BuildError, ToolMissingError, TargetError, LinkError: render, build, start or link failed.
    """
    chosen = options or TargetOptions()
    generated = generate(model, optimise=optimise)
    image = build(target_of(target).board, generated)
    ranges: dict[int, tuple[int, int]] = {}
    factors = None
    if target_of(target).time_quality is TimeQuality.MODELLED:
        # With a probe the core's own cycle counter counts; without it a tick is several cycles.
        chosen = replace(chosen, simulator=replace(chosen.simulator, probe=True))
        best, worst = (
            _inference_cycles(image, target, _in_case(chosen, case)) for case in (TimingCase.BEST, TimingCase.WORST)
        )
        ranges = {hz: (best[hz], worst[hz]) for hz in CORE_HZ}
        factors = calibration().factors
    with open_target(target, image, chosen) as running, running.connect() as client:
        client.require_model(model.sha256)
        _require_layers(client, generated)
        clocks = [_at_clock(client, hz, ranges.get(hz), factors, layers) for hz in CORE_HZ]
        return _profile(client, model, image, target, clocks, factors)


def _require_layers(client: DeviceClient, generated: Path) -> None:
    """Refuses a device that tells another number of layers than were rendered: every one is asked for later."""
    layers = len(read_manifest(generated).layers)
    if client.info.layer_count != layers:
        raise LinkError(
            f"The device tells {client.info.layer_count} layers, the model has {layers}.",
            "It runs code that was rendered by another release.",
            "Build and flash the firmware again.",
        )


def _in_case(options: TargetOptions, case: TimingCase) -> TargetOptions:
    return replace(options, simulator=replace(options.simulator, timing=case))


def _inference_cycles(image: Image, target: str, options: TargetOptions) -> dict[int, int]:
    with open_target(target, image, options) as running, running.connect() as client:
        return {hz: _bench_at(client, hz, BenchKind.INFERENCE) for hz in CORE_HZ}


def _bench_at(client: DeviceClient, core_hz: int, kind: BenchKind) -> int:
    if client.set_clock(core_hz) != core_hz:
        raise TargetError(
            f"The board does not run at {core_hz // 1_000_000} MHz.",
            "It refuses a clock that its regulator cannot carry.",
            "See docs/bring-up.md.",
        )
    return _bench(client, kind)


def _bench(client: DeviceClient, kind: BenchKind, layer: int = 0) -> int:
    """Core cycles of one run, cache warm."""
    once = client.info.seconds(_ticks(client, kind, layer, 1))
    at_once = _REPETITIONS if _REPETITIONS * once < 1 else 1
    ticks = _ticks(client, kind, layer, _REPETITIONS, at_once)
    return round(ticks * client.info.core_hz / client.info.tick_hz / _REPETITIONS)


def _ticks(client: DeviceClient, kind: BenchKind, layer: int, repetitions: int, at_once: int = 1) -> int:
    """Ticks of some runs. Raises WrongAnswerError when the device tells none, or more than time has passed here."""
    started = time.monotonic()
    ticks = client.bench(kind, repetitions, layer=layer, answer_seconds=_ANSWER_SECONDS, at_once=at_once)
    told, passed = client.info.seconds(ticks), time.monotonic() - started
    if ticks == 0 or is_too_long(told, passed):
        raise wrong_answer("BENCH", f"it tells {told:.3g} s of work, and was asked {passed:.3g} s ago")
    return ticks


def _at_clock(
    client: DeviceClient,
    hz: int,
    spread: tuple[int, int] | None,
    factors: tuple[float, float, float] | None,
    layers: bool,
) -> ClockFigures:
    inference = _bench_at(client, hz, BenchKind.INFERENCE)
    preprocess = _bench(client, BenchKind.PREPROCESS) if client.info.has_stream else 0
    low, factor, high = factors or (1.0, 1.0, 1.0)
    seconds = (inference + preprocess) / hz
    span = (low * seconds, high * seconds)
    powers = INFERENCE_MILLIWATTS if hz == _MILLIWATTS_HZ else None
    energy = (round(span[0] * powers[0] * 1e3, 2), round(span[1] * powers[1] * 1e3, 2)) if powers else None
    return ClockFigures(
        core_hz=hz,
        inference_cycles=inference,
        preprocess_cycles=preprocess,
        inference_range=spread,
        inference_ms=round(factor * inference / hz * 1e3, 4),
        preprocess_ms=round(factor * preprocess / hz * 1e3, 4),
        frame_ms_range=(round(span[0] * 1e3, 4), round(span[1] * 1e3, 4)) if factors else None,
        energy_uj=energy,
        duty=round(factor * seconds / FRAME_SECONDS, 6),
        duty_range=(round(span[0] / FRAME_SECONDS, 6), round(span[1] / FRAME_SECONDS, 6)) if factors else None,
        average_uw=(round(energy[0] / FRAME_SECONDS, 2), round(energy[1] / FRAME_SECONDS, 2)) if energy else None,
        layer_cycles=_layer_cycles(client) if layers else [],
    )


def _layer_cycles(client: DeviceClient) -> list[int]:
    """Differences of the layers 0..n; the first one holds what comes before it."""
    sums = [_bench(client, BenchKind.LAYERS, layer) for layer in range(client.info.layer_count)]
    return [total - before for total, before in zip(sums, [0, *sums[:-1]], strict=True)]


def _profile(
    client: DeviceClient,
    model: ModelFile,
    image: Image,
    target: str,
    clocks: list[ClockFigures],
    factors: tuple[float, float, float] | None,
) -> BoardProfile:
    info = client.info
    assert image.bin is not None
    metrics = _metrics(model)
    fs = MODEL_RATE if info.has_stream else 0
    return BoardProfile(
        target=target,
        quality=target_of(target).time_quality,
        time_base=TimeBase(info.time_base).name.lower(),
        model=model.name,
        tflite_sha256=model.sha256,
        bin_sha256=hashlib.sha256(image.bin.read_bytes()).hexdigest(),
        build_id=image.build_id,
        fs=fs,
        duration=info.frame_length / fs if fs else 0.0,
        parameters=metrics.params if metrics else None,
        macs=info.macs,
        flops=2 * info.macs,
        weighted_f1=metrics.weighted_f1 if metrics else None,
        arena_bytes=info.arena_bytes,
        stack_bytes=client.stats().stack_high_water,
        flash_bytes=image.sizes["flash"],
        last_start=info.last_start,
        layers=[f"{layer.index} {layer.name}" for layer in client.layers()],
        clocks=clocks,
        calibration=factors,
    )


class _Metrics(BaseModel):
    """What is taken of metrics.json (`ecgseg.zoo.figures.Metrics` is all of it)."""

    tflite_sha256: str
    params: int
    weighted_f1: float


def _metrics(model: ModelFile) -> _Metrics | None:
    """metrics.json beside a model of the zoo, when it belongs to this .tflite."""
    path = paths.MODELS / model.name / "metrics.json"
    if not model.from_zoo or not path.is_file():
        return None
    try:
        found = _Metrics.model_validate_json(read_text(path, _MAX_FIGURES_BYTES))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The figures of {model.name} cannot be read ({path}).",
            cause(error, "It is not what `invoke zoo --measure` writes."),
            f"Measure them again: `invoke zoo --measure --model {model.name}`.",
        ) from error
    return found if found.tflite_sha256 == model.sha256 else None
