"""Trains a model from its configuration: repeatable to the bit, resumable, chosen on validation patients.

What makes it repeatable: one seed; batch i is a function of (seed, i); one thread per operation; XLA's fixed order
on one kind of CPU (`schedule.longest_sum` takes its cache out of that order).
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console

from ecgseg.data.records import WAVE_LABELS
from ecgseg.errors import ModelError
from ecgseg.output import alone_in
from ecgseg.pipeline import UNANNOTATED
from ecgseg.scoring.metrics import confusion_matrix, weighted_f1
from ecgseg.zoo import checkpoints
from ecgseg.zoo import configuration as zoo
from ecgseg.zoo.builder import build, fold
from ecgseg.zoo.checkpoints import Checkpoint, Look
from ecgseg.zoo.configuration import ModelConfiguration
from ecgseg.zoo.corpus import Corpus, batches, load_corpus, undisturbed, work_with
from ecgseg.zoo.dataset import BatchSource
from ecgseg.zoo.forward import Forward
from ecgseg.zoo.model_folder import DrawHistory, Written, write_model
from ecgseg.zoo.progress import Report, Shown, Tell, bars
from ecgseg.zoo.schedule import ScheduleConfiguration
from ecgseg.zoo.training_stages import TrainingStage, training_stages

_GRADIENT_NORM = 1.0
_AHEAD = 4


@dataclass(frozen=True)
class Trained:
    """Result of a training.

    Attributes:
        model: folded keras.Model, the checkpoint with the best weighted F1 on the validation patients.
        history: all looks.
    """

    model: Any
    history: tuple[Look, ...]

    @property
    def best(self) -> Look:
        """The chosen look."""
        return checkpoints.chosen(self.history)


class Trainer:
    """One stage of a training: model, optimiser, averaged weights, and their checkpoint.

    Args:
        stage: what to train.
        corpus: its data.
        teacher: callable that gives class probabilities of a batch, or None.
        before: the stage in front of it, from whose best weights it starts; None at the beginning.
    """

    def __init__(
        self, stage: TrainingStage, corpus: Corpus, teacher: Any = None, before: Trainer | None = None
    ) -> None:
        configuration = stage.configuration
        keras.utils.set_random_seed(configuration.seed)
        self._stage = stage
        self._configuration = configuration
        self._teacher = teacher
        self._source = batches(configuration, corpus)
        self._frames, self._targets = undisturbed(configuration, corpus.validation)
        self._model = build(
            configuration.architecture, configuration.classes, folded=False, length=configuration.frame_length
        )
        schedule = configuration.schedule
        self._forward = Forward(self._model, configuration.architecture, configuration.classes, schedule.longest_sum)
        self._optimizer = keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(
                0.0,
                schedule.steps - schedule.warmup_steps,
                alpha=0.01,
                warmup_target=schedule.learning_rate,
                warmup_steps=schedule.warmup_steps,
            ),
            weight_decay=schedule.weight_decay,
        )
        self._optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        self._optimizer.build(self._model.trainable_variables)
        if before is not None:
            before.give_best(self._model)
        self._average = [tf.Variable(weight, trainable=False) for weight in self._model.weights]
        self._best = [np.asarray(weight) for weight in self._model.weights]
        self._before = () if before is None else before.history
        self._history = list(self._before)
        self._step = tf.function(self._train_step, jit_compile=True)
        self._predict = tf.function(self._classes, jit_compile=True)

    def _train_step(self, x: Any, y: Any, soft: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = _loss(self._forward(x, training=True), y, soft, self._configuration)
        variables = self._model.trainable_variables
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), _GRADIENT_NORM)
        self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
        # A running average that starts quickly: early steps would otherwise hold the random start.
        done = tf.cast(self._optimizer.iterations, tf.float32)
        decay = tf.minimum(self._configuration.schedule.averaging, done / (done + 10.0))
        for mean, weight in zip(self._average, self._model.weights, strict=True):
            mean.assign(mean * decay + tf.convert_to_tensor(weight) * (1.0 - decay))
        return loss

    def _classes(self, x: Any) -> Any:
        return tf.argmax(self._forward(x, training=False), axis=-1, output_type=tf.int32)

    def _validate(self) -> float:
        """Weighted F1 of the averaged weights on the validation frames."""
        raw = [np.asarray(weight) for weight in self._model.weights]
        for weight, mean in zip(self._model.weights, self._average, strict=True):
            weight.assign(mean)
        size = 240
        padded = np.pad(self._frames, ((0, -len(self._frames) % size), (0, 0), (0, 0)))
        parts = [self._predict(padded[start : start + size]).numpy() for start in range(0, len(padded), size)]
        classes = np.concatenate(parts)[: len(self._frames)]
        for weight, value in zip(self._model.weights, raw, strict=True):
            weight.assign(value)
        return weighted_f1(confusion_matrix(classes, self._targets, self._configuration.classes))

    @property
    def _state(self) -> list[Any]:
        return [*self._model.weights, *self._optimizer.variables, *self._average]

    @property
    def history(self) -> tuple[Look, ...]:
        """All looks so far, those of the stage in front of it first."""
        return tuple(self._history)

    def _save(self, step: int) -> None:
        state = [np.asarray(value) for value in self._state]
        checkpoints.save(self._stage.work, Checkpoint(step, state, self._best, self.history), self._stage.digest)

    def _resume(self) -> int:
        """Step to go on from: that of a checkpoint of the very same configuration, else the stage's first.

        A fine-tuning of another run of the training in front of it is none to go on from.
        """
        work = self._stage.work
        saved = checkpoints.load(work, self._stage.digest)
        if saved is None or saved.history[: len(self._before)] != self._before:
            return self._stage.first
        checkpoints.check_fits(saved, work, [np.asarray(value) for value in self._state], self._best)
        for value, kept in zip(self._state, saved.state, strict=True):
            value.assign(kept)
        self._best = list(saved.best)
        self._history = list(saved.history)
        return saved.step

    def run(self, tell: Tell, *, resume: bool = True) -> None:
        """Trains to the end of the stage; the model has the weights of the chosen look then."""
        schedule, end = self._configuration.schedule, self._stage.end
        self._stage.work.mkdir(parents=True, exist_ok=True)
        step = self._resume() if resume else self._stage.first
        if step < end or end == self._stage.whole:
            tell(self._report(step))
        losses: list[Any] = []
        # No batch is drawn twice: those of a fine-tuning go on where the others ended.
        for x, y in _ahead(self._source, step, end):
            soft = self._teacher(x) if self._teacher is not None else np.zeros((1,), np.float32)
            losses.append(self._step(x, y, soft))
            step += 1
            tell(self._report(step))
            if (step - self._stage.first) % schedule.evaluate_every == 0 or step == end:
                tell(self._report(step, self._look(step, float(np.mean([float(loss) for loss in losses])))))
                losses.clear()
        self.give_best(self._model)

    def _report(self, step: int, look: Look | None = None) -> Report:
        figures = {} if look is None else {"loss": look.loss, "weighted_f1": look.weighted_f1}
        return Report(name=self._configuration.name, step=step, steps=self._stage.whole, **figures)

    def _look(self, step: int, loss: float) -> Look:
        """Looks at the validation patients and keeps what was reached."""
        look = Look(step, loss, self._validate(), fine_tuning=self._stage.first > 0)
        if not np.isfinite(loss):
            raise ModelError(
                f"The training of {self._configuration.name} diverged at step {step}.",
                "The loss is no longer a number.",
                f"Lower {'fine_tuning' if look.fine_tuning else 'schedule'}.learning_rate in the configuration.",
            )
        self._history.append(look)
        if checkpoints.chosen(self._history) is look:
            self._best = [np.asarray(mean) for mean in self._average]
        self._save(step)
        return look

    def probabilities(self, temperature: float, classes: int) -> Any:
        """A function of a batch [batch, time, 1] that gives probabilities [batch, time, classes], for teaching.

        A four-class network teaches a two-class one: everything but QRS is NONE.
        """

        def answer(x: Any) -> Any:
            soft = tf.nn.softmax(self._forward(x, training=False) / temperature)
            if classes == soft.shape[2]:
                return soft
            return tf.stack([1.0 - soft[..., 2], soft[..., 2]], axis=-1)

        return tf.function(answer, jit_compile=True)

    def give_best(self, model: Any) -> None:
        """Gives a model of the same architecture the averaged weights of the chosen look."""
        for weight, value in zip(model.weights, self._best, strict=True):
            weight.assign(value)

    def trained(self) -> Trained:
        """The chosen look, folded, when the stage has ended."""
        model = fold(self._model, self._configuration.architecture, self._configuration.classes)
        return Trained(model, self.history)


def _loss(logits: Any, y: Any, soft: Any, configuration: ModelConfiguration) -> Any:
    """Cross-entropy over the labelled samples, mixed with the teacher's answers over all samples if there is one."""
    schedule: ScheduleConfiguration = configuration.schedule
    known = tf.cast(y != UNANNOTATED, tf.float32)
    if schedule.p_weight != 1.0:
        known = known * tf.where(y == WAVE_LABELS[4]["P"], schedule.p_weight, 1.0)
    target = tf.one_hot(tf.where(y != UNANNOTATED, y, 0), configuration.classes)
    target = target * (1 - schedule.label_smoothing) + schedule.label_smoothing / configuration.classes
    hard = tf.nn.softmax_cross_entropy_with_logits(target, logits)
    loss = tf.reduce_sum(hard * known) / tf.reduce_sum(known)
    if configuration.teacher is None:
        return loss
    weight, temperature = configuration.teacher.weight, configuration.teacher.temperature
    taught = tf.nn.softmax_cross_entropy_with_logits(soft, logits / temperature) * temperature
    return (1 - weight) * loss + weight * tf.reduce_mean(taught)


def _ahead(source: BatchSource, first: int, end: int) -> Iterator[tuple[Any, Any]]:
    """Batches first .. end - 1 in order, prepared while the network computes."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting = [pool.submit(source, index) for index in range(first, min(first + _AHEAD, end))]
        for index in range(first, end):
            batch = waiting.pop(0).result()
            if index + _AHEAD < end:
                waiting.append(pool.submit(source, index + _AHEAD))
            yield batch


def fit(
    configuration: ModelConfiguration,
    corpus: Corpus,
    work: Path,
    console: Console,
    *,
    resume: bool = True,
) -> Trained:
    """Trains a configuration on a corpus, its teacher first if it has one.

    Args:
        configuration: the model.
        corpus: as from :func:`load_corpus`, or the folds of a cross-validation.
        work: folder for checkpoints; with the same configuration a killed training goes on from there.
        console: where progress goes.
        resume: False starts from the beginning whatever is there.
    """
    with bars(console) as progress:
        return fit_telling(configuration, corpus, work, Shown(progress), resume=resume)


def fit_telling(
    configuration: ModelConfiguration, corpus: Corpus, work: Path, tell: Tell, *, resume: bool = True
) -> Trained:
    """Like :func:`fit`, with a function that is told every step."""
    _use_one_thread()
    teacher = _teacher(configuration, corpus, work, tell, resume)
    trainer: Trainer | None = None
    for stage in training_stages(configuration, corpus, work):
        trainer = Trainer(stage, corpus, teacher, trainer)
        # Fine-tunings that run at once may be of the same training: one of them trains it, the others wait for it.
        with nullcontext() if stage.work == work else alone_in(stage.work):
            trainer.run(tell, resume=resume)
    assert trainer is not None
    return trainer.trained()


def _teacher(configuration: ModelConfiguration, corpus: Corpus, work: Path, tell: Tell, resume: bool) -> Any | None:
    """Trains or reloads the teacher and returns a function of a batch that gives its softened probabilities."""
    teaching = configuration.teacher_configuration()
    if teaching is None:
        return None
    assert configuration.teacher is not None
    folder = work.parent / f"teacher-{teaching.digest()[:12]}-{corpus.fingerprint}"
    [stage] = training_stages(teaching, corpus, folder)
    trained = Trainer(stage, corpus)
    # Trainings that run at once may have the same teacher: one of them trains it, the others wait for it.
    with alone_in(folder):
        trained.run(tell, resume=resume)
    return trained.probabilities(configuration.teacher.temperature, configuration.classes)


def train(
    name: str,
    console: Console,
    draw: DrawHistory,
    *,
    ludb_option: str | Path | None = None,
    out: Path | None = None,
    resume: bool = True,
) -> Written:
    """Trains, chooses, quantises and writes one model: `invoke train --model NAME`.

    Without LUDB the model is trained on synthetic ECG and goes to the build folder, so that a committed model is never
    replaced by a lesser one.

    Args:
        name: a zoo model, "smoke", or the path of a folder with a configuration, or of the configuration's file.
        console: where progress goes.
        draw: makes the picture of the history.
        ludb_option: folder of LUDB, None to search the usual places.
        out: folder to write to, None for the model's own.
        resume: go on from a checkpoint of the same configuration.

    Raises:
        UsageError, ModelError, DataError, OutputError: see their messages.
    """
    configuration = zoo.load(name)
    corpus = load_corpus(configuration, ludb_option)
    console.print(f"{configuration.name}: {corpus.source}", markup=False)
    work = work_with(zoo.work_folder(name, configuration), configuration, corpus)
    lesser = not corpus.patients and configuration.data.synthetic_weight < 1.0
    target = out or (work if lesser else zoo.result_folder(name, configuration))
    trained = fit(configuration, corpus, work, console, resume=resume)
    return write_model(configuration, corpus, trained.model, trained.history, target, draw)


def _use_one_thread() -> None:
    """One thread per operation: the order of every sum is fixed. TensorFlow allows this before its first use only."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        # Already in use in this process. After another training its one thread holds; after anything else, such as a
        # test, the bytes are those of several threads.
        return
