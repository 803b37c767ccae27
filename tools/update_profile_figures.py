"""Writes the committed figures of the zoo's models and shows what changed: cycles, instructions, memory, flash.

python tools/update_profile_figures.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "host"))

from ecgseg import paths  # noqa: E402
from ecgseg.models import model_names  # noqa: E402
from ecgseg.output import write_text  # noqa: E402
from ecgseg.profile import profile_model  # noqa: E402
from ecgseg.profile.cycles import modelled_inference  # noqa: E402

FIGURES = ROOT / "tests" / "firmware" / "profile_figures.json"
KEYS = (
    "modelled_cycles_per_frame",
    "instructions_per_frame",
    "preprocess_instructions_per_frame",
    "arena_bytes",
    "stack_bytes",
    "flash_bytes",
)


def main() -> int:
    """Count, compare, write."""
    before = json.loads(FIGURES.read_text()) if FIGURES.is_file() else {}
    figures: dict[str, object] = {}
    for name in model_names():
        tflite = paths.MODELS / name / "model.tflite"
        profile = profile_model(tflite, name)
        figures["compiler"] = profile.compiler
        found = {KEYS[0]: modelled_inference(tflite).cycles, **{key: int(getattr(profile, key)) for key in KEYS[1:]}}
        old = before.get(name, {})
        changes = ", ".join(f"{key} {old.get(key, 0)} -> {found[key]}" for key in KEYS if found[key] != old.get(key))
        print(f"{name}: {changes or 'unchanged'}")
        figures[name] = {"sha256": profile.sha256, **found}
    write_text(FIGURES, json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
