"""What a model costs, as an HTML page: counted in QEMU, modelled in the simulated board, measured on a board."""

from __future__ import annotations

from collections.abc import Sequence

from ecgseg.graph.ir import shape_text
from ecgseg.hil.provenance import Provenance
from ecgseg.profile import Profile
from ecgseg.profile.board import BoardProfile
from ecgseg.report.hardware import COLUMNS, cycles_are, rows, times_are
from ecgseg.report.page import render_page
from ecgseg.report.texts import Row, origin_rows, stack_text

# Name of a layer, what stands in its row, and its share of the dearest one.
_Layer = tuple[str, tuple[str, ...], float]


def counted_page(profile: Profile, origin: Provenance) -> str:
    """Instructions of each layer and of the whole frame."""
    flash = profile.flash
    preprocessor = profile.preprocess_instructions_per_frame
    figures: list[Row] = [
        (f"{profile.unit.capitalize()} a frame", f"{profile.instructions_per_frame:,}"),
        *([("Of the preprocessor", f"{preprocessor:,}")] if preprocessor else []),
        ("MACs a frame", f"{profile.macs:,}"),
        ("Arena", f"{profile.arena_bytes:,} bytes"),
        ("Stack", f"{profile.stack_bytes:,} bytes"),
        (
            "Flash",
            f"{profile.flash_bytes:,} bytes: code {flash.code:,}, forms of kernels {flash.forms:,}, weights "
            f"{flash.weights:,}, tables {flash.tables:,}",
        ),
        ("SHA-256 of the model", profile.sha256),
    ]
    largest = max((layer.instructions for layer in profile.layers), default=1)
    layers = [
        (
            f"{layer.index} {layer.name}",
            (
                f"{layer.instructions:,}",
                "–" if layer.instructions_per_mac is None else f"{layer.instructions_per_mac:.2f}",
                f"{layer.macs:,}",
                shape_text(layer.shape),
            ),
            layer.instructions / largest,
        )
        for layer in profile.layers
    ]
    heads = ("Layer", profile.unit.capitalize(), "A MAC", "MACs", "Shape")
    return _page(profile, origin, f"{profile.unit} a frame, counted, not cycles", figures, heads, layers)


def timed_page(profile: BoardProfile, origin: Provenance) -> str:
    """Times and cycles at every clock, and of the layers when they were asked for."""
    figures: list[Row] = [
        (name.capitalize() if name != "FS" else "Input rate", "; ".join(dict.fromkeys(values)))
        for name, *values in zip(COLUMNS[1:], *(row[1:] for row in rows(profile)), strict=True)
    ]
    for clock in profile.clocks:
        cycles = f"inference {clock.inference_cycles:,}, preprocessor {clock.preprocess_cycles:,}"
        figures.append((f"Cycles at {clock.core_hz // 1_000_000} MHz", f"{cycles}, {cycles_are(profile)}"))
    figures += [
        ("Flash of the image", f"{profile.flash_bytes:,} bytes"),
        ("Deepest stack", stack_text(profile.stack_bytes)),
        ("SHA-256 of the image", profile.bin_sha256),
        ("SHA-256 of the model", profile.tflite_sha256),
    ]
    by_clock = [clock.layer_cycles for clock in profile.clocks]
    known = profile.layers if all(by_clock) else []
    largest = max(by_clock[0], default=1) if known else 1
    heads = ("Layer", *(f"Cycles at {clock.core_hz // 1_000_000} MHz" for clock in profile.clocks))
    layers = [
        (name, tuple(f"{cycles[index]:,}" for cycles in by_clock), by_clock[0][index] / largest)
        for index, name in enumerate(known)
    ]
    return _page(profile, origin, f"times {times_are(profile)}", figures, heads, layers)


def _page(
    profile: Profile | BoardProfile,
    origin: Provenance,
    kind: str,
    figures: list[Row],
    heads: tuple[str, ...],
    layers: Sequence[_Layer],
) -> str:
    return render_page(
        "profile.html.j2",
        model=profile.model,
        target=profile.target,
        kind=kind,
        figures=figures,
        heads=heads,
        layers=layers,
        origin=origin_rows(origin),
    )
