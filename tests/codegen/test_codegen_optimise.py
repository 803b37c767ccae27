"""Kernels are chosen by the table of what each form costs: by cycles, or by flash with code that is shared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecgseg.codegen.costs import costs
from ecgseg.codegen.kernels import Choice, choices_of
from ecgseg.codegen.optimise import PICKS, least_cycles, least_flash, price
from ecgseg.codegen.phases import PhasesLayer
from ecgseg.codegen.trade import settings
from ecgseg.graph.layers import Alias
from ecgseg.graph.load import load_tflite
from ecgseg.graph.lower import lower
from ecgseg.models import find_model, model_names
from ecgseg.paths import HEARTKIT_STYLE


def choices_in(content: bytes) -> list[tuple[Choice, ...]]:
    return [choices_of(layer) for layer in lower(load_tflite(content)).layers if not isinstance(layer, Alias)]


def layer_of(channels: int, pairs: int, parts: int = 1) -> PhasesLayer:
    return PhasesLayer(50, channels, 50, 8, 2, 2, 1, pairs, 0, np.zeros((4, 8), np.uint32), parts)


@pytest.mark.parametrize("pairs", range(1, 5))
def test_every_form_of_every_layer_is_in_the_table_and_fits_how_inputs_are_packed(pairs: int) -> None:
    for channels, form in ((count, form) for count in range(1, 65) for form in layer_of(count, pairs).forms):
        assert f"phases_{form}" in costs().forms
        step = int(form.rsplit("_", 1)[1])
        assert channels % step == 0
        # Everything but rounds of one packs four channels at a time, and would not end otherwise.
        assert step == 1 or channels % 4 == 0


def test_layers_in_parts_have_forms_of_their_own() -> None:
    assert layer_of(64, 2, parts=2).forms == ("2_parts_by_4", "2_parts_by_8")
    assert layer_of(40, 3, parts=2).forms == ("3_parts_by_4",)


def test_the_table_says_what_was_measured_within_a_few_per_cent() -> None:
    for form, found in costs().forms.items():
        for row in found.rows:
            # What a layer's geometry costs in ecgseg_conv the compiler decides, too.
            off = 0.01 if form.startswith("phases") else 0.12
            assert row.expected == pytest.approx(row.cycles, rel=off), (form, row.layer)


@pytest.mark.parametrize("name", model_names())
def test_by_cycles_a_model_is_fastest_and_by_size_smallest(name: str) -> None:
    choices = choices_in(find_model(name).data)
    fast, small = price(least_cycles(choices)), price(least_flash(choices))
    assert fast.cycles < small.cycles
    assert small.flash < fast.flash
    forms = sorted({choice.work.form for layer in choices for choice in layer if choice.work is not None})
    for form in forms:
        # All layers that can run in one form: never better than what was chosen.
        same = [
            next((one for one in layer if one.work is not None and one.work.form == form), layer[0])
            for layer in choices
        ]
        assert price(same).cycles >= fast.cycles
        assert price(same).flash >= small.flash


def test_by_size_shared_code_decides_and_not_each_layer_for_itself() -> None:
    """One layer alone does without the code of a form that many layers together are worth."""
    choices = choices_in(find_model("seg-4-tcn-sm").data)
    several = [layer for layer in choices if len(layer) > 1]
    alone = least_flash(several[:1])
    assert price(alone).flash == min(price([one]).flash for one in several[0])
    together = least_flash(several)
    for form in {one.work.form for one in several[0] if one.work is not None}:
        same = [one for layer in several for one in layer if one.work is not None and one.work.form == form]
        assert price(together).flash <= price(same).flash


def test_many_forms_are_given_up_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    choices = choices_in(find_model("seg-4-tcn-lg").data)
    exact = price(least_flash(choices))
    monkeypatch.setattr("ecgseg.codegen.optimise._MOST_FORMS", 0)
    assert price(least_flash(choices)) == exact


def test_a_kernel_without_a_place_in_the_table_costs_its_constants_alone() -> None:
    (layer,) = (layer for layer in choices_in(find_model("seg-2-tcn-sm").data)[:1])
    unknown = [replace(one, work=None) for one in layer]
    assert price(unknown).cycles == 0
    assert least_cycles([unknown]) == [unknown[0]]
    assert least_flash([unknown]) == [unknown[0]]


def test_settings_are_those_of_the_option() -> None:
    found = settings(HEARTKIT_STYLE)
    assert [setting.name for setting in found] == list(PICKS)
    assert all(setting.arena_bytes > 0 for setting in found)
    assert found[0].cycles <= found[1].cycles
    assert found[1].flash <= found[0].flash
