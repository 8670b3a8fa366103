"""A file is written whole or not at all, and refused before the work."""

import os
from pathlib import Path

import pytest

from infra_advisor.errors import UsageError
from infra_advisor.present.files import target


def test_it_replaces_an_existing_file_and_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "memo.md"
    file.write_text("old")
    file.chmod(0o640)
    target(str(file)).write("new 日本\n")
    assert file.read_text(encoding="utf-8") == "new 日本\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["memo.md"]


def test_the_check_touches_nothing(tmp_path: Path) -> None:
    file = tmp_path / "memo.md"
    file.write_text("old")
    target(str(file))
    target(str(tmp_path / "other.md"))
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["memo.md"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    file, link = tmp_path / "real.md", tmp_path / "link.md"
    file.write_text("old")
    link.symlink_to(file)
    target(str(link)).write("new")
    assert link.is_symlink()
    assert file.read_text() == "new"


def test_a_device_is_written_to_not_replaced() -> None:
    target(os.devnull).write("gone")
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize(
    ("name", "message"), [("", "needs a name"), (".", "is a directory"), ("no/such/memo.md", "does not exist"), ("x" * 300, "too long")]
)
def test_impossible_paths_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=message):
        target(name)
    assert os.listdir(tmp_path) == []


def test_a_file_as_parent_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="does not exist"):
        target(str(tmp_path / "file" / "memo.md"))


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "memo.md"
    file.write_text("old")
    good = target(str(file))

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(UsageError, match="No space left"):
        good.write("new")
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["memo.md"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_place_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match=r"cannot write|not writable"):
        target(str(tmp_path / "memo.md"))
    tmp_path.chmod(0o700)
