"""A rendered model is known in C under a prefix of the user's choice, and under nothing else."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.codegen.names import ModelNames
from ecgseg.codegen.render import render
from ecgseg.errors import UsageError
from ecgseg.image.boards import HOST, board_of
from ecgseg.image.programs import ENGINE_PART
from ecgseg.models import find_model
from support import drivers


def rendered(folder: Path, prefix: str, model: str) -> Path:
    path = paths.HEARTKIT_STYLE if model == "streamed" else find_model(model).path
    render(path, folder, name="a model", prefix=prefix)
    return folder


@pytest.mark.parametrize("model", ["seg-2-tcn-sm", "streamed"])
def test_global_symbols_and_macros_open_with_the_prefix(tmp_path: Path, model: str) -> None:
    folder = rendered(tmp_path, "Ecg4_b", model)
    compiler = drivers.Compiler(board_of(HOST), (folder, ENGINE_PART.include_dir), ("-fno-sanitize=all",))
    made = compiler.compile(folder / "Ecg4_b_model.c", tmp_path / "model.o")
    listed = subprocess.run(["nm", "-g", "--defined-only", made], capture_output=True, text=True, check=True).stdout
    ends = ("model", "model_info", "model_init", "model_run", "model_run_to_layer")
    assert sorted(line.split()[-1] for line in listed.splitlines()) == sorted(f"Ecg4_b_{end}" for end in ends)
    header = (folder / "Ecg4_b_model.h").read_text()
    assert set(re.findall(r"#(?:define|ifndef) (\w+?)_MODEL_", header)) == {"ECG4_B"}


def test_a_prefix_changes_names_and_nothing_else(tmp_path: Path) -> None:
    usual, other = (rendered(tmp_path / prefix, prefix, "seg-4-tcn-sm") for prefix in ("ecgseg", "lead"))
    for end in ("model.c", "model.h"):
        text = (usual / f"ecgseg_{end}").read_text()
        renamed = re.sub(r"\becgseg_model(?!\w*_t\b)", "lead_model", text).replace("ECGSEG_MODEL_", "LEAD_MODEL_")
        assert (other / f"lead_{end}").read_text() == renamed
    for name in ("manifest.json", "ecgseg_preprocess_params.h"):
        assert (other / name).read_bytes() == (usual / name).read_bytes()
    assert len(list(other.iterdir())) == 4


@pytest.mark.parametrize("prefix", ["", "4leads", "a-b", "a b", "_lead", "léad", "a;", "lead\n", "x" * 3 + "."])
def test_what_cannot_open_a_name_in_c_is_refused_before_anything_is_written(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(UsageError) as caught:
        rendered(tmp_path / "out", prefix, "seg-2-tcn-sm")
    assert repr(prefix) in caught.value.what
    assert caught.value.why
    assert caught.value.remedy
    assert not (tmp_path / "out").exists()


def test_names_of_files_and_macros_follow_from_the_prefix() -> None:
    names = ModelNames("lead")
    assert (names.header, names.source, names.tflm_source) == ("lead_model.h", "lead_model.c", "lead_tflm_model.cc")
    assert names.macro == "LEAD"
    assert ModelNames().header == "ecgseg_model.h"
