"""Libraries of the zoo and of others' models, built without this repository: sanitized, and on a Cortex-M4F."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.commands import export
from ecgseg.commands.task import start
from ecgseg.export.folder import FILE, Export
from ecgseg.models import STREAMS as ZOO_STREAMS
from ecgseg.models import ZOO
from support.drivers import HAS_QEMU
from support.small_models import alone

pytestmark = pytest.mark.slow

MODELS = (*ZOO, *ZOO_STREAMS, "heartkit-style.tflite", "alone.tflite")
PREFIXES = dict(zip(MODELS, ("two", "small", "large", "fast", "exact", "kit", "Mine"), strict=True))
STRICT = ("-Wall", "-Wextra", "-Werror", "-pedantic")


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each model, written by the task."""
    folders = {model: tmp_path_factory.mktemp(prefix) for model, prefix in PREFIXES.items()}
    lonely = tmp_path_factory.mktemp("models") / "alone.tflite"
    lonely.write_bytes(alone())
    files = {"heartkit-style.tflite": paths.HEARTKIT_STYLE, "alone.tflite": lonely}
    for model, folder in folders.items():
        named = {"tflite": str(files[model])} if model in files else {"model": model}
        assert not start(export.run, **named, prefix=PREFIXES[model], out=str(folder))
    return folders


def run(folder: Path, *command: str) -> str:
    """What a command prints that ends well, with nothing of this repository in reach."""
    environment = {"PATH": os.environ["PATH"], "LANG": "C"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("model", MODELS)
def test_its_test_passes_under_sanitizers(model: str, libraries: dict[str, Path]) -> None:
    assert f"PASS: {PREFIXES[model]}," in run(libraries[model], "make", "OPT=-O0", "sanitize")


@pytest.mark.qemu
@pytest.mark.skipif(not HAS_QEMU, reason="no Cortex-M4F compiler or QEMU")
@pytest.mark.parametrize("model", MODELS)
def test_its_test_passes_on_a_cortex_m4f_and_every_source_is_needed(model: str, libraries: dict[str, Path]) -> None:
    folder = libraries[model]
    optimised = () if model == ZOO_STREAMS[0] else ("OPT=-O1",)
    assert f"PASS: {PREFIXES[model]}," in run(folder, "make", *optimised, "qemu")
    linked = run(folder, "arm-none-eabi-nm", "--line-numbers", "--defined-only", "build/test.elf")
    used = {Path(place).name for place in re.findall(r"(\S+\.c):\d+", linked)}
    assert {path.name for path in (folder / "src").glob("*.c")} <= used


def test_figures_are_in_the_page_and_plausible(libraries: dict[str, Path]) -> None:
    for folder in libraries.values():
        told = Export.model_validate_json((folder / FILE).read_bytes())
        figures, page = told.figures, (folder / "README.md").read_text()
        for number in (figures.flash_bytes, figures.stack_bytes, figures.cycles):
            assert number > 0
            assert f"{number:,}" in page
        assert "modelled" in page
        assert told.model_sha256 in page
        assert told.source_sha256 in page
        assert (figures.state_bytes > 0) == (told.kind != "model")
        assert figures.stack_bytes < 4096


def test_every_name_for_the_linker_has_the_prefix(libraries: dict[str, Path]) -> None:
    for model in (ZOO[0], ZOO_STREAMS[0]):
        folder, prefix = libraries[model], PREFIXES[model]
        run(folder, "make", "OPT=-O0", "lib")
        names = re.findall(r" [A-TV-Z] (\w+)$", run(folder, "nm", "--defined-only", f"build/lib{prefix}.a"), re.M)
        assert names
        assert all(name.startswith(f"{prefix}_") for name in names)


def test_two_libraries_and_cpp_go_into_one_program(libraries: dict[str, Path], tmp_path: Path) -> None:
    chosen = (ZOO[0], ZOO_STREAMS[0])
    first, second = (PREFIXES[model] for model in chosen)
    source = f"""
#include "{first}.h"
#include "{second}.h"
#include <cstdio>
static {first}_t one;
static {second}_t other;
int main()
{{
    bool ready = false;
    std::size_t taken = 0;
    const int16_t samples[2] = {{1, 2}};
    const bool good = {first}_init(&one) == {first.upper()}_OK && {second}_init(&other, 0) == {second.upper()}_OK &&
                      {first}_push(&one, samples, 2, &taken, &ready) == {first.upper()}_OK &&
                      {second}_push(&other, samples, 2, &taken) == {second.upper()}_OK && taken == 2;
    std::puts(good ? "PASS" : "FAIL");
    return good ? 0 : 1;
}}
"""
    (tmp_path / "main.cpp").write_text(source)
    includes, archives = [], []
    for model in chosen:
        folder = libraries[model]
        run(folder, "make", "OPT=-O0", "lib")
        includes.append(f"-I{folder / 'include'}")
        archives.append(str(folder / "build" / f"lib{PREFIXES[model]}.a"))
    run(tmp_path, "g++", "-std=gnu++17", *STRICT, *includes, "main.cpp", *archives, "-lm", "-o", "main")
    assert run(tmp_path, "./main") == "PASS\n"


def compiled(folder: Path, target: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """The facade compiled with other flags than the library's."""
    source = next((folder / "src").glob("*_normalise.c"))
    command = ["gcc", *flags, f"-I{folder / 'include'}", "-c", str(source), "-o", str(target)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("flag", ["-ffast-math", "-Ofast", "-funsafe-math-optimizations", "-ffinite-math-only"])
def test_flags_that_change_results_do_not_compile(flag: str, libraries: dict[str, Path], tmp_path: Path) -> None:
    done = compiled(libraries[ZOO[0]], tmp_path / "x.o", flag)
    assert done.returncode != 0
    assert "must not be compiled with -ffast-math" in done.stderr
    assert compiled(libraries[ZOO[0]], tmp_path / "x.o", "-std=gnu11", *STRICT).returncode == 0


@pytest.mark.qemu
@pytest.mark.skipif(not HAS_QEMU, reason="no Cortex-M4F compiler or QEMU")
def test_products_are_rounded_also_where_the_flag_is_missing(libraries: dict[str, Path], tmp_path: Path) -> None:
    folder, prefix = libraries[ZOO[0]], PREFIXES[ZOO[0]]
    loose = ("make", "qemu", "OPT=-O2 -std=gnu11", f"BUILD={tmp_path}")
    makefile = (folder / "Makefile").read_text().replace("-std=c11", "").replace("-ffp-contract=off", "")
    (tmp_path / "Makefile").write_text(makefile)
    assert "PASS" in run(folder, *loose, "-f", str(tmp_path / "Makefile"))
    # Without the pragma the start tells.
    header = folder / "src" / f"{prefix}_ecgseg_build.h"
    right = header.read_text()
    try:
        header.write_text(right.replace('#pragma GCC optimize("fp-contract=off")', ""))
        with pytest.raises(AssertionError, match="FAIL: init, 3"):
            run(folder, *loose, "-f", str(tmp_path / "Makefile"))
    finally:
        header.write_text(right)
