"""All state: batches, slices, leases, staging, findings, outbox. The only package that commits."""
