"""Amazon A2I: its set-up, its loops and its answers."""
