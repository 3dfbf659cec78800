"""The version record, the live pointer, start, smoke test, swap, rollback and scale."""
