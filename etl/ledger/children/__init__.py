"""The child queue: which parents get a call for details, and when."""
