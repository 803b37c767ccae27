"""The table of what kernels cost is what its tool measures and writes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "tools"))

import measure_kernel_costs as tool
from cost_grid import CONV, PHASES, shapes_of

from ecgseg.codegen.costs import TABLE, costs
from ecgseg.errors import ModelError
from support.drivers import HAS_ARM_COMPILER


def test_the_table_is_as_its_tool_writes_it() -> None:
    assert tool.table_text(costs()) == TABLE.read_text(encoding="utf-8")
    assert tuple(costs().forms) == (*PHASES, *CONV)


def test_costs_that_are_a_sum_over_counts_are_found_exactly() -> None:
    counts = [(1, 2, 3), (1, 5, 2), (1, 9, 9), (1, 1, 8)]
    cycles = [100 * one + 20 * two + 3 * three for one, two, three in counts]
    assert tool.fit(counts, cycles) == [100.0, 20.0, 3.0]


def test_a_grid_that_does_not_tell_its_counts_apart_is_refused() -> None:
    with pytest.raises(ModelError, match="does not tell its counts apart"):
        tool.fit([(1, 2), (2, 4), (3, 6)], [10, 20, 30])


def test_the_grid_is_the_same_every_time() -> None:
    assert shapes_of("phases_2_by_4") == shapes_of("phases_2_by_4")
    assert shapes_of("phases_2_by_4") != shapes_of("phases_3_by_4")


@pytest.mark.slow
@pytest.mark.skipif(not HAS_ARM_COMPILER, reason="needs arm-none-eabi-gcc")
@pytest.mark.parametrize("form", ["phases_2_of_16", "phases_3_by_4", "phases_1_parts_by_8", "conv_pointwise_brief"])
def test_measured_again_a_form_costs_what_the_table_says(form: str) -> None:
    if costs().compiler != tool.compiler_used():
        pytest.skip("the table is of another compiler")
    assert costs().sources == tool.sources_hash(), "run tools/measure_kernel_costs.py: the kernels have changed"
    assert tool.measure(form) == costs().forms[form]
