"""Whether a training is due, its plan, and the one attempt of a snapshot."""
