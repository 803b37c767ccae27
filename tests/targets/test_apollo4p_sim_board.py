"""The board's own code on the simulated part: start, clocks, time bases, sleep, pads, faults, watchdog."""

import pytest

from ecgseg.targets.apollo4p_sim.bus import UNIT_HZ
from ecgseg.targets.apollo4p_sim.machine import Machine, SimulationStoppedError
from ecgseg.targets.options import SimulatorOptions
from support.apollo4p_image import Talk, build_probe, machine_of

TIME_CYCLES, TIME_TICKS = 1, 2
POWER_ON, SOFTWARE, WATCHDOG = 1 << 1, 1 << 3, 1 << 6
HARD, BUS, USAGE, WATCHDOG_BITE = 3, 5, 6, 0x100


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    return build_probe(tmp_path_factory.mktemp("probe"))


def _ready(elf, trace_pads=False, **options):
    talk = Talk(machine_of(elf, SimulatorOptions(**options), trace_pads=trace_pads))
    assert talk.line() == "ready"
    return talk


@pytest.mark.parametrize("trim", [0xFFFFFFFF, 2, 4, 6])
def test_every_trim_revision_reaches_192_mhz_and_comes_back(probe, trim):
    talk = _ready(probe, trim=trim)
    assert talk.values("h")["hz"] == 96_000_000
    for hz in (192_000_000, 96_000_000, 192_000_000):
        assert talk.ask("c", hz) == "ok"
        assert talk.values("h")["hz"] == hz


def test_a_clock_that_does_not_exist_is_refused(probe):
    talk = _ready(probe)
    assert talk.ask("c", 48_000_000) == "refused"
    assert talk.values("h")["hz"] == 96_000_000


def test_192_mhz_is_refused_without_the_regulator(probe):
    talk = _ready(probe)
    talk.machine.pwrctrl["VRSTATUS"] = 0
    assert talk.ask("c", 192_000_000) == "refused"
    assert talk.values("h")["hz"] == 96_000_000


def test_192_mhz_is_refused_on_a_part_that_cannot(probe):
    talk = _ready(probe)
    talk.machine.mcuctrl["SKU"] = 0
    assert talk.ask("c", 192_000_000) == "refused"


def test_cycles_are_counted_only_with_a_probe(probe):
    assert _ready(probe).values("h")["base"] == TIME_TICKS
    assert _ready(probe, probe=True).values("h")["base"] == TIME_CYCLES


def test_a_power_on_leaves_no_fault(probe):
    values = _ready(probe).values("h")
    assert values["cause"] == POWER_ON
    assert values["valid"] == 0


def test_an_undefined_instruction_is_told_after_the_restart(probe):
    talk = _ready(probe, deliver_faults=True)
    assert talk.ask("u") == "ready"
    values = talk.values("h")
    assert (values["valid"], values["type"], values["cause"]) == (1, USAGE, SOFTWARE)
    assert values["r0"] == 0x1234
    assert values["cfsr"] == 1 << 16
    code = talk.machine.uc.mem_read(values["pc"], 2)
    assert bytes(code) == bytes.fromhex("00de")  # UDF


def test_a_bus_fault_tells_its_address(probe):
    talk = _ready(probe, deliver_faults=True)
    assert talk.ask("m") == "ready"
    values = talk.values("h")
    assert (values["valid"], values["type"], values["bfar"]) == (1, BUS, 0x30000000)


def test_a_stack_overflow_is_a_bus_fault_below_the_memory(probe):
    talk = _ready(probe, deliver_faults=True)
    assert talk.ask("o") == "ready"
    values = talk.values("h")
    assert (values["valid"], values["type"]) == (1, BUS)
    assert 0x0FFFF000 <= values["bfar"] < 0x10000000


def test_a_fault_is_told_once(probe):
    talk = _ready(probe, deliver_faults=True)
    assert talk.ask("u") == "ready"
    assert talk.values("h")["valid"] == 1
    assert talk.ask("r") == "ready"
    assert talk.values("h")["valid"] == 0


def test_a_hung_program_is_bitten_and_tells_where_it_hung(probe):
    talk = _ready(probe)
    machine = talk.machine
    talk.send("d")
    machine.run(0.01)
    for _ in range(2):  # the bark after 4 s, the bite after 8 s; the seconds in between are skipped
        machine.pass_time(10.0)
        machine.run(0.001)
    assert talk.line() == "ready"
    values = talk.values("h")
    assert (values["valid"], values["type"], values["cause"]) == (1, WATCHDOG_BITE, WATCHDOG)
    assert "hang" in machine.lines.describe(values["pc"]) or "main" in machine.lines.describe(values["pc"])


def test_a_sleeping_program_is_not_bitten(probe):
    talk = _ready(probe)
    talk.machine.run(30.0)
    assert talk.machine.resets == 1
    assert talk.machine.sleeping
    assert talk.values("h")["cause"] == POWER_ON


def test_the_core_sleeps_between_requests(probe):
    talk = _ready(probe)
    talk.machine.run(0.1)
    before = talk.machine.clock.instructions
    talk.machine.run(1.0)
    assert talk.machine.clock.instructions == before


def test_the_power_monitor_sees_the_states_in_order(probe):
    talk = _ready(probe, trace_pads=True)
    assert talk.ask("s") == "ok"
    codes = [code for _, code in talk.machine.pad_trace]
    changes = [code for code, previous in zip(codes[1:], codes, strict=False) if code != previous]
    assert changes == [3, 0]
    times = {code: time for time, code in reversed(talk.machine.pad_trace)}
    assert (talk.machine.pad_trace[-1][0] - times[3]) / UNIT_HZ == pytest.approx(1e-3, rel=0.03)


def test_the_stack_is_painted_and_measured(probe):
    assert 64 < _ready(probe).values("x")["stack"] < 16384


def test_memory_that_is_not_powered_stops_the_simulation_with_a_source_line(probe):
    talk = _ready(probe)
    talk.send("m")
    with pytest.raises(SimulationStoppedError, match=r"address 0x30000000; pc 0x000.*apollo4p_probe.c:\d+"):
        talk.line()


def test_an_unaligned_double_load_stops_as_it_faults_on_the_part(probe):
    talk = _ready(probe)
    assert talk.ask("a", 4) == "ok"
    talk.send("a", 1)
    with pytest.raises(SimulationStoppedError, match=r"not aligned to 4; address 0x000\w{5}; pc 0x"):
        talk.line()
    talk = _ready(probe, deliver_faults=True)
    assert talk.ask("a", 2) == "ready"
    values = talk.values("h")
    assert (values["valid"], values["type"], values["cfsr"]) == (1, USAGE, 1 << 24)


def test_an_image_that_is_none_is_refused():
    with pytest.raises(SimulationStoppedError, match="stack pointer"):
        Machine(b"\xff" * 64).run(0.001)
