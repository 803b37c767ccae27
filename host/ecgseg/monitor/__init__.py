"""A stream that is looked at while it runs: a recording paced through a target, what came of it, its server."""
