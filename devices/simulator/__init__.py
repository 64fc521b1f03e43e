"""The simulated yard: physics, wire devices that show it as bytes and registers, and the judge. No driver code."""
