"""What the service logs: lines for people, or JSON for programs that gather it, each with its request."""

import json
import logging
import re
import sys
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime

ACCESS = "mnistry.service.access"
access_log = logging.getLogger(ACCESS)

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being answered; it goes back in the header X-Request-ID."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def id_of(given: str) -> str:
    """The id of a request: the one given by a proxy, where it is one, else a new one."""
    return given if _ID.fullmatch(given) else uuid.uuid4().hex


class JsonLines(logging.Formatter):
    """Each record as a JSON object on a line: time in UTC, level, message, request_id, what else it has."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if asked := request_id.get():
            line["request_id"] = asked
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up(*, show_requests: bool, as_json: bool) -> None:
    """Lets what is logged go to standard error.

    Args:
        show_requests: a line for each request, too.
        as_json: as JSON, not as lines for people.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else logging.Formatter("mnistry: %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    access_log.setLevel(logging.INFO if show_requests else logging.WARNING)
