"""Links to the central system."""
