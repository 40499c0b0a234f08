"""
Write the answer types of the client from the OpenAPI document: ``python -m tests.client.answer_types``.

Each schema that the client names becomes a ``TypedDict``, and so do those in it: ``ScoreOut`` becomes ``ScoreDict``.
One that has all the fields of another becomes its subclass, as in the service.
"""

import json
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

from tests.serving.openapi import GOLDEN

PACKAGE = Path(__file__).resolve().parents[2] / "client" / "leadscore_client"
TARGET, USERS = PACKAGE / "answers.py", [PACKAGE / "api.py", PACKAGE / "sending.py"]
HEAD = '''"""
The answers of the service as types; ``python -m tests.client.answer_types`` writes this file.

``/openapi.json`` is where they come from.
"""

from typing import Any, Literal, NotRequired, TypedDict
'''
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
REF = "#/components/schemas/"


def source():
    """Return the file that the golden OpenAPI document describes, formatted."""
    schemas = json.loads(GOLDEN.read_text(encoding="utf-8"))["components"]["schemas"]
    names = used(schemas)
    bases = {name: base_of(name, schemas, names) for name in names}
    needs = {name: [*inner_schemas(schemas[name]), *filter(None, [bases[name]])] for name in names}
    order = TopologicalSorter(needs).static_order()
    text = HEAD + "".join(typed_dict(name, schemas, bases[name]) for name in order)
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(TARGET), "-"]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout


def used(schemas):
    """Return the names of the schemas that the client's modules import, and of those they contain."""
    imported = {name for file in USERS for name in re.findall(r"\w+Dict\b", file.read_text(encoding="utf-8"))}
    names: dict[str, None] = {}

    def visit(name):
        if name not in names:
            names[name] = None
            for inner in inner_schemas(schemas[name]):
                visit(inner)

    for name in schemas:
        if type_name(name) in imported:
            visit(name)
    return names


def inner_schemas(schema):
    return re.findall(f'"{REF}(\\w+)"', json.dumps(schema))


def base_of(name, schemas, names):
    """Return the largest of these schemas whose fields another one has as well; None if there is none."""
    fields = fields_of(schemas[name]).items()
    smaller = [other for other in names if other != name and fields_of(schemas[other]).items() < fields]
    return max(smaller, key=lambda other: len(fields_of(schemas[other])), default=None)


def fields_of(schema):
    required = schema.get("required", [])
    return {field: (type_of(content), field in required) for field, content in schema["properties"].items()}


def typed_dict(name, schemas, base):
    """Return the source of one class, without the fields of its base."""
    schema, inherited = schemas[name], schemas[base]["properties"] if base else {}
    parent = type_name(base) if base else "TypedDict"
    lines = [f'\n\nclass {type_name(name)}({parent}):\n    """{schema["description"].strip()}"""\n\n']
    for field, content in schema["properties"].items():
        if field in inherited:
            continue
        annotation = type_of(content)
        if field not in schema.get("required", []):
            annotation = f"NotRequired[{annotation}]"
        lines.append(f"    {field}: {annotation}\n")
    return "".join(lines)


def type_name(schema):
    return f"{schema.removesuffix('Out')}Dict"


def type_of(content):
    """Return the annotation of a field."""
    if "$ref" in content:
        return type_name(content["$ref"].removeprefix(REF))
    if "anyOf" in content or "oneOf" in content:
        return " | ".join(dict.fromkeys(type_of(option) for option in content.get("anyOf") or content["oneOf"]))
    if "const" in content or "enum" in content:
        return f"Literal[{', '.join(json.dumps(value) for value in content.get('enum', [content.get('const')]))}]"
    if content.get("type") == "array":
        return f"list[{type_of(content.get('items', {}))}]"
    if content.get("type") == "object":
        values = content.get("additionalProperties", True)
        return f"dict[str, {type_of(values) if isinstance(values, dict) else 'Any'}]"
    return PLAIN.get(content.get("type"), "Any")


if __name__ == "__main__":
    TARGET.write_text(source(), encoding="utf-8")
