"""Barriers: positions from limit inputs and commands that are confirmed or failed, never assumed."""
