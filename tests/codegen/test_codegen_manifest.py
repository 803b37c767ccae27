"""The manifest beside rendered C: whoever reads a damaged one, of either backend, gets one message."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from ecgseg.codegen.manifest import FILE, read_manifest
from ecgseg.codegen.render import render
from ecgseg.errors import ModelError
from ecgseg.hil.identity import Known
from ecgseg.image.boards import HOST
from ecgseg.image.tflm import Tree, build_tflm
from support.small_models import segmenter

READERS: dict[str, Callable[[Path], object]] = {
    "read_manifest": read_manifest,
    "hil-test": lambda folder: Known.of(folder, board=HOST, build_id="0", backend="tflm"),
    "backend tflm": lambda folder: build_tflm(HOST, folder, segmenter(2), cast(Tree, None)),
}
DAMAGED: dict[str, Callable[[bytes], bytes | None]] = {
    "missing": lambda _: None,
    "empty": lambda _: b"",
    "cut": lambda data: data[:-2],
    "no object": lambda _: b"[]",
    "no text": lambda _: b"\xff\xfe\x00",
    "without layers": lambda data: json.dumps({**json.loads(data), "layers": None}).encode(),
    "text for a number": lambda data: json.dumps({**json.loads(data), "macs": "many"}).encode(),
    "without end": lambda data: data + b" " * (2 << 20),
    "deep": lambda _: b"[" * 100_000,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_manifest_is_one_message(tmp_path: Path, damage: str, reader: str) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(segmenter(2))
    render(path, tmp_path, name="model")
    whole = (tmp_path / FILE).read_bytes()
    content = DAMAGED[damage](whole)
    (tmp_path / FILE).unlink()
    if content is not None:
        (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ModelError, match=r"cannot be read \(manifest\.json\)") as caught:
        READERS[reader](tmp_path)
    assert caught.value.why
    assert caught.value.remedy == "Render the model again."
