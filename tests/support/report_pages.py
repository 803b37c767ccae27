"""Results to show, and every page of them with text in it that would do harm if it were not escaped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ecgseg.codegen.manifest import BufferEntry, LayerEntry, Manifest
from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.data.records import CLASS_NAMES
from ecgseg.doctor.versions import Versions
from ecgseg.hil.provenance import Provenance
from ecgseg.hil.result import HilResult, HilRun, LeadOutcome, Memory, Mismatch, Segmentation, ShownLead, Spread, Timing
from ecgseg.hil.rig.result import RigResult, RigRun
from ecgseg.hil.soak.result import AnswerTimes, Counts, SoakResult, Window
from ecgseg.hil.soak.trends import trends
from ecgseg.hil.stream_result import StreamFacts, StreamMismatch, StreamResult, StreamRun
from ecgseg.models import model_names
from ecgseg.pipeline import Prediction, SegmentRules, segments
from ecgseg.profile import Profile
from ecgseg.profile.qemu import FlashProfile, LayerProfile
from ecgseg.report import evaluation, memory
from ecgseg.report.comparison import render_comparison
from ecgseg.report.html import render_report
from ecgseg.report.page import render_page
from ecgseg.report.profile_page import counted_page
from ecgseg.report.rig import render_rig
from ecgseg.report.soak import render_soak
from ecgseg.report.stream_html import render_report as render_stream_report
from ecgseg.runs.compare import RunComparison, compare
from ecgseg.runs.reading import Read
from ecgseg.scoring.collector import ScoreCollector
from ecgseg.scoring.delineation import Delineation, DelineationCollector
from ecgseg.scoring.evaluate import AF, Comparison, Evaluation
from ecgseg.zoo.figures import read_metrics

HARM = "<script>alert('x')</script>\"&"
ORIGIN = Provenance(
    started="2026-01-31T10:15:00Z",
    command="invoke hil-test --target qemu",
    versions=Versions(
        ecgseg="0.1.0",
        commit="0123456789abcdef" * 2 + "01234567",
        changed=False,
        python="3.11.2",
        platform="Linux 6.1 x86_64",
        packages={"numpy": "2.4.6"},
        tools={"arm-none-eabi-gcc": "arm-none-eabi-gcc 12.2.1"},
    ),
)


def lead(differing: bool = False) -> ShownLead:
    record = replace(synthetic_records(1, ("ii",), seed=4)[0], rhythm="sinus <script>alert(1)</script>")
    mask = np.zeros(1000, dtype=np.uint8)
    for start in range(100, 900, 100):
        mask[start : start + 9] = 1
        mask[start + 12 : start + 21] = 2
        mask[start + 35 : start + 55] = 3
    device = mask.copy()
    if differing:
        device[412:421] = 3
    return ShownLead(record, mask, device, segments(device, SegmentRules.for_classes(4)), 4, not differing)


def outcome(**changes: object) -> LeadOutcome:
    values = {"record": 181, "label": "181", "lead": "ii", "compared_bytes": 6200, "mismatched_bytes": 0, "seconds": 1}
    return LeadOutcome.model_validate(values | changes)


def result(**changes: object) -> HilResult:
    shown = lead()
    scores = ScoreCollector(4)
    scores.add(shown.record, Prediction(shown.device, list(shown.segments)))
    values: dict[str, object] = {
        "target": "qemu",
        "board": "mps2_an386",
        "backend": "aot",
        "model": "seg-4-tcn-sm",
        "model_sha256": "ab" * 32,
        "build_id": "0123456789abcdef",
        "source": "ludb",
        "records": [181],
        "leads": ["ii"],
        "frames": 4,
        "expected_frames": 4,
        "differing_frames": 0,
        "compared_bytes": 6200,
        "mismatched_bytes": 0,
        "requests": 33,
        "retries": 0,
        "crc_errors": 0,
        "device_crc_errors": 0,
        "device_overruns": 0,
        "verdict": "pass",
        "mismatches": [],
        "error": None,
        "timing": Timing(
            unit="instructions",
            resolution=40,
            core_hz=10**9,
            parts={"inference": Spread(mean=1_083_908.0, min=1_083_880.0, max=1_083_920.0)},
        ),
        "memory": Memory(arena_bytes=4528, stack_bytes=556, flash_bytes=27584, ram_bytes=32680),
        "macs": 830_000,
        "segmentation": Segmentation.of(scores),
        "seconds": 1.5,
        "by_lead": [outcome()],
        "provenance": ORIGIN,
    }
    return HilResult.model_validate(values | changes)


MISMATCH = Mismatch(
    record=181,
    lead="ii",
    frame=1,
    stage="layer 2 CONV_2D (operator 3)",
    compared="CONV_2D",
    offset=17,
    expected=0x7F,
    actual=None,
    differing_bytes=9,
    vector="build/reports/vectors/x.npz",
    replay="invoke hil-test --replay build/reports/vectors/x.npz",
)


def pages() -> dict[str, str]:
    """HTML of every kind of page by name; all text that a device, a file or a user gives holds HARM."""
    metrics = read_metrics(model_names()[-1]).model_copy(update={"model": HARM})
    return {
        "hil": render_report(_harmful_run()),
        "hil stream": render_stream_report(_harmful_stream()),
        "evaluation": evaluation.page(_harmful_comparison(), ORIGIN.model_copy(update={"command": HARM})),
        "confusion matrix": render_page("confusion_matrix.html.j2", m=metrics, names=CLASS_NAMES[4]),
        "run comparison": render_comparison(_harmful_change()),
        "soak": render_soak(_harmful_soak()),
        "rig": render_rig(_harmful_rig(), Path("/runs/rig"), Path("/runs")),
        "memory": memory.render_report(_harmful_manifest()),
        "profile": counted_page(_harmful_profile(), ORIGIN.model_copy(update={"command": HARM})),
    }


def _harmful_profile() -> Profile:
    layer = {"name": HARM, "operator": 3, "shape": [125, 8], "macs": 9000, "instructions_per_mac": 3.11}
    layers = [LayerProfile(index=index, instructions=28_023 * index, **layer) for index in (1, 2)]
    texts = dict.fromkeys(("target", "model", "sha256", "unit", "compiler", "emulator"), HARM)
    counts = dict.fromkeys(("instructions_per_frame", "preprocess_instructions_per_frame", "macs"), 84_069)
    memory_of_it = {"arena_bytes": 1144, "stack_bytes": 220, "flash_bytes": 9834}
    flash = FlashProfile(code=2276, forms=1014, weights=6304, tables=240)
    return Profile(**texts, **counts, **memory_of_it, flash=flash, instructions_per_mac=1.4, layers=layers)


def _harmful_run() -> HilRun:
    texts = dict.fromkeys(("board", "backend", "model", "model_sha256", "build_id", "image_sha256", "error"), HARM)
    mismatch = MISMATCH.model_copy(update=dict.fromkeys(("lead", "stage", "compared", "vector", "replay"), HARM))
    origin = ORIGIN.model_copy(update={"command": HARM, "started": HARM})
    changes = {"leads": [HARM], "verdict": "fail", "mismatches": [mismatch], "provenance": origin}
    shown = lead(differing=True)
    shown = replace(shown, record=replace(shown.record, lead=HARM, rhythm=HARM))
    return HilRun(result(**texts, **changes), [shown])


def stream_result(**changes: object) -> StreamResult:
    """Of a stream that is equal in every byte."""
    shown = lead()
    scores = DelineationCollector()
    scores.add(shown.record, Delineation.of_segments(Prediction(shown.device, list(shown.segments))))
    values = result().model_dump(include=set(StreamResult.model_fields)) | {
        "image_sha256": "",
        "streams": 1,
        "planned_streams": 1,
        "planned_records": 1,
        "differing_streams": 0,
        "signal_seconds": 10.0,
        "samples": 1000,
        "expected_samples": 1000,
        "events": 8,
        "expected_events": 8,
        "stream": StreamFacts(look_ahead_ms=500, block=16, state_bytes=4000, memory_bytes=9000),
        "scores": scores.scores(),
        "by_rhythm": {"sinus": scores.scores(), "flutter": scores.scores()},
        "peers": {"another": scores.scores()},
    }
    return StreamResult.model_validate(values | changes)


def _harmful_stream() -> StreamRun:
    texts = dict.fromkeys(("board", "backend", "model", "model_sha256", "build_id", "image_sha256", "error"), HARM)
    mismatch = StreamMismatch(record=1, lead=HARM, compared=HARM, number=1, what=HARM, again=HARM)
    scores = stream_result().scores
    groups = {HARM: scores, "b": scores}
    changes = {"leads": [HARM], "verdict": "fail", "mismatches": [mismatch], "by_rhythm": groups, "peers": groups}
    shown = lead(differing=True)
    shown = replace(shown, record=replace(shown.record, lead=HARM, rhythm=HARM))
    return StreamRun(stream_result(**texts, **changes), [shown])


def _harmful_comparison() -> Comparison:
    shown = lead()
    scores = ScoreCollector(4)
    scores.add(shown.record, Prediction(shown.device, list(shown.segments)))
    groups = {HARM: scores.scores(), AF: scores.scores()}
    one = Evaluation(
        model=HARM,
        sha256=HARM,
        source="ludb",
        records=[1],
        leads=[HARM],
        classes=4,
        whole=scores.scores(),
        by_rhythm=groups,
        by_lead=groups,
        by_noise={HARM: {HARM: 0.5}},
    )
    return Comparison(results=[one, one], int8_loss=0.01)


def _harmful_change() -> RunComparison:
    texts = dict.fromkeys(("model", "backend", "build_id"), HARM)
    return compare(Read(HARM, result()), Read(HARM, result(**texts, verdict="fail", mismatched_bytes=1)))


def _harmful_rig() -> RigResult:
    texts = dict.fromkeys(("name", "target", "model", "error"), HARM)
    run = RigRun(**texts, verdict="incomplete", exit_code=7, report=f"{HARM}.html", log="a.log")
    passed = run.model_copy(update={"verdict": "pass", "exit_code": 0, "error": None})
    result = RigResult.of(HARM, [run, passed, run.model_copy(update={"verdict": "fail"})], 4.5, (HARM, 130))
    return result.model_copy(update={"provenance": ORIGIN.model_copy(update={"command": HARM})})


def soak_result(**changes: object) -> SoakResult:
    """Of a soak that passed."""
    answers = AnswerTimes(frames=8, p10=0.8, p50=1.0, p90=2.0, p99=3.0, most=4.0)
    counts = Counts(leads=4, frames=16, expected_frames=16, compared_bytes=100, requests=100, seconds=2.0)
    windows = [
        Window(
            **counts.model_dump(),
            window=number,
            session=1,
            process=1,
            life=1 + number // 20,
            host_rss_bytes=100 << 20,
            target_rss_bytes=7 << 20,
            answers=answers,
            on_core=answers,
        )
        for number in range(41)
    ]
    values = result().model_dump(include=set(SoakResult.model_fields)) | {
        "rate": 500,
        "seed": 1,
        "window": 4,
        "faulty": 10,
        "restarts_wanted": 10,
        "wanted_frames": 656,
        "wanted_hours": None,
        "counts": counts.model_copy(update={"frames": 656, "expected_frames": 656}),
        "sessions": 1,
        "oracle": "ecgseg's interpreter",
        "trends": trends(windows),
        "windows": windows,
    }
    return SoakResult.model_validate(values | changes)


def _harmful_soak() -> SoakResult:
    texts = dict.fromkeys(("board", "backend", "model", "model_sha256", "build_id", "oracle", "error", "source"), HARM)
    mismatch = MISMATCH.model_copy(update=dict.fromkeys(("lead", "stage", "compared", "vector", "replay"), HARM))
    origin = ORIGIN.model_copy(update={"command": HARM})
    return soak_result(**texts, leads=[HARM], verdict="fail", mismatches=[mismatch], notes=[HARM], provenance=origin)


def _harmful_manifest() -> Manifest:
    names = ("generator", "generator_version", "model", "sha256")
    numbers = dict.fromkeys(Manifest.model_fields, 0)
    lists = {"input_shape": [1, 250, 1], "output_shape": [1, 250, 4]}
    layer = LayerEntry(
        name=HARM, operator=0, tensor=0, shape=[1, 250, 4], bytes=0, macs=0, in_place=True, streamed=False
    )
    buffer = BufferEntry(name=HARM, offset=0, size=100, first=0, last=0)
    filled = {"arena_bytes": 100, "layers": [layer], "buffers": [buffer]}
    return Manifest.model_validate(numbers | dict.fromkeys(names, HARM) | lists | filled)
