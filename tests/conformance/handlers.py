"""The handlers of providers/aws/types/*.json against botocore's models; part of botocore.py.

Follows each value from where it comes (a property's schema, an answer's shape) to where it goes (an input member, a
property): names that the service does not have, objects where it takes text, error codes that it never sends, answers
that the service file would drop. What the words of docs/types.md make of a value is followed as far as it is plain."""

import fnmatch
import re

# Sent by every service, or not in the models though documented. Written as the protocols give them.
COMMON = {
    "AccessDenied", "AccessDeniedException", "AuthFailure", "UnauthorizedOperation", "OptInRequired", "Throttling",
    "ThrottlingException", "ValidationError", "ValidationException", "ServiceUnavailable", "InternalFailure",
    "InternalError",
}
# EC2's and S3's models name next to no errors: these are from "Error codes for the Amazon EC2 API" and the "List of
# error codes" of the Amazon S3 API Reference.
DOCUMENTED = {
    "ec2": {
        "DependencyViolation", "InvalidGroup.Duplicate", "InvalidGroup.InUse", "InvalidGroup.NotFound",
        "InvalidGroupId.Malformed", "InvalidParameterValue", "InvalidPermission.Duplicate", "InvalidPermission.NotFound",
        "InvalidPermission.Malformed", "InvalidSecurityGroupRuleId.NotFound", "InvalidVpcID.NotFound",
        "InvalidSubnetID.NotFound", "InvalidID", "SecurityGroupLimitExceeded", "RulesPerSecurityGroupLimitExceeded",
    },
    "s3": {
        "BucketAlreadyExists", "BucketAlreadyOwnedByYou", "BucketNotEmpty", "InvalidBucketState", "MalformedPolicy",
        "MethodNotAllowed", "NoSuchBucket", "NoSuchBucketPolicy", "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration", "NoSuchTagSet", "ObjectLockConfigurationNotFoundError",
        "OperationAborted", "OwnershipControlsNotFoundError", "ServerSideEncryptionConfigurationNotFoundError",
        "InvalidTargetBucketForLogging", "InvalidRequest", "InvalidArgument", "NotFound", "Forbidden", "BadRequest",
        "PermanentRedirect",
    },
    # Not in the model of CreateFunction and its like; "Lambda execution role": a role just made.
    "lambda": {"InvalidParameterValueException"},
}
STEP_ERRORS = ("NotFound", "Ignore", "RetryOn")
TEXT, UNKNOWN = ("text",), None
KINDS = {
    "String": {"string", "character", "timestamp", "blob"}, "Integer": {"integer", "long", "float", "double"},
    "Number": {"integer", "long", "float", "double"}, "Boolean": {"boolean"}, "Object": {"structure"}, "List": {"list"},
    "Map": {"map"},
}


class Checker:
    """One type file. Values are ("shape", service, name, spec), ("schema", node), ("list", value), ("object", {}),
    ("literal", value), ("one", [values]) where it may be any of some, ("merged", [values]), TEXT or UNKNOWN."""

    def __init__(self, document, services):
        self.document, self.services = document, services
        properties = {"Type": "Object", "Properties": document.get("Properties", {})}
        self.names = {"Properties": ("schema", properties), "Prior": ("schema", properties),
                      "Attributes": ("object", {name: TEXT for name in document.get("Attributes", {})})}
        self.problems = []

    def problem(self, text, *values):
        text = "%s: %s" % (self.call or "-", text % values if values else text)
        if text not in self.problems:
            self.problems.append(text)

    # -- Steps

    def handler(self, steps):
        self.problems, self.call, self.variables = [], None, {}
        self.steps(steps)
        return self.problems

    def steps(self, steps):
        for step in steps:
            if isinstance(step, list):
                self.steps(step)
            else:
                self.step(step)

    def step(self, step):
        self.call, self.scope = step.get("Call"), dict(self.names, **self.variables)
        each = self.value(step["ForEach"]) if "ForEach" in step else UNKNOWN
        if "ForEach" in step:
            item = self.element(each)
            self.scope[step.get("As", "Item")] = ("list", item) if "Batch" in step else item
        if self.call:
            self.check_call(step)
        for word in ("When", "Absent", "Fail", "Until"):
            if word in step:
                self.value(step[word])
        for name, expression in (step.get("Properties") or {}).items():
            self.output(name, expression)
        for expression in (step.get("Attributes") or {}).values():
            self.value(expression)
        for name, expression in (step.get("Set") or {}).items():
            value = self.value(expression)
            self.variables[name] = ("list", value) if "ForEach" in step else value
        self.call = None

    def check_call(self, step):
        service = self.services.get(step.get("Service", self.document.get("Service")))
        if service is None:
            return self.problem("no service file %s", step.get("Service", self.document.get("Service")))
        operation, facts = service.file["Operations"].get(self.call), service.operations.get(self.call)
        if operation is None or facts is None:
            return self.problem("%s has no such operation", service.name)
        self.call = "%s:%s" % (service.name, self.call)
        self.check_input(step.get("Input", {}), service, operation, facts)
        for word in STEP_ERRORS:
            for entry in step.get(word, []):
                self.check_code(word, entry["Code"] if isinstance(entry, dict) else entry, service, facts)
        for code in step.get("Postpone", {}).get("Codes", []):
            self.check_code("Postpone", code["Code"] if isinstance(code, dict) else code, service, facts)
        if "Forget" in step and step["Forget"] not in service.operations:
            self.problem("Forget: no operation %s", step["Forget"])
        output = facts.get("output", {}).get("shape")
        spec = {"Members": operation["Output"]} if "Output" in operation else None if service.json else {"Members": {}}
        self.scope["Response"] = ("shape", service, output, spec) if output else ("object", {})
        self.check_pages(step.get("Paginate"), service, facts)

    def check_pages(self, pages, service, facts):
        if pages is None:
            return
        asked, given = (pages["In"], pages["Out"]) if isinstance(pages, dict) else (pages, pages)
        if asked not in service.members(facts.get("input", {}).get("shape")):
            self.problem("Paginate: no input member %s", asked)
        self.walk(self.scope["Response"], given, "Paginate: " + given)

    def check_code(self, word, code, service, facts):
        # Absence is concluded from the operation's own codes. To try again on another's is harmless, and IAM needs it.
        errors = [error["shape"] for error in facts.get("errors", [])]
        if word == "RetryOn":
            errors = [name for name, shape in service.shapes.items() if shape.get("exception")]
        codes = set(COMMON) | DOCUMENTED.get(service.name, set())
        for error in errors:
            own = service.shapes[error].get("error", {}).get("code")
            codes.add(error if service.json else own or error)
        if not fnmatch.filter(codes, code):
            names = ", ".join(sorted(codes - COMMON)) if len(codes) < 40 else "others"
            self.problem("%s: the operation never answers %s (but %s)", word, code, names)

    def check_input(self, template, service, operation, facts):
        shape = facts.get("input", {}).get("shape")
        members = operation.get("Input", [])
        if not isinstance(template, dict) or any(key.startswith("$") for key in template):
            self.fit(self.value(template), service, shape, "Input")
            return
        for name, expression in template.items():
            if name not in members:
                self.problem("the service file has no input member %s", name)
            if shape is None or name not in service.members(shape):
                self.problem("no input member %s", name)
            else:
                self.fit(self.value(expression), service, service.members(shape)[name]["shape"], name)
        for name in service.shapes[shape].get("required", []) if shape else []:
            if name not in template:
                self.problem("required input member %s is missing", name)

    def output(self, name, expression):
        if name.startswith("$"):
            return self.value({name: expression})
        node = self.document.get("Properties", {}).get(name)
        if node is None:
            return self.problem("Properties: no property %s", name)
        return self.become(self.value(expression), node, name)

    # -- Values

    def value(self, expression):
        if isinstance(expression, str):
            return self.text(expression)
        if isinstance(expression, list):
            values = [self.value(item) for item in expression]
            return ("list", values[0] if values else UNKNOWN)
        if isinstance(expression, dict):
            word = next((key for key in expression if key.startswith("$")), None)
            if word and len(expression) == 1:
                return self.word(word, expression[word])
            return ("object", {name: self.value(item) for name, item in expression.items()})
        return UNKNOWN if expression is None else ("literal", expression)

    def text(self, text):
        found = re.findall(r"\$\{([^}|]+)[^}]*\}", text)
        values = [self.reference(path) for path in found]
        if not found:
            return ("literal", text)
        return values[0] if re.fullmatch(r"\$\{[^}]*\}", text) else TEXT

    def reference(self, path):
        root = re.match(r"AWS::\w+|[^.\[]+", path)[0]
        if root.startswith("AWS::") or root in ("Token", "Address"):
            return TEXT
        if root not in self.scope:
            return UNKNOWN
        if root == "Attributes":  # names of attributes may hold dots
            return TEXT
        return self.walk(self.scope[root], path[len(root):], path)

    def walk(self, value, rest, path):
        for name, index in re.findall(r"\.?([^.\[\]]+)|\[(-?\d+)\]", rest):
            value = self.member(value, name, path) if name else self.element(value)
        return value

    def member(self, value, name, path):
        if value is not UNKNOWN and value[0] in ("one", "merged"):
            return ("one", [self.member(part, name, path) for part in value[1]])
        if value is UNKNOWN or value[0] in ("text", "literal", "list"):
            return UNKNOWN
        if value[0] == "object":
            return value[1].get(name)
        if value[0] == "schema":
            node = value[1]
            if node.get("Type") == "Map":
                return ("schema", node["Item"])
            if node.get("Type") == "Object" and name not in node.get("Properties", {}):
                self.problem("%s: no property %s", path, name)
            inner = node.get("Properties", {}).get(name)
            return ("schema", inner) if inner else UNKNOWN
        return self.shape_member(value, name, path)

    def shape_member(self, value, name, path):
        _, service, shape, spec = value
        facts = service.shapes[shape]
        spec = self.resolve(service, spec)
        if facts["type"] == "map":
            return ("shape", service, facts["value"]["shape"], spec.get("Map") if isinstance(spec, dict) else None)
        if facts["type"] != "structure":
            self.problem("%s: %s is a %s, without members", path, shape, facts["type"])
            return UNKNOWN
        if name not in facts["members"]:
            self.problem("%s: the answer has no %s", path, name)
            return UNKNOWN
        members = spec.get("Members") if isinstance(spec, dict) else None
        if members is not None and name not in members:
            self.problem("%s: the service file drops %s", path, name)
        inner = members.get(name) if isinstance(members, dict) else None
        return ("shape", service, facts["members"][name]["shape"], inner)

    @staticmethod
    def resolve(service, spec):
        while isinstance(spec, str) and spec[:1].isupper():
            spec = service.named.get(spec)
        if isinstance(spec, dict) and isinstance(spec.get("Type"), str) and spec["Type"][:1].isupper():
            return Checker.resolve(service, spec["Type"])
        return spec

    def element(self, value):
        if value is UNKNOWN:
            return UNKNOWN
        if value[0] == "list":
            return value[1]
        if value[0] == "one":
            return ("one", [self.element(part) for part in value[1]])
        if value[0] == "schema" and value[1].get("Type") == "List":
            return ("schema", value[1]["Item"])
        if value[0] == "shape" and value[1].shapes[value[2]]["type"] == "list":
            spec = self.resolve(value[1], value[3])
            spec = spec[0] if isinstance(spec, list) else spec.get("List") if isinstance(spec, dict) else None
            return ("shape", value[1], value[1].shapes[value[2]]["member"]["shape"], spec)
        return UNKNOWN

    # -- Words

    def word(self, word, argument):
        over = word in ("$Map", "$Filter", "$Pick") and isinstance(argument, list) and len(argument) == 2
        if over:
            return self.over(word, argument)
        if word == "$Changed":
            return ("literal", True)
        if word == "$OrClear":
            node = self.document.get("Properties", {}).get(argument[0])
            return ("schema", node) if node else self.problem("$OrClear: no property %s", argument[0])
        plain = [self.value(item) for item in argument] if isinstance(argument, list) else [self.value(argument)]
        if word == "$Json":
            return TEXT
        if word in ("$First", "$If", "$Concat"):
            return ("one", plain[1:] if word == "$If" else plain)
        if word == "$Merge":
            return ("merged", plain)
        if word in ("$Minus", "$Spelled", "$Only"):
            return plain[0]
        if word == "$Equals":
            self.equals(*plain)
        if word in ("$Camel", "$Pascal"):
            return self.respell(plain[0], str.lower if word == "$Camel" else str.upper, 0)
        if word in ("$Not", "$And", "$Or", "$Equals", "$Matches", "$Has", "$Exists"):
            return ("literal", True)
        return UNKNOWN

    def equals(self, one, other):
        for shape, literal in ((one, other), (other, one)):
            if shape and literal and shape[0] == "shape" and literal[0] == "literal" and shape[2]:
                facts = shape[1].shapes[shape[2]]
                if "enum" in facts and literal[1] not in facts["enum"]:
                    self.problem("$Equals: one of %s, never %r", ", ".join(facts["enum"]), literal[1])

    def over(self, word, argument):
        many, outer = self.value(argument[0]), self.scope.get("Item")
        self.scope["Item"] = self.element(many)
        one = self.value(argument[1])
        self.scope["Item"] = outer
        return ("list", one) if word == "$Map" else many if word == "$Filter" else self.element(many)

    def respell(self, value, case, depth):
        """Members with another first letter, as a schema."""
        if value is not UNKNOWN and value[0] == "shape":
            value = ("schema", self.as_schema(value[1], value[2], 0))
        if value is UNKNOWN or value[0] != "schema":
            return UNKNOWN
        node = dict(value[1])
        if "Properties" in node:
            node["Properties"] = {case(name[0]) + name[1:]: self.respell(("schema", inner), case, depth + 1)[1]
                                  for name, inner in node["Properties"].items()}
        if "Item" in node:
            node["Item"] = self.respell(("schema", node["Item"]), case, depth + 1)[1]
        return ("schema", node)

    def as_schema(self, service, shape, depth):
        facts = service.shapes[shape]
        if depth > 8:
            return {"Type": "Json"}
        if facts["type"] == "structure":
            return {"Type": "Object", "Properties": {name: self.as_schema(service, m["shape"], depth + 1)
                                                     for name, m in facts["members"].items()}}
        if facts["type"] in ("list", "map"):
            inner = facts.get("member") or facts["value"]
            return {"Type": facts["type"].capitalize(), "Item": self.as_schema(service, inner["shape"], depth + 1)}
        kind = next(name for name, kinds in KINDS.items() if facts["type"] in kinds)
        return dict({"Type": kind}, **({"Enum": facts["enum"]} if "enum" in facts else {}))

    # -- Does it fit?

    @staticmethod
    def parts(value):
        """Each part, and the names that later parts of a merge lie over."""
        for i, part in enumerate(value[1]):
            later = value[1][i + 1:] if value[0] == "merged" else []
            yield part, {name for over in later if over and over[0] == "object" for name in over[1]}

    @staticmethod
    def without(value, hidden):
        if value and value[0] == "object":
            return ("object", {name: inner for name, inner in value[1].items() if name not in hidden})
        if value and value[0] == "schema" and "Properties" in value[1] and hidden:
            kept = {name: inner for name, inner in value[1]["Properties"].items() if name not in hidden}
            return ("schema", dict(value[1], Properties=kept))
        return value

    def fit(self, value, service, shape, where, whole=True):
        """A value that goes to the service."""
        if value is UNKNOWN or shape is None:
            return
        if value[0] in ("one", "merged"):
            for part, hidden in self.parts(value):
                self.fit(self.without(part, hidden), service, shape, where, whole and value[0] == "one")
            return
        facts, kind = service.shapes[shape], service.shapes[shape]["type"]
        if value[0] == "schema":
            self.same(value[1], service, shape, where, set())
        elif value[0] == "text" and kind not in KINDS["String"]:
            self.problem("%s takes a %s, not text", where, kind)
        elif value[0] == "literal":
            self.fit_literal(value[1], facts, where)
        elif value[0] == "list":
            if kind != "list":
                self.problem("%s takes a %s, not a list", where, kind)
            else:
                self.fit(value[1], service, facts["member"]["shape"], where + "[]")
        elif value[0] == "object" and kind == "structure":
            for name, inner in value[1].items():
                if name not in facts["members"]:
                    self.problem("%s has no member %s", where, name)
                else:
                    self.fit(inner, service, facts["members"][name]["shape"], "%s.%s" % (where, name))
            for name in facts.get("required", []) if whole else []:
                if name not in value[1]:
                    self.problem("%s: required member %s is missing", where, name)
        elif value[0] == "object" and kind != "map":
            self.problem("%s takes a %s, not an object", where, kind)
        elif value[0] == "shape" and value[1].shapes[value[2]]["type"] != kind:
            self.problem("%s takes a %s, not a %s", where, kind, value[1].shapes[value[2]]["type"])

    def fit_literal(self, value, facts, where):
        own = "Boolean" if isinstance(value, bool) else "String" if isinstance(value, str) else "Number"
        if facts["type"] not in KINDS[own]:
            self.problem("%s takes a %s, not %r", where, facts["type"], value)
        elif own == "String" and "enum" in facts and value not in facts["enum"]:
            self.problem("%s takes one of %s, not %r", where, ", ".join(facts["enum"]), value)

    def become(self, value, node, where):
        """A value that becomes a property."""
        if value is not UNKNOWN and value[0] in ("one", "merged"):
            for part, hidden in self.parts(value):
                self.become(part, self.without(("schema", node), hidden)[1], where)
        elif value is not UNKNOWN and value[0] == "shape":
            self.same(node, value[1], value[2], where, set())
        elif value is not UNKNOWN and value[0] == "list" and node.get("Type") == "List":
            self.become(value[1], node["Item"], where + "[]")
        elif value is not UNKNOWN and value[0] == "object" and node.get("Type") == "Object":
            for name, inner in value[1].items():
                if name not in node.get("Properties", {}):
                    self.problem("%s: no property %s", where, name)
                else:
                    self.become(inner, node["Properties"][name], "%s.%s" % (where, name))
        elif value is not UNKNOWN and value[0] == "schema":
            self.covers(value[1], node, where)

    def covers(self, given, node, where):
        for name, inner in node.get("Properties", {}).items() if given.get("Type") == "Object" else []:
            if name not in given["Properties"]:
                self.problem("%s.%s is never given", where, name)
            else:
                self.covers(given["Properties"][name], inner, "%s.%s" % (where, name))
        if "Item" in given and "Item" in node:
            self.covers(given["Item"], node["Item"], where + "[]")

    def same(self, node, service, shape, where, above):
        """A property that is passed as it is to or from a shape."""
        facts, kind = service.shapes[shape], node.get("Type")
        if kind == "Json":
            if facts["type"] == "string" and where in self.document.get("Properties", {}):
                return
            if facts["type"] == "string":
                self.problem("%s takes text: $Json", where)
            return
        if facts["type"] not in KINDS.get(kind, ()):
            self.problem("%s: %s is no %s", where, kind, facts["type"])
        elif kind == "Object" and (where, shape) not in above:
            for name, inner in node.get("Properties", {}).items():
                if name not in facts["members"]:
                    self.problem("%s: %s has no member %s", where, shape, name)
                else:
                    self.same(inner, service, facts["members"][name]["shape"], "%s.%s" % (where, name),
                              above | {(where, shape)})
        elif kind in ("List", "Map"):
            inner = facts.get("member") or facts["value"]
            self.same(node["Item"], service, inner["shape"], where + "[]", above)
        elif "Enum" in node and "enum" in facts:
            for value in sorted(set(node["Enum"]) - set(facts["enum"])):
                self.problem("%s: the service does not know %r", where, value)
