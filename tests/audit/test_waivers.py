"""A finding has a key, and by it can be accepted: with a reason, and for as long as it is there."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from sarif_pydantic import Sarif

from api.commands.audit.report import Check, Checked, Finding, Level, Report
from api.commands.audit.waivers import read
from tests.audit.test_audit import weaken
from tests.cluster import TaskDatabase
from tests.forked import Outcome
from tests.program import run

WEAKNESS: Final = "grant truncate on task to task_app"
REASON: Final = "the nightly job empties it, see OPS-7"


def audit(database: TaskDatabase, *arguments: str, **environment: str) -> Outcome:
    urls = {"MIGRATION_DATABASE_URL": database.owner, "DATABASE_URL": database.task_app}
    return run("audit", *arguments, **urls | environment)


def keys(database: TaskDatabase) -> list[str]:
    report = json.loads(audit(database, "--format", "json").out)
    return [finding["key"] for finding in report["findings"]]


@pytest.fixture
def weak(own_database: TaskDatabase) -> TaskDatabase:
    weaken(own_database, WEAKNESS)
    return own_database


@pytest.fixture
def waivers(tmp_path: Path) -> Any:
    def write(*lines: str) -> str:
        file = tmp_path / "waivers"
        file.write_text("".join(f"{line}\n" for line in lines))
        return str(file)

    return write


def test_a_key_is_one_word_and_the_same_on_every_run(weak: TaskDatabase) -> None:
    found = keys(weak)
    assert "grant_truncate:public.task" in found
    assert all(re.fullmatch(r"[a-z_]+:\S+", key) for key in found)
    assert keys(weak) == found


@pytest.mark.evidence("waivers")
def test_two_objects_never_have_one_key() -> None:
    names = ["a b", "a%20b", "a\nb", "a\u00a0b", "a_b", "a\tb", "a  b"]
    found = {Finding("x", Level.WARN, name, "", "", "").key for name in names}
    assert len(found) == len(names)
    assert all(len(key.split()) == 1 for key in found)


def test_what_is_waived_is_said_with_the_reason_and_the_rest_decides(
    weak: TaskDatabase, waivers: Any
) -> None:
    lines = ["# accepted in March", "", *(f"{key}  {REASON}" for key in keys(weak))]
    said = audit(weak, "--waive", waivers(*lines))
    assert said.code == 0, said
    assert "WAIVED" in said.out
    assert f"reason  {REASON}" in said.out
    assert "USERS ARE KEPT APART, BUT FOR WHAT IS WAIVED: 0 errors" in said.out
    said = audit(weak, "--waive", waivers(*lines[:-2]))
    assert said.code == 1
    assert "USERS ARE NOT KEPT APART" in said.out


def test_every_format_says_what_is_waived_and_every_key(weak: TaskDatabase, waivers: Any) -> None:
    file = waivers(f"grant_truncate:public.task {REASON}")
    for name in ("text", "json", "sarif", "html"):
        said = audit(weak, "--format", name, "--waive", file)
        assert said.code == 1
        assert REASON in said.out
        assert "grant_truncate:public.task" in said.out
        assert "drift:truncate%20on%20task%20to%20task_app" in said.out
    report = json.loads(audit(weak, "--format", "json", "--waive", file).out)
    (waived,) = report["waived"]
    assert (waived["id"], waived["reason"]) == ("grant_truncate", REASON)
    assert "grant_truncate" not in {finding["id"] for finding in report["findings"]}
    sarif = audit(weak, "--format", "sarif", "--waive", file).out
    assert Sarif.model_validate_json(sarif).version == "2.1.0"
    for result in json.loads(sarif)["runs"][0]["results"]:
        assert result["partialFingerprints"]["checkObject/v1"].startswith(f"{result['ruleId']}:")
        reasons = [one["justification"] for one in result.get("suppressions", [])]
        assert reasons == ([REASON] if result["ruleId"] == "grant_truncate" else [])


@pytest.mark.evidence("waivers")
@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["", "grant_truncate:public.task"], "line 2: .* without a reason"),
        (["grant_truncate we know"], "line 1: grant_truncate is no key"),
        ([":public.task we know"], "line 1: .* is no key"),
        (["grant_truncate: we know"], "line 1: .* is no key"),
        (["a:b once", "# and", "a:b twice"], "line 3: .* on line 1 already"),
        (["a:b once\u2028c:d"], None),
        (["\ufeff# a mark at the start", "a:b once"], None),
    ],
)
def test_a_file_that_is_no_list_of_keys_and_reasons_is_refused(
    waivers: Any, lines: list[str], words: str | None
) -> None:
    file = Path(waivers(*lines))
    if words is None:
        assert {*read(file).reasons} == {"a:b"}
        return
    said = run("audit", "--waive", str(file))
    assert (said.code, said.out) == (2, "")
    assert re.fullmatch(f"task-api: --waive .*{words}.*\n", said.err), said.err


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in run("audit", "--waive", str(tmp_path / "x")).err
    (tmp_path / "y").write_bytes(b"\xff")
    said = run("audit", "--waive", str(tmp_path / "y"))
    assert (said.code, said.out) == (2, "")
    assert "is not UTF-8" in said.err


@pytest.mark.evidence("waivers")
def test_a_waiver_of_nothing_is_an_error(weak: TaskDatabase, waivers: Any) -> None:
    lines = [f"{key} {REASON}" for key in keys(weak)]
    said = audit(weak, "--waive", waivers("# now", *lines, "grant_truncate:public.tusk we know"))
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert f"line {len(lines) + 2}: nothing is found under grant_truncate:public.tusk" in said.err
    # a key is the whole of it
    said = audit(weak, "--waive", waivers(*lines, "grant_truncate:public we know"))
    assert said.code == 2


@pytest.mark.evidence("waivers")
def test_what_was_not_checked_cannot_be_waived(weak: TaskDatabase, waivers: Any) -> None:
    reasons = audit(weak, DATABASE_URL="").out.partition("NOT CHECKED")[2]
    assert "probe: DATABASE_URL is not set" in reasons
    lines = [f"{key} {REASON}" for key in keys(weak)]
    for extra in ("probe:DATABASE_URL we know", "probe:* we know"):
        said = audit(weak, "--waive", waivers(*lines, extra), DATABASE_URL="")
        assert said.code == 2
        assert "NOT PROVEN" in said.out
        # who knows what the probes would have found?
        assert said.err == ""


def test_a_check_that_was_not_made_keeps_its_waivers() -> None:
    check = Check("a", Level.ERROR, "A.", "a", "select")
    waived = {"a:x": "known", "b:x": "known"}
    report = Report(
        "tasks", "18", (Checked(check, not_checked="no"),), None, (), None, (), (), waivers=waived
    )
    assert report.exit_code() == 2
    assert report.unfinished == {"a"}
