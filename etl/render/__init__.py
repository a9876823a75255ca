"""Pages rendered from the declarations: data dictionary, kinds, checks, settings, the sample environment file."""
