"""The firmware's app behind good and faulty wires: what arrives is right or an error, and no byte stream breaks it.

The image is the one of the board `host`, built with ASan and UBSan; its port is a pair of pipes.
"""

from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ecgseg.errors import DeviceError, LinkError
from ecgseg.hil.faults import FaultPlan, FaultyPort
from ecgseg.image.build import Image, build
from ecgseg.link import DeviceClient, FrameResult, Port, ReadKind, WrongIndexError
from ecgseg.link.error_table import error_number, error_table
from ecgseg.link.framing import FrameDecoder, encode_frame
from ecgseg.link.messages import request_body
from ecgseg.link.numbers import ANSWER_BIT, PAYLOAD_MAX, BenchKind, Command
from ecgseg.pipeline import LEAD_OFF, class_mask, flush_samples, frames, segments
from support import model_double
from support.pipe_port import PipePort, ending_well

SHORT_WAIT = 0.1
PLAIN_INPUTS = 3000


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp("segmenter")
    return build("host", model_double.write_segmenter(folder / "generated"), out_dir=folder / "image")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp("plain")
    return build("host", model_double.write_plain(folder / "generated", PLAIN_INPUTS), out_dir=folder / "image")


def connected(port: Port, **options: float) -> DeviceClient:
    """A client that has said HELLO."""
    client = DeviceClient(port, **options)  # type: ignore[arg-type]
    client.hello()
    return client


def ecg(seconds: float = 11.0, seed: int = 3) -> npt.NDArray[np.int16]:
    """A wandering signal with a lead-off gap and a stretch at the rail: int16 microvolts at 500 Hz."""
    rng = np.random.default_rng(seed)
    raw = np.cumsum(rng.integers(-90, 91, int(seconds * 500))).clip(-3000, 3000).astype(np.int16)
    raw[1700:1760] = LEAD_OFF
    raw[4000:4010] = 32767
    return raw


def stream_of(raw: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    return np.concatenate([raw, flush_samples(raw, model_double.parameters())])


def assert_equal_to_python(results: list[FrameResult], raw: npt.NDArray[np.int16]) -> None:
    parameters = model_double.parameters()
    wanted = frames(raw, parameters)
    assert [result.index for result in results] == list(range(len(wanted)))
    for result, frame in zip(results, wanted, strict=True):
        scores = model_double.scores(frame.data)
        mask = class_mask(scores, frame)
        assert result.status == frame.status
        assert (result.lead_off_samples, result.saturated_samples) == (frame.lead_off_samples, frame.saturated_samples)
        assert result.input.tobytes() == frame.data.tobytes()
        assert result.scores.tobytes() == scores.tobytes()
        assert result.mask.tobytes() == mask.tobytes()
        assert result.segments == segments(mask, parameters.rules)


def test_a_stream_equals_the_reference(segmenter: Image) -> None:
    raw = ecg()
    with ending_well(PipePort(segmenter.elf)) as port:
        client = connected(port)
        client.require_model(model_double.SHA256)
        assert_equal_to_python(list(client.stream(stream_of(raw))), raw)
        assert client.counters.retries == 0


def test_chunks_of_any_size_give_the_same_frames(segmenter: Image) -> None:
    raw = ecg()
    samples = stream_of(raw)
    with ending_well(PipePort(segmenter.elf)) as port:
        client = connected(port)
        chance = random.Random(5)
        results, start = [], 0
        client.reset_stream()
        while start < samples.size:
            size = chance.choice([1, 2, 7, 64, 65, 250, 499, client.max_chunk])
            if client.push(start, samples[start : start + size]).frame_ready:
                results.append(client.frame())
            start += size
        assert_equal_to_python(results, raw)


@pytest.mark.parametrize("direction", ["to_device", "to_host"])
def test_one_corrupted_byte_costs_one_retry_and_changes_nothing(segmenter: Image, direction: str) -> None:
    raw = ecg(3.0)
    # Far behind HELLO and its answer, in the middle of the samples or of the results.
    position = {"to_device": 1500, "to_host": 700}[direction]
    plan = FaultPlan(flip_at=frozenset({position}))
    with ending_well(PipePort(segmenter.elf)) as port:
        wire = FaultyPort(port, **{direction: plan})
        client = connected(wire, answer_seconds=SHORT_WAIT)
        assert_equal_to_python(list(client.stream(stream_of(raw))), raw)
        assert wire.to_device_faults.flipped + wire.to_host_faults.flipped == 1
        assert client.counters.retries == 1
        stats = client.stats()
        assert client.counters.crc_errors == (1 if direction == "to_host" else 0)
        damaged = stats.bad_crc + stats.bad_cobs + stats.oversized + stats.too_short
        assert (damaged, stats.repeats) == ((1, 0) if direction == "to_device" else (0, 1))


@pytest.mark.parametrize("seed", range(4))
def test_a_bad_wire_changes_no_result(segmenter: Image, seed: int) -> None:
    raw = ecg(40.0, seed)
    # About every fifth request of a kilobyte, or its answer, is hit.
    rate = 0.00005
    plan = FaultPlan(drop=rate, flip=rate, duplicate=rate, insert=rate, swap=rate)
    with ending_well(PipePort(segmenter.elf)) as port:
        wire = FaultyPort(port, to_device=plan, to_host=plan, seed=seed)
        client = connected(wire, answer_seconds=SHORT_WAIT, attempts=8)
        results = list(client.stream(stream_of(raw)))
        assert_equal_to_python(results, raw)
        assert wire.to_device_faults.total + wire.to_host_faults.total > 0
        assert client.counters.retries > 0


def test_late_answers_are_not_taken_for_later_ones(segmenter: Image) -> None:
    raw = ecg(3.0)
    late = FaultPlan(delay=0.2, delay_seconds=0.08)
    with ending_well(PipePort(segmenter.elf)) as port:
        wire = FaultyPort(port, to_host=late, seed=2)
        client = connected(wire, answer_seconds=0.05, attempts=8)
        assert_equal_to_python(list(client.stream(stream_of(raw))), raw)
        assert client.counters.retries > 0
        assert client.counters.stray_answers > 0


def test_a_dead_wire_is_an_error_and_not_a_hang(segmenter: Image) -> None:
    with ending_well(PipePort(segmenter.elf)) as port:
        client = DeviceClient(FaultyPort(port, to_device=FaultPlan(drop=1.0)), answer_seconds=0.02, attempts=3)
        with pytest.raises(LinkError, match="does not answer"):
            client.hello()
        assert client.counters.retries == 2


def test_the_stream_refuses_what_does_not_continue_it(segmenter: Image) -> None:
    samples = stream_of(ecg(6.0))
    with ending_well(PipePort(segmenter.elf)) as port:
        client = connected(port)
        client.reset_stream()
        assert client.push(0, samples[:100]).samples_seen == 100
        for first in (0, 99, 101, 0xFFFFFFFF):
            with pytest.raises(WrongIndexError) as error:
                client.push(first, samples[:10])
            assert error.value.expected == 100
        assert client.push(100, samples[100:110]).samples_seen == 110
        client.reset_stream()
        assert client.push(0, samples[:1]).samples_seen == 1


@pytest.mark.slow
def test_a_chunk_may_complete_one_frame_and_no_more(tmp_path: Path) -> None:
    # With a hop of 10 samples at 100 Hz a frame is complete after every 50 raw samples.
    generated = model_double.write_segmenter(tmp_path / "generated", model_double.parameters(hop=10))
    image = build("host", generated, out_dir=tmp_path / "image")
    samples = stream_of(ecg(6.0))
    with ending_well(PipePort(image.elf)) as port:
        client = connected(port)
        client.reset_stream()
        first = 0
        while not client.push(first, samples[first : first + 1]).frame_ready:
            first += 1
        first += 1
        with pytest.raises(DeviceError, match="TOO_MANY_FRAMES"):
            client.push(first, samples[first : first + 100])
        assert client.push(first, samples[first : first + 99]).frames_done == 2


def test_results_end_with_the_command_that_overwrites_them(segmenter: Image) -> None:
    samples = stream_of(ecg(3.0))
    with ending_well(PipePort(segmenter.elf)) as port:
        client = connected(port)
        with pytest.raises(DeviceError, match="NO_FRAME"):
            client.frame()
        frame = next(client.stream(samples))
        first = model_double.first_layer(frame.input).tobytes()
        assert client.trace(0, len(first)) == first
        with pytest.raises(DeviceError, match="NO_FRAME"):
            client.frame()
        with pytest.raises(DeviceError, match="NO_RESULT"):
            client.read(ReadKind.SCORES, 10)
        assert client.read(ReadKind.INPUT, 250) == frame.input.tobytes()
        scores = model_double.scores(frame.input).tobytes()
        assert client.trace(1, len(scores)) == scores
        assert client.bench(BenchKind.INFERENCE, 3) > 0
        with pytest.raises(DeviceError, match="NO_RESULT"):
            client.read(ReadKind.TRACE, 10)


def test_a_model_that_is_no_segmenter_is_fed_directly(plain: Image) -> None:
    data = np.random.default_rng(1).integers(-128, 128, PLAIN_INPUTS).astype(np.int8)
    with ending_well(PipePort(plain.elf)) as port:
        client = connected(port)
        assert not client.info.has_stream
        assert client.infer(data).tobytes() == model_double.scores(data, 1).tobytes()
        first = model_double.first_layer(data).tobytes()
        assert client.trace(0, len(first)) == first
        assert [layer.name for layer in client.layers()] == ["ADD", "CONV_2D"]
        with pytest.raises(DeviceError, match="NO_STREAM"):
            client.reset_stream()


def test_an_input_has_to_be_written_whole_and_in_order(plain: Image) -> None:
    data = np.arange(PLAIN_INPUTS, dtype=np.int64).astype(np.int8)
    with ending_well(PipePort(plain.elf)) as port:
        client = connected(port)
        client.write_input(data[:1500])
        with pytest.raises(DeviceError, match="INPUT_INCOMPLETE"):
            client.trace(0, PLAIN_INPUTS)
        with pytest.raises(DeviceError, match="OUT_OF_RANGE"):
            client.write_input(np.zeros(PLAIN_INPUTS + 1, dtype=np.int8))
        assert client.infer(data).tobytes() == model_double.scores(data, 1).tobytes()


def test_a_restart_ends_the_session_and_the_stream(segmenter: Image) -> None:
    samples = stream_of(ecg(3.0))
    with ending_well(PipePort(segmenter.elf)) as port:
        client = connected(port)
        client.reset_stream()
        client.push(0, samples[:100])
        client.restart()
        assert client.push(0, samples[:10]).samples_seen == 10
        assert client.stats().stale == 0


def test_another_model_is_refused(segmenter: Image) -> None:
    with ending_well(PipePort(segmenter.elf)) as port, pytest.raises(LinkError, match="another model"):
        connected(port).require_model("00" * 32)


def random_request(chance: random.Random) -> tuple[int, bytes]:
    """A command, known or not, with a payload that is often nearly right."""
    command = chance.choice([*Command, 0, 0x0F, 0x42, 0x80, 0xFF])
    if command == Command.BENCH:
        # Few repetitions: the device works through all of them before it answers.
        layer = chance.choice([0, 1, 2, 0xFFFF])
        return command, struct.pack("<BHH", chance.randrange(5), layer, chance.randrange(3))
    shapes = {
        Command.HELLO: struct.pack("<I", chance.choice([1, 2])),
        Command.PUSH: struct.pack("<I", 0) + chance.randbytes(chance.choice([2, 3, 500, 1020])),
        Command.READ: struct.pack(
            "<BIH", chance.randrange(6), chance.choice([0, 1, 249, 999, 1 << 31]), chance.randrange(1100)
        ),
        Command.WRITE: struct.pack("<I", chance.choice([0, 100, 250, 1 << 31]))
        + chance.randbytes(chance.choice([1, 100, 250, 251])),
        Command.TRACE: struct.pack("<H", chance.randrange(4)),
        Command.LAYER: struct.pack("<H", chance.randrange(4)),
        Command.SET_BAUD: struct.pack("<I", chance.choice([0, 9600, 115200, 0xFFFFFFFF])),
        Command.SET_CLOCK: struct.pack("<I", chance.choice([0, 96000000])),
    }
    payload = shapes.get(Command(command), b"") if command in set(Command) else b""
    if chance.random() < 0.2:
        payload = chance.randbytes(chance.choice([0, 1, 4, 7, 100, PAYLOAD_MAX]))
    return command, payload


class Conversation:
    """Sends bodies one after the other; each good one has to come back as exactly one answer."""

    def __init__(self, port: PipePort) -> None:
        self.port = port
        self.decoder = FrameDecoder()

    def ask(self, command: int, sequence: int, payload: bytes) -> bytes:
        self.port.write(encode_frame(request_body(command, sequence, payload)))
        self.port.timeout = 20.0
        bodies: list[bytes] = []
        while not bodies:
            data = self.port.read(4096)
            assert data, "no answer"
            bodies = self.decoder.feed(data)
        assert len(bodies) == 1
        assert bodies[0][:4] == struct.pack("<BBH", 1, command | ANSWER_BIT, sequence)
        return bodies[0]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["segmenter", "plain"])
def test_random_requests_and_noise_get_one_answer_each_and_break_nothing(
    kind: str, seed: int, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(seed)
    with ending_well(PipePort(request.getfixturevalue(kind).elf)) as port:
        conversation = Conversation(port)
        for sequence in range(300):
            if chance.random() < 0.2:
                # Noise without a good checksum in it gets no answer; the next frame's first delimiter ends it.
                port.write(chance.randbytes(chance.choice([1, 5, 80, 3000])))
            command, payload = random_request(chance)
            if command == Command.RESTART and chance.random() < 0.8:
                continue
            body = conversation.ask(command, sequence, payload)
            error = struct.unpack_from("<H", body, 4)[0]
            assert error in error_table()
            if error == 0 and command == Command.RESTART and not payload:
                assert conversation.ask(Command.STATS, sequence + 1, b"")[4] == error_number("NO_SESSION")
    assert conversation.decoder.counters.damaged == 0
