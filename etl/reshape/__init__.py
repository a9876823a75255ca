"""What a record becomes: rows, references, findings and derived records. The transform and the load step share it."""
