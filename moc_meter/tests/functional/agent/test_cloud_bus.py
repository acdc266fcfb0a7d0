# SPDX-License-Identifier: Apache-2.0
"""Whose certificate the bus of the cloud must have."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from moc_meter import errors
from moc_meter.agent.notification.cloud import CloudBus

NOW = datetime.datetime.now(datetime.UTC)


def certificate(folder: Path, address: str) -> Path:
    """A certificate of an address, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, address)])
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(1)
            .not_valid_before(NOW - datetime.timedelta(days=1))
            .not_valid_after(NOW + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([
                x509.IPAddress(ipaddress.ip_address(address))]),
                critical=False)
            .sign(key, hashes.SHA256()))
    path = folder / f'{address}.pem'
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM,
                            serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption()))
    return path


@contextlib.contextmanager
def broker(certified: Path) -> Iterator[int]:
    """A port that shakes hands and then says nothing of AMQP."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified)
    with socket.create_server(('127.0.0.1', 0)) as server:
        thread = threading.Thread(target=_shake_hands,
                                  args=(server, context))
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(60)


def _shake_hands(server: socket.socket, context: ssl.SSLContext) -> None:
    with contextlib.suppress(OSError):      # the server is shut down
        while True:
            wire, _ = server.accept()
            with wire, contextlib.suppress(ssl.SSLError), \
                    context.wrap_socket(wire, server_side=True):
                pass


def reason(url: str, ca_file: Path) -> str:
    with pytest.raises(errors.BusUnavailable) as refused:
        CloudBus(url=url, ca_file=str(ca_file)).declare(('info',))
    return str(refused.value)


def test_a_broker_that_nobody_vouches_for_is_not_talked_to(tmp_path: Path
                                                           ) -> None:
    with broker(certificate(tmp_path, '127.0.0.1')) as port:
        known = certificate(tmp_path, '192.0.2.1')
        assert 'certificate verify failed' in reason(
            f'rabbit://guest:guest@127.0.0.1:{port}/', known)


def test_a_broker_with_the_certificate_of_another_host_is_not_talked_to(
        tmp_path: Path) -> None:
    known = certificate(tmp_path, '192.0.2.1')
    with broker(known) as port:
        assert 'IP address mismatch' in reason(
            f'rabbit://guest:guest@127.0.0.1:{port}/', known)


def test_a_broker_with_its_own_certificate_is_talked_to(tmp_path: Path
                                                        ) -> None:
    known = certificate(tmp_path, '127.0.0.1')
    with broker(known) as port:
        assert 'certificate' not in reason(
            f'rabbit://guest:guest@127.0.0.1:{port}/', known)
