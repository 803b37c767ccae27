"""Sums of matrix products are cut where the configuration says, not where XLA and the CPU's cache would."""

from __future__ import annotations

import numpy as np
import pytest

from ecgseg.errors import ModelError
from ecgseg.zoo import configuration as zoo
from support.lazily import Lazily, needs_tensorflow

needs_tensorflow()
tf = Lazily("tensorflow")
products = Lazily("ecgseg.zoo.products")

pytestmark = pytest.mark.train

POSITIONS, INPUTS, OUTPUTS = 4000, 300, 20


def drawn(*shape):
    return np.random.default_rng(shape).standard_normal(shape).astype(np.float32)


def compiled(longest):
    """A function that gives the product, and the gradients of its sum weighted by a third matrix."""

    def both(rows, kernel, weights):
        with tf.GradientTape() as tape:
            tape.watch((rows, kernel))
            found = products.product(rows, kernel, longest)
        return found, *tape.gradient(found, (rows, kernel), weights)

    return tf.function(both, jit_compile=True)


@pytest.fixture(scope="module")
def matrices():
    return drawn(POSITIONS, INPUTS), drawn(INPUTS, OUTPUTS), drawn(POSITIONS, OUTPUTS)


@pytest.mark.parametrize("longest", [0, 64, 256])
def test_product_and_gradients_are_those_of_mathematics(matrices, longest):
    rows, kernel, weights = (matrix.astype(np.float64) for matrix in matrices)
    expected = rows @ kernel, weights @ kernel.T, rows.T @ weights
    found = compiled(longest)(*(tf.constant(matrix) for matrix in matrices))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-3)


def test_each_part_is_added_up_by_itself(matrices):
    """To the bit: parts no longer than any CPU takes at once leave it nothing to cut."""
    rows, kernel, weights = matrices
    multiply = tf.function(tf.matmul, jit_compile=True)
    # Not with a transposed copy: that is another of Eigen's loops, with other roundings.
    transposed = tf.function(lambda left, right: tf.matmul(left, right, transpose_a=True), jit_compile=True)
    found, _, gradient = compiled(256)(*(tf.constant(matrix) for matrix in matrices))
    parts = [np.asarray(multiply(rows[:, part].copy(), kernel[part])) for part in (slice(0, 256), slice(256, 300))]
    np.testing.assert_array_equal(found, parts[0] + parts[1])
    total = np.zeros((INPUTS, OUTPUTS), np.float32)
    for start in range(0, POSITIONS, 250):
        part = slice(start, start + 250)
        total = total + np.asarray(transposed(rows[part], weights[part]))
    np.testing.assert_array_equal(gradient, total)


def test_a_sum_left_to_the_cpu_is_cut_elsewhere(matrices):
    """Else the test above would guard nothing."""
    arguments = [tf.constant(matrix) for matrix in matrices]
    assert np.any(np.asarray(compiled(0)(*arguments)[2]) != np.asarray(compiled(256)(*arguments)[2]))


def test_the_length_is_in_the_digest_only_where_it_is_set():
    smoke = zoo.smoke()
    cut = smoke.model_copy(update={"schedule": smoke.schedule.model_copy(update={"longest_sum": 256})})
    assert "longest_sum" not in smoke.schedule.model_dump()
    assert cut.digest() != smoke.digest()


def test_lengths_that_a_cache_could_cut_are_refused(tmp_path):
    path = tmp_path / "configuration.json"
    zoo.write(zoo.smoke(), path)
    text = path.read_text().replace('"evaluate_every": 50', '"evaluate_every": 50, "longest_sum": 432')
    path.write_text(text)
    with pytest.raises(ModelError, match="longest_sum"):
        zoo.read(path)
