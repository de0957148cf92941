"""The description of the service for programs: OpenAPI 3.1."""

from importlib.metadata import version
from typing import Any

import msgspec

from mnistry.service import answers, problems, requests
from mnistry.service.limits import Limits

Json = dict[str, Any]

_WHEN = {
    400: "The request is malformed, or is addressed to another host.",
    401: "The service needs a token, and the request has none or another one.",
    403: "A page of another site sends this.",
    404: "There is no model of this name, or no corrections are kept.",
    408: "The head took longer than {head_seconds:g} seconds to arrive, or the body {upload_seconds:g}.",
    413: "More than {upload_mb} MB, {pixels:,} pixels, {files} pictures or pages, or {images:,} images.",
    415: "The body is of another media type, or no picture in a format that can be read.",
    422: "The body or a parameter is not what it should be, or a picture is damaged.",
    429: "More than {client_requests} requests of one address are under way.",
    500: "The service failed; its log tells more.",
    507: "The folder of corrections holds {kept:,} pictures or {kept_mb:,} MB, or its disk is full.",
    503: "More than {requests} requests are under way, or their bodies take more than {memory_mb} MB, or "
    "this one took longer than {seconds:g} seconds, or the model cannot be used.",
}
_WORK = (400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 503)

_ANSWERS = (
    answers.Reading,
    answers.DocumentReading,
    answers.Readings,
    answers.Classified,
    answers.Models,
    answers.Corrections,
    answers.Status,
    problems.ProblemDetails,
    requests.Images,
    requests.Image,
)
_REFERENCES, _SCHEMAS = msgspec.json.schema_components(_ANSWERS, ref_template="#/components/schemas/{name}")
_REFERENCE = dict(zip(_ANSWERS, _REFERENCES, strict=True))
_READ = (answers.Reading, answers.DocumentReading, answers.Readings)


def document(limits: Limits) -> Json:
    """The OpenAPI document of a service with these limits."""

    def refusals(statuses: tuple[int, ...]) -> Json:
        return {
            str(status): {
                "description": _WHEN[status].format_map(vars(limits)),
                "content": {problems.MEDIA_TYPE: {"schema": _REFERENCE[problems.ProblemDetails]}},
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
        summary: str,
        kind: type[msgspec.Struct],
        bodies: Json,
        media_type: str,
        schema: Json,
        *,
        statuses: tuple[int, ...] = _WORK,
    ) -> Json:
        return {
            "post": {
                "summary": summary,
                "parameters": _parameters(kind),
                "requestBody": {"required": True, "content": bodies},
                "responses": {"200": _answer(media_type, schema), **refusals(statuses)},
                "security": [{"token": []}, {}],
            }
        }

    kinds = ("image/*", *requests.DOCUMENTS, requests.OCTETS)
    picture: Json = {kind: {"schema": {}} for kind in kinds}
    # How many there may be at most is said in words: more are refused with 413, not as a wrong shape.
    files = {
        "type": "array",
        "items": {"contentMediaType": requests.OCTETS},
        "minItems": 1,
        "description": f"At most {limits.files}.",
    }
    fields = {"type": "object", "properties": {"file": files}, "minProperties": 1}
    form = {requests.FORM: {"schema": {**fields, "description": "Files; their fields have any names."}}}
    images = {
        requests.JSON: {"schema": {"anyOf": [_REFERENCE[requests.Images], _REFERENCE[requests.Image]]}},
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
                "Read the digits in a picture or document, or in each of a form.",
                requests.ReadParameters,
                {**picture, **form},
                requests.JSON,
                {"anyOf": [_REFERENCE[kind] for kind in _READ]},
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
                _REFERENCE[answers.Classified],
            ),
            "/v1/models": get(
                "The models that can be asked for.",
                requests.JSON,
                _REFERENCE[answers.Models],
                statuses=(400, 401, 429, 500, 503),
            ),
            "/v1/corrections": {
                **get(
                    "Whether corrections are kept, and how many there are.",
                    requests.JSON,
                    _REFERENCE[answers.Corrections],
                    statuses=(400, 401, 429, 500, 503, 507),
                ),
                **post(
                    "Keep a picture with what is to be read in it, to teach a reader with.",
                    requests.CorrectionParameters,
                    picture,
                    requests.JSON,
                    _REFERENCE[answers.Corrections],
                    statuses=(*_WORK, 507),
                ),
            },
            "/healthz": get("Whether the service runs.", requests.JSON, _REFERENCE[answers.Status]),
            "/readyz": get("Whether it takes requests.", requests.JSON, _REFERENCE[answers.Status]),
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


def _parameters(kind: type[msgspec.Struct]) -> list[Json]:
    (schema,) = msgspec.json.schema_components([kind])[1].values()
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "in": "query",
            **({"required": True} if name in required else {}),
            "description": about.pop("description"),
            "schema": about,
        }
        for name, about in schema["properties"].items()
    ]
