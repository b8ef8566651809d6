"""HTML report: one file that loads nothing else."""

from collections.abc import Iterable
from html import escape
from itertools import groupby
from typing import Final

from api.commands.audit.formats.text import verdict
from api.commands.audit.report import Access, Checked, Finding, Level, Report, Waived

_COMMANDS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")

_STYLE: Final = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1e21; --faint: #6a7079;
  --line: #e3e5e8; --tint: #f6f7f8; --bad: #b3261e; --bad-tint: #fdecea; --doubt: #8a5a00;
  --doubt-tint: #fdf3dc; --good: #1b6e3c; --good-tint: #e7f5ec; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181b; --ink: #e6e8ea; --faint: #969da6;
  --line: #2c3036; --tint: #1d2024; --bad: #ff8a80; --bad-tint: #3a1b19; --doubt: #f2c166;
  --doubt-tint: #352911; --good: #7fd6a0; --good-tint: #14301f; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 2.5rem 1.5rem 5rem; background: var(--paper);
  color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2.75rem 0 .75rem; }
p { margin: .25rem 0; } .faint { color: var(--faint); }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
pre { background: var(--tint); border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0;
  padding: .75rem 1rem; overflow-x: auto; white-space: pre-wrap; }
.verdict { border-radius: 10px; font-weight: 600; margin: 1.25rem 0 0; padding: .9rem 1.1rem; }
.bad { background: var(--bad-tint); color: var(--bad); }
.doubt { background: var(--doubt-tint); color: var(--doubt); }
.good { background: var(--good-tint); color: var(--good); }
.tag { border-radius: 5px; display: inline-block; font-size: .8rem; font-weight: 600;
  padding: .1rem .5rem; white-space: nowrap; }
.tag.faint { padding-left: 0; }
article { border: 1px solid var(--line); border-radius: 10px; margin: .75rem 0;
  padding: 1rem 1.1rem; }
article h3 { font-size: 1rem; margin: 0 0 .35rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .45rem .75rem .45rem 0; text-align: left;
  vertical-align: top; } th { color: var(--faint); font-weight: 500; }
details { margin: .5rem 0; } summary { cursor: pointer; }
"""


def render(report: Report) -> str:
    """An HTML page: verdict, findings, matrix, policies as SQL, probes and checks."""
    errors = any(finding.level is Level.ERROR for finding in report.findings)
    mood = "bad" if errors or report.not_checked else "doubt" if report.waived else "good"
    sections = (
        _findings(report.findings),
        _waived(report.waived),
        _not_checked(report.not_checked),
        _matrix(report.matrix),
        _section(
            "The policies in force",
            (f"<pre>{escape(policy.sql)}</pre>" for policy in report.policies),
        ),
        _probes(report),
        _section("The checks", map(_check, report.checked)),
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Audit of {escape(report.database)}</title>\n<style>{_STYLE}</style>\n"
        f"</head>\n<body>\n<h1>Are users kept apart?</h1>\n"
        f'<p class="faint">Database {escape(report.database)}, '
        f"PostgreSQL {escape(report.server_version)}</p>\n"
        f'<p class="verdict {mood}">{escape(verdict(report))}</p>\n'
        f"{''.join(sections)}</body>\n</html>"
    )


def _section(title: str, parts: Iterable[str]) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{''.join(parts)}</section>\n"


def _tag(text: str, mood: str) -> str:
    return f'<span class="tag {mood}">{escape(text)}</span>'


def _findings(findings: list[Finding]) -> str:
    if not findings:
        return ""
    return _section(
        "Findings",
        (
            f"<article><h3>{_tag(f.level, 'bad' if f.level is Level.ERROR else 'doubt')} "
            f"<code>{escape(f.id)}</code> {escape(f.object)}</h3>"
            f"<pre>{escape(f.detail)}</pre>"
            f'<p class="faint">Who can exploit it, and how</p><p>{escape(f.exploit)}</p>'
            f'<p class="faint">What mends it</p><pre>{escape(f.mend)}</pre>'
            f'<p class="faint">Key <code>{escape(f.key)}</code></p></article>\n'
            for f in findings
        ),
    )


def _waived(waived: list[Waived]) -> str:
    if not waived:
        return ""
    return _section(
        "Waived",
        (
            f"<article><h3>{_tag(f'waived {w.finding.level}', 'doubt')} "
            f"<code>{escape(w.finding.id)}</code> {escape(w.finding.object)}</h3>"
            f"<pre>{escape(w.finding.detail)}</pre><p>{escape(w.reason)}</p>"
            f'<p class="faint">Key <code>{escape(w.finding.key)}</code></p></article>\n'
            for w in waived
        ),
    )


def _not_checked(reasons: dict[str, str]) -> str:
    if not reasons:
        return ""
    return _section(
        "Not checked",
        (
            f"<p>{_tag('NOT CHECKED', 'bad')} <code>{escape(name)}</code> {escape(reason)}</p>"
            for name, reason in reasons.items()
        ),
    )


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = "".join(f"<th>{escape(title)}</th>" for title in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{titles}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>\n"
    )


def _matrix(matrix: tuple[Access, ...]) -> str:
    rows = [
        [f"<code>{escape(role)}</code>", f"<code>{escape(relation)}</code>", *map(_cell, accesses)]
        for (role, relation), accesses in groupby(matrix, lambda a: (a.role, a.relation))
    ]
    return _section("Who reaches what", [_table(["Role", "Relation", *_COMMANDS], rows)])


def _cell(access: Access) -> str:
    mood = {"DENIED": "faint", "OWN ROWS": "good", "ALL ROWS": "doubt"}[access.reach]
    columns = f"<br><code>{escape(', '.join(access.columns))}</code>" if access.columns else ""
    return _tag(access.reach, mood) + columns


def _probes(report: Report) -> str:
    rows = (
        [
            _tag(*(("ok", "good") if probe.passed else ("WRONG", "bad"))),
            f"{escape(probe.name)}<br><code class='faint'>{escape(probe.statement)}</code>",
            escape(probe.expected),
            escape(probe.got),
        ]
        for probe in report.probes
    )
    return _section(
        "Tried as the serving role, and rolled back",
        [_table(["", "Attempt", "Expected", "Got"], rows)],
    )


def _check(checked: Checked) -> str:
    mark = ("NOT CHECKED", "bad") if checked.not_checked else ("no finding", "good")
    if checked.findings:
        count = len(checked.findings)
        error = checked.check.level is Level.ERROR
        mark = (f"{count} finding{'s' * (count > 1)}", "bad" if error else "doubt")
    check = checked.check
    return (
        f"<details><summary>{_tag(*mark)} <code>{escape(check.id)}</code> "
        f'<span class="faint">{escape(check.title)}</span></summary>'
        f"<pre>{escape(check.page)}</pre><pre>{escape(check.sql)}</pre></details>\n"
    )
