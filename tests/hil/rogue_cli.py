"""`invoke hil-test` with a rogue device in the target's place: everything but rendering, building and starting."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from rich.console import Console

from ecgseg.commands import guard as guard_module
from ecgseg.commands import hil_perform
from ecgseg.commands.guard import guard
from ecgseg.data.inputs import Inputs
from ecgseg.hil import runner, stream_runner
from ecgseg.hil.runner import HilOptions
from ecgseg.image.build import Image
from ecgseg.link import DeviceClient
from ecgseg.link.transport import OnWait
from ecgseg.models import ModelFile
from hil.rogue_bytes import Part, Stated
from hil.rogue_device import BUILD_ID, MODEL_NAME, RogueDevice


@dataclass
class Running:
    """A target that is there already, and that is waited for as shortly as one that says nothing may be."""

    device: RogueDevice
    answer_seconds: ClassVar[float] = 0.02

    def connect(self, on_wait: OnWait | None = None) -> DeviceClient:
        client = DeviceClient(self.device, answer_seconds=self.answer_seconds, attempts=2, on_wait=on_wait)
        client.hello()
        return client


@dataclass(frozen=True)
class Outcome:
    """Exit code, everything on the terminal, and the two files; None and "" without one."""

    code: int
    text: str
    result: dict[str, object] | None
    page: str

    @property
    def verdict(self) -> object:
        """Of the JSON; None without one."""
        return self.result["verdict"] if self.result else None


@dataclass(frozen=True)
class HilTest:
    """Runs the task.

    Attributes:
        folder: for what it writes.
        is_stream: of a model of a stream.
        resume: go on with what a test before has left.
    """

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    folder: Path
    is_stream: bool = False
    resume: bool = False

    @property
    def json(self) -> Path:
        return self.folder / "result.json"

    @property
    def html(self) -> Path:
        return self.folder / "page.html"

    @property
    def vectors(self) -> Path:
        return self.folder / "vectors"

    def __post_init__(self) -> None:
        wide = {"width": 400, "color_system": None}
        for module, name in ((hil_perform, "console"), (hil_perform, "messages"), (guard_module, "messages")):
            self.monkeypatch.setattr(module, name, Console(stderr=name == "messages", **wide))  # type: ignore[arg-type]

    def __call__(self, device: RogueDevice) -> Outcome:
        """What the task ends with. Files of a run before are removed."""
        for path in (self.json, self.html):
            if path.is_file():
                path.unlink()
        self._put_in_place(device)
        try:
            with guard():
                options = HilOptions("host", vectors=self.vectors)
                places = hil_perform.Places(html=self.html, json=self.json)
                code = hil_perform.perform(options, places, is_stream=self.is_stream, resume=self.resume)
        except SystemExit as left:
            code = int(str(left.code))
        said = self.capsys.readouterr()
        told = json.loads(self.json.read_text()) if self.json.is_file() else None
        return Outcome(code, said.out + said.err, told, self.html.read_text() if self.html.is_file() else "")

    def check_bytes(
        self,
        part: Part,
        device: Callable[[Part, int, int], RogueDevice],
        wanted: Stated,
        places: Iterable[tuple[int, int]],
    ) -> None:
        """Changes these bits of these bytes, one after the other; each gets what is stated for the part."""
        for offset, bits in places:
            outcome = self(device(part, offset, bits))
            where = (part.name, offset, bits, outcome.text)
            assert (outcome.code, outcome.verdict) in wanted.ends, where
            assert wanted.says in outcome.text or outcome.verdict == "pass", where
            assert (outcome.page != "") == (outcome.result is not None), where
            assert "Traceback" not in outcome.text

    def _put_in_place(self, device: RogueDevice) -> None:
        known = device.known
        path = known.folder / f"{MODEL_NAME}.tflite"
        inputs = Inputs("synthetic", (known.record.record_id,), (known.record.lead,), ready=(known.record,))
        image = Image(path, None, path, "host", BUILD_ID, {"flash": 1, "ram": 1})

        @contextmanager
        def opened(*_: object) -> Iterator[Running]:
            yield Running(device)

        for name, value in (
            ("find_model", lambda *_: ModelFile(MODEL_NAME, path, known.model, False)),
            ("Segmenter", lambda *_: known.reference),
            ("StreamReference", lambda *_: known.reference),
            ("choose_inputs", lambda *_: inputs),
            ("generate", lambda *_, **__: known.folder),
            ("build_image", lambda *_, **__: image),
            ("open_target", opened),
        ):
            for module in (runner, stream_runner):
                self.monkeypatch.setattr(module, name, value, raising=False)
