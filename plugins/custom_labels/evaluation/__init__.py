"""Metrics, champion against challenger, gates, the decision and its page."""
