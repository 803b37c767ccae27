"""The Unicorn engine and native.c behind a typed face."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any

from unicorn import (
    UC_ARCH_ARM,
    UC_HOOK_BLOCK,
    UC_HOOK_CODE,
    UC_HOOK_INTR,
    UC_HOOK_MEM_INVALID,
    UC_HOOK_MEM_READ,
    UC_HOOK_MEM_WRITE,
    UC_MEM_FETCH,
    UC_MEM_FETCH_PROT,
    UC_MEM_FETCH_UNMAPPED,
    UC_MEM_WRITE,
    UC_MEM_WRITE_PROT,
    UC_MEM_WRITE_UNMAPPED,
    UC_MODE_MCLASS,
    UC_MODE_THUMB,
    UC_PROT_ALL,
    UC_PROT_EXEC,
    UC_PROT_READ,
    Uc,
    UcError,
)
from unicorn import arm_const as arm
from unicorn.unicorn_py3 import unicorn as binding

from ecgseg.errors import TargetError
from ecgseg.targets.apollo4p_sim import native
from ecgseg.targets.apollo4p_sim.bus import PAGE
from ecgseg.targets.apollo4p_sim.cpu import MASKS, Cpu, core_register
from ecgseg.targets.apollo4p_sim.timing import REFILL, WIDE_REFILL, BlockTiming

_END = 0xFFFFFFFE  # never reached
_WRITES = (UC_MEM_WRITE, UC_MEM_WRITE_UNMAPPED, UC_MEM_WRITE_PROT)
_FETCHES = (UC_MEM_FETCH, UC_MEM_FETCH_UNMAPPED, UC_MEM_FETCH_PROT)
_APSR_THUMB = 1 << 24


class Engine:
    """A Cortex-M4F.

    Args:
        describe: called once for each new block of code with its address, its size in bytes and the structure to fill
            (fill, fill_blocked); a result other than 0 stops before the block.
    """

    def __init__(self, describe: Callable[[int, int, object], int]) -> None:
        self._library = native.load()
        self._uc: Any = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        self._uc.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
        self.cpu = Cpu(self._uc)
        pointer = self._library.native_create()
        if not pointer:
            raise TargetError("The simulator has no memory.", "The timing model needs 25 MB.", "Close programs.")
        self._pointer = pointer
        self.state: Any = pointer.contents
        self._error: BaseException | None = None
        self._describe_user = describe
        self._describe = native.DESCRIBE(self._guarded_describe)
        self._sites: list[native.DivideSite] = []
        self._prepare()

    def _prepare(self) -> None:
        state = self.state
        state.units_per_cycle = 2
        state.describe = self._describe
        state.stop = ctypes.cast(binding.uclib.uc_emu_stop, ctypes.c_void_p).value
        state.read_register = ctypes.cast(binding.uclib.uc_reg_read, ctypes.c_void_p).value
        state.mask_registers[:] = MASKS
        for flow, cycles in REFILL.items():
            state.refill[flow] = cycles
        state.wide_refill = WIDE_REFILL

    def __del__(self) -> None:
        if getattr(self, "_pointer", None):
            self._uc = None
            self._library.native_destroy(self._pointer)

    def _guarded_describe(self, address: int, size: int, block: Any) -> int:
        try:
            return self._describe_user(address, size, block.contents)
        except BaseException as error:  # a callback of C cannot raise; execute() does
            self._error = error
            return 1

    @staticmethod
    def fill(block: Any, timing: BlockTiming) -> None:
        """Fills native.c's description of a block."""
        block.cycles = timing.cycles
        block.instructions = timing.instructions
        block.flow = timing.flow
        block.wide_start = timing.wide_start
        block.fp_blocked = 0

    @staticmethod
    def fill_blocked(block: Any) -> None:
        """Marks a block that may not run as long as the FPU is off."""
        block.fp_blocked = 1

    # ---- Memory ----

    def map_memory(self, base: int, size: int, *, writable: bool) -> None:
        """Adds memory."""
        self._uc.mem_map(base, size, UC_PROT_ALL if writable else UC_PROT_READ | UC_PROT_EXEC)

    def unmap(self, base: int, size: int) -> None:
        """Takes memory away."""
        self._uc.mem_unmap(base, size)

    def map_device(self, page: int, read: Callable[[int, int], int], write: Callable[[int, int, int], None]) -> None:
        """Adds a page of registers: read(address, size) and write(address, size, value)."""

        def on_read(uc: Any, offset: int, size: int, user: Any) -> int:
            del uc, user
            return read(page + offset, size) & (1 << 8 * size) - 1

        def on_write(uc: Any, offset: int, size: int, value: int, user: Any) -> None:
            del uc, user
            write(page + offset, size, value)

        self._uc.mmio_map(page, PAGE, on_read, None, on_write, None)

    def read(self, address: int, size: int) -> bytes:
        """Bytes of memory."""
        return bytes(self._uc.mem_read(address, size))

    def write(self, address: int, data: bytes) -> None:
        """Writes memory, read-only memory too."""
        self._uc.mem_write(address, data)

    def invalidate_cache(self) -> None:
        """Empties the cache model."""
        self._library.native_invalidate_cache(self._pointer)

    # ---- Hooks ----

    def hook(
        self,
        on_interrupt: Callable[[int], None],
        on_invalid: Callable[..., None],
        *,
        memory_model: bool,
    ) -> None:
        """Installs all hooks; on_invalid gets (address, value or None, fetch=...)."""
        self._add_native(UC_HOOK_BLOCK, self._library.native_block, self._pointer)
        if memory_model:
            self._add_native(UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, self._library.native_access, self._pointer)
        self._uc.hook_add(UC_HOOK_INTR, lambda uc, number, user: on_interrupt(number))
        self._uc.hook_add(UC_HOOK_MEM_INVALID, partial(self._invalid, on_invalid))

    @staticmethod
    def _invalid(
        report: Callable[..., None], uc: Any, access: int, address: int, size: int, value: int, user: Any
    ) -> bool:
        del uc, size, user
        report(address & 0xFFFFFFFF, value if access in _WRITES else None, fetch=access in _FETCHES)
        return False

    def _add_native(self, kind: int, function: Any, user: Any, begin: int = 1, end: int = 0) -> None:
        handle = ctypes.c_size_t()
        status = binding.uclib.uc_hook_add(
            self._uc._uch,
            ctypes.byref(handle),
            kind,
            ctypes.cast(function, ctypes.c_void_p),
            user,
            ctypes.c_uint64(begin),
            ctypes.c_uint64(end),
        )
        if status != 0:
            raise TargetError("Unicorn refuses a hook.", f"Status {status}.", "Install unicorn 2.1.4.")

    def add_divides(self, image: bytes, base: int) -> None:
        """Watches every UDIV and SDIV of an image, whose time depends on the operands. A constant that looks like one is
        watched too and never executed."""
        words = memoryview(image[: len(image) & ~1]).cast("H")
        for index in range(len(words) - 1):
            first, second = words[index], words[index + 1]
            if first & 0xFFD0 != 0xFB90 or second & 0xF0F0 != 0xF0F0:
                continue
            site = native.DivideSite(
                ctypes.cast(self._pointer, ctypes.c_void_p).value,
                core_register(first & 15),
                core_register(second & 15),
                not first & 0x20,
            )
            self._sites.append(site)
            address = base + 2 * index
            self._add_native(UC_HOOK_CODE, self._library.native_divide, ctypes.byref(site), address, address)

    # ---- Running ----

    def stop(self) -> None:
        """Stops at the next opportunity."""
        self._uc.emu_stop()

    def execute(self, pc: int) -> None:
        """Runs from `pc` until something stops it; state.stopped_by tells what of native.c did."""
        self.state.stopped_by = native.STOP_NONE
        try:
            self._uc.emu_start(pc | 1, _END)
        except UcError:
            pass  # the hook for invalid accesses has kept what is to be known
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def reset_core(self, leftover: int, stack: int) -> None:
        """Registers as a boot loader might leave them."""
        self.cpu.control = 0
        self.cpu.xpsr = _APSR_THUMB
        self.cpu.primask = self.cpu.faultmask = self.cpu.base_priority = 0
        self.cpu.set_core(dict.fromkeys(range(13), leftover))
        self.cpu.lr = 0xFFFFFFFF
        self.cpu.sp = stack
