"""The moves that handlers are made of. Each takes the handoff and returns a Step.

`limits` ← `lead` ← `qualifier` ← `offering` ← `ending`, `asking`: each knows only those before it."""
