"""The Prometheus exporter: one endpoint for all processes, on a port of its own."""

import errno
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, final

from api.settings import ObservationSettings, SettingsError

_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def exporting(settings: ObservationSettings, workers: int = 1) -> Iterator[None]:
    """Serve the metrics while the block runs, if the settings have a METRICS_PORT.

    Enter it before the workers start. Raises `SettingsError` when it cannot listen.
    """
    if settings.metrics_port is None:
        yield
        return
    with ExitStack() as stack:
        if workers > 1:  # prometheus_client reads it when it is imported
            os.environ[_FOLDER] = stack.enter_context(_folder())
            numbers: Any = _Files(Path(os.environ[_FOLDER]))
        else:
            for name in (_FOLDER, _FOLDER.lower()):  # else metrics go to files
                os.environ.pop(name, None)
            from api.observability import metrics

            numbers = metrics.REGISTRY
        stack.enter_context(_page(numbers, settings.metrics_host, settings.metrics_port))
        yield


def _folder() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="task-api-metrics-")
    except OSError as error:
        raise SettingsError(
            f"METRICS_PORT: the processes have no folder for their numbers ({error.strerror}); "
            "give TMPDIR one that can be written"
        ) from None


@contextmanager
def _page(numbers: Any, host: str, port: int) -> Iterator[None]:
    from prometheus_client import start_http_server

    try:
        server, thread = start_http_server(port, host, numbers)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no name of a host"
        of_port = isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES)
        name = "PORT" if of_port else "HOST"
        raise SettingsError(
            f"METRICS_{name}: cannot listen on {host} port {port} ({reason}); "
            "choose another, or unset it"
        ) from None
    print(f"metrics on {host} port {server.server_port}", flush=True)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@final
class _Files:
    """A Prometheus collector that sums the files of all processes.

    When a process has ended, its gauges are deleted and its counters added to those of process 0,
    so counters never decrease and the files do not accumulate.
    """

    def __init__(self, folder: Path) -> None:
        import psutil  # type: ignore[import-untyped]
        from prometheus_client.mmap_dict import MmapedDict
        from prometheus_client.multiprocess import MultiProcessCollector

        # prometheus_client has no types here
        self._open: Any = MmapedDict
        self._all: Any = MultiProcessCollector(None, folder)  # type: ignore[no-untyped-call]
        self._folder, self._process = folder, psutil.Process()
        self._lock = threading.Lock()

    def collect(self) -> Any:
        """Called by prometheus_client for each scrape."""
        with self._lock:
            living = {process.pid for process in self._process.children()} | {0}
            for file in self._folder.glob("*.db"):
                kind, *_, process = file.stem.split("_")
                if int(process) not in living:
                    self._inherit(file, kind)
            return self._all.collect()

    def _inherit(self, file: Path, kind: str) -> None:
        if kind != "gauge" and file.stat().st_size:  # empty if it ended right after its start
            kept = self._open(str(self._folder / f"{kind}_0.db"))
            for key, value, *_ in self._open.read_all_values_from_file(str(file)):
                kept.write_value(key, kept.read_value(key)[0] + value, 0.0)
            kept.close()
        file.unlink()
