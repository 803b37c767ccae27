"""STIMER: the 32-bit system timer [5.1]. Interrupts of the compare registers are modelled, captures are not."""

from __future__ import annotations

from typing import ClassVar

from ecgseg.targets.apollo4p_sim.bus import UNIT_HZ, Block, Host, Register, Token, mask, read_only

_FREEZE = 1 << 31
_CLEAR = 1 << 30
_CLOCKS = {1: 6_000_000, 2: 375_000, 3: 32_768, 4: 16_384, 5: 1_024, 6: 1_024}
_COMPARES = 8
_IRQ = 32


class STimer(Block):
    """System timer: frozen at reset; a compare register takes a delta."""

    name = "STIMER"
    base = 0x40008800
    registers: ClassVar[dict[int, Register]] = {
        0x000: Register("STCFG", "5.1", _FREEZE, mask((31, 30), (15, 8), (3, 0))),
        0x004: read_only("STTMR", "5.1"),
        **{0x020 + 4 * n: Register(f"SCMPR{n}", "5.1") for n in range(_COMPARES)},
        **{0x050 + 4 * n: Register(f"SNVR{n}", "5.1") for n in range(3)},
        0x100: Register("STMINTEN", "5.1", 0, mask((12, 0))),
        0x104: read_only("STMINTSTAT", "5.1"),
        0x108: Register("STMINTCLR", "5.1"),
        0x10C: Register("STMINTSET", "5.1"),
    }

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._start = 0
        self._count = 0
        self._written = [-2] * _COMPARES
        self._tokens: dict[int, Token] = {}

    @property
    def _hz(self) -> int:
        return _CLOCKS.get(self["STCFG"] & 15, 0)

    def _running(self) -> bool:
        return not self["STCFG"] & (_FREEZE | _CLEAR) and self._hz != 0

    def read_sttmr(self) -> int:
        """The count."""
        if not self._running():
            return self._count
        return (self._count + (self.host.now() - self._start) * self._hz // UNIT_HZ) & 0xFFFFFFFF

    def write_stcfg(self, value: int) -> None:
        """Clock, freeze, clear."""
        if value & 15 not in _CLOCKS and value & 15:
            raise self.refuse(f"clock {value & 15} is not modelled [5.1]", 0, value)
        self._count = 0 if value & _CLEAR else self.read_sttmr()
        if value & _CLEAR:
            self._written = [-2] * _COMPARES
        self._start = self.host.now()
        self["STCFG"] = value

    def write(self, offset: int, value: int) -> None:
        """A compare register adds the current count to what is written."""
        if 0x20 <= offset < 0x40:
            self._register(offset)
            self._compare((offset - 0x20) // 4, offset, value)
            return
        super().write(offset, value)

    def _compare(self, n: int, offset: int, delta: int) -> None:
        count = self.read_sttmr()
        if count - self._written[n] < 2:
            raise self.refuse("two writes to a compare register within two counts [5.1]", offset, delta)
        self._written[n] = count
        self[f"SCMPR{n}"] = (count + delta) & 0xFFFFFFFF
        if n in self._tokens:
            self._tokens[n].cancelled = True
        if self._running():
            self._tokens[n] = self.host.schedule(delta * UNIT_HZ // self._hz, lambda: self._match(n))

    def _match(self, n: int) -> None:
        if self["STCFG"] >> (8 + n) & 1:
            self["STMINTSTAT"] |= 1 << n
            self._update()

    def write_stmintclr(self, value: int) -> None:
        """Write 1 to clear."""
        self["STMINTSTAT"] &= ~value & 0xFFFFFFFF
        self._update()

    def write_stmintset(self, value: int) -> None:
        """Write 1 to set."""
        self["STMINTSTAT"] |= value & 0x1FFF
        self._update()

    def write_stminten(self, value: int) -> None:
        """Enables."""
        self["STMINTEN"] = value
        self._update()

    def _update(self) -> None:
        active = self["STMINTSTAT"] & self["STMINTEN"]
        for n in range(_COMPARES):
            self.host.set_line(_IRQ + n, bool(active >> n & 1))
        self.host.set_line(_IRQ + _COMPARES, bool(active >> 8))
