"""The walls between the rooms of the firmware: who may include what, read off every #include (docs/architecture.md)."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from ecgseg import paths

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>|(\w+))', re.MULTILINE)
_ENDINGS = {".c", ".h", ".cc", ".def", ".inc", ".S"}
# Rooms whose sources lie in one folder and what others may have of them in its include/.
_WITH_PUBLIC_HEADERS = ("engine", "link", "pipeline", "backends/direct", "backends/tflm")
# Rooms that know no hardware include no more than this of the compiler's library.
_PORTABLE = ("engine", "link", "pipeline")
_PORTABLE_HEADERS = {"stdbool.h", "stddef.h", "stdint.h", "string.h", "arm_acle.h"}
_BOARD_HEADER = "boards"
# What is rendered with a model, and who may know it: nothing but programs knows a model by name.
_RENDERED = {"ecgseg_model.h": (), "ecgseg_stream_model.h": (), "ecgseg_preprocess_params.h": ("pipeline",)}
# A program whose image holds another program but for its main().
_PUT_TOGETHER = {"programs/fuzz": "programs/app"}
_LIBRARY = ("backends/tflm", "tensorflow/")


def room_of(file: Path) -> str:
    """The room of a file, by its path below firmware/: engine, boards/host, programs/app, ...; boards for board.h."""
    parts = file.parts[:-1]
    depth = 2 if parts[0] in ("boards", "backends", "programs") else 1
    return "/".join(parts[:depth])


def reachable(room: str) -> set[str]:
    """Rooms whose headers a room may include, besides its own; of rooms with an include/, the public ones."""
    family, _, name = room.partition("/")
    if family == "programs":
        boards = {f"boards/{board.name}" for board in (paths.FIRMWARE / "boards").iterdir() if board.is_dir()}
        return {*_WITH_PUBLIC_HEADERS, _BOARD_HEADER, *boards}
    if family == "boards":
        return set() if not name else {_BOARD_HEADER} if name == "cortex_m" else {_BOARD_HEADER, "boards/cortex_m"}
    return {"engine"} if room == "pipeline" or family == "backends" else set()


def is_private(header: Path, room: str) -> bool:
    """Whether a header is one that only its own room includes."""
    return room.startswith("programs/") or (room in _WITH_PUBLIC_HEADERS and header.parent.name != "include")


def complaint(room: str, name: str, angled: bool, headers: dict[str, Path]) -> str:
    """What is wrong with an include; "" for nothing."""
    if angled:
        return complaint_angled(room, name, headers)
    if name in _RENDERED:
        return "" if room.startswith("programs/") or room in _RENDERED[name] else "is rendered for a model"
    if room == _LIBRARY[0] and name.startswith(_LIBRARY[1]):
        return ""
    header = headers.get(name)
    if header is None:
        return "does not resolve"
    owner = room_of(header)
    if owner in (room, _PUT_TOGETHER.get(room)):
        return ""
    if owner not in reachable(room):
        return f"belongs to {owner}"
    return f"is private to {owner}" if is_private(header, owner) else ""


def complaint_angled(room: str, name: str, headers: dict[str, Path]) -> str:
    """The same of an include in angle brackets, which is the compiler's library."""
    if name in headers or name in _RENDERED:
        return "is the firmware's own and stands in angle brackets"
    if room in _PORTABLE and name not in _PORTABLE_HEADERS:
        return "is no header for code that knows no hardware"
    return ""


def violations(firmware: Path) -> list[str]:
    """Every include that breaks a wall, as `file: "name" what`."""
    files = sorted(path.relative_to(firmware) for path in firmware.rglob("*") if path.suffix in _ENDINGS)
    headers = {path.name: path for path in files if path.suffix not in (".c", ".cc", ".S")}
    doubled = [path for path in files if headers.get(path.name, path) != path]
    found = [f"{path}: a second header of that name" for path in doubled]
    for path in files:
        found += violations_in(path, (firmware / path).read_text(encoding="utf-8"), headers)
    return found


def violations_in(path: Path, text: str, headers: dict[str, Path]) -> list[str]:
    """Those of one file."""
    found = []
    for quoted, angled, macro in _INCLUDE.findall(text):
        what = "is a macro" if macro else complaint(room_of(path), quoted or angled, bool(angled), headers)
        if what:
            found.append(f'{path}: "{quoted or angled or macro}" {what}')
    return found


def test_every_include_of_the_firmware_keeps_to_the_walls() -> None:
    assert violations(paths.FIRMWARE) == []


def test_every_folder_is_a_room() -> None:
    rooms = {path.name for path in paths.FIRMWARE.iterdir() if path.is_dir()}
    assert rooms == {"backends", "boards", "engine", "link", "pipeline", "programs"}
    for room in _WITH_PUBLIC_HEADERS:
        assert list((paths.FIRMWARE / room / "include").glob("*.h")), room


@pytest.fixture
def firmware(tmp_path: Path) -> Path:
    return Path(shutil.copytree(paths.FIRMWARE, tmp_path / "firmware"))


@pytest.mark.parametrize(
    ("file", "include", "what"),
    [
        ("engine/ecgseg_conv_core.c", '"board.h"', "belongs to boards"),
        ("engine/include/ecgseg_fixed.h", '  #  include "board.h"', "belongs to boards"),
        ("engine/ecgseg_phases.c", '"../boards/board.h"', "does not resolve"),
        ("engine/ecgseg_phases.c", '"ecgseg_bytes.h"', "belongs to link"),
        ("engine/ecgseg_phases.c", '"ecgseg_model.h"', "is rendered for a model"),
        ("engine/ecgseg_phases.c", "<stdio.h>", "is no header for code that knows no hardware"),
        ("engine/ecgseg_phases.c", "<board.h>", "stands in angle brackets"),
        ("engine/ecgseg_phases.c", "SOME_HEADER", "is a macro"),
        ("link/ecgseg_link.c", '"ecgseg_engine.h"', "belongs to engine"),
        ("link/ecgseg_link.c", '"app.h"', "belongs to programs/app"),
        ("pipeline/ecgseg_segmenter.c", '"ecgseg_protocol.h"', "belongs to link"),
        ("pipeline/ecgseg_segmenter.c", '"ecgseg_model.h"', "is rendered for a model"),
        ("pipeline/ecgseg_segmenter.c", '"board.h"', "belongs to boards"),
        ("pipeline/ecgseg_segmenter.c", '"ecgseg_tflm.h"', "belongs to backends/tflm"),
        ("backends/tflm/ecgseg_tflm.cc", '"board.h"', "belongs to boards"),
        ("backends/tflm/ecgseg_tflm.cc", '"ecgseg_model.h"', "is rendered for a model"),
        ("backends/direct/ecgseg_direct_cmsis_nn.c", '"board.h"', "belongs to boards"),
        ("backends/direct/ecgseg_direct_cmsis_nn.c", '"ecgseg_tflm.h"', "belongs to backends/tflm"),
        ("backends/direct/ecgseg_direct_tinyengine.c", '"ecgseg_model.h"', "is rendered for a model"),
        ("boards/board.h", '"cortex_m.h"', "belongs to boards/cortex_m"),
        ("boards/cortex_m/cortex_m_faults.c", '"apollo4p.h"', "belongs to boards/apollo4p_evb"),
        ("boards/mps2_an386/startup.c", '"apollo4p.h"', "belongs to boards/apollo4p_evb"),
        ("boards/apollo4p_evb/uart.c", '"ecgseg_protocol.h"', "belongs to link"),
        ("boards/host/board_host.c", '"ecgseg_engine.h"', "belongs to engine"),
        ("boards/host/board_host.c", '"ecgseg_segmenter.h"', "belongs to pipeline"),
        ("boards/host/board_host.c", '"app.h"', "belongs to programs/app"),
        ("programs/app/app.c", '"profile.h"', "belongs to programs/profile"),
        ("programs/app/app.c", '"no_such.h"', "does not resolve"),
        ("programs/app/app.c", '"tensorflow/lite/micro/micro_log.h"', "does not resolve"),
    ],
)
def test_an_include_through_a_wall_is_found(firmware: Path, file: str, include: str, what: str) -> None:
    path = firmware / file
    line = include if "#" in include else f"#include {include}"
    path.write_text(f"{line}\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    (found,) = violations(firmware)
    assert found.startswith(f"{file}: ")
    assert what in found


def test_a_header_outside_of_include_stays_in_its_room(firmware: Path) -> None:
    (firmware / "engine" / "ecgseg_secret.h").write_text("#define SECRET 1\n")
    user = firmware / "pipeline" / "ecgseg_segments.c"
    user.write_text('#include "ecgseg_secret.h"\n' + user.read_text(encoding="utf-8"))
    assert violations(firmware) == ['pipeline/ecgseg_segments.c: "ecgseg_secret.h" is private to engine']


def test_two_headers_of_one_name_are_found(firmware: Path) -> None:
    (firmware / "programs" / "app" / "startup.h").write_text("")
    assert "boards/mps2_an386/startup.h: a second header of that name" in violations(firmware)
