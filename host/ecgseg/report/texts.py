"""What a HIL test found, in words: the same on the terminal and on the page."""

from __future__ import annotations

from ecgseg.errors import EcgsegError
from ecgseg.hil.provenance import Provenance
from ecgseg.hil.result import HilResult
from ecgseg.hil.stream_result import StreamResult
from ecgseg.interruption import Stopped
from ecgseg.report.checkup import commit_text
from ecgseg.targets import TimeQuality, target_of

HEADLINES = {
    "pass": "Every byte equal",
    "fail": "The device differs",
    "incomplete": "Incomplete",
}
Result = HilResult | StreamResult
Row = tuple[str, str]
"""Name and value of a line of the summary."""
SOURCES = {
    "ludb": "LUDB, ECG of patients",
    "qtdb": "QTDB, ECG of patients",
    "synthetic": "synthetic ECG, not of patients",
    "replay": "kept vector",
    "file": "recordings of your own",
    "random": "random int8 inputs",
}
_TIME_NOTES = {
    "instructions": "counted by QEMU, not cycles",
    "core clock cycles": "measured on the device",
    "microseconds": "measured, on this host",
}


def remedy(error: EcgsegError | Stopped | None) -> str:
    """What to do about what ended a test, "" when nothing did."""
    return error.remedy if isinstance(error, EcgsegError) else ""


def summary_rows(result: HilResult) -> list[Row]:
    """Name and value of everything worth a line."""
    rows = [
        *tested_rows(result),
        ("Frames", f"{result.frames:,} of {_whole(result.planned_frames, result.expected_frames)}"),
        *link_rows(result),
    ]
    rows += [(f"{part.capitalize()}", time_text(result, part)) for part in result.timing.parts]
    rows.append(("Memory", memory_text(result)))
    if result.segmentation:
        f1 = result.segmentation.samples.weighted_f1
        rows.append(("Annotation", f"weighted F1 {f1:.4f} of the device's mask, sample by sample"))
    return [*rows, *closing_rows(result)]


def tested_rows(result: Result) -> list[Row]:
    """What was tested, and with what."""
    return [
        ("Model", f"{result.model}  (SHA-256 {result.model_sha256[:16]}…)"),
        ("Image", f"{result.board}, backend {result.backend}, build {result.build_id}"),
        *([("Flashed BIN", f"SHA-256 {result.image_sha256}")] if result.image_sha256 else []),
        ("Input", f"{source_text(result.source)}; {input_count(result)}"),
        *([("Oracle", result.oracle)] if result.oracle else []),
    ]


def source_text(source: str) -> str:
    """Where the ECG came from; what is no word of ours is the name of a database of the user's own."""
    return SOURCES.get(source, f"{source}, a database of your own")


def link_rows(result: Result) -> list[Row]:
    """What was compared, and how the line was."""
    rows = [
        ("Bytes", f"{result.compared_bytes:,} compared, {result.mismatched_bytes:,} different"),
        ("Link", f"{result.requests:,} requests, {result.retries:,} retries"),
    ]
    if result.injected:
        put = result.injected
        faults = f"{put.to_device:,} faults to the device, {put.to_host:,} from it"
        rows.append(("Injected", f"{put.faults}, seed {put.seed}: {faults}"))
    return rows


def closing_rows(result: Result) -> list[Row]:
    """What is worth a line behind the figures."""
    rows = [("Not scored", result.not_scored)] if result.not_scored else []
    if result.reset_cause:
        rows.append(("Last start", f"reset cause {result.reset_cause:#x}"))
    return [*rows, *(("Note", note) for note in result.notes), ("Duration", f"{result.seconds:.1f} s on this host")]


def provenance_rows(result: Result) -> list[Row]:
    """When and by which command a result was made, and what computed."""
    return [] if result.provenance is None else origin_rows(result.provenance)


def origin_rows(origin: Provenance) -> list[Row]:
    """The same of what a result tells of where it comes from."""
    versions = origin.versions
    python = ", ".join(f"{name} {told}" for name, told in (("Python", versions.python), *versions.packages.items()))
    return [
        ("Began", origin.started),
        *([("Command", origin.command)] if origin.command else []),
        ("ecgseg", f"{versions.ecgseg}, commit {commit_text(versions)}"),
        ("Computed by", python),
        *((name, told) for name, told in versions.tools.items()),
        ("On", versions.platform),
    ]


def reached(result: HilResult) -> str:
    """How far a test came: frames and records of all."""
    frames = _whole(result.planned_frames, result.expected_frames)
    records = _whole(result.planned_records, len(result.records))
    noun = "inputs" if result.source == "random" else "records"
    return f"{result.frames:,} of {frames} frames, {len(result.records):,} of {records} {noun}"


def _whole(planned: int, begun: int) -> str:
    return f"{max(planned, begun):,}" if planned or begun else "an unknown number of"


def stack_text(size: int) -> str:
    """The deepest stack; 0 stands for one that nobody measured."""
    return f"{size:,} B" if size else "not measured"


def input_count(result: Result) -> str:
    """How much was sent."""
    if result.source == "random":
        return _plural(len(result.records), "vector")
    return f"{_plural(len(result.records), 'record')} × {_plural(len(result.leads), 'lead')}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" + "s" * (count != 1)


def time_text(result: HilResult, part: str) -> str:
    """Device time of one part per frame, with its unit."""
    spread = result.timing.parts[part]
    extremes = f"{spread.min:,.0f} to {spread.max:,.0f}"
    return f"{spread.mean:,.0f} {result.timing.unit} a frame ({extremes}, {time_note(result)})"


def time_note(result: Result) -> str:
    """Whether a device time was counted, modelled or measured, and by what."""
    if target_of(result.target).time_quality is TimeQuality.MODELLED:
        return "modelled by the simulator, not calibrated"
    return _TIME_NOTES[result.timing.unit]


def memory_text(result: Result) -> str:
    """Bytes of arena, stack, flash and RAM, as far as they are known."""
    memory = result.memory
    parts = {
        "arena": memory.arena_bytes,
        "flash": memory.flash_bytes,
        "RAM": memory.ram_bytes,
    }
    known = [f"{name} {size:,} B" for name, size in parts.items() if size]
    return ", ".join([*known[:1], f"deepest stack {stack_text(memory.stack_bytes)}", *known[1:]])


def byte_text(value: int | None) -> str:
    """A byte in hexadecimal; a dash where there is none."""
    return "–" if value is None else f"0x{value:02x}"
