"""What needs a person, and the mails that wait for their server."""
