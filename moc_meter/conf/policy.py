# SPDX-License-Identifier: Apache-2.0
"""Options of the policy: section [oslo_policy]."""

from oslo_config import cfg

SECTION = 'oslo_policy'

OPTIONS = [
    cfg.StrOpt(
        'policy_file', default=None,
        sample_default='/etc/moc_meter/policy.yaml',
        help='File whose rules take the place of the built-in ones; '
             '"oslopolicy-sample-generator --namespace moc_meter" writes one '
             'of those. Read again when it changes. Not set: none does.'),
]
