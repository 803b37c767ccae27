"""What every picture has in common: drawing that fails is one error of three parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ecgseg.errors import OutputError
from ecgseg.files import plain


@contextmanager
def drawing(picture: str) -> Iterator[None]:
    """Inside, matplotlib is imported and draws; it may be missing, broken, or find no room, and a result is none of it.

    Args:
        picture: how the user knows it.

    Raises:
        OutputError: it could not be drawn.
    """
    try:
        yield
    except Exception as error:
        raise OutputError(
            f"The picture '{picture}' could not be drawn.",
            f"matplotlib cannot draw here: {plain(str(error)) or 'it does not say why'}",
            "Install it again with `make setup`; whatever else the command writes does not need it.",
        ) from error
