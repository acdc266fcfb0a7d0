# SPDX-License-Identifier: Apache-2.0
"""Every error that moc_meter raises on purpose.

The message says what is wrong and with which values; ``code`` is the stable
name that the API and the logs show, and that no release renames.
"""

from __future__ import annotations


class MeterError(Exception):
    """Root of the tree: catch this one at the edge of a process."""

    code = 'moc_meter.error'
    #: True where the same call may succeed later with the same arguments.
    retryable = False

    def __init__(self, message: str, **facts: object) -> None:
        self.message = message
        self.facts = facts
        shown = ', '.join(f'{name}={value!r}' for name, value in facts.items())
        super().__init__(f'{message}: {shown}' if shown else message)


class InvalidSample(MeterError):
    """A sample breaks a rule of its own fields; it will never be accepted."""

    code = 'moc_meter.sample.invalid'


class SampleConflict(MeterError):
    """A stored sample has the same identity and says something else."""

    code = 'moc_meter.sample.conflict'


class SampleTooOld(MeterError):
    """Retention has dropped samples of its time; it may be one of them."""

    code = 'moc_meter.sample.too_old'


class InvalidMessage(MeterError):
    """A message from the bus cannot be understood; it never will be."""

    code = 'moc_meter.message.invalid'


class InvalidSignature(MeterError):
    """A message is not signed, or not by a key that is known."""

    code = 'moc_meter.message.signature'


class InvalidDefinition(MeterError):
    """A meter definition is wrong."""

    code = 'moc_meter.meter.invalid'


class InvalidQuery(MeterError):
    """A caller asked for something that the query language does not have."""

    code = 'moc_meter.query.invalid'


class NotFound(MeterError):
    """What a caller named is not there, or not for this caller."""

    code = 'moc_meter.not_found'


class NotAuthorized(MeterError):
    """A caller named what belongs to a project that is not the caller's."""

    code = 'moc_meter.not_authorized'


class Forbidden(MeterError):
    """The caller may not do this at all."""

    code = 'moc_meter.forbidden'


class InvalidConfiguration(MeterError):
    """An option has a value with which the process cannot start."""

    code = 'moc_meter.configuration.invalid'


class MissingLibrary(InvalidConfiguration):
    """What was asked for needs a library that is not installed."""

    code = 'moc_meter.library.missing'


class InvalidPlugin(MeterError):
    """A plugin is unknown, named twice, or does not keep its contract."""

    code = 'moc_meter.plugin.invalid'


class PluginFloods(MeterError):
    """A plugin makes more samples of one thing than it may."""

    code = 'moc_meter.plugin.floods'


class PluginHangs(MeterError):
    """A plugin does not answer in time, or no more."""

    code = 'moc_meter.plugin.hangs'


class StoreUnavailable(MeterError):
    """The store did not answer; nothing was written."""

    code = 'moc_meter.store.unavailable'
    retryable = True


class StoreMismatch(MeterError):
    """The store's schema is not the one that this release works with."""

    code = 'moc_meter.store.mismatch'


class IdentityUnavailable(MeterError):
    """Keystone did not answer: nobody can be told from anybody else."""

    code = 'moc_meter.identity.unavailable'
    retryable = True


class BusUnavailable(MeterError):
    """The bus did not take the message, or did not say that it has it."""

    code = 'moc_meter.bus.unavailable'
    retryable = True


class BusMismatch(MeterError):
    """A queue or exchange exists with other arguments than ours."""

    code = 'moc_meter.bus.mismatch'


class SpoolFull(MeterError):
    """The spool has reached its cap; the batch was not taken."""

    code = 'moc_meter.spool.full'
    retryable = True


class BatchTooLarge(MeterError):
    """A batch is larger than the spool may become; parts of it may fit."""

    code = 'moc_meter.batch.too_large'


class QuarantineFlood(MeterError):
    """Too much goes to quarantine at once: then the fault is ours."""

    code = 'moc_meter.quarantine.flood'
    retryable = True


class InstanceGone(MeterError):
    """The hypervisor has no such instance any more; not a fault."""

    code = 'moc_meter.hypervisor.instance_gone'


class HypervisorUnavailable(MeterError):
    """The hypervisor does not answer."""

    code = 'moc_meter.hypervisor.unavailable'
    retryable = True
