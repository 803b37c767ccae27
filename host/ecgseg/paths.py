"""Where things are in the repository."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
MODELS = ROOT / "models"
BUILD = ROOT / "build"
REPORTS = BUILD / "reports"
RUNS = BUILD / "runs"
SHARED_LUDB = ROOT.parent / "shared" / "ludb"
LOCAL_LUDB = ROOT / "data" / "ludb"
SHARED_QTDB = ROOT.parent / "shared" / "qtdb"
LOCAL_QTDB = ROOT / "data" / "qtdb"
# A network unlike the zoo's, with depthwise convolutions and squeeze-and-excite; docs/performance.md shows it too.
HEARTKIT_STYLE = ROOT / "tests" / "vectors" / "heartkit-style.tflite"
