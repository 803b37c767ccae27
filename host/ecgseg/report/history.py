"""How a training went, as a picture beside the model."""

from __future__ import annotations

import io
from collections.abc import Sequence

from ecgseg.report.drawing import drawing
from ecgseg.zoo.checkpoints import Look


def history_picture(name: str, history: Sequence[Look], best: Look) -> bytes:
    """PNG of loss and validation score over the steps.

    Args:
        name: of the model.
        history: all looks of the training.
        best: the one that was chosen, which is marked; what is behind the training's own steps is shaded.

    Raises:
        OutputError: it could not be drawn.
    """
    with drawing("history.png"):
        return _png(name, history, best)


def _png(name: str, history: Sequence[Look], best: Look) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.add_subplot()
    steps = [look.step for look in history]
    axes.plot(steps, [look.loss for look in history], color="tab:gray")
    tuned = [look.step for look in history if look.fine_tuning]
    if tuned:
        first = max((look.step for look in history if not look.fine_tuning), default=0)
        axes.axvspan(first, tuned[-1], color="tab:gray", alpha=0.15, linewidth=0, label="fine-tuning")
        axes.legend(loc="center", frameon=False)
    axes.set_xlabel("step")
    axes.set_ylabel("training loss", color="tab:gray")
    scores = axes.twinx()
    scores.plot(steps, [100 * look.weighted_f1 for look in history], color="tab:blue")
    scores.axvline(best.step, color="tab:blue", linestyle=":")
    scores.set_ylabel("validation weighted F1 [%]", color="tab:blue")
    axes.set_title(f"{name}: {100 * best.weighted_f1:.2f} % at step {best.step}")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
