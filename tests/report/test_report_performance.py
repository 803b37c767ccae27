"""The comparison with TensorFlow Lite Micro: its page holds the run's numbers and no others; its messages help."""

from __future__ import annotations

import hashlib
import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from ecgseg import paths
from ecgseg.commands import profile
from ecgseg.commands.task import start
from ecgseg.errors import EcgsegError, ToolMissingError, UsageError
from ecgseg.models import model_names
from ecgseg.profile.layers import LayerComparison, LayerGeometry
from ecgseg.profile.tflm import Comparison
from ecgseg.profile.ways import Agreement
from ecgseg.report.performance import performance_page, show_comparison, show_versions
from support.tflm_tree import ARM, CMSIS_NN_INDEX, archive, empty_tree

ROWS = ("| seg-x", "| |", "  seg-x")
PAGE = paths.ROOT / "docs" / "performance.md"
FIGURES = paths.ROOT / "tests" / "firmware" / "profile_figures.json"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return empty_tree(tmp_path / "tree")


def comparison(model: str = "seg-x", *, times: int = 1, from_zoo: bool = True) -> Comparison:
    """A comparison with made-up numbers, each of them `times` a number that stands nowhere else."""
    # The page's columns do not depend on the order of the run.
    rows = (
        ("reference", 2_001_010, 7_283, 44_969, 769),
        ("CMSIS-NN", 701_003, 7_523, 65_309, 1_361),
        ("generated C", 200_001, 2_411, 9_857, 263),
    )
    return Comparison.model_validate(
        {
            "target": "qemu",
            "model": model,
            "sha256": "ab" * 32,
            "from_zoo": from_zoo,
            "unit": "instructions",
            "macs": 100_003 * times,
            "input_bytes": 251 * times,
            "output_bytes": 1_009 * times,
            "compiler": "gcc 1",
            "emulator": "QEMU 7",
            "versions": {"TensorFlow Lite Micro": "commit abc123", "flags of the libraries": "-O7"},
            "ways": [
                {
                    "name": name,
                    "library": f"gen/{name}/lib/x.a",
                    "instructions_per_frame": instructions * times,
                    "instructions_per_mac": None,
                    "arena_bytes": arena * times,
                    "image_bytes": image * times,
                    "stack_bytes": stack * times,
                }
                for name, instructions, arena, image, stack in rows
            ],
        }
    )


def test_the_page_shows_every_number_in_the_column_it_belongs_to() -> None:
    lines = performance_page([comparison()]).splitlines()
    assert "| seg-x | 100,003 | 200,001 | 701,003 | 3.50 | 2,001,010 | 10.00 |" in lines
    start = lines.index("| seg-x | arena, B | 2,411 | 7,523 | 7,283 |")
    assert lines[start + 1 : start + 3] == [
        "| | image, B | 9,857 | 65,309 | 44,969 |",
        "| | stack, B | 263 | 1,361 | 769 |",
    ]
    text = "\n".join(lines)
    for wanted in (
        "seg-x 251 + 1,009 B",
        "ab" * 32,
        "commit abc123",
        "-O7",
        "gcc 1",
        "QEMU 7",
        "gen/reference/lib/x.a",
    ):
        assert wanted in text
    assert "not edited by hand" in lines[2]


def test_no_number_of_a_run_is_a_part_of_the_template() -> None:
    def numbers(page: str) -> set[str]:
        return {
            number for row in page.splitlines() if row.startswith(ROWS) for number in re.findall(r"\d[\d,.]*\d", row)
        }

    once, thrice = performance_page([comparison()]), performance_page([comparison(times=3)])
    # A ratio is the same for numbers that all grow alike.
    assert numbers(once) & numbers(thrice) == {"3.50", "10.00"}
    assert len(numbers(once)) == 17


def test_each_model_has_its_rows_and_what_is_not_of_the_zoo_is_told() -> None:
    page = performance_page([comparison("seg-x"), comparison("heartkit-style", from_zoo=False)])
    assert page.index("| seg-x | arena") < page.index("| heartkit-style | arena")
    assert "`heartkit-style` is no model of the zoo: `tests/vectors/heartkit-style.tflite`" in page
    assert "is no model of the zoo" not in performance_page([comparison()])
    assert "\n\n\n" not in page


def with_peers() -> Comparison:
    """A comparison whose cycles and outputs are known, with one other way and a layer."""
    plain = comparison()
    ways = [
        way.model_copy(
            update={
                "cycles_per_frame": 2 * way.instructions_per_frame + 1,
                "agreement": Agreement(outputs=2_500, different=0, largest=0),
            }
        )
        for way in plain.ways
    ]
    direct = ways[-1].model_copy(
        update={
            "name": "CMSIS-NN directly",
            "library": None,
            "instructions_per_frame": 600_001,
            "cycles_per_frame": 1_200_009,
            "agreement": Agreement(outputs=2_500, different=50, largest=3),
        }
    )
    geometry = LayerGeometry(
        kind="convolution", taps=3, stride=1, dilation=4, in_channels=8, out_channels=16, in_positions=125,
        out_positions=125, macs=48_000,
    )  # fmt: skip
    layer = LayerComparison(geometry=geometry, ways=[ways[2], direct], left_out={"TinyEngine, float": "it will not"})
    reason = {"TinyEngine, integer": "no tree of it was named"}
    return plain.model_copy(update={"ways": [*ways, direct], "layers": [layer], "left_out": reason})


def test_cycles_come_before_instructions_and_each_way_has_its_columns() -> None:
    page = performance_page([with_peers(), comparison("seg-y")])
    lines = page.splitlines()
    cycles = "| seg-x | 100,003 | 400,003 | 1,402,007 | 3.50 | 4,002,021 | 10.00 | 1,200,009 | 3.00 |"
    assert cycles in lines
    assert page.index("## Cycles") < page.index(cycles) < page.index("## Instructions")
    assert "Modelled by `apollo4p-sim`, not measured" in page
    assert "| seg-x | 100,003 | 200,001 | 701,003 | 3.50 | 2,001,010 | 10.00 | 600,001 | 3.00 |" in lines
    assert "| seg-y | 100,003 | 200,001 | 701,003 | 3.50 | 2,001,010 | 10.00 | – | – |" in lines
    assert "| seg-x | equal | equal | equal | 2.0 % differ, by 3 at most |" in lines
    assert "\n\n\n" not in page


def test_layers_are_named_and_what_is_left_out_says_why() -> None:
    lines = performance_page([with_peers()]).splitlines()
    name = "convolution of 3, dilation 4, 8 to 16 channels, 125 steps"
    assert f"| {name} | 400,003 | – | – | 1,200,009 (3.00) |" in lines
    unequal = "CMSIS-NN directly: 2.0 % differ, by 3 at most"
    assert f"| {name} | 200,001 | – | – | 600,001 | {unequal} |" in lines
    assert "- TinyEngine, integer: no tree of it was named (seg-x)." in lines
    assert "- TinyEngine, float: it will not (convolution)." in lines


def test_the_terminal_shows_cycles_output_and_what_is_left_out() -> None:
    console = Console(width=80, file=io.StringIO(), record=True)
    show_comparison(with_peers(), console)
    text = console.export_text()
    for wanted in (
        "1,402,007",
        "3.50",
        "Output equal to the byte: TFLM reference; TFLM + CMSIS-NN; generated C.",
        "Output of CMSIS-NN directly: 2.0 % differ, by 3 at most.",
        "TinyEngine, integer left out: no tree of it was named.",
    ):
        assert wanted in text


def test_the_terminal_shows_both_kinds_of_kernels_beside_generated_c() -> None:
    console = Console(width=160, file=io.StringIO(), record=True)
    show_comparison(comparison(), console)
    show_versions(comparison(), console)
    text = console.export_text()
    for wanted in (
        "200,001",
        "701,003",
        "2,001,010",
        "3.50",
        "10.00",
        "65,309",
        "1,361",
        "not cycles",
        "commit abc123",
    ):
        assert wanted in text


@pytest.mark.parametrize(
    ("options", "what", "remedy"),
    [
        ({"backend": "tflm"}, "needs a TensorFlow Lite Micro tree", "docs/tflm.md"),
        ({"backend": "tflm", "page": "x.md"}, "needs a TensorFlow Lite Micro tree", "--tflm-dir"),
        ({"backend": "tflm", "target": "apollo4p-sim"}, "in QEMU alone", "--target"),
        ({"backend": "tflm", "picture": "x.png"}, "--picture", "--backend tflm"),
        ({"backend": "tflm", "layers": True}, "--layers", "--backend tflm"),
        ({"page": "x.md"}, "--page", "--backend tflm"),
        ({"backend": "tflmm"}, "backend 'tflmm'", "--backend"),
    ],
)
def test_options_that_make_no_sense_are_refused_in_three_parts(
    options: dict[str, str], what: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TFLM_DIR", raising=False)
    with pytest.raises(UsageError) as caught:
        start(profile.run, **options)
    assert what in caught.value.what
    assert caught.value.why
    assert remedy in caught.value.remedy


def test_a_page_needs_both_libraries_and_says_so_before_it_counts(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted(*_: object, **__: object) -> None:
        raise EcgsegError("It counted.")

    monkeypatch.setattr("ecgseg.profile.tflm.compare", counted)
    archive(root / "lib/x.a", ARM)
    options = {"backend": "tflm", "tflm_dir": str(root)}
    with pytest.raises(ToolMissingError, match="with the kernels of CMSIS-NN"):
        start(profile.run, **options, page=str(tmp_path / "page.md"))
    with pytest.raises(EcgsegError, match="It counted"):
        start(profile.run, **options)


def test_page_and_json_hold_the_zoo_and_the_other_network(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compare(model: object, *_: object, **__: object) -> Comparison:
        return comparison(model.name, from_zoo=model.from_zoo)  # type: ignore[attr-defined]

    monkeypatch.setattr("ecgseg.profile.tflm.compare", compare)
    archive(root / "lib/x.a", ARM)
    archive(root / "lib/y.a", ARM, CMSIS_NN_INDEX)
    page, file = tmp_path / "page.md", tmp_path / "page.json"
    options = {"backend": "tflm", "tflm_dir": str(root), "json": str(file)}
    start(profile.run, **options, page=str(page))
    models = [*model_names(), "heartkit-style"]
    assert [entry["model"] for entry in json.loads(file.read_text())] == models
    assert all(f"| {model} | arena, B |" in page.read_text() for model in models)
    start(profile.run, **options, model="seg-4-tcn-lg")
    assert json.loads(file.read_text())["model"] == "seg-4-tcn-lg"


@pytest.mark.parametrize("name", model_names())
def test_the_committed_page_is_of_the_committed_models_and_figures(name: str) -> None:
    page, figures = PAGE.read_text(encoding="utf-8"), json.loads(FIGURES.read_text())[name]
    regenerate = "run `invoke profile --backend tflm --tflm-dir DIR --page docs/performance.md`"
    sha256 = hashlib.sha256((paths.MODELS / name / "model.tflite").read_bytes()).hexdigest()
    assert f"- `{name}` {sha256}" in page, regenerate
    assert re.search(rf"^\| {name} \| [\d,]+ \| {figures['instructions_per_frame']:,} \|", page, re.M), regenerate
    assert f"| {name} | arena, B | {figures['arena_bytes']:,} |" in page, regenerate
