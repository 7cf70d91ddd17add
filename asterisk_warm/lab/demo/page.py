"""One page over a run's folder: no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from asterisk_warm.lab.demo.summary import Summary, seconds


@dataclass(frozen=True)
class Chapter:
    """One scene on the page. `folder` holds its timeline.png, journal.json, story.txt and recordings."""

    folder: str
    title: str
    plot: str
    summary: Summary
    recordings: tuple[tuple[str, str], ...]
    """(whose, file)."""
    story: tuple[tuple[str, str, str], ...]
    """(when, who, what)."""


def write(chapters: Sequence[Chapter], asterisk: str, when: str, out: Path) -> Path:
    """Write `index.html` into `out`."""
    file = out / "index.html"
    about = f"Played on {escape(when)} with Asterisk {escape(asterisk)}, real SIP phones and real audio."
    body = "".join(map(_chapter, chapters))
    file.write_text(_PAGE.format(about=about, body=body), encoding="utf-8")
    return file


def _chapter(chapter: Chapter) -> str:
    folder = escape(chapter.folder)
    heard = "".join(
        f"<figure><figcaption>What {escape(who)} heard</figcaption>"
        f'<audio controls preload="none" src="{folder}/{escape(file)}"></audio></figure>'
        for who, file in chapter.recordings
    )
    agents = "".join(
        f"<tr><th>{escape(row.name)}</th><td>{escape(row.outcome)}</td>"
        f"<td>{seconds(row.rang)}</td><td>{seconds(row.briefed)}</td></tr>"
        for row in chapter.summary.agents
    )
    figures = "".join(f"<dt>{escape(w)}</dt><dd>{escape(h)}</dd>" for w, h in chapter.summary.figures())
    story = "".join(
        f"<tr><td>{escape(when)}</td><th>{escape(who)}</th><td>{escape(what)}</td></tr>"
        for when, who, what in chapter.story
    )
    return f"""
<section>
<h2>{escape(chapter.title)}</h2>
<p>{escape(chapter.plot)}</p>
<img src="{folder}/timeline.png" width="1600" alt="Timeline of the scene; the story below tells the same">
<div class="heard">{heard}</div>
<table class="agents"><thead><tr><th>Agent</th><th>Outcome</th><th>Rang</th><th>Briefed</th></tr></thead>
<tbody>{agents}</tbody></table>
<dl>{figures}</dl>
<details><summary>The story, from the journal</summary><table class="story">{story}</table></details>
<p><a href="{folder}/journal.json">journal.json</a> · <a href="{folder}/story.txt">story.txt</a></p>
</section>"""


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>asterisk_warm: the demo</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #23262b; background: #fff; max-width: 1100px;
  margin: 2rem auto; padding: 0 1rem }}
h1, h2 {{ font-weight: 600; line-height: 1.2 }} section {{ margin: 3rem 0; border-top: 1px solid #e2e0d8 }}
img {{ width: 100%; height: auto; border: 1px solid #e2e0d8; border-radius: 8px }}
.heard {{ display: flex; flex-wrap: wrap; gap: 1rem; margin: 1rem 0 }} figure {{ margin: 0 }}
figcaption, dt, thead {{ color: #666c75; font-size: .9rem }}
table {{ border-collapse: collapse }} td, dd {{ font-variant-numeric: tabular-nums }}
th, td {{ text-align: left; padding: .15rem 1.5rem .15rem 0; font-weight: 400 }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem }} dd {{ margin: 0 }}
.story td:first-child {{ text-align: right }} .story td:first-child, .story th {{ white-space: nowrap }}
</style>
<h1>A warm handoff, played</h1>
<p>{about}</p>
{body}
</html>
"""
