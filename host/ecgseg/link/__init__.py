"""The serial link to a device: framing, messages, client."""

from ecgseg.link.client import DeviceClient, DeviceInfo, FrameResult, LayerInfo, PushResult
from ecgseg.link.messages import BenchKind, ReadKind, TimeBase
from ecgseg.link.transport import LinkCounters, Port, WrongIndexError

__all__ = [
    "BenchKind",
    "DeviceClient",
    "DeviceInfo",
    "FrameResult",
    "LayerInfo",
    "LinkCounters",
    "Port",
    "PushResult",
    "ReadKind",
    "TimeBase",
    "WrongIndexError",
]
