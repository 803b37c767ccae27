"""What was found in a recording, on the terminal; and the bar while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rich.console import Console
from rich.progress import TaskID, TextColumn

from ecgseg.segment.result import ChannelResult, SegmentResult
from ecgseg.segment.sending import OnStep, Step
from ecgseg.segment.strips import clock
from ecgseg.terminal import Table, data, progress

_STATES = {"lead_off": "off", "flat": "flat", "noisy": "noise", "gap": "gap", "overrun": "overrun"}


@contextmanager
def segment_bar(target: str, channels: int) -> Iterator[OnStep]:
    """A bar for each channel, from the first step that is told of it; red as soon as a byte differs.

    Args:
        target: name of the target, in front of the bar.
        channels: how many there are.
    """
    with ExitStack() as shown:
        bar = progress(TextColumn("{task.fields[place]}"))
        tasks: dict[int, TaskID] = {}

        def on_step(step: Step) -> None:
            if not bar.live.is_started:
                # Not before: until the device is ready others may still write to the terminal.
                shown.enter_context(bar)
            of_all = f" {step.index + 1}/{channels}" if channels > 1 else ""
            name = f"{target}{of_all} {data(step.channel.label)}"
            place = f"{clock(step.done)} of {clock(step.total)}"
            if step.index not in tasks:
                tasks[step.index] = bar.add_task(name, total=step.total, place=place)
            description = name if step.equal else f"{name} [red]differs"
            bar.update(tasks[step.index], completed=step.done, description=description, place=place)

        yield on_step


def show_recording(result: SegmentResult, output: Console) -> None:
    """Prints a row for each channel."""
    table = Table(padding=0)
    table.add_column("Channel", max_width=11, overflow="ellipsis", no_wrap=True)
    for name in ("Time", "Beats", "Beats/min\nlow-mid-high", "No P", "Quality"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Not usable", no_wrap=True)
    for channel in result.channels:
        table.add_row(*_row(channel))
    output.print(table)
    output.print("No P: beats without a P wave.\nQuality: how far the QRS complex stands out of what is around it.")
    for channel in result.channels:
        if channel.difference is not None:
            output.print(difference_text(channel), style="red", highlight=False, soft_wrap=True)
    if result.checked and not any(channel.difference for channel in result.channels):
        compared = sum(channel.compared_bytes for channel in result.channels)
        output.print(f"{compared:,} bytes compared with Python, every one equal.", highlight=False, soft_wrap=True)
    if result.oracle:
        output.print(f"Oracle: {data(result.oracle)}.", highlight=False, soft_wrap=True)


def _row(channel: ChannelResult) -> tuple[str, ...]:
    rate = "-" if channel.heart_rate is None else "-".join(f"{value:.0f}" for value in channel.heart_rate)
    lost = "\n".join(f"{_STATES[what]} {_short(seconds)}" for what, seconds in channel.seconds_of.items())
    return (
        data(channel.name or channel.channel),
        clock(channel.seconds),
        f"{channel.beats:,}",
        rate,
        "-" if channel.p_absent is None else f"{100 * channel.p_absent:.1f} %",
        "-" if channel.quality is None else f"{channel.quality:.0f} %",
        lost or "-",
    )


def _short(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else clock(seconds)


def difference_text(channel: ChannelResult) -> str:
    """Where a channel first differs from Python."""
    found = channel.difference
    assert found is not None
    since = f" (counted from {clock(found.since_s)})" if found.since_s else ""
    return (
        f"Channel {data(channel.name or channel.channel)} differs from Python: {found.what} {found.number:,}{since} is "
        f"{found.actual or 'not there'}, expected {found.expected or 'none'}."
    )
