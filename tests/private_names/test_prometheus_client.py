"""prometheus-client: the files in which processes leave their numbers, for the exporter."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

FILE: Final[Any] = MmapedDict  # without types

COUNTING = """
from prometheus_client import CollectorRegistry, Counter, Gauge
registry = CollectorRegistry()
Counter("requests", "Of people.", registry=registry).inc(2)
Gauge("workers", "Alive.", registry=registry, multiprocess_mode="livesum").set(1)
"""


def counted(folder: Path) -> subprocess.CompletedProcess[bytes]:
    settings = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    return subprocess.run([sys.executable, "-c", COUNTING], env=settings, check=True)


def test_a_process_still_leaves_its_numbers_in_files_named_after_kind_and_process(
    tmp_path: Path,
) -> None:
    counted(tmp_path)
    kinds = sorted(file.stem.split("_")[0] for file in tmp_path.glob("*.db"))
    assert kinds == ["counter", "gauge"]
    processes = {file.stem.split("_")[-1] for file in tmp_path.glob("*.db")}
    assert len(processes) == 1
    assert processes.pop().isdigit()


def test_numbers_can_still_be_added_to_those_of_another_process(tmp_path: Path) -> None:
    """So a counter does not go down when its process ends."""
    counted(tmp_path)
    (file,) = tmp_path.glob("counter_*.db")
    (total,) = [
        (key, value)
        for key, value, *_ in FILE.read_all_values_from_file(str(file))
        if json.loads(key)[1] == "requests_total"
    ]
    assert total[1] == 2.0
    kept = FILE(str(tmp_path / "counter_0.db"))
    assert kept.read_value(total[0])[0] == 0.0, "what is not there yet is made"
    kept.write_value(total[0], 5.0, 0.0)
    assert kept.read_value(total[0])[0] == 5.0
    kept.close()
    collected = MultiProcessCollector(None, tmp_path).collect()  # type: ignore[no-untyped-call]
    values = {sample.name: sample.value for metric in collected for sample in metric.samples}
    assert values["requests_total"] == 7.0
    assert values["workers"] == 1.0
