#!/usr/bin/env python3
"""Checks the schema part of providers/aws/types/*.json against the CloudFormation registry, as cfn-lint bundles it:
names and kinds of properties at any depth, required, create-only and write-only ones, enumerations, limits, order of
lists, attributes. What a type leaves out on purpose stands in its "LeftOut" with the reason. Prints TAP."""

import glob
import json
import os
import sys

# A file here has the name of a package that cfn-lint imports.
sys.path = [p for p in sys.path if os.path.realpath(p or ".") != os.path.dirname(os.path.realpath(__file__))]
try:
    import cfnlint.data.schemas.resources
    from cfnlint.data.schemas.providers import us_east_1
    from cfnlint.version import __version__
except ImportError:
    print("1..0 # SKIP cfn-lint is not installed")
    sys.exit(0)

HERE = os.path.dirname(os.path.realpath(__file__))
TYPES = os.path.join(HERE, "..", "..", "providers", "aws", "types")
REGISTRY = os.path.join(os.path.dirname(cfnlint.data.schemas.__file__), "resources")
OURS = "Muster::"  # properties and types that the registry does not have, by their prefix
KINDS = {"String": "string", "Integer": "integer", "Number": "number", "Boolean": "boolean", "Object": "object",
         "Map": "object", "List": "array"}
LIMITS = {"MinLength": ("minLength", "minItems"), "MaxLength": ("maxLength", "maxItems"), "Minimum": ("minimum",),
          "Maximum": ("maximum",)}
# (type, path, rule) that differ for a reason.
ALLOWED = {
    # "Return values" in the user guide has it; the registry makes it a property only.
    ("AWS::SNS::Topic", "TopicName", "attribute"),
    # PutRule cannot move a rule to another bus; the user guide says "Update requires: Replacement".
    ("AWS::Events::Rule", "EventBusName", "CreateOnly"),
}


class Type:
    def __init__(self, document):
        self.document, self.name, self.problems = document, document["Type"], []
        self.left_out, self.seen = document.get("LeftOut", {}), set()
        with open(os.path.join(REGISTRY, us_east_1.types[self.name] + ".json"), encoding="utf-8") as f:
            self.registry = json.load(f)

    def problem(self, path, rule, text, *values):
        if (self.name, path, rule) not in ALLOWED:
            self.problems.append("%s: %s" % (path or "the type", text % values if values else text))

    def follow(self, schema):
        """A schema without references, its alternatives' parts laid together."""
        while "$ref" in schema:
            path, found = schema["$ref"].lstrip("#/").split("/"), self.registry
            for part in path:
                found = found[part]
            schema = dict(found, **{k: v for k, v in schema.items() if k != "$ref"})
        for word in ("oneOf", "anyOf", "allOf"):
            for part in schema.get(word, []):
                part = self.follow(part)
                merged = dict(schema.get("properties", {}), **part.get("properties", {}))
                schema = dict({k: v for k, v in part.items() if k not in ("required", "properties")}, **schema)
                if merged:
                    schema["properties"] = merged
        return schema

    def pointers(self, word):
        """createOnlyProperties and its like as paths of ours."""
        return {p.replace("/properties/", "", 1).replace("/", ".").replace(".*", "[]").replace(".properties.", ".")
                for p in self.registry.get(word, [])}

    def check(self):
        read_only = self.pointers("readOnlyProperties")
        self.check_object(self.document.get("Properties", {}), self.registry, "", read_only)
        for path in sorted(set(self.left_out) - self.seen):
            self.problem(path, "left-out", "LeftOut names what is not there to leave out")
        self.check_flags("CreateOnly", self.pointers("createOnlyProperties"))
        self.check_flags("WriteOnly", self.pointers("writeOnlyProperties"))
        self.check_attributes(read_only)
        return self.problems

    def check_object(self, properties, schema, path, read_only):
        schema = self.follow(schema)
        known, required = schema.get("properties", {}), set(schema.get("required", []))
        for name in known:
            full = path + name
            if full in self.left_out:
                self.seen.add(full)
            if full in read_only or any(p.startswith(full + ".") for p in read_only) and name not in properties:
                if name in properties:
                    self.problem(full, "read-only", "is read-only: an attribute, not a property")
            elif name not in properties and full not in self.left_out:
                self.problem(full, "missing", "is missing")
            elif name in properties and full in self.left_out:
                self.problem(full, "left-out", "is there and left out")
        for name, node in properties.items():
            full = path + name
            if name.startswith(OURS):
                continue
            if name not in known:
                self.problem(full, "unknown", "is not in the registry")
                continue
            if node.get("Required", False) != (name in required):
                self.problem(full, "required", "Required should be %s", name in required)
            self.check_value(node, known[name], full, read_only)

    def check_value(self, node, schema, path, read_only):
        schema, kind = self.follow(schema), node.get("Type")
        wanted = schema.get("type", "object" if "properties" in schema else None)
        wanted = wanted if isinstance(wanted, list) else [wanted]
        if kind == "Json":
            if not {"object", "string", None} & set(wanted) or schema.get("properties"):
                self.problem(path, "kind", "is %s, not Json", "/".join(map(str, wanted)))
            return
        if wanted != [None] and KINDS.get(kind) not in wanted and not (kind == "Integer" and "number" in wanted):
            self.problem(path, "kind", "is %s, not %s", "/".join(map(str, wanted)), kind)
            return
        if kind == "Object":
            self.check_object(node.get("Properties", {}), schema, path + ".", read_only)
        elif kind == "Map":
            inner = next(iter(schema.get("patternProperties", {}).values()), {})
            self.check_value(node["Item"], inner, path + "[]", read_only)
        elif kind == "List":
            self.check_list(node, schema, path, read_only)
        self.check_enum(node, schema, path)
        self.check_limits(node, schema, path)

    def check_list(self, node, schema, path, read_only):
        if schema.get("insertionOrder") is False and node.get("Compare") != "Set":
            self.problem(path, "order", "has no order: Compare should be Set")
        self.check_value(node["Item"], schema.get("items", {}), path + "[]", read_only)

    def check_enum(self, node, schema, path):
        """Where both have one. The registry often has none, and then botocore.py compares ours with the service's."""
        ours, theirs = set(node.get("Enum", [])), set(schema.get("enum", []))
        if ours and theirs and ours != theirs:
            self.problem(path, "enum", "Enum should be %s, not %s", sorted(theirs), sorted(ours))

    def check_limits(self, node, schema, path):
        for word, names in LIMITS.items():
            theirs = next((schema[name] for name in names if name in schema), None)
            if word in node and theirs is not None and float(node[word]) != float(theirs):
                self.problem(path, "limit", "%s is %s, not %s", word, theirs, node[word])

    def flagged(self, properties, flag, path=""):
        for name, node in properties.items():
            if name.startswith(OURS):
                continue
            if node.get(flag):
                yield path + name
            inner, below = node, path + name
            while inner.get("Type") in ("List", "Map"):
                inner, below = inner.get("Item", {}), below + "[]"
            yield from self.flagged(inner.get("Properties", {}), flag, below + ".")

    def check_flags(self, flag, theirs):
        theirs = {p for p in theirs if not any(p == out or p.startswith(out + ".") for out in self.left_out)}
        ours = set(self.flagged(self.document.get("Properties", {}), flag))
        # What Cloud Control cannot read back, muster often can: only the other way round is a mistake.
        for path in sorted(theirs - ours) if flag != "WriteOnly" else []:
            if not any(path.startswith(above + ".") for above in ours):
                self.problem(path, flag, "should be %s", flag)
        for path in sorted(ours - theirs):
            self.problem(path, flag, "is not %s in the registry", flag)

    def check_attributes(self, read_only):
        ours = set(self.document.get("Attributes", {}))
        for name in sorted(read_only - ours - set(self.left_out)):
            if not any(name.startswith(a + ".") for a in ours | set(self.left_out)):
                self.problem(name, "attribute", "is no attribute")
        self.seen |= read_only & set(self.left_out)
        identifiers = self.pointers("primaryIdentifier")
        for name in sorted(ours - read_only - identifiers):
            self.problem(name, "attribute", "is no attribute in the registry")


def main():
    files = sorted(glob.glob(os.path.join(TYPES, "*.json")))
    failed = 0
    print("# cfn-lint %s" % __version__)
    for number, path in enumerate(files, 1):
        with open(path, encoding="utf-8") as f:
            document = json.load(f)
        name = document.get("Type", os.path.basename(path))
        # Types of our own stand for what the registry lacks; one that it has by now should have its name.
        if name.startswith(OURS):
            twin = "AWS::" + name[len(OURS):]
            problems = ["the registry has this type: %s" % twin] if twin in us_east_1.types else []
        else:
            problems = Type(document).check() if name in us_east_1.types else ["the registry has no such type"]
        failed += bool(problems)
        print("%s %d - %s" % ("not ok" if problems else "ok", number, name))
        for problem in problems:
            print("#   " + problem)
    print("1..%d" % len(files))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
