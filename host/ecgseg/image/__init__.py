"""Images: which programs there are for which boards, what compiles them, and the emulator that runs them."""
