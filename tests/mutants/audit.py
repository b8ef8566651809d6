"""The checks of `task-api audit`, its waivers, and the audit of other databases."""

from typing import Final

from tests.mutants.mutant import Mutant, mutants

_FOREIGN: Final = "audit/test_foreign.py"
_WAIVERS: Final = "audit/test_waivers.py"

OTHERS: Final = [
    *mutants(
        "api/commands/audit/waivers.py",
        ("a waiver of nothing passes", "if key not in found and", "if False and"),
        ("a waiver needs no reason", "if not reason:", "if False:"),
        ("a key may be waived twice", "if key in lines:", "if False:"),
        ("anything is a key", "if not (check and where):", "if False:"),
        (
            "a waiver whose check was not made is an error",
            ' and key.partition(":")[0] not in report.unfinished',
            "",
        ),
        witness=_WAIVERS,
    ),
    *mutants(
        "api/commands/audit/report.py",
        (
            "what is waived fails all the same",
            "return [finding for finding in self._found if finding.key not in self.waivers]",
            "return list(self._found)",
        ),
        (
            "a waiver of what was not checked is a pass",
            "return 2 if self.not_checked else 0",
            "return 2 if self.not_checked and not self.waivers else 0",
        ),
        ("two objects have one key", r"[\s\x00-\x1f\x7f%]", r"[\s\x00-\x1f\x7f]"),
        witness=_WAIVERS,
    ),
    *mutants(
        "api/commands/audit/report.py",
        (
            "a table that was not tried is a pass",
            ' | {f"probe: {name}": reason for name, reason in self.not_tried.items()}',
            "",
        ),
        witness=_FOREIGN,
    ),
    *mutants(
        "api/commands/audit/found_rows.py",
        ("what policies hide is not there", "        if table.is_hidden:", "        if False:"),
        ("two rows of one owner are two owners", '["", *found]', '[""]'),
        witness=_FOREIGN,
    ),
    *mutants(
        "api/commands/audit/row_probes.py",
        ("any setting names an owner", "if self._names_me(owned):", "if True:"),
        ("an attempt that failed was refused", "if state == _REFUSED or (", "if True or ("),
        (
            "a blind write looks at its rows",
            '" returning 1 operator(pg_catalog./) (',
            '" returning ctid, 1 operator(pg_catalog./) (',
        ),
        (
            "a superuser may serve whoever cannot log in",
            'got = f"{session}, whom no policy binds" if unbound else expected',
            "got = expected",
        ),
        ("who takes the role on is how the server connects", "if not connects:", "if False:"),
        (
            "a mask is a face",
            'got = current if session == current else f"{current}, a mask of {session}"',
            "got = role",
        ),
        witness=_FOREIGN,
    ),
    *mutants(
        "db/audit/evidence/matrix.sql",
        ("any helper reads the caller", "|''''|[(),\\s])+;?", "|''''|.)+;?"),
        witness=_FOREIGN,
    ),
    *mutants(
        "api/commands/audit/target.py",
        (
            "another's role is audited by this program's manifest",
            'if given.pop("manifest", None) != "none":',
            'if given.pop("manifest", None) == "ours":',
        ),
        ("an owner is JSON", "owner = json.dumps(owner)[1:-1]", "pass"),
        witness=_FOREIGN,
    ),
]

_NAMED: Final = "audit/test_checks.py::test_a_finding_names_what_was_planted"
_TRIGGERS: Final = "audit/test_audit.py::test_a_trigger_that_is_not_as_it_was_made_is_drift"

AUDIT: Final[list[Mutant]] = [
    *mutants(
        "api/commands/audit/checks.py",
        (
            "a check finds what is put before PostgreSQL's own",
            '"pg_catalog, pg_temp"',
            '"public, pg_catalog"',
        ),
        witness="audit/test_checks.py::test_an_operator_in_front_of_a_real_one_is_not_asked",
    ),
    *mutants(
        "db/audit/evidence/facts.sql",
        (
            "a trigger may go with its function",
            "from triggers\nunion",
            "from triggers where false\nunion",
        ),
        (
            "a trigger may be disabled",
            "case tgenabled when 'O' then 'enabled' when 'D' then 'disabled'",
            "case tgenabled when 'O' then 'enabled' when 'D' then 'enabled'",
        ),
        ("a trigger's function may be emptied", "concat(p.prosrc, p.probin)", "''"),
        witness=_TRIGGERS,
    ),
    *mutants(
        "api/commands/audit/evidence.py",
        ("migrate is said to mend a trigger", 'if subject.startswith("trigger ")', "if False"),
        witness=_TRIGGERS,
    ),
    *mutants(
        "api/commands/audit/selftest.py",
        (
            "a check that fails has found something",
            "not self.failed and self.got",
            "self.got | {*self.failed}",
        ),
        ("a probe that fails has found something", "except _REFUSALS:", "except psycopg.Error:"),
        witness="audit/test_audit.py",
    ),
    *mutants(
        "api/commands/migrate.py",
        (
            "a table of a policy file may be another's",
            "[file.stem for file in _policy_files()]",
            '["task", "idempotency_key"]',
        ),
        witness="commands/test_migrate.py",
    ),
    *mutants(
        "db/audit/grant_catalog.sql",
        (
            "PostgreSQL's own functions may be granted",
            "proowner, proacl from pg_catalog.pg_proc\n",
            "proowner, proacl from pg_catalog.pg_proc where oid >= 16384\n",
        ),
        (
            "what was put into an extension is the extension's",
            "          and (things.object < 16384 or member.refobjid >= 16384)\n",
            "",
        ),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/grant_other_object.sql",
        ("large objects may be granted", "'L', lomowner, lomacl", "'L', lomowner, null"),
        ("a user mapping is not asked about", "grantees.role = m.umuser", "false"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/role_owns_object.sql",
        ("anything else may be owned", "and s.dbid in (0, d.oid)", "and s.dbid = 0"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/view_definer.sql",
        (
            "a view of a copy is not asked about",
            "v.oid >= 16384 and member.objid is null or found.not_its_own > 0",
            "exists (select from below join pg_catalog.pg_class t on t.oid = below.relation"
            " where below.view = v.oid and t.relrowsecurity)",
        ),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/function_definer_public.sql",
        (
            "what depends on a definer function is not asked",
            "coalesce(executed.by, used.by)",
            "executed.by",
        ),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/builtin_changed.sql",
        (
            "a view of the catalog may tell what it hides",
            "c.reloptions is distinct from initial.options",
            "false",
        ),
        ("a built-in may become leakproof", "f.proleakproof and not f.is_leakproof", "false"),
        ("a built-in may have another body", "or f.body <> f.recorded_body", ""),
        ("a view of the catalog may be replaced", "r.xmin::text::bigint > initdb.ended", "false"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/trigger_on_table.sql",
        ("a trigger may do anything", "form_is.known is not true", "false"),
        (
            "a trigger's function may be anybody's",
            "(o.oid in (c.relowner, d.datdba) or o.rolsuper)",
            "true",
        ),
        ("a partition's triggers are not asked about", "guarded.oid = i.inhparent", "false"),
        ("a trigger may be off", "(t.tgenabled in ('D', 'R')\n        or", "(false or"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/names_taken.sql",
        (
            "an operator may fit the statements better",
            "and has_schema_privilege(app.oid, o.oprnamespace, 'usage')",
            "and false",
        ),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/policy_ignores_caller.sql",
        (
            "a cast may make two owners one",
            "(text|uuid|smallint|integer|bigint|numeric|character varying%s)",
            '[\\w. "]+',
        ),
        ("a collation may make two owners one", "and not l.collisdeterministic", "and false"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/policy_volatile_helper.sql",
        (
            "a restrictive policy may call anything",
            " where exists (select from unnest",
            " where p.polpermissive and exists (select from unnest",
        ),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/table_not_enabled.sql",
        ("a copy may be reached as another", "pg_has_role(app.oid, a.grantee, 'member')", "false"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/trigger_definer.sql",
        ("a partition's trigger may be a definer's", "guarded.oid = i.inhparent", "false"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/rule_on_table.sql",
        ("a partition may have rules", "guarded.oid = i.inhparent", "false"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/evidence/facts.sql",
        (
            "what is granted in another schema is nobody's business",
            "a.grantee in (0, to_regrole('task_app')::oid)",
            "false",
        ),
        witness="audit/test_audit.py",
    ),
    *mutants(
        "db/audit/table_inherited.sql",
        (
            "a parent shows the rows",
            "other.oid = i.inhparent and not (other",
            "false and not (other",
        ),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/expression_on_table.sql",
        ("a range may be measured by anything", "f.oid in (r.rngcanonical, r.rngsubdiff)", "false"),
        ("a domain's default is not asked about", "(k.conbin), (t.typdefaultbin)", "(k.conbin)"),
        ("what a type is made of is not followed", "inner_type.oid <> 0", "false"),
        ("an operator class may call anything", "l.lanname not in ('c', 'internal')", "false"),
        ("a check may send rows away", "f.provolatile = 'v'", "false"),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/publication_unfiltered.sql",
        (
            "a filter is enough",
            "r.prrelid and c.oid in (select oid from guarded)\n",
            "r.prrelid and c.oid in (select oid from guarded)\n where r.prqual is null\n",
        ),
        witness=_NAMED,
    ),
    *mutants(
        "db/audit/setting_unsafe.sql",
        (
            "any role may be preset",
            "where preset.name not in (",
            "where preset.name not in ('role', ",
        ),
        witness=_NAMED,
    ),
]
