# SPDX-License-Identifier: GPL-2.0
"""Sphinx settings.  scripts/docs copies this folder to build/docs/src, where docs/generate.py adds pages."""

from docutils import nodes
from docutils.parsers.rst import Directive

project = "userfaultfd memory types"
author = "the authors of the uffd-types series"
copyright = "2026, the authors of the uffd-types series"  # pylint: disable=redefined-builtin # Sphinx's name
language = "en"
extensions = []
# The report has pages of the kernel in its logs; only the HTML builder leaves extra out by itself.
exclude_patterns = ["generated/*", "cocci-files/*", "extra"]
html_theme = "uffd"
html_theme_options = {"globaltoc_maxdepth": 2}
html_theme_path = ["theme"]
html_title = "userfaultfd memory types"
html_short_title = "uffd types"
html_sidebars = {"**": ["globaltoc.html", "searchbox.html"]}
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_use_index = False
html_extra_path = ["extra"]
highlight_language = "none"
smartquotes = False
# A history page names mails by Message-ID; whoever builds has no network to look them up.
# The CI report is copied beside the pages after Sphinx; docs/test follows the links to it.
linkcheck_ignore = [r"https?://", r"report/index\.html"]


class KernelDoc(Directive):
    """Pages that go upstream may ask for kernel-doc, which only the kernel's own build can give."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = dict.fromkeys(("functions", "identifiers", "internal", "export", "doc", "no-identifiers"), str)

    def run(self):
        """One line in the place of the functions' descriptions."""
        return [nodes.paragraph(text=f"(The kernel's own build puts the kernel-doc of {self.arguments[0]} here.)")]


def lore(_name, rawtext, text, _lineno, _inliner, _options=None, _content=None):
    """:lore:`Message-ID` is a link to the mail."""
    return [nodes.reference(rawtext, text, refuri=f"https://lore.kernel.org/all/{text}/", classes=["lore"])], []


def setup(app):
    """Called by Sphinx."""
    app.add_directive("kernel-doc", KernelDoc)
    app.add_role("lore", lore)
