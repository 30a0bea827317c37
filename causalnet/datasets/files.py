"""The files behind the cards: where they are looked for, how they are fetched, and that they are whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import DataError

VARIABLE = "CAUSALNET_DATA"


class MissingFile(DataError):
    """A data file that is neither on this machine nor to be downloaded; the message says where to put it."""


def find_file(name: str, entry: Mapping[str, Any], archive: Mapping[str, str] | None = None) -> Path:
    """A data file, by its card entry: in $CAUSALNET_DATA, then in the user's cache, then in the installation, then
    downloaded and verified."""
    wanted = Path(entry["path"])
    folders = list(search_path())
    for place in folders:
        path = place / wanted
        if path.is_file():
            verify(path, entry.get("sha256"))
            return path
    if "shipped" in entry:
        path = folder() / entry["shipped"]
        verify(path, entry.get("shipped_sha256") or entry.get("sha256"))
        return path
    target, failure = folders[-1] / wanted, ""
    if archive or (entry.get("url") and entry.get("sha256")):
        try:
            _download(entry, archive, target)
            return target
        except (OSError, ValueError) as error:
            failure = f" (the download failed: {type(error).__name__})"
    size = f"{entry['bytes']:,} bytes" if "bytes" in entry else "size not recorded"
    digest = f"sha256 {entry['sha256']}" if entry.get("sha256") else "checksum not recorded"
    if archive:
        digest += f", in the archive {archive['url'].rpartition('/')[2]} with md5 {archive['md5']}"
    raise MissingFile(
        f"{name} needs the file {wanted} ({size}, {digest}), which is not on this machine{failure}. "
        f"Get it from {entry.get('url') or entry['source']} and put it at {target}, "
        f"or set {VARIABLE} to the folder that holds {wanted.parts[0]}/"
    )


def _download(entry: Mapping[str, Any], archive: Mapping[str, str] | None, target: Path) -> None:
    """Fetch ``target`` with its checksum, alone or out of an archive whose top folder is the target's own."""

    import logging

    import pooch

    get, log = pooch.HTTPDownloader(timeout=20), pooch.get_logger()
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        if archive is None:
            pooch.retrieve(entry["url"], entry["sha256"], fname=target.name, path=target.parent, downloader=get)
            return
        base = target.parent.parent
        unpack = pooch.Untar(extract_dir=str(base))
        pooch.retrieve(archive["url"], f"md5:{archive['md5']}", path=base, downloader=get, processor=unpack)
    finally:
        log.setLevel(level)
    if not target.is_file():
        raise OSError(f"the archive does not hold {target.name}")


def search_path() -> Iterator[Path]:
    """The folders where data files may lie, in the order they are looked through."""
    if os.environ.get(VARIABLE):
        yield Path(os.environ[VARIABLE]).expanduser()
    from platformdirs import user_cache_path

    yield user_cache_path("causalnet") / "data"


def verify(path: Path, sha256: str | None) -> None:
    """DataError unless the file has the checksum, where one is known."""
    if sha256 and (digest := hashlib.sha256(path.read_bytes()).hexdigest()) != sha256:
        raise DataError(
            f"{path} is not the file this data set was built on: sha256 {digest[:12]}..., expected {sha256[:12]}...; "
            "it may be truncated: fetch it again"
        )


def folder() -> Path:
    """``datasets/`` of a checkout, or its copy inside an installed package: cards and small files."""
    packaged = Path(__file__).parent / "cards"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "datasets"
