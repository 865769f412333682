#!/usr/bin/env python3
"""The page of a plan, in a browser that clicks and types: the matrix, filters, search, keys, colours; that it logs no
error and asks the network for nothing. TAP. The program is that of $MUSTER_BUILD (default: build); with
MUSTER_SCREENSHOTS=DIR it leaves pictures there."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import webdriver  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("MUSTER_BUILD", "build")
ACCOUNTS = ["security", "network"] + [f"app-{n}" for n in range(3, 13)]
REGIONS = ["us-east-1", "ap-northeast-1", "ap-south-1", "ca-central-1", "eu-central-1", "eu-west-1", "eu-west-2", "us-west-2"]

count = failed = 0


def ok(good, name, *notes):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)
    if not good:
        for note in notes:
            print("# " + str(note).replace("\n", "\n# "))


def same(got, wanted, name):
    ok(got == wanted, name, f"got:    {got!r}", f"wanted: {wanted!r}")


def specs(directory):
    """A fleet whose first plan creates everything; the second deletes, replaces, updates and creates."""
    directory.mkdir()
    (directory / "stacks").mkdir()
    (directory / "muster.json").write_text(json.dumps({
        "Version": 1, "HomeRegion": "us-east-1", "Lineage": "01BROWSER0000000000000000",
        "Access": {"Chain": ["arn:aws:iam::111111111111:role/security-admin"],
                   "Role": "arn:aws:iam::${AccountId}:role/from-security"}}))
    roster = [{"Name": name, "Id": f"{111111111111 if i == 0 else 300000000000 + i}",
               **({"Access": {"Role": None}, "Tags": ["security"]} if i == 0 else {})} for i, name in enumerate(ACCOUNTS)]
    (directory / "accounts.json").write_text(json.dumps({"Accounts": roster}))


def stack(directory, name, accounts, regions, resources):
    (directory / "stacks" / f"{name}.json").write_text(json.dumps({
        "Targets": {"Accounts": accounts, "Regions": regions}, "Resources": resources}))


def topic(display, **more):
    return {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": display, **more}}


class Fleet:
    def __init__(self, work):
        self.specs = work / "specs"
        self.work = work
        self.environment = {**os.environ, "NO_COLOR": "1", "AWS_EC2_METADATA_DISABLED": "true",
                            "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
                            "AWS_ACCESS_KEY_ID": "AKIASANDBOX", "AWS_SECRET_ACCESS_KEY": "sandbox-secret",
                            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "test",
                            "GIT_AUTHOR_EMAIL": "test@example.com", "GIT_COMMITTER_NAME": "test",
                            "GIT_COMMITTER_EMAIL": "test@example.com"}
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "MUSTER_TYPES_PATH"):
            self.environment.pop(name, None)
        specs(self.specs)
        (work / "sandbox.json").write_text(json.dumps({"Regions": {"Enabled": REGIONS}}))
        self.sandbox = subprocess.Popen(
            [BUILD / "muster-sandbox", "--port", "0", "--roster", self.specs / "accounts.json", "--config",
             work / "sandbox.json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.environment["AWS_ENDPOINT_URL"] = self.sandbox.stdout.readline().strip()

    def muster(self, *words):
        done = subprocess.run([BUILD / "muster", "-C", self.specs, *words], env=self.environment, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"muster {' '.join(words)}: {done.stderr}")
        return done.stdout

    def git(self, *words):
        subprocess.run(["git", "-C", self.specs, *words], env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def commit(self):
        if not (self.specs / ".git").exists():
            self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "test")

    def page(self):
        """Applies a first state of the specs, then plans another."""
        many = {f"Bridge{region.replace('-', '')}": topic(f"to {region}") for region in REGIONS[:5]}
        stack(self.specs, "alerts", ["*"], ["*"], {"Topic": topic("before"), **many})
        stack(self.specs, "old", ["app-7"], ["*"], {"Topic": topic("</script><b>gone</b>")})
        stack(self.specs, "names", ["app-*"], ["eu-west-1"], {"Topic": topic("x", TopicName="first")})
        self.commit()
        self.muster("apply", "--auto-approve")
        stack(self.specs, "alerts", ["*"], ["*"], {"Topic": topic("after"), **many, "New": topic("<img src=x onerror=alert(1)>")})
        (self.specs / "stacks/old.json").unlink()
        stack(self.specs, "names", ["app-*"], ["eu-west-1"], {"Topic": topic("x", TopicName="second")})
        self.commit()
        self.muster("plan", "--out", str(self.work / "plan.json"))
        page = self.work / "plan.html"
        page.write_text(self.muster("show", "--format", "html", str(self.work / "plan.json")))
        return page

    def stop(self):
        self.sandbox.terminate()
        self.sandbox.wait()


SHOWN = "return [...document.querySelectorAll('.entry')].filter(e => !e.hidden).map(e => e.querySelector('.title').textContent)"
ACTIVE = "return document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
STATUS = "return document.getElementById('status').textContent"


def colour(browser, name):
    return browser.run("return getComputedStyle(document.body)[arguments[0]]", name)


def picture(browser, name):
    directory = os.environ.get("MUSTER_SCREENSHOTS")
    if directory:
        browser.screenshot(os.path.join(directory, name + ".png"))


def cell(account, region):
    """By their place on the page: regions stand in alphabetical order after the home region."""
    return f'[data-row="{ACCOUNTS.index(account) + 1}"][data-column="{REGIONS.index(region) + 1}"]'


def clicks(browser):
    same(browser.run("return document.querySelectorAll('#matrix [role=gridcell]').length"),
         len(ACCOUNTS) * len(REGIONS), "a cell for each target")
    same(browser.run("return document.querySelector(arguments[0]).getAttribute('aria-label')", cell("app-7", "eu-west-1")),
         "app-7, eu-west-1: 4 changes, most severe: delete", "... that says what is there, and the most severe first")
    same(browser.run("return document.querySelector(arguments[0]).textContent", cell("app-3", "eu-west-1")), "±",
         "... by a sign, not by colour alone")
    everything = browser.run(SHOWN)
    same(everything, ["old/Topic", "names/Topic", "alerts/Topic", "alerts/New"], "every entry, destructive ones first")
    browser.click(cell("app-7", "us-east-1"))
    same(browser.run(SHOWN), ["old/Topic", "alerts/Topic", "alerts/New"], "a click on a cell shows what is in it")
    ok("app-7/us-east-1" in browser.run(STATUS), "... and says so", browser.run(STATUS))
    same(browser.run("return document.querySelector(arguments[0]).getAttribute('aria-selected')",
                     cell("app-7", "us-east-1")), "true", "... on the cell, too")
    picture(browser, "chosen")
    browser.click(cell("app-7", "us-east-1"))
    same(browser.run(SHOWN), everything, "a second click takes it back")
    browser.click('[data-row="2"][data-column="0"]')
    same(browser.run(SHOWN), ["alerts/Topic", "alerts/New"], "a click on an account shows what is in it")
    browser.click(f'[data-row="0"][data-column="{REGIONS.index("eu-west-1") + 1}"]')
    same(browser.run(SHOWN), everything, "a click on a region shows what is in it")
    browser.click("#clear")
    browser.click('[data-action="update"]')
    same(browser.run(SHOWN), ["alerts/Topic"], "a click on an action shows what is done so")
    same(browser.run("return document.querySelector(arguments[0]).textContent", cell("app-7", "eu-west-1")), "~",
         "... in the matrix, too")
    browser.click('[data-action="delete"]')
    same(browser.run(SHOWN), ["old/Topic", "alerts/Topic"], "two actions show both")
    browser.click("#close")
    same(browser.run("return document.querySelectorAll('.entry[open]:not([hidden])').length"), 0, "all can be closed")
    browser.click("#open")
    browser.click(".entry:not([hidden]) .targets summary")
    ok("app-7: " in browser.until("return document.querySelector('.entry:not([hidden]) .targets ul')?.textContent"),
       "an entry lists its targets")
    browser.click("#clear")
    same(browser.run(SHOWN), everything, "one click clears it all")


def keys(browser):
    everything = browser.run(SHOWN)
    same(browser.run("return document.activeElement.id"), "search", "what vanishes leaves the focus in a place of use")
    browser.run("document.activeElement.blur()")
    browser.press("/")
    same(browser.run("return document.activeElement.id"), "search", "/ goes to the search")
    browser.press(*"second")
    same(browser.run(SHOWN), ["names/Topic"], "words find what is different")
    browser.press("Escape")
    same(browser.run(SHOWN), everything, "Escape clears")
    browser.press(*"app-7")
    same(browser.run(SHOWN), everything, "an account's name finds what is in it")
    browser.press("Escape", *"nothing like this")
    same(browser.run(SHOWN), [], "nothing is found")
    ok(not browser.run("return document.querySelector('.empty').hidden"), "... and that is said")
    browser.press("Escape")
    browser.click('[data-row="1"][data-column="1"]')
    browser.press("Escape")
    same(browser.run("return document.querySelectorAll('#matrix [tabindex=\"0\"]').length"), 1,
         "one cell of the matrix is in the order of tabs")
    browser.press("ArrowDown", "ArrowRight", "ArrowRight")
    ok(browser.run(ACTIVE).startswith("network, ap-south-1"), "arrows move", browser.run(ACTIVE))
    same(browser.run("return getComputedStyle(document.activeElement).outlineStyle"), "solid", "the focus can be seen")
    browser.press("Enter")
    ok("network/ap-south-1" in browser.run(STATUS), "Enter chooses", browser.run(STATUS))
    browser.press("Home")
    same(browser.run(ACTIVE), "network", "Home goes to the account's name")
    browser.press("Escape", "ArrowUp", "ArrowUp")
    ok("us-east-1" in browser.run(ACTIVE), "the regions' names are above", browser.run(ACTIVE))
    browser.press("Tab")
    ok(browser.run("return document.getElementById('matrix').contains(document.activeElement)") is False,
       "Tab leaves the matrix")


def looks(browser):
    light = colour(browser, "backgroundColor"), colour(browser, "color")
    browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    dark = colour(browser, "backgroundColor"), colour(browser, "color")
    same((light[0], dark[0]), ("rgb(246, 247, 249)", "rgb(15, 20, 27)"), "dark where the reader's system is dark")
    ok(light[1] != dark[1], "... with other ink", light, dark)
    picture(browser, "dark")
    browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
    same(colour(browser, "backgroundColor"), light[0], "light where it is light")
    browser.click("#theme")
    same(colour(browser, "backgroundColor"), dark[0], "a button makes it dark all the same")
    browser.click("#theme")
    browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    same(colour(browser, "backgroundColor"), light[0], "... or light")
    browser.click("#theme")
    for scheme in ("light", "dark"):
        browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        low = browser.run(CONTRAST)
        ok(low == [], f"every text stands out from its ground, {scheme}", low)


# WCAG 2.2, 1.4.3: at least 4.5 to 1.
CONTRAST = """
const channel = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
const parse = s => s.match(/[0-9.]+/g).map(Number);
const ground = e => { for (; e; e = e.parentElement) {
  const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
const low = [];
for (const e of document.querySelectorAll('body *')) {
  if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || e.closest('script,noscript,.hidden,.skip')) continue;
  if (e.getClientRects().length === 0) continue;
  const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 4.5) low.push(e.className + ' ' + e.textContent.slice(0, 30));
}
return low;"""


def harmless(browser):
    same(browser.run("return document.querySelectorAll('img, .lines b, .lines script').length"), 0,
         "values are text, never elements")
    ok(any("<img src=x onerror=alert(1)>" in text for text in
           browser.run("return [...document.querySelectorAll('.ln')].map(e => e.textContent)")), "... and are shown as they are")
    errors = [entry for entry in browser.log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    same(errors, [], "no error on the console")
    asked = [json.loads(entry["message"])["message"] for entry in browser.log("performance")]
    urls = {message["params"]["request"]["url"].split("/plan.html")[0] for message in asked
            if message["method"] == "Network.requestWillBeSent"}
    ok(all(url.startswith("file://") for url in urls), "the network was asked for nothing", urls)
    browser.run("fetch('http://127.0.0.1:9/').catch(() => 0); new Image().src = 'http://127.0.0.1:9/x.png'")
    refused = [entry["message"] for entry in browser.log("browser") if "Content Security Policy" in entry["message"]]
    ok(len(refused) >= 2, "the page's policy keeps it from asking", refused)


def main():
    lacking = webdriver.missing()
    if lacking:
        print(f"1..0 # SKIP {lacking} is not installed")
        return 0
    with tempfile.TemporaryDirectory(prefix="muster-browser.") as directory:
        fleet = Fleet(pathlib.Path(directory))
        browser = None
        try:
            page = fleet.page()
            browser = webdriver.Browser()
            browser.open(page.as_uri())
            picture(browser, "light")
            for part in (clicks, keys, looks, harmless):
                part(browser)
        except Exception:  # noqa: BLE001 - a test that dies has failed
            ok(False, "the test got to its end", traceback.format_exc())
        finally:
            if browser:
                browser.close()
            fleet.stop()
    print(f"1..{count}")
    return 1 if failed else 0


sys.exit(main())
