"""Reference central system and zone authority: processes of their own, for demo and tests only."""
