"""Where reviewers work."""
