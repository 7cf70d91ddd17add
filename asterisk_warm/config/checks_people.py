"""What is wrong between agents and teams that are each well formed."""

from __future__ import annotations

from asterisk_warm.config.errors import KeyPath, dotted
from asterisk_warm.config.values import nearest
from asterisk_warm.config.written import Written


def check(written: Written) -> None:
    _members(written)
    _tiers(written)
    _endpoints(written)
    _behind_local(written)
    _misread_numbers(written)
    _numbers(written)


def _members(written: Written) -> None:
    """Every agent of a team is known and named once; an agent of no team is hardly meant."""
    known = written.mapping(("agents",))
    employed: set[str] = set()
    for team in written.mapping(("teams",)):
        seen: set[str] = set()
        for path, agent in written.members(team):
            if agent in seen:
                written.report(path, f'{dotted(path)}: "{agent}" is in this team already')
            elif agent not in known and ("agents",) not in written.faulty:
                message = f'{dotted(path)}: there is no agent "{agent}"'
                likely = nearest(agent, known)
                written.report(path, message, expected="an id of agents", suggestion=likely)
            seen.add(agent)
        employed |= seen
    for agent in known:
        if agent not in employed and not written.source.errors and not written.faulty:
            written.warn(("agents", agent), f'agent "{agent}" is in no team')


def _tiers(written: Written) -> None:
    """Whoever has a tier in a team is one of its agents."""
    for team in written.mapping(("teams",)):
        agents = [agent for _, agent in written.members(team)]
        section: KeyPath = ("teams", team, "tiers")
        lists: KeyPath = ("teams", team, "agents")
        for agent in written.mapping(section):
            path: KeyPath = (*section, agent)
            if agent not in agents and written.sound(path, lists):
                message = f'{dotted(path)}: "{agent}" is not in this team'
                likely = nearest(agent, agents)
                written.report_name(path, message, expected="one of its agents", suggestion=likely)


def _endpoints(written: Written) -> None:
    """The agent is known by the endpoint: by whom a feature code is dialled, whose device state counts."""
    first: dict[str, str] = {}
    for agent in written.mapping(("agents",)):
        path: KeyPath = ("agents", agent, "endpoint")
        endpoint = written.value(path)
        if not isinstance(endpoint, str) or path in written.faulty:
            continue
        if endpoint in first:
            message = f'{dotted(path)}: agent "{first[endpoint]}" has the endpoint {endpoint} already'
            written.report(path, message, expected="an endpoint of the agent's own")
        first.setdefault(endpoint, agent)


def _behind_local(written: Written) -> None:
    """A Local channel shows only the calls that go through it, and none of the phone behind it."""
    for agent in written.mapping(("agents",)):
        path: KeyPath = ("agents", agent, "endpoint")
        endpoint = written.value(path)
        hinted = written.value(("agents", agent, "hints"))
        if not isinstance(endpoint, str) or path in written.faulty or hinted:
            continue
        if endpoint.casefold().startswith("local/"):
            unseen = f"other calls of the phone behind {endpoint} are not seen"
            written.warn(path, f"{dotted(path)}: {unseen}: give that phone in hints")


def _misread_numbers(written: Written) -> None:
    """Of +15551234 without quotes YAML leaves 15551234, which is dialled otherwise."""
    for path, text in written.source.plain_texts.items():
        if path in written.faulty or not _holds_number(path):
            continue
        value = written.value(path)
        if not isinstance(value, int) or text == str(value):
            continue
        message = f"{dotted(path)}: YAML reads {text[:40]} without quotes as the number {value}"
        written.report(path, message, expected="a number in quotes", suggestion=f'"{text}"')
        written.faulty.add(path)


def _numbers(written: Written) -> None:
    """A number that is dialled stands for one agent or team; their ids can be dialled as well."""
    everybody = {(section, id): None for section in ("agents", "teams") for id in written.mapping((section,))}
    first: dict[str, KeyPath] = {}
    for who in everybody:
        path: KeyPath = (*who, "number")
        value = written.value(path)
        if value is None or path in written.faulty:
            continue
        number = str(value)
        namesakes = (("agents", number), ("teams", number))
        others = [other for other in namesakes if other in everybody and other != who]
        if number in first:
            _taken(written, path, f'{_called(first[number])} has the number "{number}" already')
        elif others:
            _taken(written, path, f'"{number}" is the id of {_called(others[0])}')
        first.setdefault(number, who)


def _taken(written: Written, path: KeyPath, by: str) -> None:
    written.report(path, f"{dotted(path)}: {by}", expected="a number that stands for nobody else")


def _holds_number(path: KeyPath) -> bool:
    match path:
        case ("agents" | "teams", _, "number") | ("outside", "allow", _):
            return True
        case _:
            return False


def _called(who: KeyPath) -> str:
    """Return ``agent "ana"`` or ``team "sales"``."""
    section, id = who
    return f'{str(section).removesuffix("s")} "{id}"'
