# SPDX-License-Identifier: Apache-2.0
"""Signing bytes and verifying them: Ed25519, one key per signer.

A key is known by its id: the name of its file without '.pem'.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from cryptography import exceptions
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from moc_meter import errors

_FOR_OTHERS = 0o077
# TypeError is what the library says of a key that wants a passphrase.
_UNUSABLE = (ValueError, TypeError, exceptions.UnsupportedAlgorithm)


class Signer:
    """Signs in the name of one key."""

    def __init__(self, key_id: str, private_key: Ed25519PrivateKey) -> None:
        self.key_id = key_id
        self._key = private_key

    def sign(self, content: bytes) -> bytes:
        """The signature: 64 bytes."""
        return self._key.sign(content)


class Verifier:
    """Knows whose signatures count."""

    def __init__(self, public_keys: Mapping[str, Ed25519PublicKey]) -> None:
        self._keys = dict(public_keys)

    def verify(self, key_id: str, signature: bytes, content: bytes) -> None:
        """Return where the key of this id has signed exactly this content.

        Raises InvalidSignature where it has not, or is not known.
        """
        if key_id not in self._keys:
            raise errors.InvalidSignature('the key of the signature is not '
                                          'known', key=key_id)
        try:
            self._keys[key_id].verify(signature, content)
        except exceptions.InvalidSignature:
            raise errors.InvalidSignature('the signature is wrong',
                                          key=key_id) from None


def load_signer(path: Path) -> Signer:
    """The private key in a PEM file, PKCS #8, without a passphrase.

    Raises InvalidConfiguration where the file is not there, is not such a
    key, or can be read by others than its owner.
    """
    content = _read(path, refused=_FOR_OTHERS)
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except _UNUSABLE as fault:
        raise _not_a_key('private', path, fault) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _not_a_key('private', path, type(key).__name__)
    return Signer(path.stem, key)


def load_verifier(folder: Path) -> Verifier:
    """The public keys of a folder: every '*.pem' in it.

    Raises InvalidConfiguration where there is none, or one of them is not
    a public key.
    """
    keys = {path.stem: _public_key(path)
            for path in sorted(folder.glob('*.pem'))}
    if not keys:
        raise errors.InvalidConfiguration(
            'the folder has no public keys, so no batch would be taken',
            folder=str(folder))
    return Verifier(keys)


def generate(private_path: Path, public_path: Path) -> None:
    """Make a key pair; the private one is for its owner's eyes only.

    Raises InvalidConfiguration where there is a file already: a key that is
    written over is lost.
    """
    key = Ed25519PrivateKey.generate()
    _write(private_path, 0o600, key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    _write(public_path, 0o644, key.public_key().public_bytes(
        serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo))


def _public_key(path: Path) -> Ed25519PublicKey:
    content = _read(path)
    try:
        key = serialization.load_pem_public_key(content)
    except _UNUSABLE as fault:
        raise _not_a_key('public', path, fault) from None
    if not isinstance(key, Ed25519PublicKey):
        raise _not_a_key('public', path, type(key).__name__)
    return key


def _not_a_key(kind: str, path: Path, reason: object
               ) -> errors.InvalidConfiguration:
    return errors.InvalidConfiguration(
        f'not an Ed25519 {kind} key in PEM', path=str(path),
        reason=str(reason))


def _read(path: Path, refused: int = 0) -> bytes:
    """The file's content; refused: bits that its mode must not have."""
    try:
        with path.open('rb') as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & refused:
                raise errors.InvalidConfiguration(
                    'a private key must be for its owner only (mode 0600)',
                    path=str(path), mode=f'{mode & 0o777:04o}')
            return file.read()
    except OSError as fault:
        raise errors.InvalidConfiguration(
            'a key cannot be read', path=str(path),
            reason=fault.strerror) from None


def _write(path: Path, mode: int, content: bytes) -> None:
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as fault:
        raise errors.InvalidConfiguration(
            'a key cannot be written', path=str(path),
            reason=fault.strerror) from None
    with open(number, 'wb') as file:
        file.write(content)
