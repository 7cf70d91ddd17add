"""What the engine needs from outside, as Protocols; the daemon chooses who provides it. What only a part of
it needs stands beside that part (`agents/ports.py`, …)."""
