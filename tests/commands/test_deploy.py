"""What is in deploy/ fits the program: the unit of systemd, the alerts and the dashboard."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]

from api.settings import Settings
from tests import wanted
from tests.checkout import ROOT
from tests.cluster import TaskDatabase
from tests.keyserver import Issuer
from tests.observability.test_metrics import BEARER, eventually, watched
from tests.program import run
from tests.redis import redis

DEPLOY: Final = ROOT / "deploy"
UNIT: Final = DEPLOY / "task-api.service"
ALERTS: Final = DEPLOY / "alerts.yml"
ALERT_TESTS: Final = DEPLOY / "alerts.test.yml"
DASHBOARD: Final = DEPLOY / "grafana-dashboard.json"
MAX_EXPOSURE: Final = 3.0  # of 10, as systemd-analyze rates it
SUFFIXES: Final = re.compile("_(bucket|count|sum)$")


def options_of_unit() -> dict[str, str]:
    """The last value of each option."""
    return dict(re.findall(r"(?m)^(\w+)=(.*)$", UNIT.read_text()))


def alerts() -> dict[str, Any]:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def expressions() -> dict[str, list[str]]:
    """The PromQL of the alerts and of the dashboard's panels."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return {
        ALERTS.name: [rule["expr"] for rule in alerts().values()],
        DASHBOARD.name: [target["expr"] for panel in panels for target in panel["targets"]],
    }


def metrics_in(expression: str) -> set[str]:
    return {SUFFIXES.sub("", name) for name in re.findall(r"\btask_api_\w+", expression)}


def test_the_unit_runs_a_command_that_there_is() -> None:
    program, command, *options = options_of_unit()["ExecStart"].split()
    assert Path(program).name == "task-api"
    help_of = run(command, "--help").out
    assert all(option in help_of for option in options if option.startswith("--"))


def test_systemd_waits_until_running_requests_are_done() -> None:
    fields = Settings.model_fields
    timeout = fields["shutdown_timeout"].default + fields["worker_stop_timeout"].default
    assert int(options_of_unit()["TimeoutStopSec"]) > timeout
    assert options_of_unit()["KillMode"] == "mixed", "SIGTERM is for the main process alone"


@pytest.mark.slow
def test_systemd_understands_the_unit_and_rates_it_safe(tmp_path: Path) -> None:
    analyze = wanted.program("systemd-analyze", "systemd")
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub("(?m)^ExecStart=.*$", "ExecStart=/bin/true", UNIT.read_text()))
    verified = subprocess.run([analyze, "verify", unit], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
    rated = subprocess.run(
        [analyze, "security", "--offline=true", unit], capture_output=True, text=True
    )
    found = re.search(r"Overall exposure level for task-api.service: ([\d.]+)", rated.stdout)
    assert found, rated
    assert float(found[1]) < MAX_EXPOSURE


@pytest.mark.slow
def test_the_alerts_are_rules_of_prometheus_and_pass_their_tests(tmp_path: Path) -> None:
    promtool = wanted.program("promtool", "prometheus")
    for kind, file in (("check", ALERTS), ("test", ALERT_TESTS)):
        done = subprocess.run([promtool, kind, "rules", file], capture_output=True, text=True)
        assert done.returncode == 0, done
    # the control: a rule that never fires, or always, fails its tests
    for name, rule in alerts().items():
        for never in ("vector(0) > 1", 'label_replace(vector(1), "job", "task-api", "", "")'):
            broken = yaml.safe_load(ALERTS.read_text())
            (one,) = [one for one in broken["groups"][0]["rules"] if one["alert"] == name]
            one.update(rule | {"expr": never})
            one.pop("for", None)
            (tmp_path / ALERTS.name).write_text(yaml.safe_dump(broken))
            shutil.copy(ALERT_TESTS, tmp_path)
            command: list[str | Path] = [promtool, "test", "rules", tmp_path / ALERT_TESTS.name]
            assert subprocess.run(command, capture_output=True).returncode != 0, (name, never)


@pytest.mark.slow
def test_every_metric_of_the_alerts_and_the_dashboard_is_there(
    database: TaskDatabase, issuer: Issuer
) -> None:
    issuer.makes_key("one")
    with (
        redis() as a_redis,
        watched(database, RATE_LIMIT_STORAGE=a_redis.url, **issuer.settings) as api,
    ):
        bearer = {"Authorization": f"Bearer {issuer.signs('one')}"}
        assert api.asks("/api/tasks", bearer) == 200
        assert api.asks("/api/tasks", BEARER) == 401
        eventually(lambda: api.counts("key_set_age_seconds") != {}, api.page)
        api.comes_to({(): 1}, "rate_limit_storage_up")
        page = api.page()
    there = {SUFFIXES.sub("", name) for name in re.findall(r"(?m)^(task_api_\w+)[ {]", page)}
    for file, found in expressions().items():
        used = set().union(*map(metrics_in, found))
        assert len(used) > 5
        assert used - there == set(), file
    shown = set().union(*map(metrics_in, expressions()[DASHBOARD.name]))
    assert there - shown == set(), "the dashboard shows all there is"


def test_each_panel_has_a_place_of_its_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
        assert at["x"] + at["w"] <= 24
