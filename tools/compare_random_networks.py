"""The long run: random networks, every tensor of native code, Cortex-M4 code and numpy interpreter against TFLM.

    python tools/compare_random_networks.py --count 2000 --json build/random-networks.json
    python tools/compare_random_networks.py --all-kinds --count 200
    python tools/compare_random_networks.py --streams --count 1000

A seed draws from the operators that there were first, so that it stays what it was; with --all-kinds from all of them.
With --streams the networks are such as run as a stream, over records of several lengths in chunks of any size; a
record that differs is looked at layer by layer.

Stops at nothing: every network that differs is listed with its seed, and the exit code is 1 when there is one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "host"), str(ROOT / "tests")]

from ecgseg.errors import GraphError  # noqa: E402
from ecgseg.output import write_text  # noqa: E402
from support import engine_harness as harness  # noqa: E402
from support import stream_harness as streams  # noqa: E402
from support.random_network import KINDS  # noqa: E402
from support.random_network.streamable import StreamableNetwork  # noqa: E402


def compare(seed: int, folder: Path, names: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """(names of the layers, differences) of one network; the name of a streamed layer says so."""
    model = harness.random_model(seed, folder, names)
    inputs = harness.draw_inputs(model, 4, seed)
    expected = harness.truth(model, inputs)
    found = [f"interpreter: {line}" for line in harness.interpreter_differences(model, inputs, expected)]
    found += [f"native: {line}" for line in harness.differences(model, harness.run_native(model, inputs), expected)]
    found += [f"m4: {line}" for line in harness.differences(model, harness.run_m4(model, inputs), expected)]
    return [f"{layer.name}, streamed" if layer.streamed else layer.name for layer in model.manifest.layers], found


def compare_stream(seed: int, folder: Path, *, all_kinds: bool) -> tuple[list[str], list[str]]:
    """(names of the layers, differences) of one network that runs as a stream."""
    network = StreamableNetwork(seed, operators=9, all_kinds=all_kinds)
    model = streams.rendered_stream(network.content, folder, network.stream.block)
    records = streams.draw_records(model, streams.lengths_of(model), seed)
    found = [f"native: {line}" for line in streams.differences(model, records, streams.run_native(model, records))]
    found += [f"m4: {line}" for line in streams.differences(model, records, streams.run_m4(model, records))]
    return [f"{layer.name}, {layer.kernel}" for layer in model.manifest.layers], found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=10_000, help="seed of the first network")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--all-kinds", action="store_true", help="draw from all operators, not from the first ones")
    parser.add_argument("--streams", action="store_true", help="networks that run as a stream")
    options = parser.parse_args()
    layers: Counter[str] = Counter()
    failures: dict[int, list[str]] = {}
    refused: dict[int, str] = {}
    for done, seed in enumerate(range(options.first, options.first + options.count), start=1):
        folder = Path(tempfile.mkdtemp(prefix="network-"))
        try:
            kinds = KINDS if options.all_kinds else None
            if options.streams:
                names, found = compare_stream(seed, folder, all_kinds=options.all_kinds)
            else:
                names, found = compare(seed, folder, kinds)
            layers.update(names)
        except GraphError as error:  # a draw outside of what the generator takes: told, not compared
            found, refused[seed] = [], str(error)
        except Exception as error:  # whatever it is belongs to this seed
            found = [f"{type(error).__name__}: {error}"[:2000]]
        shutil.rmtree(folder)
        if found:
            failures[seed] = found
            print(f"seed {seed}: {found[0]}", flush=True)
        if done % 50 == 0:
            print(f"{done} networks, {len(failures)} differ", flush=True)
        if options.json:
            result = {
                "networks": done - len(refused),
                "refused": refused,
                "first": options.first,
                "layers": dict(sorted(layers.items())),
                "failures": failures,
            }
            write_text(options.json, json.dumps(result, indent=2))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
