"""A target that somebody else started: its firmware runs behind a port of another machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ecgseg.image.build import Image
from ecgseg.link import DeviceClient
from ecgseg.link.answers import OtherFirmwareError
from ecgseg.link.transport import OnWait
from ecgseg.targets.base import RunningTarget, Target
from ecgseg.targets.options import TargetOptions


@dataclass
class _Elsewhere(RunningTarget):
    """Firmware behind an address.

    Attributes:
        build_id: of the image that it is expected to run.
        board: that the image is for.
    """

    build_id: str = ""
    board: str = ""

    def connect(self, on_wait: OnWait | None = None) -> DeviceClient:
        """Opens the port, waits for HELLO, and makes sure that the expected image answers.

        Raises:
            TargetError: no answer.
            LinkError: the port cannot be opened.
            OtherFirmwareError: something else answers.
        """
        client = super().connect(on_wait)
        info = client.info
        if (info.board, info.build_id) == (self.board, self.build_id):
            return client
        client.close()
        raise OtherFirmwareError(
            info,
            f"Other firmware answers at {self.port_url}.",
            f"It is build {info.build_id} for {info.board}, with the model {info.model_name};"
            f" the build here is {self.build_id} for {self.board}.",
            "Start the image there that is built from the same sources with the same model (`invoke build`).",
        )


@contextmanager
def open_elsewhere(target: Target, image: Image, options: TargetOptions) -> Iterator[RunningTarget]:
    """Nothing is started, and what runs there goes on.

    Args:
        target: what runs there.
        image: that it has to run.
        options: with the address of its port.
    """
    yield _Elsewhere(
        target.name,
        options.port or "",
        options,
        max(1.0, target.slowness),
        build_id=image.build_id,
        board=image.board,
    )
