"""What a user calls: one file per task, with its options and what it puts together."""
