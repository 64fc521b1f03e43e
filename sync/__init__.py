"""The record, the local slip copy, the outbox, and the links to the central system and the zone authority."""
