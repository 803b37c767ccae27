"""Names of the targets, for those who have to name one before it is looked up."""

HOST = "host"
QEMU = "qemu"
APOLLO4P_SIM = "apollo4p-sim"
APOLLO4P = "apollo4p"

DEFAULT_TARGET = QEMU
"""Where a test or a profile runs unless told otherwise: it needs neither a board nor Unicorn."""
