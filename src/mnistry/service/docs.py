"""The description of the service for people: one page that needs nothing else."""

import json
import re
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; } h2 code { font-size: 1.1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.9rem; }
pre { overflow-x: auto; padding: 0.75rem; border: 1px solid #8888; }
table { border-collapse: collapse; } caption { text-align: left; font-weight: bold; padding-top: 1rem; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 1.5rem 0.25rem 0; }
th { font-weight: normal; white-space: nowrap; }
"""

_EXAMPLES = {
    "/v1/read": "curl -H 'Content-Type: image/jpeg' --data-binary @photo.jpg \\\n"
    "    '{base}/v1/read?probabilities=true'\n"
    "curl -H 'Content-Type: application/pdf' --data-binary @form.pdf '{base}/v1/read?dpi=300'\n"
    "curl -F file=@one.png -F file=@two.png {base}/v1/read",
    "/v1/explain": "curl -H 'Content-Type: image/jpeg' --data-binary @photo.jpg \\\n"
    "    {base}/v1/explain -o how.png",
    "/v1/classify": "curl -H 'Content-Type: application/octet-stream' --data-binary @images.bin \\\n"
    "    {base}/v1/classify",
    "/v1/corrections": "curl -H 'Content-Type: image/jpeg' --data-binary @photo.jpg \\\n"
    "    '{base}/v1/corrections?lines=2706'",
    "/v1/models": "curl {base}/v1/models",
}


def page(document: dict[str, Any], base: str) -> str:
    """The HTML page of an OpenAPI document.

    Args:
        document: of `mnistry.service.openapi`.
        base: where the examples say that the service is.
    """
    info = document["info"]
    parts = [
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        f"<p>{escape(info['summary'])} {escape(info['description'])} "
        '<a href="/openapi.json">The same for programs</a>; <a href="/">the page to draw on</a>.</p>',
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts += _operation(path, method, operation, base)
    parts.append("<h2>What is sent and answered</h2>")
    for name, schema in document["components"]["schemas"].items():
        parts.append(f'<h3 id="{name}">{name}</h3><pre>{escape(json.dumps(schema, indent=2))}</pre>')
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>mnistry: the service</title>'
        f'<link rel="stylesheet" href="/docs.css"></head><body><main>{"".join(parts)}</main></body></html>'
    )


def _operation(path: str, method: str, operation: dict[str, Any], base: str) -> list[str]:
    parts = [f"<h2><code>{method.upper()} {path}</code></h2><p>{escape(operation['summary'])}</p>"]
    if path in _EXAMPLES and (method == "post") == ("--data" in _EXAMPLES[path]):
        parts.append(f"<pre>{escape(_EXAMPLES[path].format(base=base))}</pre>")
    if "security" in operation:
        parts.append(
            "<p>With the token, if the service has one: <code>Authorization: Bearer TOKEN</code>.</p>"
        )
    if parameters := operation.get("parameters"):
        rows = {one["name"]: f"{_text(one['description'])} {_brief(one['schema'])}" for one in parameters}
        parts.append(_table("In the address", rows))
    if body := operation.get("requestBody"):
        parts.append(_table("Body", {kind: _brief(one["schema"]) for kind, one in body["content"].items()}))
    rows = {}
    for status, response in operation["responses"].items():
        ((kind, content),) = response["content"].items()
        rows[status] = f"{_text(response['description'])} <code>{kind}</code> {_brief(content['schema'])}"
    parts.append(_table("Answers", rows))
    return parts


def _table(caption: str, rows: dict[str, str]) -> str:
    body = "".join(
        f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{cell}</td></tr>'
        for name, cell in rows.items()
    )
    return f"<table><caption>{caption}</caption>{body}</table>"


def _text(markdown: str) -> str:
    return re.sub("`(.*?)`", r"<code>\1</code>", escape(markdown))


def _brief(schema: dict[str, Any]) -> str:
    """A schema in a few words; the named ones as links."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_brief, schema["anyOf"]))
    if schema.get("type") == "array":
        return f"array: {_brief(schema['items'])} {_text(schema.get('description', ''))}"
    if "properties" in schema:
        return ", ".join(f"<code>{name}</code>: {_brief(of)}" for name, of in schema["properties"].items())
    bounds = f" {schema['minimum']} to {schema['maximum']}" if "maximum" in schema else ""
    default = (
        f", by default <code>{escape(json.dumps(schema['default']))}</code>" if "default" in schema else ""
    )
    return f"{schema.get('type', 'bytes')}{bounds}{default}. {_text(schema.get('description', ''))}"
