"""Puts an image on the Apollo4 Plus EVB and asks it who it is; lists what is plugged in."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel

from ecgseg.devices import jlink
from ecgseg.errors import EcgsegError, LinkError, TargetError, ToolMissingError
from ecgseg.image import build as images
from ecgseg.link import DEFAULT_BAUD, DeviceClient, DeviceInfo, NoAnswerError
from ecgseg.link.ports import SerialPort, check_port, choose_port, serial_ports
from ecgseg.targets.apollo4p import check_identity
from ecgseg.terminal import messages

BOARD = "apollo4p_evb"
_FIRST_WAIT_SECONDS = 0.5
_ATTEMPTS = 4
_ASK_SECONDS = 0.4


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


class DeviceEntry(BaseModel):
    """One line of `invoke devices`: a probe or a port, and what answers on it."""

    kind: str
    name: str
    description: str
    answer: str


def flash_image(
    image: images.Image,
    model: str,
    model_sha256: str,
    *,
    port: str | None = None,
    serial_number: str | None = None,
    dry_run: bool = False,
) -> FlashResult:
    """Writes an image to the board and checks that it is what runs then.

    Args:
        image: built for apollo4p_evb.
        model: name of the model in it.
        model_sha256: SHA-256 of its .tflite.
        port: virtual COM port, when it is not the only one.
        serial_number: of the probe, when it is not the only one.
        dry_run: only say what would be done; needs neither J-Link software nor board.

    Raises:
        ToolMissingError: no J-Link software.
        TargetError: no probe, several probes, no or another part, programming failed, no answer afterwards.
        LinkError: the port is missing, in use or not permitted; the board runs another image or model.
    """
    if image.bin is None:
        raise TargetError(
            f"The board {image.board} is not flashed.", "It has no flat image.", "Use --board apollo4p_evb."
        )
    binary = image.bin.resolve()
    script = jlink.flash_script(binary)
    result = FlashResult(
        image=str(binary),
        image_sha256=hashlib.sha256(binary.read_bytes()).hexdigest(),
        build_id=image.build_id,
        model=model,
        model_sha256=model_sha256,
        script=script,
        command=jlink.command_line("JLinkExe", Path("SCRIPT"), serial_number),
        dry_run=dry_run,
    )
    if dry_run:
        return result
    program = jlink.find_program()
    probe = jlink.choose_probe(jlink.probes(program), serial_number)
    chosen = choose_port(serial_ports(), port, probe.serial_number)
    check_port(chosen, DEFAULT_BAUD)
    jlink.check_device(program, probe.serial_number)
    jlink.run_script(program, script, probe.serial_number)
    info = _first_answer(program, probe.serial_number, chosen)
    check_identity(info, image.build_id, BOARD)
    if info.model_sha256 != model_sha256:
        raise LinkError(
            f"The board runs another model: {info.model_name}.",
            f"It tells SHA-256 {info.model_sha256[:16]}..., flashed was {model_sha256[:16]}...",
            "Flash again; if it stays so, look for a second board on this port.",
        )
    return result.model_copy(update={"probe": probe.serial_number, "port": chosen, "core_hz": info.core_hz})


def _first_answer(program: str, probe: str, port: str) -> DeviceInfo:
    """HELLO after flashing; when the application did not start, the part is reset by its own register (facts 7.2)."""
    for reset in (False, True):
        if reset:
            messages.print("No answer yet; resetting the part through RSTGEN.SWPOI.")
            jlink.run_script(program, jlink.reset_script(), probe)
        info = ask(port, _FIRST_WAIT_SECONDS, _ATTEMPTS)
        if info is not None:
            return info
    raise TargetError(
        f"The board was flashed and verified, but nothing answers on {port}.",
        f"HELLO was sent at {DEFAULT_BAUD} baud, also after a reset by SWPOI.",
        "Press the board's reset button and run `invoke devices`. If LED0 (D4) stays dark, the application does not "
        'start: see docs/bring-up.md, "No answer after flashing". If it is lit, the port is the wrong one: try --port.',
    )


def ask(port: str, answer_seconds: float, attempts: int) -> DeviceInfo | None:
    """Who answers on a port; None when nobody does.

    Raises:
        LinkError: the port cannot be opened, or what answers speaks another protocol.
    """
    check_port(port, DEFAULT_BAUD)
    client = DeviceClient(port, baud=DEFAULT_BAUD)
    try:
        return client.hello(answer_seconds=answer_seconds, attempts=attempts)
    except NoAnswerError:
        return None
    finally:
        client.close()


def devices(*, ask_all: bool = False) -> list[DeviceEntry]:
    """Probes and USB serial ports, and what answers on the ports.

    Args:
        ask_all: send HELLO to every port, not only to those of a J-Link.
    """
    return [*_probe_entries(), *(_port_entry(port, ask_all) for port in serial_ports())]


def _probe_entries() -> list[DeviceEntry]:
    try:
        found = jlink.probes(jlink.find_program())
    except (ToolMissingError, TargetError) as error:
        return [DeviceEntry(kind="probe", name="-", description=error.what, answer=error.remedy)]
    if not found:
        return [DeviceEntry(kind="probe", name="-", description="none", answer="no J-Link on USB")]
    return [
        DeviceEntry(kind="probe", name=probe.serial_number, description=probe.product, answer=_target_of(probe))
        for probe in found
    ]


def _target_of(probe: jlink.Probe) -> str:
    try:
        jlink.check_device(jlink.find_program(), probe.serial_number)
    except EcgsegError as error:
        return error.what
    return "Apollo4"


def _port_entry(port: SerialPort, ask_all: bool) -> DeviceEntry:
    entry = DeviceEntry(kind="port", name=port.device, description=port.description, answer="")
    if not (port.is_jlink or ask_all):
        return entry.model_copy(update={"answer": "not asked (no J-Link)"})
    try:
        info = ask(port.device, _ASK_SECONDS, 2)
    except LinkError as error:
        return entry.model_copy(update={"answer": error.what})
    if info is None:
        return entry.model_copy(update={"answer": f"nothing answers at {DEFAULT_BAUD} baud"})
    told = f"{info.board}, {info.model_name} ({info.backend}), build {info.build_id}"
    return entry.model_copy(update={"answer": told})
