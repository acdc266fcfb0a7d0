# SPDX-License-Identifier: Apache-2.0
"""Samples as bytes and back: the envelope of a batch, version 1.

A message is lines of UTF-8 joined by '\\n', each a JSON object:

    {"v":1,"samples":2,"refused":1,"key":"agent-1","signature":"…"}
    {"source":"region-1","message_id":"…","timestamp":1767225600000000,…}
    {"source":"region-1","message_id":"…","timestamp":1767225600000000,…}
    {"content":"…","code":"…","reason":"…","origin":"…"}

The first says how many lines follow, samples first; what they say is in
entry.py. One sample is one line, so that what is wrong with it is wrong with
no other. The signature (Ed25519, base64; key and signature are both there, or
neither is) is of a purpose, the version, both counts, and the other lines
byte for byte.

A release that says more raises the version; collectors are upgraded first.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moc_meter import errors
from moc_meter.messaging import entry
from moc_meter.model.sample import Refused, Sample

if TYPE_CHECKING:
    # Its library is large, and of use to those who sign only.
    from moc_meter import signing

VERSION = 1
#: Largest message that is read, in bytes, and what its header may count.
MAX_MESSAGE = 64 * 1024 * 1024
MAX_LINES = 100_000

_MAX_HEADER = 4096
_SIGNATURE: Mapping[str, type] = {'key': str, 'signature': str}
_COUNTS: Mapping[str, type] = {
    'v': int, 'samples': int, 'refused': int}


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one message holds, in its order.

    refused: what the sender could not take, and what cannot be read here.
    """

    samples: Sequence[Sample]
    refused: Sequence[Refused]


def encode(samples: Iterable[Sample], refused: Iterable[Refused] = (),
           signer: signing.Signer | None = None) -> bytes:
    """One message of about 100 samples; whoever calls bounds it.

    A sample that cannot be written as JSON travels as Refused: it stops no
    other.
    """
    lines, others = [], [entry.write_refused(one) for one in refused]
    for sample in samples:
        try:
            lines.append(entry.write_sample(sample))
        except errors.InvalidSample as fault:
            others.append(entry.write_refused(
                entry.set_aside(entry.spelled(sample), fault)))
    header: dict[str, object] = {
        'v': VERSION, 'samples': len(lines), 'refused': len(others)}
    body = b'\n'.join(lines + others)
    if signer:
        signature = signer.sign(_signed(header, body))
        header['key'] = signer.key_id
        header['signature'] = base64.b64encode(signature).decode()
    return entry.write(header) + b'\n' + body


def decode(message: bytes, verifier: signing.Verifier | None = None) -> Batch:
    """What a message holds; a line that cannot be read becomes Refused.

    verifier: where given, the message must bear a signature that it knows.
    Raises InvalidMessage where the message as a whole cannot be understood,
    InvalidSignature where it is not signed as it must be.
    """
    if len(message) > MAX_MESSAGE:
        raise errors.InvalidMessage('the message is too large',
                                    bytes=len(message), limit=MAX_MESSAGE)
    first, _, body = message.partition(b'\n')
    header = _header(first)
    if verifier:
        _verify(verifier, header, body)
    count, expected = header['samples'], header['samples'] + header['refused']
    # Counted before they are taken apart, which takes far more memory.
    found = body.count(b'\n') + 1 if body else 0
    if found != expected:
        raise errors.InvalidMessage('the message is not complete',
                                    lines=found, expected=expected)
    lines = body.split(b'\n') if body else []
    samples: list[Sample] = []
    refused: list[Refused] = []
    for place, line in enumerate(lines):
        try:
            if place < count:
                samples.append(entry.read_sample(line))
            else:
                refused.append(entry.read_refused(line))
        except errors.InvalidSample as fault:
            refused.append(entry.set_aside(line, fault))
    return Batch(samples=samples, refused=refused)


def _header(line: bytes) -> Mapping[str, Any]:
    if len(line) > _MAX_HEADER:
        raise errors.InvalidMessage('the message has no header')
    try:
        header = entry.read(line)
        version = header.get('v')
        if type(version) is int and version != VERSION:
            raise errors.InvalidMessage('unknown version of the envelope',
                                        version=version, known=VERSION)
        if _SIGNATURE.keys() & header:
            entry.check(header, {**_COUNTS, **_SIGNATURE})
        else:
            entry.check(header, _COUNTS)
    except errors.InvalidSample as fault:
        raise errors.InvalidMessage('the header cannot be read',
                                    reason=str(fault)) from None
    for name in ('samples', 'refused'):
        if not 0 <= header[name] <= MAX_LINES:
            raise errors.InvalidMessage('the header counts what cannot be',
                                        field=name, limit=MAX_LINES)
    return header


def _verify(verifier: signing.Verifier, header: Mapping[str, Any],
            body: bytes) -> None:
    if 'signature' not in header:
        raise errors.InvalidSignature('the message is not signed')
    try:
        signature = base64.b64decode(header['signature'], validate=True)
    except ValueError:
        raise errors.InvalidSignature('the signature is not base64',
                                      key=header['key']) from None
    verifier.verify(header['key'], signature, _signed(header, body))


def _signed(header: Mapping[str, Any], body: bytes) -> bytes:
    """What a signature is of; it begins like nothing else that is signed."""
    return (f'moc_meter batch {header["v"]} {header["samples"]} '
            f'{header["refused"]}\n').encode() + body
