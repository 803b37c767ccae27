"""Lists what is plugged in: probes and serial ports, and what answers on them."""

from __future__ import annotations

from pydantic import BaseModel

from ecgseg.devices import jlink
from ecgseg.errors import EcgsegError, LinkError, TargetError, ToolMissingError
from ecgseg.link import DEFAULT_BAUD, DeviceClient, DeviceInfo, NoAnswerError
from ecgseg.link.ports import SerialPort, check_port, serial_ports

_ASK_SECONDS = 0.4
_ASK_ATTEMPTS = 2


class DeviceEntry(BaseModel):
    """One line of `invoke devices`: a probe or a port, and what answers on it."""

    kind: str
    name: str
    description: str
    answer: str


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
        info = ask(port.device, _ASK_SECONDS, _ASK_ATTEMPTS)
    except LinkError as error:
        return entry.model_copy(update={"answer": error.what})
    if info is None:
        return entry.model_copy(update={"answer": f"nothing answers at {DEFAULT_BAUD} baud"})
    told = f"{info.board}, {info.model_name} ({info.backend}), build {info.build_id}"
    if info.last_start:
        told += f". Last start: {info.last_start}"
    return entry.model_copy(update={"answer": told})
