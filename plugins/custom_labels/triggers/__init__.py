"""Triggers: declarations of what to poll; the waiters and status tables decide."""
