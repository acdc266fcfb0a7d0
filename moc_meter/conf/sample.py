# SPDX-License-Identifier: Apache-2.0
"""Writing the commented configuration file of each process."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from oslo_config import cfg, generator

from moc_meter import conf


def sample(process: str) -> str:
    """The file of one process, every option commented with its default."""
    namespace = process.replace('moc-meter-', 'moc_meter.').replace('-', '_')
    settings = cfg.ConfigOpts()
    generator.register_cli_opts(settings)
    settings(['--namespace', namespace, '--namespace', 'oslo.log',
              '--wrap-width', '79'],
             project='moc_meter', default_config_files=[])
    written = io.StringIO()
    generator.generate(settings, output_file=written)
    return written.getvalue().rstrip() + '\n'


def main() -> None:
    """Write all of them into the folder that is named."""
    folder = Path(sys.argv[1])
    for process in conf.PROCESSES:
        (folder / f'{process}.conf').write_text(sample(process))


if __name__ == '__main__':
    main()
