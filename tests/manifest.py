"""`make manifest`: write manifest.txt (roles, grants, policies) and needed.txt (privileges)."""

import psycopg

from api.commands.audit.evidence import MANIFEST, write_manifest
from api.commands.embedded import postgres
from api.database.gate import NEEDED
from tests.cluster import Cluster
from tests.needed import write_needed
from tests.scratch import scratch

if __name__ == "__main__":
    with (
        scratch() as folder,
        postgres(folder / "postgres") as url,
        Cluster(url).database() as database,
        psycopg.connect(database.owner) as connection,
        psycopg.connect(database.superuser) as superuser,
    ):
        write_manifest(connection)
        write_needed(superuser)
    print(f"wrote {MANIFEST.name}, {NEEDED.name}; look at what changed before you commit it")
