"""What the tasks call: options as the user types them in, tables and files out.

Each function here belongs to one task of tasks.py; `hil-test` has its own module, `ecgseg.commands.hil_test`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel
from rich.progress import DownloadColumn, TransferSpeedColumn
from rich.table import Table

from ecgseg import paths
from ecgseg.choices import choose
from ecgseg.errors import DataError, OutputError, UsageError
from ecgseg.extras import require_tensorflow
from ecgseg.image.boards import board_of
from ecgseg.image.tflm.tree import Tree
from ecgseg.models import DEFAULT_MODEL, ModelFile, find_model, generated_folder, model_names
from ecgseg.output import write_json, write_text
from ecgseg.profile.board import profile_board
from ecgseg.profile.qemu import BOARD
from ecgseg.profile.tflm import compare
from ecgseg.report.hardware import hardware_page, show_board_profile
from ecgseg.report.performance import performance_page, show_comparison, show_versions
from ecgseg.targets import TargetOptions
from ecgseg.terminal import console, messages, progress


class DataState(BaseModel):
    """What `invoke data` found: folder, files listed, and those missing or damaged."""

    folder: str
    files: int
    missing: list[str]
    damaged: list[str]


def data(folder: str | None, verify_only: bool, json_path: str | None) -> None:
    """Downloads LUDB, or verifies the copy that the other tasks would use.

    Raises:
        DataError: nothing to verify, a damaged copy, or no download.
        OutputError: no room, or no permission.
    """
    from ecgseg.data.databases import download as source
    from ecgseg.data.databases.ludb import find_ludb

    target = Path(folder) if folder else (find_ludb() if verify_only else None) or paths.LOCAL_LUDB
    columns = (DownloadColumn(), TransferSpeedColumn())
    with progress(*columns) as transfer:
        bars = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in bars:
                bars[stage] = transfer.add_task(f"LUDB: {stage}", total=total or None)
            transfer.update(bars[stage], completed=done, total=total or None)

        result = source.verify(target, progress=show) if verify_only else source.download(target, progress=show)
    state = DataState(
        folder=str(target), files=result.files, missing=list(result.missing), damaged=list(result.damaged)
    )
    if json_path:
        write_json(state, json_path)
    if not result.good:
        raise DataError(
            f"LUDB in '{target}' is not whole: {len(result.missing)} files missing, {len(result.damaged)} damaged.",
            "First of them: " + ", ".join((result.missing + result.damaged)[:5]) + ".",
            "Download it again with `invoke data`.",
        )
    console.print(f"[green]LUDB 1.0.1 is whole[/green]: {result.files:,} files in {target} have the right SHA-256.")


def render(
    model: str | None, tflite: str | None, out: str | None, json_path: str | None, *, report: bool = False
) -> None:
    """Renders a model into C and shows what it takes, with `report` also its memory over time."""
    from ecgseg import codegen
    from ecgseg.graph.ir import shape_text
    from ecgseg.report.memory import memory_table, write_report

    chosen = find_model(model, tflite)
    folder = Path(out) if out else generated_folder(chosen)
    manifest = codegen.render(chosen.path, folder, name=chosen.name)
    table = Table(title=f"{chosen.name}: C in {folder}", title_justify="left")
    for column in ("Layer", "Operator", "Shape", "Bytes", "MACs"):
        table.add_column(column, justify="left" if column in ("Operator", "Shape") else "right")
    for index, layer in enumerate(manifest.layers):
        shape = shape_text(layer.shape)
        table.add_row(str(index), layer.name, shape, f"{layer.bytes:,}", f"{layer.macs:,}")
    console.print(table)
    console.print(
        f"{manifest.parameters:,} parameters, {manifest.macs:,} MACs a frame, arena {manifest.arena_bytes:,} B, "
        f"constants {manifest.weight_bytes:,} B."
    )
    if report:
        console.print(memory_table(manifest))
        write_report(manifest, folder / "memory.html")
        console.print(f"Picture: {folder / 'memory.html'}")
    if json_path:
        write_json(manifest, json_path)


class BuiltImage(BaseModel):
    """What `invoke build` made: files, build id, and bytes by section with flash and RAM in total."""

    board: str
    model: str
    model_sha256: str
    build_id: str
    elf: str
    bin: str | None
    sizes: dict[str, int]


def build(
    board: str,
    model: str | None,
    tflite: str | None,
    backend: str,
    json_path: str | None,
    tflm_dir: str | None = None,
) -> None:
    """Renders a model, builds the firmware of a board with it, and shows sizes."""
    from ecgseg.image.backends import BACKENDS, render_and_build
    from ecgseg.image.boards import BOARDS

    choose("board", board, tuple(BOARDS), "--board")
    choose("backend", backend, BACKENDS, "--backend")
    chosen = find_model(model, tflite)
    image = render_and_build(board, chosen, backend=backend, tflm_dir=tflm_dir)
    built = BuiltImage(
        board=board,
        model=chosen.name,
        model_sha256=chosen.sha256,
        build_id=image.build_id,
        elf=str(image.elf),
        bin=str(image.bin) if image.bin else None,
        sizes=image.sizes,
    )
    table = Table(title=f"{board} with {chosen.name}, build {image.build_id}", title_justify="left")
    table.add_column("Section")
    table.add_column("Bytes", justify="right")
    for section, size in image.sizes.items():
        style = "bold" if section in ("flash", "ram") else None
        table.add_row(section, f"{size:,}", style=style)
    console.print(table)
    for file in (image.elf, image.bin):
        if file:
            console.print(str(file), highlight=False, soft_wrap=True)
    if json_path:
        write_json(built, json_path)


def train(model: str | None, ludb: str | None, out: str | None, fresh: bool) -> None:
    """Trains one model of the zoo, or the smoke model.

    Raises:
        ToolMissingError: TensorFlow is not installed.
        UsageError: no such model.
    """
    require_tensorflow()
    from ecgseg.zoo import configuration
    from ecgseg.zoo import train as training

    known = (*configuration.names(), configuration.SMOKE)
    name = choose("model", model or DEFAULT_MODEL, known, "--model")
    report = training.train(name, ludb_option=ludb, out=Path(out) if out else None, resume=not fresh, console=messages)
    console.print(
        f"{name}: {report.parameters:,} parameters, {report.macs:,} MACs a frame, "
        f"int8 weighted F1 {report.int8_weighted_f1:.4f} on the validation patients ({report.source})."
    )
    console.print(str(report.folder), highlight=False, soft_wrap=True)


def zoo() -> None:
    """Lists the models that can be rendered and what they take."""
    from ecgseg import codegen
    from ecgseg.zoo import configuration

    table = Table(title="Models", title_justify="left")
    for column in ("Model", "Classes", "Parameters", "MACs a frame", "Arena, B", "Purpose"):
        table.add_column(column, justify="left" if column in ("Model", "Purpose") else "right")
    for name in model_names():
        chosen = find_model(name)
        manifest = codegen.render(chosen.path, generated_folder(chosen), name=name)
        numbers = (manifest.class_count, manifest.parameters, manifest.macs, manifest.arena_bytes)
        table.add_row(name, *[f"{number:,}" for number in numbers], configuration.load(name).description)
    console.print(table)


def train_zoo(model: str | None, ludb: str | None) -> None:
    """Trains one model of the zoo or all, one after the other; a killed run goes on where it was."""
    from ecgseg.zoo import configuration

    for name in [model] if model else configuration.names():
        train(name, ludb, None, fresh=False)


class ProfileOptions(BaseModel):
    """Options of `invoke profile` as the user types them."""

    target: str = "qemu"
    backend: str = "aot"
    tflm_dir: str | None = None
    model: str | None = None
    tflite: str | None = None
    layers: bool = False
    port: str | None = None
    serial: str | None = None
    json_path: str | None = None
    picture: str | None = None
    page: str | None = None


def profile(options: ProfileOptions) -> None:
    """Shows what a model costs: counted in QEMU, modelled in the simulated board, measured on a board."""
    from ecgseg.image.backends import BACKENDS
    from ecgseg.targets import TargetOptions

    choose("target", options.target, ("qemu", "apollo4p-sim", "apollo4p"), "--target")
    choose("backend", options.backend, BACKENDS, "--backend")
    if options.backend == "tflm":
        _compare_with_tflm(options)
    elif options.target == "qemu":
        _count_generated(options)
    else:
        if options.picture:
            raise UsageError(
                "--picture shows instructions by layer.", "They are counted in QEMU alone.", "Add --target qemu."
            )

        board = TargetOptions(port=options.port, serial_number=options.serial)
        profile_command(
            _profiled_models(options),
            options.target,
            board,
            layers=options.layers,
            json_path=options.json_path,
            page=options.page,
        )


def _profiled_models(options: ProfileOptions, *others: Path) -> list[ModelFile]:
    """The model that is named; a page without one has all of the zoo, then the others."""
    if options.page and not (options.model or options.tflite):
        return [*(find_model(name) for name in model_names()), *(find_model(tflite=path) for path in others)]
    return [find_model(options.model, options.tflite)]


def _count_generated(options: ProfileOptions) -> None:
    from ecgseg.profile import profile_model
    from ecgseg.report.profile import show_profile, write_profile_picture

    if options.page:
        raise UsageError(
            "--page shows times, which QEMU does not know, or a comparison.",
            "Instructions of generated C alone have no page.",
            "Add --target apollo4p-sim (times modelled) or apollo4p (measured), or --backend tflm to compare.",
        )
    chosen = find_model(options.model, options.tflite)
    counted = profile_model(chosen.path, chosen.name)
    show_profile(counted, console)
    if options.picture:
        write_profile_picture(counted, Path(options.picture))
    if options.json_path:
        write_json(counted, options.json_path)


def _compare_with_tflm(options: ProfileOptions) -> None:
    from ecgseg.image.tflm import find_tree

    if options.target != "qemu":
        raise UsageError(
            "--backend tflm is profiled in QEMU alone.",
            f"On {options.target} only generated C is.",
            "Leave out --target, or --backend.",
        )
    if options.picture or options.layers:
        raise UsageError(
            f"{'--picture' if options.picture else '--layers'} shows layers, which are profiled of generated C alone.",
            "TensorFlow Lite Micro is counted as a whole.",
            "Leave it out, or leave out --backend tflm.",
        )
    tree = find_tree(options.tflm_dir)
    models = _profiled_models(options, paths.HEARTKIT_STYLE)
    comparison_command(models, tree, json_path=options.json_path, page=options.page)


def clean(everything: bool) -> None:
    """Removes the build folder; with `everything` also downloaded data.

    Raises:
        OutputError: a folder cannot be removed.
    """
    for folder in (paths.BUILD, *([paths.LOCAL_LUDB] if everything else [])):
        if not folder.exists():
            continue
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise OutputError(f"'{folder}' cannot be removed.", str(error), "Check its permissions.") from error
        console.print(f"Removed {folder}.", highlight=False)


def single(name: str, value: str | None, other: str, other_value: str | None) -> None:
    """Refuses two options that exclude each other.

    Raises:
        UsageError: both are given.
    """
    if value and other_value:
        raise UsageError(
            f"{name} and {other} exclude each other.", "Both name a model.", f"Leave out {name} or {other}."
        )


def profile_command(
    models: Sequence[ModelFile],
    target: str = "apollo4p-sim",
    options: TargetOptions | None = None,
    *,
    layers: bool = False,
    json_path: str | None = None,
    page: str | None = None,
) -> None:
    """The whole of `invoke profile` for the board and its simulator.

    Args:
        models: what to profile.
        target: "apollo4p-sim" or "apollo4p".
        options: port and the like.
        layers: also per layer.
        json_path: where figures go for machines: an object for one model, a list for several.
        page: where the page docs/hardware.md goes.

    Raises:
        EcgsegError: as profile_board, and OutputError.
    """
    profiles = []
    for model in models:
        profiles.append(profile_board(model, target, options, layers=layers))
        show_board_profile(profiles[-1], console)
    if json_path:
        found = [profile.model_dump(mode="json") for profile in profiles]
        write_text(Path(json_path), json.dumps(found[0] if len(found) == 1 else found, indent=2) + "\n")
    if page:
        write_text(Path(page), hardware_page(profiles))


def comparison_command(
    models: Sequence[ModelFile],
    tree: Tree,
    *,
    json_path: str | None = None,
    page: str | None = None,
) -> None:
    """The whole of `invoke profile --backend tflm`.

    Args:
        models: what to count.
        tree: the user's TensorFlow Lite Micro tree.
        json_path: where figures go for machines: an object for one model, a list for several.
        page: where the page docs/performance.md goes; it needs libraries with both kinds of kernels.

    Raises:
        EcgsegError: as `compare`, and ToolMissingError when the page needs a library that the tree has not.
    """
    if page:
        tree.require_both_kernels(board_of(BOARD))
    comparisons = []
    for model in models:
        comparisons.append(compare(model, tree))
        show_comparison(comparisons[-1], console)
    show_versions(comparisons[-1], console)
    if json_path:
        found = [comparison.model_dump(mode="json") for comparison in comparisons]
        write_text(Path(json_path), json.dumps(found[0] if len(found) == 1 else found, indent=2) + "\n")
    if page:
        write_text(Path(page), performance_page(comparisons))
