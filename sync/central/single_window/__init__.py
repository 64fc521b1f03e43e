"""The single-window file exchange: envelopes up and down (SAS, INV), client replies, zone-platform messages (DXP)."""
