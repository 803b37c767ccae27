"""One module or package per source of recordings: where it is, how it is read, how it is divided."""
