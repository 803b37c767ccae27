"""What a model costs: instructions, memory, flash."""

from ecgseg.profile.qemu import Profile, profile_generated, profile_model

__all__ = ["Profile", "profile_generated", "profile_model"]
