"""
Write the answer types of the client from the OpenAPI document: ``python -m tests.client.answer_types``.

Each schema that the client names becomes a ``TypedDict``, and so do those in it: ``ScoreOut`` becomes ``ScoreDict``.
"""

import json
import re
import subprocess
import sys
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
    text = HEAD + "".join(typed_dict(name, schemas[name]) for name in used(schemas))
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(TARGET), "-"]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout


def used(schemas):
    """Return the names of the schemas that the client's modules import, and of those they contain, which come first."""
    imported = {name for file in USERS for name in re.findall(r"\w+Dict\b", file.read_text(encoding="utf-8"))}
    names: dict[str, None] = {}

    def visit(name):
        if name not in names:
            for inner in re.findall(f'"{REF}(\\w+)"', json.dumps(schemas[name])):
                visit(inner)
            names[name] = None

    for name in schemas:
        if type_name(name) in imported:
            visit(name)
    return names


def typed_dict(name, schema):
    """Return the source of one class."""
    lines = [f'\n\nclass {type_name(name)}(TypedDict):\n    """{schema["description"].strip()}"""\n\n']
    for field, content in schema["properties"].items():
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
