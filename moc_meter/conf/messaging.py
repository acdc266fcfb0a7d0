# SPDX-License-Identifier: Apache-2.0
"""Options of our own bus: section [messaging]."""

from oslo_config import cfg

SECTION = 'messaging'

OPTIONS = [
    cfg.StrOpt(
        'url', default=None, secret=True,
        sample_default='amqp://user:password@host:5672/moc_meter',
        help='Broker that carries samples from agents and API to collectors; '
             'give it a virtual host of its own. amqps:// is encrypted and '
             'verified. The all-in-one carries them inside its process.'),
    cfg.StrOpt(
        'queue', default='moc_meter.samples',
        help='Name of the quorum queue, and the beginning of the name of its '
             'dead-letter queue.'),
    cfg.StrOpt(
        'ca_file', default=None,
        help='File with the certificates that may sign the certificate of '
             'the broker; amqps:// demands it.'),
    cfg.StrOpt(
        'signing_key', default=None,
        help='File NAME.pem with the private Ed25519 key of this process, '
             'readable by it only. Not set: messages are not signed.'),
    cfg.StrOpt(
        'trusted_keys', default=None,
        help='Folder of public keys (PEM), one file NAME.pem a key. When '
             'set, a message that none of them has signed goes to '
             'quarantine.'),
]
