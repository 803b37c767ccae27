"""The board on the desk: the probe that is meant, the part behind it, and its serial port."""

from __future__ import annotations

from dataclasses import dataclass

from ecgseg.devices import jlink
from ecgseg.link import DEFAULT_BAUD
from ecgseg.link.ports import check_port, choose_port, serial_ports


@dataclass(frozen=True)
class Rig:
    """A board that can be flashed and asked.

    Attributes:
        program: path of J-Link Commander.
        probe: serial number of the probe.
        port: its virtual COM port.
    """

    program: str
    probe: str
    port: str

    def run(self, script: str) -> str:
        """Runs a J-Link Commander script and returns what it printed. Raises as `jlink.run_script`."""
        return jlink.run_script(self.program, script, self.probe)


def find_rig(port: str | None = None, serial_number: str | None = None) -> Rig:
    """The one board that is meant; it is found out before anything is written that it is there and an Apollo4.

    Args:
        port: virtual COM port, when it is not the only one.
        serial_number: of the probe, when it is not the only one.

    Raises:
        ToolMissingError: no J-Link software.
        TargetError: no probe, several probes, no or another part.
        LinkError: the port is missing, in use or not permitted.
    """
    program = jlink.find_program()
    probe = jlink.choose_probe(jlink.probes(program), serial_number).serial_number
    chosen = choose_port(serial_ports(), port, probe)
    check_port(chosen, DEFAULT_BAUD)
    jlink.check_device(program, probe)
    return Rig(program, probe, chosen)
