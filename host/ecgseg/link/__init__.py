"""The serial link to a device: framing, messages, client."""

from ecgseg.link.answers import DeviceInfo, DeviceStats, Fault, FrameResult, InferResult, LayerInfo, PushResult
from ecgseg.link.client import DeviceClient
from ecgseg.link.numbers import DEFAULT_BAUD, BenchKind, ReadKind, TimeBase
from ecgseg.link.ports import Port
from ecgseg.link.transport import LinkCounters, NoAnswerError, WrongIndexError

__all__ = [
    "DEFAULT_BAUD",
    "BenchKind",
    "DeviceClient",
    "DeviceInfo",
    "DeviceStats",
    "Fault",
    "FrameResult",
    "InferResult",
    "LayerInfo",
    "LinkCounters",
    "NoAnswerError",
    "Port",
    "PushResult",
    "ReadKind",
    "TimeBase",
    "WrongIndexError",
]
