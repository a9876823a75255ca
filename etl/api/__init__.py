"""The QQCatalyst API: client, transport, retries, concurrency."""
