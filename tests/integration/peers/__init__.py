"""Peers that device tests talk to: programs of others started as processes, and one small scripted peer of our own."""
