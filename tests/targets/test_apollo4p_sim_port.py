"""The board's port at its highest rate, under load, under a flood, with breaks and framing errors (simulated time)."""

import pytest

from support.apollo4p_image import Talk, build_probe, machine_of

MAX_BAUD = 1_500_000
RING = 16384
FRAMING_ERROR, BREAK = 1 << 8, 1 << 8 | 1 << 10


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    return build_probe(tmp_path_factory.mktemp("probe"))


@pytest.fixture
def talk(probe):
    found = Talk(machine_of(probe))
    assert found.line() == "ready"
    return found


def _at_max_baud(talk):
    assert talk.ask("b", MAX_BAUD) == "ok"
    talk.machine.run(0.01)
    assert talk.machine.uart.baud == MAX_BAUD


def _sum(data):
    value = 0
    for byte in data:
        value = (value * 31 + byte) & 0xFFFFFFFF
    return value


@pytest.mark.parametrize("hz", [96_000_000, 192_000_000])
def test_no_byte_is_lost_at_the_highest_rate_while_the_core_works(talk, hz):
    assert talk.ask("c", hz) == "ok"
    _at_max_baud(talk)
    data = bytes(7 * n & 0xFF for n in range(4000))
    assert talk.ask("w", len(data), 30) == "go"  # 4000 bytes take 26.7 ms
    talk.machine.wire.incoming.extend(data)
    values = dict(part.split("=") for part in talk.line(0.2).split())
    assert int(values["got"], 16) == len(data)
    assert int(values["sum"], 16) == _sum(data)
    assert talk.values("x")["overruns"] == 0
    assert talk.machine.wire.lost == 0


@pytest.mark.slow
def test_a_flood_is_survived_and_its_losses_counted(talk):
    _at_max_baud(talk)
    sent = RING + 600
    # They take 113 ms from when the line is seen, which may be a slice of execution after the core wrote it.
    assert talk.ask("w", sent, 150) == "go"
    talk.machine.wire.incoming.extend(bytes(sent))
    values = dict(part.split("=") for part in talk.line(0.4).split())
    assert int(values["got"], 16) == RING
    assert talk.values("x")["overruns"] == sent - RING
    assert talk.ask("s") == "ok"


def test_a_break_is_counted_and_no_byte(talk):
    talk.machine.wire.incoming.append(BREAK)
    values = talk.values("x")
    assert (values["breaks"], values["framing"], values["overruns"]) == (1, 0, 0)


def test_framing_errors_are_counted_and_no_bytes(talk):
    talk.machine.wire.incoming.extend([ord("s") | FRAMING_ERROR] * 3)
    values = talk.values("x")
    assert (values["framing"], values["breaks"]) == (3, 0)
    assert talk.ask("s") == "ok"


def test_a_host_at_another_rate_is_heard_as_framing_errors(talk):
    talk.machine.wire.baud = 9600
    talk.send("hhhh")
    talk.machine.run(0.05)
    talk.machine.wire.baud = 115200
    assert talk.values("x")["framing"] == 4


@pytest.mark.parametrize("baud", [9600, 115_200, 230_400, 460_800, 921_600, 1_000_000, 1_500_000])
def test_every_rate_of_the_sheet_is_met(talk, baud):
    assert talk.ask("b", baud) == "ok"
    talk.machine.run(0.02)
    assert talk.machine.uart.baud == pytest.approx(baud, rel=0.002)
    talk.machine.wire.baud = baud
    assert talk.ask("s") == "ok"
