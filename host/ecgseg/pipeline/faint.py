"""P waves that a network misses by little, found where the beats before had theirs.

The reference of firmware/pipeline/ecgseg_faint.c. What makes a P wave of them is that they come at the same distance
from QRS (docs/architecture.md, section 11, rule 9).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecgseg.graph.ir import Graph
from ecgseg.pipeline.rules import BEAT_RULES, BeatRules
from ecgseg.pipeline.waves import Wave

# Beside NONE, P, QRS and T: NONE by little, P would be next.
FAINT_P = 4
_NONE, _P = 0, 1
# Places of P waves that are kept, of as many beats.
MOST_PLACES = 8
# Of quantised scores, the margin is a byte.
_LARGEST_MARGIN = 255
# Operators that make logits, and those that pass scores on as they are.
_MAKING = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "ADD", "SUB")
_PASSING = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "QUANTIZE")


def faint_margin(graph: Graph, rules: BeatRules = BEAT_RULES) -> int:
    """How far a score of P may be below that of NONE, in steps of the output's quantisation.

    0, of which nothing is faint, where the scores are not plainly logits: of probabilities no difference says how sure
    a network is.
    """
    if _last_operator(graph) not in _MAKING:
        return 0
    return min(int(rules.faint / 100 / float(graph.tensors[graph.outputs[0]].scale)), _LARGEST_MARGIN)


def _last_operator(graph: Graph) -> str:
    """Name of the operator that computes the scores; "" for a network without one."""
    tensor = graph.outputs[0]
    for operator in reversed(graph.operators):
        if tensor in operator.outputs:
            if operator.name not in _PASSING:
                return operator.name
            tensor = operator.inputs[0]
    return ""


def labels_of(scores: npt.NDArray[np.number], margin: float) -> npt.NDArray[np.uint8]:
    """The class of the largest score, of equal ones the first; FAINT_P for NONE when P is at most `margin` below.

    Args:
        scores: [n, 4], quantised or not.
        margin: in their unit; 0 knows no FAINT_P.

    Returns:
        uint8 [n].
    """
    labels: npt.NDArray[np.uint8] = np.argmax(scores, axis=1).astype(np.uint8)
    if margin:
        below = scores[:, _NONE].astype(np.float64) - scores[:, _P]
        labels[(labels == _NONE) & (below <= margin)] = FAINT_P
    return labels


def classes_of(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """What a network answers of labels with FAINT_P: NONE there."""
    return np.where(labels == FAINT_P, _NONE, labels).astype(np.uint8)


class FaintWaves:
    """Runs of P and FAINT_P, and how far in front of QRS those of the last beats were.

    Args:
        rules: the table of rules.
    """

    def __init__(self, rules: BeatRules) -> None:
        self._rules = rules
        self.start()

    def start(self) -> None:
        """Nothing is known of the signal before."""
        self.forget()
        self.drop()

    def forget(self) -> None:
        """Nothing is known of the beats before."""
        self._places: list[int] = []

    def drop(self) -> None:
        """What was seen so far is of no beat that comes."""
        self._run = self._kept = Wave()

    def drop_before(self, sample: int) -> None:
        """What began in front of this sample is no P wave of the next beat."""
        if self._run.first < sample:
            self._run = Wave()
        if self._kept.first < sample:
            self._kept = Wave()

    def follow(self, now: int, *, continues: bool) -> None:
        """Sample `now` is P or nearly so; `continues` says whether the sample before had contact."""
        if self._run.label and now - self._run.last <= self._rules.faint_gap + 1:
            self._run.last = now
            return
        if self._is_one(self._run):
            self._kept = self._run
        self._run = Wave(_P, now, now, continues, ends=True)

    def p_wave(self, p: Wave, qrs_first: int, *, is_confirmed: bool) -> Wave:
        """The P wave of a beat that begins, and remembers where it is.

        Args:
            p: that of the network, of label 0 without one.
            qrs_first: first sample of the QRS complex.
            is_confirmed: the beats before are told, not held: without one of the network a faint one will do.

        Returns:
            A wave, of label 0 without one.
        """
        wave = p if p.label else self._last_run(qrs_first)
        place = 2 * qrs_first - wave.first - wave.last if wave.label and wave.begins else 0
        near = 2 * self._rules.pr_alike
        alike = sum(other != 0 and abs(other - place) <= near for other in self._places) if place else 0
        self._places = [*self._places[1 - MOST_PLACES :], place]
        self.drop()
        return wave if p.label or (is_confirmed and alike >= self._rules.faint_alike) else Wave()

    def _last_run(self, qrs_first: int) -> Wave:
        wave = self._run if self._is_one(self._run) else self._kept
        return wave if wave.label and qrs_first - wave.first <= self._rules.max_pr else Wave()

    def _is_one(self, run: Wave) -> bool:
        """Neither too short nor too long, and not cut by a loss of contact."""
        return bool(run.label) and run.begins and self._rules.faint_least <= run.length <= self._rules.faint_most
