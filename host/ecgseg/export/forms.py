"""How a library is laid out: for a Makefile, CMake, Zephyr, neuralSPOT or the Arduino IDE.

What each of them asks of a folder, by its documentation:

- Zephyr: zephyr/module.yml names the folder with CMakeLists.txt and the Kconfig file
  (https://docs.zephyrproject.org/latest/develop/modules.html).
- neuralSPOT: module.mk beside src/ and includes-api/ fills the variables of the tree's Makefile, whose head tells which
  (https://github.com/AmbiqAI/neuralSPOT).
- Arduino: library.properties, src/ with everything that is compiled, examples/NAME/NAME.ino
  (https://docs.arduino.cc/arduino-cli/library-specification, format 1.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_QEMU = {"port/mps2_an386/startup.c": "startup.c.j2", "port/mps2_an386/mps2_an386.ld": "mps2_an386.ld.j2"}


@dataclass(frozen=True)
class Form:
    """A layout.

    Attributes:
        name: as the user types it.
        templates: template by path in the folder; besides what every library has.
        include: folder of the public header.
        test: the test's source; its vectors lie beside it.
    """

    name: str
    templates: Mapping[str, str] = field(default_factory=dict)
    include: str = "include"
    test: str = "test/main.c"

    @property
    def test_folder(self) -> str:
        """Where the test is."""
        return self.test.rpartition("/")[0]


PLAIN = Form("plain", {"Makefile": "Makefile.j2", **_QEMU})
CMAKE = Form(
    "cmake", {"CMakeLists.txt": "CMakeLists.txt.j2", "port/mps2_an386/toolchain.cmake": "toolchain.cmake.j2", **_QEMU}
)
ZEPHYR = Form(
    "zephyr",
    {
        "zephyr/module.yml": "zephyr_module.yml.j2",
        "zephyr/CMakeLists.txt": "zephyr_CMakeLists.txt.j2",
        "zephyr/Kconfig": "zephyr_Kconfig.j2",
        "samples/selftest/CMakeLists.txt": "zephyr_sample_CMakeLists.txt.j2",
        "samples/selftest/prj.conf": "zephyr_prj.conf.j2",
        "samples/selftest/sample.yaml": "zephyr_sample.yaml.j2",
    },
    test="samples/selftest/src/main.c",
)
NEURALSPOT = Form("neuralspot", {"module.mk": "module.mk.j2"}, include="includes-api")
ARDUINO = Form(
    "arduino",
    {"library.properties": "library.properties.j2", "examples/selftest/selftest.ino": "selftest.ino.j2"},
    include="src",
    test="examples/selftest/check.c",
)
FORMS: Mapping[str, Form] = {form.name: form for form in (PLAIN, CMAKE, ZEPHYR, NEURALSPOT, ARDUINO)}
