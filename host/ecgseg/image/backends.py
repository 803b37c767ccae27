"""What runs the model in the firmware: generated C, or TensorFlow Lite Micro from the user's tree."""

from __future__ import annotations

from pathlib import Path

from ecgseg import codegen
from ecgseg.image.build import Image, build
from ecgseg.models import ModelFile, generated_folder

INPUT_RATE = 500


def build_image(
    board: str, generated: Path, data: bytes, *, backend: str = "aot", tflm_dir: Path | None = None
) -> Image:
    """Builds the firmware of a board with a rendered model in it.

    Args:
        board: name of the board.
        generated: what `ecgseg.codegen.render` wrote for the model.
        data: the model's .tflite file.
        backend: "aot" (generated C) or "tflm".
        tflm_dir: TensorFlow Lite Micro's tree; None: the environment variable TFLM_DIR.

    Raises:
        EcgsegError: as `ecgseg.image.build.build`, `ecgseg.image.tflm.find_tree` and `ecgseg.image.tflm.build_tflm` do.
    """
    if backend != "tflm":
        return build(board, generated, backend=backend)
    from ecgseg.image.tflm import build_tflm, find_tree

    return build_tflm(board, generated, data, find_tree(tflm_dir))


def render_and_build(board: str, model: ModelFile, *, backend: str = "aot", tflm_dir: str | None = None) -> Image:
    """Renders a model to where its C belongs and builds the firmware of a board with it.

    Args:
        board: name of the board.
        model: what to render.
        backend, tflm_dir: as :func:`build_image`; the folder as the user types it.

    Raises:
        EcgsegError: as `ecgseg.codegen.render` and :func:`build_image` do.
    """
    folder = generated_folder(model)
    codegen.render(model.path, folder, name=model.name, input_rate=INPUT_RATE)
    tree = Path(tflm_dir).expanduser() if tflm_dir else None
    return build_image(board, folder, model.data, backend=backend, tflm_dir=tree)


def generate(model: ModelFile, generated: Path | None = None) -> Path:
    """Folder with the model's C: the one given, or build/generated/<model>, rendered anew."""
    if generated is not None:
        return generated
    folder = generated_folder(model)
    codegen.render(model.path, folder, name=model.name, input_rate=INPUT_RATE)
    return folder
