"""What the CI steps need of GitHub and GitLab, for tests: comments, issues, statuses, artifacts, identity tokens.

ci_forge.py DIRECTORY: prints its URL. What the test decides lies in DIRECTORY and is read at each request: `subject`,
`pulls.json`, `artifacts/`; what was asked and made is there for the test to see: `requests`, `comments.json`, ...
"""
import base64
import json
import os
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

HOME = sys.argv[1]
TOKENS = {"ghs_token-of-the-job": ("github-actions[bot]", 1), "glpat-token-of-the-project": ("muster-bot", 1)}
LOCK = threading.Lock()


def path(name):
    return os.path.join(HOME, name)


def load(name):
    try:
        with open(path(name), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return []


def save(name, value):
    with open(path(name) + ".new", "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(path(name) + ".new", path(name))


def token(issuer, audience):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    with open(path("subject"), encoding="utf-8") as file:
        subject = file.read().strip()
    claims = {"iss": issuer, "sub": subject, "aud": audience, "exp": int(time.time()) + 300}
    return ".".join([part({"alg": "RS256"}), part(claims), "c2lnbmF0dXJl"])


def artifacts():
    """Each is a file artifacts/NAME@RUN.zip; the older, the smaller its number."""
    names = sorted(os.listdir(path("artifacts")), key=lambda name: os.stat(path("artifacts/" + name)).st_mtime_ns)
    return [{"id": number + 1, "name": name.split("@")[0], "run": int(name.split("@")[1].split(".")[0]), "file": name,
             "expired": False, "created_at": f"2026-01-01T00:00:{number:02}Z"} for number, name in enumerate(names)]


class Blob(BaseHTTPRequestHandler):
    """Another host, which artifacts are redirected to. It must not see the token."""

    def do_GET(self):
        found = [a for a in artifacts() if str(a["id"]) == self.path.rsplit("/", 1)[1]]
        if self.headers.get("Authorization") or not found:
            self.send_error(400)
            return
        self.send_response(200)
        self.end_headers()
        with open(path("artifacts/" + found[0]["file"]), "rb") as file:
            self.wfile.write(file.read())

    def log_message(self, *args):
        pass


class Forge(BaseHTTPRequestHandler):
    def answer(self, value, status=200, headers=()):
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in headers:
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def page(self, items):
        size, number = int(self.query.get("per_page", ["30"])[0]), int(self.query.get("page", ["1"])[0])
        self.answer(items[(number - 1) * size:number * size])

    def handle_all(self):
        url = urlsplit(self.path)
        self.query = parse_qs(url.query)
        size = int(self.headers.get("Content-Length") or 0)
        self.body = json.loads(self.rfile.read(size)) if size else {}
        authorization = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        with LOCK:
            with open(path("requests"), "a", encoding="utf-8") as file:
                file.write(f"{self.command} {url.path}\n")
            if url.path == "/token":
                if authorization != "request-token":
                    return self.answer({"message": "Unauthorized"}, 401)
                return self.answer({"value": token("https://token.actions.githubusercontent.com", self.query["audience"][0])})
            if url.path == "/_gitlab-token":
                return self.answer({"value": token("https://gitlab.com", "sts.amazonaws.com")})
            if url.path == "/_comment":
                return self.comment_add(self.body)
            if authorization not in TOKENS:
                return self.answer({"message": "Bad credentials"}, 401)
            self.user = TOKENS[authorization]
            for method, pattern, handler in ROUTES:
                match = re.fullmatch(pattern, url.path)
                if method == self.command and match:
                    return getattr(self, handler)(*match.groups())
            return self.answer({"message": "Not Found"}, 404)

    do_GET = do_POST = do_PATCH = do_PUT = handle_all

    # Comments: GitHub's and GitLab's members side by side.
    def comment_add(self, said):
        comments = load("comments.json")
        user, number = said.get("user", "kato"), 1000 + len(comments)
        comment = {"id": number, "number": int(said["number"]), "body": said["body"], "edits": 0, "system": False,
                   "user": {"login": user}, "author": {"id": said.get("user_id", 2)},
                   "author_association": said.get("association", "MEMBER")}
        save("comments.json", comments + [comment])
        self.answer(comment, 201)

    def comments_get(self, number):
        self.page([c for c in load("comments.json") if c["number"] == int(number)])

    def comment_post(self, number):
        if len(self.body["body"].encode()) > 65536:
            return self.answer({"message": "body is too long (maximum is 65536 characters)"}, 422)
        self.comment_add({"number": number, "body": self.body["body"], "user": self.user[0], "user_id": self.user[1],
                          "association": "NONE"})

    def comment_change(self, *where):
        comments = load("comments.json")
        for comment in comments:
            if comment["id"] == int(where[-1]):
                comment["body"] = self.body["body"]
                comment["edits"] += 1
                save("comments.json", comments)
                return self.answer(comment)
        return self.answer({"message": "Not Found"}, 404)

    # Issues
    def issues_get(self):
        state = "opened" if self.path.startswith("/api/v4") else "open"
        self.page([i for i in load("issues.json") if i["state"] == "open" and self.query["state"] == [state]
                   and self.query["labels"] == ["muster-drift"]])

    def issue_post(self):
        issues = load("issues.json")
        issue = dict(self.body, number=len(issues) + 1, iid=len(issues) + 1, state="open", edits=0,
                     user={"login": self.user[0]}, author={"id": self.user[1]})
        save("issues.json", issues + [issue])
        self.answer(issue, 201)

    def issue_change(self, number):
        issues = load("issues.json")
        issue = issues[int(number) - 1]
        issue.update(self.body, edits=issue["edits"] + 1)
        if issue.pop("state_event", None) == "close":
            issue["state"] = "closed"
        save("issues.json", issues)
        self.answer(issue)

    # Pull requests, commits, statuses
    def pull_get(self, number):
        self.answer([p for p in load("pulls.json") if p["number"] == int(number)][0])

    def commit_pulls(self, sha):
        self.page([p for p in load("pulls.json") if p["merge_commit_sha"] == sha])

    def status_post(self, sha):
        save("statuses.json", load("statuses.json") + [dict(self.body, sha=sha)])
        self.answer({}, 201)

    # Artifacts
    def artifacts_named(self):
        found = [a for a in artifacts() if a["name"] == self.query["name"][0]]
        self.answer({"total_count": len(found), "artifacts": found})

    def artifact_zip(self, number):
        self.answer({}, 302, [("Location", f"http://127.0.0.1:{BLOB.server_port}/blob/{number}")])

    def runs_get(self):
        runs = [r for p in load("pulls.json") if p["head"]["sha"] == self.query["head_sha"][0] for r in p["runs"]]
        self.answer({"workflow_runs": [{"id": run} for run in runs]})

    def run_artifacts(self, run):
        self.answer({"artifacts": [a for a in artifacts() if a["run"] == int(run)]})

    # GitLab's own
    def user_get(self):
        self.answer({"id": self.user[1]})

    def request_pipelines(self, number):
        pulls = [p for p in load("pulls.json") if p["number"] == int(number)]
        self.answer([{"id": run} for pull in pulls for run in pull["runs"]])

    def pipeline_jobs(self, pipeline):
        self.answer([{"id": a["id"], "name": "muster:plan", "artifacts_file": {}} for a in artifacts()
                     if a["run"] == int(pipeline)])

    def job_artifact(self, job):
        import io
        import zipfile
        found = [a for a in artifacts() if a["id"] == int(job)][0]
        with zipfile.ZipFile(path("artifacts/" + found["file"])) as archive:
            plan = io.BytesIO(archive.read("plan.json")).getvalue()
        self.send_response(200)
        self.send_header("Content-Length", str(len(plan)))
        self.end_headers()
        self.wfile.write(plan)

    def log_message(self, *args):
        pass


HUB, LAB = "/repos/example/fleet/", "/api/v4/projects/7/"
ROUTES = [
    ("GET", HUB + r"issues/(\d+)/comments", "comments_get"), ("POST", HUB + r"issues/(\d+)/comments", "comment_post"),
    ("PATCH", HUB + r"issues/comments/(\d+)", "comment_change"), ("GET", HUB + "issues", "issues_get"),
    ("POST", HUB + "issues", "issue_post"), ("PATCH", HUB + r"issues/(\d+)", "issue_change"),
    ("GET", HUB + r"pulls/(\d+)", "pull_get"), ("GET", HUB + r"commits/(\w+)/pulls", "commit_pulls"),
    ("POST", HUB + r"statuses/(\w+)", "status_post"), ("GET", HUB + "actions/artifacts", "artifacts_named"),
    ("GET", HUB + r"actions/artifacts/(\d+)/zip", "artifact_zip"), ("GET", HUB + "actions/runs", "runs_get"),
    ("GET", HUB + r"actions/runs/(\d+)/artifacts", "run_artifacts"),
    ("GET", "/api/v4/user", "user_get"), ("GET", LAB + r"merge_requests/(\d+)/notes", "comments_get"),
    ("POST", LAB + r"merge_requests/(\d+)/notes", "comment_post"),
    ("PUT", LAB + r"merge_requests/(\d+)/notes/(\d+)", "comment_change"), ("GET", LAB + "issues", "issues_get"),
    ("POST", LAB + "issues", "issue_post"), ("PUT", LAB + r"issues/(\d+)", "issue_change"),
    ("GET", LAB + r"repository/commits/(\w+)/merge_requests", "commit_pulls"),
    ("POST", LAB + r"statuses/(\w+)", "status_post"), ("GET", LAB + r"merge_requests/(\d+)/pipelines", "request_pipelines"),
    ("GET", LAB + r"pipelines/(\d+)/jobs", "pipeline_jobs"),
    ("GET", LAB + r"jobs/(\d+)/artifacts/muster-out/plan.json", "job_artifact"),
]

os.makedirs(path("artifacts"), exist_ok=True)
BLOB = ThreadingHTTPServer(("127.0.0.1", 0), Blob)
threading.Thread(target=BLOB.serve_forever, daemon=True).start()
SERVER = ThreadingHTTPServer(("127.0.0.1", 0), Forge)
print(f"http://127.0.0.1:{SERVER.server_port}", flush=True)
SERVER.serve_forever()
