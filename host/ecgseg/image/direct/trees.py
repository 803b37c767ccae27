"""Finds kernels in the source trees that the user names: CMSIS-NN's, TinyEngine's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ecgseg.errors import ToolMissingError
from ecgseg.image.tflm.tree import THIRD_PARTY_FOLDERS

CMSIS_NN_OPTION, TINYENGINE_OPTION = "--cmsis-nn-dir", "--tinyengine-dir"
# Kernels of floating-point types, which need headers of their own.
_FLOAT_ENDINGS = ("_f16.c", "_f32.c", "_flt.c")
_CMSIS_5 = "TinyEngine/third_party/CMSIS/CMSIS"
_ENGINE = "TinyEngine/src/kernels"
_SPECIAL = ("", "_ch8", "_ch16", "_ch24", "_ch48")
_TINYENGINE_SOURCES = (
    *(f"{_ENGINE}/int_forward_op/convolve_1x1_s8{channels}.c" for channels in _SPECIAL),
    *(f"{_ENGINE}/fp_requantize_op/convolve_1x1_s8{channels}_fpreq.c" for channels in _SPECIAL),
    f"{_ENGINE}/int_forward_op/mat_mult_kernels.c",
    f"{_ENGINE}/int_forward_op/arm_nn_mat_mult_kernel_s8_s16_reordered_8mul.c",
    f"{_ENGINE}/fp_requantize_op/mat_mul_kernels_fpreq.c",
    f"{_CMSIS_5}/NN/Source/ConvolutionFunctions/arm_nn_mat_mult_kernel_s8_s16_reordered.c",
)
_TINYENGINE_INCLUDES = (
    "TinyEngine/include",
    *(f"{_CMSIS_5}/{folder}" for folder in ("NN/Include", "DSP/Include", "Core/Include")),
)
# What its code generator writes for a network.
_TINYENGINE_GENERATED = ("genInclude.h",)


@dataclass(frozen=True)
class KernelTree:
    """Sources of kernels.

    Attributes:
        name: whose they are.
        root: the user's folder.
        include_dirs, sources: what is compiled.
        version_folders: folder of each project in the tree, by its name.
        empty_headers: that the sources include and that no kernel here needs anything of.
    """

    name: str
    root: Path
    include_dirs: tuple[Path, ...]
    sources: tuple[Path, ...]
    version_folders: tuple[tuple[str, Path], ...]
    empty_headers: tuple[str, ...] = ()


def find_cmsis_nn(option: str | Path | None, tflm_root: Path | None = None) -> KernelTree | None:
    """CMSIS-NN's sources.

    Args:
        option: value of --cmsis-nn-dir.
        tflm_root: a TensorFlow Lite Micro tree, whose own sources of CMSIS-NN are taken when no others are named.

    Returns:
        The tree; None where none is named and TensorFlow Lite Micro's has none.

    Raises:
        ToolMissingError: the folder that is named holds something else.
    """
    root = Path(option).expanduser().resolve() if option else _sources_in(tflm_root)
    if root is None:
        return None
    folders = [root / "Source" / name for name in ("ConvolutionFunctions", "NNSupportFunctions")]
    _require(root, [root / "Include" / "arm_nnfunctions.h", *folders], "CMSIS-NN", CMSIS_NN_OPTION)
    sources = [path for folder in folders for path in sorted(folder.glob("*.c"))]
    return KernelTree(
        "CMSIS-NN",
        root,
        (root / "Include",),
        tuple(path for path in sources if not path.name.endswith(_FLOAT_ENDINGS)),
        # Of its own sources TensorFlow Lite Micro's tree tells the release.
        (("CMSIS-NN, called directly", root),) if option else (),
    )


def _sources_in(tflm_root: Path | None) -> Path | None:
    """Where a TensorFlow Lite Micro tree has CMSIS-NN's sources, None without any."""
    places = [tflm_root / place / "cmsis_nn" for place in THIRD_PARTY_FOLDERS] if tflm_root else []
    return next((place.resolve() for place in places if (place / "Source").is_dir()), None)


def find_tinyengine(option: str | Path | None) -> KernelTree | None:
    """TinyEngine's kernels, and those that it takes from the CMSIS 5 that it brings as a submodule.

    Args:
        option: value of --tinyengine-dir, the top of a clone with its submodule.

    Returns:
        The tree; None where none is named.

    Raises:
        ToolMissingError: the folder holds something else, or the submodule is not there.
    """
    if not option:
        return None
    root = Path(option).expanduser().resolve()
    includes, sources = (tuple(root / name for name in names) for names in (_TINYENGINE_INCLUDES, _TINYENGINE_SOURCES))
    _require(root, (*includes, *sources), "TinyEngine", TINYENGINE_OPTION)
    parts = (("TinyEngine", root), ("CMSIS 5 in TinyEngine", root / "TinyEngine/third_party/CMSIS"))
    return KernelTree("TinyEngine", root, includes, sources, parts, _TINYENGINE_GENERATED)


def _require(root: Path, needed: Iterable[Path], name: str, option: str) -> None:
    missing = next((path for path in needed if not path.exists()), None)
    if missing is not None:
        raise ToolMissingError(
            f"'{root}' is no source tree of {name}.",
            f"There is no {missing.relative_to(root)} in it.",
            f"Name the top of a clone, with its submodules, with {option} (docs/tflm.md).",
        )
