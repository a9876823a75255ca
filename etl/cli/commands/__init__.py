"""Commands of `qqetl`, one file each."""
