"""P waves that a network misses by little are told where the beats before had theirs, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from ecgseg.graph.load import load_tflite
from ecgseg.pipeline import LEAD_OFF
from ecgseg.pipeline.beats import BeatFinder
from ecgseg.pipeline.events import Event, EventFlag, EventKind
from ecgseg.pipeline.faint import FAINT_P, MOST_PLACES, FaintWaves, classes_of, faint_margin, labels_of
from ecgseg.pipeline.rules import BEAT_RULES, BeatRules
from ecgseg.pipeline.waves import Wave
from support.stream_models import TimeModel
from support.streams_of_classes import Classes, beats, events_of

P = EventFlag.P_ON | EventFlag.P_OFF
APART = 90
COUNT = 14
# From the onset of a P wave to that of its QRS complex, and how long the wave is.
PR, LENGTH = 20, 9
# So many beats are told before the first faint wave: those that it is compared with.
BEFORE = BEAT_RULES.faint_alike


def stream(labels: Sequence[int], pr: Sequence[int] = (), length: int = LENGTH) -> Classes:
    """Regular beats, each with a P wave of this label that begins so many samples in front of its QRS complex."""
    onsets = [60 + APART * number for number in range(len(labels))]
    classes = beats(onsets, onsets[-1] + 150, p=False)
    for onset, label, distance in zip(onsets, labels, pr or [PR] * len(labels), strict=True):
        classes.labels[onset - distance : min(onset - distance + length, onset)] = label
    return classes


def told_beats(classes: Classes, rules: BeatRules = BEAT_RULES) -> list[Event]:
    return [event for event in events_of(classes, BeatFinder(rules=rules)) if event.kind == EventKind.BEAT]


def pr_of(classes: Classes) -> list[int]:
    """PR of each beat in samples, 0 without a P wave."""
    return [event.pr_ms // 10 if event.has(P) else 0 for event in told_beats(classes)]


def test_a_wave_that_is_missed_now_and_then_is_found_with_both_its_ends() -> None:
    labels = [1] * COUNT
    labels[6] = labels[9] = labels[10] = FAINT_P
    told = told_beats(stream(labels))
    assert [event.pr_ms for event in told] == [10 * PR] * COUNT
    assert len({event.p_off - event.p_on for event in told}) == 1
    # Without a trace of it none is made up.
    labels[9] = 0
    assert pr_of(stream(labels))[9] == 0


def test_waves_that_are_all_faint_are_found_once_enough_of_them_are_in_place() -> None:
    assert pr_of(stream([FAINT_P] * COUNT)) == [0] * BEFORE + [PR] * (COUNT - BEFORE)


def test_what_comes_anywhere_is_no_p_wave() -> None:
    """As in fibrillation that conducts regularly, or in noise."""
    places = [12, 36, 20, 28, 14, 34, 22, 30, 12, 38, 26, 18, 33, 23]
    assert not any(pr_of(stream([FAINT_P] * COUNT, places, length=BEAT_RULES.faint_least)))


@pytest.mark.parametrize(("moved", "found"), [(0, True), (BEAT_RULES.pr_alike, True), (BEAT_RULES.pr_alike + 1, False)])
def test_a_wave_is_in_place_to_within_what_makes_pr_alike(moved: int, found: bool) -> None:
    pr = [PR] * COUNT
    pr[-1] = PR - moved
    labels = [1] * (COUNT - 1) + [FAINT_P]
    assert pr_of(stream(labels, pr, length=8))[-1] == (PR - moved if found else 0)


def test_of_the_last_beats_enough_must_have_one_in_place() -> None:
    for seen in range(MOST_PLACES + 1):
        labels = [1] * (COUNT - MOST_PLACES - 1) + [0] * (MOST_PLACES - seen) + [1] * seen + [FAINT_P]
        assert (pr_of(stream(labels))[-1] == PR) == (seen >= BEAT_RULES.faint_alike)


@pytest.mark.parametrize(("length", "found"), [(7, False), (8, True), (25, True)])
def test_a_run_is_as_long_as_a_wave(length: int, found: bool) -> None:
    pr = [PR] * (COUNT - 1) + [PR - LENGTH // 2 + length // 2]
    classes = stream([1] * (COUNT - 1) + [0], pr)
    onset = 60 + APART * (COUNT - 1)
    classes.labels[onset - pr[-1] : min(onset - pr[-1] + length, onset)] = FAINT_P
    assert (pr_of(classes)[-1] > 0) == found


def test_a_longer_run_than_any_wave_is_none() -> None:
    waves = FaintWaves(BEAT_RULES)
    for now in range(100, 101 + BEAT_RULES.faint_most):
        waves.follow(now, continues=True)
    assert waves.p_wave(Wave(), 130, is_confirmed=True).label == 0
    for number in range(BEAT_RULES.faint_alike + 1):
        assert waves.p_wave(Wave(1, 300, 309, True, True), 320, is_confirmed=True).label == 1, number
    for now in range(400, 400 + BEAT_RULES.faint_most):
        waves.follow(now, continues=True)
    assert waves.p_wave(Wave(), 427, is_confirmed=True) == Wave(1, 400, 399 + BEAT_RULES.faint_most, True, True)


@pytest.mark.parametrize(("label", "told"), [(1, PR), (FAINT_P, 0)])
def test_a_faint_wave_speaks_for_no_other_where_beats_come_irregularly(label: int, told: int) -> None:
    """As in fibrillation, where a network almost sees P waves in some beats; the same waves seen are kept."""
    onsets = np.cumsum([60, *(78 + 4 * (number % 2) for number in range(15))]).tolist()
    classes = beats(onsets, onsets[-1] + 150, p=False)
    for number, onset in enumerate(onsets):
        if number % 4 != 1:
            classes.labels[onset - PR : onset - PR + LENGTH] = 1 if number < BEFORE else label
    assert pr_of(classes)[-1] == told


def test_beats_that_are_held_get_none() -> None:
    """What is not confirmed yet is not made more certain by what is faint."""
    rules = BeatRules(confirm=6, most_held=7)
    told = told_beats(stream([FAINT_P] * COUNT), rules)
    assert [event.has(P) for event in told] == [False] * 6 + [True] * (COUNT - 6)


def with_places(place: int) -> FaintWaves:
    """As many beats as it takes had their P waves there: twice so far in front of QRS."""
    waves = FaintWaves(BEAT_RULES)
    middle = 640 - place
    for _ in range(BEAT_RULES.faint_alike):
        waves.p_wave(Wave(1, middle // 2, middle - middle // 2, True, True), 320, is_confirmed=True)
    return waves


def told_of(samples: Iterable[int], *, place: int = 640 - 296 - 305, continues: bool = True, t_end: int = 0) -> Wave:
    """What is told of a beat whose QRS complex begins at 320, of these samples that are nearly P."""
    waves = with_places(place)
    for now in samples:
        waves.follow(now, continues=continues)
    waves.drop_before(t_end)
    return waves.p_wave(Wave(), 320, is_confirmed=True)


WAVE = Wave(1, 296, 305, True, True)


@pytest.mark.parametrize("missing", range(1, 4))
def test_as_many_other_samples_as_the_rules_say_do_not_end_a_run(missing: int) -> None:
    found = told_of([*range(296, 300), *range(300 + missing, 306)])
    assert (found == WAVE) == (missing <= BEAT_RULES.faint_gap)


def test_a_run_behind_which_a_few_samples_are_nearly_p_is_not_forgotten() -> None:
    assert told_of([*range(296, 306), 310, 315]) == WAVE
    # One that might be a wave takes its place.
    assert told_of([*range(296, 306), *range(308, 308 + BEAT_RULES.faint_least)]).label == 0


def test_what_begins_in_front_of_the_end_of_a_t_wave_is_none_of_the_next_beat() -> None:
    for samples in (range(296, 306), [*range(296, 306), 310]):
        assert told_of(samples, t_end=296) == WAVE
        assert told_of(samples, t_end=297).label == 0


def test_between_the_parts_of_a_t_wave_there_is_none() -> None:
    onsets = [60 + 62 * number for number in range(COUNT)]
    classes = beats(onsets, onsets[-1] + 150)
    last = onsets[-1]
    classes.labels[last - 18 : last - 8] = FAINT_P
    assert pr_of(classes)[-1] == 18
    classes.labels[last - 36 : last - 2] = 3
    classes.labels[last - 19 : last - 19 + BEAT_RULES.faint_least] = FAINT_P
    assert pr_of(classes)[-1] == 0


def test_a_run_that_begins_too_early_for_its_complex_is_none() -> None:
    for distance in (BEAT_RULES.max_pr, BEAT_RULES.max_pr + 1):
        first = 320 - distance
        found = told_of(range(first, first + 8), place=640 - 2 * first - 7)
        assert (found.label == 1) == (distance == BEAT_RULES.max_pr)


def test_a_run_whose_beginning_is_not_known_is_none() -> None:
    assert told_of(range(296, 306)) == WAVE
    assert told_of(range(296, 306), continues=False).label == 0


def test_a_run_is_of_one_beat_and_is_lost_with_the_contact() -> None:
    waves = with_places(39)
    for now in range(296, 306):
        waves.follow(now, continues=True)
    assert waves.p_wave(Wave(), 320, is_confirmed=True) == WAVE
    assert waves.p_wave(Wave(), 320, is_confirmed=True).label == 0
    for now in range(296, 306):
        waves.follow(now, continues=True)
    waves.drop()
    assert waves.p_wave(Wave(), 320, is_confirmed=True).label == 0


def test_a_wave_that_begins_without_contact_is_none() -> None:
    labels = [1] * (COUNT - 1) + [FAINT_P]
    classes = stream(labels)
    first = 60 + APART * (COUNT - 1) - PR
    assert pr_of(classes)[-1] == PR
    classes.samples[first - 2 : first] = LEAD_OFF
    assert pr_of(classes)[-1] == 0


def test_a_p_wave_that_is_told_alone_is_not_told_again_as_a_part_of_a_beat() -> None:
    """Two runs that are one wave, of which the second alone would be in place."""
    classes = stream([1] * (COUNT - 1) + [0], [36] * COUNT, length=5)
    onset = 60 + APART * (COUNT - 1)
    classes.labels[onset - 45 : onset - 40] = 1
    classes.labels[onset - 36 : onset - 31] = 1
    found = events_of(classes)
    assert sum(event.kind == EventKind.LONE_P for event in found) == 1
    assert not [event for event in found if event.kind == EventKind.BEAT][-1].has(P)


@pytest.mark.parametrize("contact", [True, False])
def test_after_a_pause_nothing_is_known_of_the_beats_before(contact: bool) -> None:
    classes = stream([1] * 6 + [FAINT_P] * 8)
    pause = BEAT_RULES.pause + 300
    cut = 60 + APART * 6 - PR - 5
    labels = np.insert(classes.labels, cut, np.zeros(pause, np.uint8))
    samples = np.insert(classes.samples, cut, np.rint(9 * np.sin(np.arange(pause) / 3)).astype(np.int16))
    if not contact:
        samples[cut + 100 : cut + 130] = LEAD_OFF
    assert pr_of(Classes(labels, samples)) == [PR] * 6 + [0] * BEFORE + [PR] * (8 - BEFORE)


@pytest.mark.parametrize(
    ("scores", "margin", "label"),
    [
        ([20, 10, 0, 0], 10, FAINT_P),
        ([20, 9, 0, 0], 10, 0),
        ([20, 20, 0, 0], 10, FAINT_P),
        ([20, 20, 0, 0], 0, 0),
        ([20, 21, 0, 0], 10, 1),
        ([20, 19, 21, 0], 10, 2),
        ([20, 19, 0, 21], 10, 3),
        ([127, -128, 0, 0], 255, FAINT_P),
        ([127, -128, 0, 0], 254, 0),
    ],
)
def test_a_label_is_faint_where_none_is_the_largest_by_little(scores: list[int], margin: int, label: int) -> None:
    found = labels_of(np.array([scores], np.int8), margin)
    assert found.tolist() == [label]
    assert classes_of(found).tolist() == [label % FAINT_P]


# How the scores of a small network go on, and whether they are still plainly logits.
ENDS: dict[str, tuple[tuple[str, ...], bool]] = {
    "convolution": ((), True),
    "reshaped": (("RESHAPE",), True),
    "softmax": (("SOFTMAX",), False),
    "sigmoid": (("LOGISTIC",), False),
    "softmax, reshaped": (("SOFTMAX", "RESHAPE"), False),
    "softmax, joined": (("SOFTMAX", "CONCATENATION"), False),
}


@pytest.mark.parametrize(("operators", "logits"), ENDS.values(), ids=ENDS)
def test_only_logits_have_a_margin_which_is_in_nats(operators: tuple[str, ...], logits: bool) -> None:
    model = TimeModel(300, seed=4).causal(7, channels=6).causal(3, channels=4)
    for name in operators:
        if name == "RESHAPE":
            model.apply(name, model.shape, "ReshapeOptions", constant=model.shape, newShape=model.shape)
        elif name == "CONCATENATION":
            doubled = [*model.shape[:3], 2 * model.shape[3]]
            model.apply(name, doubled, "ConcatenationOptions", axis=3, fusedActivationFunction=0)
        elif name == "SOFTMAX":
            model.apply(name, model.shape, "SoftmaxOptions", beta=1.0)
        else:
            model.apply(name, model.shape, None)
    graph = load_tflite(model.finish())
    scale = float(graph.tensors[graph.outputs[0]].scale)
    assert faint_margin(graph) == (int(2.8 / scale) if logits else 0)
    if logits:
        # Coarse steps tell nothing that fine ones do, and a byte holds the margin.
        assert faint_margin(graph, BeatRules(faint=int(90 * scale))) == 0
        assert faint_margin(graph, BeatRules(faint=10**6)) == 255
