"""Feeds made-up bytes to whatever reads bytes, and keeps those that end in neither a result nor an EcgsegError."""
