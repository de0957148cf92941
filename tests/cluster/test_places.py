"""Pictures from the web, from where they are refused, and from where they never end."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest

from mnistry.cluster import places
from mnistry.cluster.places import absolute, fetch, folder_of, place_of
from mnistry.errors import PictureError, PictureSizeError


class Server(BaseHTTPRequestHandler):
    """Answers with seven bytes, not at all, or without an end."""

    def do_GET(self) -> None:
        if self.path == "/good":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"picture")
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(bytes(2**16))
            except OSError:
                return
        elif self.path == "/to-a-file":
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_picture_of_the_web(web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    good = fetch(f"{web}/good")
    assert isinstance(good, BytesIO)
    assert good.read() == b"picture"
    with pytest.raises(PictureError, match="the server answered 404 Not Found"):
        fetch(f"{web}/absent")
    with pytest.raises(PictureError, match="cannot be fetched"):
        fetch(f"{web}/to-a-file")
    monkeypatch.setattr(places, "MOST_BYTES", 2**20)
    with pytest.raises(PictureSizeError, match="more than the 1 MB"):
        fetch(f"{web}/endless")
    monkeypatch.setattr(places, "MOST_SECONDS", 0.0)
    with pytest.raises(PictureError, match="took more than 0 seconds"):
        fetch(f"{web}/good")


@pytest.mark.parametrize("uri", ["http://127.0.0.1:1/x", "http://", "https://[", "ftp://x/y.png", "s3://"])
def test_what_cannot_be_fetched_is_an_error_of_that_picture(uri: str) -> None:
    with pytest.raises(PictureError):
        fetch(uri)


def test_paths(tmp_path: Path) -> None:
    assert fetch(str(tmp_path / "a b#?.png")) == tmp_path / "a b#?.png"
    assert fetch(f"file://{tmp_path}/a%20b.png") == tmp_path / "a b.png"
    assert absolute("/a.png", "/in") == "/a.png"
    assert folder_of(str(tmp_path / "list.csv")) == str(tmp_path)
    assert (place_of(str(tmp_path)) / "a").local == tmp_path / "a"
