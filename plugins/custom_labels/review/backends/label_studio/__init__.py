"""Label Studio: its projects, its tasks and its annotations."""
