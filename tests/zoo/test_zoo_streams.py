"""Guards models of a stream: what they look ahead, what they are trained on, and that their int8 graph streams."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from ecgseg.errors import DataError
from ecgseg.graph.load import load_tflite
from ecgseg.graph.streaming import stream_of
from ecgseg.pipeline import UNANNOTATED, PreprocessParameters, RunningNormaliser, decimate, normalise_running
from ecgseg.pipeline.stream_segmenter import StreamSegmenter
from ecgseg.zoo import configuration as zoo
from ecgseg.zoo import dataset
from ecgseg.zoo.augmentation import change_level, interval_clock, scale_waves
from support.lazily import Lazily, needs_tensorflow

needs_tensorflow()
tf = Lazily("tensorflow")
builder = Lazily("ecgseg.zoo.builder")
corpora = Lazily("ecgseg.zoo.corpus")
float_model = Lazily("ecgseg.zoo.float_model")
forward = Lazily("ecgseg.zoo.forward")
model_folder = Lazily("ecgseg.zoo.model_folder")
quantise = Lazily("ecgseg.zoo.quantise")
train = Lazily("ecgseg.zoo.train")

pytestmark = pytest.mark.train

QUIET = Console(quiet=True)
BLOCKS = (
    zoo.BlockConfiguration(kernel=3, dilation=1),
    zoo.BlockConfiguration(kernel=3, dilation=8, ahead=5),
    zoo.BlockConfiguration(kernel=3, dilation=4, residual=True),
    zoo.BlockConfiguration(kernel=5, dilation=1, ahead=2),
)
CAUSAL = zoo.ArchitectureConfiguration(channels=8, stem_kernel=7, stride=2, blocks=BLOCKS, causal=True, stem_ahead=2)


def stream(**changes):
    schedule = zoo.ScheduleConfiguration(
        steps=12, batch=4, learning_rate=1e-2, warmup_steps=2, averaging=0.9, evaluate_every=6
    )
    smoke = zoo.smoke().model_dump(mode="json") | {
        "name": "stream-smoke",
        "kind": "stream",
        "frame_length": 1000,
        "architecture": CAUSAL.model_dump(mode="json"),
        "schedule": schedule.model_dump(mode="json"),
    }
    return zoo.ModelConfiguration.model_validate(smoke | changes)


@pytest.fixture(scope="module")
def corpus():
    return corpora.load_corpus(stream())


def disturbed(length):
    model = builder.build(CAUSAL, 4, folded=False, length=length)
    rng = np.random.default_rng(0)
    for weight in model.weights:
        value = rng.standard_normal(weight.shape) * 0.3
        weight.assign(np.abs(value) + 0.2 if "variance" in weight.path else value)
    return model


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"frame_length": 250}, "frame_length"),
        ({"name": "seg-4-other"}, "begin with"),
        ({"architecture": zoo.smoke().architecture.model_dump(mode="json")}, "causal"),
        ({"data": {"qtdb_weight": 0.6, "qtdb_training": ["given"], "noise_weight": 0.5}}, "more than 1"),
        ({"data": {"qtdb_weight": 0.6}}, "belong together"),
        ({"data": {"synthetic_long_qt": 0.2}}, "of the synthetic_population stream"),
    ],
)
def test_a_stream_that_does_not_hang_together_is_refused(changes, named):
    with pytest.raises(ValueError, match=named):
        stream(**changes)


def test_frames_keep_their_files_and_digests_whatever_streams_add():
    written = zoo.smoke().model_dump(mode="json")
    assert "kind" not in written
    assert "causal" not in written["architecture"]
    assert stream().model_dump(mode="json")["kind"] == "stream"
    assert zoo.ModelConfiguration.model_validate(stream().model_dump(mode="json")) == stream()


def test_look_ahead_is_what_an_answer_depends_on():
    model = builder.fold(disturbed(200), CAUSAL, 4)
    x = np.random.default_rng(1).standard_normal((1, 200, 1)).astype(np.float32)
    whole = np.asarray(model(x, training=False))[0]
    changed = x.copy()
    changed[0, 150:] += 3
    moved = np.flatnonzero(np.abs(np.asarray(model(changed, training=False))[0] - whole).max(axis=1) > 1e-6)
    assert CAUSAL.look_ahead == 16
    # The answers of a position are those of two samples, of which the first looks further ahead.
    assert moved[0] == 150 - CAUSAL.look_ahead


def test_the_fast_forward_pass_and_the_folded_model_equal_keras():
    model = disturbed(300)
    x = np.random.default_rng(1).standard_normal((3, 300, 1)).astype(np.float32)
    expected = np.asarray(model(x, training=False))
    fast = np.asarray(forward.Forward(model, CAUSAL, 4)(tf.constant(x), training=False))
    np.testing.assert_allclose(fast, expected, rtol=2e-4, atol=2e-4)
    folded = builder.fold(model, CAUSAL, 4)
    np.testing.assert_allclose(np.asarray(folded(x, training=False)), expected, rtol=2e-4, atol=2e-4)
    assert folded.count_params() == CAUSAL.parameters(4)


def test_a_batch_holds_windows_normalised_as_on_the_device(corpus):
    configuration = stream()
    source = corpora.batches(configuration, corpus)
    x, y = source(3)
    assert x.shape == (4, 1000, 1)
    assert y.shape == (4, 1000)
    assert not x[:, :49].any()
    assert np.count_nonzero(y != UNANNOTATED) > 1000
    x, y = corpora.undisturbed(configuration, corpus.validation)
    signal = decimate(corpus.validation[0].samples, PreprocessParameters())
    if signal.valid.all():
        answers = RunningNormaliser(PreprocessParameters()).push(signal.samples, signal.valid)
        assert np.array_equal(x[0, : answers.size, 0] * 32, answers[:1000])


def test_windows_of_a_long_record_overlap_by_their_context_and_label_every_sample_once():
    rng = np.random.default_rng(2)
    length = 3210
    bank = dataset.SignalBank(
        (rng.standard_normal(length) * 300).astype(np.float32),
        np.ones(length, np.uint8),
        *(np.array([value]) for value in (0, length, 0, length - 1)),
        np.array([[0, 1]]),
    )
    x, y = dataset.evaluation_frames(bank, PreprocessParameters(), dataset.Cutting(1000, 500, normalise_running))
    assert np.count_nonzero(y != UNANNOTATED) == length
    assert np.all(y[1:, :500] == UNANNOTATED)
    assert len(x) == 6


@pytest.mark.slow
def test_the_int8_graph_streams_with_the_stated_look_ahead_and_is_written(tmp_path, corpus):
    configuration = stream()
    trained = train.fit(configuration, corpus, tmp_path / "work", QUIET)
    written = model_folder.write_model(
        configuration, corpus, trained.model, trained.history, tmp_path / "out", lambda *_: b""
    )
    content = (written.folder / "model.tflite").read_bytes()
    graph = load_tflite(content)
    assert {operator.name for operator in graph.operators} == {"RESHAPE", "PAD", "CONV_2D", "ADD"}
    twin = StreamSegmenter(content)
    assert twin.class_count == 4
    assert CAUSAL.look_ahead <= twin.look_ahead < CAUSAL.look_ahead + 2
    assert stream_of(graph).granule == 1
    assert abs(written.int8_weighted_f1 - written.best.weighted_f1) < 0.1
    record = corpus.validation[0]
    by_float = float_model.float_delineator(written.folder / "model.keras", twin)(record)
    assert np.mean(by_float.mask == twin.predict(record.samples).mask) > 0.95


def test_waves_are_scaled_from_the_line_under_them_and_the_rest_stays():
    time = np.arange(300)
    masks = np.zeros((1, 300), np.uint8)
    masks[0, 100:120], masks[0, 200:210] = 1, 2
    bump = np.zeros(300, np.float32)
    bump[100:120], bump[200:210] = 50, 400
    signals = (time + bump)[None].astype(np.float32)
    changed = signals.copy()
    scale_waves(changed, masks, 1.0, (4.0, 2.0, 1.0), np.random.default_rng(1))
    assert np.array_equal(changed[masks == 0], signals[masks == 0])
    for kind, height, most in ((1, 50, 4), (2, 400, 2)):
        gains = (changed - time)[masks == kind] / height
        np.testing.assert_allclose(gains, gains[0], rtol=1e-4)
        assert 1 / most <= gains[0] <= most
        assert gains[0] != pytest.approx(1)


def two_beats():
    """Labels of two beats of 0.9 s: P 100 ms, PQ 50 ms, QRS 100 ms, ST 100 ms, T 180 ms, TP 370 ms."""
    beat = [0] * 37 + [1] * 10 + [0] * 5 + [2] * 10 + [0] * 10 + [3] * 18
    return np.array(beat * 2, np.uint8)


def runs_at(clock, labels):
    """How long each run of labels lasts by a clock, with its label."""
    bounds = np.concatenate(([0], np.flatnonzero(np.diff(labels)) + 1, [len(labels) - 1]))
    return [(int(labels[a]), clock[b] - clock[a]) for a, b in pairwise(bounds)]


@pytest.mark.parametrize(("pq", "qt", "tp"), [(3.0, 1.0, 1.0), (1.0, 2.0, 1.0), (1.0, 1.0, 0.5)])
def test_an_interval_lasts_as_much_longer_as_its_gain_says_and_the_others_as_long_as_before(pq, qt, tp):
    lasted = runs_at(interval_clock(two_beats(), (pq, qt, tp)), two_beats())
    # What is in front of the first P wave and the part of the last T wave that is cut follow from no neighbours.
    kinds = ("P", 1.0, 10), ("PQ", pq, 5), ("QRS", 1.0, 10), ("ST", qt, 10), ("T", qt, 18), ("TP", tp, 37)
    for (name, gain, before), (_, after) in zip(kinds, lasted[1:], strict=False):
        # A change of pace begins and ends within a neighbour, which is then three fifths of a sample longer per gain.
        assert after == pytest.approx(gain * before, abs=1.3 * max(pq - 1, qt - 1, 1 - tp)), name


def test_a_clock_with_unchanged_intervals_is_that_of_the_record():
    np.testing.assert_allclose(interval_clock(two_beats(), (1.0, 1.0, 1.0)), np.arange(180))


def test_nothing_is_stretched_that_is_not_between_known_waves():
    labels = two_beats()
    labels[labels == 3] = UNANNOTATED
    assert [after for label, after in runs_at(interval_clock(labels, (1.0, 3.0, 3.0)), labels) if label == 0] == [
        37, 5, 10, 37, 5, 10
    ]  # fmt: skip


def test_windows_with_changed_intervals_hold_qrs_complexes_as_long_as_before_and_other_pq_segments(corpus):
    still = {"time_warp_probability": 0.0, "wave_probability": 0.0}
    _, before = corpora.batches(stream(augmentation=still), corpus)(0)
    changed = stream(augmentation=still | {"interval_probability": 1.0, "intervals": (4.0, 1.0, 1.0)})
    _, after = corpora.batches(changed, corpus)(0)
    assert after.shape == before.shape
    assert np.median(whole_runs(after, 2)) == pytest.approx(np.median(whole_runs(before, 2)), abs=1)
    assert np.std(whole_runs(after, 0, between=(1, 2))) > 1.5 * np.std(whole_runs(before, 0, between=(1, 2)))


def test_a_window_is_filled_with_the_record_even_where_all_of_it_is_shortened():
    size = 8000
    labels = np.full(size, 3, np.uint8)
    labels[::10] = 2
    begin, end = np.array([0]), np.array([size - 1])
    bank = dataset.SignalBank(
        np.zeros(size, np.float32), labels, begin, np.array([size]), begin, end, np.array([[0, 1]])
    )
    disturbances = zoo.AugmentationConfiguration(
        interval_probability=1.0, intervals=(1.0, 4.0, 1.0), lead_off_probability=0.0
    )
    source = dataset.BatchSource(
        ((bank, 1.0),), disturbances, PreprocessParameters(), 64, 1, dataset.Cutting(1000, 500, normalise_running)
    )
    _, targets = source(0)
    inside = np.all(targets != UNANNOTATED, axis=1)
    assert np.count_nonzero(inside) > 20
    assert np.all(np.any(targets[inside, -60:] == 2, axis=1))


def whole_runs(labels, kind, between=None):
    """Lengths of the runs of a label that both begin and end within their window, or of those between two others."""
    lengths = []
    for row in labels:
        bounds = np.flatnonzero(np.diff(row)) + 1
        for a, b in pairwise(bounds):
            if row[a] == kind and (between is None or (row[a - 1], row[b]) == between):
                lengths.append(b - a)
    return lengths


def test_only_a_model_of_four_classes_has_its_intervals_changed():
    changed = {"interval_probability": 0.5}
    refused = "augmentation.interval_probability is for models that know P and T waves"
    with pytest.raises(ValueError, match=f"error, {refused}"):
        stream(classes=2, augmentation=changed)
    teacher = {key: stream().model_dump(mode="json")[key] for key in ("architecture", "schedule")}
    assert stream(classes=2, teacher=teacher | {"classes": 4, "augmentation": changed}).teacher.classes == 4
    with pytest.raises(ValueError, match=f"error, teacher.{refused}"):
        stream(classes=2, teacher=teacher | {"classes": 2, "augmentation": changed})


def test_a_level_changes_once_and_smoothly():
    signals = np.ones((8, 1000), np.float32)
    change_level(signals, 1.0, 3.0, np.random.default_rng(0))
    assert np.all((signals >= 1 / 3) & (signals <= 3))
    steps = np.abs(np.diff(signals, axis=1))
    assert steps.max() < 0.12
    assert np.any(signals[:, -1] != 1)


def mixed():
    data = {"qtdb_weight": 0.2, "qtdb_training": ["fold-1"], "noise_weight": 0.1, "noise_records": 3}
    return stream(data=data | {"synthetic_weight": 0.1, "synthetic_records": 2, "synthetic_population": "stream"})


def test_a_corpus_has_a_share_of_what_its_configuration_asks_for(monkeypatch, corpus):
    monkeypatch.setattr(corpora.ludb, "find_ludb", lambda option: Path("ludb"))
    monkeypatch.setattr(corpora.ludb, "load_records", lambda *_: corpus.training or corpus.synthetic)
    monkeypatch.setattr(corpora.qtdb, "find_qtdb", lambda: Path("qtdb"))
    monkeypatch.setattr(corpora.qtdb, "load_records", lambda folder, names: corpus.synthetic[: len(names)])
    found = corpora.load_corpus(mixed())
    assert [(share.name, share.weight) for share in found.others] == [("QTDB", 0.2), ("noise without beats", 0.1)]
    assert len(found.others[1].records) == 3
    assert "20 % QTDB" in found.source
    source = corpora.batches(mixed(), found)
    assert [round(weight, 6) for _, weight in source.banks] == [0.6, 0.1, 0.2, 0.1]
    x, y = source(0)
    assert x.shape == (4, 1000, 1)
    assert y.min() == 0


def test_a_model_that_needs_qtdb_says_so(monkeypatch):
    monkeypatch.setattr(corpora.ludb, "find_ludb", lambda option: Path("ludb"))
    monkeypatch.setattr(corpora.ludb, "load_records", lambda *_: ())
    monkeypatch.setattr(corpora.qtdb, "find_qtdb", lambda: None)
    with pytest.raises(DataError, match="needs QTDB") as error:
        corpora.load_corpus(mixed())
    assert "invoke data" in error.value.remedy


@pytest.mark.parametrize(
    ("training", "validation", "named"),
    [(["given"], ["fold-1"], "both trained on"), (["sel102"], [], "acceptance"), (["nonsense"], [], "make no sense")],
)
def test_records_of_qtdb_are_apart_and_given(training, validation, named):
    with pytest.raises(ValueError, match=named):
        stream(data={"qtdb_weight": 0.2, "qtdb_training": training, "qtdb_validation": validation})


def test_late_windows_begin_inside_of_the_record_and_end_unlabelled(corpus):
    configuration = stream(augmentation={"late_probability": 1.0, "late": 3.0, "time_warp_probability": 0.0})
    _, late = corpora.batches(configuration, corpus)(0)
    _, whole = corpora.batches(stream(augmentation={"time_warp_probability": 0.0}), corpus)(0)
    assert np.count_nonzero(late[:, -20:] == UNANNOTATED) >= np.count_nonzero(whole[:, -20:] == UNANNOTATED)
    assert np.all(late[:, -1] == UNANNOTATED)
