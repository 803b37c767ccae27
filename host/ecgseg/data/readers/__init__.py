"""One module per file format of recordings; each reads towards `ecgseg.data.records.Record` and knows no database."""
