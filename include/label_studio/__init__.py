"""A Label Studio of this machine: the real program, in a virtual environment of its own, on the loopback address."""
