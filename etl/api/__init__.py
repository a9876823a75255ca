"""How to talk to QQCatalyst: the client, its transport, its retries and the calls it may have under way."""
