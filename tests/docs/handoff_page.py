"""The state diagram and table of the docs, drawn from `TABLE`: what is documented is what runs."""

from __future__ import annotations

import ast
import inspect
from enum import StrEnum

from asterisk_warm.core.handoff import states
from asterisk_warm.core.handoff.states import OfferState, State
from asterisk_warm.core.handoff.table import TABLE


def mermaid() -> str:
    """A Mermaid state diagram; arrows are labelled with the events that cause them."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for state, rows in TABLE.items():
        for event, row in rows.items():
            for to in sorted(row.to):
                arrows.setdefault((state, to), []).append(event.__name__)
    lines = ["stateDiagram-v2", f"    [*] --> {State.REQUESTED}: HandoffRequested"]
    for (start, to), events in arrows.items():
        lines.append(f"    {start} --> {to}: {', '.join(sorted(events))}")
    lines += [f"    {state} --> [*]" for state in State if state.final]
    return "\n".join(lines)


def meanings(kind: type[State] | type[OfferState]) -> dict[str, str]:
    """Each state's meaning: the docstring under its definition."""
    return {name: words for name, words in _docs(kind).items()}


def _docs(kind: type[StrEnum]) -> dict[str, str]:
    tree = ast.parse(inspect.getsource(states))
    body = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == kind.__name__).body
    found: dict[str, str] = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            doc = after.value.value if _is_doc(after) else ""  # type: ignore[union-attr,attr-defined]
            found[node.targets[0].id] = str(doc)
    return found


def _is_doc(node: ast.stmt | None) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
