"""Shows results that others have measured: as tables on the terminal, pages for a browser or the docs, and pictures."""
