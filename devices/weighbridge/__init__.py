"""Weighbridges: decoders (bytes to frames, pure), stability, and the driver that owns the port."""
