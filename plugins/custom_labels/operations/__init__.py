"""Cost guard, costs, retention, audit samples and the checks of bootstrap."""
