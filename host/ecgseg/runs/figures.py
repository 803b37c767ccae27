"""The figures of a result that another run's are compared with, each with what is better of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ecgseg.hil.result import HilResult, Memory, Timing
from ecgseg.hil.soak.result import SoakResult
from ecgseg.hil.stream_result import StreamResult
from ecgseg.profile.board import BoardProfile
from ecgseg.profile.qemu import Profile
from ecgseg.runs.reading import Result
from ecgseg.scoring.delineation import DelineationScores
from ecgseg.scoring.metrics import FiducialScore, SampleScores
from ecgseg.targets import TimeQuality, target_of
from ecgseg.targets.names import HOST

Group = Literal["exactness", "accuracy", "link", "time", "memory", "size"]
Better = Literal["less", "more", "neither"]
VERDICTS = ("pass", "incomplete", "drift", "fail")
"""From the best to the worst."""
MEASURED_NOISE = 0.01
"""Share by which a time that a clock measured may change from run to run of the same program."""


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        group: what kind it is of.
        name: what it is.
        value: of it; a verdict as its place in VERDICTS. None where it is not known.
        unit: "%", "ms", "B", "instructions", ...; "verdict" of a verdict.
        better: which is better, less or more.
        noise: share of it that may change without a reason.
    """

    group: Group
    name: str
    value: float | None
    unit: str
    better: Better = "less"
    noise: float = 0.0


def figures_of(result: Result) -> list[Figure]:
    """All figures of a result, group by group."""
    if isinstance(result, HilResult):
        return [
            *_exactness(result),
            *_of_frames(result),
            *_link(result),
            *_times(result.timing, result.target),
            *_kept(result.memory),
        ]
    if isinstance(result, StreamResult):
        return [
            *_exactness(result),
            *_of_stream(result),
            *_link(result),
            *_times(result.timing, result.target),
            *_kept(result.memory),
        ]
    if isinstance(result, SoakResult):
        return list(_soaked(result))
    return list(_counted(result) if isinstance(result, Profile) else _timed(result))


def _exactness(result: HilResult | StreamResult) -> Iterator[Figure]:
    yield Figure("exactness", "verdict", VERDICTS.index(result.verdict), "verdict")
    yield Figure("exactness", "bytes that differ", result.mismatched_bytes, "B")
    if isinstance(result, StreamResult):
        yield Figure("exactness", "leads that differ", result.differing_streams, "leads")
    else:
        yield Figure("exactness", "frames that differ", result.differing_frames, "frames")
    yield Figure("exactness", "bytes compared", result.compared_bytes, "B", "neither")


def _link(result: HilResult | StreamResult) -> Iterator[Figure]:
    """What a line loses is chance; that nothing of it reached an answer is the verdict's."""
    for name, count in (
        ("requests", result.requests),
        ("retries", result.retries),
        ("answers with a wrong CRC", result.crc_errors),
    ):
        yield Figure("link", name, count, "", "neither")


def _soaked(result: SoakResult) -> Iterator[Figure]:
    """Memory and answer times are those of a computer and what else it does: whether they grow is the verdict's."""
    counts = result.counts
    yield Figure("exactness", "verdict", VERDICTS.index(result.verdict), "verdict")
    yield Figure("exactness", "bytes that differ", counts.mismatched_bytes, "B")
    yield Figure("exactness", "frames that differ", counts.differing_frames, "frames")
    yield Figure("exactness", "frames lost", max(counts.expected_frames - counts.frames, 0), "frames")
    yield Figure("exactness", "bytes compared", counts.compared_bytes, "B", "neither")
    for trend in result.trends:
        yield Figure("memory" if trend.unit == "MiB" else "time", trend.name, trend.typical, trend.unit, "neither")
    stack = max((window.stack_bytes for window in result.windows), default=0)
    yield Figure("memory", "deepest stack", stack or None, "B")


def _of_frames(result: HilResult) -> Iterator[Figure]:
    if result.segmentation:
        yield from _samples(result.segmentation.samples)
        yield from _points(result.segmentation.fiducials)


def _of_stream(result: StreamResult) -> Iterator[Figure]:
    if result.scores:
        yield from _samples(result.scores.samples)
        yield from _points(result.scores.fiducials)
        yield from _beats(result.scores)
    if result.stream:
        yield Figure("memory", "the whole stream", result.stream.memory_bytes, "B")
        yield Figure("memory", "the network's state", result.stream.state_bytes, "B")


def _samples(scores: SampleScores) -> Iterator[Figure]:
    named = {"weighted": scores.weighted_f1, "macro": scores.macro_f1, **scores.per_class_f1}
    for name, f1 in named.items():
        yield Figure("accuracy", f"F1 of samples, {name}", 100 * f1, "%", "more")


def _points(scores: Mapping[str, FiducialScore]) -> Iterator[Figure]:
    for name, score in scores.items():
        if score.true_positives + score.false_negatives + score.false_positives:
            yield Figure("accuracy", f"F1 of {name}", 100 * score.f1, "%", "more")
            yield Figure("accuracy", f"mean error of {name}, absolute", abs(score.mean_ms), "ms")
            yield Figure("accuracy", f"spread of {name} (SD)", score.sd_ms, "ms")


def _beats(scores: DelineationScores) -> Iterator[Figure]:
    for name, score in scores.intervals.items():
        yield Figure("accuracy", f"median error of {name}", score.median_ms, "ms")
    if scores.rate:
        yield Figure("accuracy", "median error of heart rate", scores.rate.median_bpm, "1/min")
    if scores.p_false_positives_per_minute is not None:
        yield Figure("accuracy", "P waves invented", scores.p_false_positives_per_minute, "a minute")


def _times(timing: Timing, target: str) -> Iterator[Figure]:
    """Times of the parts; those of a process of this computer say nothing of a device."""
    measured = target_of(target).time_quality is TimeQuality.MEASURED
    better: Better = "neither" if target == HOST else "less"
    for part, spread in timing.parts.items():
        for name, value in (("mean", spread.mean), ("most", spread.max)):
            noise = MEASURED_NOISE if measured else 0.0
            yield Figure("time", f"{part}, {name}", value, timing.unit, better, noise)


def _kept(memory: Memory) -> Iterator[Figure]:
    yield Figure("memory", "arena", memory.arena_bytes or None, "B")
    yield Figure("memory", "deepest stack", memory.stack_bytes or None, "B")
    yield Figure("memory", "RAM of the image", memory.ram_bytes or None, "B")
    yield Figure("size", "flash of the image", memory.flash_bytes or None, "B")


def _counted(profile: Profile) -> Iterator[Figure]:
    yield Figure("time", "inference", profile.instructions_per_frame, profile.unit)
    yield Figure("time", "preprocess", profile.preprocess_instructions_per_frame, profile.unit)
    for layer in profile.layers:
        # They add up to the whole, which is judged: one may take more where another takes less.
        yield Figure("time", f"layer {layer.index} {layer.name}", layer.instructions, profile.unit, "neither")
    yield from _profiled(profile)
    for name, size in profile.flash.model_dump().items():
        yield Figure("size", f"flash, {name}", size, "B", "neither")


def _timed(profile: BoardProfile) -> Iterator[Figure]:
    noise = MEASURED_NOISE if profile.quality is TimeQuality.MEASURED else 0.0
    for clock in profile.clocks:
        at = f"at {clock.core_hz / 1e6:.0f} MHz"
        yield Figure("time", f"inference {at}", clock.inference_cycles, "cycles", noise=noise)
        yield Figure("time", f"preprocess {at}", clock.preprocess_cycles, "cycles", noise=noise)
        for layer, cycles in zip(profile.layers, clock.layer_cycles, strict=False):
            yield Figure("time", f"layer {layer} {at}", cycles, "cycles", "neither")
    yield from _profiled(profile)


def _profiled(profile: Profile | BoardProfile) -> Iterator[Figure]:
    yield Figure("memory", "arena", profile.arena_bytes or None, "B")
    yield Figure("memory", "deepest stack", profile.stack_bytes or None, "B")
    yield Figure("size", "flash", profile.flash_bytes or None, "B")
