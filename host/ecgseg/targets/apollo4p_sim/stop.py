"""Why a simulation stops."""

from __future__ import annotations

from dataclasses import dataclass

from ecgseg.errors import TargetError


@dataclass(frozen=True)
class Place:
    """Where the program was.

    Attributes:
        pc: address of the instruction.
        source: file, line and function, as far as the ELF tells.
    """

    pc: int
    source: str

    def __str__(self) -> str:
        return f"pc 0x{self.pc:08x} ({self.source})"


class SimulatorStop(TargetError):
    """The program did something that the facts sheet does not allow, or that this model does not know.

    Args:
        rule: what was broken, with the section of docs/apollo4p-facts.md.
        address: of the access.
        value: written value, None for a read.
        place: where the program was.
    """

    def __init__(self, rule: str, address: int, value: int | None, place: Place) -> None:
        access = "read" if value is None else f"write of 0x{value:x}"
        super().__init__(
            f"apollo4p-sim stopped: {rule}",
            f"{access} at 0x{address:08x}, {place}",
            "Compare the code with docs/apollo4p-facts.md; docs/simulator.md tells what the model knows.",
        )
        self.rule = rule
        self.address = address
        self.value = value
        self.place = place


class AccessError(Exception):
    """Raised by a peripheral for an access that is not allowed; the machine adds address, value and place.

    Args:
        rule: what was broken, with the section of docs/apollo4p-facts.md.
    """

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class BusErrorResponse(AccessError):
    """An access that the bus answers with an error: a bus fault, unless the program ignores those."""
