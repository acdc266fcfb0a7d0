# SPDX-License-Identifier: Apache-2.0
"""How fast a world of ten million samples is made and written.

python -m moc_meter.tests.perf.truth_file [FILE [SCALE]]

FILE: where the samples go (default: /dev/null); it is left there. Prints one
JSON object.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from moc_meter.truth import files
from moc_meter.truth.world import World

SEED = 1


def main(path: str = '/dev/null', scale: str = 'large') -> None:
    world = World(SEED, scale)
    begun = time.monotonic()
    with Path(path).open('w', encoding='utf-8') as file:
        count = files.write_samples(world, file, lambda _: None)
    seconds = time.monotonic() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({
        'scale': scale, 'samples': count, 'seconds': round(seconds, 1),
        'samples a second': round(count / seconds),
        'resident at most, MiB': round(peak / 1024, 1)}))


if __name__ == '__main__':
    main(*sys.argv[1:])
