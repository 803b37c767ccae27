"""The two kinds of HIL tests, of frames and of a stream, as `invoke hil-test` goes through either."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console

from ecgseg.data.inputs import Inputs
from ecgseg.hil import runner, stream_runner
from ecgseg.hil.result import HilRun
from ecgseg.hil.runner import HilOptions, OnStep
from ecgseg.hil.stream_result import StreamRun
from ecgseg.link.transport import OnWait
from ecgseg.report import html, stream_html, stream_terminal, stream_texts, terminal, texts


@dataclass(frozen=True)
class Frames:
    """A finished test of a model of frames, or of one that does not segment."""

    finished: HilRun

    @staticmethod
    def run(tested: HilOptions, on_step: OnStep, on_wait: OnWait, *, inputs: Inputs | None) -> HilRun:
        """Runs it."""
        return runner.run(tested, on_step, on_wait, inputs=inputs)

    @property
    def reached(self) -> str:
        """How far it came."""
        return texts.reached(self.finished.result)

    def show(self, console: Console) -> None:
        """Prints its result."""
        terminal.show_result(self.finished.result, console)

    def page(self) -> str:
        """Its page."""
        return html.render_report(self.finished)


@dataclass(frozen=True)
class Stream:
    """A finished test of a model of a stream."""

    finished: StreamRun

    @staticmethod
    def run(tested: HilOptions, on_step: OnStep, on_wait: OnWait, *, inputs: Inputs | None) -> StreamRun:
        """Runs it."""
        return stream_runner.run(tested, on_step, on_wait, inputs=inputs)

    @property
    def reached(self) -> str:
        """How far it came."""
        return stream_texts.reached(self.finished.result)

    def show(self, console: Console) -> None:
        """Prints its result."""
        stream_terminal.show_result(self.finished.result, console)

    def page(self) -> str:
        """Its page."""
        return stream_html.render_report(self.finished)
