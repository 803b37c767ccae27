"""Download of a data set from a loopback server: whole, interrupted, damaged, refused."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from ecgseg.data.databases import download as module
from ecgseg.data.databases.download import LUDB, QTDB, Source, download, verify
from ecgseg.data.databases.ludb import find_ludb
from ecgseg.data.databases.qtdb import find_qtdb
from ecgseg.errors import DataError, OutputError

FILES = {"data/1.hea": b"1 12 500 5000\n", "data/1.dat": bytes(range(256)) * 40, "RECORDS": b"data/1\n"}


def sums_of(files: dict[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(data).hexdigest()} {name}\n" for name, data in files.items()).encode()


def pack(files: dict[str, bytes], sums: bytes | None) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"ludb-1.0.1/{name}", data)
        if sums is not None:
            archive.writestr("ludb-1.0.1/SHA256SUMS.txt", sums)
    return stream.getvalue()


@dataclass
class Server:
    url: str
    served: dict[str, bytes]
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    cut_after: int | None = None

    def source(self) -> Source:
        return Source(f"{self.url}/ludb.zip", f"{self.url}/files/", hashlib.sha256(sums_of(FILES)).hexdigest())


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        state: ClassVar[Server]

        def do_GET(self) -> None:
            span = self.headers.get("Range")
            self.state.requests.append((self.path, span))
            data = self.state.served.get(self.path)
            if data is None:
                self.send_error(404)
                return
            start = int(span.removeprefix("bytes=").rstrip("-")) if span else 0
            if start and start >= len(data):
                self.send_error(416)
                return
            self.send_response(206 if span else 200)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            cut, self.state.cut_after = self.state.cut_after, None
            self.wfile.write(data[start : len(data) if cut is None else start + cut])

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Server(
        f"http://127.0.0.1:{listener.server_port}",
        {"/ludb.zip": pack(FILES, sums_of(FILES)), "/files/SHA256SUMS.txt": sums_of(FILES)},
    )
    Handler.state = state
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield state
    listener.shutdown()
    listener.server_close()
    thread.join()


def assert_whole(folder: Path) -> None:
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES


def test_a_download_is_unpacked_verified_and_found(server: Server, tmp_path: Path) -> None:
    stages: set[str] = set()
    result = download(tmp_path / "ludb", server.source(), lambda stage, done, total: stages.add(stage))
    assert result.good
    assert result.files == len(FILES)
    assert stages == {"download", "unpack", "verify"}
    assert_whole(tmp_path / "ludb")
    assert find_ludb(tmp_path / "ludb") == tmp_path / "ludb"
    assert [path.name for path in tmp_path.iterdir()] == ["ludb"]


def test_a_second_download_asks_the_server_for_nothing(server: Server, tmp_path: Path) -> None:
    download(tmp_path / "ludb", server.source())
    server.requests.clear()
    assert download(tmp_path / "ludb", server.source()).good
    assert server.requests == []


def test_an_interrupted_download_continues_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.cut_after = 3000
    with pytest.raises(DataError, match="could not be downloaded"):
        download(tmp_path / "ludb", server.source())
    assert not (tmp_path / "ludb").exists()
    assert download(tmp_path / "ludb", server.source()).good
    assert server.requests[-1] == ("/ludb.zip", "bytes=3000-")
    assert_whole(tmp_path / "ludb")


def test_an_archive_without_checksums_takes_them_from_the_server(server: Server, tmp_path: Path) -> None:
    server.served["/ludb.zip"] = pack(FILES, None)
    assert download(tmp_path / "ludb", server.source()).good
    assert server.requests[-1][0] == "/files/SHA256SUMS.txt"


@pytest.mark.parametrize(
    "archive",
    [
        pack(FILES | {"data/1.dat": b"other"}, sums_of(FILES)),
        pack({name: FILES[name] for name in ("RECORDS", "data/1.hea")}, sums_of(FILES)),
        pack(FILES | {"RECORDS": b"x"}, sums_of(FILES | {"RECORDS": b"x"})),
        b"<html>not a zip</html>",
    ],
    ids=["damaged file", "missing file", "other release", "no zip"],
)
def test_a_wrong_archive_is_refused_and_removed(server: Server, tmp_path: Path, archive: bytes) -> None:
    server.served["/ludb.zip"] = archive
    with pytest.raises(DataError, match="not the expected release"):
        download(tmp_path / "ludb", server.source())
    assert list(tmp_path.iterdir()) == []


def packed_tight(files: dict[str, bytes]) -> bytes:
    """Like `pack`, deflated."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (files | {"SHA256SUMS.txt": sums_of(FILES)}).items():
            archive.writestr(f"ludb-1.0.1/{name}", data)
    return stream.getvalue()


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_byte_is_one_error_and_leaves_nothing_that_fails_the_next_download(
    server: Server, tmp_path: Path, seed: int
) -> None:
    whole = packed_tight(FILES)
    damaged = bytearray(whole)
    # The first file is the first thing in the archive; seed 0 spoils the start of its deflated bytes.
    damaged[60 + 37 * seed % (len(whole) - 60)] ^= 0x5A
    server.served["/ludb.zip"] = bytes(damaged)
    with contextlib.suppress(DataError):
        # A byte that no member's content depends on does no harm.
        download(tmp_path / "ludb", server.source())
    assert {path.name for path in tmp_path.iterdir()} <= {"ludb"}
    server.served["/ludb.zip"] = whole
    assert download(tmp_path / "ludb", server.source()).good
    assert_whole(tmp_path / "ludb")


def test_a_damaged_deflated_byte_is_the_wrong_release(server: Server, tmp_path: Path) -> None:
    damaged = bytearray(packed_tight(FILES))
    # Behind the local header: an impossible block type.
    damaged[30 + len("ludb-1.0.1/data/1.hea")] = 0xFF
    server.served["/ludb.zip"] = bytes(damaged)
    with pytest.raises(DataError, match="not the expected release"):
        download(tmp_path / "ludb", server.source())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("extra", [0, 100, -500], ids=["as long", "longer", "shorter"])
def test_a_damaged_part_of_an_earlier_download_is_fetched_anew(server: Server, tmp_path: Path, extra: int) -> None:
    whole = server.served["/ludb.zip"]
    part = bytearray(whole + b"x" * max(0, extra))[: len(whole) + extra]
    part[200:260] = bytes(60)
    (tmp_path / "ludb.zip.part").write_bytes(part)
    assert download(tmp_path / "ludb", server.source()).good
    assert_whole(tmp_path / "ludb")
    assert [path.name for path in tmp_path.iterdir()] == ["ludb"]


def test_a_download_without_end_is_ended(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ARCHIVE_BYTES", 1000)
    with pytest.raises(DataError, match="could not be downloaded") as caught:
        download(tmp_path / "ludb", server.source())
    assert "after 1000 bytes" in caught.value.why
    assert list(tmp_path.iterdir()) == []


def test_a_missing_archive_and_a_dead_server_name_the_remedy(server: Server, tmp_path: Path) -> None:
    del server.served["/ludb.zip"]
    with pytest.raises(DataError, match="404"):
        download(tmp_path / "ludb", server.source())
    dead = Source("http://127.0.0.1:9/ludb.zip", "", "")
    with pytest.raises(DataError) as caught:
        download(tmp_path / "ludb", dead)
    assert "invoke data" in caught.value.remedy


def test_without_an_archive_the_files_come_one_by_one_and_none_twice(server: Server, tmp_path: Path) -> None:
    del server.served["/ludb.zip"]
    server.served |= {f"/files/{name}": data for name, data in FILES.items() if name != "RECORDS"}
    with pytest.raises(DataError, match="RECORDS"):
        download(tmp_path / "ludb", server.source())
    assert not (tmp_path / "ludb").exists()
    server.served["/files/RECORDS"] = FILES["RECORDS"]
    server.requests.clear()
    assert download(tmp_path / "ludb", server.source()).good
    assert [path for path, _ in server.requests] == ["/ludb.zip", "/files/SHA256SUMS.txt", "/files/RECORDS"]
    assert_whole(tmp_path / "ludb")
    assert [path.name for path in tmp_path.iterdir()] == ["ludb"]


def test_a_damaged_single_file_is_refused(server: Server, tmp_path: Path) -> None:
    del server.served["/ludb.zip"]
    server.served |= {f"/files/{name}": b"damaged" for name in FILES}
    with pytest.raises(DataError, match="not the expected release"):
        download(tmp_path / "ludb", server.source())
    assert not (tmp_path / "ludb").exists()


def test_verify_names_what_is_missing_and_what_is_damaged(server: Server, tmp_path: Path) -> None:
    download(tmp_path / "ludb", server.source())
    (tmp_path / "ludb/RECORDS").unlink()
    (tmp_path / "ludb/data/1.dat").write_bytes(b"damaged")
    result = verify(tmp_path / "ludb", server.source())
    assert (result.missing, result.damaged, result.good) == (("RECORDS",), ("data/1.dat",), False)
    assert download(tmp_path / "ludb", server.source()).good


def test_a_list_of_another_release_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS.txt").write_bytes(sums_of(FILES))
    with pytest.raises(DataError, match="not the list of the expected release"):
        verify(tmp_path, LUDB)


def test_a_full_disk_says_so(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    monkeypatch.setattr(module, "_unpack", full)
    with pytest.raises(OutputError) as caught:
        download(tmp_path / "ludb", server.source())
    assert "No space left" in caught.value.why
    assert "Make room" in caught.value.remedy


@pytest.mark.ludb
def test_the_local_copy_is_the_release_that_is_pinned() -> None:
    folder = find_ludb()
    if folder is None:
        pytest.skip("LUDB is not on this machine")
    assert verify(folder).good


def part_of(server: Server, names: tuple[str, ...] = ("data/1.dat", "data/1.hea")) -> Source:
    """The server's data set, known by two of its files."""
    lines = [f"{hashlib.sha256(FILES[name]).hexdigest()} {name}\n" for name in names]
    pin = hashlib.sha256("".join(lines).encode()).hexdigest()
    return Source(f"{server.url}/ludb.zip", f"{server.url}/files/", pin, names)


def test_a_release_is_known_by_a_part_whatever_else_it_holds(server: Server, tmp_path: Path) -> None:
    files = FILES | {"data/2.dat": b"more", "RECORDS": b"other"}
    server.served["/ludb.zip"] = pack(files, sums_of(files))
    assert download(tmp_path / "set", part_of(server)).files == 4
    (tmp_path / "set/data/2.dat").write_bytes(b"less")
    assert verify(tmp_path / "set", part_of(server)).damaged == ("data/2.dat",)


@pytest.mark.parametrize("change", [{"data/1.dat": b"other"}, {"data/1.dat": None}], ids=["another", "missing"])
def test_a_release_whose_part_is_another_is_refused(
    server: Server, tmp_path: Path, change: dict[str, bytes | None]
) -> None:
    files = {name: data for name, data in (FILES | change).items() if data is not None}
    server.served["/ludb.zip"] = pack(files, sums_of(files))
    with pytest.raises(DataError, match="not the expected release"):
        download(tmp_path / "set", part_of(server))
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    "name", ["../outside", "/tmp/outside", "a/../../outside", "C:outside", "a\\outside", "a\x1b[2J"]
)
def test_a_list_that_nobody_has_pinned_names_no_file_elsewhere(server: Server, tmp_path: Path, name: str) -> None:
    files = FILES | {name: b"evil"}
    server.served["/ludb.zip"] = pack(files, sums_of(files))
    with pytest.raises(DataError, match="not the expected release"):
        download(tmp_path / "inner" / "set", part_of(server))
    assert not (tmp_path / "inner" / "set").exists()
    assert not (tmp_path / "outside").exists()
    (tmp_path / "SHA256SUMS.txt").write_bytes(sums_of(files))
    with pytest.raises(DataError, match="not the list"):
        verify(tmp_path, part_of(server))


def test_a_download_of_qtdb_that_fails_names_its_own_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nobody(*arguments: object, **options: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(module.urllib.request, "urlopen", nobody)
    with pytest.raises(DataError) as caught:
        download(tmp_path / "qtdb", QTDB)
    assert "invoke data --database qtdb" in caught.value.remedy
    assert "ECGSEG_QTDB" in caught.value.remedy


@pytest.mark.ludb
def test_the_local_copy_of_qtdb_is_the_release_that_is_pinned() -> None:
    folder = find_qtdb()
    if folder is None:
        pytest.skip("QTDB is not on this machine")
    assert verify(folder, QTDB).good
