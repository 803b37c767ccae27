"""How a library is laid out: for a Makefile, CMake, Zephyr, neuralSPOT or the Arduino IDE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_QEMU = {"port/mps2_an386/startup.c": "startup.c.j2", "port/mps2_an386/mps2_an386.ld": "mps2_an386.ld.j2"}
_MAKE = {"Makefile": "Makefile.j2", **_QEMU}


@dataclass(frozen=True)
class Form:
    """A layout.

    Attributes:
        name: as the user types it.
        include: folder of the public header.
        templates: template by path in the folder, {p} being the prefix; besides what every library has.
    """

    name: str
    include: str
    templates: Mapping[str, str] = field(default_factory=dict)


PLAIN = Form("plain", "include", _MAKE)
FORMS: Mapping[str, Form] = {form.name: form for form in (PLAIN,)}
