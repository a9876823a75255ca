"""What the environment says, read once, and how a run writes its log."""
