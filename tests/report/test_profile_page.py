"""The page of a profile tells the figures of its result, by layer too."""

from __future__ import annotations

import pytest

from ecgseg.profile.board import BoardProfile, ClockFigures
from ecgseg.report.profile_page import timed_page
from support.report_pages import ORIGIN, pages


def test_a_counted_page_has_every_layer_with_its_share_of_the_largest() -> None:
    page = pages()["profile"]
    assert "84,069" in page
    assert "1,144 bytes" in page
    assert [share in page for share in ("--share: 0.500", "--share: 1.000")] == [True, True]
    assert "125 × 8" in page
    assert ORIGIN.started in page


@pytest.mark.parametrize("with_layers", [False, True])
def test_a_timed_page_has_cycles_at_each_clock_and_layers_when_they_were_asked_for(with_layers: bool) -> None:
    clocks = [
        ClockFigures.model_construct(
            core_hz=1_000_000 * megahertz,
            inference_cycles=369_345,
            preprocess_cycles=47_449,
            inference_range=None,
            inference_ms=3.8,
            preprocess_ms=0.5,
            frame_ms_range=None,
            energy_uj=None,
            average_uw=None,
            duty=0.001,
            duty_range=None,
            layer_cycles=[34_994, 37_516] if with_layers else [],
        )
        for megahertz in (96, 192)
    ]
    profile = BoardProfile.model_construct(
        target="apollo4p",
        quality="measured",
        model="seg-2-tcn-sm",
        tflite_sha256="ab" * 32,
        bin_sha256="cd" * 32,
        fs=100,
        duration=2.5,
        parameters=1700,
        flops=410_000,
        weighted_f1=None,
        arena_bytes=1144,
        stack_bytes=668,
        flash_bytes=27_584,
        layers=["0 CONV_2D", "1 CONV_2D"],
        clocks=clocks,
        calibration=None,
    )
    page = timed_page(profile, ORIGIN)
    assert page.count("inference 369,345, preprocessor 47,449, measured") == 2
    assert ("37,516" in page) == ("By layer" in page) == with_layers
    assert "times measured" in page
