# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from moc_meter import errors
from moc_meter.messaging import codec
from moc_meter.publisher import file
from moc_meter.publisher.file import FilePublisher
from moc_meter.tests.contract.publishers import kept, sample


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'samples'


def publish(path: Path, *numbers: int) -> None:
    publisher = FilePublisher(path)
    publisher.publish([sample(number) for number in numbers])
    publisher.close()


def test_the_messages_can_be_read_again(path: Path) -> None:
    publish(path, 1, 2)
    publish(path, 3)
    assert list(file.read(path)) == [
        codec.encode([sample(1), sample(2)]), codec.encode([sample(3)])]


@pytest.mark.parametrize('torn', range(1, 60, 7))
def test_a_torn_last_message_is_none_and_spoils_no_other(
        path: Path, torn: int) -> None:
    publish(path, 1)
    whole = path.read_bytes()
    path.write_bytes(whole + (codec.encode([sample(2)]) + b'\n\n')[:-torn])
    assert list(file.read(path)) == [codec.encode([sample(1)])]
    publish(path, 3)
    assert kept('file', path) == [sample(1), sample(3)]


def test_a_torn_first_message_is_written_over(path: Path) -> None:
    path.write_bytes(b'{"v')
    publish(path, 1)
    assert kept('file', path) == [sample(1)]


def test_a_file_of_somebody_else_is_left_as_it_is(path: Path) -> None:
    path.write_text('a letter')
    with pytest.raises(errors.InvalidConfiguration, match='not one of ours'):
        FilePublisher(path)
    assert path.read_text() == 'a letter'


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match=str(tmp_path)):
        FilePublisher(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match='missing'):
        FilePublisher(tmp_path / 'missing' / 'samples')
