"""Unicorn, which has no types of its own, and the memories that it holds."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Protocol

from ecgseg.targets.apollo4p import LOAD_ADDRESS

_unicorn: Any = importlib.import_module("unicorn")
_arm: Any = importlib.import_module("unicorn.arm_const")

MRAM_START, MRAM_END = LOAD_ADDRESS, 0x00200000
"""What is left of the MRAM behind the boot loader [1.2]."""
TCM_START, TCM_BYTES = 0x10000000, 0x60000
"""[1.2]"""
SSRAM_GROUPS = ((0x10060000, 0x100000), (0x101C0000, 0x100000))
"""Start and size of the two groups of shared SRAM [1.2]."""
_DEVICES = (
    (0x40000000, 0x26000),
    (0x42000000, 0x4000),
    (0x47FF0000, 0x1000),
    (0x48000000, 0x1000),
    (0xE0000000, 0x100000),
)
_FETCH = (_unicorn.UC_MEM_FETCH_UNMAPPED, _unicorn.UC_MEM_FETCH_PROT)
_WRITE = (_unicorn.UC_MEM_WRITE_UNMAPPED, _unicorn.UC_MEM_WRITE_PROT)
NO_ADDRESS = 0xFFFFFFF0
"""Where execution never comes to."""


UcError: Any = _unicorn.UcError


class Hooks(Protocol):
    """What Unicorn calls while it runs."""

    def on_device(self, uc: Any, access: int, address: int, size: int, value: int, data: Any) -> bool:
        """Before every access to a peripheral, with the exact program counter."""
        ...

    def on_bad_access(self, uc: Any, access: int, address: int, size: int, value: int, data: Any) -> bool:
        """An access that reaches no memory, or not in this way."""
        ...

    def on_intr(self, uc: Any, number: int, data: Any) -> None:
        """The core wants an exception."""
        ...

    def device_read(self, uc: Any, offset: int, size: int, base: int) -> int:
        """Value of a read from a peripheral."""
        ...

    def device_write(self, uc: Any, offset: int, size: int, value: int, base: int) -> None:
        """A write to a peripheral."""
        ...


def make_core(image: bytes, hooks: Hooks, on_block: Callable[..., None]) -> Any:
    """A Cortex-M4 with the part's memories, the image in its MRAM."""
    uc = _unicorn.Uc(_unicorn.UC_ARCH_ARM, _unicorn.UC_MODE_THUMB | _unicorn.UC_MODE_MCLASS)
    uc.ctl_set_cpu_model(_arm.UC_CPU_ARM_CORTEX_M4)
    uc.mem_map(MRAM_START, MRAM_END - MRAM_START, _unicorn.UC_PROT_READ | _unicorn.UC_PROT_EXEC)
    uc.mem_write(MRAM_START, image)
    uc.mem_map(TCM_START, TCM_BYTES)
    # Memory holds anything at power-on; a pattern finds whoever counts on zeros.
    uc.mem_write(TCM_START, bytes(range(1, 252)) * (TCM_BYTES // 251) + b"\xa5" * (TCM_BYTES % 251))
    for base, size in _DEVICES:
        uc.mmio_map(base, size, hooks.device_read, base, hooks.device_write, base)
    uc.hook_add(_unicorn.UC_HOOK_BLOCK, on_block)
    watched = _unicorn.UC_HOOK_MEM_READ | _unicorn.UC_HOOK_MEM_WRITE
    uc.hook_add(watched, hooks.on_device, None, 0x40000000, 0x5FFFFFFF)
    uc.hook_add(watched, hooks.on_device, None, 0xE0000000, 0xE00FFFFF)
    uc.hook_add(_unicorn.UC_HOOK_MEM_INVALID, hooks.on_bad_access)
    uc.hook_add(_unicorn.UC_HOOK_INTR, hooks.on_intr)
    return uc


def watch_instruction(uc: Any, address: int, action: Callable[..., None]) -> int:
    """Calls `action` before every execution of one instruction; the number to end that with.

    Code that is already translated is forgotten, so that the call gets into it."""
    handle: int = uc.hook_add(_unicorn.UC_HOOK_CODE, action, None, address, address)
    uc.ctl_flush_tb()
    return handle


def core_register(uc: Any, number: int) -> int:
    """Value of r0 to r12."""
    value: int = uc.reg_read(_arm.UC_ARM_REG_R0 + number)
    return value


def describe_bad_access(access: int, address: int) -> tuple[str, bool]:
    """What is wrong with an access that reached no memory, and whether it was a write."""
    write = access in _WRITE
    if access in _FETCH:
        return "the program runs outside of its memory", write
    if MRAM_START <= address < MRAM_END:
        return "a write to MRAM", write
    if any(base <= address < base + size for base, size in SSRAM_GROUPS):
        return "the shared SRAM is not powered here [1.4]", write
    return "there is no memory here [1.2]", write
