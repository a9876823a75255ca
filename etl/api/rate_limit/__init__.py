"""How fast the API may be called, shared by all workers of an account."""
