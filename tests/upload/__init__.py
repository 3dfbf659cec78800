"""The command that uploads a folder."""
