"""What each event does, by the part of the handoff it is about. `table` says which applies in which state."""
