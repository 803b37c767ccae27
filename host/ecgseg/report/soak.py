"""A soak on the terminal and as a page: the verdict, counts, memory and answer times over its frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup
from rich.console import Console

from ecgseg.hil.soak.drift import Trend
from ecgseg.hil.soak.result import AnswerTimes, SoakResult, Window
from ecgseg.report.page import render_page
from ecgseg.report.series import Line, series_figure
from ecgseg.report.terminal import summary_panel
from ecgseg.report.texts import Row, byte_text, origin_rows, source_text, stack_text
from ecgseg.terminal import Table, data

MIB = 1 << 20
_HOUR, _MINUTE = 3600, 60
_SHOWN = ("p10", "p50", "p90")
HEADLINES = {
    "pass": "Every byte equal, nothing grows",
    "fail": "The device differs",
    "drift": "Something grows",
    "incomplete": "Incomplete",
}
_VERDICTS = {
    "pass": "[bold green]PASS[/bold green]  every byte of the device equals Python, and nothing grows",
    "fail": "[bold red]FAIL[/bold red]  the device differs from Python",
    "drift": "[bold red]DRIFT[/bold red]  every byte of the device equals Python, but something grows",
    "incomplete": "[bold yellow]INCOMPLETE[/bold yellow]  the soak did not reach its end",
}
_TOO_SHORT = "[bold green]PASS[/bold green]  every byte of the device equals Python; too short to tell what grows"
_OUTCOMES = {"steady": "steady", "step": "one step", "grows": "grows", "too short": "too short to tell"}


def show_soak(result: SoakResult, console: Console) -> None:
    """Prints its counts, what came of memory and answer times, and the verdict."""
    console.print()
    console.print(summary_panel(f"Soak, target {data(result.target)}", summary_rows(result)))
    if any(trend.points for trend in result.trends):
        console.print(_trend_table(result.trends))
    for item in result.mismatches[:1]:
        where = f"record {item.record}, lead {item.lead}, frame {item.frame}, in {item.stage}"
        console.print(f"Differs first: {data(where)}", highlight=False, soft_wrap=True)
        if item.replay:
            console.print(f"Run it again: {data(item.replay)}", highlight=False, soft_wrap=True)
    verdict = _VERDICTS[result.verdict]
    if result.verdict == "pass" and not _judged(result):
        verdict = _TOO_SHORT
    console.print(verdict + (f": {data(result.error)}" if result.error else "."), soft_wrap=True)


def _judged(result: SoakResult) -> bool:
    """Whether it was long enough for anything to be called growing or not."""
    return any(trend.outcome != "too short" for trend in result.trends)


def _trend_table(trends: Sequence[Trend]) -> Table:
    table = Table(show_edge=False)
    table.add_column("Watched")
    for name in ("Typical", "Growth", "Allowed"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in trend_rows(trends):
        table.add_row(*map(data, row))
    return table


def trend_rows(trends: Sequence[Trend]) -> list[tuple[str, str, str, str, str]]:
    """What was watched: its name, typical value, growth, what it may be, what came of it."""
    return [
        (
            trend.name,
            f"{trend.typical:,.2f} {trend.unit}" if trend.typical else "–",
            *((f"{trend.growth:+,.3f}", f"{trend.bound:,.3f}") if trend.outcome != "too short" else ("–", "–")),
            _OUTCOMES[trend.outcome],
        )
        for trend in trends
    ]


def summary_rows(result: SoakResult) -> list[Row]:
    """Name and value of everything worth a line."""
    counts = result.counts
    return [
        ("Model", f"{result.model}  (SHA-256 {result.model_sha256[:16]}…)"),
        ("Image", f"{result.board}, backend {result.backend}, build {result.build_id}"),
        ("Input", f"{source_text(result.source)}, at {result.rate} Hz, drawn by seed {result.seed}"),
        ("Oracle", result.oracle),
        ("Frames", f"{counts.frames:,} of {_wanted(result)}, {lost(result):,} lost, in {counts.leads:,} leads"),
        ("Bytes", f"{counts.compared_bytes:,} compared, {counts.mismatched_bytes:,} different"),
        ("Faults", f"{counts.faults:,} in {counts.faulty_leads:,} leads"),
        ("Restarts", f"{counts.restarts:,} told, {counts.power_cycles:,} by ending the process"),
        ("Link", f"{counts.requests:,} requests, {counts.retries:,} retries, {counts.crc_errors:,} damaged answers"),
        ("Deepest stack", stack_text(max((window.stack_bytes for window in result.windows), default=0))),
        *(("Note", note) for note in result.notes),
        ("Duration", _duration(result)),
    ]


def lost(result: SoakResult) -> int:
    """Frames that should have been answered and were not."""
    return max(result.counts.expected_frames - result.counts.frames, 0)


def _wanted(result: SoakResult) -> str:
    parts = [f"{result.wanted_frames:,}"] if result.wanted_frames is not None else []
    parts += [f"those of {result.wanted_hours:g} h"] if result.wanted_hours is not None else []
    return " or ".join(parts)


def _duration(result: SoakResult) -> str:
    return f"{_time(result.counts.seconds)} on this host, {_sessions(result)}"


def _sessions(result: SoakResult) -> str:
    return f"{result.sessions:,} session" + "s" * (result.sessions != 1)


def _time(seconds: float) -> str:
    """Hours, or minutes of less than two."""
    return f"{seconds / _HOUR:,.1f} h" if seconds >= 2 * _HOUR else f"{seconds / _MINUTE:,.1f} min"


def render_soak(result: SoakResult) -> str:
    """HTML of a soak; all styles and figures are inside."""
    counts = result.counts
    restarts = counts.restarts + counts.power_cycles
    return render_page(
        "soak.html.j2",
        result=result,
        headline=HEADLINES[result.verdict] if result.verdict != "pass" or _judged(result) else "Every byte equal",
        judged=_judged(result),
        grows=[trend.name for trend in result.trends if trend.outcome == "grows"],
        wanted=_wanted(result),
        tiles=[
            (f"{counts.frames:,}", "frames of 2.5 s compared", f"{lost(result):,} lost"),
            (f"{counts.compared_bytes:,}", "bytes compared", f"{counts.mismatched_bytes:,} different"),
            (f"{counts.faults:,}", "faults of the line", f"{counts.retries:,} retries"),
            (f"{restarts:,}", "restarts", f"{counts.power_cycles:,} by ending the process"),
            (_time(counts.seconds), "on this host", _sessions(result)),
        ],
        trends=trend_rows(result.trends),
        figures=[(name, Markup(figure)) for name, figure in _figures(result.windows)],
        rows=[*summary_rows(result), *(origin_rows(result.provenance) if result.provenance else [])],
        byte=byte_text,
    )


def _figures(windows: Sequence[Window]) -> list[tuple[str, str]]:
    """Name and SVG of each figure that has points."""
    found = [
        ("Memory of this program", "MiB", [_line("", windows, lambda w: w.session, lambda w: _mib(w.host_rss_bytes))]),
        ("Memory of the target", "MiB", [_line("", windows, lambda w: w.life, lambda w: _mib(w.target_rss_bytes))]),
        ("Answer time of a frame", "ms", [_times(windows, name, lambda w: w.answers) for name in _SHOWN]),
        ("Of it the time on a core", "ms", [_times(windows, name, lambda w: w.on_core) for name in _SHOWN]),
    ]
    return [
        (f"{name}, {unit}", series_figure(name, unit, lines))
        for name, unit, lines in found
        if any(part for line in lines for part in line.parts)
    ]


def _mib(size: int | None) -> float | None:
    return None if size is None else size / MIB


def _times(windows: Sequence[Window], name: str, of: Callable[[Window], AnswerTimes | None]) -> Line:
    def value(window: Window) -> float | None:
        times = of(window)
        return None if times is None else float(getattr(times, name))

    return _line(f"{name[1:]} %", windows, lambda w: w.session, value)


def _line(
    name: str, windows: Sequence[Window], life: Callable[[Window], int], value: Callable[[Window], float | None]
) -> Line:
    """A figure over the frames; a new life begins a new stroke."""
    parts: dict[int, list[tuple[float, float]]] = {}
    frames = 0
    for window in windows:
        frames += window.frames
        found = value(window)
        if found is not None:
            parts.setdefault(life(window), []).append((frames, found))
    return Line(name, list(parts.values()))
