"""schema_test.py SCHEMA DOCUMENT... - each document is as the schema says, and has no key beyond it.

Knows the keywords that docs/schema/ uses and fails on any other, so that none is passed over.
"""

import json
import re
import sys

KNOWN = {"$schema", "$id", "$ref", "$defs", "title", "description", "type", "required", "properties",
         "items", "enum", "const", "pattern", "minimum", "anyOf"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def has_type(value, name):
    if name in ("integer", "number"):
        kinds = int if name == "integer" else (int, float)
        return isinstance(value, kinds) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def check_value(value, schema):
    """What is wrong with the value itself, apart from what it contains."""
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(has_type(value, t) for t in types):
        yield f"is not {' or '.join(types)}"
    if "const" in schema and value != schema["const"]:
        yield f"is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"is not one of {schema['enum']}"
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        yield f"does not match {schema['pattern']}"
    if "minimum" in schema and has_type(value, "number") and value < schema["minimum"]:
        yield f"is below {schema['minimum']}"


def check(value, schema, root, path):
    unknown = set(schema) - KNOWN
    if unknown:
        raise SystemExit(f"schema_test: unknown keywords at {path}: {unknown}")
    if "$ref" in schema:
        yield from check(value, root["$defs"][schema["$ref"].split("/")[-1]], root, path)
    if "anyOf" in schema:
        tries = [list(check(value, s, root, path)) for s in schema["anyOf"]]
        if all(tries):
            yield from tries[0]
    for wrong in check_value(value, schema):
        yield f"{path}: {value!r:.60} {wrong}"
    if isinstance(value, dict) and "properties" in schema:
        for key in schema.get("required", []):
            if key not in value:
                yield f"{path}: no {key}"
        for key, item in value.items():
            if key not in schema["properties"]:
                yield f"{path}: {key} is not in the schema"
            else:
                yield from check(item, schema["properties"][key], root, f"{path}.{key}")
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            yield from check(item, schema["items"], root, f"{path}[{i}]")


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        schema = json.load(f)
    failed = False
    for name in sys.argv[2:]:
        with open(name, encoding="utf-8") as f:
            document = json.load(f)
        for wrong in check(document, schema, schema, "$"):
            print(f"{name}: {wrong}")
            failed = True
        # The check can fail: an entry without its rule is refused.
        findings = document["runs"][0]["results"] if "runs" in document else document["findings"]
        for finding in findings[:1]:
            del finding["ruleId" if "runs" in document else "rule"]
            if not list(check(document, schema, schema, "$")):
                print("schema_test: a finding without a rule was accepted")
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
