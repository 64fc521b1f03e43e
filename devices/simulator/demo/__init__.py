"""The demo site K1: its lanes, the trucks that come with their stories, and the people at its desks."""
