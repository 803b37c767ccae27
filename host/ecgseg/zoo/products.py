"""Matrix products whose sums do not depend on the CPU.

XLA leaves a product of matrices on a CPU to Eigen, which adds up as many products in registers as the first-level data
cache holds rows for: (bytes - 384) / 112 with AVX2, 288 at 32 KB and 432 at 48 KB (`computeProductBlockingSizes` in
its GeneralBlockPanelKernel.h). Longer sums are cut there, and a sum that is cut elsewhere is rounded otherwise. The
gradient of a weight is a sum over all positions of a batch, thousands of products. Sums that are cut here, to no more
than any such CPU takes at once, come to the same bytes on all of them.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def product(rows: Any, kernel: Any, longest: int) -> Any:
    """The matrix product of rows and a kernel, with a gradient whose sums are cut as well.

    Args:
        rows: float32 [positions, inputs].
        kernel: float32 [inputs, outputs].
        longest: products that are added up at a time; 0 leaves that to the CPU.

    Returns:
        float32 [positions, outputs].
    """
    if not longest:
        return tf.matmul(rows, kernel)

    def multiplied(rows: Any, kernel: Any) -> tuple[Any, Any]:
        def gradient(upstream: Any) -> tuple[Any, Any]:
            return _over_columns(upstream, tf.transpose(kernel), longest), _over_rows(rows, upstream, longest)

        return _over_columns(rows, kernel, longest), gradient

    return tf.custom_gradient(multiplied)(rows, kernel)


def _over_columns(left: Any, right: Any, longest: int) -> Any:
    """[n, k] times [k, m], summed over k."""
    total = tf.matmul(left[:, :longest], right[:longest])
    for start in range(longest, right.shape[0], longest):
        total += tf.matmul(left[:, start : start + longest], right[start : start + longest])
    return total


def _over_rows(left: Any, right: Any, longest: int) -> Any:
    """[n, k] transposed times [n, m], summed over n in equal parts, the longest that divide n."""
    positions = left.shape[0]
    length = next(size for size in range(min(positions, longest), 0, -1) if positions % size == 0)
    count = positions // length
    left = tf.reshape(left, [count, length, left.shape[1]])
    right = tf.reshape(right, [count, length, right.shape[1]])

    def add(index: Any, total: Any) -> tuple[Any, Any]:
        return index + 1, total + tf.matmul(left[index], right[index], transpose_a=True)

    # A loop: of one product for all parts and a sum over them XLA would make a single product again.
    start = (0, tf.zeros([left.shape[2], right.shape[2]]))
    return tf.while_loop(lambda index, _: index < count, add, start, maximum_iterations=count)[1]
