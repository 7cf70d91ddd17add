"""Time limits that nobody configures, in seconds."""

from __future__ import annotations

SECURE_SECONDS = 10.0
"""How long taking the lead in hand may take."""
FAREWELL_SECONDS = 12.0
"""Longest farewell to an agent before the leg is hung up whatever plays."""
LOOK_UP_SECONDS = 2.0
"""How long it is waited for what others know of the lead, if they do not keep to their own limit."""
QUESTION_MARGIN_SECONDS = 15.0
"""How much longer than a question itself each step of it may take: what is said before, a busy machine."""
HANGUP_SECONDS = 5.0
"""How long a hangup may take before it is ordered again."""
JOIN_SECONDS = 15.0
"""Longest join with its introduction; longest way into a consult, or back to the lead."""
SETTLE_SECONDS = 5.0
"""How often what is left of an ended handoff is looked after."""
CHECK_SECONDS = 60.0
"""How often a conversation is compared with what Asterisk has, in case its end was not told."""
RETRY_SECONDS = 1.0
"""After the lead's music could not be started; and after one of two who were let go was seen leaving."""
KEY_SECONDS = 3.0
"""Longest pause between two keys of one sequence."""
AGAIN_SECONDS = FAREWELL_SECONDS + HANGUP_SECONDS
"""How long it is waited, whatever the team says, for those who lost to an agent who then vanished."""
