"""TIMER0..15: free-running 24 MHz and slower [5.2]. Only up-counting is modelled."""

from __future__ import annotations

from typing import ClassVar

from ecgseg.targets.apollo4p_sim.bus import UNIT_HZ, Block, Host, Register, mask, read_only

_EN = 1 << 0
_CLR = 1 << 1
_UP_COUNT = 2
_DIVIDERS = {0: 4, 1: 16, 2: 64, 3: 256, 4: 1024, 5: 4096}
_HFRC_HZ = 96_000_000
_TIMERS = 16


def _registers() -> dict[int, Register]:
    found = {
        0x010: Register("GLOBEN", "5.2", 0xFFFF, 0xFFFF),
        0x060: Register("INTEN", "5.2", 0, 0),
        0x064: read_only("INTSTAT", "5.2"),
        0x068: Register("INTCLR", "5.2"),
    }
    for n in range(_TIMERS):
        base = 0x200 + 0x20 * n
        found[base] = Register(f"CTRL{n}", "5.2", 0, mask((31, 24), (17, 0)))
        found[base + 0x04] = read_only(f"TIMER{n}", "5.2")
        found[base + 0x08] = Register(f"TMR{n}CMP0", "5.2")
        found[base + 0x0C] = Register(f"TMR{n}CMP1", "5.2")
        found[base + 0x10] = Register(f"MODE{n}", "5.2", 0, mask((15, 8)))
    return found


class Timer(Block):
    """General timers, counted from simulated time when they are read."""

    name = "TIMER"
    base = 0x40008000
    registers: ClassVar[dict[int, Register]] = _registers()

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._start = [0] * _TIMERS  # time at which the count was 0
        self._count = [0] * _TIMERS  # while it stands
        self._cleared = [False] * _TIMERS

    def _running(self, n: int) -> bool:
        return bool(self[f"CTRL{n}"] & _EN and self["GLOBEN"] >> n & 1)

    def _units(self, n: int) -> int:
        """Units of simulated time for one count."""
        return UNIT_HZ // (_HFRC_HZ // _DIVIDERS[self[f"CTRL{n}"] >> 8 & 0xFF])

    def count(self, n: int) -> int:
        """What TIMERn reads."""
        if not self._running(n):
            return self._count[n]
        return (self.host.now() - self._start[n]) // self._units(n) & 0xFFFFFFFF

    def read(self, offset: int) -> int:
        """Counts are computed."""
        if offset >= 0x200 and offset % 0x20 == 4:
            self._register(offset)
            return self.count((offset - 0x200) // 0x20)
        return super().read(offset)

    def write(self, offset: int, value: int) -> None:
        """CTRLn starts and stops; the rest is kept."""
        if offset >= 0x200 and offset % 0x20 == 0 and offset in self.registers:
            self._control((offset - 0x200) // 0x20, offset, value)
            return
        if offset == 0x10:
            self._globally(value)
        super().write(offset, value)

    def _globally(self, value: int) -> None:
        for n in range(_TIMERS):
            if self._running(n) and not value >> n & 1:
                self._count[n] = self.count(n)

    def _control(self, n: int, offset: int, value: int) -> None:
        if value & _EN and not self[f"CTRL{n}"] & _EN:
            self._check_start(n, offset, value)
        if value & _CLR:
            self._cleared[n] = True
            self._count[n] = 0
        elif self._running(n) and not value & _EN:
            self._count[n] = self.count(n)
            self._cleared[n] = False
        was_running = self._running(n)
        super().write(offset, value)
        if self._running(n) and not was_running:
            self._start[n] = self.host.now() - self._count[n] * self._units(n)

    def _check_start(self, n: int, offset: int, value: int) -> None:
        if not self._cleared[n]:
            raise self.refuse(f"TIMER{n} is enabled without the CLR toggle before [5.2]", offset, value)
        if value & _CLR:
            raise self.refuse(f"TIMER{n} is enabled while CLR is still 1 [5.2]", offset, value)
        if value >> 4 & 15 != _UP_COUNT or value >> 8 & 0xFF not in _DIVIDERS:
            raise self.refuse(f"TIMER{n}: only up-counting from the HFRC is modelled", offset, value)
        if self[f"TMR{n}CMP0"] != 0xFFFFFFFF:
            raise self.refuse(f"TIMER{n}: only a period of 2^32 counts is modelled", offset, value)
