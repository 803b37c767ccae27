"""`invoke profile`: what a model costs, counted in QEMU, modelled in the simulated board, measured on a board."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecgseg import paths
from ecgseg.commands.command_line import as_typed
from ecgseg.commands.options import (
    BackendOptions,
    JsonOption,
    ModelOptions,
    OptimiseOption,
    PortOptions,
    backend_option,
    default_target,
)
from ecgseg.commands.rules import AppliesTo
from ecgseg.commands.task import Output, option
from ecgseg.models import ModelFile, find_model, model_names
from ecgseg.output import write_json, write_text
from ecgseg.terminal import console

if TYPE_CHECKING:
    from pydantic import BaseModel


def _counting() -> tuple[str, ...]:
    """The target on which instructions are counted."""
    from ecgseg.targets.names import QEMU

    return (QEMU,)


def _timing() -> tuple[str, ...]:
    """Targets on which time is told in cycles."""
    from ecgseg.targets.names import APOLLO4P, APOLLO4P_SIM

    return (APOLLO4P_SIM, APOLLO4P)


def _targets() -> Collection[str]:
    return (*_counting(), *_timing())


_COMPARED = AppliesTo({"backend": ("tflm",)}, why="Generated C alone is not compared with other kernels.")


def _shows_layers(what: str) -> AppliesTo:
    """The rule of an option that shows layers."""
    return AppliesTo(
        {"backend": ("aot",)},
        what=what,
        why="TensorFlow Lite Micro is counted as a whole.",
        remedy="Leave it out, or leave out --backend tflm.",
    )


@dataclass(frozen=True)
class Options(ModelOptions, BackendOptions, OptimiseOption, PortOptions, JsonOption):
    """What `invoke profile` takes."""

    target: str = option(
        "qemu (instructions, counted), apollo4p-sim (cycles, modelled) or apollo4p (measured); default qemu.",
        default=default_target,
        known=_targets,
    )
    backend: str = backend_option(
        "aot (generated C) or tflm (TensorFlow Lite Micro beside it, qemu only); default aot.",
        AppliesTo(
            {"target": _counting},
            when=lambda backend: backend == "tflm",
            what="--backend tflm is profiled in QEMU alone.",
            why="On a board and in its simulator only generated C is.",
            remedy="Leave out --target, or --backend.",
        ),
    )
    cmsis_nn_dir: Path | None = option(
        "Your CMSIS-NN sources, called without an interpreter (docs/tflm.md); default those in the tree of --tflm-dir.",
        _COMPARED,
    )
    tinyengine_dir: Path | None = option(
        "Your clone of TinyEngine with its submodule (docs/tflm.md); left out when none is named.",
        _COMPARED,
    )
    layers: bool = option(
        "Also per layer, on apollo4p-sim and apollo4p (qemu always does).",
        _shows_layers("--layers shows layers, which are profiled of generated C alone."),
        default=False,
    )
    picture: Path | None = option(
        "Also draw the layers as bars into this PNG file (qemu).",
        AppliesTo(
            {"target": _counting},
            what="--picture shows instructions by layer.",
            why="They are counted in QEMU alone.",
            remedy="Add --target qemu.",
        ),
        _shows_layers("--picture shows layers, which are profiled of generated C alone."),
        output=Output.FILE,
    )
    html: Path | None = option(
        "Also write the figures and the layers as a page.",
        AppliesTo(
            {"backend": ("aot",)},
            what="--html shows what generated C costs.",
            why="A comparison with TensorFlow Lite Micro has a page of its own.",
            remedy="Use --page, or leave out --backend tflm.",
        ),
        output=Output.RESULT,
    )
    page: Path | None = option(
        "Also write docs/hardware.md, with --backend tflm docs/performance.md; all models unless one is named.",
        AppliesTo(
            {"target": _timing, "backend": ("tflm",)},
            what="--page shows times, which QEMU does not know, or a comparison.",
            why="Instructions of generated C alone have no page.",
            remedy="Add --target apollo4p-sim (times modelled) or apollo4p (measured), or --backend tflm to compare.",
        ),
        output=Output.FILE,
    )


def run(options: Options) -> None:
    """Tell what a model costs: time, memory, flash, energy, by layer."""
    if options.backend == "tflm":
        _compare_with_tflm(options)
    elif options.target in _counting():
        _count_generated(options)
    else:
        _time_on_board(options)


def _count_generated(options: Options) -> None:
    from ecgseg.hil.provenance import Provenance
    from ecgseg.profile import profile_model
    from ecgseg.report.profile import show_profile, write_profile_picture
    from ecgseg.report.profile_page import counted_page

    origin = Provenance.now(as_typed(sys.argv))
    chosen = find_model(options.model, options.tflite)
    counted = profile_model(chosen.path, chosen.name, optimise=options.optimise)
    show_profile(counted, console)
    if options.json:
        write_json(counted, options.json)
    if options.html:
        write_text(options.html, counted_page(counted, origin))
    if options.picture:
        write_profile_picture(counted, options.picture)


def _time_on_board(options: Options) -> None:
    from ecgseg.hil.provenance import Provenance
    from ecgseg.profile.board import profile_board
    from ecgseg.report.hardware import hardware_page, show_board_profile
    from ecgseg.report.profile_page import timed_page
    from ecgseg.targets import TargetOptions

    origin = Provenance.now(as_typed(sys.argv))
    board = TargetOptions(port=options.port, serial_number=options.serial)
    profiles = []
    for model in _models(options):
        found = profile_board(model, options.target, board, layers=options.layers, optimise=options.optimise)
        profiles.append(found)
        show_board_profile(profiles[-1], console)
    _write(options, profiles)
    if options.html:
        write_text(options.html, timed_page(profiles[-1], origin))
    if options.page:
        write_text(options.page, hardware_page(profiles))


def _compare_with_tflm(options: Options) -> None:
    from ecgseg.image.boards import board_of
    from ecgseg.image.direct import find_cmsis_nn, find_tinyengine
    from ecgseg.image.tflm import find_tree
    from ecgseg.profile.layers import LayerGeometry
    from ecgseg.profile.qemu import BOARD
    from ecgseg.profile.tflm import Peers, compare
    from ecgseg.report.performance import performance_page, show_comparison, show_versions

    tree = find_tree(options.tflm_dir)
    peers = Peers(find_cmsis_nn(options.cmsis_nn_dir, tree.root), find_tinyengine(options.tinyengine_dir))
    if options.page:
        # The page compares with libraries of both kinds; a missing one is told before anything is counted.
        tree.require_both_kernels(board_of(BOARD))
    comparisons = []
    layers: set[LayerGeometry] = set()
    for model in _models(options, paths.HEARTKIT_STYLE):
        comparisons.append(compare(model, tree, peers, layers=bool(options.page), known_layers=layers))
        layers |= {layer.geometry for layer in comparisons[-1].layers}
        show_comparison(comparisons[-1], console)
    show_versions(comparisons[-1], console)
    _write(options, comparisons)
    if options.page:
        write_text(options.page, performance_page(comparisons))


def _models(options: Options, *others: Path) -> list[ModelFile]:
    """The model that is named; a page without one has all of the zoo, then the others."""
    if options.page and not (options.model or options.tflite):
        return [*(find_model(name) for name in model_names()), *(find_model(tflite=path) for path in others)]
    return [find_model(options.model, options.tflite)]


def _write(options: Options, results: Sequence[BaseModel]) -> None:
    """Writes figures for machines: an object for one model, a list for several."""
    if options.json:
        found = [result.model_dump(mode="json") for result in results]
        write_text(options.json, json.dumps(found[0] if len(found) == 1 else found, indent=2) + "\n")
