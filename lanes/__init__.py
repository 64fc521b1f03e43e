"""What a lane does: the automaton, its interlocks, its controller, routing and policy."""
