"""Brings a folder of this machine into a project's bucket: each content once, as often as it is begun again."""
