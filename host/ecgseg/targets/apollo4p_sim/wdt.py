"""Watchdog [5.5]."""

from __future__ import annotations

from typing import ClassVar

from ecgseg.targets.apollo4p_sim.bus import UNIT_HZ, Block, Host, Register, Token, mask, read_only, write_only
from ecgseg.targets.apollo4p_sim.rstgen import WATCHDOG, RstGen

_IRQ = 1
_RESTART_KEY = 0xB2
_LOCK_KEY = 0x3A
_EN, _INTEN, _RESEN = 1, 2, 4
_CLOCKS = {1: 128, 2: 16, 3: 1}


class Wdt(Block):
    """Counts up from the last restart; barks at INTVAL, bites at RESVAL when RSTGEN lets it."""

    name = "WDT"
    base = 0x40024000
    registers: ClassVar[dict[int, Register]] = {
        0x000: Register("CFG", "5.5", 0x00FFFF00, mask((26, 0))),
        0x004: write_only("RSTRT", "5.5"),
        0x008: write_only("LOCK", "5.5"),
        0x00C: read_only("COUNT", "5.5"),
        0x200: Register("WDTIEREN", "5.5", 0, 3),
        0x204: read_only("WDTIERSTAT", "5.5"),
        0x208: write_only("WDTIERCLR", "5.5", 3),
        0x20C: write_only("WDTIERSET", "5.5", 3),
    }

    def __init__(self, host: Host, rstgen: RstGen) -> None:
        super().__init__(host)
        self._rstgen = rstgen
        self._start = 0
        self._locked = False
        self._tokens: list[Token] = []

    @property
    def _hz(self) -> int:
        return _CLOCKS.get(self["CFG"] >> 24 & 7, 0)

    def write_cfg(self, value: int) -> None:
        """Configuration, unless locked."""
        if self._locked:
            raise self.refuse("CFG is locked [5.5]", 0, value)
        if value & _EN and value >> 24 & 7 not in _CLOCKS:
            raise self.refuse(f"the watchdog is enabled with clock {value >> 24 & 7} [5.5]", 0, value)
        if value & _RESEN and not self._rstgen["CFG"] & 2:
            raise self.refuse("the watchdog's reset is enabled here but not in RSTGEN.CFG [5.5]", 0, value)
        self["CFG"] = value
        self._restart()

    def write_rstrt(self, value: int) -> None:
        """Feeding."""
        if value != _RESTART_KEY:
            raise self.refuse("wrong key for RSTRT [5.5]", 4, value)
        self._restart()

    def write_lock(self, value: int) -> None:
        """Locks the configuration."""
        if value != _LOCK_KEY:
            raise self.refuse("wrong key for LOCK [5.5]", 8, value)
        self["CFG"] |= _EN
        self._locked = True

    def read_count(self) -> int:
        """The 8-bit count."""
        if not self["CFG"] & _EN:
            return 0
        return (self.host.now() - self._start) * self._hz // UNIT_HZ & 0xFF

    def _restart(self) -> None:
        self._start = self.host.now()
        for token in self._tokens:
            token.cancelled = True
        self._tokens = []
        if self["CFG"] & _EN:
            for count, action in ((self["CFG"] >> 16 & 0xFF, self._bark), (self["CFG"] >> 8 & 0xFF, self._bite)):
                self._tokens.append(self.host.schedule(count * UNIT_HZ // self._hz, action))

    def _bark(self) -> None:
        if self["CFG"] & _INTEN:
            self["WDTIERSTAT"] |= 1
            self._update()

    def _bite(self) -> None:
        if self["CFG"] & _RESEN and self._rstgen["CFG"] & 2:
            self.host.reset(WATCHDOG)

    def write_wdtieren(self, value: int) -> None:
        """Enables."""
        self["WDTIEREN"] = value
        self._update()

    def write_wdtierclr(self, value: int) -> None:
        """Write 1 to clear."""
        self["WDTIERSTAT"] &= ~value & 0xFFFFFFFF
        self._update()

    def write_wdtierset(self, value: int) -> None:
        """Write 1 to set."""
        self["WDTIERSTAT"] |= value
        self._update()

    def _update(self) -> None:
        self.host.set_line(_IRQ, bool(self["WDTIERSTAT"] & self["WDTIEREN"]))
