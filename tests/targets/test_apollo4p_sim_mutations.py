"""One changed bit or one missing step in the board's code is found by the simulator.

Each case changes one place of the sources against docs/apollo4p-facts.md, builds the probe program and puts it through
the same short life: start, 192 MHz, sleep, answer, restart.
"""

import pytest

from ecgseg.targets.apollo4p_sim.machine import SimulationStoppedError
from support.apollo4p_image import Talk, build_probe, machine_of

_SILENT = "no line within"
_REGISTERS = "apollo4p_registers.h"
_CORE_REGISTERS = "cortex_m_registers.h"

MUTATIONS = [
    ("pad of UART0TX", _REGISTERS, "PAD_UART0_TX 60u", "PAD_UART0_TX 61u", "pad 61 has no function 4"),
    ("function of UART0TX", _REGISTERS, "0x404u", "0x405u", "pad 60 has no function 5"),
    ("function of UART0RX", _REGISTERS, "0x014u", "0x015u", "pad 47 has no function 5"),
    ("drive of an LED", _REGISTERS, "0x203u", "0x303u", "needs OUTCFG 2"),
    ("output of a monitor pad", _REGISTERS, "0x103u", "0x003u", "needs OUTCFG 1"),
    ("input buffer of the go pad", _REGISTERS, "0x013u", "0x003u", "needs INPEN"),
    ("key of the pads", _REGISTERS, "GPIO_PADKEY_UNLOCK 0x73u", "GPIO_PADKEY_UNLOCK 0x72u", "PADKEY is neither"),
    ("missing key", "pads.c", "GPIO_PADKEY = GPIO_PADKEY_UNLOCK;", "", "while PADKEY is not 0x73"),
    ("UART divisor", "uart.c", "UART_CLOCK_HZ * 4u", "UART_CLOCK_HZ * 5u", _SILENT),
    ("UART clock", _REGISTERS, "CLKSEL_24MHZ (1u << 4)", "CLKSEL_24MHZ (1u << 5)", _SILENT),
    ("FIFO enable", _REGISTERS, "0x70u", "0x60u", "not 8N1 with FIFOs"),
    ("power bit of UART0", _REGISTERS, "DEVPWR_UART0 (1u << 9)", "DEVPWR_UART0 (1u << 10)", "not powered"),
    ("missing power-up", "power.c", "PWRCTRL_DEVPWREN |= mask;", "", _SILENT),
    ("missing poll of the power", "power.c", "a4p_wait(&PWRCTRL_DEVPWRSTATUS, mask, mask, 100u)", "true",
     "not powered, or not yet"),
    ("interrupt number", _REGISTERS, "IRQ_UART0 15u", "IRQ_UART0 14u", _SILENT),
    ("watchdog key", _REGISTERS, "0xB2u", "0xB3u", "wrong key for RSTRT"),
    ("reset key", _CORE_REGISTERS, "0x05FA0004u", "0x05FB0004u", "wrong key for AIRCR"),
    ("brown-out reset", _REGISTERS, "RSTGEN_CFG_WDREN (1u << 1)", "RSTGEN_CFG_WDREN (1u << 0)", "BODHREN"),
    ("address of the reset causes", _REGISTERS, "0x4000885Cu", "0x4000085Cu", "knows no register here"),
    ("MRAM power", _REGISTERS, "PWRCTRL_MEMPWREN_ALL 0x3Fu", "PWRCTRL_MEMPWREN_ALL 0x37u",
     "switches off TCM or MRAM"),
    ("clock gates", _REGISTERS, "0x00FC0000u", "0x00FE0000u", "describes no bits 0x00020000"),
    ("cache configuration", _REGISTERS, "0x001007E0u", "0x001007F0u", "cache configuration F"),
    ("missing invalidate", "power.c", "CPU_CACHECTRL = CPU_CACHECTRL_INVALIDATE;", "", "not invalidated"),
    ("missing flush", "power.c", "    a4p_flush_writes();\n    CPU_DAXICFG", "    CPU_DAXICFG", "without flush"),
    ("missing flush before WFI", "board.c", "a4p_flush_writes();", "", "WFI without flushing"),
    ("regulator trim", "power.c", "(0xFu << 22) | (0xFu << 9));\n    MCUCTRL_PWRSW1",
     "(0xEu << 22) | (0xFu << 9));\n    MCUCTRL_PWRSW1", "SIMOBUCK8[25:22] is 0xE"),
    ("order of the overrides", "power.c", "{17u, 18u, 19u, 16u}", "{16u, 17u, 18u, 19u}", "the override comes last"),
    ("bit of the regulator", _REGISTERS, "SIMOBUCKEN (1u << 0)", "SIMOBUCKEN (1u << 1)",
     "describes no bits 0x00000002"),
    ("missing poll of the mode", "power.c",
     "!a4p_wait(&PWRCTRL_MCUPERFREQ, PWRCTRL_MCUPERF_ACK, PWRCTRL_MCUPERF_ACK, 1000u)", "false",
     "poll the acknowledge bit"),
    ("timer without its toggle", "timer.c", "TIMER0_CTRL |= TIMER0_CTRL_CLR;", "", "without the CLR toggle"),
    ("FPU access", _CORE_REGISTERS, "0x00F00000u", "0x00E00000u", "FPU instruction before CPACR"),
]  # fmt: skip


def _live(talk: Talk) -> None:
    """What the board is used for, at the rate that the host has set."""
    talk.machine.wire.baud = 115200
    assert talk.line() == "ready", "no line within: not the program's first line"
    assert talk.ask("c", 192_000_000) == "ok", "192 MHz is refused"
    assert talk.values("h")["hz"] == 192_000_000
    assert talk.ask("s") == "ok"
    talk.send("r")
    assert talk.line() == "ready"
    talk.machine.run(0.01)


def test_the_unchanged_board_lives_through_it(tmp_path):
    _live(Talk(machine_of(build_probe(tmp_path))))


@pytest.mark.parametrize(("file", "old", "new", "message"), [case[1:] for case in MUTATIONS],
                         ids=[case[0] for case in MUTATIONS])  # fmt: skip
def test_a_wrong_bit_is_found(tmp_path, file, old, new, message):
    elf = build_probe(tmp_path, {file: (old, new)})
    with pytest.raises((SimulationStoppedError, AssertionError)) as found:
        _live(Talk(machine_of(elf)))
    assert message in str(found.value)
    if found.type is SimulationStoppedError:
        assert "pc 0x" in str(found.value)
        assert "after power-on" in str(found.value)
