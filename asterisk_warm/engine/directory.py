"""Whom a lead can be handed to: teams, single agents, and outside numbers that are allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from asterisk_warm.core.handoff.model import Agent, ReturnPlace
from asterisk_warm.core.handoff.options import clean
from asterisk_warm.core.handoff.policy import Mode, Policy
from asterisk_warm.core.plain import quotable
from asterisk_warm.core.roster import AgentRecord, TeamRecord
from asterisk_warm.core.routing import Strategy
from asterisk_warm.engine.errors import Refused


@dataclass(frozen=True, slots=True)
class Team:
    """Who is offered a lead together, and how."""

    id: str
    name: str
    agents: tuple[Agent, ...]
    policy: Policy
    number: str = ""
    """As a phone's Transfer key may dial it; empty: none."""
    transfer_mode: Mode = Mode.STAY
    """What a blind transfer to it by a phone's Transfer key becomes: STAY or AUTO."""
    return_to: ReturnPlace | None = None
    """Where a lead goes on who has no place of their own in the dialplan, such as one who was called."""


@dataclass(frozen=True, slots=True)
class Outside:
    """Numbers outside that a lead may be handed to, and how they are dialled."""

    allow: tuple[str, ...]
    """Numbers, or their beginnings followed by `*`."""
    endpoint: str
    """With `{number}` in it: `PJSIP/{number}@trunk`."""

    def permits(self, number: str) -> bool:
        return any(
            number.startswith(rule[:-1]) if rule.endswith("*") else number == rule for rule in self.allow
        )


@dataclass(frozen=True, slots=True)
class Destination:
    """One of them, as it was asked for."""

    team: str = ""
    agent: str = ""
    number: str = ""


class Directory:
    """Whom a lead can be handed to. How is the configuration's; who the agents and teams are is the store's,
    and `update` brings it."""

    def __init__(
        self, teams: Mapping[str, Team], default: Team | None = None, outside: Outside | None = None
    ) -> None:
        """`teams` has the policy of each configured team, and the order of its agents; `default` tells how a
        lead is handed to a single agent, an outside number, or a team that only the store has."""
        self._configured = teams
        self._default = default
        self._outside = outside
        self._teams: dict[str, Team] = {}
        self._agents: dict[str, Agent] = {}

    def update(self, agents: Sequence[AgentRecord], teams: Sequence[TeamRecord]) -> None:
        self._agents = {record.id: _agent(record) for record in agents}
        self._teams = {record.id: self._team(record, agents) for record in teams}

    def _team(self, record: TeamRecord, agents: Sequence[AgentRecord]) -> Team:
        template = self._configured.get(record.id) or self._default or next(iter(self._configured.values()))
        order = {agent.id: position for position, agent in enumerate(template.agents)}
        members = [_agent(a, dict(a.teams)[record.id]) for a in agents if record.id in dict(a.teams)]
        members.sort(key=lambda agent: (order.get(agent.id, len(order)), agent.id))
        return replace(template, id=record.id, name=record.name, number=record.number, agents=tuple(members))

    @property
    def teams(self) -> Sequence[Team]:
        return tuple(self._teams.values())

    def team(self, name: str) -> Team:
        """Raises Refused (not_found) with the known teams."""
        team = self._teams.get(name)
        if team is None:
            known = ", ".join(sorted(self._teams)) or "none"
            raise Refused("not_found", f'no team "{quotable(clean(name, 40))}"', f"configured teams: {known}")
        return team

    def find(self, destination: Destination) -> Team:
        """The team, or a team of one. Raises Refused (not_found, invalid)."""
        given = [kind for kind in (destination.team, destination.agent, destination.number) if kind]
        if len(given) != 1:
            raise Refused("invalid", "one of team, agent and number must be given", "give just one of them")
        if destination.team:
            return self.team(destination.team)
        if destination.agent:
            return self._one(self._agent(destination.agent))
        return self._one(self._outsider(destination.number))

    def dialled(self, number: str) -> Team | None:
        """Whom a number dialled on a phone stands for; None when it is none of ours."""
        for team in self._teams.values():
            if number and number in (team.number, team.id):
                return team
        for agent in self._agents.values():
            if number and number in (agent.number, agent.id):
                return self._one(agent)
        allowed = self._outside is not None and _is_number(number) and self._outside.permits(number)
        return self._one(self._outsider(number)) if allowed else None

    def nobody(self, number: str) -> Team:
        """Of a number that stands for nobody. Raises Refused where there is no default."""
        return replace(self._like_default(), id=number, name=number, agents=())

    def _agent(self, name: str) -> Agent:
        """By id, or by name."""
        wanted = name.casefold()
        for agent in self._agents.values():
            if wanted in (agent.id, agent.name.casefold()):
                return agent
        known = ", ".join(sorted(self._agents)) or "none"
        raise Refused("not_found", f'no agent "{clean(name, 40)}"', f"configured agents: {known}")

    def _outsider(self, number: str) -> Agent:
        if not _is_number(number):
            raise Refused(
                "invalid", f'"{clean(number, 40)}" is not a telephone number', "digits, with + before them"
            )
        if self._outside is None or not self._outside.permits(number):
            raise Refused("not_found", f"{number} is not on the list of outside numbers", "see outside.allow")
        endpoint = self._outside.endpoint.replace("{number}", number)
        return Agent(number, number, endpoint, number, outside=True)

    def _one(self, agent: Agent) -> Team:
        """Who was named is rung, whatever skills a team would ask for."""
        like = self._like_default()
        policy = replace(like.policy, routing=replace(like.policy.routing, strategy=Strategy.ALL, skills=()))
        return replace(like, id=agent.id, name=agent.name, agents=(agent,), policy=policy)

    def _like_default(self) -> Team:
        if self._default is None:
            raise Refused("not_found", "only teams can be handed a lead here")
        return self._default


def _agent(record: AgentRecord, tier: int = 1) -> Agent:
    return Agent(
        record.id,
        record.name,
        record.endpoint,
        record.number,
        tier,
        record.skills,
        language=record.language,
    )


def _is_number(text: str) -> bool:
    digits = text.removeprefix("+")
    return digits.isascii() and digits.isdigit() and 2 <= len(digits) <= 20
