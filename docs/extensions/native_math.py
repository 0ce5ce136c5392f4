"""Formulas as MathML, which browsers draw themselves: no script and no font is fetched for them."""

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml


def _inline(translator, node):
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def _block(translator, node):
    text = node.astext()
    if r"\\" in text:  # several lines
        text = rf"\begin{{aligned}}{text}\end{{aligned}}"
    translator.body.append(f'<div class="formula">{tex2mathml(text, as_block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app):
    """Offer ``html_math_renderer = "native"``."""
    app.add_html_math_renderer("native", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
