"""Tests several targets at once, each in a process of its own, as a file of a user's tells."""
