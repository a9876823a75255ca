"""What the JSON of the API looks like and how it changes. Pure."""
