"""The JSON Schemas in docs/schemas are those of what is written, and tell of every field."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ecgseg import paths

sys.path.insert(0, str(paths.ROOT / "tools"))

import write_schemas


@pytest.mark.parametrize(("path", "text"), list(write_schemas.schemas()), ids=list(write_schemas.RESULTS))
def test_a_schema_is_what_its_tool_writes(path: Path, text: str) -> None:
    assert path.read_text(encoding="utf-8") == text, "run: python tools/write_schemas.py"


@pytest.mark.parametrize("name", write_schemas.RESULTS)
def test_a_schema_tells_what_every_field_is(name: str) -> None:
    schema = json.loads((write_schemas.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    untold = [field for field in schema["properties"] if field not in schema["description"]]
    assert untold == []
