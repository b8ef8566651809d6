"""`make manifest`: record what db/policies/ decides, from a freshly migrated database."""

import tempfile
from pathlib import Path

import psycopg

from api.audit.evidence import MANIFEST, write_manifest
from api.embedded import postgres
from tests.cluster import Cluster

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="task-api-") as folder:
        Path(folder).chmod(0o755)  # the server may have a user of its own
        with (
            postgres(Path(folder) / "postgres") as url,
            Cluster(url).database() as database,
            psycopg.connect(database.owner) as connection,
        ):
            write_manifest(connection)
    print(f"wrote {MANIFEST.name}; look at what changed before you commit it")
