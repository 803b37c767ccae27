"""Runs an image that talks to nobody and leaves its result in memory, without a process or a port."""

from __future__ import annotations

from ecgseg.errors import TargetError
from ecgseg.image.build import Image
from ecgseg.image.sizes import symbols
from ecgseg.targets.apollo4p_sim import require_unicorn
from ecgseg.targets.options import SimulatorOptions


def run_for_report(image: Image, name: str, states: tuple[int, ...], seconds: float) -> bytes:
    """Runs an image until an object of it begins with one of these words.

    Args:
        image: for the board `apollo4p_evb`.
        name: of the object, in C.
        states: what its first word may become; little-endian, 32 bits.
        seconds: of simulated time that this may take.

    Returns:
        The object's bytes.

    Raises:
        ToolMissingError: Unicorn is not installed.
        TargetError: the program broke a rule of the sheet, or no such word appeared.
    """
    require_unicorn()
    from ecgseg.targets.apollo4p_sim.machine import Machine, SimulationStoppedError
    from ecgseg.targets.apollo4p_sim.source import SourceLines

    assert image.bin is not None
    found = next(symbol for symbol in symbols(image.elf) if symbol.name == name and not symbol.is_function)
    # With a probe the core's own cycle counter counts.
    machine = Machine(image.bin.read_bytes(), SimulatorOptions(probe=True), SourceLines(image.elf))
    words = {state.to_bytes(4, "little") for state in states}
    try:
        ended = machine.run_until(lambda: bytes(machine.uc.mem_read(found.address, 4)) in words, seconds)
    except SimulationStoppedError as stopped:
        raise TargetError(
            f"The simulator stopped {image.elf.name}.", str(stopped), "docs/simulator.md says what stops it."
        ) from stopped
    if not ended:
        raise TargetError(
            f"{image.elf.name} does not end.", f"{seconds:.0f} s of simulated time went by.", "Try a smaller model."
        )
    return bytes(machine.uc.mem_read(found.address, found.size))
