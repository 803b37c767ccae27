"""GPIO: pad functions behind their key, levels [4.1, 4.2, 4.3]."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from ecgseg.targets.apollo4p_sim.bus import Block, Host, Register, mask, read_only, write_only

_UNLOCK = 0x73
_PADS = 128
_PINCFG_BITS = mask((27, 26), (22, 0))
_INPEN = 1 << 4
_RDZERO = 1 << 5

PAD_FUNCTIONS = {
    12: {5: "UART1TX"},
    14: {5: "UART1RX"},
    18: {3: "BTN0"},
    19: {3: "BTN1"},
    22: {3: "power monitor bit 0"},
    23: {3: "power monitor bit 1"},
    24: {3: "power monitor go"},
    28: {0: "SWO"},
    30: {3: "LED1"},
    47: {4: "UART0RX"},
    58: {4: "UART0RTS"},
    59: {4: "UART0CTS"},
    60: {4: "UART0TX"},
    61: {5: "UART3TX"},
    63: {5: "UART3RX"},
    90: {3: "LED0"},
    97: {3: "LED2"},
}
"""What the sheet says about this board's pads: pad -> function number -> use [2.9, 4.2, 4.3]."""

_OUTPUT_CONFIGURATION = {22: 1, 23: 1, 30: 2, 60: 0, 90: 2, 97: 2}
"""OUTCFG of pads that drive something: 1 push-pull, 2 open drain; 0 leaves it to the function."""


class Gpio(Block):
    """Pads. `inputs` are the levels from outside, `watch` is told of every change of an output."""

    name = "GPIO"
    base = 0x40010000
    registers: ClassVar[dict[int, Register]] = {
        **{4 * pad: Register(f"PINCFG{pad}", "4.1", 0 if pad in (20, 21) else 3, _PINCFG_BITS) for pad in range(_PADS)},
        0x200: Register("PADKEY", "4.1"),
        **{0x204 + 4 * bank: read_only(f"RD{bank}", "4.1") for bank in range(4)},
        **{0x214 + 4 * bank: Register(f"WT{bank}", "4.1") for bank in range(4)},
        **{0x224 + 4 * bank: write_only(f"WTS{bank}", "4.1") for bank in range(4)},
        **{0x234 + 4 * bank: write_only(f"WTC{bank}", "4.1") for bank in range(4)},
        **{0x244 + 4 * bank: Register(f"EN{bank}", "4.1") for bank in range(4)},
        **{0x254 + 4 * bank: write_only(f"ENS{bank}", "4.1") for bank in range(4)},
        **{0x264 + 4 * bank: write_only(f"ENC{bank}", "4.1") for bank in range(4)},
    }

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.inputs = [0xFFFFFFFF] * 4
        self.watch: Callable[[int, int], None] = lambda bank, levels: None

    def function_is(self, pad: int, function: int) -> bool:
        """The pad carries that function."""
        return self.values[4 * pad] & 15 == function

    def level(self, pad: int) -> bool:
        """Output latch of a pad."""
        return bool(self[f"WT{pad // 32}"] >> pad % 32 & 1)

    def write_padkey(self, value: int) -> None:
        """0x73 opens the PINCFG registers, 0 closes them."""
        if value not in (0, _UNLOCK):
            raise self.refuse("PADKEY is neither 0x73 nor 0 [4.1]", 0x200, value)
        self["PADKEY"] = value

    def write(self, offset: int, value: int) -> None:
        """PINCFG, then everything else."""
        if offset < 4 * _PADS and offset % 4 == 0:
            self._configure(offset // 4, value)
            return
        bank, group = (offset - 0x204) // 4 % 4, (offset - 0x204) // 16
        if group in (2, 3):
            self._register(offset)
            current = self[f"WT{bank}"]
            self._set_outputs(bank, current | value if group == 2 else current & ~value)
            return
        super().write(offset, value)
        if group == 1:
            self._set_outputs(bank, value)

    def _set_outputs(self, bank: int, levels: int) -> None:
        self[f"WT{bank}"] = levels
        self.watch(bank, levels)

    def _configure(self, pad: int, value: int) -> None:
        offset = 4 * pad
        if self["PADKEY"] != _UNLOCK:
            raise self.refuse(f"PINCFG{pad} is written while PADKEY is not 0x73 [4.1]", offset, value)
        functions = PAD_FUNCTIONS.get(pad)
        if functions is None:
            raise self.refuse(f"pad {pad} carries nothing on this board [4.2]", offset, value)
        if value & 15 not in functions:
            raise self.refuse(f"pad {pad} has no function {value & 15} on this board [4.2]", offset, value)
        wanted = _OUTPUT_CONFIGURATION.get(pad)
        if wanted is not None and value >> 8 & 3 != wanted:
            raise self.refuse(f"pad {pad} needs OUTCFG {wanted} for {functions[value & 15]} [4.2]", offset, value)
        if pad == 24 and not value & _INPEN:
            raise self.refuse("pad 24 is an input and needs INPEN [4.3]", offset, value)
        super().write(offset, value)

    def read(self, offset: int) -> int:
        """RD shows what enabled input buffers see."""
        if 0x204 <= offset < 0x214:
            bank = (offset - 0x204) // 4
            return sum(1 << bit for bit in range(32) if self._input(32 * bank + bit))
        return super().read(offset)

    def _input(self, pad: int) -> bool:
        config = self.values[4 * pad]
        if not config & _INPEN or config & _RDZERO:
            return False
        return bool(self.inputs[pad // 32] >> pad % 32 & 1)
