"""What becomes an image: every program of the firmware, described once as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ecgseg import paths
from ecgseg.codegen.names import ModelNames
from ecgseg.image.boards import APOLLO4P_EVB, BOARDS, HOST, MPS2_AN386

_NAMES = ModelNames()
MODEL_HEADER = _NAMES.header
_HEADERS = ("*.h", "*.def", "*.inc")


@dataclass(frozen=True)
class Part:
    """A folder of C that programs are put together from.

    Attributes:
        folder: below firmware/, with the sources and the headers that are their own.
        include: folder in it, with the headers that other parts include.
        for_stream: its sources belong to programs that take raw samples, and to no others.
    """

    folder: str
    include: str = "include"
    for_stream: bool = False

    @property
    def source_dir(self) -> Path:
        """Where its sources are."""
        return paths.FIRMWARE / self.folder

    @property
    def include_dir(self) -> Path:
        """Where its public headers are."""
        return self.source_dir / self.include


ENGINE_PART = Part("engine")
LINK_PART = Part("link")
PIPELINE_PART = Part("pipeline", for_stream=True)
TFLM_PART = Part("backends/tflm")
DIRECT_PART = Part("backends/direct")


def _own(program: str) -> Part:
    """The folder of a program, whose headers nobody else includes."""
    return Part(f"programs/{program}", include=".")


@dataclass(frozen=True)
class Backend:
    """What implements ecgseg_engine.h.

    Attributes:
        name: as the user types it.
        part: its code in the firmware.
        model_source: what is rendered for it beside ecgseg_model.h.
        cpp: it is C++.
    """

    name: str
    part: Part
    model_source: str
    cpp: bool = False


AOT = Backend("aot", ENGINE_PART, _NAMES.source)
TFLM = Backend("tflm", TFLM_PART, _NAMES.tflm_source, cpp=True)
# Only compared with, never built into the application: it knows convolutions alone.
DIRECT = Backend("direct", DIRECT_PART, _NAMES.direct_source)


@dataclass(frozen=True)
class Program:
    """A program of the firmware.

    Attributes:
        name: of its own.
        parts: what it is put together from, besides the board, the rendered model and what runs it.
        boards: that it exists for.
        has_model: a rendered model and what runs it are in it.
        takes_samples: a segmenter's preprocessor is in it too.
        with_stream, without_stream: files that belong to it with a preprocessor or without one, and not otherwise.
        left_out: files of the board that it does without.
        stamped: the file that is compiled with the build id as ECGSEG_BUILD_ID.
        flags: for compiling it.
        stream_flags: for compiling it with a preprocessor.
        image: name of its files, without ending.
        why: it is compiled, when the compiler is not installed; {board} is the board's name.
        compiler: that compiles it, without the board's prefix.
        packages: command that installs the compiler; empty: the board's.
        failure: says that it does not build; empty: the file and the board are named.
        remedy: what to do then.
    """

    name: str
    parts: tuple[Part, ...]
    boards: tuple[str, ...]
    has_model: bool = True
    takes_samples: bool = False
    with_stream: tuple[str, ...] = ()
    without_stream: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    stamped: str = ""
    flags: tuple[str, ...] = ()
    stream_flags: tuple[str, ...] = ()
    image: str = "ecgseg"
    why: str = "The board {board} is compiled with it."
    compiler: str = "gcc"
    packages: str = ""
    failure: str = ""
    remedy: str = "Correct the source; for generated code, render it again with this release."

    def parts_with(self, backend: Backend) -> tuple[Part, ...]:
        """All its parts, with what runs the model."""
        return (*self.parts, backend.part) if self.has_model else self.parts

    def source_dirs(self, backend: Backend, *, stream: bool) -> tuple[Path, ...]:
        """Folders of the sources that belong to it."""
        return tuple(part.source_dir for part in self.parts_with(backend) if stream or not part.for_stream)

    def include_dirs(self, backend: Backend) -> tuple[Path, ...]:
        """Folders of the headers that its sources include, without those of board and model."""
        # Whatever runs the model implements the engine's interface.
        parts = (*self.parts_with(backend), ENGINE_PART) if self.has_model else self.parts
        return tuple(dict.fromkeys(part.include_dir for part in parts))

    def leaves_out(self, *, stream: bool) -> frozenset[str]:
        """Names of files that are in its folders and not in it."""
        return frozenset((*(self.without_stream if stream else self.with_stream), *self.left_out))

    def flags_with(self, *, stream: bool) -> tuple[str, ...]:
        """Flags for compiling it."""
        return (*self.flags, *(self.stream_flags if stream else ()))


def files_in(folders: Iterable[Path], *patterns: str) -> list[Path]:
    """Files of these patterns in folders, one folder after the other, by pattern and name."""
    return [path for folder in folders for pattern in patterns for path in sorted(folder.glob(pattern))]


def headers_in(folders: Iterable[Path]) -> list[Path]:
    """What sources may include from folders, each file once."""
    return files_in(dict.fromkeys(folders), *_HEADERS)


APP = Program(
    name="app",
    parts=(_own("app"), LINK_PART, PIPELINE_PART),
    boards=tuple(BOARDS),
    takes_samples=True,
    with_stream=("app_stream.c",),
    without_stream=("app_no_stream.c",),
    left_out=("app_delineator.c", "app_results.c"),
    stamped="app_build_id.c",
)
# The same application around a network that runs as a stream: no frames, but events that are polled.
STREAM_APP = replace(
    APP,
    name="stream_app",
    with_stream=(),
    left_out=("app_stream.c", "app_model.c", "app_bench.c", "ecgseg_segmenter.c", "ecgseg_segments.c"),
    flags=("-DECGSEG_LINK_STREAM",),
)

PROFILE = Program(
    name="profile",
    parts=(_own("profile"), PIPELINE_PART),
    boards=(MPS2_AN386,),
    takes_samples=True,
    left_out=("board_mps2_an386.c",),  # it needs no port, and takes the timer for itself
    stream_flags=("-DPROFILE_PREPROCESS",),
    image="profile",
    why="Profiling on QEMU needs it.",
    failure="The profiling program does not compile.",
    remedy="Render the model again with this release.",
)
# The generated code tells when a layer is done.
PROFILE_LAYERS = replace(PROFILE, name="profile_layers", flags=("-include", "profile.h", "-DPROFILE_LAYERS"))
# The model alone, also of a segmenter.
PROFILE_MODEL = replace(PROFILE, name="profile_model", takes_samples=False)

BRINGUP = Program(
    name="bringup",
    parts=(_own("bringup"), LINK_PART),  # for the baud rate after a start
    boards=(APOLLO4P_EVB,),
    has_model=False,
    image="bringup",
    why="The bring-up image is built with it.",
    failure="The bring-up image does not build.",
    remedy="Restore firmware/boards/apollo4p_evb.",
)

# What the simulator's core calls to count cycles.
CYCLES = Program(
    name="cycles",
    parts=(_own("cycles"),),
    boards=(APOLLO4P_EVB,),
    image="cycles",
    why="Counting cycles in the simulator needs it.",
    failure="The program that counts cycles does not compile.",
    remedy="Render the model again with this release.",
)

TFLM_ARENA = Program(name="tflm_arena", parts=(_own("tflm_arena"),), boards=(HOST, MPS2_AN386), image="arena")

# The application's own code on a board that the fuzzer's bytes come in through.
FUZZ = replace(
    APP,
    name="fuzz",
    parts=(_own("fuzz"), *APP.parts),
    boards=(HOST,),
    left_out=(*APP.left_out, "main.c", "board_host.c"),
    # What gcc leaves to -Wsign-conversion, clang counts as -Wconversion.
    flags=("-fsanitize=fuzzer", "-Wno-sign-conversion"),
    image="fuzz",
    why="The fuzzer of the device is built with it.",
    compiler="clang",
    packages="sudo apt-get install clang libclang-rt-14-dev",
    failure="The fuzzer of the device does not build.",
    remedy="Where libclang_rt is missing: sudo apt-get install clang libclang-rt-14-dev. Else correct the source.",
)
