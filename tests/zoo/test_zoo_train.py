"""Guards training and quantisation: the fast forward pass, folding, repeatability, resume, and a refused bad export."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from rich.console import Console

from ecgseg.errors import ModelError, OutputError
from ecgseg.graph.load import load_tflite
from ecgseg.report.history import history_picture
from ecgseg.zoo import configuration as zoo
from ecgseg.zoo.dataset import int8_frames
from support.lazily import Lazily, needs_tensorflow

needs_tensorflow()
tf = Lazily("tensorflow")
builder = Lazily("ecgseg.zoo.builder")
corpora = Lazily("ecgseg.zoo.corpus")
forward = Lazily("ecgseg.zoo.forward")
model_folder = Lazily("ecgseg.zoo.model_folder")
quantise = Lazily("ecgseg.zoo.quantise")
train = Lazily("ecgseg.zoo.train")

pytestmark = pytest.mark.train

QUIET = Console(quiet=True)


def short(**changes):
    schedule = zoo.ScheduleConfiguration(
        steps=12, batch=16, learning_rate=1e-2, warmup_steps=2, averaging=0.9, evaluate_every=6
    )
    # Every training compiles its network anew, which takes longer than these steps.
    smoke = zoo.smoke()
    small = smoke.architecture.model_copy(update={"blocks": smoke.architecture.blocks[:2]})
    return smoke.model_copy(update={"schedule": schedule, "architecture": small} | changes)


@pytest.fixture(scope="module")
def corpus():
    return corpora.load_corpus(zoo.smoke())


def disturbed_model(architecture, classes):
    """A model whose normalisation does something: every weight is random."""
    model = builder.build(architecture, classes, folded=False)
    rng = np.random.default_rng(0)
    for weight in model.weights:
        value = rng.standard_normal(weight.shape) * 0.3
        weight.assign(np.abs(value) + 0.2 if "variance" in weight.path else value)
    return model


@pytest.mark.parametrize(
    ("stride", "residual"),
    [
        (1, False),
        (2, True),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in ((2, False), (5, False), (1, True), (5, True))),
    ],
)
def test_the_fast_forward_pass_and_the_folded_model_equal_keras(stride, residual):
    blocks = tuple(zoo.BlockConfiguration(kernel=k, dilation=d, residual=residual) for k, d in ((3, 1), (5, 4), (4, 2)))
    architecture = zoo.ArchitectureConfiguration(channels=6, stem_kernel=7, stride=stride, blocks=blocks)
    model = disturbed_model(architecture, 4)
    x = np.random.default_rng(1).standard_normal((3, 250, 1)).astype(np.float32)
    expected = np.asarray(model(x, training=False))
    assert expected.shape == (3, 250, 4)
    fast = np.asarray(forward.Forward(model, architecture, 4)(tf.constant(x), training=False))
    np.testing.assert_allclose(fast, expected, rtol=2e-4, atol=2e-4)
    folded = builder.fold(model, architecture, 4)
    np.testing.assert_allclose(np.asarray(folded(x, training=False)), expected, rtol=2e-4, atol=2e-4)
    assert folded.count_params() == architecture.parameters(4)


def test_training_mode_normalises_by_the_batch_and_moves_the_statistics():
    architecture = zoo.smoke().architecture
    model = disturbed_model(architecture, 4)
    norm = model.get_layer("stem_normalisation")
    before = np.asarray(norm.moving_mean).copy()
    x = np.random.default_rng(1).standard_normal((4, 250, 1)).astype(np.float32)
    convolved = np.asarray(model.get_layer("stem_convolution")(x[:, None]))
    forward.Forward(model, architecture, 4)(tf.constant(x), training=True)
    expected = 0.99 * before + 0.01 * convolved.mean(axis=(0, 1, 2))
    np.testing.assert_allclose(np.asarray(norm.moving_mean), expected, rtol=1e-4, atol=1e-5)


def test_samples_of_p_waves_weigh_what_the_schedule_says():
    rng = np.random.default_rng(3)
    logits = rng.standard_normal((2, 6, 4)).astype(np.float32)
    y = np.array([[0, 1, 1, 2, 3, 255], [1, 0, 255, 255, 3, 2]], np.int32)
    schedule = short().schedule.model_copy(update={"p_weight": 0.5, "label_smoothing": 0.0})
    from ecgseg.zoo.train import _loss

    found = float(_loss(tf.constant(logits), tf.constant(y), None, short(schedule=schedule)))
    weight = np.where(y == 255, 0.0, np.where(y == 1, 0.5, 1.0))
    spread = (
        np.log(np.exp(logits).sum(-1)) - np.take_along_axis(logits, np.where(y == 255, 0, y)[..., None], -1)[..., 0]
    )
    assert found == pytest.approx((weight * spread).sum() / weight.sum(), rel=1e-5)


def test_the_smoke_model_learns_and_its_int8_graph_loses_little(tmp_path):
    report = train.train(zoo.SMOKE, QUIET, history_picture, out=tmp_path, resume=False)
    assert report.best.weighted_f1 > 0.6, "guessing NONE everywhere gives less than 0.45"
    assert report.int8_weighted_f1 > report.best.weighted_f1 - 0.02
    assert "synthetic" in report.source
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"configuration.json", "model.keras", "model.tflite", "history.json", "history.png"}
    written = zoo.read(tmp_path / "configuration.json")
    assert written.digest() == zoo.smoke().digest()
    assert "tensorflow-cpu" in written.versions
    assert len(json.loads((tmp_path / "history.json").read_text())) == 3
    operators = load_tflite(tmp_path / "model.tflite").operators
    assert [operator.name for operator in operators] == ["RESHAPE", *["CONV_2D"] * 6, "RESHAPE"]


@pytest.mark.slow
def test_training_repeats_to_the_bit_and_resumes_to_the_same_weights(tmp_path, corpus, monkeypatch):
    configuration = short()
    first = train.fit(configuration, corpus, tmp_path / "a", QUIET)

    class KilledError(Exception):
        pass

    save = train.Trainer._save

    def save_and_die(self, step):
        save(self, step)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(train.Trainer, "_save", save_and_die)
        with pytest.raises(KilledError):
            train.fit(configuration, corpus, tmp_path / "b", QUIET)
    resumed = train.fit(configuration, corpus, tmp_path / "b", QUIET)
    assert resumed.history == first.history
    for one, other in zip(first.model.get_weights(), resumed.model.get_weights(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.slow
def test_a_checkpoint_of_another_configuration_is_not_resumed(tmp_path, corpus):
    train.fit(short(), corpus, tmp_path / "a", QUIET)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    changed = short(seed=5)
    fresh = train.fit(changed, corpus, tmp_path / "c", QUIET)
    over_old = train.fit(changed, corpus, tmp_path / "b", QUIET)
    assert fresh.history == over_old.history


@pytest.mark.slow
def test_a_four_class_teacher_teaches_two_classes(tmp_path, corpus):
    teacher = zoo.TeacherConfiguration(
        classes=4, architecture=zoo.smoke().architecture, schedule=short().schedule, weight=0.5
    )
    configuration = short(classes=2, teacher=teacher)
    taught = train.fit(configuration, corpus, tmp_path / "taught", QUIET)
    assert taught.model.output_shape == (None, 250, 2)
    (folder,) = tmp_path.glob("teacher-*")
    assert (folder / "checkpoint.npz").is_file()
    alone = train.fit(short(classes=2), corpus, tmp_path / "alone", QUIET)
    assert not np.array_equal(taught.model.get_weights()[0], alone.model.get_weights()[0])


def test_softened_probabilities_of_a_teacher_sum_to_one_and_merge_p_and_t_into_none(tmp_path, corpus):
    trainer = train.Trainer(train.training_stages(short(), corpus, tmp_path)[0], corpus)
    x = np.zeros((2, 250, 1), np.float32)
    four = trainer.probabilities(2.0, 4)(x).numpy()
    two = trainer.probabilities(2.0, 2)(x).numpy()
    np.testing.assert_allclose(four.sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(two[..., 1], four[..., 2], rtol=1e-5)
    np.testing.assert_allclose(two.sum(-1), 1, rtol=1e-5)


def calibration():
    return np.clip(np.random.default_rng(3).standard_normal((20, 250, 1)), -4, 3.96).astype(np.float32)


def test_the_input_is_quantised_by_the_preprocessors_numbers():
    smoke = zoo.smoke()
    model = builder.build(smoke.architecture, 4, folded=True)
    content = quantise.quantise(model, calibration(), smoke.preprocess())
    (details,) = tf.lite.Interpreter(model_content=content).get_input_details()
    assert details["quantization"] == (1 / 32, 0)
    assert details["shape"].tolist() == [1, 250, 1]


def test_the_bias_of_a_class_is_in_the_int8_model_alone():
    smoke = zoo.smoke()
    model = builder.build(smoke.architecture, 4, folded=True)
    trained = model.get_weights()
    frames = int8_frames(calibration()[:4], smoke.preprocess())
    plain, moved = (
        quantise.quantise(model, calibration(), smoke.preprocess(), bias) for bias in ((), (0.0, 0.0, 0.0, -0.75))
    )
    difference = sum(dequantised(moved, frame) - dequantised(plain, frame) for frame in frames).mean(0) / len(frames)
    np.testing.assert_allclose(difference, (0, 0, 0, -0.75), atol=0.05)
    for after, before in zip(model.get_weights(), trained, strict=True):
        np.testing.assert_array_equal(after, before)


def dequantised(content, frame):
    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], frame[None, :, None])
    interpreter.invoke()
    (details,) = interpreter.get_output_details()
    scale, zero_point = details["quantization"]
    return scale * (interpreter.get_tensor(details["index"]).astype(float).reshape(frame.size, -1) - zero_point)


def test_a_bias_for_some_classes_only_is_refused():
    settings = zoo.smoke().model_dump(mode="json")
    settings["quantisation"]["class_bias"] = [0.0, 0.1]
    with pytest.raises(ValueError, match="each of the 4 classes"):
        zoo.ModelConfiguration.model_validate(settings)


def test_a_graph_with_a_free_batch_is_refused():
    smoke = zoo.smoke()
    model = builder.build(smoke.architecture, 4, folded=True)

    @tf.function(input_signature=[tf.TensorSpec((None, 250, 1), tf.float32)])
    def logits(x):
        return model(x, training=False)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([logits.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([frame[None]] for frame in calibration())
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    with pytest.raises(ModelError, match="SPACE_TO_BATCH_ND"):
        quantise.check(converter.convert(), smoke.preprocess())


def test_calibration_outside_the_input_range_is_refused():
    smoke = zoo.smoke()
    model = builder.build(smoke.architecture, 4, folded=True)
    with pytest.raises(ModelError, match="instead of"):
        quantise.quantise(model, 3 * calibration(), smoke.preprocess())


@pytest.mark.slow
def test_a_full_disk_is_one_clear_error(tmp_path, corpus):
    (tmp_path / "file").write_text("")
    trained = train.fit(short(), corpus, tmp_path / "work", QUIET)
    with pytest.raises(OutputError) as error:
        model_folder.write_model(short(), corpus, trained.model, trained.history, tmp_path / "file", history_picture)
    assert error.value.remedy
