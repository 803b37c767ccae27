"""What runs the model in the firmware: generated C, or TensorFlow Lite Micro from the user's tree."""

from __future__ import annotations

from pathlib import Path

from ecgseg.build import Image, build


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
        EcgsegError: as `ecgseg.build.build`, `ecgseg.tflm.find_tree` and `ecgseg.tflm.build_tflm` do.
    """
    if backend != "tflm":
        return build(board, generated, backend=backend)
    from ecgseg.tflm import build_tflm, find_tree

    return build_tflm(board, generated, data, find_tree(tflm_dir))
