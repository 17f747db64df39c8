"""Files that appear under their names when they are complete."""

from __future__ import annotations

from pathlib import Path

from watchword.durable import write_durably


def test_what_a_killed_process_left_is_replaced_and_a_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "page.tmp").symlink_to(victim)
    write_durably(str(tmp_path / "page"), b"new")
    assert (tmp_path / "page").read_bytes() == b"new"
    assert victim.read_bytes() == b"precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page", "victim"]
