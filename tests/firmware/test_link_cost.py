"""The link's modelled cycles on the Apollo4 Plus: within budget, every cycle counted once, the same every time."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ecgseg.image.backends import generate
from ecgseg.image.boards import APOLLO4P_EVB
from ecgseg.image.build import Image, build
from ecgseg.link.messages import BY_COMMAND
from ecgseg.link.numbers import Command
from ecgseg.models import find_model
from support.drivers import HAS_ARM_COMPILER

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from measure_link import CHUNK, CRC, LINK, RECEIVED, SENT, STREAM, Bench, LinkCost, made_up_signal, measure, table

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not HAS_ARM_COMPILER, reason="needs arm-none-eabi-gcc"),
]
# Cycles a byte, everything between the wire and the samples. Where code lies moves them by a cycle or two.
RECEIVED_BUDGET, SENT_BUDGET = 70, 47
STREAM_BUDGET = 265_000  # cycles of a frame at hop 250, with all requests of a HIL test
FRAMES = 4


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp("image")
    return build(APOLLO4P_EVB, generate(find_model()), out_dir=folder)


@pytest.fixture(scope="module")
def costs(image: Image) -> dict[str, LinkCost]:
    return measure(image, made_up_signal(15.0), FRAMES)


def test_a_byte_stays_within_its_budget(costs: dict[str, LinkCost]) -> None:
    received, sent = costs[RECEIVED], costs[SENT]
    assert received.link_cycles / received.received <= RECEIVED_BUDGET
    assert sent.link_cycles / sent.sent <= SENT_BUDGET
    assert costs[STREAM].link_cycles / FRAMES <= STREAM_BUDGET


def test_the_traffic_is_what_the_figures_say(costs: dict[str, LinkCost]) -> None:
    push = BY_COMMAND[Command.PUSH]
    assert costs[RECEIVED].received > 2 * (2 * CHUNK + push.smallest - 2)
    assert 6 * 250 < costs[SENT].sent < 6 * 250 + 100  # input, mask and four scores a sample
    assert costs[STREAM].received > FRAMES * 2 * 250 * 5
    for cost in costs.values():
        assert all(cost.cycles[part] > 0 for part in LINK)
    # One look-up in a table for every byte, and a word at a time.
    assert costs[RECEIVED].cycles[CRC] < 8 * costs[RECEIVED].received
    assert f"{costs[RECEIVED].link_cycles / costs[RECEIVED].received:.1f}" in table(costs, FRAMES)


def test_every_cycle_of_the_core_is_counted_once_and_comes_again(image: Image) -> None:
    found = []
    for _ in range(2):
        bench = Bench(image)
        bench.hello()
        found.append(bench.cost())
        assert sum(found[-1].cycles.values()) == bench.cycles
    assert found[0] == found[1]
