"""Formulas as MathML, which browsers draw themselves: no script and no font is fetched for them."""

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)


def _mathml(node, text, *, as_block):
    try:
        return tex2mathml(text, as_block=as_block)
    except MathError as error:
        logger.warning("formula: found %r, which no MathML is known for: %s", text, error,
                       location=node)  # fmt: skip
        return ""


def _inline(translator, node):
    translator.body.append(_mathml(node, node.astext(), as_block=False))
    raise nodes.SkipNode


def _block(translator, node):
    text = node.astext()
    if r"\\" in text:  # several lines
        text = rf"\begin{{aligned}}{text}\end{{aligned}}"
    formula = _mathml(node, text, as_block=True)
    translator.body.append(f'<div class="formula">{formula}</div>\n')
    raise nodes.SkipNode


def setup(app):
    """Offer ``html_math_renderer = "native"``."""
    app.add_html_math_renderer("native", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
