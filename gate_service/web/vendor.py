"""Copies the front-end libraries from `node_modules` into `static/vendor`, at set-up. Never committed, never fetched.

Browsers know no package names without an import map, and an import map in a page would be an inline script, which our
content policy forbids. So the few names that the libraries use among themselves become relative addresses here.

`python -m gate_service.web.vendor [NODE_MODULES]`
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

TARGET: Final = Path(__file__).parent / "static" / "vendor"
FILES: Final = {
    "preact": "preact/dist/preact.mjs",
    "preact/hooks": "preact/hooks/dist/hooks.mjs",
    "@preact/signals-core": "@preact/signals-core/dist/signals-core.mjs",
    "@preact/signals": "@preact/signals/dist/signals.mjs",
    "htm": "htm/dist/htm.mjs",
}
"""Package name -> its module file."""

CLASSIC: Final = {"uPlot.mjs": ("uplot/dist/uPlot.iife.min.js", "uPlot")}
"""File to write -> a program that sets one name, and that name: as a module it is a third of the package's own one."""

SHEETS: Final = {"uPlot.css": "uplot/dist/uPlot.min.css"}

LICENCES: Final = {
    "preact": "preact/LICENSE",
    "signals": "@preact/signals/LICENSE",
    "htm": "htm/LICENSE",
    "uPlot": "uplot/LICENSE",
}
_IMPORT: Final = re.compile(r'(from\s*|import\s*)"([^"./][^"]*)"')
_MAP_COMMENT: Final = re.compile(r"\n?//# sourceMappingURL=\S+\s*$")


def rewrite(program: str) -> str:
    """Package names of imports and re-exports become addresses beside the file; the map comment goes.

    Raises KeyError for a package that is not in the table.
    """
    addressed = _IMPORT.sub(lambda found: f'{found[1]}"./{Path(FILES[found[2]]).name}"', program)
    return _MAP_COMMENT.sub("\n", addressed)


def copy(node_modules: Path, target: Path = TARGET) -> list[Path]:
    """Write every file of the table; returns what was written. Raises FileNotFoundError before `npm ci` was run."""
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for source in FILES.values():
        path = target / Path(source).name
        path.write_text(rewrite((node_modules / source).read_text(encoding="utf-8")), encoding="utf-8")
        written.append(path)
    for file, (program, name) in CLASSIC.items():
        path = target / file
        text = _MAP_COMMENT.sub("\n", (node_modules / program).read_text(encoding="utf-8"))
        path.write_text(f"{text.rstrip()}\nexport default {name};\n", encoding="utf-8")
        written.append(path)
    for file, source in SHEETS.items():
        (target / file).write_bytes((node_modules / source).read_bytes())
        written.append(target / file)
    for name, source in LICENCES.items():
        path = target / f"LICENSE.{name}.txt"
        path.write_text((node_modules / source).read_text(encoding="utf-8"), encoding="utf-8")
        written.append(path)
    return written


if __name__ == "__main__":
    for one in copy(Path(sys.argv[1] if len(sys.argv) > 1 else "node_modules")):
        print(one)
