"""The small database that `tools/make_example_database.py` makes, as a user would bring it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from make_example_database import CONFIGURATION, DECLARED, source, write

__all__ = ["CONFIGURATION", "DECLARED", "source", "write"]
