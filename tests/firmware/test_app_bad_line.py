"""The firmware behind a line that is bad all the time, or that repeats what it carried long ago.

What arrives is right, or there is an error; never a frame too few, too many or different.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pytest

from ecgseg.errors import LinkError
from ecgseg.hil.faults import FaultPlan, FaultyPort
from ecgseg.image.build import Image, build
from ecgseg.link import DeviceClient, FrameResult, NoAnswerError, Port
from ecgseg.link.framing import encode_frame
from ecgseg.link.numbers import ANSWER_BIT, Command, PushFlags
from ecgseg.pipeline import class_mask, flush_samples, frames, segments
from support import model_double
from support.frame_wire import FrameWire, Handling, as_it_is
from support.pipe_port import PipePort

pytestmark = pytest.mark.slow

PLAIN_INPUTS = 3000
WAIT = 0.2
HEADER = 4


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp("segmenter")
    return build("host", model_double.write_segmenter(folder / "generated"), out_dir=folder / "image")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp("plain")
    return build("host", model_double.write_plain(folder / "generated", PLAIN_INPUTS), out_dir=folder / "image")


@contextmanager
def running(image: Image) -> Iterator[PipePort]:
    """A process that has to end well, without a sanitizer's report."""
    port = PipePort(image.elf)
    port.timeout = 0.002
    try:
        yield port
        assert port.finish() == (0, "")
    finally:
        port.close()


def ecg(seconds: float, seed: int = 3) -> npt.NDArray[np.int16]:
    """A wandering signal, int16 microvolts at 500 Hz."""
    steps = np.random.default_rng(seed).integers(-90, 91, int(seconds * 500))
    return np.cumsum(steps).clip(-3000, 3000).astype(np.int16)


def streamed(client: DeviceClient, raw: npt.NDArray[np.int16]) -> Iterator[FrameResult]:
    return client.stream(np.concatenate([raw, flush_samples(raw, model_double.parameters())]))


def assert_equal_to_python(results: list[FrameResult], raw: npt.NDArray[np.int16]) -> None:
    wanted = frames(raw, model_double.parameters())
    assert [result.index for result in results] == list(range(len(wanted)))
    for result, frame in zip(results, wanted, strict=True):
        scores = model_double.scores(frame.data)
        mask = class_mask(scores, frame)
        assert result.input.tobytes() == frame.data.tobytes()
        assert result.scores.tobytes() == scores.tobytes()
        assert result.mask.tobytes() == mask.tobytes()
        assert result.segments == segments(mask, model_double.parameters().rules)


def payload_sizes(wire: FrameWire, command: Command, skipped: int) -> list[int]:
    """Bytes of data in every request of a command, in order."""
    return [len(body) - HEADER - skipped for body in wire.requests if body[1] == command]


def test_chunks_shrink_on_a_line_that_loses_long_frames_and_grow_again_when_it_is_mended(segmenter: Image) -> None:
    raw = ecg(30.0)
    limit = [100]

    def only_short(body: bytes) -> list[bytes]:
        return [body] if len(body) <= limit[0] else []

    with running(segmenter) as port:
        wire = FrameWire(port, to_device=only_short, to_host=only_short)
        # HELLO's answer is longer than that and cannot be cut.
        limit[0] = 2000
        client = DeviceClient(wire, answer_seconds=WAIT)
        client.hello()
        limit[0] = 100
        results = []
        for result in streamed(client, raw):
            results.append(result)
            if result.index == 1:
                limit[0] = 2000
        assert_equal_to_python(results, raw)
    pushed = payload_sizes(wire, Command.PUSH, 4)
    asked = [struct.unpack_from("<H", body, HEADER + 5)[0] for body in wire.requests if body[1] == Command.READ]
    for sizes in (pushed, asked):
        assert sizes[0] > 900
        assert min(sizes) < 100
        assert max(sizes[-8:]) > 900


@pytest.mark.parametrize("losses", [1, 2, 3, 5])
@pytest.mark.parametrize("frame", [0, 1])
def test_a_lost_answer_to_a_push_that_completed_a_frame_loses_no_frame(
    segmenter: Image, losses: int, frame: int
) -> None:
    raw = ecg(15.0)
    left = [losses]
    lost = []

    def lose(body: bytes) -> list[bytes]:
        completes = body[1] == Command.PUSH | ANSWER_BIT and len(body) == 15 and body[14] & PushFlags.FRAME_READY
        # The refusals of smaller chunks that follow it get lost, too.
        is_next = bool(lost) and body[1] == Command.PUSH | ANSWER_BIT
        if left[0] and ((completes and struct.unpack_from("<I", body, 10)[0] == frame + 1) or is_next):
            left[0] -= 1
            lost.append(body)
            return []
        return [body]

    with running(segmenter) as port:
        client = DeviceClient(FrameWire(port, to_host=lose), answer_seconds=WAIT)
        client.hello()
        assert_equal_to_python(list(streamed(client, raw)), raw)
        assert len(lost) == losses
        assert client.counters.retries == losses


@pytest.mark.parametrize("losses", [1, 2, 3, 5])
def test_a_lost_answer_to_a_push_without_a_frame_invents_none(segmenter: Image, losses: int) -> None:
    raw = ecg(15.0)
    for nth in (0, 6):
        seen: list[bytes] = []

        def lose(body: bytes, nth: int = nth, seen: list[bytes] = seen) -> list[bytes]:
            seen += [body] if body[1] == Command.PUSH | ANSWER_BIT else []
            is_one = body[1] == Command.PUSH | ANSWER_BIT and nth < len(seen) <= nth + losses
            return [] if is_one else [body]

        with running(segmenter) as port:
            client = DeviceClient(FrameWire(port, to_host=lose), answer_seconds=WAIT)
            client.hello()
            assert_equal_to_python(list(streamed(client, raw)), raw)
            assert client.counters.retries == losses


@pytest.mark.parametrize("every", [2, 3, 4])
@pytest.mark.parametrize("direction", ["to_device", "to_host"])
def test_an_input_is_written_whole_whichever_answers_get_lost(plain: Image, direction: str, every: int) -> None:
    data = np.arange(PLAIN_INPUTS, dtype=np.int64).astype(np.int8)
    count = [0]

    def lose(body: bytes) -> list[bytes]:
        count[0] += body[1] & 0x7F == Command.WRITE
        return [] if body[1] & 0x7F == Command.WRITE and count[0] % (every + 2) < 2 + every // 2 else [body]

    handling: dict[str, Handling] = {direction: lose}
    with running(plain) as port:
        client = DeviceClient(FrameWire(port, **handling), answer_seconds=WAIT)
        client.hello()
        assert client.infer(data).tobytes() == model_double.scores(data, 1).tobytes()
        assert client.counters.retries > 0


RATES = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 0.1, 0.5]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("rate", RATES)
def test_whatever_share_of_the_bytes_is_hit_frames_are_right_or_there_is_an_error(
    segmenter: Image, rate: float, seed: int
) -> None:
    raw = ecg(10.0, seed)
    plan = FaultPlan(drop=rate, flip=rate, duplicate=rate, insert=rate / 10)
    attempts = 6
    with running(segmenter) as port:
        client = DeviceClient(
            FaultyPort(port, to_device=plan, to_host=plan, seed=seed), answer_seconds=WAIT, attempts=attempts
        )
        started = time.monotonic()
        results: list[FrameResult] = []
        try:
            client.hello()
            for result in streamed(client, raw):
                results.append(result)
                started = time.monotonic()
            done = True
        except NoAnswerError:
            done = False
        assert done or rate > 1e-3
        if rate > 0.05:
            assert not results
            assert time.monotonic() - started < 2 * WAIT * 2**attempts
        wanted = frames(raw, model_double.parameters())
        if done:
            assert_equal_to_python(results, raw)
        for result, frame in zip(results, wanted, strict=False):
            assert result.scores.tobytes() == model_double.scores(frame.data).tobytes()


# What the line kept and lets out again, as numbers of requests from the start of the run: two HELLOs (0, 1),
# RESET_STREAM (2), PUSH (3 and on).
KEPT: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "the first HELLO": lambda sent: sent[:1],
    "the second HELLO": lambda sent: sent[1:2],
    "both HELLOs in turn": lambda sent: [*sent[:2], *sent[:2]],
    "RESET_STREAM": lambda sent: sent[2:3],
    "the first PUSH": lambda sent: sent[3:4],
    "HELLO and RESET_STREAM": lambda sent: [sent[0], *sent[2:3]],
    "HELLO, RESET_STREAM, PUSH": lambda sent: [sent[0], *sent[2:4]],
    "the second session": lambda sent: sent[1:4],
    "the whole run": lambda sent: list(sent),
    "the whole run backwards": lambda sent: sent[::-1],
    "the newest request": lambda sent: sent[-1:],
}
MOMENTS = {
    "before RESET_STREAM": (Command.RESET_STREAM, 1),
    "before the second PUSH": (Command.PUSH, 2),
    "before a PUSH that completes a frame": (Command.PUSH, 3),
    "between PUSH and FRAME": (Command.FRAME, 1),
    "between FRAME and READ": (Command.READ, 1),
    "between two READs": (Command.READ, 3),
    "in the second frame": (Command.FRAME, 2),
}


@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("when", ["before", "behind"])
def test_frames_that_the_line_lets_out_again_change_nothing(
    segmenter: Image, kept: str, moment: str, when: str
) -> None:
    raw = ecg(12.0)
    command, nth = MOMENTS[moment]
    seen = [0]
    replayed: list[bytes] = []

    def repeat(body: bytes) -> list[bytes]:
        seen[0] += body[1] == command
        if body[1] == command and seen[0] == nth and not replayed:
            replayed.extend(KEPT[kept](wire.requests[:-1] if when == "before" else wire.requests))
            return [*replayed, body] if when == "before" else [body, *replayed]
        return [body]

    with running(segmenter) as port:
        wire = FrameWire(port, to_device=repeat)
        client = DeviceClient(wire, answer_seconds=1.0)
        client.hello()
        client.hello()
        assert_equal_to_python(list(streamed(client, raw)), raw)
        assert replayed or moment == "before RESET_STREAM"
        assert client.counters.retries == 0


def test_a_session_that_another_has_followed_is_not_opened_again(segmenter: Image) -> None:
    with running(segmenter) as port:
        wire = FrameWire(port)
        client = DeviceClient(wire)
        for _ in range(16):
            client.hello()
        hellos = [body for body in wire.requests if body[1] == Command.HELLO]
        before = client.stats().stale
        for body in hellos[:-1]:
            wire.write(encode_frame(body))
        assert client.stats().stale - before == len(hellos) - 1
        assert client.info == client.hello()


def test_answers_that_the_line_lets_out_again_are_not_taken_for_new(segmenter: Image) -> None:
    raw = ecg(12.0)
    kept: list[bytes] = []

    def repeat(body: bytes) -> list[bytes]:
        kept.append(body)
        return [*kept[-20:-1], body]

    with running(segmenter) as port:
        client = DeviceClient(FrameWire(port, to_host=repeat), answer_seconds=1.0)
        client.hello()
        assert_equal_to_python(list(streamed(client, raw)), raw)
        assert client.counters.stray_answers > 100


def test_an_unanswered_hello_uses_up_no_session_number(segmenter: Image) -> None:
    lost = [2]

    def lose(body: bytes) -> list[bytes]:
        lost[0] -= 1
        return [] if lost[0] >= 0 else [body]

    with running(segmenter) as port:
        wire = FrameWire(port, to_host=lose)
        client = DeviceClient(wire, answer_seconds=WAIT, attempts=1)
        for _ in range(2):
            with pytest.raises(LinkError):
                client.hello()
        client.hello()
        assert len({body[HEADER:] for body in wire.requests}) == 1
        client.hello()
        assert len({body[HEADER:] for body in wire.requests}) == 2


def test_a_good_line_passes_everything_once(segmenter: Image) -> None:
    raw = ecg(12.0)
    with running(segmenter) as port:
        wire: Port = FrameWire(port, to_device=as_it_is)
        client = DeviceClient(wire)
        client.hello()
        assert_equal_to_python(list(streamed(client, raw)), raw)
        assert client.counters.retries == client.counters.stray_answers == 0
