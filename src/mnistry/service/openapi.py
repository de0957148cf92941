"""The description of the service for programs: OpenAPI 3.1."""

from importlib.metadata import version
from typing import Any

import msgspec

from mnistry.service import problems, requests
from mnistry.service.limits import Limits

Json = dict[str, Any]

_ABOUT = {
    "model": "The name of a model of `/v1/models`; empty: the default one.",
    "min_confidence": "A digit of less confidence is `?` in its line and null.",
    "probabilities": "Give the ten probabilities of each digit.",
    "seen": "Give the 28×28 image of each digit that the model was given.",
}
_WHEN = {
    400: "The request is malformed, or is addressed to another host.",
    401: "The service needs a token, and the request has none or another one.",
    403: "A page of another site sends this.",
    404: "There is no model of this name.",
    408: "The head took longer than {head_seconds:g} seconds to arrive, or the body {upload_seconds:g}.",
    413: "More than {upload_mb} MB, {pixels:,} pixels in a picture, {files} pictures or {images:,} images.",
    415: "The body is of another media type, or no picture in a format that can be read.",
    422: "The body or a parameter is not what it should be, or a picture is damaged.",
    429: "More than {client_requests} requests of one address are under way.",
    500: "The service failed; its log tells more.",
    503: "More than {requests} requests are under way, or their bodies take more than {memory_mb} MB, or "
    "this one took longer than {seconds:g} seconds, or the model cannot be used.",
}
_WORK = (400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 503)

_PROBABILITY: Json = {"type": "number", "minimum": 0, "maximum": 1}
_TEN: Json = {"type": "array", "items": _PROBABILITY, "minItems": 10, "maxItems": 10}
_PROBLEM_FIELDS: Json = {
    "type": {"type": "string"},
    "title": {"type": "string"},
    "status": {"type": "integer"},
    "detail": {"type": "string", "description": "What was expected, what was found, and what to do."},
}


def _object(required: Json, optional: Json | None = None) -> Json:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def _array(items: Json, **more: Any) -> Json:
    return {"type": "array", "items": items, **more}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


_READING = (
    {
        "lines": _array(
            {"type": "string"}, description="Top to bottom; a space where a gap parts two groups."
        ),
        "digits": _array(_ref("Digit"), description="In the order of the lines."),
    },
    {
        "notes": _array(
            {"type": "string"}, description="What was decided on the way, such as which frame was read."
        )
    },
)
_PIXEL: Json = {"type": "integer", "minimum": 0, "maximum": 255}
_IMAGE = _array(_array(_PIXEL, minItems=28, maxItems=28), minItems=28, maxItems=28)

_SCHEMAS: Json = {
    "Problem": _object(_PROBLEM_FIELDS),
    "Digit": _object(
        {
            "digit": {"type": ["integer", "null"], "minimum": 0, "maximum": 9},
            "confidence": {**_PROBABILITY, "description": "The probability of the likeliest digit."},
            "box": _array(
                {"type": "integer"},
                minItems=4,
                maxItems=4,
                description="x, y, width, height in the picture's own pixels.",
            ),
            "line": {"type": "integer", "minimum": 0, "description": "The line that it stands in, from 0."},
        },
        {
            "probabilities": {**_TEN, "description": "Of 0 to 9; what is missing to 1 is “no digit”."},
            "seen": {
                "type": "string",
                "contentEncoding": "base64",
                "description": "784 bytes, row by row, ink bright.",
            },
        },
    ),
    "Reading": _object(*_READING),
    "Readings": _object(
        {
            "results": _array(
                {
                    "anyOf": [
                        _object({"file": {"type": "string"}, **_READING[0]}, _READING[1]),
                        _object({"file": {"type": "string"}, "error": _ref("Problem")}),
                    ]
                },
                description="One for each file, in the order sent.",
            )
        }
    ),
    "Classified": _object(
        {
            "digits": _array({"type": "integer", "minimum": 0, "maximum": 9}),
            "confidences": _array(_PROBABILITY),
            "probabilities": _array(_TEN),
        }
    ),
    "Models": _object(
        {
            "models": _array(
                _object(
                    {
                        "name": {"type": "string"},
                        "default": {"type": "boolean"},
                        "recipe": {"type": ["string", "null"]},
                        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                        "bytes": {"type": "integer"},
                        "accuracy": {"type": ["number", "null"], "description": "On the test part."},
                    }
                )
            )
        }
    ),
    "Status": _object({"status": {"const": "ok"}}),
}


def document(limits: Limits) -> Json:
    """The OpenAPI document of a service with these limits."""

    def refusals(statuses: tuple[int, ...]) -> Json:
        return {
            str(status): {
                "description": _WHEN[status].format_map(vars(limits)),
                "content": {problems.MEDIA_TYPE: {"schema": _ref("Problem")}},
                **(
                    {"headers": {"Retry-After": {"schema": {"type": "string"}}}}
                    if status in (429, 503)
                    else {}
                ),
                **(
                    {"headers": {"WWW-Authenticate": {"schema": {"type": "string"}}}} if status == 401 else {}
                ),
            }
            for status in statuses
        }

    def get(summary: str, media_type: str, schema: Json, *, statuses: tuple[int, ...] = (400,)) -> Json:
        responses = {"200": _answer(media_type, schema), **refusals(statuses)}
        # `{}` says that the token is needed only where the service was started with one.
        security: Json = {"security": [{"token": []}, {}]} if 401 in statuses else {}
        return {"get": {"summary": summary, "responses": responses, **security}}

    def post(
        summary: str, kind: type[requests.ModelParameters], bodies: Json, media_type: str, schema: Json
    ) -> Json:
        return {
            "post": {
                "summary": summary,
                "parameters": _parameters(kind),
                "requestBody": {"required": True, "content": bodies},
                "responses": {"200": _answer(media_type, schema), **refusals(_WORK)},
                "security": [{"token": []}, {}],
            }
        }

    picture: Json = {"image/*": {"schema": {}}, requests.OCTETS: {"schema": {}}}
    # How many there may be at most is said in words: more are refused with 413, not as a wrong shape.
    files = _array({"contentMediaType": requests.OCTETS}, minItems=1, description=f"At most {limits.files}.")
    fields = {"type": "object", "properties": {"file": files}, "minProperties": 1}
    form = {requests.FORM: {"schema": {**fields, "description": "Files; their fields have any names."}}}
    batch = _array(_IMAGE, minItems=1, description=f"At most {limits.images:,} images.")
    images = {
        requests.JSON: {"schema": _object({"images": {"anyOf": [batch, _IMAGE]}})},
        requests.OCTETS: {"schema": {"description": "784 bytes for each image, row by row, ink bright."}},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mnistry",
            "version": version("mnistry"),
            "summary": "Reads handwritten digits.",
            "description": "Every refusal is a problem object after RFC 9457. GET and HEAD work alike.",
        },
        "paths": {
            "/v1/read": post(
                "Read the digits in a picture, or in each picture of a form.",
                requests.ReadParameters,
                {**picture, **form},
                requests.JSON,
                {"anyOf": [_ref("Reading"), _ref("Readings")]},
            ),
            "/v1/explain": post(
                "Draw how a picture is read, stage by stage.",
                requests.ExplainParameters,
                picture,
                "image/png",
                {},
            ),
            "/v1/classify": post(
                "Classify 28×28 images: one, or many at once.",
                requests.ModelParameters,
                images,
                requests.JSON,
                _ref("Classified"),
            ),
            "/v1/models": get(
                "The models that can be asked for.",
                requests.JSON,
                _ref("Models"),
                statuses=(400, 401, 429, 500, 503),
            ),
            "/healthz": get("Whether the service runs.", requests.JSON, _ref("Status")),
            "/readyz": get("Whether it takes requests.", requests.JSON, _ref("Status")),
            "/metrics": get(
                "What was counted, for Prometheus.",
                "text/plain; version=0.0.4; charset=utf-8",
                {"type": "string"},
                statuses=(400, 401),
            ),
            "/openapi.json": get("This document.", requests.JSON, {"type": "object"}),
            "/docs": get("This document, for people.", "text/html; charset=utf-8", {"type": "string"}),
        },
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _answer(media_type: str, schema: Json) -> Json:
    return {"description": "Done.", "content": {media_type: {"schema": schema}}}


def _parameters(kind: type[requests.ModelParameters]) -> list[Json]:
    (schema,) = msgspec.json.schema_components([kind])[1].values()
    return [
        {"name": name, "in": "query", "description": _ABOUT[name], "schema": about}
        for name, about in schema["properties"].items()
    ]
