"""Writes docs/schemas: the JSON Schema of what `--json` of `segment`, `hil-test`, `soak` and `doctor` writes.

python tools/write_schemas.py
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "host"))

from pydantic import BaseModel

from ecgseg import paths
from ecgseg.doctor.findings import Checkup
from ecgseg.hil.result import HilResult
from ecgseg.hil.rig.result import RigResult
from ecgseg.hil.soak.result import SoakResult
from ecgseg.hil.stream_result import StreamResult
from ecgseg.output import write_text
from ecgseg.runs.compare import RunComparison
from ecgseg.runs.folder import RunAbout
from ecgseg.segment.result import SegmentResult

FOLDER = paths.ROOT / "docs" / "schemas"
RESULTS: dict[str, type[BaseModel]] = {
    "segment": SegmentResult,
    "hil-test": HilResult,
    "hil-test-stream": StreamResult,
    "hil-test-rig": RigResult,
    "soak": SoakResult,
    "doctor": Checkup,
    "run": RunAbout,
    "compare": RunComparison,
}


def schemas() -> Iterator[tuple[Path, str]]:
    """Files and what is in them."""
    for name, result in RESULTS.items():
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | result.model_json_schema()
        yield FOLDER / f"{name}.json", json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Writes them all."""
    for path, text in schemas():
        write_text(path, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
