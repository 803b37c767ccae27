"""Looks at everything that tasks need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ecgseg.doctor import computer, needs
from ecgseg.doctor.findings import Checkup, Finding
from ecgseg.doctor.versions import versions_here

CHECKS: Sequence[Callable[[], Iterable[Finding]]] = (
    needs.python,
    needs.base_packages,
    needs.oracle,
    needs.host_compiler,
    needs.arm_compiler,
    needs.qemu,
    computer.disk,
    computer.git,
    computer.databases,
    computer.extras,
    computer.probe,
    computer.ports,
)


def check_up() -> Checkup:
    """Looks at everything; what cannot be looked at is a finding too."""
    findings = [finding for check in CHECKS for finding in _asked(check)]
    return Checkup(
        ready=not any(finding.needed_daily and finding.state == "missing" for finding in findings),
        findings=findings,
        versions=versions_here(),
    )


def _asked(check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    try:
        return list(check())
    except ImportError as error:
        name = check.__name__.replace("_", " ").capitalize()
        return [
            Finding(
                name=name,
                state="missing",
                found=f"not looked at: the Python package {error.name} is missing",
                cost="It is not known what works.",
                mend=needs.SETUP,
            )
        ]
