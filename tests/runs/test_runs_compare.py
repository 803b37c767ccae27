"""`invoke compare`: the smallest regression of each kind is found; what cannot be held against each other is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ecgseg.commands import compare as task
from ecgseg.commands.task import start
from ecgseg.errors import DataError, UsageError
from ecgseg.hil import provenance
from ecgseg.hil.result import HilResult, Injected, Spread, Timing
from ecgseg.hil.stream_result import StreamResult
from ecgseg.profile.qemu import FlashProfile, LayerProfile, Profile
from ecgseg.report.comparison import render_comparison, show_comparison
from ecgseg.runs import folder
from ecgseg.runs.compare import Measure, RunComparison, compare
from ecgseg.runs.reading import Read, Result, read_result
from support.pages import check_page, text_of
from support.report_pages import HARM, ORIGIN, result, soak_result, stream_result


def compared(a: Result, b: Result) -> RunComparison:
    return compare(Read("before", a), Read("after", b))


def changed(found: RunComparison) -> dict[str, Measure]:
    return {measure.name: measure for measure in found.measures if measure.change != "equal"}


def worse(found: RunComparison) -> list[str]:
    assert found.regression == any(measure.change == "worse" for measure in found.measures)
    return [measure.name for measure in found.measures if measure.change == "worse"]


def with_samples(found: HilResult, **changes: Any) -> HilResult:
    """The result with other scores of samples."""
    scores = found.segmentation
    assert scores is not None
    samples = scores.samples.model_copy(update=changes)
    return found.model_copy(update={"segmentation": scores.model_copy(update={"samples": samples})})


def timing(mean: float, largest: float, unit: str = "instructions") -> Timing:
    parts = {"inference": Spread(mean=mean, min=1_083_880.0, max=largest)}
    return Timing(unit=unit, resolution=1, core_hz=10**9, parts=parts)


def profile(**changes: Any) -> Profile:
    values = {
        "target": "qemu",
        "model": "seg-4-tcn-sm",
        "sha256": "ab" * 32,
        "unit": "instructions",
        "instructions_per_frame": 1000,
        "preprocess_instructions_per_frame": 100,
        "macs": 500,
        "instructions_per_mac": 2.0,
        "arena_bytes": 4528,
        "stack_bytes": 556,
        "flash_bytes": 10,
        "flash": FlashProfile(code=1, forms=2, weights=3, tables=4),
        "compiler": "gcc 12",
        "emulator": "QEMU 7",
        "layers": [
            LayerProfile(
                index=0, name="CONV_2D", operator=0, shape=[1], macs=500, instructions=900, instructions_per_mac=1.8
            )
        ],
    }
    return Profile.model_validate(values | changes)


@pytest.mark.parametrize("make", [result, stream_result, profile])
def test_the_same_run_twice_is_no_regression(make: Callable[[], Result]) -> None:
    found = compared(make(), make())
    assert not changed(found)
    assert not found.regression
    assert not found.facts


def test_one_instruction_slower_is_found() -> None:
    """On every frame, on the slowest one alone, and in one of a hundred frames."""
    before = result(timing=timing(1_083_908.0, 1_083_920.0))
    assert worse(compared(before, result(timing=timing(1_083_909.0, 1_083_920.0)))) == ["inference, mean"]
    assert worse(compared(before, result(timing=timing(1_083_908.0, 1_083_921.0)))) == ["inference, most"]
    assert worse(compared(before, result(timing=timing(1_083_908.01, 1_083_920.0)))) == ["inference, mean"]
    assert worse(compared(result(timing=timing(1_083_909.0, 1_083_920.0)), before)) == []


def test_one_instruction_slower_is_found_in_a_profile() -> None:
    assert worse(compared(profile(), profile(instructions_per_frame=1001))) == ["inference"]


def test_one_wrong_byte_is_found() -> None:
    found = compared(result(), result(verdict="fail", mismatched_bytes=1, differing_frames=1))
    assert worse(found) == ["verdict", "bytes that differ", "frames that differ"]


def test_one_more_wrong_byte_is_found_where_some_were_wrong_before() -> None:
    before = result(verdict="fail", mismatched_bytes=1, differing_frames=1)
    assert worse(compared(before, result(verdict="fail", mismatched_bytes=2, differing_frames=1))) == [
        "bytes that differ"
    ]


def test_a_tenth_of_a_point_of_f1_is_found() -> None:
    before = with_samples(result(), weighted_f1=0.9651)
    found = compared(before, with_samples(result(), weighted_f1=0.9641))
    assert worse(found) == ["F1 of samples, weighted"]
    console = Console(width=80, record=True)
    show_comparison(found, console)
    assert "-0.100 points" in console.export_text()


def test_a_tenth_of_a_point_of_f1_is_found_of_one_class_and_of_one_kind_of_point() -> None:
    before = result()
    assert before.segmentation is not None
    classes = before.segmentation.samples.per_class_f1
    name = next(name for name, f1 in classes.items() if f1 > 0.5)
    after = with_samples(before, per_class_f1=classes | {name: classes[name] - 0.001})
    assert worse(compared(before, after)) == [f"F1 of samples, {name}"]
    stream = stream_result()
    assert stream.scores is not None
    points = stream.scores.fiducials
    (point, score) = next((point, score) for point, score in points.items() if score.false_positives)
    less = {point: score.model_copy(update={"f1": score.f1 - 0.001})}
    scores = stream.scores.model_copy(update={"fiducials": points | less})
    assert worse(compared(stream, stream_result(scores=scores))) == [f"F1 of {point}"]


@pytest.mark.parametrize(
    ("name", "field"),
    [("arena", "arena_bytes"), ("deepest stack", "stack_bytes"), ("flash of the image", "flash_bytes")],
)
def test_one_byte_of_memory_or_flash_is_found(name: str, field: str) -> None:
    memory = result().memory
    more = memory.model_copy(update={field: getattr(memory, field) + 1})
    assert worse(compared(result(), result(memory=more))) == [name]
    assert worse(compared(result(memory=more), result())) == []


def test_what_one_run_does_not_know_is_not_judged() -> None:
    memory = result().memory.model_copy(update={"stack_bytes": 0})
    found = changed(compared(result(memory=memory), result()))
    assert {name: measure.change for name, measure in found.items()} == {"deepest stack": "not judged"}
    assert not compared(result(), result(segmentation=None)).regression


def test_a_time_that_a_clock_measured_may_change_by_a_hundredth() -> None:
    def measured(mean: float) -> HilResult:
        return result(target="apollo4p", timing=timing(mean, 2_000_000.0, "core clock cycles"))

    assert worse(compared(measured(1_000_000), measured(1_009_000))) == []
    assert worse(compared(measured(1_000_000), measured(1_011_000))) == ["inference, mean"]


def test_times_of_this_computer_are_told_and_not_judged() -> None:
    slow, fast = (result(target="host", timing=timing(mean, 9e6, "microseconds")) for mean in (2000.0, 1000.0))
    found = compared(fast, slow)
    assert changed(found)["inference, mean"].change == "other"
    assert not found.regression


def test_runs_of_other_ecg_are_not_held_against_each_other_in_accuracy_and_time() -> None:
    other = with_samples(result(records=[182], timing=timing(2e6, 2e6)), weighted_f1=0.1)
    found = compared(result(), other)
    assert not found.regression
    assert [note.split(":")[0] for note in found.notes] == ["Accuracy is not judged", "Time is not judged"]
    assert [(fact.name, fact.a, fact.b) for fact in found.facts] == [("records", "181", "182")]
    assert worse(compared(result(), result(records=[182], verdict="fail", mismatched_bytes=1)))


def test_runs_on_other_targets_are_not_held_against_each_other_in_costs() -> None:
    found = compared(result(), result(target="apollo4p-sim", timing=timing(9e6, 9e6, "core clock cycles")))
    assert not found.regression
    assert len(found.notes) == 3


def test_what_computed_is_told_where_it_is_not_the_same() -> None:
    versions = ORIGIN.versions.model_copy(update={"changed": True, "packages": {"numpy": "2.5.0"}})
    found = compared(result(), result(provenance=ORIGIN.model_copy(update={"versions": versions})))
    told = {fact.name: (fact.a, fact.b) for fact in found.facts}
    assert told["numpy"] == ("2.4.6", "2.5.0")
    assert told["commit"][1].endswith(", changed")
    assert not found.regression


@pytest.mark.parametrize("make", [result, stream_result])
def test_faults_of_the_line_and_what_was_sent_again_are_told_and_judge_nothing(make: Callable[..., Result]) -> None:
    injected = Injected(faults="drop=1e-3", seed=1, to_device=2, to_host=3)
    found = compared(make(), make(injected=injected, retries=9_999, crc_errors=8_888))
    assert [(fact.name, fact.a, fact.b) for fact in found.facts] == [("faults put into the line", "none", "drop=1e-3")]
    changes = {name: (measure.b, measure.change) for name, measure in changed(found).items()}
    assert changes == {"retries": (9_999, "other"), "answers with a wrong CRC": (8_888, "other")}
    assert not found.regression
    console = Console(width=80, record=True)
    show_comparison(found, console)
    assert "other" not in console.export_text()


def test_results_of_two_kinds_are_refused() -> None:
    with pytest.raises(UsageError, match="cannot be compared"):
        compared(result(), stream_result())


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> folder.RunFolder:
    """A run that passed."""
    monkeypatch.setenv("ECGSEG_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(provenance, "versions_here", lambda: ORIGIN.versions)
    run = folder.begin("hil-test", "seg-4-tcn-sm", "qemu", "")
    run.end(result())
    return run


def test_a_run_is_named_by_its_folder_its_name_or_its_file(kept: folder.RunFolder) -> None:
    for named in (kept.path, kept.path.name, kept.result):
        found = read_result(str(named))
        assert found.name == kept.path.name
        assert found.result == result()


def test_a_run_without_a_result_is_told(kept: folder.RunFolder) -> None:
    kept.result.unlink()
    with pytest.raises(DataError, match="has no result"):
        read_result(kept.path.name)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"{}",
        b"\xff\xfe",
        b'{"clocks": 1}',
        b'{"kind": "stream"}',
        b'{"differing_frames": {}}',
        b"[" * 100_000,
    ],
)
def test_a_file_that_is_no_result_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(DataError, match="no result that can be compared"):
        read_result(str(tmp_path / "x.json"))
    with pytest.raises(DataError, match="no result that can be compared"):
        read_result(str(tmp_path / "none.json"))


def test_the_exit_code_tells_a_ci(kept: folder.RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    after = tmp_path / "after.json"
    after.write_text(result(mismatched_bytes=1, verdict="fail").model_dump_json())
    places = {"json": str(tmp_path / "c.json"), "html": str(tmp_path / "c.html")}
    assert start(task.run, before=kept.path.name, after=str(after), **places) == 1
    assert "WORSE  2 of them: verdict, bytes that differ" in capsys.readouterr().out
    assert RunComparison.model_validate(json.loads((tmp_path / "c.json").read_text())).regression
    assert "Something got worse" in (tmp_path / "c.html").read_text()
    assert start(task.run, before=str(after), after=kept.path.name) == 0
    with pytest.raises(UsageError, match="Two runs"):
        start(task.run, before="one")


def test_the_table_fits_80_columns_whatever_the_names() -> None:
    other = stream_result(model=HARM * 9, records=list(range(300)), mismatched_bytes=10**12, verdict="fail")
    console = Console(width=80, record=True)
    show_comparison(compare(Read("a", stream_result()), Read("b", other)), console)
    assert max(len(line) for line in console.export_text().splitlines()) <= 80


def test_the_page_is_one_file_that_escapes_what_is_data() -> None:
    hostile = result(model=HARM, verdict="fail", mismatched_bytes=1)
    html = render_comparison(compare(Read(HARM, result()), Read(HARM, hostile)))
    assert "<script>" not in html
    check_page(html)
    text = text_of(html)
    assert "Something got worse" in text
    assert "bytes that differ" in text
    check_page(render_comparison(compared(StreamResult.model_validate(stream_result()), stream_result())))


def test_soaks_are_compared_by_what_differs_is_lost_or_grows(tmp_path: Path) -> None:
    good = soak_result()
    assert worse(compared(good, soak_result())) == []
    assert worse(compared(good, soak_result(verdict="drift"))) == ["verdict"]
    counts = good.counts.model_copy(update={"mismatched_bytes": 1, "differing_frames": 1, "frames": 655})
    found = compared(good, soak_result(verdict="fail", counts=counts))
    assert worse(found) == ["verdict", "bytes that differ", "frames that differ", "frames lost"]
    path = tmp_path / "soak.json"
    path.write_text(good.model_dump_json())
    assert read_result(str(path)).result == good
    with pytest.raises(UsageError, match="cannot be compared"):
        compared(good, result())
