#!/usr/bin/env python3
"""Checks providers/aws/services/*.json and the calls of providers/aws/types/*.json against botocore's models.

Facts that a person can get wrong when writing such a file by hand are compared one by one: operations, paths, where
each member travels, how it is spelled on the wire, lists, maps, time formats, error codes. Prints TAP."""

import glob
import json
import os
import re
import sys

# This file has the package's name: keep Python from importing it instead.
sys.path = [p for p in sys.path if os.path.realpath(p or ".") != os.path.dirname(os.path.realpath(__file__))]
try:
    import botocore
    from botocore.loaders import Loader
except ImportError:
    print("1..0 # SKIP botocore is not installed")
    sys.exit(0)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
AWS = os.path.join(ROOT, "providers", "aws")
SCALARS = {
    "string": "string", "character": "string", "integer": "integer", "long": "integer", "boolean": "boolean",
    "double": "float", "float": "float", "blob": "blob", "timestamp": "timestamp",
}
TIMES = {"timestamp-iso8601": "iso8601", "timestamp-http": "rfc822", "timestamp-unix": "unixTimestamp"}
SERVICE_WORDS = {
    "Service", "Protocol", "EndpointPrefix", "SigningName", "EnvironmentId", "ApiVersion", "TargetPrefix",
    "JsonVersion", "XmlNamespace", "Global", "Names", "Shapes", "Operations",
}
MEMBER_WORDS = {"Type", "Members", "List", "Map", "Name", "In", "Item", "Flat", "Key", "Value", "Entry"}
# Change nothing although their names do not say so.
READS = {"sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"}
# Members of answers that botocore's own model does not have right either, and parses by hand.
BY_HAND = {("s3:GetBucketLocation", "LocationConstraint")}


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def case(self, name, problems):
        self.count += 1
        self.failed += bool(problems)
        print("%s %d - %s" % ("not ok" if problems else "ok", self.count, name))
        for problem in problems:
            print("#   " + problem)

    def end(self):
        print("1..%d" % self.count)
        return 1 if self.failed else 0


class Service:
    """A service file next to the model that it describes."""

    def __init__(self, path, loader, endpoints):
        with open(path, encoding="utf-8") as f:
            self.file = json.load(f)
        self.name = self.file.get("Service", "?")
        self.protocol = self.file.get("Protocol", "?")
        self.json = self.protocol in ("json", "rest-json")
        self.camel = self.file.get("Names") == "camel"
        self.named = self.file.get("Shapes", {})
        self.used = set()
        self.endpoint = endpoints.get(self.name)
        self.model = loader.load_service_model(self.name, "service-2")
        self.shapes = self.model["shapes"]
        self.operations = self.model["operations"]

    # -- The file as a whole

    def check_metadata(self):
        facts, f = self.model["metadata"], self.file
        xml = self.protocol in ("query", "ec2")
        namespaces = {m["xmlNamespace"]["uri"] for s in self.shapes.values() for m in s.get("members", {}).values()
                      if "xmlNamespace" in m and s.get("payload")}
        expected = {
            "EndpointPrefix": facts["endpointPrefix"],
            "EnvironmentId": re.sub("[ -]", "_", facts["serviceId"]).upper(),
            "ApiVersion": facts["apiVersion"] if xml else None,
            "TargetPrefix": facts["targetPrefix"] if self.protocol == "json" else None,
            "JsonVersion": facts["jsonVersion"] if self.protocol == "json" else None,
            "XmlNamespace": namespaces.pop() if self.protocol == "rest-xml" and namespaces else None,
        }
        for word in sorted(set(f) - SERVICE_WORDS):
            yield "unknown word %s" % word
        if self.protocol not in facts.get("protocols", [facts["protocol"]]):
            yield "Protocol is %s, the service speaks %s" % (self.protocol, facts.get("protocols"))
        for word, value in expected.items():
            if f.get(word) != value:
                yield "%s is %r, not %r" % (word, f.get(word), value)
        signing = facts.get("signingName", facts["endpointPrefix"])
        if f.get("SigningName", f.get("EndpointPrefix")) != signing:
            yield "SigningName should be %r" % signing
        if self.endpoint is not None and f.get("Global", False) != (self.endpoint.get("isRegionalized") is False):
            yield "Global is %r, but the service %s one endpoint a partition" % (
                f.get("Global", False), "has" if self.endpoint.get("isRegionalized") is False else "has not")

    def check_unused(self):
        for name in sorted(set(self.named) - self.used):
            yield "shape %s is never used" % name

    # -- One operation

    def check_operation(self, name, operation):
        if name not in self.operations:
            yield "no such operation"
            return
        facts = self.operations[name]
        full = "%s:%s" % (self.name, name)
        input_shape = facts.get("input", {}).get("shape")
        output_shape = facts.get("output", {}).get("shape")
        labels, problems = self.check_http(operation.get("Http"), facts)
        yield from problems
        yield from self.check_flags(full, operation, facts)
        yield from self.check_top(operation.get("Input", {}), input_shape, labels, True, full)
        yield from self.check_root(operation, facts)
        if "Output" in operation:
            yield from self.check_top(operation["Output"], output_shape, {}, False, full)
        elif self.json and output_shape:
            for member, fact in self.members(output_shape).items():
                if fact.get("location") not in (None, "statusCode"):
                    yield "Output must be given: %s is not in the body" % member
                elif self.must_rename(fact["shape"]) or self.wire_fact(member, fact, False) != member:
                    yield "Output must be given: %s is spelled differently on the wire" % member
        wrapper = facts.get("output", {}).get("resultWrapper")
        if self.protocol == "query" and "Output" in operation and wrapper != name + "Result":
            yield "the answer is wrapped in %s" % wrapper

    def check_flags(self, full, operation, facts):
        name = full.split(":")[1]
        for word in sorted(set(operation) - {"Http", "Reads", "Once", "Root", "Checksum", "Input", "Output"}):
            yield "unknown word %s" % word
        reads = bool(re.match("(Get|List|Describe|Head)", name)) or full in READS or facts.get("readonly", False)
        if operation.get("Reads", False) != reads:
            yield "Reads should be %r" % reads
        checksum = facts.get("httpChecksum", {}).get("requestChecksumRequired") or facts.get("httpChecksumRequired")
        if operation.get("Checksum", False) != bool(checksum):
            yield "Checksum should be %r" % bool(checksum)

    def check_root(self, operation, facts):
        shape = self.shapes.get(facts.get("input", {}).get("shape"), {})
        body = [m for m in shape.get("members", {}).values() if "location" not in m]
        wanted = None
        if self.protocol == "rest-xml" and body and not shape.get("payload"):
            wanted = facts["input"].get("locationName")
        if operation.get("Root") != wanted:
            yield "Root is %r, not %r" % (operation.get("Root"), wanted)

    def check_http(self, http, facts):
        """Labels of the path and query string: member name -> (location, wire name)."""
        if not self.protocol.startswith("rest"):
            return {}, ["Http belongs to rest protocols only"] if http else []
        if not http:
            return {}, ["Http is missing"]
        labels, problems = {}, []
        members = self.members(facts.get("input", {}).get("shape"))
        path, _, query = http.partition("?")
        fixed = []
        for part in filter(None, query.split("&")):
            key, _, value = part.partition("=")
            if value.startswith("{"):
                labels[value.strip("{}")] = ("querystring", key)
            else:
                fixed.append(part)
        for label in re.findall(r"\{(\w+)\+?\}", path):
            labels[label] = ("uri", members.get(label, {}).get("locationName", label))
        spelled = re.sub(r"\{(\w+)(\+?)\}", lambda m: "{%s%s}" % (labels[m[1]][1], m[2]), path)
        spelled += "?" + "&".join(fixed) if fixed else ""
        wanted = "%s %s" % (facts["http"]["method"], facts["http"]["requestUri"])
        if spelled != wanted:
            problems.append("Http is %s, not %s" % (spelled, wanted))
        return labels, problems

    # -- Members

    def members(self, shape):
        return self.shapes[shape].get("members", {}) if shape else {}

    def check_top(self, spec, shape, labels, request, full):
        facts = self.members(shape)
        spec = {name: None for name in spec} if isinstance(spec, list) else spec
        for name in sorted(set(labels) - set(spec)):
            yield "label {%s} is no member of Input" % name
        for name, member in spec.items():
            if (full, name) in BY_HAND:
                if member != {"In": "text"}:
                    yield "%s must be the root element's text" % name
            elif name not in facts:
                yield "no member %s" % name
            else:
                place = self.check_place(name, member, facts[name], labels, self.shapes[shape].get("payload"))
                for problem in list(place) + list(self.check_member(name, member, facts[name], request)):
                    yield "%s: %s" % (name, problem)
        if request and shape:
            for name in self.shapes[shape].get("required", []):
                if name not in spec:
                    yield "required member %s is missing" % name

    def check_place(self, name, spec, fact, labels, payload):
        location = "payload" if name == payload else fact.get("location", "body")
        own = self.word(spec, "In")
        if name in labels:
            place, wire = labels[name]
            if (place, wire) != (location, fact.get("locationName", name)):
                yield "travels in the %s as %s, not in the %s" % (location, fact.get("locationName"), place)
            if own:
                yield "In and a label"
        elif (own or "body") != location:
            yield "travels in the %s, not in the %s" % (location, own or "body")

    def word(self, spec, word):
        """A word of a member, or of the shape that it names."""
        if isinstance(spec, dict) and word in spec:
            return spec[word]
        name = spec if isinstance(spec, str) else spec.get("Type") if isinstance(spec, dict) else None
        named = self.named.get(name) if isinstance(name, str) else None
        return named.get(word) if isinstance(named, dict) else None

    def wire_fact(self, name, fact, request):
        """How the model says that a member is spelled."""
        target = self.shapes[fact["shape"]]
        location = fact.get("locationName")
        if self.protocol == "ec2" and request:
            spelled = fact.get("queryName") or location or name
            return spelled if "queryName" in fact else spelled[0].upper() + spelled[1:]
        if self.protocol == "query" and target["type"] == "list" and self.is_flat(fact):
            return target["member"].get("locationName") or location or name
        return location or name

    def wire_spec(self, name, spec, request):
        """How the file says that it is spelled."""
        spelled = self.word(spec, "Name") or (name[0].lower() + name[1:] if self.camel else name)
        if self.protocol == "ec2" and request:
            spelled = spelled[0].upper() + spelled[1:]
        return spelled

    def is_flat(self, fact):
        return bool(fact.get("flattened") or self.shapes[fact["shape"]].get("flattened"))

    def must_rename(self, shape, above=()):
        """Whether a JSON value has members below it that are spelled differently on the wire."""
        facts = self.shapes[shape]
        if shape in above:
            return False
        if facts["type"] == "structure":
            return any(fact.get("locationName", name) != name or self.must_rename(fact["shape"], above + (shape,))
                       for name, fact in facts["members"].items())
        inner = facts.get("member") or facts.get("value")
        return bool(inner) and self.must_rename(inner["shape"], above + (shape,))

    def check_member(self, name, spec, fact, request):
        location = fact.get("location")
        if location not in ("uri", "querystring"):
            wanted, own = self.wire_fact(name, fact, request), self.wire_spec(name, spec, request)
            same = wanted.lower() == own.lower() if location == "header" else wanted == own
            if not same:
                yield "is %s on the wire, not %s" % (wanted, own)
        yield from self.check_shape(spec, fact, request, (), name)

    # -- Shapes

    def check_shape(self, spec, fact, request, above, where):
        if isinstance(spec, dict):
            for word in sorted(set(spec) - MEMBER_WORDS):
                yield "unknown word %s" % word
        name = spec if isinstance(spec, str) else spec.get("Type") if isinstance(spec, dict) else None
        if isinstance(name, str) and name[0].isupper():
            self.used.add(name)
            if name not in self.named:
                yield "unknown shape %s" % name
            elif (name, fact["shape"]) not in above:
                yield from self.check_shape(self.named[name], fact, request, above + ((name, fact["shape"]),), where)
            return
        kind = self.shapes[fact["shape"]]["type"]
        check = {"structure": self.check_structure, "list": self.check_list, "map": self.check_map}.get(kind)
        if name == "any" or (name is None and self.json and not self.has_parts(spec)):
            if not self.json:
                yield "any is for JSON only"
            elif self.must_rename(fact["shape"]):
                yield "holds members that are spelled differently on the wire"
        elif check:
            yield from check(spec, fact, request, above, where)
        else:
            yield from self.check_scalar(spec, name or "string", fact, kind, request)

    @staticmethod
    def has_parts(spec):
        return isinstance(spec, list) or (isinstance(spec, dict) and bool({"Members", "List", "Map"} & set(spec)))

    def check_scalar(self, spec, name, fact, kind, request):
        shape = self.shapes[fact["shape"]]
        if self.has_parts(spec):
            yield "is a %s" % kind
        elif kind == "timestamp":
            wanted = fact.get("timestampFormat") or shape.get("timestampFormat")
            default = "unixTimestamp" if self.json else "iso8601"
            default = "rfc822" if fact.get("location") == "header" else default
            if TIMES.get(name, default if name == "timestamp" else None) != (wanted or default):
                yield "is a timestamp of the form %s, not %s" % (wanted or default, name)
        elif self.name == "iam" and not request and fact["shape"] == "policyDocumentType":
            if name != "encoded":
                yield "is percent-encoded"
        elif name != SCALARS[kind]:
            yield "is %s, not %s" % (kind, name)

    def check_structure(self, spec, fact, request, above, where):
        members = spec.get("Members") if isinstance(spec, dict) else None
        if members is None:
            yield "is a structure"
            return
        facts = self.members(fact["shape"])
        members = {name: None for name in members} if isinstance(members, list) else members
        for name, member in members.items():
            if name not in facts:
                yield "no member %s" % name
                continue
            if facts[name].get("xmlAttribute") or facts[name].get("location"):
                yield "%s travels in the %s" % (name, facts[name].get("location", "attributes"))
            wanted, own = self.wire_fact(name, facts[name], request), self.wire_spec(name, member, request)
            if wanted != own:
                yield "%s is %s on the wire, not %s" % (name, wanted, own)
            for problem in self.check_shape(member, facts[name], request, above, name):
                yield "%s: %s" % (name, problem)
        for name in self.shapes[fact["shape"]].get("required", []):
            if request and name not in members:
                yield "required member %s is missing" % name
        if self.protocol == "rest-xml" and request:
            order = [name for name in facts if name in members]
            if order != [name for name in members if name in facts]:
                yield "elements must stand in the order %s" % ", ".join(order)

    def check_list(self, spec, fact, request, above, where):
        if not self.has_parts(spec) or (isinstance(spec, dict) and "List" not in spec):
            yield "is a list"
            return
        member = self.shapes[fact["shape"]]["member"]
        spec = {"List": spec[0]} if isinstance(spec, list) else spec
        if self.protocol in ("query", "rest-xml"):
            flat = self.is_flat(fact)
            if spec.get("Flat", False) != flat:
                yield "Flat should be %r" % flat
            # Answers are read whatever the items are called.
            if not flat and (request or self.protocol == "rest-xml"):
                wanted, own = member.get("locationName", "member"), spec.get("Item", "member")
                if wanted != own:
                    yield "items are called %s, not %s" % (wanted, own)
        for problem in self.check_shape(spec["List"], member, request, above, where):
            yield "item: %s" % problem

    def check_map(self, spec, fact, request, above, where):
        if not isinstance(spec, dict) or "Map" not in spec:
            yield "is a map"
            return
        shape = self.shapes[fact["shape"]]
        if not self.json:
            if spec.get("Flat", False) != self.is_flat(fact):
                yield "Flat should be %r" % self.is_flat(fact)
            for word, default in (("Key", "key"), ("Value", "value")):
                wanted = shape[default].get("locationName", default)
                if spec.get(word, default) != wanted:
                    yield "%s should be %s" % (word, wanted)
        for problem in self.check_shape(spec["Map"], shape["value"], request, above, where):
            yield "value: %s" % problem


def load_services(tap):
    loader, services = Loader(), {}
    partitions = loader.load_data("endpoints")["partitions"]
    endpoints = next(p for p in partitions if p["partition"] == "aws")["services"]
    for path in sorted(glob.glob(os.path.join(AWS, "services", "*.json"))):
        name = os.path.basename(path)[:-5]
        try:
            service = Service(path, loader, endpoints)
        except Exception as problem:  # unknown to botocore, or no JSON
            tap.case(name, [str(problem)])
            continue
        services[name] = service
        tap.case("%s: the file" % name, list(service.check_metadata()) + (
            [] if service.name == name else ["Service is %s" % service.name]))
        for operation, spec in service.file.get("Operations", {}).items():
            tap.case("%s:%s" % (name, operation), list(service.check_operation(operation, spec)))
        tap.case("%s: shapes" % name, list(service.check_unused()))
    return services


def check_types(tap, services):
    sys.path.append(os.path.dirname(os.path.realpath(__file__)))
    import handlers

    for path in sorted(glob.glob(os.path.join(AWS, "types", "*.json"))):
        with open(path, encoding="utf-8") as f:
            document = json.load(f)
        checker = handlers.Checker(document, services)
        for name, steps in document.get("Handlers", {}).items():
            tap.case("%s: %s" % (document.get("Type", path), name), checker.handler(steps))


def main():
    tap = Tap()
    print("# botocore %s" % botocore.__version__)
    check_types(tap, load_services(tap))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
