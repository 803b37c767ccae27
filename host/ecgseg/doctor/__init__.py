"""What this computer has of what the tasks need, and which versions compute on it."""
