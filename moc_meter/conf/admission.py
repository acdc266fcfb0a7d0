# SPDX-License-Identifier: Apache-2.0
"""Options of admission, for collector and API: section [admission]."""

from oslo_config import cfg

SECTION = 'admission'

OPTIONS = [
    cfg.BoolOpt(
        'strict', default=False,
        help='Refuse samples whose meter is not defined, or not with their '
             'kind and unit. Otherwise they are kept and answered, but not '
             'accounted.'),
    cfg.IntOpt(
        'max_future', default=300, min=0, max=86400,
        help='Seconds that the timestamp of a sample may lie ahead of our '
             'clock.'),
    cfg.StrOpt(
        'meters_dir', default='/etc/moc_meter/meters.d',
        help="Folder with this site's own meters: YAML files in the form of "
             'the built-in meters.yaml.'),
]
