"""What is written from the declarations: the data dictionary, the sample environment file."""
