"""The language of the catalogue: resources, their endpoints, and the rules for details."""
