"""Each layout against what its build system documents; where that is not at hand, with stand-ins of its commands."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from ecgseg.export.figures import Figures, state_bytes
from ecgseg.export.folder import write_library
from ecgseg.export.forms import FORMS
from ecgseg.export.library import inner_sources, library_of
from ecgseg.export.prefix import checked
from ecgseg.export.subject import Subject, subject_of
from ecgseg.models import ModelFile
from support.delineator_model import delineator_model
from support.drivers import HAS_QEMU
from support.small_models import segmenter

pytestmark = pytest.mark.slow

STRICT = ("-Wall", "-Wextra", "-Werror", "-pedantic")
# What a Makefile of a neuralSPOT tree has when it includes module.mk, and the flags that it compiles with.
NEURALSPOT = """
CC := gcc
AR := ar
BINDIR := build
CFLAGS := -Wall -g -O3 -ffast-math
CONLY_FLAGS := -std=c99
libraries :=
sources :=
includes_api :=
bindirs := $(BINDIR)
source-to-object = $(patsubst %.c,$(BINDIR)/%.o,$(filter %.c,$1))
subdirectory = $(patsubst %/module.mk,%,$(lastword $(MAKEFILE_LIST)))
define make-library
libraries += $1
sources += $2
$1: $(call source-to-object,$2)
\t$(AR) rcs $$@ $$^
endef
all: everything
include neuralspot/ecg/module.mk
CFLAGS += $(addprefix -I,$(includes_api))
everything: $(libraries) other.o
$(BINDIR)/%.o: %.c
\tmkdir -p $(@D)
\t$(CC) -c $(CFLAGS) $(CONLY_FLAGS) $< -o $@
other.o: other.c
\t$(CC) -c $(CFLAGS) $(CONLY_FLAGS) $< -o $@
"""
ZEPHYR = """
cmake_minimum_required(VERSION 3.16)
project(stand_in LANGUAGES C)
function(zephyr_include_directories)
    include_directories(${ARGN})
endfunction()
macro(zephyr_library_named name)
    set(library ${name})
    add_library(${name} STATIC)
endmacro()
macro(zephyr_library_sources)
    target_sources(${library} PRIVATE ${ARGN})
endmacro()
macro(zephyr_library_compile_options)
    target_compile_options(${library} PRIVATE ${ARGN})
endmacro()
set(CONFIG_ECG y)
add_subdirectory(${MODULE}/zephyr zephyr)
add_executable(sample ${MODULE}/samples/selftest/src/main.c)
target_include_directories(sample PRIVATE ${MODULE}/include)
target_link_libraries(sample PRIVATE ecg)
"""
SERIAL = """
#include <cstdio>
struct {
    void begin(long) {}
    explicit operator bool() { return true; }
    void println(const char *text) { std::puts(text); }
} Serial;
#include "selftest.ino"
int main() { setup(); loop(); }
"""


def subject(data: bytes, name: str) -> Subject:
    return subject_of(ModelFile(name, Path("none.tflite"), data, from_zoo=False))


@pytest.fixture(scope="module")
def frames() -> tuple[Subject, Figures]:
    made = subject(segmenter(4), "my-frames")
    state = state_bytes(made, inner_sources(made))
    figures = Figures(compiler="gcc", flash_bytes=1, static_bytes=2, state_bytes=state, stack_bytes=3, cycles=4)
    return made, figures


@pytest.fixture
def folder(request: pytest.FixtureRequest, frames: tuple[Subject, Figures], tmp_path: Path) -> Path:
    """A library in the layout that the test names."""
    return written(tmp_path / "library", *frames, form=request.param)


def written(place: Path, made: Subject, figures: Figures, form: str, prefix: str = "ecg") -> Path:
    names, layout = checked(prefix), FORMS[form]
    write_library(place, library_of(made, names, layout, figures), made, names, layout)
    return place


def run(place: Path, *command: str) -> str:
    environment = {"PATH": os.environ["PATH"], "LANG": "C"}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def cmake(place: Path, *options: str) -> str:
    run(place, "cmake", "-S", ".", "-B", "build", *options)
    run(place, "cmake", "--build", "build")
    return run(place, "ctest", "--test-dir", "build", "--verbose")


@pytest.mark.parametrize("folder", ["cmake"], indirect=True)
def test_cmake_builds_and_passes_under_sanitizers(folder: Path) -> None:
    assert "PASS: ecg, 4 frames" in cmake(folder, "-DECG_SANITIZE=ON")


@pytest.mark.qemu
@pytest.mark.skipif(not HAS_QEMU, reason="no Cortex-M4F compiler or QEMU")
@pytest.mark.parametrize("folder", ["cmake"], indirect=True)
def test_cmake_builds_and_passes_on_a_cortex_m4f(folder: Path) -> None:
    assert "PASS: ecg, 4 frames" in cmake(folder, "-DCMAKE_TOOLCHAIN_FILE=port/mps2_an386/toolchain.cmake")


def test_cmake_takes_two_libraries_into_one_program(frames: tuple[Subject, Figures], tmp_path: Path) -> None:
    made = subject(delineator_model(), "my-stream")
    state = state_bytes(made, inner_sources(made))
    written(tmp_path / "one", *frames, form="cmake", prefix="one")
    written(tmp_path / "two", made, frames[1].model_copy(update={"state_bytes": state}), form="cmake", prefix="two")
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(both LANGUAGES C CXX)\nenable_testing()\n"
        "add_subdirectory(one)\nadd_subdirectory(two)\nadd_executable(both main.cpp)\n"
        "target_link_libraries(both PRIVATE one two)\nadd_test(NAME both COMMAND both)\n"
    )
    (tmp_path / "main.cpp").write_text(
        '#include "one.h"\n#include "two.h"\nstatic one_t a;\nstatic two_t b;\n'
        "int main() { return one_init(&a) == ONE_OK && two_init(&b, 0) == TWO_OK ? 0 : 1; }\n"
    )
    assert "100% tests passed" in cmake(tmp_path)


@pytest.mark.parametrize("folder", ["zephyr"], indirect=True)
def test_zephyr_gets_a_module_as_it_documents_one(folder: Path, tmp_path: Path) -> None:
    described = (folder / "zephyr" / "module.yml").read_text()
    assert re.sub(r"^#.*\n", "", described, flags=re.M) == (
        "name: ecg\nbuild:\n  cmake: zephyr\n  kconfig: zephyr/Kconfig\nsamples:\n  - samples/selftest\n"
    )
    assert (folder / "zephyr" / "CMakeLists.txt").is_file()
    kconfig = (folder / "zephyr" / "Kconfig").read_text()
    assert re.search(r"^config ECG\n    bool \"[^\"]+\"\n    help\n      \S", kconfig, re.M)
    assert {path.name for path in (folder / "samples" / "selftest").iterdir()} == {
        "CMakeLists.txt",
        "prj.conf",
        "sample.yaml",
        "src",
    }
    assert "CONFIG_ECG=y" in (folder / "samples" / "selftest" / "prj.conf").read_text()
    (tmp_path / "CMakeLists.txt").write_text(ZEPHYR)
    run(tmp_path, "cmake", "-S", ".", "-B", "build", f"-DMODULE={folder}")
    run(tmp_path, "cmake", "--build", "build")
    assert "PASS: ecg, 4 frames" in run(tmp_path, "build/sample")


def test_neuralspot_gets_a_module_that_takes_back_its_fast_math(
    frames: tuple[Subject, Figures], tmp_path: Path
) -> None:
    folder = written(tmp_path / "neuralspot" / "ecg", *frames, form="neuralspot")
    assert {path.name for path in folder.iterdir()} >= {"module.mk", "src", "includes-api"}
    (tmp_path / "Makefile").write_text(NEURALSPOT)
    (tmp_path / "other.c").write_text("int other;\n")
    printed = run(tmp_path, "make")
    # Only the library's own objects lose the flag.
    assert "-fno-fast-math" not in next(line for line in printed.splitlines() if "other.c" in line)
    test = ("neuralspot/ecg/test/main.c", "build/neuralspot/ecg/ecg.a")
    run(tmp_path, "gcc", "-std=c11", "-Ineuralspot/ecg/includes-api", *test, "-lm", "-o", "selftest")
    assert "PASS: ecg, 4 frames" in run(tmp_path, "./selftest")
    # Without it the sources refuse.
    module = (folder / "module.mk").read_text()
    (folder / "module.mk").write_text(re.sub(r"^.*: CFLAGS \+= .*$", "", module, flags=re.M))
    run(tmp_path, "rm", "-r", "build")
    with pytest.raises(AssertionError, match="must not be compiled with -ffast-math"):
        run(tmp_path, "make")


@pytest.mark.parametrize("folder", ["arduino"], indirect=True)
def test_arduino_gets_a_library_as_it_documents_one(folder: Path, tmp_path: Path) -> None:
    properties = dict(line.split("=", 1) for line in (folder / "library.properties").read_text().splitlines())
    assert list(properties) == (
        "name version author maintainer sentence paragraph category url architectures includes".split()
    )
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}", properties["name"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", properties["version"])
    assert properties["includes"] == "ecg.h"
    assert (folder / "src" / "ecg.h").is_file()
    # A sketch has the name of its folder; what is not in src or examples is not compiled.
    assert (folder / "examples" / "selftest" / "selftest.ino").is_file()
    assert all(path.parts[0] in ("src", "examples") for path in (p.relative_to(folder) for p in folder.rglob("*.[ch]")))
    sketch = folder / "examples" / "selftest"
    (tmp_path / "sketch.cpp").write_text(SERIAL)
    sources = [str(path) for path in (*sorted((folder / "src").glob("*.c")), sketch / "check.c")]
    run(tmp_path, "gcc", "-std=gnu11", "-Os", "-w", "-DARDUINO=10607", f"-I{folder / 'src'}", "-c", *sources)
    objects = [f"{Path(source).stem}.o" for source in sources]
    includes = (f"-I{folder / 'src'}", f"-I{sketch}")
    run(tmp_path, "g++", "-std=gnu++17", *STRICT, *includes, "sketch.cpp", *objects, "-lm", "-o", "sketch")
    printed = run(tmp_path, "./sketch")
    assert "PASS: ecg, 4 frames" in printed
    assert printed.endswith("PASS\n")
    # Beside another library its test runs on a computer too, as its page says.
    command = re.search(r"^    (gcc .*)$", (folder / "README.md").read_text(), re.M)
    assert command is not None
    assert "PASS" in run(folder, "sh", "-c", command[1])


@pytest.mark.parametrize("folder", list(FORMS), indirect=True)
def test_the_page_names_what_is_there_and_tells_what_was_not_built(folder: Path) -> None:
    page = (folder / "README.md").read_text()
    for named in re.findall(r"^\| `([\w./-]+)`", page, re.M):
        assert (folder / named).exists() or named == "ecg_t"
    for named in re.findall(r"\]\(([\w./-]+)\)", page):
        assert (folder / named).is_file()
    built = folder.joinpath("Makefile").exists() or folder.joinpath("CMakeLists.txt").exists()
    assert built != ("Not built in" in page)


@pytest.mark.parametrize(("rate", "stream"), [(128, False), (360, True), (1000, True)])
def test_a_library_takes_any_front_ends_rate(rate: int, stream: bool, tmp_path: Path) -> None:
    model = ModelFile("any", Path("none.tflite"), delineator_model() if stream else segmenter(2), from_zoo=False)
    made = subject_of(model, input_rate=rate)
    state = state_bytes(made, inner_sources(made))
    figures = Figures(compiler="gcc", flash_bytes=1, static_bytes=2, state_bytes=state, stack_bytes=3, cycles=4)
    folder = written(tmp_path, made, figures, form="plain")
    assert f"#define ECG_SAMPLE_RATE {rate}u" in (folder / "include" / "ecg.h").read_text()
    assert "PASS: ecg, " in run(folder, "make", "OPT=-O0", "sanitize")
