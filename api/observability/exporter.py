"""The page of numbers that Prometheus reads: one for all processes, on a port of its own."""

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
    """The page, while the block runs, if the settings ask for it.

    To be entered before the processes start. Raises `SettingsError` when its address cannot be had.
    """
    if settings.metrics_port is None:
        yield
        return
    with ExitStack() as stack:
        if workers > 1:  # set before prometheus_client is imported, or it does not look
            os.environ[_FOLDER] = stack.enter_context(_folder())
            numbers: Any = _Files(Path(os.environ[_FOLDER]))
        else:
            for name in (_FOLDER, _FOLDER.lower()):  # it would write files of several processes
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
        raise SettingsError(
            f"METRICS_PORT: cannot listen on {host} port {port} ({reason}); "
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
    """What the processes wrote there, added up.

    One that has ended takes its gauges with it, and leaves its counters to process 0, so that
    neither goes down and there are never more files than processes.
    """

    def __init__(self, folder: Path) -> None:
        import psutil  # type: ignore[import-untyped]
        from prometheus_client.mmap_dict import MmapedDict
        from prometheus_client.multiprocess import MultiProcessCollector

        # without types
        self._open: Any = MmapedDict
        self._all: Any = MultiProcessCollector(None, folder)  # type: ignore[no-untyped-call]
        self._folder, self._process = folder, psutil.Process()
        self._one_at_a_time = threading.Lock()

    def collect(self) -> Any:
        """For a page."""
        with self._one_at_a_time:
            living = {process.pid for process in self._process.children()} | {0}
            for file in self._folder.glob("*.db"):
                kind, *_, process = file.stem.split("_")
                if int(process) not in living:
                    self._inherit(file, kind)
            return self._all.collect()

    def _inherit(self, file: Path, kind: str) -> None:
        if kind != "gauge" and file.stat().st_size:  # it may have ended right after its beginning
            kept = self._open(str(self._folder / f"{kind}_0.db"))
            for key, value, *_ in self._open.read_all_values_from_file(str(file)):
                kept.write_value(key, kept.read_value(key)[0] + value, 0.0)
            kept.close()
        file.unlink()
