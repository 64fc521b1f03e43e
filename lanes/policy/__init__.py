"""The rules of the gate: one pure function per rule, an engine that keeps every reason."""
