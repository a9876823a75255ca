"""The settings, read once from the environment, and the logging of a run."""
