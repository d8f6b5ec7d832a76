"""What the documentation's site needs beyond Markdown; `mkdocs.yml` names it."""

from __future__ import annotations

import mmdr


def diagram(source: str, _language: str, css_class: str, *_: object, **__: object) -> str:
    """Return a Mermaid diagram as SVG within the page, so that no reader's browser runs Mermaid."""
    return f'<div class="{css_class}">{mmdr.render(source).svg()}</div>'
