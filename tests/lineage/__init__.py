"""The command that exports a snapshot."""
