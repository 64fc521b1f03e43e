"""Weighing indicators of every protocol on a wire: their own encoders, sharing nothing with the decoders."""
