"""A stand-in for the Hugging Face Hub: as much of its HTTP interface as pushing and pulling a model needs."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_of_the_tests"


class Hub:
    """What the stand-in holds: the files of each repository, and what was asked."""

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.asked: list[str] = []
        self.address = ""

    def sha(self, repo: str) -> str:
        """The revision of a repository: of all its content."""
        content = json.dumps({n: hashlib.sha1(c).hexdigest() for n, c in sorted(self.repos[repo].items())})
        return hashlib.sha1(content.encode()).hexdigest()


@contextmanager
def running() -> Iterator[Hub]:
    """A stand-in that listens until the block ends."""
    hub = Hub()

    class Handler(_Handler):
        held = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    held: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: Any) -> None:
        self.held.asked.append(f"{self.command} {self.path}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        if self.headers.get("Authorization") != f"Bearer {TOKEN}" and "validate" not in path:
            self._error(401, "Invalid username or password.")
        elif path == "/api/repos/create":
            asked = json.loads(body)
            repo = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
            known = repo in self.held.repos
            self.held.repos.setdefault(repo, {})
            self.held.private.setdefault(repo, asked.get("private") or asked.get("visibility") == "private")
            self._json({"url": f"{self.held.address}/{repo}"}, 409 if known else 200)
        elif path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif path.startswith("/api/models/") and "/preupload/" in path:
            files = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                for file in json.loads(body)["files"]
            ]
            self._json({"files": files})
        elif path.startswith("/api/models/") and "/commit/" in path:
            repo = path.removeprefix("/api/models/").split("/commit/")[0]
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    self.held.repos[repo][line["value"]["path"]] = content
            sha = self.held.sha(repo)
            url = f"{self.held.address}/{repo}/commit/{sha}"
            self._json({"success": True, "commitOid": sha, "commitUrl": url, "hookOutput": ""})
        else:
            self._error(404, f"the stand-in does not know POST {path}")

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/api/models/"):
            repo, _, rest = path.removeprefix("/api/models/").partition("/revision/")
            repo, _, tree = repo.partition("/tree/")
            if repo not in self.held.repos:
                self._missing_repo()
            elif tree:
                self._json([self._entry(name, content) for name, content in self.held.repos[repo].items()])
            else:
                siblings = [
                    {"rfilename": name, "size": len(content), "blobId": hashlib.sha1(content).hexdigest()}
                    for name, content in self.held.repos[repo].items()
                ]
                about = {"id": repo, "sha": self.held.sha(repo), "private": self.held.private[repo]}
                self._json(about | {"siblings": siblings, "tags": [], "downloads": 0, "likes": 0})
        elif "/resolve/" in path:
            repo, _, rest = path[1:].partition("/resolve/")
            content = self.held.repos.get(repo, {}).get(rest.split("/", 1)[1])
            if content is None:
                self._missing_repo()
            else:
                self._send(200, content, {"ETag": f'"{hashlib.sha1(content).hexdigest()}"'} | self._of(repo))
        else:
            self._error(404, f"the stand-in does not know GET {path}")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _of(self, repo: str) -> dict[str, str]:
        return {"X-Repo-Commit": self.held.sha(repo)}

    def _entry(self, name: str, content: bytes) -> dict[str, Any]:
        return {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}

    def _missing_repo(self) -> None:
        self._send(404, b'{"error": "Repository not found"}', {"X-Error-Code": "RepoNotFound"})

    def _error(self, status: int, message: str) -> None:
        self._send(status, json.dumps({"error": message}).encode(), {"X-Error-Message": message})

    def _json(self, value: Any, status: int = 200) -> None:
        self._send(status, json.dumps(value).encode(), {})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
