"""
Write the answer types of the client from the OpenAPI document: ``python -m tests.client.answer_types``.

Each schema that an operation answers with becomes a ``TypedDict``: ``ScoreOut`` becomes ``ScoreDict``.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.serving.openapi import GOLDEN

TARGET = Path(__file__).resolve().parents[2] / "client" / "leadscore_client" / "answers.py"
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
    document = json.loads(GOLDEN.read_text(encoding="utf-8"))
    schemas = document["components"]["schemas"]
    text = HEAD + "".join(typed_dict(name, schemas[name]) for name in answered(document, schemas))
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(TARGET), "-"]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout


def answered(document, schemas):
    """Return the names of the schemas that successful answers refer to, dependencies first."""
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    answers = [
        answer["content"]
        for operation in operations
        for status, answer in operation["responses"].items()
        if status.startswith("2")
    ]
    names: dict[str, None] = {}

    def visit(node):
        for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            visit(value)
        name = node.get("$ref", "").removeprefix(REF) if isinstance(node, dict) else ""
        if name and name not in names:
            visit(schemas[name])
            names[name] = None

    visit(answers)
    return [name for name in names if "properties" in schemas[name]]


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
