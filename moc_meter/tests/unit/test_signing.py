# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from moc_meter import errors, signing


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A private key; the public one is in 'known' beside it."""
    (tmp_path / 'known').mkdir()
    path = tmp_path / 'agent-1.pem'
    signing.generate(path, tmp_path / 'known' / 'agent-1.pem')
    return path


@pytest.fixture
def known(private: Path) -> Path:
    return private.parent / 'known'


def test_what_was_signed_is_verified_by_the_name_of_the_file(
        private: Path, known: Path) -> None:
    signer = signing.load_signer(private)
    assert signer.key_id == 'agent-1'
    signing.load_verifier(known).verify('agent-1', signer.sign(b'x'), b'x')


def test_another_content_is_refused(private: Path, known: Path) -> None:
    signature = signing.load_signer(private).sign(b'x')
    with pytest.raises(errors.InvalidSignature, match='wrong'):
        signing.load_verifier(known).verify('agent-1', signature, b'y')


def test_the_signature_of_another_key_is_refused(known: Path) -> None:
    stranger = signing.Signer('agent-1', ed25519.Ed25519PrivateKey.generate())
    with pytest.raises(errors.InvalidSignature, match='wrong'):
        signing.load_verifier(known).verify('agent-1', stranger.sign(b'x'),
                                            b'x')


def test_an_unknown_key_is_refused(private: Path, known: Path) -> None:
    signature = signing.load_signer(private).sign(b'x')
    with pytest.raises(errors.InvalidSignature, match="key='agent-2'"):
        signing.load_verifier(known).verify('agent-2', signature, b'x')


def test_a_signature_of_another_length_is_refused(known: Path) -> None:
    with pytest.raises(errors.InvalidSignature, match='wrong'):
        signing.load_verifier(known).verify('agent-1', b'', b'x')


def test_a_private_key_is_for_its_owner_only(private: Path) -> None:
    assert private.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize('mode', [0o640, 0o604, 0o660])
def test_a_private_key_that_others_can_read_is_refused(
        private: Path, mode: int) -> None:
    private.chmod(mode)
    with pytest.raises(errors.InvalidConfiguration, match=f'{mode:04o}'):
        signing.load_signer(private)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match=r'no\.pem'):
        signing.load_signer(tmp_path / 'no.pem')


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'rsa.pem'
    path.touch(0o600)
    path.write_bytes(
        rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
    with pytest.raises(errors.InvalidConfiguration, match='RSAPrivateKey'):
        signing.load_signer(path)


def test_a_key_with_a_passphrase_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'locked.pem'
    path.touch(0o600)
    path.write_bytes(ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b'secret')))
    with pytest.raises(errors.InvalidConfiguration, match='not an Ed25519'):
        signing.load_signer(path)


def test_a_private_key_among_the_public_ones_is_refused(
        private: Path, known: Path) -> None:
    (known / 'agent-2.pem').write_bytes(private.read_bytes())
    with pytest.raises(errors.InvalidConfiguration, match='public key'):
        signing.load_verifier(known)


def test_a_folder_without_keys_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match='no public keys'):
        signing.load_verifier(tmp_path)


def test_a_key_is_not_written_over(private: Path, tmp_path: Path) -> None:
    before = private.read_bytes()
    with pytest.raises(errors.InvalidConfiguration, match='exists'):
        signing.generate(private, tmp_path / 'other.pem')
    assert private.read_bytes() == before
