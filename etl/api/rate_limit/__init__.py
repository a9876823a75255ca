"""The call limit of an account, shared by all its workers."""
