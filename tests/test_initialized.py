"""The suite's databases are copies of what `migrate` has made: the `migrate` that is tested."""

import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from api.commands.audit import evidence
from tests.cluster import Cluster
from tests.initialized import ROOT, SOURCES, digest


def test_whatever_migrate_imports_is_among_its_sources() -> None:
    listed = "import sys, api.commands.migrate as _; print(*(m.__file__ for n, m in"
    listed += " sys.modules.items() if n.partition('.')[0] == 'api'))"
    out = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    files = [str(Path(file).relative_to(ROOT)) for file in out.stdout.split()]
    assert "api/commands/migrate.py" in files
    assert [file for file in files if not file.startswith(SOURCES)] == []


@pytest.mark.parametrize(
    "changed", ["db/policies/task.sql", "db/migrations/0001.create-task.sql", "api/reasons.py"]
)
def test_another_source_is_another_digest(changed: str, tmp_path: Path) -> None:
    for folder in ("api", "db"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    assert digest(tmp_path) == digest(ROOT)
    with (tmp_path / changed).open("a") as file:
        file.write("\n")
    assert digest(tmp_path) != digest(ROOT)


def test_a_copy_is_what_migrate_makes_of_an_empty_database(cluster: Cluster) -> None:
    facts = []
    for template in (cluster.template, None):
        made = Cluster(cluster.superuser, cluster.pooler, template)
        with made.database() as database, psycopg.connect(database.owner) as connection:
            facts.append(evidence.facts(connection))
    assert facts[0] == facts[1]
