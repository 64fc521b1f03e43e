"""Schema revisions of the record. A published one is never edited; a new one is added."""
