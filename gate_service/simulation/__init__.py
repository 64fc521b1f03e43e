"""The whole site in one process on virtual time, with random faults: what `gate simulate` runs. Never a real site."""
