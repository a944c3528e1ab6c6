#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Draw who calls whom for one userfaultfd operation, from the source of a kernel commit.

usage: docs/callgraph.py TREE COMMIT ROOT [ROOT...]     dot on the standard output

What is drawn: the functions of FILES that can be reached from ROOT and belong to userfaultfd by name or by file; a call
through a table is a red dashed edge to each function that a table names for that member.
"""

import re
import subprocess
import sys

FILES = ["mm/userfaultfd.c", "mm/shmem.c", "mm/hugetlb.c", "mm/memory.c", "mm/guest_memfd.c"]
NAMES = re.compile(r"uffd|mfill|userfault|^do_anonymous_page$|^hugetlb_no_page$")
# Small predicates and locks say nothing about who does what.
DULL = re.compile(r"userfaultfd_(armed|wp|minor|missing|rwp|protected|pte_\w*wp\w*|huge_pmd_wp|ctx_\w+)$|"
                  r"uffd_\w*(lock|unlock|enabled|supported)$|_(lock|unlock)$|flags|validate_range|_over_size$|"
                  r"uffd_marker|userfaultfd_wp|^uffd_supports|^pte_|^vma_(?!uffd_)")
CALL = re.compile(r"((?:\w+(?:->|\.))*)(\w+)\s*\(")
MEMBER = re.compile(r"^\t\.(\w+)\s*=\s*&?(\w+),", re.M)
TABLE = re.compile(r"^(?:static )?const struct vm_uffd_ops (\w+)[^{;]*\{(.*?)^\};", re.M | re.S)


def source(tree, commit, path):
    """A file of a commit without comments and strings; empty if the commit has no such file."""
    shown = subprocess.run(["git", "-C", tree, "show", f"{commit}:{path}"], capture_output=True, check=False)
    text = shown.stdout.decode(errors="replace")
    keep_lines = lambda match: "\n" * match.group(0).count("\n")
    text = re.sub(r"/\*.*?\*/", keep_lines, text, flags=re.S)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)


def functions(text):
    """(name, line number, body) of each function: its brace and its end stand in the first column."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines):
        if line.startswith("{") and start is None:
            head = number
            while head > 0 and lines[head - 1].strip() and lines[head - 1][0] not in "}#/":
                head -= 1
            name = re.search(r"(\w+)\s*\(", " ".join(lines[head:number]))
            start = (name.group(1), head + 1, number) if name else None
        elif line.startswith("}") and start is not None:
            yield start[0], start[1], "\n".join(lines[start[2]:number])
            start = None


class Source:
    """The functions and the userfaultfd tables of one commit."""

    def __init__(self, tree, commit):
        self.bodies = {}
        self.places = {}
        self.members = {}
        for path in FILES:
            text = source(tree, commit, path)
            for name, line, body in functions(text):
                if name not in self.bodies:
                    self.bodies[name] = body
                    self.places[name] = f"{path}:{line}"
            for _, table in TABLE.findall(text):
                for member, function in MEMBER.findall(table):
                    self.members.setdefault(member, []).append(function)

    def wanted(self, name):
        """Whether a function belongs into the picture."""
        if name not in self.bodies or DULL.search(name):
            return False
        return bool(NAMES.search(name))

    def calls(self, name):
        """(callee, through a table?) in the order of the source, each once."""
        seen = []
        for through, callee in CALL.findall(self.bodies.get(name, "")):
            if through and callee in self.members:
                seen += [(function, True) for function in self.members[callee]]
            elif not through and self.wanted(callee):
                seen.append((callee, False))
        return list(dict.fromkeys(call for call in seen if call[0] in self.bodies and call[0] != name))

    def reached(self, roots):
        """Every function that can be reached from the roots, nearest first."""
        order = [root for root in roots if root in self.bodies]
        for name in order:
            order += [callee for callee, _ in self.calls(name) if callee not in order]
        return order


def draw(src, roots):
    """The picture as dot; colours come from the page's style sheet through classes."""
    print('digraph calls {\n\trankdir=TB; bgcolor="transparent"; nodesep=0.12; ranksep=0.25;')
    print('\tnode [shape=box, style=rounded, fontname="sans-serif", fontsize=9, height=0.25, margin="0.06,0.03", class="fn"];')
    print('\tedge [class="call", arrowsize=0.6];')
    for name in src.reached(roots):
        path = src.places[name].split(":")[0]
        kind = re.sub(r"\W", "-", path[3:-2])
        print(f'\t"{name}" [label="{name}\\n{src.places[name][3:]}", class="fn {kind}"];')
        for callee, table in src.calls(name):
            style = ' [style=dashed, class="call table"]' if table else ""
            print(f'\t"{name}" -> "{callee}"{style};')
    print("}")


def main():
    """Command line."""
    tree, commit, *roots = sys.argv[1:]
    src = Source(tree, commit)
    if not src.reached(roots):
        sys.exit(f"callgraph.py: {commit} has none of {' '.join(roots)}")
    draw(src, roots)


if __name__ == "__main__":
    main()
