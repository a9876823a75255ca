"""The commands of `qqetl`, one file each."""
