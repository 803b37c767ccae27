"""Modelled cycles of the serial link on the Apollo4 Plus: a byte received, a byte sent, and a frame of a stream.

    python tools/measure_link.py                            # a made-up signal, the same for everybody
    python tools/measure_link.py --record 181 --lead ii     # of LUDB
    python tools/measure_link.py --json link.json

The image that is flashed runs in the simulator (docs/simulator.md), and every cycle of it goes to the part of the
firmware whose code takes it; library code goes to the part that ran before it, asleep the core takes none. The same
image and the same samples give the same cycles every time.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from bisect import bisect_right
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from elftools.elf.elffile import ELFFile

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "host"))

from ecgseg.data.databases.ludb import LEADS, find_ludb, load_record
from ecgseg.errors import DataError, EcgsegError
from ecgseg.image.backends import generate
from ecgseg.image.boards import APOLLO4P_EVB
from ecgseg.image.build import Image, build
from ecgseg.link.framing import FrameDecoder, encode_frame
from ecgseg.link.messages import BY_COMMAND, pack, request_body, room, unpack
from ecgseg.link.numbers import PAYLOAD_MAX, SEGMENT_BYTES, Command, ReadKind
from ecgseg.models import find_model
from ecgseg.output import write_text
from ecgseg.targets.apollo4p_sim.machine import Machine
from ecgseg.targets.apollo4p_sim.source import SourceLines
from ecgseg.targets.options import SimulatorOptions

PORT, FRAMING, CRC, HANDLER, BOARD = "port", "framing", "CRC", "handler", "board"
LINK = (PORT, FRAMING, CRC, HANDLER, BOARD)
PREPROCESSOR, MODEL = "preprocessor", "model and segments"
RECEIVED, SENT, STREAM = "received", "sent", "stream"
CHUNK = room(Command.PUSH, PAYLOAD_MAX) // 2
_unicorn: Any = importlib.import_module("unicorn")
_CRC_FUNCTION = "ecgseg_crc32"
# Parts by the end of a source's path or by a folder in it; the first that fits counts.
_PARTS = (
    ("/uart.c", PORT),
    ("/boards/", BOARD),
    ("/link/ecgseg_link.c", FRAMING),
    ("/link/", HANDLER),
    ("/programs/app/", HANDLER),
    ("/pipeline/ecgseg_preprocess.c", PREPROCESSOR),
    ("/pipeline/ecgseg_normalise.c", PREPROCESSOR),
    ("/pipeline/", MODEL),
    ("/engine/", MODEL),
    ("ecgseg_model.c", MODEL),
)
_ANSWER_SECONDS = 5.0


@dataclass(frozen=True)
class LinkCost:
    """What a kind of traffic takes.

    Attributes:
        received, sent: bytes on the wire, delimiters included.
        cycles: by part of the firmware.
    """

    received: int
    sent: int
    cycles: dict[str, int]

    @property
    def link_cycles(self) -> int:
        """Of the parts that deal with bytes, not with samples."""
        return sum(self.cycles.get(part, 0) for part in LINK)


class Owners:
    """Which part of the firmware the code at an address belongs to.

    Args:
        elf: image with symbols.
    """

    def __init__(self, elf: Path) -> None:
        self._starts: list[int] = []
        self._parts: list[str] = []
        with elf.open("rb") as file:
            content: Any = ELFFile(file)
            dwarf = content.get_dwarf_info()
            ranges = dwarf.get_aranges()
            functions = sorted(
                (symbol["st_value"] & ~1, symbol.name)
                for symbol in content.get_section_by_name(".symtab").iter_symbols()
                if symbol["st_info"]["type"] == "STT_FUNC"
            )
            for start, name in functions:
                unit = ranges.cu_offset_at_addr(start)
                top = dwarf.get_CU_at(unit).get_top_DIE() if unit is not None else None
                self._starts.append(start)
                self._parts.append(_part(name, top.get_full_path() if top else ""))

    def part(self, address: int) -> str:
        """Empty for a library's code."""
        return self._parts[bisect_right(self._starts, address) - 1]


def _part(function: str, source: str) -> str:
    if function.startswith(_CRC_FUNCTION):
        return CRC
    return next((part for place, part in _PARTS if place in source), "")


class Bench:
    """A device in the simulator, and whose code takes its cycles.

    Args:
        image: for the Apollo4 Plus EVB.

    Raises:
        SimulationStoppedError: in every method, when the program broke a rule of the sheet.
    """

    def __init__(self, image: Image) -> None:
        assert image.bin is not None
        self._owners = Owners(image.elf)
        self._machine = Machine(image.bin.read_bytes(), SimulatorOptions(probe=True), SourceLines(image.elf))
        self._parts: dict[int, str] = {}
        self._cycles: Counter[str] = Counter()
        self._seen = 0
        self._running = BOARD
        self._decoder = FrameDecoder()
        self._sequence = 0
        self._received = self._sent = 0
        self.info: dict[str, Any] = {}
        # Behind the simulator's own hook: the run that begins has just been paid for.
        self._machine.uc.hook_add(_unicorn.UC_HOOK_BLOCK, self._on_block)

    @property
    def cycles(self) -> int:
        """Of the core since power-on, up to the last run of instructions."""
        return self._seen

    def _on_block(self, uc: Any, address: int, size: int, _: Any) -> None:
        part = self._parts.get(address)
        if part is None:
            part = self._parts[address] = self._owners.part(address)
        if part:
            self._running = part
        cycles = self._machine.clock.cycles
        self._cycles[self._running] += cycles - self._seen
        self._seen = cycles

    def ask(self, command: Command, values: dict[str, Any]) -> dict[str, Any]:
        """Sends a request and returns the answer's fields, in simulated time."""
        message = BY_COMMAND[command]
        self._sequence += 1
        wire = self._machine.wire
        frame = encode_frame(request_body(command, self._sequence, pack(message.request, values)))
        wire.incoming.extend(frame)
        bodies: list[bytes] = []
        came = self._machine.run_until(lambda: bool(bodies) or self._take(bodies), _ANSWER_SECONDS)
        assert came, f"no answer to {command.name}"
        self._received += len(frame)
        error = int.from_bytes(bodies[0][4:6], "little")
        assert error == 0, f"{command.name}: error {error}"
        # What the device does once the last byte of the answer has left belongs to it too.
        self._machine.run(1e-3)
        return unpack(message.answer, bodies[0][6:])

    def _take(self, bodies: list[bytes]) -> bool:
        wire = self._machine.wire
        if not wire.outgoing:
            return False
        data = bytes(wire.outgoing)
        wire.outgoing.clear()
        self._sent += len(data)
        bodies += self._decoder.feed(data)
        return bool(bodies)

    def hello(self) -> None:
        """Opens the session; what the device tells is in `info`."""
        self.info = self.ask(Command.HELLO, {"session": 1})

    def begin(self) -> None:
        """What was counted so far counts no more."""
        self._cycles.clear()
        self._received = self._sent = 0

    def cost(self) -> LinkCost:
        """Since `begin`."""
        order = (*LINK, PREPROCESSOR, MODEL)
        return LinkCost(self._received, self._sent, {part: self._cycles[part] for part in order if self._cycles[part]})

    def read(self, kind: ReadKind, length: int) -> bytes:
        """The first bytes of a result."""
        return bytes(self.ask(Command.READ, {"kind": kind, "offset": 0, "length": length})["data"])


def made_up_signal(seconds: float) -> npt.NDArray[np.int16]:
    """A heart at 72 a minute with P, QRS and T, a wandering baseline and noise: int16 microvolts at 500 Hz."""
    time = np.arange(int(seconds * 500)) / 500.0
    beat = (time * 1.2) % 1.0
    waves = (
        (0.20, 0.020, 120.0),
        (0.385, 0.008, -90.0),
        (0.40, 0.009, 950.0),
        (0.42, 0.008, -180.0),
        (0.66, 0.05, 260.0),
    )
    signal = sum(height * np.exp(-(((beat - place) / width) ** 2)) for place, width, height in waves)
    signal = signal + 60.0 * np.sin(2 * np.pi * 0.25 * time)
    noise, state = np.empty(time.size), 1
    for n in range(time.size):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF  # the multiplier and the addend of Numerical Recipes
        noise[n] = (state >> 24) / 255.0 * 16.0 - 8.0
    return np.rint(signal + noise).astype(np.int16)


def stream(bench: Bench, signal: npt.NDArray[np.int16], frames: int, start: int = 0) -> int:
    """Sends samples until so many frames are complete, and reads all results of each, as `invoke hil-test` does.

    Returns:
        The sample that comes next, from `start` on.
    """
    done = 0
    while done < frames:
        chunk = signal[start : start + CHUNK]
        pushed = bench.ask(Command.PUSH, {"first_index": start, "samples": chunk.astype("<i2").tobytes()})
        start = pushed["samples_seen"]
        if pushed["flags"]:
            done += 1
            segments = bench.ask(Command.FRAME, {})["segment_count"]
            read_results(bench)
            bench.read(ReadKind.SEGMENTS, segments * SEGMENT_BYTES)
    return start


def read_results(bench: Bench) -> None:
    """Scores, input and mask of the newest frame."""
    bench.read(ReadKind.SCORES, bench.info["output_bytes"])
    bench.read(ReadKind.INPUT, bench.info["input_bytes"])
    bench.read(ReadKind.MASK, bench.info["frame_length"])


def measure(image: Image, signal: npt.NDArray[np.int16], frames: int = 4) -> dict[str, LinkCost]:
    """What receiving, sending and streaming take.

    Args:
        image: of a segmenter, for the Apollo4 Plus EVB.
        signal: int16 microvolts at 500 Hz, long enough for one frame more than `frames`.
        frames: of the stream.

    Returns:
        RECEIVED: two of the longest PUSH requests that complete no frame; SENT: reading scores, input and mask of a
        frame; STREAM: `frames` hops of a stream with all that a HIL test asks for.
    """
    bench = Bench(image)
    bench.hello()
    bench.ask(Command.RESET_STREAM, {})
    stream(bench, signal, 1)  # now all code is in the cache
    bench.begin()
    read_results(bench)
    sent = bench.cost()
    bench.ask(Command.RESET_STREAM, {})
    bench.begin()
    for start in (0, CHUNK):
        chunk = signal[start : start + CHUNK].astype("<i2").tobytes()
        bench.ask(Command.PUSH, {"first_index": start, "samples": chunk})
    received = bench.cost()
    bench.ask(Command.RESET_STREAM, {})
    start = stream(bench, signal, 1)
    bench.begin()
    stream(bench, signal, frames, start)
    return {RECEIVED: received, SENT: sent, STREAM: bench.cost()}


def table(costs: dict[str, LinkCost], frames: int) -> str:
    """The figures as Markdown."""
    received, sent, whole = costs[RECEIVED], costs[SENT], costs[STREAM]
    lines = [
        "| cycles, modelled | a byte received | a byte sent | a frame of the stream |",
        "|---|---|---|---|",
    ]
    for part in (*LINK, PREPROCESSOR, MODEL):
        lines.append(
            f"| {part} | {_rate(received, part, received.received)} | {_rate(sent, part, sent.sent)} "
            f"| {whole.cycles.get(part, 0) / frames:,.0f} |"
        )
    share = whole.link_cycles / sum(whole.cycles.values())
    lines += [
        f"| **link in all** | {received.link_cycles / received.received:.1f} | {sent.link_cycles / sent.sent:.1f} "
        f"| {whole.link_cycles / frames:,.0f} ({100 * share:.1f} % of all) |",
        "",
        f"A frame of the stream: {whole.received / frames:,.0f} bytes received, {whole.sent / frames:,.0f} sent.",
    ]
    return "\n".join(lines)


def _rate(cost: LinkCost, part: str, count: int) -> str:
    return f"{cost.cycles[part] / count:.1f}" if part in LINK and part in cost.cycles else ""


def _signal(record: int | None, lead: str, ludb: Path | None, seconds: float) -> npt.NDArray[np.int16]:
    if record is None:
        return made_up_signal(seconds)
    folder = find_ludb(ludb)
    if folder is None:
        raise DataError("LUDB is not here.", "A record of it was asked for.", "Name its folder with --ludb.")
    samples = load_record(folder, record, (lead,))[0].samples
    return np.resize(samples, int(seconds * 500))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="of the zoo; by default the zoo's default one")
    parser.add_argument("--frames", type=int, default=4, help="of the stream")
    parser.add_argument("--record", type=int, help="of LUDB, in place of the made-up signal")
    parser.add_argument("--lead", choices=LEADS, default="ii")
    parser.add_argument("--ludb", type=Path, help="folder of LUDB")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    options = parser.parse_args()
    try:
        signal = _signal(options.record, options.lead, options.ludb, 2.5 * (options.frames + 2))
        costs = measure(build(APOLLO4P_EVB, generate(find_model(options.model))), signal, options.frames)
    except EcgsegError as error:
        print(error)
        return error.exit_code
    print(table(costs, options.frames))
    if options.json:
        write_text(options.json, json.dumps({name: asdict(cost) for name, cost in costs.items()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
