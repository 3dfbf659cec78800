"""What every room needs: projects and settings, the run's context, names, outcomes, locks."""
