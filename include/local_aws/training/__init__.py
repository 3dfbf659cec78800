"""Real training in worker processes; what a trained model needs to predict is numpy arrays only."""
