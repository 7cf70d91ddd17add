"""The decisions, pure: no clock, no ids, no I/O."""
