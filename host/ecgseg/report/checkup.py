"""What a look at this computer found, on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding

from ecgseg.doctor.findings import Checkup, Finding
from ecgseg.doctor.versions import Versions
from ecgseg.terminal import Table, data

_MARKS = {
    "ok": "[green]ok[/green]",
    "doubtful": "[yellow]doubtful[/yellow]",
    "missing": "[bold yellow]missing[/bold yellow]",
}
_NEEDED = "[bold red]MISSING[/bold red]"
_COMMIT_DIGITS = 12
_INDENT = (0, 0, 0, 4)
_LONGEST_COMMAND = 76


def show_checkup(checkup: Checkup, console: Console) -> None:
    """Prints what there is, then of each thing that is missing what it costs and what mends it."""
    table = Table(show_header=False, box=None, pad_edge=False)
    for _ in range(3):
        table.add_column()
    for finding in checkup.findings:
        table.add_row(_mark(finding), data(finding.name), data(finding.found))
    console.print(table)
    for finding in checkup.findings:
        if finding.state != "ok":
            console.print()
            console.print(f"[bold]{data(finding.name)}[/bold]: {data(finding.found.rstrip('.'))}.", highlight=False)
            console.print(Padding(data(finding.cost), _INDENT, expand=False), highlight=False)
            _show_mend(finding.mend, console)
    console.print()
    if checkup.ready:
        console.print("[bold green]The daily commands work[/bold green]: demo, hil-test, segment, build, evaluate.")
    else:
        wanted = [f for f in checkup.findings if f.needed_daily and f.state == "missing"]
        names = ", ".join(data(finding.name) for finding in wanted)
        console.print(f"[bold red]Not all daily commands work[/bold red]; first of all mend: {names}.")


def _show_mend(mend: str, console: Console) -> None:
    """A command as it is, for it is there to be copied; what is longer than one is prose."""
    if len(mend) <= _LONGEST_COMMAND:
        console.print(f"    {data(mend)}", highlight=False, soft_wrap=True)
    else:
        console.print(Padding(data(mend), _INDENT, expand=False), highlight=False)


def _mark(finding: Finding) -> str:
    return _NEEDED if finding.needed_daily and finding.state == "missing" else _MARKS[finding.state]


def show_versions(versions: Versions, console: Console) -> None:
    """Prints release, commit, and what computes."""
    for name, text in version_rows(versions):
        console.print(f"{data(name)} {data(text)}", highlight=False, soft_wrap=True)


def version_rows(versions: Versions) -> list[tuple[str, str]]:
    """Name and version of everything that computes."""
    return [
        ("ecgseg", versions.ecgseg),
        ("commit", commit_text(versions)),
        ("Python", versions.python),
        *versions.packages.items(),
        *((name, told.removeprefix(name).strip()) for name, told in versions.tools.items()),
        ("on", versions.platform),
    ]


def commit_text(versions: Versions) -> str:
    """The commit, and whether files differ from it."""
    if versions.commit is None:
        return "not known"
    return versions.commit[:_COMMIT_DIGITS] + (", with changes that are not committed" if versions.changed else "")
