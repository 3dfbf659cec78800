"""The stack of a project: the template, and the command that deploys it."""
