"""Posts security events to the company chat.

Amazon SNS calls handler() with what EventBridge published. The message says which account (by name), which region, who,
what, when, and where to look. What cannot be posted is tried again while there is time; then the function fails, so that
Lambda tries it twice more and puts it into the dead-letter queue. Only the standard library, so nothing has to be packed.

The environment has WEBHOOK_URL, a secret: it is never logged, nor is any error that could hold it.
"""
import contextlib
import http.client
import json
import os
import random
import re
import signal
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

ROSTER = ""  # the text of accounts.json; the stack sets it at the end of this file

TEXT_MAX = 3500  # characters; chats cut or refuse messages from 4,000 on
RAW_MAX = 1200
ATTEMPT_SECONDS = 10
RESERVE_SECONDS = 2  # for the function to fail by itself, before Lambda ends it without a word
BACKOFF_SECONDS = (0.5, 8)

CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
WATCHED = {"muster-cloudtrail-enabled": "CloudTrail", "muster-guardduty-enabled": "GuardDuty"}
SWITCHED_OFF = {
    "StopLogging": "CloudTrail",
    "DeleteTrail": "CloudTrail",
    "DeleteDetector": "GuardDuty",
    "StopConfigurationRecorder": "AWS Config",
    "DeleteConfigurationRecorder": "AWS Config",
    "DeleteDeliveryChannel": "AWS Config",
    "DeletePublishingDestination": "GuardDuty's export",
    "DeleteConfigRule": "a Config rule",
    "DisableRule": "an EventBridge rule",
    "DeleteRule": "an EventBridge rule",
    "RemoveTargets": "an EventBridge rule",
}
CHANGED = {
    "UpdateTrail": "CloudTrail",
    "PutEventSelectors": "CloudTrail",
    "UpdateDetector": "GuardDuty",
    "UpdatePublishingDestination": "GuardDuty's export",
    "CreateFilter": "GuardDuty",
    "UpdateFilter": "GuardDuty",
    "PutConfigurationRecorder": "AWS Config",
    "PutDeliveryChannel": "AWS Config",
    "PutRule": "an EventBridge rule",
    "PutTargets": "an EventBridge rule",
}


class PostFailed(Exception):
    """The chat did not take the message. Says why, without the URL."""


# -- what the events say --


def at(value, *path):
    """The value at a path of keys; None where there is none, whatever stands in the way."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def items(value):
    """A list, as CloudTrail's EC2 events ({"items": [...]}) and everybody else's have it."""
    value = at(value, "items") if isinstance(value, dict) else value
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


_names = {}


def account_name(account):
    """The name on the roster, with the id behind it."""
    if not _names and ROSTER:
        try:
            _names.update({entry["Id"]: entry["Name"] for entry in json.loads(ROSTER)["Accounts"]})
        except (ValueError, KeyError, TypeError):
            _names[""] = ""  # a broken roster must not stop an alarm
    name = _names.get(account)
    return f"{name} ({account})" if name else str(account or "unknown account")


def console(region, path):
    """A link into the AWS console of that region."""
    partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    host = CONSOLES.get(partition, f"{region}.console.aws.amazon.com")
    service, fragment = path.split("#", 1)
    return f"https://{host}/{service}/home?region={region}#{fragment}"


def quoted(text):
    """A text of an event as a part of a link, so that it stays a part of it."""
    return urllib.parse.quote(str(text), safe="")


def moment(text):
    """2024-05-01T12:00:00Z as a person reads it."""
    text = str(text or "at an unknown time")
    return text.replace("T", " ").replace(".000Z", "Z").replace("Z", " UTC")


def caller(identity):
    """Who made an API call, from CloudTrail's userIdentity."""
    kind = at(identity, "type")
    arn = at(identity, "arn") or ""
    if kind == "Root":
        return "the root user"
    if kind == "AssumedRole" and arn.count("/") >= 2:
        role, session = arn.split("/")[-2:]
        return f"{session} (role {role})"
    name = at(identity, "userName") or at(identity, "invokedBy") or arn.rpartition("/")[2]
    return name or at(identity, "principalId") or at(identity, "accountId") or "unknown"


def ports(rule):
    protocol = str(rule.get("ipProtocol", rule.get("IpProtocol", "-1")))
    first, last = rule.get("fromPort", rule.get("FromPort")), rule.get("toPort", rule.get("ToPort"))
    if protocol == "-1":
        return "all traffic"
    if first is None or first == -1:
        return protocol
    return f"{protocol} {first}" if first == last else f"{protocol} {first}-{last}"


def security_group(parameters):
    """The group and the rules that a security group call is about, in a few words."""
    parameters = at(parameters, "ModifySecurityGroupRulesRequest") or parameters
    group = at(parameters, "groupId") or at(parameters, "GroupId") or at(parameters, "groupName") or "a new group"
    rules = []
    for rule in items(at(parameters, "ipPermissions")):
        ends = [i.get("cidrIp") for i in items(rule.get("ipRanges"))]
        ends += [i.get("cidrIpv6") for i in items(rule.get("ipv6Ranges"))]
        ends += [i.get("groupId") or i.get("groupName") for i in items(rule.get("groups"))]
        ends += [i.get("prefixListId") for i in items(rule.get("prefixListIds"))]
        rules.append(f"{ports(rule)} for {', '.join(str(end) for end in ends if end) or 'nobody'}")
    if at(parameters, "cidrIp"):
        rules.append(f"{ports(parameters)} for {parameters['cidrIp']}")
    changed = at(parameters, "SecurityGroupRule")
    for entry in changed if isinstance(changed, list) else [changed]:
        rule = at(entry, "SecurityGroupRule")
        if rule:
            end = rule.get("CidrIpv4") or rule.get("CidrIpv6") or rule.get("ReferencedGroupId") or "nobody"
            rules.append(f"{entry.get('SecurityGroupRuleId', 'a rule')}: {ports(rule)} for {end}")
    ids = at(parameters, "securityGroupRuleIds")
    rules += [i.get("securityGroupRuleId") or str(i) for i in items(ids)]
    return group, "; ".join(rules)


def api_call(event, region):
    detail = event["detail"]
    name, parameters = str(detail.get("eventName")), detail.get("requestParameters")
    source, error = detail.get("sourceIPAddress"), detail.get("errorCode")
    link = console(region, f"cloudtrailv2#/events/{quoted(detail.get('eventID', ''))}")
    if name in SWITCHED_OFF:
        title, what = f"{SWITCHED_OFF[name]} switched off: {name}", recording(parameters)
    elif name in CHANGED:
        title, what = f"{CHANGED[name]} changed: {name}", recording(parameters)
    elif detail.get("eventSource") == "ec2.amazonaws.com" and "SecurityGroup" in name:
        group, rules = security_group(parameters)
        created = at(detail, "responseElements", "groupId")
        title, what = f"Security group changed: {name}", f"{created or group}{': ' if rules else ''}{rules}"
        if str(created or group).startswith("sg-") and name != "DeleteSecurityGroup":
            link = console(region, f"ec2#SecurityGroup:groupId={quoted(created or group)}") + " " + link
    else:
        title, what = f"API call: {name}", recording(parameters)
    if error:
        title += f" (refused: {error})"
    who = caller(detail.get("userIdentity")) + (f" from {source}" if source else "")
    return title, who, what, detail.get("eventTime") or event.get("time"), link


def recording(parameters):
    """What is switched off or changed: the few short texts among the call's parameters."""
    texts = [str(v) for v in parameters.values() if isinstance(v, (str, int))] if isinstance(parameters, dict) else []
    return ", ".join(texts)


def finding(event, region):
    detail = event["detail"]
    severity = detail.get("severity")
    number = severity if isinstance(severity, (int, float)) else 0
    level = "critical" if number >= 9 else "high" if number >= 7 else "medium" if number >= 4 else "low"
    action = at(detail, "service", "action") or {}
    remotes = [
        at(entry, "remoteIpDetails", "ipAddressV4") or at(entry, "remoteIpDetails", "ipAddressV6")
        for entry in [*action.values(), *items(at(action, "portProbeAction", "portProbeDetails"))]
    ]
    who = at(detail, "resource", "accessKeyDetails", "userName") or at(detail, "resource", "instanceDetails", "instanceId")
    who = who or next((b.get("name") for b in items(at(detail, "resource", "s3BucketDetails"))), None)
    remote = next((r for r in remotes if r), None)
    who = f"{who or at(detail, 'resource', 'resourceType') or 'unknown'}{f', with {remote}' if remote else ''}"
    count = at(detail, "service", "count")
    what = f"{detail.get('title') or detail.get('description')}{f' ({count} times)' if (count or 0) > 1 else ''}"
    link = console(region, f"guardduty#/findings?macros=current&fId={quoted(detail.get('id', ''))}")
    when = at(detail, "service", "eventLastSeen") or detail.get("updatedAt") or event.get("time")
    return f"GuardDuty finding, {level} ({severity}): {detail.get('type')}", who, what, when, link


def compliance(event, region):
    detail = event["detail"]
    rule, result = str(detail.get("configRuleName")), detail.get("newEvaluationResult") or {}
    new, old = result.get("complianceType"), at(detail, "oldEvaluationResult", "complianceType")
    watched = WATCHED.get(rule)
    if watched and new == "NON_COMPLIANT":
        title = f"{watched} is off"
    elif watched and new == "COMPLIANT":
        title = f"{watched} is on"
    else:
        title = f"Compliance changed to {new}"
    what = f"{rule}: {old or 'new'} -> {new}"
    if result.get("annotation"):
        what += f" ({result['annotation']})"
    who = f"AWS Config about {detail.get('resourceType')} {detail.get('resourceId')}"
    when = result.get("resultRecordedTime") or detail.get("notificationCreationTime") or event.get("time")
    return title, who, what, when, console(region, f"config#/rules/details?configRuleName={quoted(rule)}")


KINDS = {
    "AWS API Call via CloudTrail": api_call,
    "GuardDuty Finding": finding,
    "Config Rules Compliance Change": compliance,
}

# -- the message --


# Look-alikes, since Slack knows no backslash and the others no entities. An image's ! does nothing without its bracket.
MARKUP = str.maketrans({"[": "\uff3b", "]": "\uff3d", "*": "\u2217", "~": "\u223c", "|": "\u2223"})


def entities(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def literal(text):
    """No text from an event can mention people (<!channel>, @all), go on in a new line, or begin or end a code block."""
    text = re.sub("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]", " ", str(text))
    return entities(text.replace("`", "'").replace("@", "@\u200b"))


def escaped(text):
    """The same outside of code: nor can it make links, pictures or markup, in Slack, Mattermost or Rocket.Chat."""
    text = literal(text).translate(MARKUP).replace("://", ":\u200b//")
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", "\uff3f", text)  # names_like_this are no markup, and stay


def cut(text, limit):
    """At most so long; no half of an entity at the end."""
    return text if len(text) <= limit else re.sub("&[a-z]*$", "", text[: limit - 1]) + "\u2026"


def unknown(raw):
    return f"*Event of a kind that is not known here*\n```{cut(literal(raw), RAW_MAX)}```"


def render(raw):
    """The chat's text for one SNS message."""
    try:
        event = json.loads(raw)
        kind = KINDS[event["detail-type"]]
        region = quoted(event["region"])
        title, who, what, when, link = kind(event, region)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return unknown(raw)  # an alarm that we do not understand is an alarm all the same
    where = f"{cut(escaped(account_name(event.get('account'))), 200)}, {cut(escaped(region), 50)}"
    lines = [f"*{cut(escaped(title), 300)}*", f"Where: {where}", f"Who: {cut(escaped(who), 300)}"]
    if what:
        lines.append(f"What: {cut(escaped(what), 1200)}")
    lines += [f"When: {cut(escaped(moment(when)), 100)}", cut(entities(link), 800)]
    return cut("\n".join(lines), TEXT_MAX)


# -- posting it --


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST becomes a GET, which the chat would answer with 200 and lose."""

    def redirect_request(self, *_):
        return None


@contextlib.contextmanager
def deadline(seconds):
    """TimeoutError after so long in all: a socket's time-out begins again with each byte that comes."""

    def over(*_):
        raise TimeoutError

    if threading.current_thread() is not threading.main_thread():
        yield  # signals are for the main thread only, which is where Lambda calls
        return
    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def attempt(url, body, seconds):
    """Posts once. None when it was taken; else why not, and the seconds to wait: None to give up."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", "User-Agent": "muster-chat"})
    try:
        with deadline(seconds), urllib.request.build_opener(_NoRedirect).open(request, timeout=seconds):
            return None
    except urllib.error.HTTPError as error:
        error.close()
        after = error.headers.get("Retry-After", "0")
        wait = int(after) if after.isascii() and after.isdigit() else 0
        passing = error.code == 429 or error.code >= 500
        return f"the chat answered {error.code}", wait if passing else None
    except (OSError, http.client.HTTPException) as error:  # time-outs, names, connections, half answers
        reason = getattr(error, "reason", error)
        return f"the chat cannot be reached: {type(reason).__name__}", 0


def post(text, seconds):
    """Posts, and again while the time allows. Returns the number of attempts."""
    url = os.environ.get("WEBHOOK_URL", "")
    body = json.dumps({"text": text}).encode()
    end = time.monotonic() + seconds
    count = 0
    if not url.startswith(("https://", "http://")):
        raise PostFailed("WEBHOOK_URL is not set to an URL")
    while True:
        count += 1
        failure = None
        try:
            failed = attempt(url, body, max(0.5, min(ATTEMPT_SECONDS, end - time.monotonic())))
        except Exception as error:  # ValueError and the like quote the URL
            failure = PostFailed(f"the chat's URL cannot be used: {type(error).__name__}")
        if failure:
            raise failure
        if failed is None:
            return count
        why, wait = failed
        if wait is None:
            raise PostFailed(why)
        backoff = min(BACKOFF_SECONDS[1], BACKOFF_SECONDS[0] * 2 ** (count - 1))
        wait = max(wait, random.uniform(backoff / 2, backoff))
        if time.monotonic() + wait >= end:
            raise PostFailed(f"{why}, {count} times")
        time.sleep(wait)


def handler(event, context):
    """Lambda's entry."""
    end = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS
    for record in event["Records"]:
        message = record["Sns"]["Message"]
        count = post(render(message), end - time.monotonic())
        print(json.dumps({"posted": record["Sns"].get("MessageId"), "attempts": count}))
