#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Write the pages that are made from other files of the project.

usage: docs/generate.py OUT      called by scripts/docs, which has put the hand-written pages into OUT

patches/     a page a topic with its cover letter, a page a patch: changelog, diff, what it proves, last CI run
cocci/       a page with the semantic patches, each with its own comment and what it does to its test
generated/   the pictures of the calls, the table of operations, what was measured
upstream/    pages that go upstream
"""

import difflib
import email
import email.policy
import functools
import html
import json
import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
SERIES = TOP / "series"
LINUX = TOP / "build" / "linux"
TIP = os.environ.get("TIP", "queue")  # another branch of build/linux, to look at a draft
REPORT = TOP / "build" / "report"
NOTHING = r"\-"
VERDICTS = {"0": "proved", "1": "**fell**", "77": "nothing to check", "": "not run"}
UPSTREAM = {
    "userfaultfd-mm": "Documentation/mm/userfaultfd.rst",
}
MEASURED = {
    "bench.svg": (("scripts/bench-plot", "series/bench.json"), "bench.json"),
    "bench.txt": (("scripts/bench", "--show"), "bench.json"),
    "bench-ci.txt": (("scripts/bench-ci", "--show"), "bench-ci.json"),
    "coverage.txt": (("scripts/coverage", "--figures"), "coverage.json"),
}
OLDER = "Measured on an older queue.\n"
PICTURES = {
    "copy": ["userfaultfd_copy"],
    "missing": ["do_anonymous_page", "shmem_get_folio_gfp", "hugetlb_no_page"],
}


def git(*args):
    """What git prints about build/linux, or None."""
    done = subprocess.run(["git", "-C", str(LINUX), *args], capture_output=True, check=False)
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None


def escape(text):
    """Text as reStructuredText that means itself."""
    return re.sub(r"([\\*`|_<>\[\]])", r"\\\1", text)


def heading(text, line="="):
    """A title in reStructuredText."""
    title = escape(text)
    return f"{title}\n{line * len(title)}\n\n"


def write(path, text):
    """Write a file, and the folders that lead to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


class Patch:
    """One patch file, with the row that the last CI run has for it."""

    def __init__(self, topic, path):
        self.topic = topic
        self.path = path
        self.number = path.name.split("-")[0]
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        text = path.read_bytes().decode(errors="replace")
        body = text.split("\n\n", 1)[1]
        subject = " ".join(str(message["Subject"]).split())
        self.subject = re.sub(r"^\[[^]]*\] *", "", subject)
        self.changelog, _, rest = ("\n" + body).partition("\n---\n")
        stat, _, diff = rest.partition("\ndiff --git ")
        self.stat = stat.strip("\n")
        self.diff = "diff --git " + diff if diff else ""

    def page(self):
        """The name of its page."""
        return f"{self.topic}/{self.number}"

    def run(self):
        """The folder of ci/verify's report about it: rows are found by topic and subject."""
        for row in sorted(REPORT.glob("run/*/subject")):
            if row.read_text().strip() == self.subject and (row.parent / "topic").read_text().strip() == self.topic:
                return row.parent
        return None

    def proves(self):
        """What series/TOPIC/proves says about it: test patch, fix, program, case and, optional, configuration."""
        path = SERIES / self.topic / "proves"
        rows = (line.split("\t") for line in (path.read_text().splitlines() if path.exists() else []) if line[:1] != "#")
        for test, fix, program, case, *config in (row for row in rows if len(row) >= 4):
            where = f" (configuration {escape(config[0])})" if config and config[0] else ""
            if test == self.path.name:
                yield (f"``{case}`` of ``{program}`` fails without :doc:`{fix[:4]} <{fix[:4]}>` "
                       f"and passes with it{where}")
            elif fix == self.path.name:
                yield f"``{case}`` of ``{program}``, which :doc:`{test[:4]} <{test[:4]}>` adds, passes from here{where}"


@functools.cache
def queue_id():
    """The id of the patches that these pages show."""
    return subprocess.run([str(TOP / "scripts" / "queue-id")], capture_output=True, check=True).stdout.decode().strip()


def of_this_queue(path=REPORT / "results.json"):
    """Whether a result, by default that of the last CI run, is of the patches that these pages show."""
    try:
        result = json.loads(path.read_text())
    except (OSError, ValueError):
        return False
    runs = result.get("runs", {"": result}).values()
    return any(run.get("queue") == queue_id() for run in runs)


def read(path):
    """The text of a small file, or nothing."""
    return path.read_text(errors="replace").strip() if path.exists() else ""


def ci_row(patch):
    """The last CI run of one patch as a table."""
    run = patch.run()
    if run is None:
        return "There is no CI run of this patch on the machine that built this page.\n\n"
    out = "" if of_this_queue() else "This run was of an older queue.\n\n"
    out += ".. list-table::\n   :header-rows: 1\n   :class: run\n\n   * - check\n     - verdict\n     - what it says\n     - time\n"
    for check in sorted(path for path in run.iterdir() if path.is_dir()):
        verdict = VERDICTS.get(read(check / "rc"), "could not be judged")
        spent = int(read(check / "ms") or 0) / 1000
        kept = ", kept" if (check / "kept").exists() else ""
        says = escape(read(check / "summary")) or NOTHING
        out += (f"   * - {check.name}\n     - {verdict}\n     - {says}\n"
                f"     - {spent:.1f} s{kept}\n")
    return out + "\n"


def patch_page(out, patch):
    """A page about one patch."""
    base = out / "patches" / patch.page()
    write(base.with_suffix(".changelog"), patch.changelog.strip("\n") + "\n")
    write(base.with_suffix(".diff"), f"{patch.stat}\n\n{patch.diff}")
    text = heading(patch.subject)
    text += f"Patch {int(patch.number)} of the topic :doc:`{patch.topic} <index>`"
    text += f", in ``{patch.path.relative_to(TOP)}``.\n\n"
    text += f".. literalinclude:: {patch.number}.changelog\n   :language: none\n   :class: changelog\n\n"
    proves = list(patch.proves())
    if proves:
        text += heading("What it proves", "-") + "".join(f"- {line}\n" for line in proves) + "\n"
    elif re.search(r"no functional change", patch.changelog, flags=re.I):
        text += heading("What it proves", "-") + "No behaviour changes: no test that passed before stops passing.\n\n"
    text += heading("The last CI run", "-") + ci_row(patch)
    text += heading("The diff", "-")
    text += f".. literalinclude:: {patch.number}.diff\n   :language: diff\n"
    write(base.with_suffix(".rst"), text)


def topics():
    """Names of the topics in order, and of those that wait."""
    path = SERIES / "topics"
    lines = path.read_text().splitlines() if path.exists() else []
    named = [line for line in lines if line and not line.startswith("#")]
    # A topic that is prepared but not in the queue has its page, too: other pages lead there.
    return named, sorted(path.parent.name for path in SERIES.glob("*/b4.json") if path.parent.name not in named)


def topic_page(out, topic):
    """A page about one topic; returns its patches."""
    patches = [Patch(topic, path) for path in sorted((SERIES / topic).glob("[0-9]*.patch"))]
    folder = out / "patches" / topic
    cover = read(SERIES / topic / "cover.txt")
    title, _, body = cover.partition("\n")
    text = heading(f"{topic}: {title}" if title else topic)
    if body.strip():
        write(folder / "cover.letter", body.strip("\n") + "\n")
        text += ".. literalinclude:: cover.letter\n   :language: none\n   :class: changelog\n\n"
    else:
        text += "This topic has no cover letter yet.\n\n"
    if patches:
        text += ".. toctree::\n   :maxdepth: 1\n   :caption: Patches\n\n"
        text += "".join(f"   {patch.number}\n" for patch in patches)
    else:
        text += "This topic has no patches yet.\n"
    write(folder / "index.rst", text)
    for patch in patches:
        patch_page(out, patch)
    return patches


def all_patches(out):
    """The index of the queue, and everything under it."""
    named, waiting = topics()
    queue = {topic: topic_page(out, topic) for topic in named + waiting}
    count = sum(len(queue[topic]) for topic in named)
    text = heading("The queue")
    text += (f"{count} patches in {len(named)} topics, in the order in which they apply.  "
             "Each has its changelog, its diff and its row of the last CI run.\n\n")
    for topic, patches in queue.items():
        text += f".. rubric:: {topic}" + (", which waits: not in the queue yet" if topic in waiting else "") + f"\n\nThe cover letter: :doc:`{topic}/index`.\n\n"
        text += "".join(f"#. :doc:`{escape(patch.subject)} <{patch.page()}>`\n" for patch in patches) + "\n"
    text += ".. toctree::\n   :hidden:\n\n" + "".join(f"   {topic}/index\n" for topic in queue)
    write(out / "patches" / "index.rst", text)


def report_page(out):
    """The CI report: its matrix, and a link to the report itself, which is copied beside the pages."""
    rows = sorted((row.parent for row in REPORT.glob("run/*/subject")), key=lambda row: int(row.name))
    text = heading("The CI report")
    if not rows:
        write(out / "report.rst", text + "``make ci`` has not run on the machine that built these pages.\n")
        return
    checks = []
    for row in rows:
        checks += [path.name for path in sorted(row.iterdir()) if path.is_dir() and path.name not in checks]
    order = [path.name.split("-", 1)[1] for path in sorted((TOP / "ci" / "checks").glob("[0-9]*"))]
    checks.sort(key=lambda name: order.index(name) if name in order else len(order))
    text += "What the last ``make ci`` on the machine that built these pages found; see :doc:`ci-fails`.\n\n"
    if not of_this_queue():
        text += "This run was of an older queue.\n\n"
    if (REPORT / "index.html").exists():
        text += "The whole report, with every log: `report/index.html <report/index.html>`__.\n\n"
    text += ".. list-table::\n   :header-rows: 1\n   :class: run matrix\n\n   * - patch\n"
    text += "".join(f"     - {check}\n" for check in checks)
    pages = {(patch.topic, patch.subject): patch for topic in sum(topics(), [])
             for patch in (Patch(topic, path) for path in sorted((SERIES / topic).glob("[0-9]*.patch")))}
    short = {"0": "ok", "1": "**fell**", "77": NOTHING, "": NOTHING}
    for row in rows:
        subject, topic = read(row / "subject"), read(row / "topic")
        patch = pages.get((topic, subject))
        name = f":doc:`{escape(subject)} <patches/{patch.page()}>`" if patch else escape(subject)
        text += f"   * - {row.name}. {name}\n"
        text += "".join(f"     - {short.get(read(row / check / 'rc'), '?')}\n" for check in checks)
    write(out / "report.rst", text)


def reports_page(out):
    """What was found and is reported, not patched."""
    text = heading("Reports")
    text += "Found on the way, with a reproducer each; told to the maintainers rather than patched.\n\n"
    for path in sorted((SERIES / "reports").glob("*.txt")):
        write(out / "reports" / path.name, path.read_text())
        text += heading(path.stem, "-") + f".. literalinclude:: reports/{path.name}\n   :language: none\n   :class: changelog\n\n"
    write(out / "reports.rst", text)


def cocci_comment(text):
    """The words that a semantic patch says about itself."""
    return "\n".join(line[3:].strip() for line in text.splitlines() if line.startswith("///")).strip()


def cocci_explained():
    """What cocci/README.md says of each rule, which it begins with the rule's name in bold, as reStructuredText."""
    parts = re.split(r"^\*\*(\w+)\.?\*\*", read(TOP / "cocci" / "README.md"), flags=re.M)
    said = {}
    for rule, text in zip(parts[1::2], parts[2::2]):
        paragraphs = re.split(r"\n\n+", re.split(r"^## ", text, flags=re.M)[0].strip("\n"))
        for number, paragraph in enumerate(paragraphs):
            if paragraph.startswith("    "):
                paragraphs[number] = "::\n\n" + paragraph
            else:
                words = re.split(r"`([^`]*)`", paragraph.lstrip(" .,"))
                paragraphs[number] = "".join(f"``{word}``" if odd % 2 else escape(word) for odd, word in enumerate(words))
        said[rule] = "\n\n".join(paragraphs) + "\n\n"
    return said


def cocci_page(out):
    """The semantic patches, each with what it does to its tests."""
    text = heading("Semantic patches")
    text += ("These files under ``cocci/`` move code from the open hook to the closed set, or report what must not come "
             "back.  Each is tested on the code that is shown with it: for one that changes code, the difference that "
             "it makes.\n\n")
    said = cocci_explained()
    for path in sorted((TOP / "cocci").glob("*.cocci")):
        rule = path.read_text()
        text += heading(path.name, "-") + escape(cocci_comment(rule)) + "\n\n" + said.get(path.stem, "")
        folder = out / "cocci-files"
        write(folder / path.name, rule)
        text += f".. literalinclude:: cocci-files/{path.name}\n   :language: none\n   :class: folded\n\n"
        for test in sorted((TOP / "cocci" / "tests").glob(f"{path.stem}*.c")):
            text += cocci_test(folder, test)
    write(out / "cocci.rst", text)


def cocci_test(folder, test):
    """One test of a semantic patch: before and after, or the code that is reported."""
    result = test.with_suffix(".res")
    before = test.read_text()
    if not result.exists() or result.read_text() == before:
        write(folder / test.name, before)
        text = f"Tested on ``{test.name}``:\n\n.. literalinclude:: cocci-files/{test.name}\n   :language: c\n\n"
        printed = test.with_suffix(".stdout")
        if read(printed):
            text += "It prints::\n\n" + "".join(f"   {line}\n" for line in read(printed).splitlines()) + "\n"
        return text
    lines = difflib.unified_diff(before.splitlines(), result.read_text().splitlines(), "before", "after", lineterm="", n=6)
    write(folder / f"{test.stem}.diff", "\n".join(lines) + "\n")
    return (f"Before and after, ``{test.name}``:\n\n"
            f".. literalinclude:: cocci-files/{test.stem}.diff\n   :language: diff\n\n")


def picture(name, commit, roots):
    """A call graph as SVG to be put into a page, where the page's style sheet colours it."""
    dot = subprocess.run([sys.executable, str(TOP / "docs" / "callgraph.py"), str(LINUX), commit, *roots],
                         capture_output=True, check=False)
    if dot.returncode:
        return f"<p>Not drawn: {html.escape(dot.stderr.decode().strip())}</p>\n"
    svg = subprocess.run(["dot", "-Tsvg"], input=dot.stdout, capture_output=True, check=True).stdout.decode()
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r'(id|xlink:title)="', rf'\1="{name}-', svg)
    svg = re.sub(r' (fill|stroke)="(black|none|#000000|transparent)"', "", svg)
    return f'<figure class="calls" tabindex="0">{svg}</figure>\n'


def pictures(out):
    """Each picture on the base and on the last patch."""
    for state, commit in (("before", "base"), ("after", TIP)):
        for name, roots in PICTURES.items():
            if git("rev-parse", "--verify", "--quiet", commit) is None:
                svg = f"<p>Not drawn: build/linux has no branch {commit} where this page was built.</p>\n"
            else:
                svg = picture(f"{name}-{state}", commit, roots)
            write(out / "generated" / f"{name}-{state}.svg", svg)


def table(out):
    """The table of operations that the selftests are made of."""
    target = out / "generated" / "uffd-table.txt"
    program = TOP / "build" / "selftests" / "uffd-table"
    if program.exists():
        made = subprocess.run([str(program), "--rst"], capture_output=True, check=True).stdout.decode()
        write(target, made)
    else:
        write(target, "The selftests were not built where this page was built (``make -C selftests``).\n")


def upstream(out):
    """Pages that the queue adds to the kernel, taken from its last commit."""
    adding = "build/linux has no such section where this page was built."
    for name, path in UPSTREAM.items():
        text = git("show", f"{TIP}:{path}")
        if text is None:
            text = f"{name}\n{'=' * len(name)}\n\nbuild/linux has no ``{path}`` where this page was built.\n"
        else:
            section = re.search(r"^Adding a memory type\n=+\n(.*?)(?=^[^\n]+\n===|\Z)", text, flags=re.M | re.S)
            adding = section.group(1).strip() if section else adding
        write(out / "upstream" / f"{name}.rst", f".. Taken from {path} of the queue's last commit.\n\n{text}")
    write(out / "generated" / "adding.txt", adding + "\n")


def measured(out):
    """What the kept results of the benches and of coverage say, as their own commands print it."""
    for name, (command, result) in MEASURED.items():
        done = subprocess.run([str(TOP / command[0]), *command[1:]], cwd=TOP, capture_output=True, check=False)
        text = done.stdout.decode() or f"Nothing to show: {done.stderr.decode().strip()}\n"
        if done.stdout and not of_this_queue(SERIES / result):
            text = (f"<p>{OLDER}</p>" if name.endswith(".svg") else OLDER) + text
        write(out / "generated" / name, text)
    floor, tree = read(SERIES / "floor.txt"), git("rev-parse", "topic/types^{tree}")
    write(out / "generated" / "floor.txt", floor if tree and tree.strip() in floor else OLDER + floor)


# Where a line of a patch counts for the comparison of the guest_memfd topic, first match first.
PLACES = (("virt/kvm/", "KVM"), ("arch/x86/kvm/", "KVM"), ("mm/", "mm"), ("include/uapi/", "the ABI's header"),
          ("include/", "other headers"), ("tools/testing/", "tests"), ("Documentation/", "documentation"))


def place_of(path):
    """The row of the table that a file belongs to."""
    return next((name for start, name in PLACES if path.startswith(start)), "elsewhere")


def differences(out):
    """A table of what ci/diff finds between kernels, as ci/differences judges it."""
    lines = (TOP / "ci" / "differences").read_text().splitlines()
    text = ".. list-table::\n   :header-rows: 1\n\n   * - from\n     - to\n     - judged\n     - why\n"
    for _, *row in (line.split("\t") for line in lines if line and not line.startswith("#")):
        if row[0] == "base":
            continue
        cells = (escape(cell.replace("\\.", ".").replace("|", ", ")) for cell in row)
        text += "   * - " + "\n     - ".join(cells) + "\n"
    write(out / "generated" / "differences.txt", text)


def lines_by_place(out, topic):
    """How many lines a topic adds and removes where, and what it exports."""
    patches = [Patch(topic, path) for path in sorted((SERIES / topic).glob("[0-9]*.patch"))]
    counted, exports = {}, []
    for patch in patches:
        place, hunk = "elsewhere", False
        for line in patch.diff.splitlines():
            if line.startswith("diff --git "):
                place, hunk = place_of(line.split(" b/", 1)[1]), False
                counted.setdefault(place, [0, 0])
            elif line.startswith("@@ "):
                hunk = True
            elif hunk and line[:1] in ("+", "-"):
                counted[place][line[0] == "-"] += 1
                exports += re.findall(r"^\+(EXPORT_SYMBOL\w*\(.*\);)", line)
    text = f"The topic {topic} has no patches in the queue yet.\n"
    if patches:
        text = ".. list-table::\n   :header-rows: 1\n\n   * - where\n     - lines added\n     - lines removed\n"
        text += "".join(f"   * - {place}\n     - {added}\n     - {removed}\n"
                        for place, (added, removed) in sorted(counted.items()))
        text += "\nNew exports: " + (", ".join(f"``{line}``" for line in exports) or "none") + ".\n"
    write(out / "generated" / f"{topic.replace('_', '-')}.txt", text)


def main():
    """Command line."""
    out = pathlib.Path(sys.argv[1]).resolve()
    all_patches(out)
    report_page(out)
    reports_page(out)
    cocci_page(out)
    pictures(out)
    table(out)
    upstream(out)
    measured(out)
    differences(out)
    lines_by_place(out, "guest_memfd")


if __name__ == "__main__":
    main()
