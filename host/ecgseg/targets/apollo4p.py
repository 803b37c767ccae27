"""Target `apollo4p`: the evaluation board, flashed before with `invoke flash`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ecgseg.image.boards import APOLLO4P_EVB, board_of
from ecgseg.image.build import Image
from ecgseg.link import DeviceClient, DeviceInfo
from ecgseg.link.answers import OtherFirmwareError
from ecgseg.link.ports import check_port, choose_port, is_remote, serial_ports
from ecgseg.link.transport import OnWait
from ecgseg.targets.base import RunningTarget, TimeQuality
from ecgseg.targets.names import APOLLO4P
from ecgseg.targets.options import TargetOptions

LOAD_ADDRESS = board_of(APOLLO4P_EVB).load_address
"""Of the flat image: the boot loader ends there (docs/apollo4p-facts.md, 1.2 and 7.1)."""


def check_identity(info: DeviceInfo, build_id: str, board: str) -> None:
    """Makes sure that the board runs the image that was built here.

    Raises:
        OtherFirmwareError: it runs another one.
    """
    if info.board != board:
        raise OtherFirmwareError(
            info,
            f"The device is a {info.board}, not a {board}.",
            "Another device answers on this port.",
            "Name the board's port with --port; `invoke devices` tells what answers where.",
        )
    if info.build_id != build_id:
        raise OtherFirmwareError(
            info,
            "The board runs another build of the firmware.",
            f"It has {info.build_id} with the model {info.model_name}; the build here is {build_id}.",
            "Flash it: `invoke flash` with the same --model and --backend.",
        )


@dataclass
class BoardTarget(RunningTarget):
    """A board with the image on it.

    Attributes:
        build_id: of the image that it is expected to run.
        board: name of the board.
    """

    build_id: str = ""
    board: str = APOLLO4P_EVB

    def connect(self, on_wait: OnWait | None = None) -> DeviceClient:
        """Opens the port, waits for HELLO, and makes sure that the board runs the expected image.

        Raises:
            TargetError: no answer.
            LinkError: the port cannot be opened.
            OtherFirmwareError: the board runs something else.
        """
        client = super().connect(on_wait)
        try:
            check_identity(client.info, self.build_id, self.board)
        except BaseException:
            client.close()
            raise
        return client


class Apollo4pTarget:
    """The Apollo4 Plus EVB on its J-Link's virtual COM port."""

    name = APOLLO4P
    board = APOLLO4P_EVB
    purpose = "the Apollo4 Plus EVB, cycles measured"
    time_quality = TimeQuality.MEASURED
    real_port = True
    slowness = 1.0

    @contextmanager
    def open(self, image: Image, options: TargetOptions) -> Iterator[RunningTarget]:
        """Finds the port. Nothing is written to the board.

        Raises:
            TargetError: no port, or more than one.
            LinkError: the port cannot be opened.
        """
        port = choose_port(serial_ports(), options.port, options.serial_number)
        if not is_remote(port):
            # A server of one client may not have let go of the last one when the next comes.
            check_port(port, options.baud)
        yield BoardTarget(self.name, port, options, build_id=image.build_id, board=image.board)


TARGET = Apollo4pTarget()
