"""Feature codes: what a qualifier asks for by keys, in a call that is not ours."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from asterisk_warm.engine.agents.service import AgentService
from asterisk_warm.engine.directory import Destination, Directory, Team
from asterisk_warm.engine.entrance.aside import Aside
from asterisk_warm.engine.entrance.live import LiveCalls, Request
from asterisk_warm.engine.errors import Refused
from asterisk_warm.engine.ports.calls import InCall, Wish
from asterisk_warm.engine.ports.pbx import Pbx, PbxError

log = structlog.get_logger(__name__)


class FeatureCodes:
    def __init__(
        self, pbx: Pbx, directory: Directory, agents: AgentService, live: LiveCalls, aside: Aside
    ) -> None:
        self._pbx = pbx
        self._directory = directory
        self._agents = agents
        self._live = live
        self._aside = aside

    async def dialled(self, asked: InCall) -> None:
        """Do it, or tell the qualifier why not."""
        try:
            if asked.wish is Wish.ARM:
                await self._pbx.watch(asked.channel)
                return
            team = self._directory.team(asked.team or await self._pbx.team_of(asked.channel))
            if asked.wish is Wish.WHO:
                await self._aside.say(asked.channel, who_words(team, self._agents.why_not(team)))
                return
            here = await self._live.locate(asked.channel)
            if here.peer is None:
                raise Refused("conflict", "there is nobody on the line to hand off")
            request = Request(Destination(team=team.id), (f"mode={asked.wish.value}",), "feature code")
            await self._live.take_over(here.peer, here.party, team, request)
        except Refused as refused:
            log.warning(
                "a feature code was refused",
                channel=asked.channel,
                wish=asked.wish.value,
                team=asked.team or None,
                handoff=refused.handoff or None,
                why=refused.message,
            )
            await self._aside.say(asked.channel, refused.message)
        except PbxError as error:
            log.warning("a feature code failed", channel=asked.channel, why=str(error))


def who_words(team: Team, why_not: Mapping[str, str]) -> str:
    """Who is free, as it is said to a qualifier."""
    names = [agent.name for agent in team.agents if not why_not.get(agent.id, "?")]
    if not names:
        return f"Nobody of {team.name} is free."
    if len(names) == 1:
        return f"{names[0]} is free."
    return f"{', '.join(names[:-1])} and {names[-1]} are free."
