"""A TensorFlow Lite Micro tree without content: headers and libraries by name, as the finder looks for them."""

from __future__ import annotations

from pathlib import Path

ARM, X86 = 40, 62
HEADERS = (
    "flatbuffers/include/flatbuffers/flatbuffers.h",
    "gemmlowp/fixedpoint/fixedpoint.h",
    "ruy/ruy/profiler/instrumentation.h",
)
CMSIS_NN_INDEX = b"arm_convolve_s8\0abc"


def empty_tree(folder: Path) -> Path:
    """The headers that make a folder a tree."""
    for name in (
        "tensorflow/lite/micro/micro_interpreter.h",
        *(f"tensorflow/lite/micro/tools/make/downloads/{header}" for header in HEADERS),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def archive(path: Path, machine: int, symbols: bytes = b"abc") -> Path:
    """A static library as ar writes it: a symbol index, whose length is odd, then an object of that ELF machine."""
    assert len(symbols) % 2
    elf = b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little") + bytes(20)
    data = b"!<arch>\n"
    for name, content in ((b"/", symbols), (b"x.o/", elf)):
        data += name.ljust(48) + str(len(content)).encode().ljust(10) + b"`\n" + content + b"\n" * (len(content) % 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
