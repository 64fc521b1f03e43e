"""Configuration: TOML files, checked as a whole before anything starts."""
