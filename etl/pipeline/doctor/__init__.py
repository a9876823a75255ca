"""The doctor: a check of the credentials, the calls and the first sync's plan before anything is read."""
