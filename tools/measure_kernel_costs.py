"""Measures what each form of a convolution's kernel costs and writes the table by which the generator chooses.

    python tools/measure_kernel_costs.py            # all forms; minutes
    python tools/measure_kernel_costs.py --form phases_2_of_16 --form conv_taps_brief --show

Every form runs on a small grid of layers, each as a model of its own, on the core of the simulated Apollo4 Plus
(expected case). To the cycles a sum over the counts of `ecgseg.codegen.work` is fitted, exactly and with the same
relative weight for every layer; bytes of code are those of the linked images. The table
(host/ecgseg/codegen/kernel_costs.json) is the same to the byte when nothing has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "host"), str(ROOT / "tools"), str(ROOT / "tests")]

from cost_grid import CONV, PHASES, Shape, model_of, shapes_of  # noqa: E402

from ecgseg import __version__  # noqa: E402
from ecgseg.codegen.costs import TABLE, CostRow, CostTable, FormCosts  # noqa: E402
from ecgseg.codegen.kernels import Choice  # noqa: E402
from ecgseg.codegen.manifest import Manifest  # noqa: E402
from ecgseg.codegen.names import ModelNames  # noqa: E402
from ecgseg.codegen.optimise import Choices, Pick  # noqa: E402
from ecgseg.codegen.render import render  # noqa: E402
from ecgseg.errors import EcgsegError, ModelError  # noqa: E402
from ecgseg.image.boards import APOLLO4P_EVB, board_of  # noqa: E402
from ecgseg.image.programs import ENGINE_PART, files_in  # noqa: E402
from ecgseg.image.sizes import symbols  # noqa: E402
from ecgseg.image.toolchain import find_tool, version  # noqa: E402
from ecgseg.output import write_text  # noqa: E402
from ecgseg.targets.apollo4p_sim.alone import FREE_START, LoneCore  # noqa: E402
from support.drivers import Compiler  # noqa: E402

NOTE = (
    "Written by tools/measure_kernel_costs.py, not edited by hand; docs/architecture.md explains it.",
    "cycles: modelled by the simulator's core, expected case, code in the cache, of a layer as a model of its own.",
    "expected: the sum of coefficients times counts. own, code: bytes of flash.",
)
KERNELS = ("ecgseg_phases.c", "ecgseg_phases_forms.c", "ecgseg_phases_tile.h", "ecgseg_conv_core.c")
HEADERS = ("ecgseg_phases.h", "ecgseg_conv.h", "ecgseg_conv_core.h", "ecgseg_window.h", "ecgseg_fixed.h")
DIGITS = 3


@dataclass(frozen=True)
class Measured:
    """A layer that was run.

    Attributes:
        layer: in words.
        counts: of its work.
        cycles: modelled.
    """

    layer: str
    counts: tuple[int, ...]
    cycles: int


@dataclass(frozen=True)
class Rendered:
    """A layer as C.

    Attributes:
        names: of its model.
        manifest: of it.
        chosen: its kernel.
    """

    names: ModelNames
    manifest: Manifest
    chosen: Choice


def sources_hash() -> str:
    """SHA-256 over what the cycles come from."""
    engine = ENGINE_PART.source_dir
    files = [*(engine / name for name in KERNELS), *(ENGINE_PART.include_dir / name for name in HEADERS)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def compiler_used() -> str:
    """First line of what the compiler says about its version."""
    return version(find_tool(board_of(APOLLO4P_EVB), "gcc"))


def in_form(form: str, found: list[Choice]) -> Pick:
    """Picks the kernel of a form, and leaves it in `found`."""

    def pick(choices: Choices) -> list[Choice]:
        ((*several,),) = choices
        chosen = next((one for one in several if one.work is not None and one.work.form == form), None)
        if chosen is None:
            known = ", ".join(one.work.form for one in several if one.work is not None)
            raise ModelError(f"A layer of the grid cannot run as {form}.", f"It runs as {known}.", "Correct the grid.")
        found.append(chosen)
        return [chosen]

    return pick


def render_all(form: str, shapes: Sequence[Shape], folder: Path) -> list[Rendered]:
    """Renders the layers of a form, each under a prefix of its own."""
    rendered = []
    for number, shape in enumerate(shapes):
        names, found = ModelNames(f"row{number}"), list[Choice]()
        manifest = render(model_of(shape), folder, name=form, pick=in_form(form, found), prefix=names.prefix)
        rendered.append(Rendered(names, manifest, found[0]))
    return rendered


def link(rendered: Sequence[Rendered], folder: Path) -> Path:
    """An image with all layers of a form."""
    board = board_of(APOLLO4P_EVB)
    heads = "".join(f'#include "{one.names.header}"\n' for one in rendered)
    calls = "".join(f"    (void){one.names.prefix}_model_run(place, place);\n" for one in rendered)
    main = folder / "main.c"
    write_text(
        main, f"{heads}int main(void);\nint main(void)\n{{\n    static int8_t place[4];\n{calls}    return 0;\n}}\n"
    )
    compiler = Compiler(board, (ENGINE_PART.include_dir, *board.include_dirs, folder))
    sources = [*files_in(board.folders, "*.c"), *files_in([ENGINE_PART.source_dir], "*.c")]
    return compiler.link([main, *(folder / one.names.source for one in rendered), *sources], folder / "grid.elf")


def measure(form: str) -> FormCosts:
    """Runs the grid of a form and fits its costs.

    Raises:
        EcgsegError: a layer of the grid cannot be rendered in the form, or does not build or run.
    """
    with tempfile.TemporaryDirectory(prefix="ecgseg-costs-") as temporary:
        folder, shapes = Path(temporary), shapes_of(form)
        rendered = render_all(form, shapes, folder)
        elf = link(rendered, folder)
        rows = [run_row(LoneCore(elf), one, shape.words) for one, shape in zip(rendered, shapes, strict=True)]
        return costs_of(rows, *code_of(elf, len(rows)))


def run_row(core: LoneCore, one: Rendered, words: str) -> Measured:
    """Runs a layer, its code in the cache."""
    size = math.prod(one.manifest.input_shape)
    core.write(FREE_START, (np.arange(size) * 37).astype(np.int8).tobytes())
    arguments = (FREE_START, FREE_START + -(-size // 4) * 4)
    core.call(f"{one.names.prefix}_model_run", *arguments)
    called = core.call(f"{one.names.prefix}_model_run", *arguments)
    assert one.chosen.work is not None
    return Measured(words, one.chosen.work.counts, called.cycles)


def code_of(elf: Path, layers: int) -> tuple[int, dict[str, int]]:
    """(bytes that each layer adds besides its constants, bytes of the engine's symbols that all of them share)."""
    found = [symbol for symbol in symbols(elf) if symbol.size]
    own = sum(symbol.size for symbol in found if symbol.name in ("layer0_run", "layer0"))
    names = ("ecgseg_phases", "ecgseg_conv_", "tile_", "part_", "pack_", "finish_parts")
    return round(own / layers), dict(sorted((s.name, s.size) for s in found if s.name.startswith(names)))


def costs_of(rows: Sequence[Measured], own: int, code: dict[str, int]) -> FormCosts:
    """Fits a form's costs to what was measured."""
    coefficients = fit([row.counts for row in rows], [row.cycles for row in rows])
    costs = FormCosts(coefficients=coefficients, own=own, code=code, rows=[])
    for row in rows:
        expected = max(round(sum(c * n for c, n in zip(coefficients, row.counts, strict=True))), 0)
        costs.rows.append(CostRow(layer=row.layer, counts=list(row.counts), cycles=row.cycles, expected=expected))
    return costs


def fit(counts: Sequence[Sequence[int]], cycles: Sequence[int]) -> list[float]:
    """Coefficients with the least sum of squared relative errors, in exact arithmetic.

    Raises:
        ModelError: the grid does not tell the counts apart.
    """
    rows = [[Fraction(count, total) for count in line] for line, total in zip(counts, cycles, strict=True)]
    size = len(rows[0])
    # Normal equations, the right side last.
    lines = [[_sum(row[i] * row[j] for row in rows) for j in range(size)] for i in range(size)]
    for i, line in enumerate(lines):
        line.append(_sum(row[i] for row in rows))
    for column in range(size):
        _eliminate(lines, column)
    return [round(float(line[-1] / line[i]), DIGITS) for i, line in enumerate(lines)]


def _sum(values: Iterable[Fraction]) -> Fraction:
    return sum(values, Fraction())


def _eliminate(lines: list[list[Fraction]], column: int) -> None:
    """Clears a column of every line but the one of the same number."""
    pivot = next((number for number in range(column, len(lines)) if lines[number][column]), None)
    if pivot is None:
        raise ModelError("A grid does not tell its counts apart.", f"Count {column} follows from others.", "Widen it.")
    lines[column], lines[pivot] = lines[pivot], lines[column]
    for number, line in enumerate(lines):
        if number != column:
            factor = line[column] / lines[column][column]
            lines[number] = [a - factor * b for a, b in zip(line, lines[column], strict=True)]


def show(form: str, costs: FormCosts) -> None:
    """Prints how far the fit is off."""
    errors = [row.expected / row.cycles - 1 for row in costs.rows]
    worst = max(errors, key=abs)
    print(
        f"{form}: {len(costs.rows)} layers, largest error {100 * worst:+.1f} %, own {costs.own} B, "
        f"code {sum(costs.code.values())} B, {costs.coefficients}",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--form", choices=(*PHASES, *CONV), action="append", help="by default all")
    parser.add_argument("--show", action="store_true", help="write nothing")
    options = parser.parse_args()
    try:
        found = {}
        for form in options.form or (*PHASES, *CONV):
            found[form] = measure(form)
            show(form, found[form])
    except EcgsegError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if not options.show:
        kept = {} if options.form is None else json.loads(TABLE.read_text(encoding="utf-8"))["forms"]
        write_table({**{form: FormCosts.model_validate(costs) for form, costs in kept.items()}, **found})
    return 0


def write_table(forms: dict[str, FormCosts]) -> None:
    """Writes the table, one row of the grid a line."""
    table = CostTable(
        note=list(NOTE),
        generator_version=__version__,
        sources=sources_hash(),
        compiler=compiler_used(),
        forms={form: forms[form] for form in (*PHASES, *CONV) if form in forms},
    )
    write_text(TABLE, table_text(table))


def table_text(table: CostTable) -> str:
    """The table as it is written."""
    head = table.model_dump(mode="json", exclude={"forms"})
    lines = [
        f"  {json.dumps(key)}: {json.dumps(value, indent=2)},".replace("\n", "\n  ") for key, value in head.items()
    ]
    forms = [_form_text(form, costs) for form, costs in table.forms.items()]
    body = ",\n".join(forms)
    return "{\n" + "\n".join(lines) + '\n  "forms": {\n' + body + "\n  }\n}\n"


def _form_text(form: str, costs: FormCosts) -> str:
    rows = []
    for row in costs.rows:
        found = row.model_dump()
        rows.append(f'        {{"layer": {json.dumps(found.pop("layer"))},\n         {json.dumps(found)[1:]}')
    code = ",\n".join(f"        {json.dumps(name)}: {size}" for name, size in costs.code.items())
    head = f'      "coefficients": {json.dumps(costs.coefficients)},\n      "own": {costs.own},\n'
    body = f'{head}      "code": {{\n{code}\n      }},\n      "rows": [\n' + ",\n".join(rows) + "\n      ]"
    return f"    {json.dumps(form)}: {{\n{body}\n    }}"


if __name__ == "__main__":
    sys.exit(main())
