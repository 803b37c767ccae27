"""Puts an image on the Apollo4 Plus EVB and makes sure that it is what runs then."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from ecgseg.devices import jlink
from ecgseg.devices.listing import ask
from ecgseg.devices.rig import Rig, find_rig
from ecgseg.errors import LinkError, TargetError
from ecgseg.image.boards import APOLLO4P_EVB
from ecgseg.image.build import Image
from ecgseg.link import DEFAULT_BAUD, DeviceInfo
from ecgseg.targets.apollo4p import check_identity

_FIRST_WAIT_SECONDS = 0.5
_ATTEMPTS = 4


class FlashResult(BaseModel):
    """What `invoke flash` has done.

    Attributes:
        image: flat image that was, or would be, written.
        image_sha256: its SHA-256.
        build_id: of the image; the device tells the same after flashing.
        model: name of the model in it.
        model_sha256: SHA-256 of its .tflite.
        script: the J-Link Commander script.
        command: the command line that runs it; the script's place stands for a temporary file.
        dry_run: True when nothing was written.
        probe: serial number of the probe, None in a dry run.
        port: serial port on which the board answered, None in a dry run.
        core_hz: core clock that it told, Hz, None in a dry run.
        last_start: why it last started, as it told; a fault before that would be one of the image that was there.
    """

    image: str
    image_sha256: str
    build_id: str
    model: str
    model_sha256: str
    script: str
    command: list[str]
    dry_run: bool
    probe: str | None = None
    port: str | None = None
    core_hz: int | None = None
    last_start: str | None = None


def flash_image(
    image: Image,
    model: str,
    model_sha256: str,
    *,
    port: str | None = None,
    serial_number: str | None = None,
    dry_run: bool = False,
    on_silence: Callable[[], None] | None = None,
) -> FlashResult:
    """Writes an image to the board and checks that it is what runs then.

    Args:
        image: built for apollo4p_evb.
        model: name of the model in it.
        model_sha256: SHA-256 of its .tflite.
        port: virtual COM port, when it is not the only one.
        serial_number: of the probe, when it is not the only one.
        dry_run: only say what would be done; needs neither J-Link software nor board.
        on_silence: is told that nothing answers at first, before the part is reset by its own register.

    Raises:
        UsageError: the image's path cannot stand in a script.
        ToolMissingError: no J-Link software.
        TargetError: no probe, several probes, no or another part, programming failed, no answer afterwards.
        LinkError: the port is missing, in use or not permitted; the board runs another image or model.
    """
    planned = _plan(image, model, model_sha256, serial_number)
    if dry_run:
        return planned
    rig = find_rig(port, serial_number)
    rig.run(planned.script)
    info = _first_answer(rig, on_silence)
    check_identity(info, image.build_id, APOLLO4P_EVB)
    if info.model_sha256 != model_sha256:
        raise LinkError(
            f"The board runs another model: {info.model_name}.",
            f"It tells SHA-256 {info.model_sha256[:16]}..., flashed was {model_sha256[:16]}...",
            "Flash again; if it stays so, look for a second board on this port.",
        )
    told = {"core_hz": info.core_hz, "last_start": info.last_start}
    return planned.model_copy(update={"dry_run": False, "probe": rig.probe, "port": rig.port, **told})


def _plan(image: Image, model: str, model_sha256: str, serial_number: str | None) -> FlashResult:
    """What a dry run says."""
    if image.bin is None:
        raise TargetError(
            f"The board {image.board} is not flashed.", "It has no flat image.", f"Use --board {APOLLO4P_EVB}."
        )
    binary = image.bin.resolve()
    return FlashResult(
        image=str(binary),
        image_sha256=hashlib.sha256(binary.read_bytes()).hexdigest(),
        build_id=image.build_id,
        model=model,
        model_sha256=model_sha256,
        script=jlink.flash_script(binary),
        command=jlink.command_line("JLinkExe", Path("SCRIPT"), serial_number),
        dry_run=True,
    )


def _first_answer(rig: Rig, on_silence: Callable[[], None] | None) -> DeviceInfo:
    """HELLO after flashing; when the application did not start, the part is reset by its own register (facts 7.2)."""
    for reset in (False, True):
        if reset:
            if on_silence is not None:
                on_silence()
            rig.run(jlink.reset_script())
        info = ask(rig.port, _FIRST_WAIT_SECONDS, _ATTEMPTS)
        if info is not None:
            return info
    raise TargetError(
        f"The board was flashed and verified, but nothing answers on {rig.port}.",
        f"HELLO was sent at {DEFAULT_BAUD} baud, also after a reset by SWPOI.",
        "Press the board's reset button and run `invoke devices`. If LED0 (D4) stays dark, the application does not "
        'start: see docs/bring-up.md, "No answer after flashing". If it is lit, the port is the wrong one: try --port.',
    )
