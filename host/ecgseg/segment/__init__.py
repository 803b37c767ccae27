"""Sends a user's recording through a target and keeps what it finds: beats, marks, tables, and what a picture shows."""
