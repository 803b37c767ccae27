"""Boards on the desk: finds them, flashes them, and asks them what only they can answer; prints nothing."""
