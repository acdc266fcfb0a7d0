# SPDX-License-Identifier: Apache-2.0
"""Options of the notification listener: section [notification]."""

from oslo_config import cfg, types

SECTION = 'notification'

OPTIONS = [
    cfg.StrOpt(
        'url', default=None, secret=True,
        sample_default='rabbit://user:password@host:5672/vhost',
        help='Bus of the cloud, where its services put notifications. '
             'Not set: this agent hears no notifications.'),
    cfg.ListOpt(
        'topics', default=['notifications'],
        help='Topics, as [oslo_messaging_notifications] topics of the '
             'services have them.'),
    cfg.ListOpt(
        'exchanges', default=[
            'nova', 'cinder', 'glance', 'neutron', 'keystone', 'swift',
            'heat', 'ironic', 'designate', 'trove', 'sahara', 'manila'],
        help='Control exchanges of the services to hear.'),
    cfg.ListOpt(
        'plugins', default=None, sample_default='<all that are installed>',
        help='Plugins to use, by entry point name in '
             'moc_meter.notification.'),
    cfg.ListOpt(
        'profiles', default=['metric', 'existence'],
        item_type=types.String(choices=('metric', 'existence', 'versioned')),
        help='Which samples to make: measured figures (metric), the '
             'count-one meters that say that something exists (existence), '
             "and the figures of instances from Nova's versioned "
             'notifications, in place of its legacy ones (versioned). The '
             'last is for clouds where [notifications] notification_format '
             'of Nova is versioned or both; the topic '
             'versioned_notifications is heard then.'),
    cfg.ListOpt(
        'events', default=['*.end', 'image.*', *(
            f'identity.{kind}.*' for kind in (
                'user', 'group', 'project', 'domain', 'role',
                'role_assignment', 'trust'))],
        help='Types of notifications that are kept as events with their '
             'traits too, one row each: patterns, as compute.instance.*. '
             'Authentications (identity.authenticate) are not among the '
             'default ones, since every token that is asked for is one. '
             'Empty: none is.'),
    cfg.BoolOpt(
        'durable_queues', default=False,
        help='As amqp_durable_queues of the services: a queue can be '
             'declared with one set of arguments only.'),
    cfg.BoolOpt(
        'quorum_queues', default=False,
        help='As rabbit_quorum_queue of the services.'),
    cfg.IntOpt(
        'quorum_delivery_limit', default=0, min=0,
        help='As rabbit_quorum_delivery_limit of the services.'),
    cfg.StrOpt(
        'ca_file', default=None,
        help="File with the certificates that may sign the broker's. Not "
             'set: the connection is not encrypted.'),
]
