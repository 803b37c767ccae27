"""The names under which a rendered model is known in C, so that several of them go into one image."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ecgseg.errors import UsageError

DEFAULT_PREFIX = "ecgseg"
PARAMETERS = "ecgseg_preprocess_params.h"
# Identifiers that open with an underscore belong to the compiler at file scope.
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class ModelNames:
    """Names that open with a prefix of the user's choice.

    Attributes:
        prefix: a C identifier; <prefix>_model is the model. Prefixes must differ in more than upper and lower case.

    Raises:
        UsageError: the prefix is no C identifier.
    """

    prefix: str = DEFAULT_PREFIX

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise UsageError(
                f"The prefix {self.prefix!r} cannot open a name in C.",
                "Names of the rendered model are made from it, such as <prefix>_model_run.",
                "Use letters a-z and A-Z, digits and underscores, with a letter first.",
            )

    @property
    def macro(self) -> str:
        """What macros open with."""
        return self.prefix.upper()

    @property
    def header(self) -> str:
        """Name of the model's header."""
        return f"{self.prefix}_model.h"

    @property
    def source(self) -> str:
        """Name of the file with the generated C."""
        return f"{self.prefix}_model.c"

    @property
    def stream_header(self) -> str:
        """Name of the header of the model as a stream."""
        return f"{self.prefix}_stream_model.h"

    @property
    def stream_source(self) -> str:
        """Name of the file with the generated C of the stream."""
        return f"{self.prefix}_stream_model.c"

    @property
    def tflm_source(self) -> str:
        """Name of the file that gives the model to TensorFlow Lite Micro."""
        return f"{self.prefix}_tflm_model.cc"

    @property
    def direct_source(self) -> str:
        """Name of the file that calls the kernels of others layer by layer."""
        return f"{self.prefix}_direct_model.c"
