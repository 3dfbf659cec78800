"""Label assist: people label a large set with the help of the model, the most instructive images first."""
