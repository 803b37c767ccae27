"""What runs the model in the firmware: generated C, or TensorFlow Lite Micro from the user's tree."""

from __future__ import annotations

from pathlib import Path

from ecgseg.codegen.names import ModelNames
from ecgseg.codegen.optimise import CYCLES, PICKS
from ecgseg.codegen.render import render
from ecgseg.codegen.render_delineator import delineates, render_delineator
from ecgseg.errors import UsageError
from ecgseg.image.build import Image, build
from ecgseg.image.programs import AOT, APP, STREAM_APP, TFLM
from ecgseg.models import ModelFile, generated_folder
from ecgseg.pipeline import DEFAULT_INPUT_RATE

BACKENDS = (AOT.name, TFLM.name)


def build_image(
    board: str, generated: Path, data: bytes, *, backend: str = AOT.name, tflm_dir: Path | None = None
) -> Image:
    """Builds the firmware of a board with a rendered model in it.

    Args:
        board: name of the board.
        generated: what `ecgseg.codegen.render` wrote for the model.
        data: the model's .tflite file.
        backend: one of BACKENDS.
        tflm_dir: TensorFlow Lite Micro's tree; None: the environment variable TFLM_DIR.

    Raises:
        UsageError: no such backend.
        EcgsegError: as `ecgseg.image.build.build`, `ecgseg.image.tflm.find_tree` and `ecgseg.image.tflm.build_tflm` do.
    """
    if backend not in BACKENDS:
        raise UsageError(f"There is no backend '{backend}'.", "", f"Choose one of: {', '.join(BACKENDS)}.")
    if is_delineator(generated):
        if backend != AOT.name:
            raise UsageError(
                "A network that runs as a stream has one backend.",
                f"The backend {backend} runs a network over whole frames.",
                f"Leave --backend away, or choose {AOT.name}.",
            )
        return build(board, generated, program=STREAM_APP)
    if backend == AOT.name:
        return build(board, generated, program=APP)
    from ecgseg.image.tflm import build_tflm, find_tree

    return build_tflm(board, generated, data, find_tree(tflm_dir))


def render_and_build(
    board: str,
    model: ModelFile,
    *,
    backend: str = AOT.name,
    tflm_dir: Path | None = None,
    optimise: str = CYCLES,
    input_rate: int = DEFAULT_INPUT_RATE,
) -> Image:
    """Renders a model to where its C belongs and builds the firmware of a board with it.

    Args:
        board: name of the board.
        model: what to render.
        backend, tflm_dir: as :func:`build_image`.
        optimise, input_rate: as :func:`generate`.

    Raises:
        EcgsegError: as `ecgseg.codegen.render` and :func:`build_image` do.
    """
    generated = generate(model, optimise=optimise, input_rate=input_rate)
    return build_image(board, generated, model.data, backend=backend, tflm_dir=tflm_dir)


def generate(
    model: ModelFile,
    generated: Path | None = None,
    *,
    optimise: str = CYCLES,
    input_rate: int = DEFAULT_INPUT_RATE,
) -> Path:
    """Folder with the model's C: the one given, or build/generated/<model>, rendered anew.

    Args:
        model: what to render.
        generated: folder of C that is there already.
        optimise: what kernels are chosen by, one of PICKS of `ecgseg.codegen.optimise`.
        input_rate: of the raw samples, Hz; C for another than the usual one has a folder of its own.
    """
    if generated is not None:
        return generated
    folder = generated_folder(model)
    if input_rate != DEFAULT_INPUT_RATE:
        folder = folder.with_name(f"{folder.name}-{input_rate}hz")
    if delineates(model.data):
        render_delineator(model.data, folder, name=model.name, input_rate=input_rate)
    else:
        render(model.path, folder, name=model.name, input_rate=input_rate, pick=PICKS[optimise])
    return folder


def is_delineator(generated: Path) -> bool:
    """Whether a folder of rendered C holds a network that runs as a stream, and what is around it."""
    return (generated / ModelNames().stream_header).is_file()
