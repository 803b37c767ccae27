"""General timers, the system timer and the watchdog (facts sheet 5.1, 5.2, 5.5)."""

from __future__ import annotations

from collections.abc import Iterable

from ecgseg.targets.apollo4p_sim.bus import Peripheral, Register
from ecgseg.targets.apollo4p_sim.stop import AccessError
from ecgseg.targets.apollo4p_sim.units import ticks, units

_TIMER_HZ = {0: 24_000_000, 1: 6_000_000, 2: 1_500_000, 3: 375_000, 4: 93_750, 5: 23_437}
_STIMER_HZ = {1: 6_000_000, 2: 375_000, 3: 32_768, 4: 16_384, 5: 1_024, 6: 1_000}
_WATCHDOG_HZ = {1: 128, 2: 16, 3: 1}
_TIMERS = 16
_UPCOUNT = 2


class Timer(Peripheral):
    """TIMER0..15 as free-running up-counters with an end-of-period compare."""

    name = "TIMER"
    base = 0x40008000
    size = 0x800
    registers = (
        Register(0x10, "GLOBEN", "5.2", 0xFFFF, 0xFFFF),
        Register(0x60, "INTEN", "5.2"),
        Register(0x64, "INTSTAT", "5.2", writable=False),
        Register(0x68, "INTCLR", "5.2", readable=False),
        Register(0x6C, "INTSET", "5.2", readable=False),
        *(
            register
            for n in range(_TIMERS)
            for register in (
                Register(0x200 + 0x20 * n, f"CTRL{n}", "5.2", 0, 0xFF03FFFF),
                Register(0x204 + 0x20 * n, f"TIMER{n}", "5.2", writable=False),
                Register(0x208 + 0x20 * n, f"TMR{n}CMP0", "5.2"),
                Register(0x20C + 0x20 * n, f"TMR{n}CMP1", "5.2"),
                Register(0x210 + 0x20 * n, f"MODE{n}", "5.2", 0, 0xFF00),
            )
        ),
    )

    def reset(self) -> None:
        super().reset()
        self._start = [0] * _TIMERS
        self._cleared = [False] * _TIMERS
        self._periods_seen = [0] * _TIMERS

    def read(self, offset: int, size: int) -> int:
        if offset >= 0x200 and offset % 0x20 == 4:
            self._check_width(offset, size)
            return self._count((offset - 0x200) // 0x20)
        return super().read(offset, size)

    def write(self, offset: int, size: int, value: int) -> None:
        before = dict(self.values)
        super().write(offset, size, value)
        if offset >= 0x200 and offset % 0x20 == 0:
            number = (offset - 0x200) // 0x20
            self._control(number, before[f"CTRL{number}"], value)
        self.machine.reschedule()

    def write_intclr(self, value: int) -> None:
        self.values["INTSTAT"] &= ~value

    def write_intset(self, value: int) -> None:
        self.values["INTSTAT"] |= value

    def _running(self, number: int) -> bool:
        return bool(self.values[f"CTRL{number}"] & 1 and self.values["GLOBEN"] >> number & 1)

    def _hertz(self, number: int) -> int:
        clock = self.values[f"CTRL{number}"] >> 8 & 0xFF
        if clock not in _TIMER_HZ:
            raise AccessError(f"TIMER{number}: clock {clock} is not modelled (docs/simulator.md) [5.2]")
        return _TIMER_HZ[clock]

    def _control(self, number: int, before: int, value: int) -> None:
        if value >> 1 & 1:
            self._cleared[number] = True
            self._start[number], self._periods_seen[number] = self.machine.now, 0
        if value & 1 and not before & 1:
            if value >> 1 & 1 or not self._cleared[number]:
                raise AccessError(f"TIMER{number}: CLR must be pulsed before EN is set [5.2]")
            if value >> 4 & 0xF != _UPCOUNT:
                raise AccessError(f"TIMER{number}: only function 2, up-count, is modelled [5.2]")
            self._hertz(number)
            self._start[number], self._periods_seen[number] = self.machine.now, 0

    def _elapsed(self, number: int) -> int:
        return ticks(self.machine.now - self._start[number], self._hertz(number)) if self._running(number) else 0

    def _period(self, number: int) -> int:
        return max(self.values[f"TMR{number}CMP0"] + 1, 2)

    def _count(self, number: int) -> int:
        return self._elapsed(number) % self._period(number)

    def _watched(self) -> list[int]:
        return [n for n in range(_TIMERS) if self.values["INTEN"] >> 2 * n & 1 and self._running(n)]

    def next_event(self) -> int | None:
        return min(
            (
                self._start[n] + units((self._periods_seen[n] + 1) * self._period(n), self._hertz(n))
                for n in self._watched()
            ),
            default=None,
        )

    def fire(self) -> None:
        for number in self._watched():
            periods = self._elapsed(number) // self._period(number)
            if periods > self._periods_seen[number]:
                self._periods_seen[number] = periods
                self.values["INTSTAT"] |= 1 << 2 * number

    def interrupt_lines(self) -> Iterable[tuple[int, bool]]:
        high = self.values["INTSTAT"] & self.values["INTEN"]
        if not high:
            return ()
        return [(14, True), *((67 + n, bool(high >> 2 * n & 3)) for n in range(_TIMERS))]


class Stimer(Peripheral):
    """System timer: always on, frozen after reset, compare registers take a distance."""

    name = "STIMER"
    base = 0x40008800
    size = 0x200
    registers = (
        Register(0x00, "STCFG", "5.1", 0x80000000, 0xC000FF0F),
        Register(0x04, "STTMR", "5.1", writable=False),
        *(Register(0x20 + 4 * n, f"SCMPR{n}", "5.1") for n in range(8)),
        *(Register(0x50 + 4 * n, f"SNVR{n}", "5.1") for n in range(3)),
        Register(0x100, "STMINTEN", "5.1", 0, 0x1FFF),
        Register(0x104, "STMINTSTAT", "5.1", writable=False),
        Register(0x108, "STMINTCLR", "5.1", readable=False),
        Register(0x10C, "STMINTSET", "5.1", readable=False),
    )

    def reset(self) -> None:
        super().reset()
        self._held = 0
        self._start = 0
        self._due: dict[int, int] = {}
        self._last_compare: int | None = None

    def _hertz(self) -> int:
        return _STIMER_HZ.get(self.values["STCFG"] & 0xF, 0)

    def _runs(self) -> bool:
        return self._hertz() != 0 and not self.values["STCFG"] >> 30

    def _total(self) -> int:
        return self._held + (ticks(self.machine.now - self._start, self._hertz()) if self._runs() else 0)

    def read_sttmr(self) -> int:
        return self._total() & 0xFFFFFFFF

    def write_stcfg(self, value: int) -> None:
        if value & 0xF not in (0, *_STIMER_HZ):
            raise AccessError(f"STIMER.STCFG: clock {value & 0xF} is not modelled [5.1]")
        self._held = 0 if value >> 30 & 1 else self._total()
        self._start = self.machine.now
        self.values["STCFG"] = value
        self.machine.reschedule()

    def write(self, offset: int, size: int, value: int) -> None:
        super().write(offset, size, value)
        if 0x20 <= offset < 0x40:
            self._compare((offset - 0x20) // 4, value)

    def _compare(self, number: int, distance: int) -> None:
        now = self._total()
        if self._last_compare is not None and now - self._last_compare < 2:
            raise AccessError("STIMER: two compare writes must be at least 2 ticks apart [5.1]")
        self._last_compare = now
        self._due[number] = now + distance
        self.machine.reschedule()

    def write_stmintclr(self, value: int) -> None:
        self.values["STMINTSTAT"] &= ~value

    def write_stmintset(self, value: int) -> None:
        self.values["STMINTSTAT"] |= value

    def next_event(self) -> int | None:
        if not self._runs():
            return None
        due = [total for number, total in self._due.items() if self.values["STCFG"] >> 8 + number & 1]
        return min((self._start + units(total - self._held, self._hertz()) for total in due), default=None)

    def fire(self) -> None:
        for number, total in list(self._due.items()):
            if self.values["STCFG"] >> 8 + number & 1 and self._total() >= total:
                del self._due[number]
                self.values["STMINTSTAT"] |= 1 << number

    def interrupt_lines(self) -> Iterable[tuple[int, bool]]:
        high = self.values["STMINTSTAT"] & self.values["STMINTEN"]
        return [(32 + n, bool(high >> n & 1)) for n in range(8)] if high else ()


class Watchdog(Peripheral):
    """Watchdog: interrupt and reset when the count reaches their values [5.5]."""

    name = "WDT"
    base = 0x40024000
    registers = (
        Register(0x00, "CFG", "5.5", 0x00FFFF00, 0x07FFFF0F),
        Register(0x04, "RSTRT", "5.5", readable=False),
        Register(0x08, "LOCK", "5.5"),
        Register(0x0C, "COUNT", "5.5", writable=False),
        Register(0x200, "IEREN", "5.5", 0, 0x3),
        Register(0x204, "IERSTAT", "5.5", writable=False),
        Register(0x208, "IERCLR", "5.5", readable=False),
        Register(0x20C, "IERSET", "5.5", readable=False),
    )

    def reset(self) -> None:
        super().reset()
        self._start = 0
        self._barked = False

    def _hertz(self) -> int:
        return _WATCHDOG_HZ.get(self.values["CFG"] >> 24 & 7, 0)

    def _runs(self) -> bool:
        return bool(self.values["CFG"] & 1) and self._hertz() != 0

    def read_count(self) -> int:
        return ticks(self.machine.now - self._start, self._hertz()) & 0xFF if self._runs() else 0

    def write_cfg(self, value: int) -> None:
        if self.values["LOCK"]:
            raise AccessError("WDT.CFG is locked [5.5]")
        if value >> 24 & 7 not in (0, *_WATCHDOG_HZ):
            raise AccessError("WDT.CFG: this clock is undefined or not modelled [5.5]")
        if value & 5 == 5 and not self.machine.rstgen.values["CFG"] >> 1 & 1:
            raise AccessError("WDT.CFG: RESEN without RSTGEN.CFG.WDREN never resets [5.5]")
        if value & 1 and not self.values["CFG"] & 1:
            self._restart()
        self.values["CFG"] = value
        self.machine.reschedule()

    def _restart(self) -> None:
        self._start = self.machine.now
        self._barked = False

    def write_rstrt(self, value: int) -> None:
        if value != 0xB2:
            raise AccessError("WDT.RSTRT: the key is 0xB2 [5.5]")
        self._restart()
        self.machine.reschedule()

    def write_lock(self, value: int) -> None:
        if value != 0x3A:
            raise AccessError("WDT.LOCK: the key is 0x3A [5.5]")
        self.values["LOCK"] = 1
        self.write_cfg_enable()

    def write_cfg_enable(self) -> None:
        """Locking the watchdog also starts it."""
        if not self.values["CFG"] & 1:
            self.values["CFG"] |= 1
            self._restart()
            self.machine.reschedule()

    def write_ierclr(self, value: int) -> None:
        self.values["IERSTAT"] &= ~value

    def write_ierset(self, value: int) -> None:
        self.values["IERSTAT"] |= value

    def _times(self) -> tuple[int, int]:
        """Times of bark and bite."""
        config = self.values["CFG"]
        bark = self._start + units(config >> 16 & 0xFF, self._hertz())
        return bark, self._start + units(config >> 8 & 0xFF, self._hertz())

    def next_event(self) -> int | None:
        if not self._runs():
            return None
        bark, bite = self._times()
        config = self.values["CFG"]
        events = [bark] if config >> 1 & 1 and not self._barked else []
        if config >> 2 & 1:
            events.append(bite)
        return min(events, default=None)

    def fire(self) -> None:
        if not self._runs():
            return
        bark, bite = self._times()
        if self.values["CFG"] >> 1 & 1 and not self._barked and self.machine.now >= bark:
            self._barked = True
            self.values["IERSTAT"] |= 1
        if self.values["CFG"] >> 2 & 1 and self.machine.now >= bite:
            self.machine.request_reset(1 << 6)

    def interrupt_lines(self) -> Iterable[tuple[int, bool]]:
        return ((1, bool(self.values["IERSTAT"] & self.values["IEREN"])),)
