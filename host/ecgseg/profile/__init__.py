"""Counts, models or measures what a model costs: time, memory, flash, energy; prints nothing."""

from ecgseg.profile.qemu import Profile, profile_generated, profile_model

__all__ = ["Profile", "profile_generated", "profile_model"]
