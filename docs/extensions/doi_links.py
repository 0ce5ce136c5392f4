"""Makes a link of every ``doi:10.…`` and ``arXiv:…`` in pages and docstrings."""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

FOUND = re.compile(r"doi:(10\.\d{4,}/[^\s,;]*[^\s,;.:)])|arXiv:(\d{4}\.\d{4,5})")


class DoiLinks(SphinxPostTransform):
    """Replaces parts of texts by links, but not in code, titles and what is a link already."""

    default_priority = 400
    apart = (nodes.literal, nodes.literal_block, nodes.reference, nodes.title, nodes.math)

    def run(self, **_):
        """Go through all texts."""
        for text in list(self.document.findall(nodes.Text)):
            if isinstance(text.parent, self.apart) or not FOUND.search(text):
                continue
            parts, end = [], 0
            for match in FOUND.finditer(text):
                doi, arxiv = match.groups()
                # A bracket that was opened before belongs to the sentence.
                if doi and doi.count(")") > doi.count("("):
                    doi = doi.rpartition(")")[0]
                stop = match.start() + len("doi:") + len(doi) if doi else match.end()
                address = f"https://doi.org/{doi}" if doi else f"https://arxiv.org/abs/{arxiv}"
                link = nodes.reference("", text[match.start() : stop], refuri=address)
                parts += [nodes.Text(text[end : match.start()]), link]
                end = stop
            parts.append(nodes.Text(text[end:]))
            text.parent.replace(text, parts)


def setup(app):
    """Add the transform."""
    app.add_post_transform(DoiLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
