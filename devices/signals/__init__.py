"""I/O modules: profiles as data, polled inputs, outputs whose echo is compared; detectors and lights of a lane."""
