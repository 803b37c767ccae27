"""Fine-tuning starts from what the training chose, by its own schedule and augmentation, and can be stopped."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from ecgseg.errors import ModelError
from ecgseg.zoo import checkpoints
from ecgseg.zoo import configuration as zoo
from ecgseg.zoo.checkpoints import Look
from ecgseg.zoo.schedule import FineTuningConfiguration
from support.lazily import Lazily, needs_tensorflow

needs_tensorflow()
corpora = Lazily("ecgseg.zoo.corpus")
train = Lazily("ecgseg.zoo.train")

pytestmark = pytest.mark.train

QUIET = Console(quiet=True)


def tuned(**changes):
    """A training of 6 steps with a fine-tuning of 4; the smallest network, since compiling takes longest."""
    smoke = zoo.smoke()
    schedule = {"steps": 6, "batch": 16, "warmup_steps": 2, "averaging": 0.5, "evaluate_every": 3}
    tuning = {"steps": 4, "warmup_steps": 1, "averaging": 0.5, "evaluate_every": 2, "learning_rate": 1e-3}
    architecture = smoke.architecture.model_copy(update={"blocks": smoke.architecture.blocks[:1]})
    settings = {
        "schedule": smoke.schedule.model_copy(update=schedule),
        "architecture": architecture,
        "fine_tuning": FineTuningConfiguration(**(tuning | changes)),
    }
    return smoke.model_copy(update=settings)


@pytest.fixture(scope="module")
def corpus():
    return corpora.load_corpus(zoo.smoke())


@pytest.fixture(scope="module")
def whole(corpus, tmp_path_factory):
    """A training that nobody stopped: its folder, what came of it, and what it told."""
    work, told = tmp_path_factory.mktemp("builds") / "whole", []
    return work, train.fit_telling(tuned(), corpus, work, told.append), told


def test_a_model_without_fine_tuning_keeps_its_file_and_digest():
    smoke = zoo.smoke()
    assert "fine_tuning" not in smoke.model_dump()
    assert tuned().without_fine_tuning().digest() == tuned(steps=9).without_fine_tuning().digest()
    assert len({tuned().without_fine_tuning().digest(), tuned().digest(), tuned(steps=9).digest()}) == 3


def test_what_a_file_does_not_say_of_the_augmentation_is_the_models(tmp_path):
    said = zoo.smoke().model_dump(mode="json")
    said["augmentation"] |= {"wander": 0.7, "interval_probability": 0.2, "late_probability": 0.3}
    said["fine_tuning"] = {"steps": 300, "augmentation": {"interval_probability": 0.0, "intervals": [2.0, 2.0, 2.0]}}
    path = tmp_path / "configuration.json"
    path.write_text(json.dumps(said))
    found = zoo.read(path)
    changes = {"interval_probability": 0.0, "intervals": (2.0, 2.0, 2.0)}
    assert found.fine_tuned().augmentation == found.augmentation.model_copy(update=changes)
    zoo.write(found, path)
    assert zoo.read(path) == found
    assert zoo.parsed(found.model_dump_json(), tmp_path).digest() == found.digest()
    said["fine_tuning"] = {"steps": 300}
    path.write_text(json.dumps(said))
    assert zoo.read(path).fine_tuned().augmentation == found.augmentation


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"fine_tuning": {"steps": 200}}, r"fine_tuning\.warmup_steps must be below fine_tuning\.steps"),
        ({"fine_tuning": {"steps": 0}}, r"fine_tuning\.steps"),
        ({"fine_tuning": {}}, r"fine_tuning\.steps"),
        ({"fine_tuning": 7}, "fine_tuning"),
        ({"fine_tuning": {"steps": 300, "augmentation": 7}}, r"fine_tuning\.augmentation: Input should be"),
        (
            {"fine_tuning": {"steps": 300, "augmentation": {"gain": 0.1}}},
            r"fine_tuning\.augmentation\.gain: Input should",
        ),
        ({"fine_tuning": {"steps": 300, "augmentation": {"wonder": 1}}}, r"fine_tuning\.augmentation\.wonder: Extra"),
        ({"fine_tuning": {"steps": 300}, "augmentation": {"gain": 0.1}}, r"\Aaugmentation\.gain: [^\n]*\Z"),
        ({"fine_tuning": {"steps": 300, "momentum": 0.9}}, r"fine_tuning\.momentum"),
        (
            {"classes": 2, "fine_tuning": {"steps": 300, "augmentation": {"interval_probability": 0.1}}},
            r"fine_tuning\.augmentation\.interval_probability is for models that know P and T waves",
        ),
    ],
    ids=str,
)
def test_a_fine_tuning_that_makes_no_sense_is_refused_by_name(tmp_path, change, named):
    path = tmp_path / "configuration.json"
    path.write_text(json.dumps(zoo.smoke().model_dump(mode="json") | change))
    with pytest.raises(ModelError, match="is not valid") as caught:
        zoo.read(path)
    assert re.search(named, caught.value.why)


def test_its_schedule_is_the_models_but_for_what_it_says():
    found = tuned().fine_tuned()
    assert (found.schedule.steps, found.schedule.learning_rate, found.schedule.averaging) == (4, 1e-3, 0.5)
    assert found.schedule.batch == tuned().schedule.batch
    assert found.schedule.label_smoothing == tuned().schedule.label_smoothing
    assert tuned().steps == 10


def test_the_best_look_of_the_fine_tuning_is_chosen():
    history = (Look(3, 0.5, 0.9), Look(6, 0.4, 0.8), Look(8, 0.4, 0.6, True), Look(10, 0.4, 0.7, True))
    assert checkpoints.chosen(history) == history[3]
    assert checkpoints.chosen(history[:2]) == history[0]
    assert [look.get("fine_tuning") for look in json.loads(checkpoints.looks_text(history))] == [None, None, True, True]


def test_looks_and_progress_go_on_where_the_training_ended(whole):
    _, trained, told = whole
    assert [(look.step, look.fine_tuning) for look in trained.history] == [
        (3, False),
        (6, False),
        (8, True),
        (10, True),
    ]
    assert {report.steps for report in told} == {10}
    steps = [report.step for report in told]
    assert steps == sorted(steps)
    assert trained.best.fine_tuning


def test_it_starts_from_the_chosen_weights_and_draws_no_batch_twice(corpus, whole, tmp_path, monkeypatch):
    work, _, _ = whole
    drawn = []
    before, after = train.training_stages(tuned(), corpus, work)
    before = replace(before, work=tmp_path / "first")
    first = train.Trainer(before, corpus)
    scores = iter((0.9, 0.8, 0.1, 0.2))
    monkeypatch.setattr(train.Trainer, "_validate", lambda self: next(scores))
    first.run(lambda report: None)
    last = [np.asarray(mean) for mean in first._average]
    source = train.batches

    def noted(configuration, corpus):
        batch = source(configuration, corpus)
        return lambda index: drawn.append(index) or batch(index)

    monkeypatch.setattr("ecgseg.zoo.train.batches", noted)
    second = train.Trainer(replace(after, work=tmp_path / "second"), corpus, None, first)
    kept = checkpoints.load(tmp_path / "first", before.digest)
    assert any(np.any(one != other) for one, other in zip(kept.best, last, strict=True)), "the first look was chosen"
    for weight, mean, expected in zip(second._model.weights, second._average, kept.best, strict=True):
        np.testing.assert_array_equal(weight, expected)
        np.testing.assert_array_equal(mean, expected)
    second.run(lambda report: None)
    assert drawn == [6, 7, 8, 9]


def test_it_goes_on_from_its_last_look(corpus, whole, tmp_path, monkeypatch):
    work, trained, _ = whole

    class KilledError(Exception):
        pass

    save = train.Trainer._save

    def save_and_die(self, step):
        save(self, step)
        if step == 8:
            raise KilledError

    shutil.copytree(work.parent, tmp_path / "again")
    (tmp_path / "again" / "whole" / checkpoints.NAME).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(train.Trainer, "_save", save_and_die)
        with pytest.raises(KilledError):
            train.fit(tuned(), corpus, tmp_path / "again" / "whole", QUIET)
    told = []
    resumed = train.fit_telling(tuned(), corpus, tmp_path / "again" / "whole", told.append)
    assert [report.step for report in told] == [8, 9, 10, 10]
    assert resumed.history == trained.history
    for one, other in zip(trained.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_fine_tuning_takes_the_same_training(corpus, whole, tmp_path):
    work, trained, _ = whole
    shutil.copytree(work.parent, tmp_path / "again")
    told = []
    other = train.fit_telling(tuned(learning_rate=1e-4), corpus, tmp_path / "again" / "other", told.append)
    assert told[0].step == 6, "the training in front of it is not repeated"
    assert other.history[:2] == trained.history[:2]
    assert other.history[2:] != trained.history[2:]


def test_a_fine_tuning_of_another_run_of_the_training_is_not_gone_on_from(corpus, whole, tmp_path):
    work, _, _ = whole
    shutil.copytree(work.parent, tmp_path / "again")
    before, after = train.training_stages(tuned(), corpus, tmp_path / "again" / "whole")
    kept = checkpoints.load(after.work, after.digest)
    looks = (Look(3, 0.123, 0.5), *kept.history[1:])
    checkpoints.save(after.work, replace(kept, history=looks), after.digest)
    told = []
    train.fit_telling(tuned(), corpus, after.work, told.append)
    assert told[0].step == before.end, "the fine-tuning is done anew"


def test_a_fresh_training_does_both_anew(corpus, whole, tmp_path):
    work, trained, _ = whole
    shutil.copytree(work.parent, tmp_path / "again")
    told = []
    fresh = train.fit_telling(tuned(), corpus, tmp_path / "again" / "whole", told.append, resume=False)
    assert told[0].step == 0
    assert fresh.history == trained.history
