"""Facts and rules of one passage: standard library only, no I/O, no clock, no async."""
