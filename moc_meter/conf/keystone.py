# SPDX-License-Identifier: Apache-2.0
"""Options of Keystone's middleware: section [keystone_authtoken].

They are those of its library that a deployment sets; written down here, since
the library itself is for the API only, and every process reads the options.
"""

from oslo_config import cfg

SECTION = 'keystone_authtoken'

OPTIONS = [
    cfg.StrOpt(
        'auth_type', default='password',
        help='How this service authenticates: password or '
             'v3applicationcredential.'),
    cfg.StrOpt(
        'auth_url', default=None,
        sample_default='http://controller:5000/v3',
        help='Where Keystone is, for this service.'),
    cfg.StrOpt(
        'www_authenticate_uri', default=None, sample_default='<auth_url>',
        help='Where Keystone is, for those who call without a token.'),
    cfg.StrOpt('username', default=None, sample_default='moc_meter',
               help='Name of the user of this service.'),
    cfg.StrOpt('user_id', default=None, help='Its id, instead of its name.'),
    cfg.StrOpt('password', default=None, secret=True,
               help='Its password.'),
    cfg.StrOpt('user_domain_name', default=None, sample_default='Default',
               help='Domain of the user.'),
    cfg.StrOpt('user_domain_id', default=None,
               help='Its id, instead of its name.'),
    cfg.StrOpt('project_name', default=None, sample_default='service',
               help='Project of the user.'),
    cfg.StrOpt('project_id', default=None,
               help='Its id, instead of its name.'),
    cfg.StrOpt('project_domain_name', default=None, sample_default='Default',
               help='Domain of the project.'),
    cfg.StrOpt('project_domain_id', default=None,
               help='Its id, instead of its name.'),
    cfg.StrOpt('system_scope', default=None, sample_default='all',
               help='Authenticate for the whole system instead of a '
                    'project.'),
    cfg.StrOpt('application_credential_id', default=None,
               help='Application credential of this service.'),
    cfg.StrOpt('application_credential_name', default=None,
               help='Its name, instead of its id; the user is needed too.'),
    cfg.StrOpt('application_credential_secret', default=None, secret=True,
               help='Its secret.'),
    cfg.StrOpt(
        'service_type', default='metering',
        help='Type of this service in the catalogue, which access rules of '
             'application credentials name.'),
    cfg.ListOpt(
        'service_token_roles', default=['service'],
        help='Roles that make a token one of a service, whose company lets '
             "an expired token of a user's in."),
    cfg.BoolOpt(
        'service_token_roles_required', default=True,
        help='Refuse service tokens without such a role. Not so, anybody '
             'passes by the access rules of an application credential.'),
    cfg.StrOpt('region_name', default=None, help='Region of Keystone.'),
    cfg.StrOpt('interface', default='internal',
               choices=['public', 'internal', 'admin'],
               help="Which of Keystone's endpoints are asked."),
    cfg.StrOpt('cafile', default=None,
               help='File with the certificates that may sign those of '
                    'Keystone.'),
    cfg.StrOpt('certfile', default=None,
               help='Certificate that this service shows.'),
    cfg.StrOpt('keyfile', default=None, help='Its private key.'),
    cfg.BoolOpt('insecure', default=False,
                help='Do not verify the certificate of Keystone.'),
    cfg.IntOpt(
        'http_connect_timeout', default=10, min=1,
        help='Seconds that Keystone may take to answer; then the caller is '
             'told that it is away (503).'),
    cfg.IntOpt(
        'http_request_max_retries', default=1, min=0,
        help='How often Keystone is tried again before that.'),
    cfg.IntOpt(
        'token_cache_time', default=300, min=-1,
        help='Seconds for which a token that was good is taken for good: so '
             'long may one that is revoked be used. -1: Keystone is asked '
             'at every request.'),
    cfg.ListOpt(
        'memcached_servers', default=None, sample_default='localhost:11211',
        help='Where the good tokens are remembered. Not set: each process '
             'remembers its own. Needs python-memcached.'),
    cfg.StrOpt(
        'memcache_security_strategy', default='None',
        choices=['None', 'MAC', 'ENCRYPT'], ignore_case=True,
        help='Sign or encrypt what is remembered there.'),
    cfg.StrOpt('memcache_secret_key', default=None, secret=True,
               help='Key for that.'),
    cfg.BoolOpt('memcache_use_advanced_pool', default=True,
                help='Share connections to the memcached servers.'),
]
