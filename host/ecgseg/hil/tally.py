"""Counts what was compared and keeps the first frames that differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ecgseg.errors import OutputError
from ecgseg.hil import vectors
from ecgseg.hil.compare import Comparison, LayerDifference, stage_name
from ecgseg.hil.replay import replay_command
from ecgseg.hil.result import Mismatch

MAX_DETAILS = 10


@dataclass
class Tally:
    """Counts over all frames so far.

    Attributes:
        folder: where differing frames are kept.
        replay_words: what stands beside --replay in the command that runs one of them again.
        frames: frames that the device answered.
        expected_frames: frames that it should answer.
        differing_frames: frames that differ, missing and surplus ones included.
        compared, mismatched: bytes.
        mismatches: the first MAX_DETAILS differing frames.
        not_kept: why differing frames could not be kept, "" when they were.
    """

    folder: Path
    replay_words: tuple[str, ...] = ()
    frames: int = 0
    expected_frames: int = 0
    differing_frames: int = 0
    compared: int = 0
    mismatched: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)
    not_kept: str = ""

    @property
    def equal(self) -> bool:
        """No byte differed so far."""
        return self.mismatched == 0

    def add(self, comparison: Comparison) -> bool:
        """Counts an answered frame; True when it differs and its details are still wanted (see `keep`)."""
        self.frames += 1
        self.compared += comparison.compared
        self.mismatched += comparison.mismatched
        self.differing_frames += bool(comparison.differences)
        return bool(comparison.differences) and len(self.mismatches) < MAX_DETAILS

    def keep(
        self, vector: vectors.Vector, comparison: Comparison, layer: LayerDifference | None, note: str = ""
    ) -> None:
        """Keeps a frame that differs, as a file and in the list.

        Args:
            vector: what was sent and both results.
            comparison: of this frame, with a difference.
            layer: the first layer that differs, when the scores do.
            note: why no layer was found, when that has a reason.

        A file that cannot be written takes nothing away from the difference: the list then names none.
        """
        try:
            path = vectors.shown_path(vectors.save(vector, self.folder))
        except OutputError as error:
            path = None
            self.not_kept = error.what
        first = comparison.differences[0]
        self.mismatches.append(
            Mismatch(
                record=vector.record,
                lead=vector.lead,
                frame=vector.frame,
                stage=f"model ({note})" if note else stage_name(first, layer),
                compared=layer.difference.stage if layer else first.stage,
                offset=layer.difference.offset if layer else first.offset,
                expected=layer.difference.expected if layer else first.expected,
                actual=layer.difference.actual if layer else first.actual,
                differing_bytes=comparison.mismatched,
                vector=path,
                replay=replay_command(path, self.replay_words) if path else None,
            )
        )

    def add_hello(self, what: str) -> None:
        """Counts something in HELLO that is not what the host knows, or not what a right device tells."""
        self._add_whole(0, "-", 0, f"HELLO: {what}", "HELLO", 1)

    def add_layer(self, layer: LayerDifference) -> None:
        """Counts a layer that is described as another one."""
        self._add_whole(0, "-", 0, layer.name, "layer", 1)

    def add_wrong_answer(self, record: int, lead: str, frame: int, what: str) -> None:
        """Counts an answer that no right device gives."""
        self._add_whole(record, lead, frame, what, "answer", 1)
        self.differing_frames += 1

    def add_lost(self, record: int, lead: str, frame: int, stage: str, size: int) -> None:
        """Counts a frame that only one side has: every one of its `size` bytes differs; `stage` says which side."""
        self._add_whole(record, lead, frame, stage, "frame", size)
        self.differing_frames += 1

    def _add_whole(self, record: int, lead: str, frame: int, stage: str, compared: str, size: int) -> None:
        """Counts `size` bytes none of which is right, and tells of them as long as details are wanted."""
        self.compared += size
        self.mismatched += size
        if len(self.mismatches) < MAX_DETAILS:
            self.mismatches.append(
                Mismatch(
                    record=record,
                    lead=lead,
                    frame=frame,
                    stage=stage,
                    compared=compared,
                    offset=0,
                    expected=None,
                    actual=None,
                    differing_bytes=size,
                )
            )
