"""Scores settings of the segment rules on LUDB's validation patients, for both four-class models.

    python tools/choose_segment_rules.py

Prints the settings by their mean F1 of onsets and offsets, the best first. What is chosen stands in
`SegmentRules.for_classes` (host/ecgseg/pipeline/parameters.py).
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "host"))

from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from ecgseg.data.databases.ludb import find_ludb, load_records, split  # noqa: E402
from ecgseg.models import find_model  # noqa: E402
from ecgseg.pipeline import SegmentRules, assemble, class_mask, whole_record  # noqa: E402
from ecgseg.pipeline.segmenter import Segmenter  # noqa: E402
from ecgseg.scoring.metrics import FiducialScorer  # noqa: E402

MODELS = ("seg-4-tcn-sm", "seg-4-tcn-lg")
# In samples of 10 ms: no longer than the shortest wave of an adult.
SHORTEST_P_AND_QRS = (3, 4, 5)
SHORTEST_T = (4, 5, 6, 7, 8)
LONGEST_GAP = (0, 1, 2, 3, 4, 5, 6, 8)
SHOWN = 12


def main() -> int:
    folder = find_ludb(None)
    if folder is None:
        sys.exit("LUDB is needed: run `invoke data`.")
    records = load_records(folder, split()["val"])
    masks = {}
    for name in MODELS:
        segmenter = Segmenter(find_model(name).data)
        parameters = segmenter.require_parameters()
        masks[name] = [
            [class_mask(segmenter.scores(frame), frame) for frame in whole_record(record.samples, parameters)]
            for record in records
        ]
    results = []
    for short, t_wave, gap in itertools.product(SHORTEST_P_AND_QRS, SHORTEST_T, LONGEST_GAP):
        rules = SegmentRules((0, short, short, t_wave), gap)
        points = []
        for name in MODELS:
            scorer = FiducialScorer(4)
            for record, parts in zip(records, masks[name], strict=True):
                length = parameters.samples_of(record.samples.size)
                scorer.add(record, assemble(parts, length, rules).segments)
            points.append([score.f1 for score in scorer.scores().values()])
        results.append((sum(map(sum, points)) / sum(map(len, points)), short, t_wave, gap, points))
    table = Table(title="Mean F1 of onsets and offsets, validation patients", title_justify="left")
    for column in ("P, QRS from", "T from", "gap to", "mean F1", *MODELS):
        table.add_column(column, justify="right")
    for mean, short, t_wave, gap, points in sorted(results, key=lambda result: (-result[0], result[1:4]))[:SHOWN]:
        each = [f"{sum(part) / len(part):.5f}" for part in points]
        table.add_row(f"{10 * short} ms", f"{10 * t_wave} ms", f"{10 * gap} ms", f"{mean:.5f}", *each)
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
