"""The image that is flashed, in the simulator, behind a pty: the same test as on every target."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from ecgseg.errors import TargetError
from ecgseg.hil.runner import HilOptions, run
from ecgseg.image.backends import generate
from ecgseg.image.build import Image, build
from ecgseg.link import DeviceClient, Port
from ecgseg.link.numbers import DEFAULT_BAUD, BenchKind
from ecgseg.models import find_model
from ecgseg.profile.board import CORE_HZ, profile_board
from ecgseg.report.hardware import COLUMNS, hardware_page, rows
from ecgseg.targets import TargetOptions, open_target
from ecgseg.targets.calibration import calibration
from support.apollo4p_image import machine_of
from support.machine_port import MachinePort

pytestmark = pytest.mark.qemu
RECORDS = (8, 104)
PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def image() -> Image:
    return build("apollo4p_evb", generate(find_model()))


def test_every_byte_is_equal_and_the_bin_is_the_one_that_is_flashed(tmp_path: Path, image: Image) -> None:
    finished = run(HilOptions("apollo4p-sim", records=RECORDS, leads=("ii",), vectors=tmp_path))
    result = finished.result
    assert (result.verdict, result.mismatched_bytes, result.error) == ("pass", 0, None)
    assert result.frames == result.expected_frames > 0
    assert (result.target, result.board, result.retries) == ("apollo4p-sim", "apollo4p_evb", 0)
    assert result.timing.unit == "core clock cycles"
    assert result.timing.parts["inference"].min > result.macs / 2  # two multiply-accumulates a cycle at best
    assert result.build_id == image.build_id


def test_the_simulator_tells_the_hash_of_the_bin(image: Image) -> None:
    assert image.bin is not None
    with open_target("apollo4p-sim", image, TargetOptions()) as running, running.connect() as client:
        client.hello()
        told = re.search(r"SHA-256 ([0-9a-f]{64})", running.log)
    assert told is not None
    assert told.group(1) == hashlib.sha256(image.bin.read_bytes()).hexdigest()


def test_a_higher_baud_rate_and_both_clocks_work_over_the_pty(image: Image) -> None:
    with open_target("apollo4p-sim", image, TargetOptions()) as running, running.connect() as client:
        client.set_baud(921_600)
        for hz in CORE_HZ:
            assert client.set_clock(hz) == hz
        stats = client.stats()
    assert (stats.rx_overruns, stats.rx_framing_errors, stats.bad_crc) == (0, 0, 0)


class _Chatty:
    """A port that sends thousands of short, senseless frames right behind one request."""

    FRAME = b"\x05\x01\x02\x03\x04\x00"
    FRAMES = 2000

    def __init__(self, port: Port) -> None:
        self._port = port
        self.armed = False

    def write(self, data: bytes) -> int | None:
        """Sends, once with the flood behind it."""
        extra = self.FRAME * self.FRAMES if self.armed else b""
        self.armed = False
        self._port.write(data + extra)
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


def test_no_byte_is_lost_at_the_highest_rate_while_inference_runs(
    image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The board's time passes as answers are read and the host has patience: a busy computer is no line that loses.
    monkeypatch.setattr("ecgseg.link.client._BAUD_TRIAL_SECONDS", PATIENCE_SECONDS)
    port = MachinePort(machine_of(image.elf), DEFAULT_BAUD)
    client = DeviceClient(port, answer_seconds=PATIENCE_SECONDS, attempts=1)
    client.set_baud(client.info.max_baud)
    client.transport.port = chatty = _Chatty(port)
    before = client.stats()
    chatty.armed = True
    # 12,000 bytes take 80 ms, the inferences more.
    client.bench(BenchKind.INFERENCE, 20, answer_seconds=PATIENCE_SECONDS)
    after = client.stats()
    bad = sum(getattr(after, name) - getattr(before, name) for name in ("bad_crc", "bad_cobs", "too_short"))
    assert bad == _Chatty.FRAMES
    assert (after.rx_overruns, after.rx_framing_errors, client.counters.retries) == (0, 0, 0)


def test_a_restart_comes_back_with_a_software_reset(image: Image) -> None:
    with open_target("apollo4p-sim", image, TargetOptions()) as running, running.connect() as client:
        info = client.restart()
    assert info.reset_cause == 1 << 3
    assert info.fault is None


def test_a_program_that_breaks_a_rule_is_reported_with_its_source_line(tmp_path: Path, image: Image) -> None:
    assert image.bin is not None
    broken = bytearray(image.bin.read_bytes())
    # The key of the pads is a literal of the instruction MOVS Rn, #0x73.
    places = [n for n in range(0, len(broken), 2) if broken[n] == 0x73 and broken[n + 1] >> 3 == 0b00100]
    for place in places:
        broken[place] = 0x72
    wrong = tmp_path / "wrong.bin"
    wrong.write_bytes(broken)
    changed = Image(image.elf, wrong, image.map, image.board, image.build_id, image.sizes)
    with (
        pytest.raises(TargetError, match=r"PADKEY.*value 0x00000072.*pads\.c:\d+"),
        open_target("apollo4p-sim", changed, TargetOptions(start_seconds=5.0)) as running,
    ):
        running.connect()


def test_a_profile_says_what_is_modelled_and_holds_its_own_range() -> None:
    profile = profile_board(find_model(), layers=True)
    assert (profile.quality, profile.time_base) == ("modelled", "cycles")
    slow, fast = profile.clocks
    assert (slow.core_hz, fast.core_hz) == CORE_HZ
    assert fast.inference_range is not None
    assert fast.inference_range[0] <= fast.inference_cycles <= fast.inference_range[1]
    assert slow.inference_cycles == pytest.approx(fast.inference_cycles, rel=0.001)
    assert sum(fast.layer_cycles) == pytest.approx(fast.inference_cycles, rel=0.02)
    assert slow.energy_uj is None
    assert fast.energy_uj is not None
    low, factor, high = calibration().factors
    assert profile.calibration == (low, factor, high)
    modelled_ms = (fast.inference_cycles + fast.preprocess_cycles) / fast.core_hz * 1e3
    assert fast.inference_ms + fast.preprocess_ms == pytest.approx(factor * modelled_ms, rel=0.001)
    assert fast.frame_ms_range == pytest.approx((low * modelled_ms, high * modelled_ms), rel=0.001)
    assert fast.duty_range == pytest.approx((low * modelled_ms / 2500, high * modelled_ms / 2500), rel=0.01)
    assert fast.energy_uj == pytest.approx((low * modelled_ms * 9.4, high * modelled_ms * 18.6), rel=0.001)
    assert all(len(row) == len(COLUMNS) for row in rows(profile))
    page = hardware_page([profile])
    assert profile.bin_sha256 in page
    assert "*modelled*" in page
    assert "measured on the 40" in page
