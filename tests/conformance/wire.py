#!/usr/bin/env python3
"""Sends random inputs and answers through muster's wire protocols and through botocore's, and compares.

Requests: botocore serializes the same input. Answers: moto writes them from a random output, botocore reads them.
Neither was written by us. Needs the filter that is built from wire.c (first argument); seed: MUSTER_SEED. Prints TAP."""

import base64
import datetime
import json
import os
import random
import subprocess
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path = [p for p in sys.path if os.path.realpath(p or ".") != HERE]
try:
    import botocore.parsers
    import botocore.serialize
    from botocore.loaders import Loader
    from botocore.model import ServiceModel
except ImportError:
    print("1..0 # SKIP botocore is not installed")
    sys.exit(0)
try:
    from moto.core import model as moto_model
    from moto.core import serialize as moto
except ImportError:
    moto = None
if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
    print("1..0 # SKIP usage: wire.py PROGRAM, built from tests/conformance/wire.c")
    sys.exit(0)

SERVICES = os.path.join(HERE, "..", "..", "providers", "aws", "services")
ROUNDS = int(os.environ.get("MUSTER_ROUNDS", "20"))
SEED = int(os.environ.get("MUSTER_SEED", str(random.randrange(1 << 32))))
# Where botocore is another client on purpose: it asks sqs for error codes of the query protocol, muster does not.
NOT_OURS = {"content-type", "x-amzn-query-mode"}
TEXTS = ["x", "", " a b ", "arn:aws:iam::111111111111:role/a/b", "é😀", "<&>\"'", "0123", "true", "a+b=c&d%20", "{\"a\": [1]}",
         "line\nline", "*~-_."]


class Values:
    """A random value that fits both the service file and the model: `ours` as muster has it, `theirs` as botocore."""

    def __init__(self, file, dice, full):
        self.named, self.dice, self.full = file.get("Shapes", {}), dice, full

    def members(self, spec, shape, required=()):
        names = {name: None for name in spec} if isinstance(spec, list) else spec
        ours, theirs = {}, {}
        for name, member in names.items():
            if name in shape.members and (self.full or name in required or self.dice.random() < 0.6):
                ours[name], theirs[name] = self.value(member, shape.members[name], 0)
        return ours, theirs

    def value(self, spec, shape, depth):
        while isinstance(spec, str) and spec[:1].isupper():
            spec = self.named[spec]
        if isinstance(spec, dict) and isinstance(spec.get("Type"), str) and spec["Type"][:1].isupper():
            return self.value(spec["Type"], shape, depth)
        kind = shape.type_name
        if kind == "structure":
            return self.structure(spec, shape, depth)
        if kind == "list":
            inner = spec[0] if isinstance(spec, list) else spec["List"] if isinstance(spec, dict) else spec
            pairs = [self.value(inner, shape.member, depth + 1) for _ in range(self.count(depth))]
            return [p[0] for p in pairs], [p[1] for p in pairs]
        if kind == "map":
            inner = spec["Map"] if isinstance(spec, dict) and "Map" in spec else spec
            keys = self.dice.sample(["k", "Key b", "é", "x&y"], self.count(depth))
            pairs = {key: self.value(inner, shape.value, depth + 1) for key in keys}
            return {k: p[0] for k, p in pairs.items()}, {k: p[1] for k, p in pairs.items()}
        return self.scalar(kind, spec)

    def count(self, depth):
        return 0 if depth > 6 else self.dice.randrange(4)

    def structure(self, spec, shape, depth):
        members = spec.get("Members") if isinstance(spec, dict) else None
        if members is None:  # passed as it is: any member will do
            members = {name: "any" for name in shape.members}
        names = {name: None for name in members} if isinstance(members, list) else members
        ours, theirs = {}, {}
        if shape.is_tagged_union:
            name = self.dice.choice(sorted(names))
            ours[name], theirs[name] = self.value(names[name], shape.members[name], depth + 1)
            return ours, theirs
        for name, member in names.items():
            if depth < 5 and self.dice.random() < 0.7:
                ours[name], theirs[name] = self.value(member, shape.members[name], depth + 1)
        return ours, theirs

    def scalar(self, kind, spec):
        if kind == "boolean":
            value = self.dice.random() < 0.5
        elif kind in ("integer", "long"):
            value = self.dice.choice([0, -1, 7, 2147483647])
        elif kind in ("float", "double"):
            value = self.dice.choice([0.5, -2.25, 99.5])
        elif kind == "blob":
            data = self.dice.choice([b"bytes", b"\x00\xff", b""])
            return base64.b64encode(data).decode(), data
        elif kind == "timestamp":
            when = datetime.datetime.fromtimestamp(self.dice.randrange(2_000_000_000), datetime.timezone.utc)
            text = when.strftime("%Y-%m-%dT%H:%M:%SZ")
            return int(when.timestamp()) if spec == "any" else text, when
        else:
            value = self.dice.choice(TEXTS)
        return value, value


class Filter:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        encoding="utf-8")

    def ask(self, **question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def pairs(query):
    return sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))


def same_body(protocol, ours, theirs):
    theirs = theirs.decode() if isinstance(theirs, bytes) else theirs or ""
    if isinstance(theirs, dict):
        return pairs(ours) == sorted((k, str(v)) for k, v in theirs.items()), theirs
    if protocol.endswith("json") and ours and theirs:
        return json.loads(ours) == json.loads(theirs), theirs
    if protocol == "rest-xml" and " xmlns=" in theirs:
        return ElementTree.canonicalize(ours) == ElementTree.canonicalize(theirs), theirs
    return ours == theirs, theirs


def compare_request(protocol, ours, theirs):
    if "Error" in ours:
        return "refused: " + ours["Error"]
    path, _, query = theirs["url_path"].partition("?")
    more = theirs.get("query_string") or {}
    more = [(k, i) for k, v in more.items() for i in (v if isinstance(v, list) else [v])]
    wanted = sorted(pairs(query) + [(k, i.decode() if isinstance(i, bytes) else str(i)) for k, i in more])
    same, body = same_body(protocol, ours["Body"], theirs.get("body"))
    headers = {k.lower(): v for k, v in ours["Headers"].items()}
    if (ours["Method"], ours["Path"]) != (theirs["method"], path):
        return "%s %s, botocore: %s %s" % (ours["Method"], ours["Path"], theirs["method"], path)
    if pairs(ours["Query"]) != wanted:
        return "query %s, botocore: %s" % (pairs(ours["Query"]), wanted)
    if not same:
        return "body %s, botocore: %s" % (ours["Body"], body)
    for name, value in theirs["headers"].items():
        if name.lower() not in NOT_OURS and headers.get(name.lower()) != str(value):
            return "header %s: %s, botocore: %s" % (name, headers.get(name.lower()), value)
    return None


def plain(value, shape, iam):
    """What botocore read, as muster has it."""
    if shape.type_name == "structure":
        return {k: plain(v, shape.members[k], iam) for k, v in value.items() if k in shape.members}
    if shape.type_name == "list":
        return [plain(v, shape.member, iam) for v in value]
    if shape.type_name == "map":
        return {k: plain(v, shape.value, iam) for k, v in value.items()}
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if iam and shape.name == "policyDocumentType":
        return urllib.parse.unquote(value)
    return value


def times(value):
    """Times in whole seconds: moto writes fractions, and numbers in JSON."""
    if isinstance(value, dict):
        return {k: times(v) for k, v in value.items()}
    if isinstance(value, list):
        return [times(v) for v in value]
    if isinstance(value, str) and len(value) > 19 and value[10:11] == "T" and value.endswith("Z"):
        return value[:19] + "Z"
    return value


class Check:
    def __init__(self, name, program, loader, dice):
        with open(os.path.join(SERVICES, name + ".json"), encoding="utf-8") as f:
            self.file = json.load(f)
        self.name, self.filter, self.dice = name, program, dice
        self.protocol = self.file["Protocol"]
        self.facts = loader.load_service_model(name, "service-2")
        self.model = ServiceModel(self.facts, name)
        self.serializer = botocore.serialize.create_serializer(self.protocol, include_validation=False)
        self.parser = botocore.parsers.create_parser(self.protocol)

    def request(self, operation, spec, full):
        model = self.model.operation_model(operation)
        ours, theirs = {}, {}
        if model.input_shape:
            required = set(model.input_shape.required_members)
            ours, theirs = Values(self.file, self.dice, full).members(spec.get("Input", {}), model.input_shape, required)
            for member, shape in model.input_shape.members.items():
                if shape.serialization.get("location") == "uri":
                    ours[member] = theirs[member] = ours.get(member) or "label/a b"
                elif shape.serialization.get("location") == "header" and "\n" in str(ours.get(member, "")):
                    ours[member] = theirs[member] = "header"
        wanted = self.serializer.serialize_to_request(theirs, model)
        got = self.filter.ask(Encode="%s:%s" % (self.name, operation), Input=ours)
        problem = compare_request(self.protocol, got, wanted)
        return problem and "%s, for %s" % (problem, json.dumps(ours))

    def writer(self, operation):
        model = moto_model.ServiceModel(self.facts, self.name).operation_model(operation)
        kind = {"query": moto.QuerySerializer, "ec2": moto.EC2Serializer, "rest-xml": moto.RestXMLSerializer,
                "rest-json": moto.RestJSONSerializer, "json": moto.JSONSerializer}[self.protocol]
        return kind(operation_model=model, context=moto.SerializationContext("request"))

    def answer(self, operation, spec, full):
        model = self.model.operation_model(operation)
        if "Output" not in spec or not model.output_shape or operation == "GetBucketLocation":
            return None
        _, output = Values(self.file, self.dice, full).members(spec["Output"], model.output_shape)
        for member, shape in model.output_shape.members.items():
            if shape.serialization.get("location") == "header" and member in output:
                output[member] = "header"
        sent = self.writer(operation).serialize(output)
        body = sent["body"].decode() if isinstance(sent["body"], bytes) else sent["body"] or ""
        headers = "".join("%s: %s\r\n" % item for item in sent["headers"].items())
        read = self.parser.parse({"status_code": 200, "headers": sent["headers"], "body": body.encode()},
                                 model.output_shape)
        read.pop("ResponseMetadata", None)
        wanted = plain(read, model.output_shape, self.name == "iam")
        got = self.filter.ask(Decode="%s:%s" % (self.name, operation), Status=200, Headers=headers, Body=body)
        if "Output" in got and times(got["Output"]) == wanted:
            return None
        return "%s, botocore: %s, for %s" % (json.dumps(got), json.dumps(wanted), body)


def main():
    dice, loader, program, number, failed = random.Random(SEED), Loader(), Filter(sys.argv[1]), 0, 0
    print("# seed %d" % SEED)
    for name in sorted(f[:-5] for f in os.listdir(SERVICES) if f.endswith(".json")):
        check = Check(name, program, loader, dice)
        for operation, spec in check.file["Operations"].items():
            rounds = range(ROUNDS)
            problems = [check.request(operation, spec, i == 0) for i in rounds]
            if moto:
                problems += [check.answer(operation, spec, i == 0) for i in rounds]
            problems = [p for p in problems if p]
            number += 1
            failed += bool(problems)
            print("%s %d - %s:%s" % ("not ok" if problems else "ok", number, name, operation))
            for problem in problems[:3]:
                print("#   " + problem.replace("\n", "\\n"))
    print("1..%d" % number)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
