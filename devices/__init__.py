"""Drivers of the lane: weighbridges, barriers, I/O modules, readers, and the simulator that stands in for them."""
