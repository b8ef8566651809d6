"""The log, the metrics, the spans."""

from typing import Final

from tests.mutants.mutant import mutants

OBSERVABILITY: Final = [
    *mutants(
        "api/observability/request_record.py",
        ("a method may be any word", "method if method in _METHODS else OTHER", "method"),
        ("a path is logged", 'route_name(scope.get("route"))', 'scope.get("path", "")'),
        witness="observability/test_logs.py",
    ),
    *mutants(
        "api/observability/request_record.py",
        (
            "a proxy may name anything",
            "if client and _ADDRESS.fullmatch(client[0]) else None",
            "if client else None",
        ),
        witness="observability/test_request_record.py",
    ),
    *mutants(
        "api/observability/logs.py",
        ("the log quotes what was raised", "+ _name(chain))", "+ repr(chain))"),
        ("a message may forge a line", "record.message.translate(_CONTROLS)", "record.message"),
        witness="observability/test_logs.py",
    ),
    *mutants(
        "api/observability/observer.py",
        (
            "a variable that the SDK cannot use is a traceback",
            "except Exception as error:",
            "except RecursionError as error:",
        ),
        witness="commands/test_environment.py",
    ),
    *mutants(
        "api/observability/exporter.py",
        ("a folder for numbers of others is used", "os.environ.pop(name, None)", "pass"),
        witness="commands/test_environment.py::test_a_folder_for_numbers_of_others_is_not_used",
    ),
    *mutants(
        "api/observability/exporter.py",
        (
            "a host for metrics that is none is a traceback",
            "except (OSError, ValueError) as error:",
            "except OSError as error:",
        ),
        witness="commands/test_environment.py::test_a_host_for_metrics_that_is_none_is_refused",
    ),
    *mutants(
        "api/observability/logs.py",
        (
            "a line does not say whose request it was",
            "        if request := current_request():\n            entry",
            "        if request := None:\n            entry",
        ),
        (
            "people are not told whose request it was",
            "        if request := current_request():\n            record.",
            "        if request := None:\n            record.",
        ),
        witness="observability/test_current_request.py",
    ),
    *mutants(
        "api/observability/metrics.py",
        ("the shared count is always up", "_storage_up().set(is_up)", "_storage_up().set(1)"),
        witness="observability/test_metrics.py",
    ),
    *mutants(
        "api/observability/current_request.py",
        ("a request never ends for the log", "self._route = None", "pass"),
        witness="observability/test_current_request.py",
    ),
    *mutants(
        "api/database/errors.py",
        ("a missing privilege is counted with its class", "sqlstate in _COUNTED_ALONE", "False"),
        (
            "any SQLSTATE is a label",
            "in _COUNTED_CLASSES else _UNKNOWN",
            "in sqlstate else _UNKNOWN",
        ),
        (
            "an error of the database is not counted",
            "        count(_label(sqlstate))",
            "        pass",
        ),
        witness="database/test_errors.py",
    ),
    *mutants(
        "api/serving/server.py",
        ("the log does not say the version", '            _log.info("task-api %s", VERSION)\n', ""),
        witness="test_version.py",
    ),
    *mutants(
        "api/observability/traceparent.py",
        ("a traceparent may go on", "_FORM.fullmatch(value)", "_FORM.match(value)"),
        witness="observability/test_logs.py",
    ),
    *mutants(
        "api/observability/metrics.py",
        (
            "the database's time is not counted",
            "_database_durations(record.method, record.route).observe(ended - began)",
            "pass",
        ),
        witness="observability/test_metrics.py",
    ),
]
