"""`python -m bench WHAT`: measure, and print tables in Markdown."""

import argparse

from bench import endure, load, numbering, scale, soak
from bench.stage import cluster, stage


def main() -> None:
    """Choose what to measure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", choices=("load", "peers", "scale", "soak", "endure", "numbering"))
    parser.add_argument("--seconds", type=int, default=5, help="of each run (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of each case (%(default)s)")
    options = parser.parse_args()
    with cluster() as server:
        alone = {"scale": scale.measure, "numbering": numbering.measure}
        if options.what in alone:
            alone[options.what](server, options)
            return
        with stage(server, 10_000, 20) as on:
            measures = {
                "load": load.alone,
                "peers": load.peers,
                "soak": soak.measure,
                "endure": endure.measure,
            }
            measures[options.what](on, options)


if __name__ == "__main__":
    main()
